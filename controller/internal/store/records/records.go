// Package records stores the JSON records of packages auth and alert.
package records

import (
	"context"
	"time"

	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

// Records stores JSON records by kind and ID. Writes by a user are audited.
type Records struct {
	Store Store
	Now   func() time.Time
}

// Store has the parts of store.Store that Records needs.
type Store interface {
	Objects() store.Objects
	Audit() store.Audit
}

// List returns the records of a kind, by ID.
func (r Records) List(ctx context.Context, kind string) (map[string][]byte, error) {
	list, err := r.Store.Objects().List(ctx, kind, store.AllOwners)
	out := make(map[string][]byte, len(list))
	for i := range list {
		out[list[i].ID] = list[i].Data
	}
	return out, err
}

// Put writes a record and overwrites an earlier one. owner is the record's owner in the audit log. by is nil for a
// record that the controller writes by itself.
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

// Delete removes a record. The error is NotFound if it does not exist.
func (r Records) Delete(ctx context.Context, by *playlists.Principal, kind, owner, id string) error {
	o := store.Object{Kind: kind, ID: id}
	if by == nil {
		return r.Store.Objects().Delete(ctx, kind, "", id, store.AnyVersion)
	}
	_, err := r.Store.Audit().Change(ctx, store.Change{Object: o, Of: owner, Remove: true,
		Expected: store.AnyVersion, By: by.Actor(r.Now().UnixMilli())})
	return err
}

// Get returns a record. The error is NotFound if it does not exist.
func (r Records) Get(ctx context.Context, kind, id string) ([]byte, error) {
	o, err := r.Store.Objects().Get(ctx, kind, "", id)
	return o.Data, err
}
