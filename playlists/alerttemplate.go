package playlists

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// AlertTemplate is an alert's words with gaps, agreed before the day they are
// needed. Texts hold placeholders such as {place}, which an alert's values fill.
type AlertTemplate struct {
	ID       string    `yaml:"id" json:"id"`
	Name     Text      `yaml:"name" json:"name"`
	Theme    string    `yaml:"theme,omitempty" json:"theme,omitempty"`
	Icon     string    `yaml:"icon,omitempty" json:"icon,omitempty"`
	Variants []Variant `yaml:"variants" json:"variants"`
	// Short is a form with fewer words and the same gaps, for signs that cannot show Variants.
	Short string `yaml:"short,omitempty" json:"short,omitempty"`
	// Set by the controller: who wrote it, and who let it be used without a
	// second person (another one).
	By         string   `yaml:"-" json:"by,omitempty"`
	Makers     []string `yaml:"-" json:"makers,omitempty"` // of the author's credential, in the 24 h before
	ApprovedBy string   `yaml:"-" json:"approved_by,omitempty"`
	ApprovedMS int64    `yaml:"-" json:"approved_ms,omitempty"`
	Digest     string   `yaml:"-" json:"digest,omitempty"` // as Sum gives it; only answered
}

// MaxValue bounds what fills one gap, in characters.
const MaxValue = 60

var placeholder = regexp.MustCompile(`\{([a-z][a-z0-9_]{0,30})\}`)

// Validate returns an *Error of code Invalid that names the field.
func (t *AlertTemplate) Validate() error {
	if err := CheckSlug("templates/id", t.ID); err != nil {
		return err
	}
	where := "templates/" + t.ID
	if blank(t.Name.VI) || blank(t.Name.EN) {
		return &Error{Code: Invalid, Field: where + ".name", Key: "template-name-missing"}
	}
	if m := t.message(t.Variants); m.Validate() != nil {
		e := *m.Validate().(*Error)
		e.Field = strings.Replace(e.Field, "messages/", "templates/", 1)
		return &e
	}
	for i, v := range t.Variants {
		for _, s := range []string{v.Headline, v.Body, v.Caption} {
			if rest := placeholder.ReplaceAllString(s, ""); strings.ContainsAny(rest, "{}") {
				return &Error{Code: Invalid, Field: fmt.Sprintf("%s.variants[%d]", where, i), Value: s,
					Key: "brace-not-placeholder"}
			}
		}
	}
	if rest := placeholder.ReplaceAllString(t.Short, ""); strings.ContainsAny(rest, "{}") {
		return &Error{Code: Invalid, Field: where + ".short", Value: t.Short, Key: "brace-not-placeholder"}
	}
	return checkShort(where, placeholder.ReplaceAllString(t.Short, ""))
}

func (t *AlertTemplate) message(variants []Variant) *Message {
	return &Message{ID: t.ID, Owner: Public, Theme: t.Theme, Icon: t.Icon, Variants: variants}
}

