// Package records keeps what auth and alerts remember in a store.
package records

import (
	"context"
	"time"

	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

// Records keeps records as JSON by kind and id. A write by somebody is audited.
type Records struct {
	Store Store
	Now   func() time.Time
}

// Store is what Records needs of a store.
type Store interface {
	Objects() store.Objects
	Audit() store.Audit
}

// List returns the records of a kind by id.
func (r Records) List(ctx context.Context, kind string) (map[string][]byte, error) {
	list, err := r.Store.Objects().List(ctx, kind, store.AllOwners)
	out := make(map[string][]byte, len(list))
	for i := range list {
		out[list[i].ID] = list[i].Data
	}
	return out, err
}

// Put writes a record over whatever is there. owner says whose it is, for the
// log; by is nil for what only machines write.
func (r Records) Put(ctx context.Context, by *playlists.Principal, kind, owner, id string, data []byte) error {
	o := store.Object{Kind: kind, ID: id, Data: data, UpdatedMS: r.Now().UnixMilli()}
	if by == nil {
		_, err := r.Store.Objects().Put(ctx, o, store.AnyVersion)
		return err
	}
	_, err := r.Store.Audit().Change(ctx, store.Change{Object: o, Of: owner, Expected: store.AnyVersion,
		By: by.Actor(r.Now().UnixMilli())})
	return err
}

// Delete removes a record; NotFound where there is none.
func (r Records) Delete(ctx context.Context, by *playlists.Principal, kind, owner, id string) error {
	o := store.Object{Kind: kind, ID: id}
	if by == nil {
		return r.Store.Objects().Delete(ctx, kind, "", id, store.AnyVersion)
	}
	_, err := r.Store.Audit().Change(ctx, store.Change{Object: o, Of: owner, Remove: true,
		Expected: store.AnyVersion, By: by.Actor(r.Now().UnixMilli())})
	return err
}

// Get returns one; NotFound where there is none.
func (r Records) Get(ctx context.Context, kind, id string) ([]byte, error) {
	o, err := r.Store.Objects().Get(ctx, kind, "", id)
	return o.Data, err
}
