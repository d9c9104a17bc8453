package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"ledcast/sign/wire"
)

// The vectors of proof of play are a file of their own: they are for those who keep records, not for a sign behind
// the runner. docs/vectors/README.md says what each member means.
type (
	playedFile struct {
		About string       `json:"about"`
		Sign  string       `json:"sign"`
		Key   string       `json:"key"`
		Cases []playedCase `json:"cases"`
	}
	playedCase struct {
		Name    string         `json:"name"`
		Records []playedRecord `json:"records"`
	}
	playedRecord struct {
		Doc     string `json:"doc"`
		Verdict string `json:"verdict"`
	}
)

const playedPath = "../docs/vectors/proofs/played.json"

// playedMaker writes one case.
type playedMaker struct {
	t *testing.T
	f *playedFile
	c playedCase
	n int64
	d string // digest of the last record
}

func (m *playedMaker) record(verdict string, change ...func(p *wire.Played)) []byte {
	m.t.Helper()
	const quarter = int64(900_000)
	from := now * 1000 / quarter * quarter
	p := wire.Played{
		V:       1,
		Sign:    "qn-001",
		Chain:   "0123456789abcdef",
		N:       m.n + 1,
		Prev:    m.d,
		FromMS:  from,
		UntilMS: from + quarter,
		Plays: []wire.Play{
			{Item: "a", Campaign: "bluezone", Frame: wire.Digest([]byte("a")), Why: "program", Count: 60, MS: 480_000},
			{Item: "b", Frame: wire.Digest([]byte("b")), Why: "program", Count: 60, MS: 360_000},
			{Why: "dark", Count: 1, MS: 60_000}},
	}
	for _, f := range change {
		f(&p)
	}
	return m.sealed(playedKey, p, verdict)
}

var playedKey = keyOf(8)

func (m *playedMaker) sealed(k ed25519.PrivateKey, p wire.Played, verdict string) []byte {
	m.t.Helper()
	doc, err := wire.Seal(k, wire.TypPlayed, p)
	if err != nil {
		m.t.Fatal(err)
	}
	m.doc(doc, verdict)
	if verdict == "kept" || verdict == "gap" {
		m.n, m.d = p.N, wire.Digest(doc)
	}
	return doc
}

func (m *playedMaker) doc(doc []byte, verdict string) {
	m.c.Records = append(m.c.Records, playedRecord{string(doc), verdict})
}

func playedVectors(t *testing.T) *playedFile {
	f := &playedFile{
		About: "Proofs of play: which records of a sign with this key are kept, and why others are refused.",
		Sign:  "qn-001",
		Key:   wire.EncodeKey(pubOf(playedKey)),
	}
	put := func(name string, fill func(m *playedMaker)) {
		m := &playedMaker{t: t, f: f, c: playedCase{Name: name}}
		fill(m)
		f.Cases = append(f.Cases, m.c)
	}
	// numbers is a case of one record.
	numbers := func(name, verdict string, change func(p *wire.Played)) {
		put(name, func(m *playedMaker) { m.record(verdict, change) })
	}
	put("records in their order", func(m *playedMaker) { m.record("kept"); m.record("kept"); m.record("kept") })
	put("a record again", func(m *playedMaker) {
		one := m.record("kept")
		m.doc(one, "repeat")
		m.record("kept")
		m.doc(one, "repeat")
	})
	put("a record again with other bytes", func(m *playedMaker) {
		m.record("kept")
		m.record("altered", func(p *wire.Played) { p.N, p.Prev, p.Plays[0].Count = 1, "", 61 })
	})
	put("prev is another record's digest", func(m *playedMaker) {
		m.record("kept")
		m.record("broken", func(p *wire.Played) { p.Prev = wire.Digest([]byte("another")) })
		m.record("kept")
	})
	put("records are missing: it counts all the same", func(m *playedMaker) {
		m.record("kept")
		m.record("gap", func(p *wire.Played) { p.N, p.Prev = 5, wire.Digest([]byte("4")) })
		m.record("kept")
		m.record("altered", func(p *wire.Played) { p.N = 3 }) // too late: nobody can tell what it follows
	})
	put("a new chain after a lost disk", func(m *playedMaker) {
		m.record("kept")
		m.record("kept", func(p *wire.Played) { p.Chain, p.N, p.Prev = "fedcba9876543210", 1, "" })
	})
	numbers("the first with a prev", "bad-document", func(p *wire.Played) { p.Prev = wire.Digest([]byte("0")) })
	numbers("a later one without a prev", "bad-document", func(p *wire.Played) { p.N = 2 })
	numbers("n 0", "bad-document", func(p *wire.Played) { p.N = 0 })
	numbers("no chain", "bad-document", func(p *wire.Played) { p.Chain = "" })
	numbers("it ends before it begins", "bad-document", func(p *wire.Played) { p.Plays, p.UntilMS = nil, p.FromMS-1 })
	numbers("version 2", "bad-document", func(p *wire.Played) { p.V = 2 })
	numbers("another sign's", "wrong-sign", func(p *wire.Played) { p.Sign = "qn-002" })
	numbers("less than its time", "kept", func(p *wire.Played) { p.Plays = p.Plays[:1] })
	numbers("1 ms more than its time", "bad-document", func(p *wire.Played) { p.Plays[2].MS++ })
	numbers("a play of all its time, and another of 1 ms", "bad-document", func(p *wire.Played) {
		p.Plays = []wire.Play{
			{Item: "a", Why: "program", Count: 1, MS: 900_000},
			{Item: "b", Why: "program", Count: 1, MS: 1},
		}
	})
	numbers("less than no time", "bad-document", func(p *wire.Played) { p.Plays[2].MS = -1 })
	numbers("less than no showing", "bad-document", func(p *wire.Played) { p.Plays[2].Count = -1 })
	numbers("a showing each millisecond", "kept", func(p *wire.Played) { p.Plays[2].Count = 60_000 })
	numbers("one showing more than its milliseconds", "bad-document",
		func(p *wire.Played) { p.Plays[2].Count = 60_001 })
	numbers("2^50 showings in 1 ms", "bad-document",
		func(p *wire.Played) { p.Plays[2].Count, p.Plays[2].MS = 1<<50, 1 })
	numbers("a showing that a power cut ended, without time", "kept", func(p *wire.Played) { p.Plays[2].MS = 0 })
	numbers("two showings without time", "bad-document",
		func(p *wire.Played) { p.Plays[2].Count, p.Plays[2].MS = 2, 0 })
	numbers("begun in the record before", "kept", func(p *wire.Played) { p.Plays[2].Count = 0 })
	put("signed by a key that is not pinned", func(m *playedMaker) {
		m.sealed(strangerKey, wire.Played{V: 1, Sign: "qn-001", Chain: "c", N: 1, UntilMS: 1}, "unknown-key")
	})
	put("a changed byte", func(m *playedMaker) {
		doc := bytes.Clone(m.record("kept"))
		doc[len(doc)-3] ^= 1
		m.doc(doc, "bad-signature")
	})
	return f
}

