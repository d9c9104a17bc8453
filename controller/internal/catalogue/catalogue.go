// Package catalogue reads everything that people have put as one snapshot, and
// writes changes after package admission has let them in.
//
// Things of a kind are decoded again only after a write of that kind, so that
// asking for a snapshot costs next to nothing while nobody writes.
package catalogue

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync"

	"ledcast/controller/internal/store"
	"ledcast/playlists"
	"ledcast/playlists/plan"
)

// Kinds of records beside things.
const (
	kindPending = "sign-change" // a *playlists.PendingChange, by sign
	kindWaiver  = "override"    // a *playlists.Waiver, by "KIND.ID" below the owner
)

// Reader reads things from a store. It is safe for concurrent use.
type Reader struct {
	objects store.Objects

	mu      sync.Mutex
	stamp   string
	last    *playlists.Snapshot
	stamps  map[playlists.Kind]string
	shelves map[playlists.Kind]*playlists.Shelf
}

// NewReader reads what objects holds.
func NewReader(objects store.Objects) *Reader {
	return &Reader{objects: objects, stamps: map[playlists.Kind]string{}, shelves: map[playlists.Kind]*playlists.Shelf{}}
}

// Snapshot is everything as it is now.
func (r *Reader) Snapshot(ctx context.Context) (*playlists.Snapshot, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	kinds := []string{kindPending, kindWaiver}
	for i := range playlists.Kinds {
		kinds = append(kinds, string(playlists.Kinds[i].Kind))
	}
	// What is written while this reads makes another stamp, and is read next time.
	stamp := r.objects.Stamp(kinds...)
	if r.last != nil && r.stamp == stamp {
		return r.last, nil
	}
	for i := range playlists.Kinds {
		if err := r.read(ctx, &playlists.Kinds[i]); err != nil {
			return nil, err
		}
	}
	pending, err := list[playlists.PendingChange](ctx, r.objects, kindPending)
	if err != nil {
		return nil, err
	}
	waivers, err := r.waivers(ctx)
	if err != nil {
		return nil, err
	}
	r.last, r.stamp = playlists.NewSnapshot(maps.Clone(r.shelves), pending, waivers), stamp
	return r.last, nil
}

// read decodes the things of a kind unless none was written since.
func (r *Reader) read(ctx context.Context, k *playlists.KindInfo) error {
	if k.New == nil {
		return nil
	}
	stamp := r.objects.Stamp(string(k.Kind))
	if r.shelves[k.Kind] != nil && r.stamps[k.Kind] == stamp {
		return nil
	}
	objects, err := r.objects.List(ctx, string(k.Kind), store.AllOwners)
	if err != nil {
		return err
	}
	things := make([]playlists.Kept, len(objects))
	for i, o := range objects {
		things[i] = playlists.Kept{Thing: k.New(), UpdatedMS: o.UpdatedMS}
		if err := json.Unmarshal(o.Data, things[i].Thing); err != nil {
			return fmt.Errorf("stored %s: %w", o.Path(), err)
		}
	}
	r.shelves[k.Kind], r.stamps[k.Kind] = playlists.NewShelf(things), stamp
	return nil
}

func (r *Reader) waivers(ctx context.Context) (map[playlists.Key]*playlists.Waiver, error) {
	objects, err := r.objects.List(ctx, kindWaiver, store.AllOwners)
	if err != nil {
		return nil, err
	}
	out := make(map[playlists.Key]*playlists.Waiver, len(objects))
	for _, o := range objects {
		w := &playlists.Waiver{}
		if err := json.Unmarshal(o.Data, w); err != nil {
			return nil, fmt.Errorf("stored %s: %w", o.Path(), err)
		}
		kind, id, _ := strings.Cut(o.ID, ".")
		if info := playlists.InfoOf(playlists.Kind(kind)); info != nil {
			out[info.Key(o.Owner, id)] = w
		}
	}
	return out, nil
}

func list[T any](ctx context.Context, objects store.Objects, kind string) ([]T, error) {
	rows, err := objects.List(ctx, kind, store.AllOwners)
	if err != nil {
		return nil, err
	}
	out := make([]T, len(rows))
	for i, o := range rows {
		if err := json.Unmarshal(o.Data, &out[i]); err != nil {
			return nil, fmt.Errorf("stored %s: %w", o.Path(), err)
		}
	}
	return out, nil
}

// of reads a part of the snapshot.
func of[T any](ctx context.Context, r *Reader, part func(*playlists.Snapshot) (T, error)) (T, error) {
	s, err := r.Snapshot(ctx)
	if err != nil {
		var none T
		return none, err
	}
	return part(s)
}

// Signs are all signs where they stand today. The slice may be sorted and
// filtered; what it points to is shared.
func (r *Reader) Signs(ctx context.Context) ([]playlists.Sign, error) {
	return of(ctx, r, func(s *playlists.Snapshot) ([]playlists.Sign, error) {
		return append([]playlists.Sign(nil), s.Signs()...), nil
	})
}

// Sign is one sign where it stands today; nil where there is none.
func (r *Reader) Sign(ctx context.Context, id string) (*playlists.Sign, error) {
	return of(ctx, r, func(s *playlists.Snapshot) (*playlists.Sign, error) { return s.Sign(id), nil })
}

// Owners are all owners.
func (r *Reader) Owners(ctx context.Context) ([]playlists.Owner, error) {
	return of(ctx, r, values[playlists.Owner](playlists.KindOwner))
}

// Areas are all areas.
func (r *Reader) Areas(ctx context.Context) ([]playlists.Area, error) {
	return of(ctx, r, values[playlists.Area](playlists.KindArea))
}

// values copies the things of a kind out of a snapshot.
func values[T any, P interface {
	*T
	playlists.Thing
}](kind playlists.Kind) func(*playlists.Snapshot) ([]T, error) {
	return func(s *playlists.Snapshot) ([]T, error) {
		all := playlists.All[P](s, kind)
		out := make([]T, len(all))
		for i, p := range all {
			out[i] = *p
		}
		return out, nil
	}
}

// Playlist is one of an owner's playlists; NotFound where there is none.
func (r *Reader) Playlist(ctx context.Context, owner, id string) (*playlists.Playlist, error) {
	return of(ctx, r, func(s *playlists.Snapshot) (*playlists.Playlist, error) { return s.Playlist(owner, id) })
}

// Message is one of an owner's messages; NotFound where there is none.
func (r *Reader) Message(ctx context.Context, owner, id string) (*playlists.Message, error) {
	return of(ctx, r, func(s *playlists.Snapshot) (*playlists.Message, error) { return s.Message(owner, id) })
}

// Rulebook is everything that is set about what shows.
func (r *Reader) Rulebook(ctx context.Context) (plan.Rulebook, error) {
	return of(ctx, r, func(s *playlists.Snapshot) (plan.Rulebook, error) { return plan.RulebookOf(s), nil })
}
