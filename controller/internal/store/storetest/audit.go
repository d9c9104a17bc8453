package storetest

import (
	"context"
	"fmt"
	"testing"

	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

func audit(t *testing.T, open Opener) {
	s := opened(t, open)
	ctx := t.Context()
	change := func(owner, id, data string, expected int64, remove bool) (int64, error) {
		return s.Audit().Change(ctx,
			store.Change{Object: store.Object{Kind: "message", Owner: owner, ID: id, Data: []byte(data), UpdatedMS: 1},
				Expected: expected,
				Remove:   remove, By: playlists.Actor{Who: "token:x", From: "127.0.0.1:1", AtMS: 7}})
	}
	for i, c := range []struct {
		owner, data string
		expected    int64
		remove      bool
		code        playlists.Code
	}{
		{"a-co", `{"v":1}`, store.Absent, false, ""},
		{"a-co", `{"v":2}`, 1, false, ""},
		{"a-co", `{"v":3}`, 1, false, playlists.Conflict}, // is not logged
		{"b-co", `{"v":1}`, store.AnyVersion, false, ""},
		{"a-co", "", 2, true, ""},
		{"a-co", "", store.AnyVersion, true, playlists.NotFound},
	} {
		_, err := change(c.owner, "m1", c.data, c.expected, c.remove)
		if c.code != "" {
			checkCode(t, fmt.Sprint("change ", i), err, c.code)
		} else if err != nil {
			t.Fatalf("change %d: %v", i, err)
		}
	}
	log := s.Audit()
	for _, x := range []struct {
		list  func(context.Context, string, int64, int) ([]playlists.AuditEntry, error)
		owner string
		at    int64
		limit int
		want  string
	}{
		{log.List, "a-co", 0, 100, `1 create >{"v":1}; 2 replace {"v":1}>{"v":2}; 4 delete {"v":2}>; `},
		{log.List, "a-co", 1, 1, `2 replace {"v":1}>{"v":2}; `},
		{log.Newest, "a-co", 1 << 53, 100, `4 delete {"v":2}>; 2 replace {"v":1}>{"v":2}; 1 create >{"v":1}; `},
		{log.Newest, "a-co", 4, 1, `2 replace {"v":1}>{"v":2}; `},
		{log.Newest, store.AllOwners, 1 << 53, 2, `4 delete {"v":2}>; 3 create >{"v":1}; `},
		{log.Newest, "a-co", 1, 100, ""},
	} {
		got, err := x.list(ctx, x.owner, x.at, x.limit)
		if err != nil {
			t.Fatal(err)
		}
		text := ""
		for _, e := range got {
			text += fmt.Sprintf("%d %s %s>%s; ", e.N, e.Action, e.Before, e.After)
		}
		if text != x.want {
			t.Errorf("the log of %s at %d says %s; want %s", x.owner, x.at, text, x.want)
		}
	}
	if n, err := s.Audit().Verify(ctx, nil); n != 4 || err != nil {
		t.Errorf("verify: %d entries, %v", n, err)
	}
	// Several changes are written all or none.
	two := func(first, second string, expected int64) error {
		of := func(id string, expected int64) store.Change {
			return store.Change{Object: store.Object{Kind: "message", Owner: "c-co", ID: id, Data: []byte(`{}`)},
				Expected: expected, By: playlists.Actor{Who: "token:x"}}
		}
		_, err := s.Audit().Change(ctx, of(first, store.AnyVersion), of(second, expected))
		return err
	}
	checkCode(t, "two changes of which one is overtaken", two("m1", "m2", 7), playlists.NotFound)
	if _, err := s.Objects().Get(ctx, "message", "c-co", "m1"); err == nil {
		t.Error("the first part of a refused change was written")
	}
	if err := two("m1", "m2", store.Absent); err != nil {
		t.Error(err)
	}
	if n, err := s.Audit().Verify(ctx, nil); n != 6 || err != nil {
		t.Errorf("verify: %d entries, %v", n, err)
	}
}

// auditConcurrent checks that the entries of concurrent writers make one chain without gaps.
func auditConcurrent(t *testing.T, open Opener) {
	s := opened(t, open)
	concurrently(8, func(w int) {
		for i := range 5 {
			c := store.Change{Object: store.Object{Kind: "message", Owner: "a-co", ID: fmt.Sprint("m", w, "-", i),
				Data: []byte(`{}`)}, By: playlists.Actor{Who: "x"}}
			if _, err := s.Audit().Change(t.Context(), c); err != nil {
				t.Error(err)
			}
		}
	})
	if n, err := s.Audit().Verify(t.Context(), nil); n != 40 || err != nil {
		t.Errorf("verify: %d entries, %v; want 40", n, err)
	}
}
