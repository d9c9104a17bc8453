package plan

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"ledcast/playlists"
)

// scheduleRule is a schedule that covers a sign.
type scheduleRule struct {
	schedule *playlists.Schedule
	hours    *hours
	reach    playlists.Coverage
	updated  int64
	dated    *dated
}

// rule returns the value of Segment.Why for the schedule.
func (r *scheduleRule) rule() string { return "schedule:" + r.schedule.ID }

// compare ranks two schedules. It is negative if a wins. The text says why the
// other lost.
func (a *scheduleRule) compare(b *scheduleRule) (int, playlists.Text) {
	minutes := func(r *scheduleRule) int { f, u := r.schedule.Minutes(); return u - f }
	days := func(r *scheduleRule) int {
		if n := len(r.schedule.Days); n > 0 {
			return n
		}
		return 7
	}
	span := func(r *scheduleRule) int64 { return int64(r.hours.last - r.hours.first) }
	for _, x := range []struct {
		n    int
		text playlists.Text
	}{
		{cmp.Compare(b.schedule.Priority, a.schedule.Priority), text("ưu tiên thấp hơn", "its priority is lower")},
		{cmp.Compare(a.reach, b.reach), text("lịch kia nêu màn hình này rõ hơn (tên, rồi nhãn, rồi tất cả)",
			"the other names this sign more narrowly (by name, then by tag, then all)")},
		{cmp.Compare(minutes(a), minutes(b)), text("khung giờ của lịch kia ngắn hơn", "the other's hours are shorter")},
		{cmp.Compare(days(a), days(b)), text("lịch kia có ít ngày trong tuần hơn", "the other has fewer days of the week")},
		{cmp.Compare(span(a), span(b)), text("thời hạn của lịch kia ngắn hơn", "the other's validity is shorter")},
		{cmp.Compare(b.updated, a.updated), text("lịch kia mới hơn", "the other is newer")},
	} {
		if x.n != 0 {
			return x.n, x.text
		}
	}
	return strings.Compare(a.schedule.ID, b.schedule.ID), text("ngang nhau; tên của lịch kia đứng trước",
		"all else is equal; the other's id comes first")
}

// campaignRule is a campaign that covers a sign.
type campaignRule struct {
	campaign *playlists.Campaign
	hours    *hours
}

// agreementRule is an agreement of a sign's company that covers the sign.
type agreementRule struct {
	agreement *playlists.Agreement
	hours     *hours
}

// rules determine what shows on a sign, except for its look.
type rules struct {
	c          *calendar
	off        []*hours
	schedules  []*scheduleRule // highest rank first
	base       []base          // without a schedule: the sign's playlist, then the default
	campaigns  []campaignRule  // oldest letter first
	agreements []agreementRule
	department bool // a sign of the department: campaigns need no agreement
}

type base struct {
	rule  string
	dated *dated
}

// state is the result of the rules at one instant. States with equal keys show
// the same.
type state struct {
	key    string
	dark   bool
	rule   string
	dated  *dated
	items  items
	bounds []bound
	winner int // index in schedules; from len(schedules) on, in base
}

// at returns the state at t.
func (r *rules) at(t int64) state {
	for _, h := range r.off {
		if _, on := h.on(r.c, t); on {
			return state{key: "off", dark: true, rule: "off", winner: -1}
		}
	}
	st := state{winner: len(r.schedules) + len(r.base)}
	for i, s := range r.schedules {
		if _, on := s.hours.on(r.c, t); !on {
			continue
		}
		if items, _ := s.dated.at(t); len(items.index) > 0 {
			st.rule, st.dated, st.items, st.winner = s.rule(), s.dated, items, i
			break
		}
	}
	for i := 0; i < len(r.base) && st.dated == nil; i++ {
		if items, _ := r.base[i].dated.at(t); len(items.index) > 0 {
			st.rule, st.dated, st.items, st.winner = r.base[i].rule, r.base[i].dated, items, len(r.schedules)+i
		}
	}
	left := r.agreed(t)
	var key strings.Builder
	key.WriteString(strconv.Itoa(st.winner))
	key.WriteString(st.items.key)
	for _, a := range r.campaigns {
		if left <= 0 {
			break
		}
		if _, on := a.hours.on(r.c, t); !on {
			continue
		}
		b := bound{a.campaign, min(left, a.campaign.SharePercent)}
		left -= b.percent
		st.bounds = append(st.bounds, b)
		key.WriteByte(';')
		key.WriteString(a.campaign.ID)
		key.WriteString(strconv.FormatInt(b.percent, 10))
	}
	st.key = key.String()
	return st
}

