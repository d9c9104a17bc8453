package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// Content provides playlists, messages and artwork. A Planner requests each of
// them once and caches it.
type Content interface {
	Playlist(owner, id string) (*playlists.Playlist, error)
	Message(owner, id string) (*playlists.Message, error)
	// Artwork draws a message for a class.
	Artwork(m *playlists.Message, c playlists.Class, motion playlists.Motion) (*playlists.Artwork, error)
}

// Dated is a thing with the time when it was last written.
type Dated[T any] struct {
	Thing     T
	UpdatedMS int64 // Unix ms
}

// Rulebook holds the rules for what shows, in any order.
type Rulebook struct {
	Schedules  []Dated[playlists.Schedule]
	Campaigns  []playlists.Campaign
	Agreements []playlists.Agreement
	Floors     *playlists.AlertFloors // nil for the defaults
}

// RulebookOf returns the rulebook of a snapshot.
func RulebookOf(s *playlists.Snapshot) Rulebook {
	var r Rulebook
	if o, ok := playlists.Find[*playlists.Owner](s, playlists.Key{Kind: playlists.KindOwner, ID: playlists.Public}); ok {
		r.Floors = o.AlertFloor
	}
	for _, x := range s.Things(playlists.KindSchedule) {
		r.Schedules = append(r.Schedules, Dated[playlists.Schedule]{Thing: *x.Thing.(*playlists.Schedule),
			UpdatedMS: x.UpdatedMS})
	}
	for _, c := range playlists.All[*playlists.Campaign](s, playlists.KindCampaign) {
		r.Campaigns = append(r.Campaigns, *c)
	}
	for _, a := range playlists.All[*playlists.Agreement](s, playlists.KindAgreement) {
		r.Agreements = append(r.Agreements, *a)
	}
	return r
}

// Planner plans many signs and makes what they share only once. It is valid for
// one state of the rulebook and the content; drop it when either changes. It is
// not safe for concurrent use.
type Planner struct {
	content    Content
	schedules  map[string][]scheduled     // by owner
	campaigns  []campaignRule             // oldest letter first
	agreements map[string][]agreementRule // by owner
	floors     *playlists.AlertFloors

	zones   map[string]*calendar
	lists   memo[string, *list] // by owner/id
	dateds  map[datedKey]*dated
	entries memo[entryKey, *entry]
	loops   memo[loopKey, *loop]
	long    map[longKey]*entry
	bodies  memo[string, *body]
	files   map[fileKey]*playlists.FrameFile
	digests digests
}

type scheduled struct {
	schedule *playlists.Schedule
	hours    *hours
	updated  int64
	n        int // its index in the rulebook
}

type datedKey struct {
	list *list
	zone *calendar
}

// NewPlanner returns a planner for a valid rulebook.
func NewPlanner(content Content, r Rulebook) *Planner {
	p := &Planner{content: content, floors: r.Floors,
		schedules: map[string][]scheduled{}, agreements: map[string][]agreementRule{},
		zones: map[string]*calendar{}, lists: memo[string, *list]{}, dateds: map[datedKey]*dated{},
		entries: memo[entryKey, *entry]{}, loops: memo[loopKey, *loop]{}, long: map[longKey]*entry{},
		bodies: memo[string, *body]{}, files: map[fileKey]*playlists.FrameFile{}, digests: newDigests()}
	for i := range r.Schedules {
		s := &r.Schedules[i].Thing
		h := newHours(s.Window, s.First, s.Last, s.Except)
		p.schedules[s.Owner] = append(p.schedules[s.Owner], scheduled{s, &h, r.Schedules[i].UpdatedMS, i})
	}
	for i := range r.Campaigns {
		c := &r.Campaigns[i]
		h := newHours(c.Window, c.First, c.Last, c.Except)
		p.campaigns = append(p.campaigns, campaignRule{c, &h})
	}
	slices.SortFunc(p.campaigns, func(a, b campaignRule) int { return older(a.campaign, b.campaign) })
	for i := range r.Agreements {
		a := &r.Agreements[i]
		h := newHours(a.Window, a.First, a.Last, nil)
		p.agreements[a.Owner] = append(p.agreements[a.Owner], agreementRule{a, &h})
	}
	for _, list := range p.agreements {
		slices.SortFunc(list, func(a, b agreementRule) int { return strings.Compare(a.agreement.ID, b.agreement.ID) })
	}
	return p
}

