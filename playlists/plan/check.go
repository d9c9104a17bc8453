package plan

import (
	"fmt"
	"slices"
	"time"

	"ledcast/playlists"
)

// Check checks whether every plan that a change affects can still be made, from
// now on for as long as the changed thing holds. Its fields hold the state before
// the change; the changed thing replaces the one with its ID. Its methods are
// pure, take now in Unix seconds, and expect a thing that is valid by itself.
//
// They reject only what the change breaks: a plan that fails for another reason
// does not block it.
type Check struct {
	Content  Content
	Rulebook Rulebook
	Signs    []playlists.Sign
}

// Binding lists the signs on which a campaign is binding.
type Binding struct {
	Bound   []string // signs with an agreement at some of the campaign's hours
	Unbound []string // covered signs without an agreement
}

// Schedule returns an *Error of code Invalid or TooLarge if the schedule never
// opens, or if its playlist cannot be shown on a sign that it covers.
func (d *Check) Schedule(s *playlists.Schedule, now int64) error {
	where := "schedules/" + s.ID
	if err := neverOpens(where, s.Window, s.First, s.Last, s.Except); err != nil {
		return err
	}
	book := d.Rulebook
	book.Schedules = slices.DeleteFunc(slices.Clone(book.Schedules),
		func(x Dated[playlists.Schedule]) bool { return x.Thing.ID == s.ID && x.Thing.Owner == s.Owner })
	book.Schedules = append(book.Schedules, Dated[playlists.Schedule]{*s, now * 1000})
	return d.visit(NewPlanner(d.Content, book), now, func(x *playlists.Sign) bool {
		return x.Owner == s.Owner && playlists.Cover(x, s.Signs, s.Tags) != playlists.NotCovered
	}, func(v *view) error {
		if v.st.rule != "schedule:"+s.ID {
			return nil
		}
		return v.plan()
	})
}

// Playlist returns an *Error of code TooLarge or Invalid if a round of the
// playlist does not fit the loop of a sign that shows it, beside its campaigns,
// or would not fit the loop of another sign of its owner.
func (d *Check) Playlist(l *playlists.Playlist, now int64) error {
	p := NewPlanner(withPlaylist{d.Content, l}, d.Rulebook)
	mine := func(x *dated) bool {
		return x != nil && x.list.playlist.Owner == l.Owner && x.list.playlist.ID == l.ID
	}
	if err := d.visit(p, now, mayShow(l.Owner), func(v *view) error {
		if !mine(v.st.dated) {
			return nil
		}
		return v.plan()
	}); err != nil {
		return err
	}
	own := newList(l)
	all := make([]int, len(l.Items))
	for i := range all {
		all[i] = i
	}
	undated := !slices.ContainsFunc(l.Items, func(it playlists.Item) bool { return it.First != "" || it.Last != "" })
	for i := range d.Signs {
		s := &d.Signs[i]
		if s.Owner != l.Owner {
			continue
		}
		for _, it := range l.Items {
			owner, id := playlists.SplitRef(l.Owner, it.Message)
			if _, err := p.entry(lookOf(s), owner, id, "", it.DwellMS); err != nil {
				return on(s, "", err)
			}
		}
		if undated {
			if _, err := p.round(lookOf(s), own, all); err != nil {
				return on(s, "", err)
			}
		}
	}
	return nil
}

// mayShow returns a filter for the signs that can show an owner's content: all
// signs for the department, the owner's signs otherwise.
func mayShow(owner string) func(*playlists.Sign) bool {
	return func(s *playlists.Sign) bool { return owner == playlists.Public || s.Owner == owner }
}

// Message returns an *Error of code TooLarge or Invalid if a changed message no
// longer fits the loop of a sign that shows it, for example because it takes
// longer to read. For a message of the department it checks only the department's
// playlists, so that no company's playlist can block the change. A sign that then
// cannot be planned keeps its last program and reports why.
func (d *Check) Message(m *playlists.Message, now int64) error {
	p, before := NewPlanner(withMessage{d.Content, m}, d.Rulebook), NewPlanner(d.Content, d.Rulebook)
	shows := func(st *state) bool {
		if st.dated != nil && (m.Owner != playlists.Public || st.dated.list.playlist.Owner == playlists.Public) {
			for _, it := range st.dated.list.playlist.Items {
				if owner, id := playlists.SplitRef(st.dated.list.playlist.Owner, it.Message); owner == m.Owner && id == m.ID {
					return true
				}
			}
		}
		return false
	}
	return d.visit(p, now, mayShow(m.Owner), func(v *view) error {
		if !shows(&v.st) {
			return nil
		}
		err := v.plan()
		if err == nil {
			return nil
		}
		if _, old := before.loopFor(lookOf(v.sign), &interval{state: v.st}); old != nil {
			return nil // it did not fit before either
		}
		return err
	})
}

