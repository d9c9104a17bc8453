package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"

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
	n, err := l.a.store.Audit().Verify(ctx, func(e *store.Entry) {
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
