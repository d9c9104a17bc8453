package admission

import (
	"context"

	"ledcast/playlists"
	"ledcast/playlists/plan"
)

// shows rejects what does not fit a sign's loop, and what cannot be drawn or
// read where it is meant for. It returns what was let through all the same.
func (x *check) shows(t playlists.Thing) (*playlists.Waiver, error) {
	now := x.now.Unix()
	switch t := t.(type) {
	case *playlists.Sign:
		if err := x.plans().Sign(t, now); err != nil {
			return nil, err
		}
		return x.readableSign(t)
	case *playlists.Message:
		w, err := x.readableMessage(x.Artist, t)
		if err != nil || x.old == nil { // nothing shows a new one
			return w, err
		}
		return w, x.plans().Message(t, now)
	case *playlists.Playlist:
		if err := x.plans().Playlist(t, now); err != nil {
			return nil, err
		}
		return x.readablePlaylist(t)
	case *playlists.Schedule:
		if err := x.plans().Schedule(t, now); err != nil {
			return nil, err
		}
		return x.readableSchedule(t)
	case *playlists.Agreement:
		return nil, x.plans().Agreement(t, now)
	case *playlists.Campaign:
		_, err := x.plans().Campaign(t, now)
		return nil, err
	case *playlists.Medium:
		return nil, x.picture(t)
	}
	return nil, nil
}

// plans reports whether plans can be made of all that is set and one thing more.
func (x *check) plans() *plan.Check {
	return &plan.Check{Content: content{x.s, x.ctx, x.Artist}, Rulebook: plan.RulebookOf(x.s), Signs: x.s.Signs()}
}

// content is a snapshot and its drawings, as a planner asks for them.
type content struct {
	*playlists.Snapshot
	ctx    context.Context
	artist Artist
}

func (c content) Artwork(m *playlists.Message, class playlists.Class,
	motion playlists.Motion) (*playlists.Artwork, error) {
	return c.artist.Artwork(c.ctx, m, class, motion)
}

// picture rejects another picture that a message which shows it cannot be drawn
// with. The message's words are as far away as they were.
func (x *check) picture(m *playlists.Medium) error {
	old, ok := x.old.(*playlists.Medium)
	if !ok || old.SHA256 == m.SHA256 {
		return nil
	}
	waived := *x
	waived.ch.Waive = &Waive{}
	for by := range x.s.UsedBy(x.ch.Key) {
		if message, ok := by.(*playlists.Message); ok {
			if _, err := waived.readableMessage(x.ch.Picture, message); err != nil {
				return err
			}
		}
	}
	return nil
}
