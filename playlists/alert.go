package playlists

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"ledcast/playlists/timeline"
)

// Limits of alerts. Those of a class are in docs/protocol.md, Signed documents.
const (
	MaxAlertLife     = 24 * 3600 // seconds from From to Until
	MaxAlertSigns    = 500       // named one by one
	MaxAlertAreas    = 100
	MaxClassAlerts   = 16      // at a time, of one class
	MaxClassFrames   = 48      // of all alerts of a class
	MaxClassBytes    = 2 << 20 // of those frames
	MaxAlertPriority = 1000
	DefaultPriority  = 100
	CorrectionLife   = 600     // seconds that a correction takes the face
	GlassLife        = 15 * 60 // seconds from breaking the glass to the end, at most
	GlassRest        = 60 * 60 // seconds from the end of one until the next, in its district or by its author
	GlassMost        = 4       // in the installation within that time
	ResumeWithin     = 15 * 60 // seconds after a cancel in which it can be taken back
	MaxGlassValue    = 30      // characters that fill a gap without a second person
	MaxShort         = 30      // characters of an alert's short form
	MaxAlertLoop     = 60_000  // ms of all its pages on a class, once: who passes by reads it
	leastShareMS     = 20_000  // the shortest share
	maxAlertDoc      = 180_000 // bytes of a class's alerts as JSON: signed it stays under 256 KiB
)

// AlertMode says how far an alert goes. It is fixed when the alert is made.
type AlertMode string

const (
	AlertLive  AlertMode = "live"  // on every sign that it reaches
	AlertTest  AlertMode = "test"  // on signs enrolled as test signs only
	AlertDrill AlertMode = "drill" // the whole way, checked and acked by every sign, and shown by none
)

// AlertState is where an alert is in its life.
type AlertState string

const (
	AlertDraft   AlertState = "draft"   // its author is still at it
	AlertPending AlertState = "pending" // waits for another person
	AlertRunning AlertState = "running" // approved; on the signs from From until Until
	AlertEnded   AlertState = "ended"   // for good; Why says how
)

// Why an alert ended.
const (
	EndExpired   = "expired"
	EndCancelled = "cancelled"
	EndReplaced  = "replaced"
	EndRefused   = "refused"
)

// Moment is a time in Unix seconds. It is read as a number, or as RFC 3339 with
// an offset in a string, and written as a number.
type Moment int64

// UnmarshalJSON implements json.Unmarshaler. Its error is an *Error of code
// Invalid.
func (m *Moment) UnmarshalJSON(data []byte) error {
	text := string(bytes.TrimSpace(data))
	if text == "null" {
		return nil
	}
	bad := &Error{Code: Invalid, Field: "time", Value: text, Key: "time-malformed"}
	if strings.HasPrefix(text, `"`) {
		var s string
		if err := json.Unmarshal(data, &s); err != nil {
			return bad
		}
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			return bad
		}
		*m = Moment(t.Unix())
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > 1<<40 {
		return bad
	}
	*m = Moment(n)
	return nil
}

// Takeover is how an alert shares the face: nothing else for ExclusiveS seconds
// after it began, then SharePercent of the time. Without one it is exclusive to
// the end.
type Takeover struct {
	ExclusiveS   int64 `json:"exclusive_s"`
	SharePercent int64 `json:"share_percent"` // 1 to 100
}

// AlertOrder is an alert as somebody asks for it.
type AlertOrder struct {
	ID         string            `json:"id"`
	Message    string            `json:"message,omitempty"`  // id of one of the department's messages; or
	Text       string            `json:"text,omitempty"`     // the words themselves; or
	Short      string            `json:"short,omitempty"`    // fewer words, for signs that cannot show the others
	Template   string            `json:"template,omitempty"` // id of a template, whose placeholders
	Values     map[string]string `json:"values,omitempty"`   // are filled with these
	Priority   *int64            `json:"priority,omitempty"` // 0 to 1000, the higher first; 100 without
	Areas      []string          `json:"areas,omitempty"`    // areas or signs are mandatory
	Signs      []string          `json:"signs,omitempty"`
	From       Moment            `json:"from,omitempty"` // without it: from its approval
	Until      Moment            `json:"until"`
	Mode       AlertMode         `json:"mode,omitempty"` // live without
	Takeover   *Takeover         `json:"takeover,omitempty"`
	Correction string            `json:"correction,omitempty"` // message id or text that a cancel may show for ten minutes
	Replaces   string            `json:"replaces,omitempty"`   // id of a running alert that ends when this one is approved
	Draft      bool              `json:"draft,omitempty"`
	Override   string            `json:"override,omitempty"` // "distance": though it cannot be read on a sign; with
	Reason     string            `json:"reason,omitempty"`   // why, in 4 to 200 characters
}

