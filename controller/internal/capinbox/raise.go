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

// Lives of alerts made of CAP documents: without `expires` an hour, and never
// longer than an alert may be.
const (
	capLife    = time.Hour
	capLongest = playlists.MaxAlertLife * time.Second
)

// capText bounds what of an instruction goes on a face, in characters.
const capText = 160

// What is said of one that runs by itself.
const (
	runsVI = "Đang phát theo quy định đã được hai người duyệt."
	runsEN = "It runs, by the policy that two people approved."
)

// said is one alert to be made of a document: its infos that differ in language
// only.
type said struct {
	infos []cap12.Info
	areas []cap12.Area
}

// groups puts infos together that say the same in several languages. Two of one
// language are two events, and each is an alert: nothing is left out.
func groups(doc *cap12.Alert) []said {
	var order []string
	by := map[string][]cap12.Info{}
	for _, in := range doc.Infos {
		shape, err := json.Marshal([]any{in.Effective.Unix(), in.Onset.Unix(), in.Expires.Unix(),
			in.Severity, in.Urgency, in.Codes, shapes(in.Areas)})
		if err != nil {
			panic(err) // numbers and strings always marshal
		}
		k := string(shape)
		if by[k] == nil {
			order = append(order, k)
		}
		if !slices.ContainsFunc(by[k], func(x cap12.Info) bool { return reflect.DeepEqual(x, in) }) {
			by[k] = append(by[k], in)
		}
	}
	var out []said
	for _, k := range order {
		for _, infos := range events(by[k]) {
			out = append(out, said{infos, infos[0].Areas})
		}
	}
	return out
}