// agreed returns the share that the company has agreed to at t, the largest of
// several agreements.
func (r *rules) agreed(t int64) int64 {
	if r.department {
		return 100
	}
	var most int64
	for _, a := range r.agreements {
		if a.agreement.SharePercent > most {
			if _, on := a.hours.on(r.c, t); on {
				most = a.agreement.SharePercent
			}
		}
	}
	return most
}

// since returns when the state at t began, or always if it began before every
// rule. It depends only on the rules.
func (r *rules) since(t int64) int64 {
	now := r.at(t)
	if now.dark {
		return t // a dark interval has no phase, so its beginning does not matter
	}
	for range 4000 {
		at := int64(always)
		back := func(x int64) { at = max(at, x) }
		for _, h := range r.off {
			back(h.ended(r.c, t))
		}
		for i := 0; i < len(r.schedules) && i <= now.winner; i++ {
			s := r.schedules[i]
			items, changed := s.dated.at(t)
			switch since, on := s.hours.on(r.c, t); {
			case len(items.index) == 0:
				back(changed)
			case on:
				back(max(since, changed))
			default:
				back(s.hours.ended(r.c, t))
			}
		}
		for i := 0; i < len(r.base) && len(r.schedules)+i <= now.winner; i++ {
			_, changed := r.base[i].dated.at(t)
			back(changed)
		}
		for _, a := range r.campaigns {
			since, on := a.hours.on(r.c, t)
			if !on {
				back(a.hours.ended(r.c, t))
				continue
			}
			back(since)
			for _, g := range r.agreements {
				if since, on := g.hours.on(r.c, t); on {
					back(since)
				} else {
					back(g.hours.ended(r.c, t))
				}
			}
		}
		if at <= always {
			return always
		}
		if r.at(at-1).key != now.key {
			return at
		}
		t = at - 1
	}
	return always
}

// changes returns the instants in (from, until) at which the state may change,
// ascending.
func (r *rules) changes(from, until int64) []int64 {
	var out []int64
	add := func(t int64) { out = append(out, t) }
	all := func(h *hours) { h.changes(r.c, from, until, add) }
	parts := func(d *dated) {
		for _, t := range d.changes {
			if t > from && t < until {
				add(t)
			}
		}
	}
	for _, h := range r.off {
		all(h)
	}
	for _, s := range r.schedules {
		all(s.hours)
		parts(s.dated)
	}
	for _, b := range r.base {
		parts(b.dated)
	}
	for _, a := range r.campaigns {
		all(a.hours)
	}
	for _, a := range r.agreements {
		all(a.hours)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// interval is a span of time with one state.
type interval struct {
	from, until int64 // always and never where open
	state
	notes []playlists.Text
}

// intervals splits [from, until) where the state changes. The first interval
// begins when its state began, which may be before from. The last has no end if
// its state holds until until.
func (r *rules) intervals(from, until int64) []interval {
	out := []interval{{from: r.since(from), until: never, state: r.at(from)}}
	for _, t := range r.changes(from, until) {
		st := r.at(t)
		if last := &out[len(out)-1]; st.key != last.key {
			last.until = t
			out = append(out, interval{from: t, until: never, state: st})
		}
	}
	return out
}