// AlertApproval is what an approver says that they have read.
type AlertApproval struct {
	Signs *int `json:"signs"` // how many signs it reaches, off the preview; mandatory
	// Digest is the preview's, of the words, frames and signs that were read; mandatory.
	Digest string `json:"digest"`
	// Kept with the alert where it has none: the approver knows that it cannot be read everywhere.
	Override string `json:"override,omitempty"`
	Reason   string `json:"reason,omitempty"`
}

// AlertExtension lets a break-glass alert run longer, by a second person.
type AlertExtension struct {
	AlertApproval
	Until Moment `json:"until"` // later than it is, and at most a day after the alert's beginning
}

// AlertOverride lets an alert through that cannot be read on a sign; its zero
// value does not.
type AlertOverride struct{ Override, Reason string }

// CheckOverride returns an *Error of code Invalid where nothing can be let
// through by that name, or the reason says nothing.
func CheckOverride(where, override, reason string) error {
	if override == "" {
		return nil
	}
	if override != "distance" {
		return &Error{Code: Invalid, Field: where + ".override", Value: override, Key: "override-unknown"}
	}
	if n := utf8.RuneCountInString(strings.TrimSpace(reason)); n < 4 || n > 200 {
		return &Error{Code: Invalid, Field: where + ".reason", Value: reason, Key: "reason-missing"}
	}
	return nil
}

// Alert is an alert as it is kept and answered.
type Alert struct {
	ID         string            `json:"id"`
	Message    string            `json:"message,omitempty"`
	Text       string            `json:"text,omitempty"`
	Short      string            `json:"short,omitempty"` // for signs that cannot show the others
	Template   string            `json:"template,omitempty"`
	Values     map[string]string `json:"values,omitempty"`
	Priority   int64             `json:"priority"`
	Areas      []string          `json:"areas"`
	Signs      []string          `json:"signs"`
	From       Moment            `json:"from"`
	Until      Moment            `json:"until"`
	Mode       AlertMode         `json:"mode"`
	Takeover   *Takeover         `json:"takeover,omitempty"`
	Correction string            `json:"correction,omitempty"`
	Corrects   string            `json:"corrects,omitempty"` // this one is the correction of that alert
	Resumes    string            `json:"resumes,omitempty"`  // this one takes the cancel of that alert back
	Replaces   string            `json:"replaces,omitempty"`
	ReplacedBy string            `json:"replaced_by,omitempty"`
	State      AlertState        `json:"state"`
	Why        string            `json:"why,omitempty"` // of ended: expired, cancelled, replaced or refused
	BreakGlass bool              `json:"break_glass,omitempty"`
	CreatedBy  string            `json:"created_by"`
	Makers     []string          `json:"makers,omitempty"` // of the author's credential, in the 24 h before
	CreatedMS  int64             `json:"created_ms"`
	ApprovedBy string            `json:"approved_by,omitempty"`
	ApprovedMS int64             `json:"approved_ms,omitempty"`
	ExtendedBy string            `json:"extended_by,omitempty"` // the second person behind a break-glass alert
	ExtendedMS int64             `json:"extended_ms,omitempty"`
	EndedBy    string            `json:"ended_by,omitempty"`
	EndedMS    int64             `json:"ended_ms,omitempty"`
	Corrected  bool              `json:"corrected,omitempty"`  // its cancel put the correction up
	FromGiven  bool              `json:"from_given,omitempty"` // else it begins when it is approved
	Override   string            `json:"override,omitempty"`   // it was let through though it cannot be read on a sign
	Reason     string            `json:"reason,omitempty"`     // of the override
	// TemplateDigest is of the template as it was when the alert was made.
	TemplateDigest string `json:"template_digest,omitempty"`
}

