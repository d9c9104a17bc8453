package storetest

import (
	"fmt"
	"testing"

	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

func proofs(t *testing.T, open Opener) {
	s := opened(t, open).Proofs()
	ctx := t.Context()
	first, other := [32]byte{1}, [32]byte{2}
	for _, x := range [][32]byte{first, other} {
		if got, err := s.Pin(ctx, "qn-001", x, 1); err != nil || got != first {
			t.Fatalf("pinned %x, %v; want the first", got[:1], err)
		}
	}
	if err := s.Unpin(ctx, "qn-001"); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Pin(ctx, "qn-001", other, 2); err != nil || got != other {
		t.Fatalf("after unpinning: %x, %v", got[:1], err)
	}

	if n, digest, err := s.End(ctx, "qn-001", "c"); n != 0 || digest != "" || err != nil {
		t.Fatalf("the end of no chain: %d %q %v", n, digest, err)
	}
	record := func(sign string, n int64) store.PlayRecord {
		return store.PlayRecord{Sign: sign, Chain: "c", N: n, Digest: fmt.Sprint("d", n), FromMS: 1000 * n, UntilMS: 1000*n + 999, JWS: []byte("jws"),
			Plays: []store.Play{{Item: "a", Frame: "f", Why: "program", Count: n, MS: 10 * n}, {Item: "b", Why: "dark", Count: 1, MS: 1}}}
	}
	for n := int64(1); n <= 3; n++ {
		if err := s.Add(ctx, record("qn-001", n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Add(ctx, record("qn-002", 1)); err != nil {
		t.Fatal(err)
	}
	code(t, "a record twice", s.Add(ctx, record("qn-001", 2)), playlists.Conflict)
	if n, digest, err := s.End(ctx, "qn-001", "c"); n != 3 || digest != "d3" || err != nil {
		t.Errorf("the end: %d %q %v", n, digest, err)
	}
	if d, err := s.Digest(ctx, "qn-001", "c", 2); d != "d2" || err != nil {
		t.Errorf("digest %q %v", d, err)
	}
	_, err := s.Digest(ctx, "qn-001", "c", 9)
	code(t, "a record that is not there", err, playlists.NotFound)
	got, err := s.Totals(ctx, "qn-001", 2000, 4000)
	if err != nil {
		t.Fatal(err)
	}
	want := []store.Play{{Item: "a", Frame: "f", Why: "program", Count: 5, MS: 50}, {Item: "b", Why: "dark", Count: 2, MS: 2}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("totals %v, want %v", got, want)
	}
}