// Placeholders are the names of its gaps, sorted.
func (t *AlertTemplate) Placeholders() []string {
	var names []string
	for _, v := range t.Variants {
		for _, m := range placeholder.FindAllStringSubmatch(v.Headline+v.Body+v.Caption, -1) {
			names = append(names, m[1])
		}
	}
	for _, m := range placeholder.FindAllStringSubmatch(t.Short, -1) {
		names = append(names, m[1])
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Fill is the template's message with its gaps filled, and its short form; short is nil without one. {until} is filled
// with the alert's end in Asia/Ho_Chi_Minh unless values say otherwise. Its error is an *Error of code Invalid: a value
// is missing, empty, too long or of no gap.
func (t *AlertTemplate) Fill(where string, values map[string]string, until Moment) (m, short *Message, err error) {
	names := t.Placeholders()
	full := map[string]string{}
	for k, v := range values {
		field := where + ".values." + k
		switch n := utf8.RuneCountInString(v); {
		case !slices.Contains(names, k):
			return nil, nil, &Error{Code: Invalid, Field: field, Value: v,
				Key: "value-unknown-to-template", Args: []any{t.ID, strings.Join(names, ", ")}}
		case n > MaxValue:
			return nil, nil, &Error{Code: Invalid, Field: field, Value: v, Key: "text-too-long", Args: []any{n, MaxValue}}
		case blank(v) || strings.ContainsAny(v, "{}"):
			return nil, nil, &Error{Code: Invalid, Field: field, Value: v, Key: "template-value-empty"}
		}
		full[k] = v
	}
	if _, given := full["until"]; !given {
		full["until"] = time.Unix(int64(until), 0).In(hanoi()).Format("15:04 02/01")
	}
	for _, n := range names {
		if full[n] == "" {
			return nil, nil, &Error{Code: Invalid, Field: where + ".values." + n,
				Key: "template-value-missing", Args: []any{t.ID}}
		}
	}
	variants := slices.Clone(t.Variants)
	fill := func(s string) string {
		return placeholder.ReplaceAllStringFunc(s, func(m string) string { return full[m[1:len(m)-1]] })
	}
	if t.Short != "" {
		short = t.message([]Variant{{Lang: "vi", Body: fill(t.Short)}})
	}
	for i := range variants {
		v := &variants[i]
		v.Headline, v.Body, v.Caption = fill(v.Headline), fill(v.Body), fill(v.Caption)
	}
	return t.message(variants), short, nil
}

// address is what could lead somewhere: a dot before a letter, or two slashes.
var address = regexp.MustCompile(`\.\pL|//`)

// CheckGlass returns an *Error of code Invalid for a value that one person may
// not fill a gap with alone: it holds a name of a place or person, a number, a
// few words of how somebody is dressed, and no message of its own.
func CheckGlass(where string, values map[string]string) error {
	for _, k := range slices.Sorted(maps.Keys(values)) {
		v, field := values[k], where+".values."+k
		if n := utf8.RuneCountInString(v); n > MaxGlassValue {
			return &Error{Code: Invalid, Field: field, Value: v,
				Key: "glass-value-too-long", Args: []any{n, MaxGlassValue}}
		}
		for _, r := range v {
			if !unicode.In(r, unicode.L, unicode.M, unicode.Nd) && !strings.ContainsRune(" .,-/+", r) {
				return &Error{Code: Invalid, Field: field, Value: v, Key: "glass-value-character"}
			}
		}
		if address.MatchString(v) {
			return &Error{Code: Invalid, Field: field, Value: v, Key: "glass-value-address"}
		}
	}
	return nil
}

// Sum is of the words and looks: an approval names them by it, and holds for
// these alone.
func (t *AlertTemplate) Sum() string {
	c := *t
	c.By, c.Makers, c.ApprovedBy, c.ApprovedMS, c.Digest = "", nil, "", 0, ""
	text, err := json.Marshal(&c)
	if err != nil {
		panic(err) // strings always marshal
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// hanoi is DefaultZone; a machine without a time zone database has its offset.
func hanoi() *time.Location {
	if l, err := time.LoadLocation(DefaultZone); err == nil {
		return l
	}
	return time.FixedZone("+07", 7*3600)
}

// Due is the last time at or before now at which the drill was due; zero when
// it is off.
func (d *DrillPlan) Due(now time.Time) time.Time {
	if !d.On {
		return time.Time{}
	}
	at, _ := clock(d.At)
	local := now.In(hanoi())
	for back := range 8 {
		day := time.Date(local.Year(), local.Month(), local.Day()-back, at/60, at%60, 0, 0, local.Location())
		if Days[(int(day.Weekday())+6)%7] == d.Day && !day.After(now) {
			return day
		}
	}
	return time.Time{}
}

// Next is the first time after now at which the drill is due; zero when off.
func (d *DrillPlan) Next(now time.Time) time.Time {
	if !d.On {
		return time.Time{}
	}
	last := d.Due(now).In(hanoi())
	return time.Date(last.Year(), last.Month(), last.Day()+7, last.Hour(), last.Minute(), 0, 0, last.Location())
}

// Validate returns an *Error of code Invalid that names the field.
func (d *DrillPlan) Validate() error {
	if !slices.Contains(Days, d.Day) {
		return &Error{Code: Invalid, Field: "drill.day", Value: d.Day, Key: "weekday-unknown"}
	}
	if _, ok := clock(d.At); !ok || d.At == "" || d.At == "24:00" {
		return &Error{Code: Invalid, Field: "drill.at", Value: d.At, Key: "drill-clock-malformed"}
	}
	return nil
}