// Order checks an order by itself and makes the alert of it, at now (Unix ms).
// What needs the rest of the installation (areas, signs, messages, drawing) is
// asked where it is set. Its error is an *Error of code Invalid or TooLarge
// with the numbers.
func (o *AlertOrder) Order(nowMS int64) (*Alert, error) {
	if err := CheckSlug("alerts/id", o.ID); err != nil {
		return nil, err
	}
	where := "alerts/" + o.ID
	bad := func(field, value string, key TextKey, args ...any) error {
		return &Error{Code: Invalid, Field: where + "." + field, Value: value, Key: key, Args: args}
	}
	a := &Alert{ID: o.ID, Message: o.Message, Text: o.Text, Short: strings.TrimSpace(o.Short), Template: o.Template,
		Values: o.Values, Priority: DefaultPriority, Areas: o.Areas, Signs: o.Signs,
		From: o.From, Until: o.Until, Mode: o.Mode, Takeover: o.Takeover, Correction: o.Correction, Replaces: o.Replaces,
		State: AlertPending, FromGiven: o.From != 0,
		Override: o.Override, Reason: strings.TrimSpace(o.Reason)}
	if o.Draft {
		a.State = AlertDraft
	}
	if err := CheckOverride(where, o.Override, o.Reason); err != nil {
		return nil, err
	}
	said := 0
	for _, s := range []string{o.Message, o.Text, o.Template} {
		if !blank(s) {
			said++
		}
	}
	if said != 1 {
		return nil, bad("message", "", "alert-content-ambiguous", said)
	}
	for _, t := range []struct{ name, text string }{{"text", o.Text}, {"correction", o.Correction}} {
		if n := utf8.RuneCountInString(t.text); n > MaxText {
			return nil, &Error{Code: TooLarge, Field: where + "." + t.name, Value: t.text,
				Key: "text-too-long", Args: []any{n, MaxText}}
		}
	}
	if err := checkShort(where, o.Short); err != nil {
		return nil, err
	}
	if o.Correction != "" {
		if err := CheckSlug(where+".correction", CorrectionID(o.ID)); err != nil {
			return nil, bad("id", o.ID, "correction-name-too-long", CorrectionID(o.ID))
		}
	}
	if o.Priority != nil {
		if a.Priority = *o.Priority; a.Priority < 0 || a.Priority > MaxAlertPriority {
			return nil, bad("priority", strconv.FormatInt(a.Priority, 10), "alert-priority-out-of-range", MaxAlertPriority)
		}
	}
	switch o.Mode {
	case "":
		a.Mode = AlertLive
	case AlertLive, AlertTest, AlertDrill:
	default:
		return nil, bad("mode", string(o.Mode), "alert-mode-unknown")
	}
	if err := a.checkPlaces(where); err != nil {
		return nil, err
	}
	if t := o.Takeover; t != nil {
		if t.SharePercent < 1 || t.SharePercent > 100 {
			return nil, bad("takeover.share_percent", strconv.FormatInt(t.SharePercent, 10), "alert-share-out-of-range")
		}
		if t.ExclusiveS < 0 || t.ExclusiveS > MaxAlertLife {
			return nil, bad("takeover.exclusive_s", strconv.FormatInt(t.ExclusiveS, 10), "exclusive-out-of-range", MaxAlertLife)
		}
	}
	if !a.FromGiven {
		a.From = Moment(nowMS / 1000)
	}
	return a, a.checkSpan(where, nowMS)
}

// checkShort refuses a short form that is not short.
func checkShort(where, short string) error {
	if n := utf8.RuneCountInString(strings.TrimSpace(short)); n > MaxShort {
		return &Error{Code: TooLarge, Field: where + ".short", Value: short, Key: "text-too-long", Args: []any{n, MaxShort}}
	}
	return nil
}

// checkPlaces needs somewhere to show: nothing is meant for everywhere.
func (a *Alert) checkPlaces(where string) error {
	if len(a.Areas) == 0 && len(a.Signs) == 0 {
		return &Error{Code: Invalid, Field: where + ".areas", Key: "areas-and-signs-missing"}
	}
	if len(a.Areas) > MaxAlertAreas {
		return &Error{Code: TooLarge, Field: where + ".areas",
			Key: "too-many-areas-named", Args: []any{len(a.Areas), MaxAlertAreas}}
	}
	if len(a.Signs) > MaxAlertSigns {
		return &Error{Code: TooLarge, Field: where + ".signs",
			Key: "too-many-signs-named", Args: []any{len(a.Signs), MaxAlertSigns}}
	}
	for i, x := range a.Areas {
		if err := CheckArea(fmt.Sprintf("%s.areas[%d]", where, i), x); err != nil {
			return err
		}
	}
	for i, x := range a.Signs {
		if err := CheckSlug(fmt.Sprintf("%s.signs[%d]", where, i), x); err != nil {
			return err
		}
	}
	if a.Areas == nil {
		a.Areas = []string{}
	}
	if a.Signs == nil {
		a.Signs = []string{}
	}
	return nil
}

