package storetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

// proofRecords checks that reading page by page returns all records with their plays, for every page size.
func proofRecords(t *testing.T, open Opener) {
	s := opened(t, open).Proofs()
	ctx := t.Context()
	add := func(sign, chain string, n, fromMS int64, plays ...playlists.Play) {
		t.Helper()
		must(t, s.Add(ctx, playlists.PlayRecord{Sign: sign, Chain: chain, N: n, Digest: "d", FromMS: fromMS,
			UntilMS: fromMS + 900, JWS: []byte("jws"), Plays: plays}))
	}
	a, b := playlists.Play{Item: "a", Campaign: "c", Frame: "f", Why: "program", Count: 2, MS: 20},
		playlists.Play{Why: "dark", MS: 5}
	for i := range int64(3) {
		add("qn-002", "x", i+1, 1000*i, b, a)
		add("qn-001", "x", i+1, 1000*i)
		add("qn-001", "a", i+1, 1000*i, a, a) // a sign that was set up again has two chains
	}
	add("qn-003", "x", 1, 3000, a)
	read := func(fromMS, untilMS int64, sign string, limit int) (text string) {
		t.Helper()
		q := store.RecordQuery{FromMS: fromMS, UntilMS: untilMS, Sign: sign, Limit: limit}
		for {
			page, err := s.Records(ctx, q)
			must(t, err)
			for _, r := range page {
				text += fmt.Sprintf("%d:%s/%s/%d:%d ", r.FromMS, r.Sign[3:], r.Chain, r.N, len(r.Plays))
				if r.UntilMS != r.FromMS+900 || r.Digest != "d" || r.JWS != nil {
					t.Errorf("record %+v", r)
				}
			}
			if len(page) > limit {
				t.Errorf("%d records on a page of %d", len(page), limit)
			}
			if len(page) < limit {
				return text
			}
			q.After = store.CursorOf(&page[len(page)-1])
		}
	}
	for limit := 1; limit < 12; limit++ {
		for _, test := range []struct {
			fromMS, untilMS int64
			sign, want      string
		}{
			{0, 1000, "", "0:001/a/1:2 0:001/x/1:0 0:002/x/1:2 "},
			{1000, 3001, "", "1000:001/a/2:2 1000:001/x/2:0 1000:002/x/2:2 " +
				"2000:001/a/3:2 2000:001/x/3:0 2000:002/x/3:2 3000:003/x/1:1 "},
			{1, 2001, "qn-001", "1000:001/a/2:2 1000:001/x/2:0 2000:001/a/3:2 2000:001/x/3:0 "},
			{0, 9000, "qn-003", "3000:003/x/1:1 "},
			{0, 9000, "qn-009", ""},
			{5000, 9000, "", ""},
		} {
			if got := read(test.fromMS, test.untilMS, test.sign, limit); got != test.want {
				t.Errorf("from %d until %d of %q, %d a page: %s, want %s", test.fromMS, test.untilMS, test.sign, limit, got,
					test.want)
			}
		}
	}
	var plays []playlists.Play
	must(t, store.EachRecord(ctx, s, 0, 9000, "qn-002", func(r *playlists.PlayRecord) error {
		plays = append(plays, r.Plays...)
		return nil
	}))
	if want := []playlists.Play{b, a, b, a, b, a}; fmt.Sprint(plays) != fmt.Sprint(want) {
		t.Errorf("plays %v, want %v", plays, want)
	}
	stop := errors.New("enough")
	if err := store.EachRecord(ctx, s, 0, 9000, "", func(*playlists.PlayRecord) error { return stop }); err != stop {
		t.Errorf("got %v, want the error of the callback", err)
	}
	_, err := s.Records(ctx, store.RecordQuery{UntilMS: 1})
	checkCode(t, "a page of none", err, playlists.Invalid)
	checkCode(t, "NUL in a play",
		s.Add(ctx, playlists.PlayRecord{Sign: "qn-009", Plays: []playlists.Play{{Item: "\x00"}}}), playlists.Invalid)
	checkCode(t, "a negative count",
		s.Add(ctx, playlists.PlayRecord{Sign: "qn-009", Plays: []playlists.Play{{Count: -1}}}), playlists.Invalid)
}

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
		t.Fatalf("the end of an empty chain: %d %q %v", n, digest, err)
	}
	record := func(sign string, n int64) playlists.PlayRecord {
		return playlists.PlayRecord{Sign: sign, Chain: "c", N: n, Digest: fmt.Sprint("d", n), FromMS: 1000 * n,
			UntilMS: 1000*n + 999, JWS: []byte("jws"),
			Plays: []playlists.Play{{Item: "a", Frame: "f", Why: "program", Count: n, MS: 10 * n},
				{Item: "b", Why: "dark", Count: 1, MS: 1}}}
	}
	for n := int64(1); n <= 3; n++ {
		if err := s.Add(ctx, record("qn-001", n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Add(ctx, record("qn-002", 1)); err != nil {
		t.Fatal(err)
	}
	checkCode(t, "a record twice", s.Add(ctx, record("qn-001", 2)), playlists.Conflict)
	if n, digest, err := s.End(ctx, "qn-001", "c"); n != 3 || digest != "d3" || err != nil {
		t.Errorf("the end: %d %q %v", n, digest, err)
	}
	if d, err := s.Digest(ctx, "qn-001", "c", 2); d != "d2" || err != nil {
		t.Errorf("digest %q %v", d, err)
	}
	_, err := s.Digest(ctx, "qn-001", "c", 9)
	checkCode(t, "a record that is not there", err, playlists.NotFound)
}

// Old records go in steps, with their plays, and the last one of a chain stays for the next to continue it.
func proofPrune(t *testing.T, open Opener) {
	s, ctx := opened(t, open).Proofs(), t.Context()
	add := func(sign, chain string, n, fromMS int64) {
		t.Helper()
		must(t, s.Add(ctx, playlists.PlayRecord{Sign: sign, Chain: chain, N: n, Digest: strings.Repeat(fmt.Sprint(n%10), 64),
			FromMS: fromMS, UntilMS: fromMS + 900, JWS: []byte("jws"),
			Plays: []playlists.Play{{Item: "a", Why: "program", Count: 1, MS: 900}}}))
	}
	for n := range int64(10) {
		add("qn-001", "c", n+1, n*1000)
	}
	add("qn-002", "d", 1, 0) // its only record
	for _, c := range []struct{ before, limit, want int64 }{{5000, 3, 3}, {5000, 3, 2}, {5000, 3, 0}, {1 << 50, 100, 4},
		{1 << 50, 100, 0}} {
		if n, err := s.Prune(ctx, c.before, int(c.limit)); err != nil || int64(n) != c.want {
			t.Errorf("prune before %d: %d, %v; want %d", c.before, n, err, c.want)
		}
	}
	for sign, chain := range map[string]string{"qn-001": "c", "qn-002": "d"} {
		left, err := s.Records(ctx, store.RecordQuery{UntilMS: 1 << 50, Sign: sign, Limit: 100})
		if err != nil || len(left) != 1 || len(left[0].Plays) != 1 {
			t.Errorf("%s: %d records are left, %v", sign, len(left), err)
		}
		if n, digest, err := s.End(ctx, sign, chain); err != nil || n == 0 || digest == "" {
			t.Errorf("%s: the chain ends at %d, %v", sign, n, err)
		}
	}
}
