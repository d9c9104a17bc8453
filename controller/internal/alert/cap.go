package alert

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"ledcast/controller/internal/alert/cap12"
	"ledcast/playlists"
)

// kindCAP is a record of what became of a CAP document.
const kindCAP = "cap"

// Lives of alerts made of CAP documents: without `expires` an hour, and never
// longer than an alert may be.
const (
	capLife    = time.Hour
	capLongest = playlists.MaxAlertLife * time.Second
)

// capText bounds what of an instruction goes on a face, in characters.
const capText = 160

// capInbox is what came from outside.
type capInbox struct {
	one sync.Mutex // one document at a time: an Update must find what came before

	mu     sync.Mutex
	seen   map[string]playlists.CAPResult // by reference
	halted map[string]string              // reference → the Cancel that came first
	policy playlists.CAPPolicy
	feeds  map[string]*feed
}

// capKept is a record as it is kept.
type capKept struct {
	playlists.CAPResult
	Cancels []string `json:"cancels,omitempty"` // references that a Cancel named and nobody knew
}

func capName(ref string) string {
	sum := sha256.Sum256([]byte(ref))
	return hex.EncodeToString(sum[:8])
}

// openCAP reads what was decided before.
func (s *Service) openCAP(ctx context.Context) error {
	s.inbox = capInbox{seen: map[string]playlists.CAPResult{}, halted: map[string]string{}, feeds: map[string]*feed{}}
	if err := load(ctx, s.o.Records, kindCAP, func(_ string, k capKept) {
		ref := refOf(&k.CAPResult)
		s.inbox.seen[ref] = k.CAPResult
		for _, c := range k.Cancels {
			s.inbox.halted[c] = ref
		}
	}); err != nil {
		return err
	}
	err := s.get(ctx, kindPolicy, "cap", &s.inbox.policy)
	if missing(err) {
		err = nil
	}
	s.followFeeds()
	return err
}

func refOf(r *playlists.CAPResult) string {
	return cap12.Reference{Sender: r.Sender, Identifier: r.Identifier, Sent: time.Unix(int64(r.Sent), 0).UTC()}.String()
}

// key makes references that mean the same moment the same text.
func key(r cap12.Reference) string {
	r.Sent = r.Sent.UTC()
	return r.String()
}

// CAP takes a document that who hands in. What becomes of it is decided once:
// the same document again changes nothing. Its error is of a document that
// cannot be read; what can be read is never an error, and says what became of
// it and why.
func (s *Service) CAP(ctx context.Context, who *playlists.Principal, data []byte) (*playlists.CAPResult, error) {
	doc, err := cap12.Parse(data)
	if err != nil {
		return nil, err
	}
	s.inbox.one.Lock()
	defer s.inbox.one.Unlock()
	r := playlists.CAPResult{Identifier: doc.Identifier, Sender: doc.Sender, Sent: playlists.Moment(doc.Sent.Unix()), MsgType: doc.MsgType, AtMS: s.o.Now().UnixMilli(), From: who.ID}
	s.inbox.mu.Lock()
	before, known := s.inbox.seen[key(doc.Ref())]
	s.inbox.mu.Unlock()
	if known && before.Outcome != playlists.CAPHeld {
		before.Because = say("Văn bản này đã nhận trước đó.", "This document came before.")
		return &before, nil
	}
	var cancels []string
	if err := s.decide(ctx, who, doc, &r, &cancels); err != nil {
		var refused *playlists.Error
		if !errors.As(err, &refused) {
			return nil, err
		}
		became(&r, playlists.CAPRefused, "Không nhận được: "+refused.VI(), "It cannot be taken: "+refused.Error())
	}
	if err := s.keep(ctx, who, kindCAP, capName(key(doc.Ref())), capKept{r, cancels}); err != nil {
		return nil, err
	}
	s.inbox.mu.Lock()
	s.inbox.seen[key(doc.Ref())] = r
	for _, c := range cancels {
		s.inbox.halted[c] = key(doc.Ref())
	}
	s.inbox.mu.Unlock()
	return &r, nil
}

