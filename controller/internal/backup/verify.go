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

// Store is what is verified.
type Store interface {
	Objects() store.Objects
	Audit() store.Audit
	Settings() store.Settings
}

// logged are the kinds whose every write is in the log.
func logged() (kinds []playlists.KindInfo) {
	for _, k := range playlists.Kinds {
		if k.Logged {
			kinds = append(kinds, k)
		}
	}
	return kinds
}

// keyOf is where a logged thing is kept: an entry names its owner always.
func keyOf(kind, owner, id string) playlists.Key {
	if k := playlists.InfoOf(playlists.Kind(kind)); k != nil {
		return k.Key(owner, id)
	}
	return playlists.Key{Kind: playlists.Kind(kind), Owner: owner, ID: id}
}

// Verify walks the log's chain, and holds what is kept against what the log says
// was written last: a thing that was changed behind the controller's back shows.
func Verify(ctx context.Context, s Store, expect *playlists.AuditHead) (head playlists.AuditHead, err error) {
	last := map[playlists.Key][32]byte{} // of what is there, by the log
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

// compare holds what is kept against the last entries of the log.
func compare(ctx context.Context, s Store, last map[playlists.Key][32]byte) error {
	for _, k := range logged() {
		things, err := s.Objects().List(ctx, string(k.Kind), store.AllOwners)
		if err != nil {
			return err
		}
		for _, o := range things {
			key := playlists.Key{Kind: k.Kind, Owner: o.Owner, ID: o.ID}
			sum, there := last[key]
			switch {
			case !there:
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

// adoptedSetting says that the log has every thing that was there before
// versions that logged the default content, too.
const adoptedSetting = "audit_adopted"

// Adopt writes into the log, once for a database, the default content that an
// earlier version put without an entry, so that Verify finds one.
func Adopt(ctx context.Context, s Store, by playlists.Actor, log *slog.Logger) error {
	if _, err := s.Settings().Get(ctx, adoptedSetting); !playlists.IsNotFound(err) {
		return err
	}
	known := map[playlists.Key]bool{}
	if _, err := s.Audit().Verify(ctx,
		func(e *playlists.AuditEntry) { known[keyOf(e.Kind, e.Owner, e.ID)] = true }); err != nil {
		log.Error("the log is not whole, and nothing is added to it", "err", err)
		return nil // Verify says where
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
	for some := range slices.Chunk(all, 500) { // one sync for many
		if _, err := s.Audit().Change(ctx, some[0], some[1:]...); err != nil {
			return err
		}
	}
	return s.Settings().Set(ctx, adoptedSetting, "1")
}

// ownerOf is whose an object is: its own owner, else that of its owner field,
// else the department.
func ownerOf(o store.Object) (string, error) {
	if o.Owner != "" {
		return o.Owner, nil
	}
	var v struct{ Owner string }
	err := json.Unmarshal(o.Data, &v)
	return cmp.Or(v.Owner, playlists.Public), err
}
