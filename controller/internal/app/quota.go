package app

import (
	"context"
	"fmt"

	"ledcast/playlists"
)

// mostThings is how many things of a kind an owner may have: far more than
// anybody shows, and few enough that nobody fills what all share.
var mostThings = map[playlists.Kind]int{
	playlists.KindMessage: 5000, playlists.KindPlaylist: 1000, playlists.KindSchedule: 1000, playlists.KindAgreement: 200,
	playlists.KindMedia: 2000, playlists.KindUser: 1000, playlists.KindCampaign: 1000,
}

// mostMedia is how many bytes of pictures an owner may keep.
const mostMedia = 2 << 30

// room refuses a new thing beyond what its owner may have.
func (a *App) room(ctx context.Context, kind playlists.Kind, path, of, id string) error {
	most, limited := mostThings[kind]
	if !limited {
		return nil
	}
	things, err := a.store.Objects().List(ctx, string(kind), path)
	if err != nil || len(things) < most {
		return err
	}
	n := len(things)
	if kind == playlists.KindUser { // kept as the installation's
		n = 0
		for _, x := range things {
			o, err := ownerOf(x.Data)
			if err != nil {
				return err
			}
			if o == of {
				n++
			}
		}
	}
	if n < most {
		return nil
	}
	return &playlists.Error{Code: playlists.TooLarge, Field: string(kind), Value: id, Problem: fmt.Sprintf("would be one more than the %d that one owner may have", most), Remedy: "delete some that nothing uses"}
}

// roomForBytes refuses pictures beyond what an owner may keep.
func (a *App) roomForBytes(ctx context.Context, owner, id string, more int64) error {
	pictures, err := list[playlists.Medium](ctx, a.store, string(playlists.KindMedia))
	if err != nil {
		return err
	}
	sum := more
	for i := range pictures {
		if pictures[i].Owner == owner && pictures[i].ID != id {
			sum += pictures[i].Len
		}
	}
	if sum <= mostMedia {
		return nil
	}
	return &playlists.Error{Code: playlists.TooLarge, Field: "media/" + id, Problem: fmt.Sprintf("would make %d MiB of pictures, over the %d that one owner may keep", sum>>20, mostMedia>>20), Remedy: "delete some that nothing uses"}
}
