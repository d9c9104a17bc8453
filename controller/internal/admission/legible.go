package admission

import (
	"errors"
	"slices"

	"ledcast/playlists"
)

// readableMessage draws a message for every sign of its owner: any may show it.
// It rejects what cannot be drawn, and what cannot be read from a sign's viewing
// distance unless that is overridden.
//
// The department's may show on everybody's signs and is drawn for them all, but
// a company's viewing distance keeps nothing of the department's out: it is a
// finding of `check`, and the preview of an urgent message has it.
func (x *check) readableMessage(artist Artist, m *playlists.Message) (*playlists.Waiver, error) {
	r := x.reading(artist)
	signs := x.s.Signs()
	for i := range signs {
		s := signs[i]
		if m.Owner != playlists.Public && s.Owner != m.Owner {
			continue
		}
		if s.Owner != m.Owner {
			s.Pitch, s.Distance = 0, 0
		}
		if err := r.look(m, &s, "messages/"+m.ID, s.ID); err != nil {
			return nil, err
		}
	}
	return r.waiver, nil
}

// readableSign checks what a sign's playlists show, where the sign is new, is
// read from farther away than it was, or has another playlist or tags.
func (x *check) readableSign(s *playlists.Sign) (*playlists.Waiver, error) {
	old, ok := x.old.(*playlists.Sign)
	nearer := ok && s.Pitch >= old.Pitch && (old.Distance > 0 && s.Distance <= old.Distance || s.Distance == 0)
	if nearer && s.Playlist == old.Playlist && slices.Equal(s.Tags, old.Tags) {
		return nil, nil // it may be taken out of service, whatever is wrong with it
	}
	return x.readableOn([]playlists.Sign{*s}, x.listsOn(s), "signs/"+s.ID)
}

// readablePlaylist checks the items that a playlist gets.
func (x *check) readablePlaylist(l *playlists.Playlist) (*playlists.Waiver, error) {
	fresh := *l
	if old, ok := x.old.(*playlists.Playlist); ok {
		fresh.Items = slices.DeleteFunc(slices.Clone(l.Items), func(it playlists.Item) bool {
			return slices.ContainsFunc(old.Items, func(o playlists.Item) bool { return o.Message == it.Message })
		})
	}
	named, schedules := map[string]bool{}, []*playlists.Schedule(nil)
	for by := range x.s.UsedBy(l.Key()) {
		switch by := by.(type) {
		case *playlists.Sign:
			named[by.ID] = by.Playlist != ""
		case *playlists.Schedule:
			schedules = append(schedules, by)
		}
	}
	shows := func(s *playlists.Sign) bool {
		return named[s.ID] || slices.ContainsFunc(schedules, func(sch *playlists.Schedule) bool {
			return sch.Owner == s.Owner && sch.Covers(s)
		})
	}
	return x.readableOn(x.signs(shows), []*playlists.Playlist{&fresh}, "playlists/"+l.ID)
}

// readableSchedule checks the signs that a schedule covers for the first time.
func (x *check) readableSchedule(sch *playlists.Schedule) (*playlists.Waiver, error) {
	owner, id := playlists.SplitRef(sch.Owner, sch.Playlist)
	l, err := x.s.Playlist(owner, id)
	if err != nil {
		return nil, err
	}
	old, ok := x.old.(*playlists.Schedule)
	signs := x.signs(func(s *playlists.Sign) bool {
		before := ok && old.Playlist == sch.Playlist && old.Covers(s)
		return s.Owner == sch.Owner && sch.Covers(s) && !before
	})
	return x.readableOn(signs, []*playlists.Playlist{l}, "schedules/"+sch.ID)
}

// signs are those for which some condition holds.
func (x *check) signs(holds func(*playlists.Sign) bool) []playlists.Sign {
	var out []playlists.Sign
	for _, s := range x.s.Signs() {
		if holds(&s) {
			out = append(out, s)
		}
	}
	return out
}

// listsOn are the playlists that a sign's own field and its owner's schedules
// name.
func (x *check) listsOn(s *playlists.Sign) []*playlists.Playlist {
	var lists []*playlists.Playlist
	add := func(ref string) {
		owner, id := playlists.SplitRef(s.Owner, ref)
		if l, err := x.s.Playlist(owner, id); err == nil { // one that does not exist is rejected elsewhere
			lists = append(lists, l)
		}
	}
	if s.Playlist != "" {
		add(s.Playlist)
	}
	for _, sch := range playlists.All[*playlists.Schedule](x.s, playlists.KindSchedule) {
		if sch.Owner == s.Owner && sch.Covers(s) {
			add(sch.Playlist)
		}
	}
	return lists
}

// readableOn checks what playlists show of their signs' owners on signs. What
// was let through for a sign before needs no other waiver.
func (x *check) readableOn(signs []playlists.Sign, lists []*playlists.Playlist,
	where string) (*playlists.Waiver, error) {
	r := x.reading(x.Artist)
	for i := range signs {
		s := &signs[i]
		if s.Distance == 0 || s.Pitch == 0 {
			continue
		}
		for _, l := range lists {
			for _, it := range l.Items {
				owner, id := playlists.SplitRef(l.Owner, it.Message)
				m, err := x.s.Message(owner, id)
				if owner != s.Owner || err != nil { // a message that does not exist is rejected elsewhere
					continue
				}
				if w := x.s.Waiver(m.Key()); w != nil && slices.Contains(w.Signs, s.ID) {
					continue
				}
				if err := r.look(m, s, where, owner+"/"+id+" on "+s.ID); err != nil {
					return nil, err
				}
			}
		}
	}
	return r.waiver, nil
}

// viewingKey is equal for signs on which a message reads alike.
type viewingKey struct {
	message         playlists.Key
	class           playlists.Class
	motion          playlists.Motion
	pitch, distance float64
}

// reading checks messages on signs, once for those that are alike.
type reading struct {
	*check
	artist Artist
	seen   map[viewingKey]*playlists.Finding
	waiver *playlists.Waiver
}

func (x *check) reading(artist Artist) *reading {
	return &reading{check: x, artist: artist, seen: map[viewingKey]*playlists.Finding{}}
}

// look rejects a message that cannot be drawn on a sign, or not be read there
// unless that is overridden. value is what the error names then.
func (r *reading) look(m *playlists.Message, s *playlists.Sign, where, value string) error {
	k := viewingKey{m.Key(), s.Class, s.Motion(), s.Pitch, s.Distance}
	finding, known := r.seen[k]
	if !known {
		art, err := r.artist.Artwork(r.ctx, m, s.Class, s.Motion())
		if err != nil {
			return onClass(err, s.Class)
		}
		finding = playlists.CheckDistance(s.Class, art.CapPx, s.Pitch, s.Distance)
		r.seen[k] = finding
	}
	if finding == nil {
		return nil
	}
	if r.ch.Waive == nil {
		return &playlists.Error{Code: playlists.Invalid, Field: where, Value: value,
			Key: "unreadable", Args: []any{finding.Text, finding.Remedy, playlists.Phrase{Key: "override-in-query"}}}
	}
	if r.waiver == nil {
		r.waiver = &playlists.Waiver{Code: r.ch.Waive.Code, Reason: r.ch.Waive.Reason, Detail: finding.Text.EN}
	}
	if !slices.Contains(r.waiver.Signs, s.ID) {
		r.waiver.Signs = append(r.waiver.Signs, s.ID)
	}
	return nil
}

// onClass names the class of an error that a message cannot be drawn.
func onClass(err error, c playlists.Class) error {
	var e *playlists.Error
	if !errors.As(err, &e) {
		return err
	}
	return e.In("on-class", c)
}
