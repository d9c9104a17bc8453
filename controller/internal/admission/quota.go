package admission

import (
	"ledcast/playlists"
)

// MaxMedia is how many bytes of pictures an owner may keep.
const MaxMedia = 2 << 30

// quota rejects a new thing beyond what its owner may have, and pictures beyond
// their bytes. The limits are far above what anybody shows, and low enough that
// no owner fills what all share.
func (x *check) quota(of string) error {
	if err := x.room(of); err != nil {
		return err
	}
	m, ok := x.ch.Thing.(*playlists.Medium)
	if !ok {
		return nil
	}
	sum := m.Len
	for _, p := range playlists.All[*playlists.Medium](x.s, playlists.KindMedia) {
		if p.Owner == m.Owner && p.ID != m.ID {
			sum += p.Len
		}
	}
	if sum <= MaxMedia {
		return nil
	}
	return &playlists.Error{Code: playlists.TooLarge, Field: "media/" + m.ID,
		Key: "media-quota-reached", Args: []any{sum >> 20, MaxMedia >> 20}}
}

func (x *check) room(of string) error {
	most := playlists.InfoOf(x.ch.Key.Kind).Most
	things := x.s.Things(x.ch.Key.Kind)
	if x.old != nil || most == 0 || len(things) < most {
		return nil
	}
	n := 0
	for _, t := range things {
		if t.Thing.Of() == of {
			n++
		}
	}
	if n < most {
		return nil
	}
	return &playlists.Error{Code: playlists.TooLarge, Field: string(x.ch.Key.Kind), Value: x.ch.Key.ID,
		Key: "quota-reached", Args: []any{most}}
}