// withMessage is a Content with one message replaced.
type withMessage struct {
	Content
	message *playlists.Message
}

func (c withMessage) Message(owner, id string) (*playlists.Message, error) {
	if owner == c.message.Owner && id == c.message.ID {
		return c.message, nil
	}
	return c.Content.Message(owner, id)
}

// withPlaylist is a Content with one playlist replaced.
type withPlaylist struct {
	Content
	list *playlists.Playlist
}

func (c withPlaylist) Playlist(owner, id string) (*playlists.Playlist, error) {
	if owner == c.list.Owner && id == c.list.ID {
		return c.list, nil
	}
	return c.Content.Playlist(owner, id)
}

// Campaign returns the signs on which the campaign is binding. It returns an
// *Error of code Invalid or TooLarge if the campaign never opens, asks for more
// than other campaigns leave of an agreement, or does not fit a loop.
func (d *Check) Campaign(c *playlists.Campaign, now int64) (Binding, error) {
	var out Binding
	where := "campaigns/" + c.ID
	if err := neverOpens(where, c.Window, c.First, c.Last, c.Except); err != nil {
		return out, err
	}
	book := d.Rulebook
	book.Campaigns = append(
		slices.DeleteFunc(slices.Clone(book.Campaigns), func(x playlists.Campaign) bool { return x.ID == c.ID }), *c)
	p := NewPlanner(d.Content, book)
	bound := map[string]bool{} // by key of the rules
	err := d.visit(p, now, c.Covers, func(v *view) error {
		asked, others := int64(0), int64(0)
		for _, a := range v.r.campaigns {
			if _, on := a.hours.on(v.r.c, v.t); !on {
				continue
			}
			if a.campaign.ID == c.ID {
				asked = a.campaign.SharePercent
			} else {
				others += a.campaign.SharePercent
			}
		}
		agreed := v.r.agreed(v.t)
		if asked == 0 || agreed == 0 {
			return nil
		}
		bound[v.key] = true
		if asked+others > agreed {
			return &playlists.Error{Code: playlists.Invalid, Field: where + ".share_percent", Value: fmt.Sprint(asked),
				Key: "share-not-left", Args: []any{asked, v.sign.ID, v.when(), agreed, others, max(0, agreed-others)}}
		}
		if !v.st.dark {
			return v.plan()
		}
		return nil
	})
	if err != nil {
		return out, err
	}
	for i := range d.Signs {
		if s := &d.Signs[i]; c.Covers(s) {
			if key, err := signKey(p, s); err == nil && bound[key] {
				out.Bound = append(out.Bound, s.ID)
			} else {
				out.Unbound = append(out.Unbound, s.ID)
			}
		}
	}
	return out, nil
}

// Agreement returns an *Error of code Invalid where the agreement never holds,
// or leaves a campaign that runs or is to run less than the present one does.
// To ask whether it may be withdrawn, pass it with SharePercent 0.
func (d *Check) Agreement(a *playlists.Agreement, now int64) error {
	where := "agreements/" + a.ID
	if err := neverOpens(where, a.Window, a.First, a.Last, nil); err != nil {
		return err
	}
	book := d.Rulebook
	book.Agreements = append(
		slices.DeleteFunc(slices.Clone(book.Agreements),
			func(x playlists.Agreement) bool { return x.ID == a.ID && x.Owner == a.Owner }), *a)
	p, before := NewPlanner(d.Content, book), NewPlanner(d.Content, d.Rulebook)
	of := func(s *playlists.Sign) bool { return s.Owner == a.Owner }
	lowered := func(s *playlists.Sign, t int64) error {
		r, _, err := p.rules(s, t, t)
		if err != nil {
			return nil
		}
		old, _, err := before.rules(s, t, t)
		if err != nil {
			return nil
		}
		had, has := old.agreed(t), r.agreed(t)
		var used int64
		for _, c := range old.campaigns {
			if _, on := c.hours.on(old.c, t); !on || used >= had {
				continue
			}
			got := min(c.campaign.SharePercent, had-used)
			if used += got; used > has {
				return &playlists.Error{Code: playlists.Invalid, Field: where + ".share_percent", Value: fmt.Sprint(a.SharePercent),
					Key:  "agreement-too-low",
					Args: []any{has, s.ID, old.when(t), c.campaign.ID, got, c.campaign.Last, had}}
			}
		}
		return nil
	}
	done := map[string]bool{} // keys of signs that are equal for both planners
	for i := range d.Signs {
		s := &d.Signs[i]
		key, err := signKey(p, s)
		old, err2 := signKey(before, s)
		if !of(s) || err != nil || err2 != nil || done[key+"\n"+old] {
			continue
		}
		done[key+"\n"+old] = true
		only := Check{Signs: d.Signs[i : i+1]}
		for _, x := range [...]*Planner{p, before} { // the edges of both agreements
			if err := only.visit(x, now, of, func(v *view) error { return lowered(v.sign, v.t) }); err != nil {
				return err
			}
		}
	}
	return d.visit(p, now, of, func(v *view) error {
		if len(v.st.bounds) == 0 {
			return nil
		}
		return v.plan()
	})
}

