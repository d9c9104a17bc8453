// Package storetest is the test suite of all implementations of package store. An implementation's test calls Run.
// What is specific to one database (file modes, kill -9) is tested in its own package.
package storetest

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"

	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

// Opener opens a store. Called again after Close, it opens the same store with its data.
type Opener func() store.Store

// Run runs the suite. fresh returns an Opener of a new, empty store for the test t. Run closes the stores that it
// opens.
func Run(t *testing.T, fresh func(t *testing.T) Opener) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Opener)
	}{
		{"objects/versions", objectVersions},
		{"objects/stamps", stamps},
		{"objects/list", objectList},
		{"objects/deleted", objectDeleted},
		{"objects/used", objectUsed},
		{"objects/bad", objectBad},
		{"objects/one-winner", objectOneWinner},
		{"keys/states", keyStates},
		{"keys/add-all-or-none", keyAddAllOrNone},
		{"keys/bad", keyBad},
		{"keys/set", keySet},
		{"documents/seq", documentSeq},
		{"documents/seq-concurrent", documentSeqConcurrent},
		{"documents/issue", documentIssue},
		{"documents/issue-atomic", documentIssueAtomic},
		{"documents/epoch", documentEpoch},
		{"documents/history", documentHistory},
		{"documents/bad", documentBad},
		{"documents/many", documentMany},
		{"documents/archive", documentArchive},
		{"documents/prune", documentPrune},
		{"credentials", credentials},
		{"settings", settings},
		{"proofs", proofs},
		{"proofs/records", proofRecords},
		{"proofs/prune", proofPrune},
		{"audit", audit},
		{"audit/concurrent", auditConcurrent},
		{"sessions", sessions},
		{"health", health},
		{"topics", topics},
		{"unstorable-names", unstorableNames},
		{"cancelled", cancelled},
		{"reopened", reopened},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, fresh(t)) })
	}
	t.Run("backup", func(t *testing.T) { Backup(t, fresh(t), fresh(t)) })
}

// opened opens a store and closes it at the end of the test.
func opened(t *testing.T, open Opener) store.Store {
	t.Helper()
	s := open()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// checkCode fails the test unless err is a *playlists.Error with this code, a field and a remedy.
func checkCode(t *testing.T, what string, err error, want playlists.Code) {
	t.Helper()
	var e *playlists.Error
	if !errors.As(err, &e) || e.Code != want {
		t.Fatalf("%s: got error %v, want code %s", what, err, want)
	}
	if e.Field == "" || e.English().Title == "" || e.English().Remedy == "" {
		t.Errorf("%s: the error %q lacks a field, a title or a remedy", what, e)
	}
}

// concurrently runs do n times in parallel and returns when all calls have returned.
func concurrently(n int, do func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			do(i)
		})
	}
	close(start)
	wg.Wait()
}

func credentials(t *testing.T, open Opener) {
	ctx, c := t.Context(), opened(t, open).Credentials()
	_, err := c.Get(ctx, "qn-001")
	checkCode(t, "get of none", err, playlists.NotFound)
	checkCode(t, "remove of none", c.Remove(ctx, "qn-001"), playlists.NotFound)
	checkCode(t, "no name", c.Set(ctx, store.Credential{}), playlists.Invalid)

	b := store.Credential{Sign: "qn-002", SHA256: [32]byte{31: 2}, CreatedMS: 5}
	a := store.Credential{Sign: "qn-001", SHA256: [32]byte{0: 1, 31: 9}, CreatedMS: 7,
		Verifiers: map[string]string{"mosquitto": "$7$101$…", "nats": "$2a$…"}}
	must(t, c.Set(ctx, b))
	must(t, c.Set(ctx, store.Credential{Sign: "qn-001", CreatedMS: 6}))
	must(t, c.Set(ctx, a)) // replaces the first
	got, err := c.Get(ctx, "qn-001")
	must(t, err)
	if !reflect.DeepEqual(got, a) {
		t.Errorf("got %v, want %v", got, a)
	}
	all, err := c.List(ctx)
	must(t, err)
	if !reflect.DeepEqual(all, []store.Credential{a, b}) {
		t.Errorf("list is %v, want both, sorted by sign", all)
	}
	must(t, c.Remove(ctx, "qn-001"))
	_, err = c.Get(ctx, "qn-001")
	checkCode(t, "get after remove", err, playlists.NotFound)
}

func settings(t *testing.T, open Opener) {
	ctx, s := t.Context(), opened(t, open).Settings()
	_, err := s.Get(ctx, "time-zone")
	checkCode(t, "get of none", err, playlists.NotFound)
	checkCode(t, "no key", s.Set(ctx, "", "x"), playlists.Invalid)
	checkCode(t, "NUL", s.Set(ctx, "k", "a\x00b"), playlists.Invalid)
	must(t, s.Set(ctx, "time-zone", "UTC"))
	must(t, s.Set(ctx, "time-zone", "Asia/Ho_Chi_Minh"))
	must(t, s.Set(ctx, "note", ""))
	if v, err := s.Get(ctx, "note"); v != "" || err != nil {
		t.Errorf("an empty setting: %q, %v", v, err)
	}
	got, err := s.Get(ctx, "time-zone")
	must(t, err)
	if got != "Asia/Ho_Chi_Minh" {
		t.Errorf("got %q", got)
	}
}