func say(vi, en string) playlists.Text { return playlists.Text{VI: vi, EN: en} }

// became notes what became of a document, and why.
func became(r *playlists.CAPResult, what, vi, en string) {
	r.Outcome, r.Because = what, say(vi, en)
}

// decide is what becomes of a good document. In this order: what it is for, who
// sent it, what it says of others, and last of all whether it is to be shown.
func (s *Service) decide(ctx context.Context, who *playlists.Principal, doc *cap12.Alert, r *playlists.CAPResult, cancels *[]string) error {
	s.inbox.mu.Lock()
	policy := s.inbox.policy
	s.inbox.mu.Unlock()
	no := func(what, vi, en string) error { became(r, what, vi, en); return nil }
	switch {
	case doc.MsgType == "Ack" || doc.MsgType == "Error":
		return no(playlists.CAPIgnored, "Đây là thư trả lời giữa các hệ thống.", "It is an answer between systems.")
	case doc.Status != "Actual":
		return no(playlists.CAPIgnored, "Trạng thái "+doc.Status+": không phải tin thật, không bao giờ lên màn hình.", "Its status is "+doc.Status+": it is not for real, and never goes on a sign.")
	case doc.Scope != "Public":
		return no(playlists.CAPRefused, "Phạm vi "+doc.Scope+": không dành cho công chúng.", "Its scope is "+doc.Scope+": it is not for the public.")
	case len(policy.Senders) > 0 && !slices.Contains(policy.Senders, doc.Sender):
		return no(playlists.CAPRefused, "Người gửi "+doc.Sender+" không có trong danh sách được phép.", "The sender "+doc.Sender+" is not one of those allowed.")
	case len(policy.Senders) == 0 && strings.HasPrefix(who.ID, feedPrincipal):
		return no(playlists.CAPRefused, "Chưa có người gửi nào được phép.", "No sender is allowed yet.")
	}
	var of []playlists.CAPResult // what it refers to and is known
	for _, ref := range doc.References {
		s.inbox.mu.Lock()
		x, ok := s.inbox.seen[key(ref)]
		s.inbox.mu.Unlock()
		switch {
		case ok && x.Sender != doc.Sender:
			return no(playlists.CAPRefused, "Văn bản nói về tin của người khác gửi.", "It speaks of another sender's alert.")
		case ok:
			of = append(of, x)
		default:
			*cancels = append(*cancels, key(ref))
		}
	}
	if doc.MsgType == "Cancel" {
		return s.capCancel(ctx, who, doc, r, of, cancels)
	}
	unknown := *cancels
	*cancels = nil // only a Cancel stops what comes later
	if doc.MsgType == "Update" {
		switch {
		case len(doc.References) == 0:
			return no(playlists.CAPHeld, "Cập nhật mà không nói cập nhật tin nào; cần người xem.", "It updates, and does not say what; a person has to look.")
		case len(unknown) > 0:
			return no(playlists.CAPHeld, "Cập nhật một tin chưa nhận; cần người xem.", "It updates an alert that never came; a person has to look.")
		}
	}
	s.inbox.mu.Lock()
	by, halted := s.inbox.halted[key(doc.Ref())]
	s.inbox.mu.Unlock()
	if halted {
		return no(playlists.CAPIgnored, "Lệnh hủy tin này đã đến trước ("+by+").", "Its Cancel came before it ("+by+").")
	}
	return s.capRaise(ctx, who, doc, r, of, &policy)
}

