package app

import (
	"context"
	"errors"
	"slices"

	"ledcast/controller/internal/api"
	"ledcast/playlists"
)

// readable draws a message for every sign of its owner: any may show it. What
// cannot be drawn is refused; what could not be read from where a sign is looked
// at is refused unless it is overridden.
//
// The department's may show on everybody's signs and is drawn for them all, but
// a company's distance holds nothing of the department's up: it is a finding of
// `check`, and the urgent message's preview has it.
func (a *App) readable(ctx context.Context, with *artist, m *playlists.Message, over *api.Override) (*playlists.Waiver, error) {
	where := "messages/" + m.ID
	if err := a.exists(ctx, kindOwner, "", m.Owner, where+".owner"); err != nil {
		return nil, err
	}
	if m.Image != nil {
		if err := a.exists(ctx, string(playlists.KindMedia), m.Owner, m.Image.Media, where+".image.media"); err != nil {
			return nil, err
		}
	}
	signs, err := a.catalogue().Signs(ctx)
	if err != nil {
		return nil, err
	}
	r := reading{a: a, ctx: ctx, with: with, over: over, seen: map[glance]*playlists.Finding{}}
	for i := range signs {
		s := signs[i]
		if m.Owner != playlists.Public && s.Owner != m.Owner {
			continue
		}
		if s.Owner != m.Owner {
			s.Pitch, s.Distance = 0, 0
		}
		if err := r.look(m, &s, where, s.ID); err != nil {
			return nil, err
		}
	}
	return r.passed, nil
}

// readableSign is readable for a sign that is new, stands farther away than it
// did, or has another playlist: of what its owner's playlists show there.
func (a *App) readableSign(ctx context.Context, s *playlists.Sign, over *api.Override) (*playlists.Waiver, error) {
	old, err := get[playlists.Sign](ctx, a.store, kindSign, "", s.ID)
	if err != nil && !missing(err) {
		return nil, err
	}
	same := old != nil && s.Pitch >= old.Pitch && (old.Distance > 0 && s.Distance <= old.Distance || s.Distance == 0)
	if same && s.Playlist == old.Playlist && slices.Equal(s.Tags, old.Tags) {
		return nil, nil // it may be taken out of service, whatever is wrong with it
	}
	lists, err := a.listsOn(ctx, s)
	if err != nil {
		return nil, err
	}
	return a.readableThere(ctx, []playlists.Sign{*s}, lists, over, "signs/"+s.ID)
}

// readablePlaylist is readable for the items that a playlist gets.
func (a *App) readablePlaylist(ctx context.Context, l *playlists.Playlist, over *api.Override) (*playlists.Waiver, error) {
	old, err := get[playlists.Playlist](ctx, a.store, kindPlaylist, l.Owner, l.ID)
	if err != nil && !missing(err) {
		return nil, err
	}
	fresh := *l
	if old != nil {
		fresh.Items = slices.DeleteFunc(slices.Clone(l.Items), func(it playlists.Item) bool {
			return slices.ContainsFunc(old.Items, func(o playlists.Item) bool { return o.Message == it.Message })
		})
	}
	signs, err := a.catalogue().Signs(ctx)
	if err != nil {
		return nil, err
	}
	schedules, err := a.schedulesOf(ctx, l.Owner)
	if err != nil {
		return nil, err
	}
	shows := func(s *playlists.Sign) bool {
		if o, p := playlists.SplitRef(s.Owner, s.Playlist); s.Playlist != "" && o == l.Owner && p == l.ID {
			return true
		}
		return s.Owner == l.Owner && slices.ContainsFunc(schedules, func(x playlists.Schedule) bool {
			o, p := playlists.SplitRef(x.Owner, x.Playlist)
			return o == l.Owner && p == l.ID && x.Covers(s)
		})
	}
	signs = slices.DeleteFunc(signs, func(s playlists.Sign) bool { return !shows(&s) })
	return a.readableThere(ctx, signs, []playlists.Playlist{fresh}, over, "playlists/"+l.ID)
}

// readableSchedule is readable for the signs that a schedule covers.
func (a *App) readableSchedule(ctx context.Context, x *playlists.Schedule, over *api.Override) (*playlists.Waiver, error) {
	old, err := get[playlists.Schedule](ctx, a.store, kindSchedule, x.Owner, x.ID)
	if err != nil && !missing(err) {
		return nil, err
	}
	owner, id := playlists.SplitRef(x.Owner, x.Playlist)
	l, err := get[playlists.Playlist](ctx, a.store, kindPlaylist, owner, id)
	if err != nil {
		return nil, err
	}
	signs, err := a.catalogue().Signs(ctx)
	if err != nil {
		return nil, err
	}
	signs = slices.DeleteFunc(signs, func(s playlists.Sign) bool {
		return s.Owner != x.Owner || !x.Covers(&s) || old != nil && old.Playlist == x.Playlist && old.Covers(&s)
	})
	return a.readableThere(ctx, signs, []playlists.Playlist{*l}, over, "schedules/"+x.ID)
}

