package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

const week = 7 * 86400

func draft(sign string, iatMS int64) playlists.Draft {
	return playlists.Draft{Role: "program", Subject: sign, IatMS: iatMS, Exp: iatMS/1000 + week,
		Digest: fmt.Sprintf("plan-%d", iatMS), Keep: true}
}

func sealed(i int, seq int64) ([]byte, error) { return fmt.Appendf(nil, "signed %d", seq), nil }

// nextSeq allocates one seq.
func nextSeq(ctx context.Context, d store.Documents, role, subject string, epoch, iatMS int64) (int64, error) {
	seqs, err := d.NextSeqs(ctx, role, []string{subject}, epoch, iatMS)
	if err != nil {
		return 0, err
	}
	return seqs[0], nil
}

func documentSeq(t *testing.T, open Opener) {
	ctx, d := t.Context(), opened(t, open).Documents()
	for i, step := range []struct {
		role, subject      string
		epoch, iatMS, want int64
	}{
		{"program", "qn-001", 0, 0, 1}, // at least 1, even if the clock is 0
		{"program", "qn-001", 0, 0, 2},
		{"program", "qn-001", 0, 1000, 1000}, // the clock is ahead
		{"program", "qn-001", 0, 1000, 1001}, // twice in a millisecond
		{"program", "qn-001", 0, 500, 1002},  // the clock went back
		{"program", "qn-001", 0, 1002, 1003},
		{"program", "qn-002", 0, 0, 1},       // each subject,
		{"alerts", "qn-001", 0, 7, 7},        // role
		{"program", "qn-001", 1, 0, 1},       // and epoch has its own sequence
		{"program", "qn-001", 0, 1003, 1004}, // and does not affect the others
		{"program", "qn-001", 0, 1769000000000, 1769000000000},
	} {
		got, err := nextSeq(ctx, d, step.role, step.subject, step.epoch, step.iatMS)
		must(t, err)
		if got != step.want {
			t.Errorf("step %d: seq %d, want %d", i, got, step.want)
		}
	}
	got, err := d.NextSeqs(ctx, "program", []string{"qn-001", "qn-009", "qn-001"}, 0, 1769000000000)
	must(t, err)
	if len(got) != 3 || got[0] != 1769000000001 || got[1] != 1769000000000 || got[2] != 1769000000002 {
		t.Errorf("batch got %v", got)
	}
	none, err := d.NextSeqs(ctx, "program", nil, 0, 0)
	if err != nil || len(none) != 0 {
		t.Errorf("empty batch: %v, %v", none, err)
	}
	// The largest number of the wire can be used. The next one is rejected.
	top := int64(store.MaxInteger)
	if got, err := nextSeq(ctx, d, "program", "qn-010", 0, top); err != nil || got != top {
		t.Errorf("seq %d, %v, want %d", got, err, top)
	}
	_, err = nextSeq(ctx, d, "program", "qn-010", 0, top)
	checkCode(t, "beyond 2^53-1", err, playlists.Conflict)
}

// documentSeqConcurrent checks that concurrent callers never get the same seq.
func documentSeqConcurrent(t *testing.T, open Opener) {
	ctx, d := t.Context(), opened(t, open).Documents()
	var mu sync.Mutex
	seen := map[int64]int{}
	concurrently(8, func(int) {
		for i := range 10 {
			var got []int64
			var err error
			if i%2 == 0 {
				got, err = d.NextSeqs(ctx, "program", []string{"qn-001", "qn-001"}, 0, 100)
			} else {
				got = make([]int64, 1)
				got[0], err = nextSeq(ctx, d, "program", "qn-001", 0, 100)
			}
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			for _, seq := range got {
				seen[seq]++
			}
			mu.Unlock()
		}
	})
	for seq, n := range seen {
		if n != 1 {
			t.Errorf("seq %d was allocated %d times", seq, n)
		}
	}
	if len(seen) != 120 {
		t.Errorf("%d seqs, want 120", len(seen))
	}
}