// older orders campaigns by their letters: date, number, then id.
func older(a, b *playlists.Campaign) int {
	for _, n := range [...]int{strings.Compare(a.Letter.Date, b.Letter.Date),
		strings.Compare(a.Letter.Number, b.Letter.Number)} {
		if n != 0 {
			return n
		}
	}
	return strings.Compare(a.ID, b.ID)
}

func (p *Planner) calendar(s *playlists.Sign) (*calendar, error) {
	if c := p.zones[s.TimeZone]; c != nil {
		return c, nil
	}
	zone, err := s.Zone()
	if err != nil {
		return nil, err
	}
	c := newCalendar(zone)
	p.zones[s.TimeZone] = c
	return c, nil
}

func (p *Planner) list(owner, id string) (*list, error) {
	k := owner + "/" + id
	return p.lists.get(k, func() (*list, error) {
		pl, err := p.content.Playlist(owner, id)
		if err != nil {
			return nil, err
		}
		return newList(pl), nil
	})
}

func (p *Planner) datedList(owner, id string, c *calendar) (*dated, error) {
	l, err := p.list(owner, id)
	if err != nil {
		return nil, err
	}
	k := datedKey{l, c}
	d := p.dateds[k]
	if d == nil {
		d = newDated(l, c)
		p.dateds[k] = d
	}
	return d, nil
}

// rules returns the rules that cover a sign, and a key that is equal for signs
// with the same rules.
func (p *Planner) rules(s *playlists.Sign, from, until int64) (*rules, string, error) {
	c, err := p.calendar(s)
	if err != nil {
		return nil, "", err
	}
	r := &rules{c: c, department: s.Owner == playlists.Public}
	key := make([]byte, 0, 128)
	key = append(key, s.TimeZone...)
	key = append(key, '|')
	if s.Rules != nil {
		for i := range s.Rules.Off {
			h := newHours(s.Rules.Off[i], "", "", nil)
			r.off = append(r.off, &h)
			key = fmt.Append(key, s.Rules.Off[i])
		}
	}
	key = append(key, '|')
	key = append(key, s.Owner...)
	for i := range p.schedules[s.Owner] {
		x := &p.schedules[s.Owner][i]
		reach := playlists.Cover(s, x.schedule.Signs, x.schedule.Tags)
		if reach == playlists.NotCovered {
			continue
		}
		owner, id := playlists.SplitRef(s.Owner, x.schedule.Playlist)
		d, err := p.datedList(owner, id, c)
		if err != nil {
			if x.hours.overlaps(c, from, until) {
				return nil, "", err
			}
			continue // the schedule does not hold in this time
		}
		r.schedules = append(r.schedules, &scheduleRule{schedule: x.schedule, hours: x.hours,
			reach: reach, updated: x.updated, dated: d})
		key = append(key, '|', 's')
		key = strconv.AppendInt(key, int64(x.n), 10)
		key = append(key, '0'+byte(reach))
	}
	slices.SortFunc(r.schedules, func(a, b *scheduleRule) int { n, _ := a.compare(b); return n })
	if s.Playlist != "" {
		owner, id := playlists.SplitRef(s.Owner, s.Playlist)
		d, err := p.datedList(owner, id, c)
		if err != nil {
			return nil, "", err
		}
		r.base = append(r.base, base{"playlist:" + s.Playlist, d})
		key = append(append(key, "|p"...), s.Playlist...)
	}
	if d, err := p.datedList(playlists.Public, playlists.DefaultRotation, c); err == nil {
		r.base = append(r.base, base{"default", d})
	} else if len(r.base) == 0 {
		return nil, "", err
	}
	for i, a := range p.campaigns {
		if a.campaign.Covers(s) {
			r.campaigns = append(r.campaigns, a)
			key = append(key, '|', 'c')
			key = strconv.AppendInt(key, int64(i), 10)
		}
	}
	if len(r.campaigns) > 0 {
		for i, a := range p.agreements[s.Owner] {
			if playlists.Cover(s, a.agreement.Signs, a.agreement.Tags) != playlists.NotCovered {
				r.agreements = append(r.agreements, a)
				key = append(key, '|', 'a')
				key = strconv.AppendInt(key, int64(i), 10)
			}
		}
	}
	return r, string(key), nil
}

// overlaps reports whether the rule holds at some time in [from, until).
func (h *hours) overlaps(c *calendar, from, until int64) bool {
	_, on := h.on(c, from)
	h.changes(c, from, until, func(int64) { on = true })
	return on
}