// listsOn are the playlists that a sign's own field and its owner's schedules name.
func (a *App) listsOn(ctx context.Context, s *playlists.Sign) (lists []playlists.Playlist, err error) {
	add := func(ref string) error {
		owner, id := playlists.SplitRef(s.Owner, ref)
		l, err := get[playlists.Playlist](ctx, a.store, kindPlaylist, owner, id)
		if missing(err) {
			return nil // the door says so
		}
		if err == nil {
			lists = append(lists, *l)
		}
		return err
	}
	if s.Playlist != "" {
		if err := add(s.Playlist); err != nil {
			return nil, err
		}
	}
	schedules, err := a.schedulesOf(ctx, s.Owner)
	for i := range schedules {
		if err == nil && schedules[i].Covers(s) {
			err = add(schedules[i].Playlist)
		}
	}
	return lists, err
}

func (a *App) schedulesOf(ctx context.Context, owner string) ([]playlists.Schedule, error) {
	all, err := list[playlists.Schedule](ctx, a.store, kindSchedule)
	return slices.DeleteFunc(all, func(x playlists.Schedule) bool { return x.Owner != owner }), err
}

// readableThere looks at what playlists show of their signs' owners on signs.
// What was let through for a sign by name before needs no other name.
func (a *App) readableThere(ctx context.Context, signs []playlists.Sign, lists []playlists.Playlist, over *api.Override, where string) (*playlists.Waiver, error) {
	r := reading{a: a, ctx: ctx, with: a.artist, over: over, seen: map[glance]*playlists.Finding{}}
	for i := range signs {
		s := &signs[i]
		if s.Distance == 0 || s.Pitch == 0 {
			continue
		}
		for k := range lists {
			for _, it := range lists[k].Items {
				owner, id := playlists.SplitRef(lists[k].Owner, it.Message)
				if owner != s.Owner {
					continue
				}
				m, err := get[playlists.Message](ctx, a.store, kindMessage, owner, id)
				if missing(err) {
					continue // the door says so
				}
				if err != nil {
					return nil, err
				}
				let, err := get[playlists.Waiver](ctx, a.store, string(kindOverride), owner, kindMessage+"."+id)
				if err != nil && !missing(err) {
					return nil, err
				}
				if let != nil && slices.Contains(let.Signs, s.ID) {
					continue
				}
				if err := r.look(m, s, where, owner+"/"+id+" on "+s.ID); err != nil {
					return nil, err
				}
			}
		}
	}
	return r.passed, nil
}

// glance is what two signs have in common on which a message reads alike.
type glance struct {
	owner, message string
	class          playlists.Class
	motion         playlists.Motion
	pitch, metre   float64
}

// reading looks at messages on signs, once for those that are alike.
type reading struct {
	a      *App
	ctx    context.Context
	with   *artist
	over   *api.Override
	seen   map[glance]*playlists.Finding
	passed *playlists.Waiver
}

// look refuses what cannot be drawn, and what cannot be read unless it is
// overridden. value is what is named then.
func (r *reading) look(m *playlists.Message, s *playlists.Sign, where, value string) error {
	k := glance{m.Owner, m.ID, s.Class, s.Motion(), s.Pitch, s.Distance}
	problem, known := r.seen[k]
	if !known {
		var err error
		if problem, err = r.with.Reads(r.ctx, m, s); err != nil {
			var e *playlists.Error
			if errors.As(err, &e) {
				c := *e
				c.Problem += " (on " + s.Class.String() + ")"
				return &c
			}
			return err
		}
		r.seen[k] = problem
	}
	if problem == nil {
		return nil
	}
	if r.over == nil {
		return &playlists.Error{Code: playlists.Invalid, Field: where, Value: value, Problem: "cannot be read on this sign: " + problem.Text.EN,
			Remedy: problem.Remedy.EN + " Or let it through with ?override=distance&reason=…", Parts: []playlists.Text{problem.Text, problem.Remedy}}
	}
	if r.passed == nil {
		r.passed = &playlists.Waiver{Code: r.over.Code, Reason: r.over.Reason, Detail: problem.Text.EN}
	}
	if !slices.Contains(r.passed.Signs, s.ID) {
		r.passed.Signs = append(r.passed.Signs, s.ID)
	}
	return nil
}