func documentIssue(t *testing.T, open Opener) {
	ctx, d := t.Context(), opened(t, open).Documents()
	_, err := d.Latest(ctx, "program", "qn-001")
	checkCode(t, "latest of none", err, playlists.NotFound)

	first := draft("qn-002", 1767200400999)
	docs, err := d.Issue(ctx, []playlists.Draft{first, draft("qn-001", 5000)}, func(i int, seq int64) ([]byte, error) {
		return fmt.Appendf(nil, "%d signed %d", i, seq), nil
	})
	must(t, err)
	want := playlists.Head{Role: "program", Subject: "qn-002", Seq: 1767200400999, Iat: 1767200400, Exp: first.Exp,
		Digest: "plan-1767200400999"}
	if len(docs) != 2 || docs[0].Head != want || string(docs[0].JWS) != "0 signed 1767200400999" ||
		string(docs[1].JWS) != "1 signed 5000" {
		t.Fatalf("issued %+v", docs)
	}
	got, err := d.Latest(ctx, "program", "qn-002")
	must(t, err)
	if got.Head != want || string(got.JWS) != string(docs[0].JWS) {
		t.Errorf("latest is %+v, want %+v", got, docs[0])
	}
	// NextSeqs and Issue use the same sequence. If a batch has two drafts for a sign, the second is the latest.
	if seq, err := nextSeq(ctx, d, "program", "qn-001", 0, 5000); err != nil || seq != 5001 {
		t.Fatalf("seq %d, %v", seq, err)
	}
	docs, err = d.Issue(ctx, []playlists.Draft{draft("qn-001", 5000), draft("qn-001", 5000)}, sealed)
	must(t, err)
	if docs[0].Seq != 5002 || docs[1].Seq != 5003 {
		t.Errorf("seqs %d and %d, want 5002 and 5003", docs[0].Seq, docs[1].Seq)
	}
	other := draft("aa-001", 1)
	other.Role = "alerts"
	_, err = d.Issue(ctx, []playlists.Draft{other}, sealed)
	must(t, err)
	heads, err := d.Heads(ctx, "program")
	must(t, err)
	if len(heads) != 2 || heads[0] != docs[1].Head || heads[1] != want {
		t.Errorf("heads are %+v", heads)
	}
	if none, err := d.Issue(ctx, nil, sealed); err != nil || len(none) != 0 {
		t.Errorf("issue of nothing: %v, %v", none, err)
	}
}

// documentIssueAtomic checks that an error of the signer rolls back the whole batch.
func documentIssueAtomic(t *testing.T, open Opener) {
	ctx, d := t.Context(), opened(t, open).Documents()
	broken := errors.New("no key")
	for _, answer := range []func() ([]byte, error){
		func() ([]byte, error) { return nil, broken },
		func() ([]byte, error) { return nil, nil }, // an empty document is an error
	} {
		_, err := d.Issue(ctx, []playlists.Draft{draft("qn-001", 1000), draft("qn-002", 1000)},
			func(i int, seq int64) ([]byte, error) {
				if i == 1 {
					return answer()
				}
				return []byte("signed"), nil
			})
		if err == nil || !strings.Contains(err.Error(), "qn-002") {
			t.Fatalf("got error %v, want one that names qn-002", err)
		}
		if _, fails := answer(); fails != nil && !errors.Is(err, broken) {
			t.Errorf("%v does not wrap the signer's error", err)
		}
	}
	_, err := d.Latest(ctx, "program", "qn-001")
	checkCode(t, "the first of a failed batch", err, playlists.NotFound)
	seq, err := nextSeq(ctx, d, "program", "qn-001", 0, 1000)
	must(t, err)
	if seq != 1000 {
		t.Errorf("a failed batch took seq: the next is %d, want 1000", seq)
	}
}

func documentEpoch(t *testing.T, open Opener) {
	ctx, d := t.Context(), opened(t, open).Documents()
	old, next := draft("qn-001", 9000), draft("qn-001", 1000)
	next.Epoch = 1
	_, err := d.Issue(ctx, []playlists.Draft{old}, sealed)
	must(t, err)
	_, err = d.Issue(ctx, []playlists.Draft{next}, sealed) // a higher epoch is later, even with a lower seq
	must(t, err)
	_, err = d.Issue(ctx, []playlists.Draft{old}, sealed)
	checkCode(t, "an older epoch", err, playlists.Conflict)
	got, err := d.Latest(ctx, "program", "qn-001")
	must(t, err)
	if got.Epoch != 1 || got.Seq != 1000 {
		t.Errorf("latest is epoch %d seq %d, want 1 and 1000", got.Epoch, got.Seq)
	}
}