// capCancel ends what a Cancel names, and remembers what is not known yet: it
// must not start when it comes late.
func (s *Service) capCancel(ctx context.Context, who *playlists.Principal, doc *cap12.Alert, r *playlists.CAPResult, of []playlists.CAPResult, cancels *[]string) error {
	if len(doc.References) == 0 {
		became(r, playlists.CAPRefused, "Lệnh hủy không nói hủy tin nào.", "It cancels, and does not say what.")
		return nil
	}
	for _, x := range of {
		for _, id := range x.Alerts {
			v, err := s.Get(ctx, id)
			if err != nil && !missing(err) {
				return err
			}
			if err != nil || v.State == playlists.AlertEnded {
				continue
			}
			if _, err := s.Cancel(ctx, capPerson(who), id, false); err != nil {
				return err
			}
			r.Alerts = append(r.Alerts, id)
		}
	}
	switch {
	case len(r.Alerts) > 0:
		became(r, playlists.CAPCancelled, "Đã dừng tin.", "What it names was ended.")
	case len(*cancels) > 0:
		became(r, playlists.CAPHeld, "Hủy một tin chưa nhận; nếu tin đó đến sau thì sẽ không lên màn hình.", "It cancels an alert that never came; should that come, it will not start.")
	default:
		became(r, playlists.CAPIgnored, "Tin đó đã kết thúc.", "What it names is over already.")
	}
	return nil
}

// capPerson acts for a document: with the rights of who handed it in, and
// everywhere, for what is cancelled was raised by the same way.
func capPerson(who *playlists.Principal) *playlists.Principal {
	p := *who
	p.Areas = nil
	return &p
}

// said is one alert to be made of a document: its infos that differ in language
// only.
type said struct {
	infos []cap12.Info
	areas []cap12.Area
}

// groups puts infos together that say the same in several languages.
func groups(doc *cap12.Alert) []said {
	var order []string
	by := map[string]*said{}
	for _, in := range doc.Infos {
		shape, err := json.Marshal([]any{in.Event != "", in.Effective.Unix(), in.Onset.Unix(), in.Expires.Unix(), in.Severity, shapes(in.Areas)})
		if err != nil {
			panic(err) // numbers and strings always marshal
		}
		k := string(shape)
		if by[k] == nil {
			by[k] = &said{areas: in.Areas}
			order = append(order, k)
		}
		by[k].infos = append(by[k].infos, in)
	}
	out := make([]said, len(order))
	for i, k := range order {
		out[i] = *by[k]
	}
	return out
}

// shapes is areas without their names, which are of a language.
func shapes(areas []cap12.Area) []cap12.Area {
	out := slices.Clone(areas)
	for i := range out {
		out[i].Desc = ""
	}
	return out
}