// Sign returns an *Error if the sign's program cannot be made.
func (d *Check) Sign(s *playlists.Sign, now int64) error {
	only := Check{Content: d.Content, Rulebook: d.Rulebook, Signs: []playlists.Sign{*s}}
	return only.visit(NewPlanner(d.Content, d.Rulebook), now, func(*playlists.Sign) bool { return true }, (*view).plan)
}

// view is the state of one sign at one instant.
type view struct {
	p    *Planner
	sign *playlists.Sign
	r    *rules
	key  string
	t    int64
	st   state
	seen map[string]bool // keys of states that were planned
}

func (v *view) when() string { return v.r.when(v.t) }

func (r *rules) when(t int64) string { return time.Unix(t, 0).In(r.c.zone).Format("2006-01-02 15:04") }

// plan builds the loop of the state, once for each key.
func (v *view) plan() error {
	if v.st.dark || v.seen[v.st.key] {
		return nil
	}
	v.seen[v.st.key] = true
	_, err := v.p.loopFor(lookOf(v.sign), &interval{state: v.st})
	return on(v.sign, v.when(), err)
}

// on adds the sign and the time to an error.
func on(s *playlists.Sign, when string, err error) error {
	e, ok := err.(*playlists.Error)
	if !ok {
		return err
	}
	if when != "" {
		return e.In("on-sign-at", s.ID, when)
	}
	return e.In("on-sign", s.ID)
}

func signKey(p *Planner, s *playlists.Sign) (string, error) {
	_, key, err := p.rules(s, 0, 0)
	return key + fmt.Sprint("|", lookOf(s)), err
}

// visit calls f for every future state of the signs. It visits only one of the
// signs with the same rules and look. Between the days on which a rule begins,
// ends or is excepted, states recur weekly, so moments covers them all.
func (d *Check) visit(p *Planner, now int64, concerns func(*playlists.Sign) bool, f func(*view) error) error {
	done := map[string]bool{}
	for i := range d.Signs {
		s := &d.Signs[i]
		if !concerns(s) {
			continue
		}
		r, _, err := p.rules(s, now, never)
		if err != nil {
			return on(s, "", err)
		}
		key, err := signKey(p, s)
		if err != nil || done[key] {
			continue
		}
		done[key] = true
		v := &view{p: p, sign: s, r: r, key: key, seen: map[string]bool{}}
		for _, t := range r.moments(now) {
			v.t, v.st = t, r.at(t)
			if err := f(v); err != nil {
				return err
			}
		}
	}
	return nil
}

// moments returns instants from now on, ascending, that include every future
// state of the rules.
func (r *rules) moments(now int64) []int64 {
	today := r.c.day(now)
	edges := []playlists.Day{today}
	edge := func(d playlists.Day) {
		if d > today && d < lastDay {
			edges = append(edges, d)
		}
	}
	hours := func(h *hours) {
		edge(h.first)
		if h.last < lastDay {
			edge(h.last + 1)
		}
		for d := range h.except {
			edge(d)
			edge(d + 1)
		}
	}
	items := func(x *dated) {
		for _, t := range x.changes {
			edge(r.c.day(t))
		}
	}
	for _, s := range r.schedules {
		hours(s.hours)
		items(s.dated)
	}
	for _, b := range r.base {
		items(b.dated)
	}
	for _, c := range r.campaigns {
		hours(c.hours)
	}
	for _, a := range r.agreements {
		hours(a.hours)
	}
	slices.Sort(edges)
	out := []int64{now}
	end := now
	for _, d := range slices.Compact(edges) {
		from, until := max(end, r.c.midnight(d-1)), r.c.midnight(d+9)
		if until <= from {
			continue
		}
		if from > end {
			out = append(out, from)
		}
		out = append(out, r.changes(from, until)...)
		end = until
	}
	return out
}

// neverOpens returns an error for hours that never hold.
func neverOpens(where string, w playlists.Window, first, last string, except []string) error {
	h := newHours(w, first, last, except)
	for d, n := h.first, 0; d <= h.last && n <= 8+len(h.except); d, n = d+1, n+1 {
		if h.open(d) {
			return nil
		}
	}
	return &playlists.Error{Code: playlists.Invalid, Field: where + ".days", Value: fmt.Sprint(w.Days),
		Key: "campaign-never-open", Args: []any{h.first, h.last}}
}