func documentHistory(t *testing.T, open Opener) {
	ctx, d := t.Context(), opened(t, open).Documents()
	at := func(s int64) playlists.Draft { return draft("qn-001", s*1000) }
	unkept := at(300)
	unkept.Keep = false
	last := at(600)
	last.Keep = false
	back := at(350) // the clock was set back: issued after 400
	for _, x := range []playlists.Draft{at(100), at(200), unkept, at(400), back, at(500), last, draft("qn-002", 200_000)} {
		_, err := d.Issue(ctx, []playlists.Draft{x}, sealed)
		must(t, err)
	}
	for _, test := range []struct {
		from, until int64
		want        string
	}{
		{0, 1000, "100 200 400 350 500"},
		{100, 201, "100 200"},
		{150, 200, "100"},
		{150, 201, "100 200"},
		{250, 360, "200 350"},
		{360, 450, "400 350"}, // in the order of issue
		{450, 500, "350"},     // 350 has replaced 400
		{700, 800, "500"},
		{0, 100, ""},
		{500, 500, "350"},
	} {
		docs, err := d.History(ctx, "program", "qn-001", test.from, test.until)
		must(t, err)
		var got []string
		for _, x := range docs {
			got = append(got, fmt.Sprint(x.Iat))
			if len(x.JWS) == 0 || x.Subject != "qn-001" {
				t.Errorf("the history has %+v", x)
			}
		}
		if s := strings.Join(got, " "); s != test.want {
			t.Errorf("from %d until %d: %s, want %s", test.from, test.until, s, test.want)
		}
	}
	// A document that is not kept is the latest until it is replaced.
	got, err := d.Latest(ctx, "program", "qn-001")
	must(t, err)
	if got.Iat != 600 {
		t.Errorf("latest was issued at %d, want 600", got.Iat)
	}
}

func documentBad(t *testing.T, open Opener) {
	ctx, d := t.Context(), opened(t, open).Documents()
	for name, change := range map[string]func(*playlists.Draft){
		"no role":         func(d *playlists.Draft) { d.Role = "" },
		"no subject":      func(d *playlists.Draft) { d.Subject = "" },
		"negative epoch":  func(d *playlists.Draft) { d.Epoch = -1 },
		"negative time":   func(d *playlists.Draft) { d.IatMS = -1 },
		"time over 2^53":  func(d *playlists.Draft) { d.IatMS = store.MaxInteger + 1 },
		"dead at birth":   func(d *playlists.Draft) { d.Exp = d.IatMS / 1000 },
		"exp in ms":       func(d *playlists.Draft) { d.Exp = store.MaxInteger + 1 },
		"digest with NUL": func(d *playlists.Draft) { d.Digest = "\x00" },
		"no JSON":         func(d *playlists.Draft) { d.Notes = []byte("{") },
	} {
		x := draft("qn-001", 1000)
		change(&x)
		_, err := d.Issue(ctx, []playlists.Draft{draft("qn-002", 1), x}, sealed)
		checkCode(t, name, err, playlists.Invalid)
	}
	_, err := d.NextSeqs(ctx, "program", []string{"qn-002", ""}, 0, 0)
	checkCode(t, "no subject in a batch", err, playlists.Invalid)
	_, err = nextSeq(ctx, d, "", "qn-001", 0, 0)
	checkCode(t, "no role", err, playlists.Invalid)
	if _, err := d.Latest(ctx, "program", "qn-002"); err == nil {
		t.Error("a refused batch stored its first document")
	}
}

// documentMany checks that a long batch gives the same result as many short ones, even if subjects repeat and roles
// are mixed.
func documentMany(t *testing.T, open Opener) {
	ctx, d := t.Context(), opened(t, open).Documents()
	for round := range int64(2) {
		var drafts []playlists.Draft
		for i := range 500 {
			x := draft(fmt.Sprint("qn-", i*i%(90+i)), 1000+round)
			if i%3 == 0 {
				x.Role, x.Keep = "alerts", false
			}
			drafts = append(drafts, x)
		}
		calls := 0
		docs, err := d.Issue(ctx, drafts, func(i int, seq int64) ([]byte, error) {
			if calls++; calls != i+1 {
				t.Fatalf("draft %d is signed in position %d", i, calls)
			}
			return fmt.Appendf(nil, "%d %d", i, seq), nil
		})
		must(t, err)
		last := map[string]playlists.Issued{}
		for i, x := range docs {
			name := x.Role + "/" + x.Subject
			if before, any := last[name]; any && x.Seq != before.Seq+1 {
				t.Fatalf("draft %d: seq %d after %d", i, x.Seq, before.Seq)
			}
			if x.Role != drafts[i].Role || x.Subject != drafts[i].Subject || string(x.JWS) != fmt.Sprint(i, " ", x.Seq) {
				t.Fatalf("draft %d was issued as %+v", i, x)
			}
			last[name] = x
		}
		for _, want := range last {
			got, err := d.Latest(ctx, want.Role, want.Subject)
			must(t, err)
			if got.Head != want.Head || string(got.JWS) != string(want.JWS) {
				t.Fatalf("latest %+v, want %+v", got, want)
			}
		}
	}
	names := make([]string, 500)
	for i := range names {
		names[i] = fmt.Sprint("rq-", i%77)
	}
	seqs, err := d.NextSeqs(ctx, "request", names, 0, 5)
	must(t, err)
	for i, seq := range seqs {
		if want := int64(5 + i/77); seq != want {
			t.Fatalf("seq %d is %d, want %d", i, seq, want)
		}
	}
}