// events pairs infos of one place and time across languages: the first of each
// language, the second of each. Where one language says more than another, which
// belong together is not told, and each stands for itself.
func events(infos []cap12.Info) [][]cap12.Info {
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

// shapes is areas without their names, which are of a language.
func shapes(areas []cap12.Area) []cap12.Area {
	out := slices.Clone(areas)
	for i := range out {
		out[i].Desc = ""
	}
	return out
}

// capRaise makes alerts of a document; an Update's take the place of what runs
// of its family.
func (b *Inbox) capRaise(ctx context.Context, d *handed, r *playlists.CAPResult, f *family) error {
	if len(d.Infos) == 0 {
		became(r, playlists.CAPRefused, "Không có nội dung.", "It says nothing.")
		return nil
	}
	former := b.alive(f, d)
	if err := b.o.Alerts.MayEnd(former, d.by); err != nil {
		return err
	}
	var running, waiting []string
	for _, id := range former {
		switch v, err := b.o.Alerts.Get(ctx, id); {
		case err != nil:
			return err
		case v.State == playlists.AlertRunning:
			running = append(running, id)
		case b.ofDocument(id): // what a person is at is theirs
			waiting = append(waiting, id)
		}
	}
	late := 0
	var failed *playlists.Error // of one part; the others are raised all the same
	all := groups(d.Alert)
	for n, g := range all {
		var replaces string
		if n < len(running) {
			replaces = running[n]
		}
		err := b.capPart(ctx, d, r, n, &g, replaces)
		var bad *playlists.Error
		switch {
		case errors.Is(err, errOver):
			late++
		case errors.As(err, &bad):
			failed = bad
		case err != nil:
			return err
		}
	}
	switch {
	case len(r.Alerts) == 0 && failed != nil:
		return failed
	case len(r.Alerts) == 0 && late > 0 && d.MsgType == "Update" && len(former) > 0:
		// This is how some services end an alert: an Update of urgency Past, or one that is over.
		if err := b.endAll(ctx, d, r, former); err != nil {
			return err
		}
		became(r, playlists.CAPCancelled, "Bản cập nhật nói rằng tin đã qua; đã dừng tin.",
			"The update says that it is over; what ran was ended.")
		return nil
	case len(r.Alerts) == 0 && late > 0:
		became(r, playlists.CAPIgnored, "Đã hết hạn.", "It is over already.")
		return nil
	case failed != nil:
		r.Because.VI += " Một phần không nhận được: " + failed.VI()
		r.Because.EN += " A part of it cannot be taken: " + failed.Error()
	}
	if n := len(running) - len(all); n > 0 {
		r.Because.VI += fmt.Sprintf(" Còn %d tin của văn bản trước vẫn phát; hãy tự hủy nếu không còn đúng.", n)
		en := fmt.Sprintf(" %d alerts of the former document go on;", n)
		if n == 1 {
			en = " One alert of the former document goes on;"
		}
		r.Because.EN += en + " cancel by hand what is no longer true."
	}
	// What waited under the former document gives way to what waits now.
	for _, id := range waiting {
		if _, err := b.o.Alerts.Refuse(ctx, d.by, id); err != nil {
			return err
		}
	}
	return nil
}

// errOver says that a part of a document had its time.
var errOver = errors.New("it is over already")

// capPart makes one alert of a document.
func (b *Inbox) capPart(ctx context.Context, d *handed, r *playlists.CAPResult, n int, g *said, replaces string) error {
	now := b.o.Now()
	in := g.infos[0]
	from := cmp.Or(unix(in.Onset), unix(in.Effective), d.Sent.Unix())
	until := unix(in.Expires)
	if until == 0 { // however late it comes
		until = max(d.Sent.Unix(), unix(in.Effective), unix(in.Onset)) + int64(capLife.Seconds())
	}
	if until <= now.Unix() || in.Urgency == "Past" {
		return errOver
	}
	o := d.over
	o.ID, o.Mode, o.Priority, o.Replaces = fmt.Sprintf("cap-%s-%d", d.name, n+1), playlists.AlertLive,
		priority(in.Severity), replaces
	if from > now.Unix() {
		o.From = playlists.Moment(from)
	}
	o.Until = playlists.Moment(min(until, max(from, now.Unix())+int64(capLongest.Seconds())))
	var err error
	if o.Areas, o.Signs, err = b.places(ctx, g.areas); err != nil {
		return err
	}
	v, err := b.o.Alerts.CreateFrom(ctx, d.by, &o, capMessages(o.ID, g.infos))
	if err != nil {
		return err
	}
	r.Alerts = append(r.Alerts, v.ID)
	if r.Outcome != playlists.CAPRunning {
		became(r, playlists.CAPPending, "Chờ người thứ hai duyệt.", "It waits for another person.")
	}
	if b.mayRun(d, v) {
		if err := b.runByPolicy(ctx, &d.policy, v.ID); err != nil {
			return err
		}
		became(r, playlists.CAPRunning, runsVI, runsEN)
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

// capMessages are what may go on the face, the longest first: all that is said;
// the first language alone, and of the others their headlines; headlines; the
// first headline.
func capMessages(id string, infos []cap12.Info) []*playlists.Message {
	all := capMessage(id, infos)
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

// capMessage is what goes on the face: Vietnamese first, each language once.
func capMessage(id string, infos []cap12.Info) *playlists.Message {
	m := &playlists.Message{ID: id, Owner: playlists.Public, Theme: "urgent"}
	seen := map[string]bool{}
	for _, in := range infos {
		lang := language(&in)
		if seen[lang] || len(m.Variants) >= playlists.MaxVariants {
			continue
		}
		seen[lang] = true
		m.Variants = append(m.Variants, playlists.Variant{Lang: lang, Headline: short(cmp.Or(in.Headline, in.Event)),
			Body: short(cmp.Or(in.Instruction, in.Description))})
	}
	slices.SortStableFunc(m.Variants, func(a, b playlists.Variant) int { return cmp.Compare(rank(a.Lang), rank(b.Lang)) })
	return m
}

func rank(lang string) int {
	if i := slices.Index([]string{"vi", "en"}, lang); i >= 0 {
		return i
	}
	return 9
}

// short keeps whole sentences up to what a face can show.
func short(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) <= capText {
		return s
	}
	cut := string([]rune(s)[:capText])
	if i := strings.LastIndexAny(cut, ".!?;"); i > 20 {
		return cut[:i+1]
	}
	if i := strings.LastIndexByte(cut, ' '); i > 0 {
		cut = cut[:i]
	}
	return cut + "…"
}
