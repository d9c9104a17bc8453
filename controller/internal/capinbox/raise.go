package capinbox

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"ledcast/controller/internal/capinbox/cap12"
	"ledcast/playlists"
)

// Lifetimes of alerts from CAP documents. defaultLife applies without `expires`.
const (
	defaultLife = time.Hour
	maxLife     = playlists.MaxAlertLife * time.Second
)

// maxText is the length of a text on a sign, in characters.
const maxText = 160

// The reason of an alert that runs by the policy.
const (
	runsVI = "Đang phát theo quy định đã được hai người duyệt."
	runsEN = "It runs, by the policy that two people approved."
)

// part is what becomes one alert of a document: infos that differ only in language.
type part struct {
	infos []cap12.Info
	areas []cap12.Area
}

// parts groups the infos of a document that differ only in language. Two infos in the
// same language are two events and become two alerts, so that none is lost.
func parts(doc *cap12.Alert) []part {
	var order []string
	by := map[string][]cap12.Info{}
	for _, in := range doc.Infos {
		identity, err := json.Marshal([]any{in.Effective.Unix(), in.Onset.Unix(), in.Expires.Unix(),
			in.Severity, in.Urgency, in.Codes, withoutNames(in.Areas)})
		if err != nil {
			panic(err) // numbers and strings always marshal
		}
		k := string(identity)
		if by[k] == nil {
			order = append(order, k)
		}
		if !slices.ContainsFunc(by[k], func(x cap12.Info) bool { return reflect.DeepEqual(x, in) }) {
			by[k] = append(by[k], in)
		}
	}
	var out []part
	for _, k := range order {
		for _, infos := range pairLanguages(by[k]) {
			out = append(out, part{infos, infos[0].Areas})
		}
	}
	return out
}

// pairLanguages pairs infos of one place and time across languages: the first info of
// each language, then the second of each. If one language has more infos than another,
// the pairs are unknown, and each info becomes an alert of its own.
func pairLanguages(infos []cap12.Info) [][]cap12.Info {
	var langs []string
	by := map[string][]cap12.Info{}
	for _, in := range infos {
		l := language(&in)
		if by[l] == nil {
			langs = append(langs, l)
		}
		by[l] = append(by[l], in)
	}
	n := len(by[langs[0]])
	out := make([][]cap12.Info, n)
	for _, l := range langs {
		if len(by[l]) != n {
			out = out[:0]
			for _, in := range infos {
				out = append(out, []cap12.Info{in})
			}
			return out
		}
		for i, in := range by[l] {
			out[i] = append(out[i], in)
		}
	}
	return out
}

func language(in *cap12.Info) string {
	l, _, _ := strings.Cut(strings.ToLower(in.Language), "-")
	return l
}

// withoutNames returns areas without their descriptions, which depend on the language.
func withoutNames(areas []cap12.Area) []cap12.Area {
	out := slices.Clone(areas)
	for i := range out {
		out[i].Desc = ""
	}
	return out
}

// raise creates the alerts of a document. Those of an Update replace the running alerts
// of its family.
func (b *Inbox) raise(ctx context.Context, d *submission, r *playlists.CAPResult, f *family) error {
	if len(d.Infos) == 0 {
		setOutcome(r, playlists.CAPRefused, "Không có nội dung.", "It says nothing.")
		return nil
	}
	replaced := b.openAlerts(f, d)
	if err := b.o.Alerts.MayEnd(replaced, d.by); err != nil {
		return err
	}
	running, pending, err := b.splitByState(ctx, replaced)
	if err != nil {
		return err
	}
	expired := 0
	var failed *playlists.Error // the last part that failed; the other parts are raised
	docParts := parts(d.Alert)
	for n, g := range docParts {
		var replaces string
		if n < len(running) {
			replaces = running[n]
		}
		err := b.raisePart(ctx, d, r, n, &g, replaces)
		var bad *playlists.Error
		switch {
		case errors.Is(err, errExpired):
			expired++
		case errors.As(err, &bad):
			failed = bad
		case err != nil:
			return err
		}
	}
	switch {
	case len(r.Alerts) == 0 && failed != nil:
		return failed
	case len(r.Alerts) == 0 && expired > 0 && d.MsgType == "Update" && len(replaced) > 0:
		// Some services end an alert with an expired Update or one of urgency Past.
		if err := b.endAll(ctx, d, r, replaced); err != nil {
			return err
		}
		setOutcome(r, playlists.CAPCancelled, "Bản cập nhật nói rằng tin đã qua; đã dừng tin.",
			"The update says that it is over; what ran was ended.")
		return nil
	case len(r.Alerts) == 0 && expired > 0:
		setOutcome(r, playlists.CAPIgnored, "Đã hết hạn.", "It is over already.")
		return nil
	case failed != nil:
		r.Because.VI += " Một phần không nhận được: " + failed.VI()
		r.Because.EN += " A part of it cannot be taken: " + failed.Error()
	}
	if n := len(running) - len(docParts); n > 0 {
		addRemaining(r, n)
	}
	// The new pending alerts supersede those of the earlier documents.
	for _, id := range pending {
		if _, err := b.o.Alerts.Refuse(ctx, d.by, id); err != nil {
			return err
		}
	}
	return nil
}

