package app

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"

	"ledcast/controller/internal/api"
	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

// loggedKinds are the things whose every write is in the log.
var loggedKinds = []playlists.Kind{playlists.KindOwner, playlists.KindArea, playlists.KindSign, playlists.KindMessage, playlists.KindPlaylist, playlists.KindMedia,
	playlists.KindSchedule, playlists.KindCampaign, playlists.KindAgreement, playlists.KindUser, playlists.KindToken, playlists.KindAlert}

// Verify walks the log's chain, and holds what is kept against what the log says
// was written last: a thing that was changed behind the controller's back shows.
func (l auditLog) Verify(ctx context.Context, expect *api.AuditHead) (head api.AuditHead, err error) {
	type thing struct{ kind, owner, id string }
	last := map[thing][32]byte{} // of what is there, by the log
	logged := map[string]bool{}
	for _, k := range loggedKinds {
		logged[string(k)] = true
	}
	found := expect == nil
	n, err := l.a.store.Audit().Verify(ctx, func(e *playlists.AuditEntry) {
		head = api.AuditHead{N: e.N, Digest: e.Digest}
		found = found || head == *expect
		if !logged[e.Kind] {
			return
		}
		t := thing{e.Kind, e.Owner, e.ID}
		if !ofOwners(e.Kind) {
			t.owner = ""
		}
		if e.After == nil {
			delete(last, t)
		} else {
			last[t] = sha256.Sum256(e.After)
		}
	})
	head.N = n
	if err != nil {
		return head, err
	}
	differs := func(t thing, problem string) error {
		where := t.kind + "s/" + t.id
		if t.owner != "" {
			where = "owners/" + t.owner + "/" + where
		}
		return &playlists.Error{Code: playlists.Conflict, Field: "audit", Value: where, Problem: problem, Remedy: "compare the database with a backup from before the change"}
	}
	if !found {
		return head, &playlists.Error{Code: playlists.Conflict, Field: "audit", Value: fmt.Sprintf("%d:%s", expect.N, expect.Digest), Problem: "was the log's head and is not in it any more: entries were cut off, or all written anew", Remedy: "compare the database with a backup from before the change"}
	}
	for _, k := range loggedKinds {
		things, err := l.a.store.Objects().List(ctx, string(k), store.AllOwners)
		if err != nil {
			return head, err
		}
		for _, o := range things {
			t := thing{o.Kind, o.Owner, o.ID}
			sum, there := last[t]
			want := sha256.Sum256(o.Data)
			switch {
			case !there:
				return head, differs(t, "is there, and no entry of the log made it")
			case !bytes.Equal(sum[:], want[:]):
				return head, differs(t, "is not what the log says was written last")
			}
			delete(last, t)
		}
	}
	for t := range last {
		return head, differs(t, "is gone, and no entry of the log deleted it")
	}
	return head, nil
}

// ofOwners reports whether things of a kind are kept by owner, and not as the
// installation's.
func ofOwners(kind string) bool {
	switch playlists.Kind(kind) {
	case playlists.KindMessage, playlists.KindPlaylist, playlists.KindMedia, playlists.KindSchedule, playlists.KindAgreement:
		return true
	}
	return false
}

// adoptedSetting says that the log has every thing that was there before
// versions that logged the default content, too.
const adoptedSetting = "audit_adopted"

// adopt writes into the log, once for a database, what an earlier version put
// into it without: so that Verify finds an entry of it.
func (a *App) adopt(ctx context.Context) error {
	if _, err := a.store.Settings().Get(ctx, adoptedSetting); !missing(err) {
		return err
	}
	type thing struct{ kind, owner, id string }
	logged := map[thing]bool{}
	if _, err := a.store.Audit().Verify(ctx, func(e *playlists.AuditEntry) {
		t := thing{e.Kind, e.Owner, e.ID}
		if !ofOwners(e.Kind) {
			t.owner = ""
		}
		logged[t] = true
	}); err != nil {
		a.log.Error("the log is not whole, and nothing is added to it", "err", err)
		return nil // who asks for Verify is told where
	}
	var all []store.Change
	for _, k := range loggedKinds {
		things, err := a.store.Objects().List(ctx, string(k), store.AllOwners)
		if err != nil {
			return err
		}
		for _, o := range things {
			if logged[thing{o.Kind, o.Owner, o.ID}] {
				continue
			}
			of := o.Owner
			if of == "" {
				if of, err = ownerOf(o.Data); err != nil {
					return err
				}
			}
			all = append(all, store.Change{Object: o, Expected: o.Version, Of: cmp.Or(of, playlists.Public), By: actor(console, a.now())})
		}
	}
	for some := range slices.Chunk(all, 500) { // one sync for many
		if _, err := a.store.Audit().Change(ctx, some[0], some[1:]...); err != nil {
			return err
		}
	}
	return a.store.Settings().Set(ctx, adoptedSetting, "1")
}
