package backup

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"

	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

// Store has the parts of store.Store that Verify and Adopt need.
type Store interface {
	Objects() store.Objects
	Audit() store.Audit
	Settings() store.Settings
}

// logged returns the kinds whose writes are all in the audit log.
func logged() (kinds []playlists.KindInfo) {
	for _, k := range playlists.Kinds {
		if k.Logged {
			kinds = append(kinds, k)
		}
	}
	return kinds
}

// keyOf returns the key under which a logged object is stored. An audit entry always has an owner, but some kinds
// are stored without one.
func keyOf(kind, owner, id string) playlists.Key {
	if k := playlists.InfoOf(playlists.Kind(kind)); k != nil {
		return k.Key(owner, id)
	}
	return playlists.Key{Kind: playlists.Kind(kind), Owner: owner, ID: id}
}

// Verify checks the chain of the audit log, and compares every stored object with its last entry. So it detects an
// object that was changed directly in the database. If expect is not nil, the log must contain this entry. head is
// the last entry. The error has code Conflict if anything differs.
func Verify(ctx context.Context, s Store, expect *playlists.AuditHead) (head playlists.AuditHead, err error) {
	last := map[playlists.Key][32]byte{} // digests of the objects that exist according to the log
	found := expect == nil
	n, err := s.Audit().Verify(ctx, func(e *playlists.AuditEntry) {
		head = playlists.AuditHead{N: e.N, Digest: e.Digest}
		found = found || head == *expect
		if k := playlists.InfoOf(playlists.Kind(e.Kind)); k == nil || !k.Logged {
			return
		}
		key := keyOf(e.Kind, e.Owner, e.ID)
		if e.After == nil {
			delete(last, key)
		} else {
			last[key] = sha256.Sum256(e.After)
		}
	})
	head.N = n
	if err != nil {
		return head, err
	}
	if !found {
		return head, &playlists.Error{Code: playlists.Conflict, Field: "audit",
			Value: fmt.Sprintf("%d:%s", expect.N, expect.Digest),
			Key:   "log-head-missing"}
	}
	return head, compare(ctx, s, last)
}

// compare compares the stored objects with the last entries of the log.
func compare(ctx context.Context, s Store, last map[playlists.Key][32]byte) error {
	for _, k := range logged() {
		things, err := s.Objects().List(ctx, string(k.Kind), store.AllOwners)
		if err != nil {
			return err
		}
		for _, o := range things {
			key := playlists.Key{Kind: k.Kind, Owner: o.Owner, ID: o.ID}
			sum, exists := last[key]
			switch {
			case !exists:
				return differs(key, "there-without-entry")
			case sum != sha256.Sum256(o.Data):
				return differs(key, "differs-from-log")
			}
			delete(last, key)
		}
	}
	for key := range last {
		return differs(key, "gone-without-entry")
	}
	return nil
}

func differs(k playlists.Key, key playlists.TextKey, args ...any) error {
	where := string(k.Kind) + "s/" + k.ID
	if k.Owner != "" {
		where = "owners/" + k.Owner + "/" + where
	}
	return &playlists.Error{Code: playlists.Conflict, Field: "audit", Value: where, Key: key, Args: args}
}

// adoptedSetting is set after Adopt has run on this database.
const adoptedSetting = "audit_adopted"

// Adopt adds audit entries for default content that an earlier version wrote without them, so that Verify succeeds.
// It does so only once for a database.
func Adopt(ctx context.Context, s Store, by playlists.Actor, log *slog.Logger) error {
	if _, err := s.Settings().Get(ctx, adoptedSetting); !playlists.IsNotFound(err) {
		return err
	}
	known := map[playlists.Key]bool{}
	if _, err := s.Audit().Verify(ctx,
		func(e *playlists.AuditEntry) { known[keyOf(e.Kind, e.Owner, e.ID)] = true }); err != nil {
		log.Error("the audit log is damaged; no entries are added for default content", "err", err)
		return nil // Verify will report the entry
	}
	var all []store.Change
	for _, k := range logged() {
		things, err := s.Objects().List(ctx, string(k.Kind), store.AllOwners)
		if err != nil {
			return err
		}
		for _, o := range things {
			if known[playlists.Key{Kind: k.Kind, Owner: o.Owner, ID: o.ID}] {
				continue
			}
			of, err := ownerOf(o)
			if err != nil {
				return err
			}
			all = append(all, store.Change{Object: o, Expected: o.Version, Of: of, By: by})
		}
	}
	for some := range slices.Chunk(all, 500) { // one sync per batch
		if _, err := s.Audit().Change(ctx, some[0], some[1:]...); err != nil {
			return err
		}
	}
	return s.Settings().Set(ctx, adoptedSetting, "1")
}

// ownerOf returns the owner of an object, or else its data's field owner, or else the department.
func ownerOf(o store.Object) (string, error) {
	if o.Owner != "" {
		return o.Owner, nil
	}
	var v struct{ Owner string }
	err := json.Unmarshal(o.Data, &v)
	return cmp.Or(v.Owner, playlists.Public), err
}