// capRaise makes alerts of a document; an Update's take the place of what runs.
func (s *Service) capRaise(ctx context.Context, who *playlists.Principal, doc *cap12.Alert, r *playlists.CAPResult, of []playlists.CAPResult, policy *playlists.CAPPolicy) error {
	if len(doc.Infos) == 0 {
		became(r, playlists.CAPRefused, "Không có nội dung.", "It says nothing.")
		return nil
	}
	var running []string
	for _, x := range of {
		for _, id := range x.Alerts {
			if v, err := s.Get(ctx, id); err == nil && v.State == playlists.AlertRunning {
				running = append(running, id)
			}
		}
	}
	late := 0
	var failed *playlists.Error // of one part; the others are raised all the same
	all := groups(doc)
	for n, g := range all {
		var replaces string
		if n < len(running) {
			replaces = running[n]
		}
		err := s.capPart(ctx, who, doc, r, n, &g, replaces, policy)
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
	for _, x := range of {
		for _, id := range x.Alerts {
			if v, err := s.Get(ctx, id); err == nil && v.State == playlists.AlertPending {
				if _, err := s.Refuse(ctx, capPerson(who), id); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// errOver says that a part of a document had its time.
var errOver = errors.New("it is over already")

// capPart makes one alert of a document.
func (s *Service) capPart(ctx context.Context, who *playlists.Principal, doc *cap12.Alert, r *playlists.CAPResult, n int, g *said, replaces string, policy *playlists.CAPPolicy) error {
	now := s.o.Now()
	in := g.infos[0]
	from := cmp.Or(unix(in.Onset), unix(in.Effective), doc.Sent.Unix())
	until := unix(in.Expires)
	if until == 0 {
		until = max(from, now.Unix()) + int64(capLife.Seconds())
	}
	if until <= now.Unix() || in.Urgency == "Past" {
		return errOver
	}
	o := &playlists.AlertOrder{ID: fmt.Sprintf("cap-%s-%d", capName(key(doc.Ref())), n+1), Mode: playlists.AlertLive, Priority: priority(in.Severity), Replaces: replaces}
	if from > now.Unix() {
		o.From = playlists.Moment(from)
	}
	o.Until = playlists.Moment(min(until, max(from, now.Unix())+int64(capLongest.Seconds())))
	var err error
	if o.Areas, o.Signs, err = s.places(ctx, g.areas); err != nil {
		return err
	}
	m := capMessage(o.ID, g.infos)
	o.Text = m.Title()
	v, err := s.create(ctx, who, o, m)
	if err != nil {
		return err
	}
	r.Alerts = append(r.Alerts, v.ID)
	if r.Outcome != playlists.CAPRunning {
		became(r, playlists.CAPPending, "Chờ người thứ hai duyệt.", "It waits for another person.")
	}
	if s.mayRun(policy, doc, v) {
		if err := s.runByPolicy(ctx, policy, v.ID); err != nil {
			return err
		}
		became(r, playlists.CAPRunning, "Đang phát theo quy định đã được hai người duyệt.", "It runs, by the policy that two people approved.")
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

// places finds what areas mean here: known areas by their geocodes, and signs by
// where they stand. No usable area is refused: never "everywhere".
func (s *Service) places(ctx context.Context, areas []cap12.Area) (codes, signs []string, err error) {
	known, err := s.o.Catalogue.Areas(ctx)
	if err != nil {
		return nil, nil, err
	}
	all, err := s.o.Catalogue.Signs(ctx)
	if err != nil {
		return nil, nil, err
	}
	usable := false
	for i := range areas {
		a := &areas[i]
		usable = usable || len(a.Polygons) > 0 || len(a.Circles) > 0
		for _, g := range a.Geocodes {
			for k := range known {
				if slices.Contains(known[k].Geocodes, g) && !slices.Contains(codes, known[k].Code) {
					codes = append(codes, known[k].Code)
					usable = true
				}
			}
		}
		for k := range all {
			if p := all[k].Position; p != nil && a.Holds(*p) && !slices.Contains(signs, all[k].ID) {
				signs = append(signs, all[k].ID)
			}
		}
	}
	if !usable {
		return nil, nil, &playlists.Error{Code: playlists.Invalid, Field: "cap.info.area", Problem: "has no polygon, circle or geocode that is known here", Remedy: "add the geocode to an area, or send the alert by hand"}
	}
	// A sign that an area covers need not be named.
	signs = slices.DeleteFunc(signs, func(id string) bool {
		i := slices.IndexFunc(all, func(x playlists.Sign) bool { return x.ID == id })
		return slices.ContainsFunc(all[i].Areas, func(at string) bool {
			return slices.ContainsFunc(codes, func(c string) bool { return playlists.Covers(c, at) })
		})
	})
	if len(codes) == 0 && len(signs) == 0 {
		return nil, nil, &playlists.Error{Code: playlists.Invalid, Field: "cap.info.area", Problem: "holds no sign that has a position", Remedy: "nothing is to be done, unless signs there lack their position"}
	}
	return codes, signs, nil
}

// capMessage is what goes on the face: Vietnamese first, each language once.
func capMessage(id string, infos []cap12.Info) *playlists.Message {
	m := &playlists.Message{ID: id, Owner: playlists.Public, Theme: "urgent"}
	seen := map[string]bool{}
	for _, in := range infos {
		lang, _, _ := strings.Cut(strings.ToLower(in.Language), "-")
		if seen[lang] || len(m.Variants) >= playlists.MaxVariants {
			continue
		}
		seen[lang] = true
		m.Variants = append(m.Variants, playlists.Variant{Lang: lang, Headline: short(cmp.Or(in.Headline, in.Event)), Body: short(cmp.Or(in.Instruction, in.Description))})
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