// verdicts is what this project makes of a case.
func verdicts(t *testing.T, f *playedFile, c *playedCase) (out []string) {
	key, err := wire.DecodeKey(f.Key)
	if err != nil {
		t.Fatal(err)
	}
	type chain struct {
		end    int64
		digest map[int64]string
	}
	chains := map[string]*chain{}
	for _, r := range c.Records {
		p, err := wire.OpenPlayed([]byte(r.Doc), f.Sign, key)
		if err != nil {
			out = append(out, string(wire.ReasonOf(err)))
			continue
		}
		k, digest := chains[p.Chain], wire.Digest([]byte(r.Doc))
		if k == nil {
			k = &chain{digest: map[int64]string{}}
			chains[p.Chain] = k
		}
		verdict := map[wire.Link]string{wire.LinkNext: "kept", wire.LinkGap: "gap", wire.LinkBroken: "broken",
			wire.LinkPast: "altered"}[p.LinkTo(k.end, k.digest[k.end])]
		switch {
		case verdict == "altered" && k.digest[p.N] == digest:
			verdict = "repeat"
		case verdict == "kept", verdict == "gap":
			k.end, k.digest[p.N] = p.N, digest
		}
		out = append(out, verdict)
	}
	return out
}

func TestPlayedVectors(t *testing.T) {
	f := playedVectors(t)
	data := new(bytes.Buffer)
	e := json.NewEncoder(data)
	e.SetIndent("", " ")
	if err := e.Encode(f); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(playedPath, data.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	had, err := os.ReadFile(playedPath)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(had, data.Bytes()) {
		t.Errorf("%s is not what the tests make; run go test ./sign -run Vectors -update and read the difference",
			playedPath)
	}
	seen := map[string]int{}
	for i := range f.Cases {
		got := verdicts(t, f, &f.Cases[i])
		for k, r := range f.Cases[i].Records {
			seen[r.Verdict]++
			if got[k] != r.Verdict {
				t.Errorf("%s: record %d is %q, want %q", f.Cases[i].Name, k+1, got[k], r.Verdict)
			}
		}
	}
	for _, v := range []string{"kept", "repeat", "altered", "broken", "gap", "bad-document", "wrong-sign", "unknown-key",
		"bad-signature"} {
		if seen[v] == 0 {
			t.Errorf("no record is %s; there are %v", v, slices.Sorted(maps.Keys(seen)))
		}
	}
}

// The example in Node judges the records alike.
func nodeSignJudgesProofs(t *testing.T, dir string) {
	path, err := filepath.Abs(playedPath)
	must(t, err)
	out, err := exec.Command("node", filepath.Join(dir, "played.mjs"), path).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