func (a *Alert) checkSpan(where string, nowMS int64) error {
	until := time.Unix(int64(a.Until), 0).UTC().Format(time.RFC3339)
	switch {
	case a.Until == 0:
		return &Error{Code: Invalid, Field: where + ".until", Key: "until-missing"}
	case a.Until <= a.From:
		return &Error{Code: Invalid, Field: where + ".until", Value: until,
			Key: "ends-before-start", Args: []any{a.From - a.Until}}
	case a.Until-a.From > MaxAlertLife:
		return &Error{Code: Invalid, Field: where + ".until", Value: until,
			Key: "alert-too-long", Args: []any{a.Until - a.From, MaxAlertLife}}
	case int64(a.Until)*1000 <= nowMS:
		return &Error{Code: Invalid, Field: where + ".until", Value: until, Key: "until-over"}
	}
	return nil
}

// ResumedID is the id of the alert that goes on after a cancel is taken back.
func ResumedID(alert string) string { return alert + "-resumed" }

// CorrectionID is the id under which an alert's correction runs.
func CorrectionID(alert string) string { return alert + "-correction" }

// Reaches reports whether the alert is meant for a sign: by its areas or name,
// and a test only for test signs. It is not meant for excluded and waiting signs.
func (a *Alert) Reaches(s *Sign) bool {
	if a.Mode == AlertTest && !s.Test || s.Alerts == AlertsExcluded || s.Alerts == AlertsWaiting {
		return false
	}
	w := timeline.Alert{Areas: a.Areas, Signs: a.Signs}
	return w.Reaches(s.ID, s.Areas)
}

// Test reports whether it goes by the topics that only test signs read.
func (a *Alert) Test() bool { return a.Mode == AlertTest }

// OnWire is the alert on a class, drawn as art. Only the signs named that are
// of the class, as of says, are named there.
//
// share_ms is the first multiple of its length of 20 s or more, and cycle_ms =
// share_ms·100/share_percent.
func (a *Alert) OnWire(art *Artwork, of func(sign string) bool) timeline.Alert {
	w := timeline.Alert{ID: a.ID, Priority: a.Priority, From: int64(a.From), Until: int64(a.Until), Areas: a.Areas,
		Signs:      []string{},
		ExclusiveS: int64(a.Until - a.From), Drill: a.Mode == AlertDrill, Test: a.Test(), Steps: art.Steps}
	for _, s := range a.Signs {
		if of(s) {
			w.Signs = append(w.Signs, s)
		}
	}
	for i := range art.Frames {
		f := art.Frames[i].Frame
		f.Owner = "" // its topic is the class's
		w.Frames = append(w.Frames, f)
	}
	length, percent := timeline.Length(art.Steps), int64(100)
	if a.Takeover != nil {
		w.ExclusiveS, percent = a.Takeover.ExclusiveS, a.Takeover.SharePercent
	}
	w.ShareMS = (leastShareMS + length - 1) / length * length
	w.CycleMS = w.ShareMS * 100 / percent
	return w
}

// CheckClass returns an *Error of code TooLarge that says by how much the
// alerts of one class are over its limits.
func CheckClass(class string, alerts []timeline.Alert) error {
	over := func(what string, n, most int) error {
		return &Error{Code: TooLarge, Field: "alerts", Value: class,
			Key: "class-limit-reached", Args: []any{n, Word(what), most}}
	}
	if len(alerts) > MaxClassAlerts {
		return over("alerts", len(alerts), MaxClassAlerts)
	}
	frames, size := 0, 0
	for i := range alerts {
		frames += len(alerts[i].Frames)
		for _, f := range alerts[i].Frames {
			size += int(f.Len)
		}
	}
	if frames > MaxClassFrames {
		return over("frames", frames, MaxClassFrames)
	}
	if size > MaxClassBytes {
		return over("bytes of frames", size, MaxClassBytes)
	}
	text, err := json.Marshal(alerts)
	if err != nil {
		return err
	}
	if len(text) > maxAlertDoc {
		return over("bytes of signed text", len(text), maxAlertDoc)
	}
	return nil
}

// MayApprove reports whether p may approve or refuse alerts and templates. Who
// wrote one cannot, whatever their role.
func (p *Principal) MayApprove() bool {
	return p.MayRead(KindAlert, Public) && p.Role == RoleApprover
}

// MayCancel reports whether p may cancel alerts: one person, in one step.
func (p *Principal) MayCancel() bool {
	if p.Program && !slices.Contains(p.May, MayCancelAlerts) {
		return false
	}
	return p.MayApprove() || p.MayWrite(KindAlert, Public)
}

// Same reports whether two principals' ids are one person's: somebody who
// signs in as user:lan is who uses token:lan.
func Same(a, b string) bool {
	name := func(id string) string { return id[strings.IndexByte(id, ':')+1:] }
	return name(a) == name(b)
}

// EndedAlert is an alert that ended before its time, as the wire names it.
type EndedAlert struct {
	timeline.Ended
	Alert Alert
}