// splitByState returns the running alerts and the other ones that were made from documents.
// People decide about their own pending alerts.
func (b *Inbox) splitByState(ctx context.Context, ids []string) (running, pending []string, err error) {
	for _, id := range ids {
		switch v, err := b.o.Alerts.Get(ctx, id); {
		case err != nil:
			return nil, nil, err
		case v.State == playlists.AlertRunning:
			running = append(running, id)
		case b.isFromDocument(id):
			pending = append(pending, id)
		}
	}
	return running, pending, nil
}

// addRemaining adds to the reason that n alerts of earlier documents continue.
func addRemaining(r *playlists.CAPResult, n int) {
	r.Because.VI += fmt.Sprintf(" Còn %d tin của văn bản trước vẫn phát; hãy tự hủy nếu không còn đúng.", n)
	en := fmt.Sprintf(" %d alerts of the former document go on;", n)
	if n == 1 {
		en = " One alert of the former document goes on;"
	}
	r.Because.EN += en + " cancel by hand what is no longer true."
}

// errExpired means that a part of a document has expired.
var errExpired = errors.New("it is over already")

// raisePart creates the alert of one part of a document.
func (b *Inbox) raisePart(ctx context.Context, d *submission, r *playlists.CAPResult, n int, g *part,
	replaces string) error {
	now := b.o.Now()
	info := g.infos[0]
	from := cmp.Or(unix(info.Onset), unix(info.Effective), d.Sent.Unix())
	until := unix(info.Expires)
	if until == 0 { // independent of when the document arrives
		until = max(d.Sent.Unix(), unix(info.Effective), unix(info.Onset)) + int64(defaultLife.Seconds())
	}
	if until <= now.Unix() || info.Urgency == "Past" {
		return errExpired
	}
	o := d.override
	o.ID, o.Mode, o.Priority, o.Replaces = fmt.Sprintf("cap-%s-%d", d.alertName, n+1), playlists.AlertLive,
		priority(info.Severity), replaces
	if from > now.Unix() {
		o.From = playlists.Moment(from)
	}
	o.Until = playlists.Moment(min(until, max(from, now.Unix())+int64(maxLife.Seconds())))
	var err error
	if o.Areas, o.Signs, err = b.resolveAreas(ctx, g.areas); err != nil {
		return err
	}
	v, err := b.o.Alerts.CreateFrom(ctx, d.by, &o, messages(o.ID, g.infos))
	if err != nil {
		return err
	}
	r.Alerts = append(r.Alerts, v.ID)
	if r.Outcome != playlists.CAPRunning {
		setOutcome(r, playlists.CAPPending, "Chờ người thứ hai duyệt.", "It waits for another person.")
	}
	if b.mayRun(d, v) {
		if err := b.runByPolicy(ctx, &d.policy, v.ID); err != nil {
			return err
		}
		setOutcome(r, playlists.CAPRunning, runsVI, runsEN)
	}
	return nil
}

func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

func priority(severity string) *int64 {
	p := map[string]int64{"Extreme": 200, "Severe": 150, "Moderate": 100, "Minor": 60}[severity]
	p = cmp.Or(p, 50)
	return &p
}

// messages returns forms of a message, the longest first: all languages in full, only
// the first language in full, headlines only, and the first headline.
func messages(id string, infos []cap12.Info) []*playlists.Message {
	all := fullMessage(id, infos)
	shorter := func(most int, bodies int) *playlists.Message {
		m := *all
		m.Variants = slices.Clone(all.Variants[:min(most, len(all.Variants))])
		for i := range m.Variants {
			if v := &m.Variants[i]; i >= bodies && v.Headline != "" {
				v.Body = ""
			}
		}
		return &m
	}
	return []*playlists.Message{all, shorter(len(all.Variants), 1), shorter(len(all.Variants), 0), shorter(1, 0)}
}

// fullMessage returns the message with each language once, Vietnamese first.
func fullMessage(id string, infos []cap12.Info) *playlists.Message {
	m := &playlists.Message{ID: id, Owner: playlists.Public, Theme: "urgent"}
	seen := map[string]bool{}
	for _, in := range infos {
		lang := language(&in)
		if seen[lang] || len(m.Variants) >= playlists.MaxVariants {
			continue
		}
		seen[lang] = true
		m.Variants = append(m.Variants, playlists.Variant{Lang: lang, Headline: shorten(cmp.Or(in.Headline, in.Event)),
			Body: shorten(cmp.Or(in.Instruction, in.Description))})
	}
	slices.SortStableFunc(m.Variants,
		func(a, b playlists.Variant) int { return cmp.Compare(rank(a.Lang), rank(b.Lang)) })
	return m
}

func rank(lang string) int {
	if i := slices.Index([]string{"vi", "en"}, lang); i >= 0 {
		return i
	}
	return 9
}

// shorten cuts a text to maxText characters, after a sentence if possible.
func shorten(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) <= maxText {
		return s
	}
	cut := string([]rune(s)[:maxText])
	if i := strings.LastIndexAny(cut, ".!?;"); i > 20 {
		return cut[:i+1]
	}
	if i := strings.LastIndexByte(cut, ' '); i > 0 {
		cut = cut[:i]
	}
	return cut + "…"
}