// unstorableNames checks that a query for a name that cannot be stored, e.g. from a URL, returns not found and no
// other error.
func unstorableNames(t *testing.T, open Opener) {
	ctx, s := t.Context(), opened(t, open)
	for _, odd := range []string{"a\x00b", "a\xffb", strings.Repeat("x", 1<<20)} {
		_, err := s.Objects().Get(ctx, "sign", "", odd)
		checkCode(t, "object", err, playlists.NotFound)
		checkCode(t, "delete", s.Objects().Delete(ctx, "sign", "", odd, store.AnyVersion), playlists.NotFound)
		_, err = s.Audit().Change(ctx, store.Change{Object: store.Object{Kind: "sign", ID: odd},
			Remove: true, Expected: store.AnyVersion})
		checkCode(t, "audited delete", err, playlists.NotFound)
		_, err = s.Credentials().Get(ctx, odd)
		checkCode(t, "credential", err, playlists.NotFound)
		checkCode(t, "remove of a credential", s.Credentials().Remove(ctx, odd), playlists.NotFound)
		_, err = s.Settings().Get(ctx, odd)
		checkCode(t, "setting", err, playlists.NotFound)
		_, err = s.Documents().Latest(ctx, "program", odd)
		checkCode(t, "document", err, playlists.NotFound)
		used, err := s.Objects().Used(ctx, "sign", "", odd)
		must(t, err)
		list, err := s.Objects().List(ctx, "sign", odd)
		must(t, err)
		history, err := s.Documents().History(ctx, "program", odd, 0, 9)
		must(t, err)
		_, found, err := s.Sessions().Find(ctx, odd, 0)
		must(t, err)
		must(t, s.Sessions().Delete(ctx, odd))
		if used || found || len(list)+len(history) > 0 {
			t.Errorf("%.5q was found", odd)
		}
	}
}

// cancelled checks that a call with a cancelled context changes nothing.
func cancelled(t *testing.T, open Opener) {
	s := opened(t, open)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Objects().Put(ctx, object("message", "viet-ads", "a1", `{}`), store.Absent); !errors.Is(err,
		context.Canceled) {
		t.Errorf("put: got %v, want the context's error", err)
	}
	if _, err := nextSeq(ctx, s.Documents(), "program", "qn-001", 0, 5); !errors.Is(err, context.Canceled) {
		t.Errorf("seq: got %v, want the context's error", err)
	}
	// A transaction that is cancelled in the middle is rolled back, and the store accepts the next one.
	ctx, cancel = context.WithCancel(t.Context())
	_, err := s.Documents().Issue(ctx, []playlists.Draft{draft("qn-001", 5), draft("qn-002", 5)},
		func(i int, seq int64) ([]byte, error) {
			cancel()
			return []byte("signed"), nil
		})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("issue: got %v, want the context's error", err)
	}
	all, err := s.Objects().List(t.Context(), "message", store.AllOwners)
	must(t, err)
	heads, err := s.Documents().Heads(t.Context(), "program")
	must(t, err)
	seq, err := nextSeq(t.Context(), s.Documents(), "program", "qn-001", 0, 5)
	must(t, err)
	if len(all) != 0 || len(heads) != 0 || seq != 5 {
		t.Errorf("objects %v, documents %v, seq %d after cancelled writes", all, heads, seq)
	}
}

// reopened checks that all data is there after a restart, and that seqs continue to rise.
func reopened(t *testing.T, open Opener) {
	ctx := t.Context()
	s := open()
	_, err := s.Objects().Put(ctx, object("sign", "viet-ads", "qn-001", `{"id":"qn-001"}`), store.Absent)
	must(t, err)
	must(t, s.Keys().Add(ctx, key("k1", "program", 0)))
	must(t, s.Keys().PutSet(ctx, store.KeySet{Epoch: 0, Seq: 1, JWS: []byte("set"), Roots: [][]byte{make([]byte, 32)}}))
	issued, err := s.Documents().Issue(ctx, []playlists.Draft{draft("qn-001", 1000)}, sealed)
	must(t, err)
	must(t, s.Credentials().Set(ctx, store.Credential{Sign: "qn-001", SHA256: [32]byte{1}}))
	must(t, s.Settings().Set(ctx, "a", "b"))
	must(t, s.Close())

	s = opened(t, open)
	if o, err := s.Objects().Get(ctx, "sign", "viet-ads", "qn-001"); err != nil || string(o.Data) != `{"id":"qn-001"}` ||
		o.Version != 1 {
		t.Errorf("object: %v, %v", o, err)
	}
	if ks, err := s.Keys().List(ctx); err != nil || len(ks) != 1 {
		t.Errorf("keys: %v, %v", ks, err)
	}
	if set, err := s.Keys().Set(ctx); err != nil || string(set.JWS) != "set" || len(set.Roots) != 1 {
		t.Errorf("key set: %v, %v", set, err)
	}
	if d, err := s.Documents().Latest(ctx, "program", "qn-001"); err != nil || d.Head != issued[0].Head ||
		string(d.JWS) != string(issued[0].JWS) {
		t.Errorf("document: %v, %v, want %v", d, err, issued[0])
	}
	if c, err := s.Credentials().Get(ctx, "qn-001"); err != nil || c.SHA256 != [32]byte{1} {
		t.Errorf("credential: %v, %v", c, err)
	}
	if v, err := s.Settings().Get(ctx, "a"); err != nil || v != "b" {
		t.Errorf("setting: %q, %v", v, err)
	}
	if seq, err := nextSeq(ctx, s.Documents(), "program", "qn-001", 0, 1000); err != nil || seq != issued[0].Seq+1 {
		t.Errorf("seq after reopening: %d, %v, want %d", seq, err, issued[0].Seq+1)
	}
}