func (p *Planner) body(s *playlists.Sign, from, until int64) (*body, error) {
	r, key, err := p.rules(s, from, until)
	if err != nil {
		return nil, err
	}
	lk := lookOf(s)
	key += fmt.Sprint("|", lk, from, until)
	return p.bodies.get(key, func() (*body, error) {
		b := &body{planner: p, look: lk, items: map[itemKey]int64{}, frames: map[string]int64{},
			loops: map[string]int64{}, orders: map[string][]int64{}, titles: map[string]string{},
			program: &timeline.Program{Class: s.Class.String(), CommLoss: timeline.CommLoss{AfterS: CommLossAfterS}}}
		return b, b.build(r, from, until)
	})
}

func (p *Planner) loopFor(lk look, iv *interval) (*loop, error) {
	var percent int64
	for _, b := range iv.bounds {
		percent += b.percent
	}
	if iv.dated == nil {
		if percent < 100 {
			return nil, &playlists.Error{Code: playlists.Invalid, Field: "playlist", Key: "nothing-to-show"}
		}
		return p.loopOf(lk, nil, nil, "", iv.bounds)
	}
	return p.loopOf(lk, iv.dated.list, iv.items.index, iv.items.key, iv.bounds)
}

// short reports whether the interval is too short for any item of its loop. It
// returns false if the loop cannot be made; build reports that error.
func (p *Planner) short(lk look, iv *interval, from int64) bool {
	if iv.dark || iv.until >= never || from <= always || iv.until-from >= MaxLoopS {
		return false
	}
	l, err := p.loopFor(lk, iv)
	return err == nil && iv.until-from < l.least
}

// intervalsAround returns the intervals of [from, until), and as many before and
// after as absorbShort needs to decide how these begin and end.
func (p *Planner) intervalsAround(lk look, r *rules, from, until int64) []interval {
	ivs := r.intervals(from, until+2*3600)
	longEnough := 0
	if !p.short(lk, &ivs[0], ivs[0].from) {
		longEnough++
	}
	for range 200 {
		b := &ivs[0]
		if b.dark || b.from <= always || longEnough == 2 {
			break
		}
		before := interval{from: r.since(b.from - 1), until: b.from, state: r.at(b.from - 1)}
		if !before.dark && !p.short(lk, &before, before.from) {
			longEnough++
		}
		ivs = slices.Insert(ivs, 0, before)
	}
	return ivs
}

// absorbShort merges intervals that are too short for one item into the one
// before them, or, after a dark interval, into the one after them. Between two
// dark intervals they become dark. Dark intervals never change.
func (p *Planner) absorbShort(lk look, r *rules, ivs []interval) []interval {
	var out []interval
	pending := int64(never)
	for i := range ivs {
		iv := ivs[i]
		from := min(pending, iv.from)
		note := func(of *interval, x *interval, from, until int64) {
			f := func(t int64) string { return time.Unix(t, 0).In(r.c.zone).Format("15:04:05") }
			of.notes = append(slices.Clip(of.notes), text("%s từ %s đến %s quá ngắn cho một mục nên không hiện",
				"%s from %s to %s is too short for one item and does not show", x.rule, f(from), f(until)))
		}
		last := len(out) - 1
		switch {
		case iv.dark:
			if pending < never {
				gap := ivs[i-1]
				gap.from, gap.state = pending, state{key: "off", dark: true, rule: "off", winner: -1}
				note(&gap, &ivs[i-1], pending, iv.from)
				out = append(out, gap)
				pending = never
			}
			out = append(out, iv)
		case p.short(lk, &iv, from):
			if last >= 0 && !out[last].dark {
				note(&out[last], &iv, iv.from, iv.until)
				out[last].until = iv.until
			} else {
				pending = from
			}
		default:
			if pending < never {
				note(&iv, &ivs[i-1], pending, iv.from)
				iv.from, pending = pending, never
			}
			out = append(out, iv)
		}
	}
	return out
}

// failsAt adds the rule and the first failing time to an error.
func (p *Planner) failsAt(r *rules, iv *interval, at int64, err error) error {
	e, ok := err.(*playlists.Error)
	if !ok {
		return err
	}
	return e.In("rule-at", iv.rule, time.Unix(at, 0).In(r.c.zone).Format("2006-01-02 15:04"))
}
