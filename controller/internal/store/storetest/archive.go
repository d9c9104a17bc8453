package storetest

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

const day = 86400

var signer = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))

// Program returns a realistic program of a company's sign: 10 items of 1 or 2 frames, 3 loops, and 30 segments for
// the coming week. Signs of one group have the same content. The content changes every week, and the segments every
// day.
func Program(group, sign int, iat, seq int64) *timeline.Program {
	content := fmt.Sprint(group, "/", iat/(7*day))
	p := &timeline.Program{
		Header: timeline.Header{V: 1, Role: "program", Seq: seq, Iat: iat, Nbf: iat - 600, Exp: iat + 8*day},
		Sign:   fmt.Sprintf("qn-%05d", sign), Class: "128x64-rgb", Areas: []string{"quang-ngai/son-tinh"},
		CommLoss: timeline.CommLoss{AfterS: day},
	}
	for i := range 10 {
		item := timeline.Item{ID: fmt.Sprintf("message-%d", i), Owner: fmt.Sprintf("company-%d", group)}
		if i%3 == 0 {
			item.Owner, item.Campaign = "public", "bluezone"
		}
		for j := range 1 + i%2 {
			sum := sha256.Sum256(fmt.Append(nil, content, i, j))
			item.Steps = append(item.Steps, timeline.Step{Frame: int64(len(p.Frames)), MS: 8000})
			p.Frames = append(p.Frames, timeline.Frame{SHA256: hex.EncodeToString(sum[:]),
				Len: 1000 + int64(sum[0]), Type: "image/png", W: 128, H: 64, Owner: item.Owner})
		}
		p.Items = append(p.Items, item)
	}
	for i := range 3 {
		l := timeline.Loop{Anchor: iat - iat%(7*day)}
		for j := range 20 {
			l.Order = append(l.Order, int64((i*j+j)%len(p.Items)))
		}
		p.Loops = append(p.Loops, l)
	}
	for i := range int64(30) {
		p.Segments = append(p.Segments, timeline.Segment{From: iat + i*day/4, Until: iat + (i+1)*day/4,
			Loop: i % 3, Why: fmt.Sprintf("schedule:%s-%d", []string{"morning", "noon", "evening"}[i%3], group)})
	}
	for i := range int64(14) {
		p.Brightness = append(p.Brightness, timeline.Brightness{From: iat + i*day/2, Until: iat + (i+1)*day/2,
			Percent: 40 + 60*(i%2)})
	}
	return p
}

// Sealed returns a signed document as a compact JWS.
func Sealed(payload any) []byte {
	body, err := json.Marshal(payload)
	if err != nil {
		panic(err) // the types of the suite always marshal
	}
	return sealedText(body)
}

func sealedText(body []byte) []byte {
	b64 := base64.RawURLEncoding
	doc := b64.AppendEncode(nil, []byte(`{"alg":"Ed25519","kid":"0123456789abcdef","typ":"ledcast-program"}`))
	doc = b64.AppendEncode(append(doc, '.'), body)
	return b64.AppendEncode(append(doc, '.'), ed25519.Sign(signer, doc))
}

// documentArchive checks that any signed document is read back byte for byte.
func documentArchive(t *testing.T, open Opener) {
	s := opened(t, open)
	ctx, d := t.Context(), s.Documents()
	want := map[string][]byte{} // by subject and seq
	notes := map[string]string{}
	issue := func(drafts []playlists.Draft, jws func(i int, seq int64) []byte) {
		t.Helper()
		docs, err := d.Issue(ctx, drafts, func(i int, seq int64) ([]byte, error) { return jws(i, seq), nil })
		must(t, err)
		for i, x := range docs {
			at := fmt.Sprint(x.Subject, x.Seq)
			want[at], notes[at] = x.JWS, string(drafts[i].Notes)
		}
	}
	for iat := int64(1e9); iat < 1e9+9*day; iat += day {
		var drafts []playlists.Draft
		for sign := range 6 {
			x := draft(fmt.Sprintf("qn-%05d", sign), iat*1000)
			if sign%2 == 0 {
				x.Notes = fmt.Appendf(nil, `{"share": %d}`, sign%4)
			}
			drafts = append(drafts, x)
		}
		issue(drafts, func(i int, seq int64) []byte { return Sealed(Program(i%2, i, iat, seq)) })
	}
	random := rand.New(rand.NewPCG(1, 2))
	odd := [][]byte{
		[]byte("x"), []byte("a.b.c"), []byte("..."), sealedText(nil), sealedText([]byte(`{`)),
		sealedText([]byte(`{"frames":`)), sealedText([]byte("\x00\xff")),
		append(Sealed(Program(0, 0, 1e9, 1)), '\n'), bytes.Replace(Sealed(Program(0, 0, 1e9, 1)),
			[]byte("."), []byte(".\n"), 1),
		sealedText([]byte(`{"frames":` + long + `,"frames":` + long + `}`)),
		sealedText([]byte(` { "loops" : ` + long + ` , "frames":` + long + `}`)),
		sealedText([]byte(`{"items":"` + strings.Repeat(`\"`, 99) + `","a":{"frames":` + long + `}}`)),
		bytes.Repeat([]byte("A"), 256<<10),
	}
	for range 100 {
		odd = append(odd, sealedText(randomJSON(random, 0)))
	}
	var drafts []playlists.Draft
	for i := range odd {
		drafts = append(drafts, draft(fmt.Sprint("odd-", i), 1e12))
	}
	issue(drafts, func(i int, _ int64) []byte { return odd[i] })

	check := func(x playlists.Issued) {
		t.Helper()
		at := fmt.Sprint(x.Subject, x.Seq)
		if !bytes.Equal(x.JWS, want[at]) {
			t.Errorf("%s: read %.80q, want %.80q", at, x.JWS, want[at])
		}
		if string(x.Notes) != notes[at] || (x.Notes == nil) != (notes[at] == "") {
			t.Errorf("%s: read notes %q, want %q", at, x.Notes, notes[at])
		}
	}
	for i := range odd {
		x, err := d.Latest(ctx, "program", fmt.Sprint("odd-", i))
		must(t, err)
		check(x)
	}
	n := 0
	for sign := range 6 {
		docs, err := d.History(ctx, "program", fmt.Sprintf("qn-%05d", sign), 0, 2e9)
		must(t, err)
		for _, x := range docs {
			check(x)
			last := bytes.LastIndexByte(x.JWS, '.')
			sig, err := base64.RawURLEncoding.Strict().DecodeString(string(x.JWS[last+1:]))
			must(t, err)
			if !ed25519.Verify(signer.Public().(ed25519.PublicKey), x.JWS[:last], sig) {
				t.Errorf("%s: the signature is invalid", x.Subject)
			}
			n++
		}
	}
	if n != 54 {
		t.Errorf("the history has %d programs, want 54", n)
	}
}

var long = `[` + strings.Repeat(`{"sha256":"0","x":",:{}[]"},`, 20) + `0]`

// randomJSON returns an object or another value, in which the names of shared members are frequent.
func randomJSON(r *rand.Rand, depth int) []byte {
	switch n := r.IntN(6); {
	case depth == 0 || n == 0 && depth < 4:
		out := []byte("{")
		for i := range r.IntN(6) + 1 {
			if i > 0 {
				out = append(out, ',')
			}
			name := []string{"frames", "items", "loops", "segments", `a\"b`, "", "đèn"}[r.IntN(7)]
			out = fmt.Appendf(out, `%s"%s":%s`, strings.Repeat(" ", r.IntN(2)), name, randomJSON(r, depth+1))
		}
		return append(out, '}')
	case n <= 2 && depth < 4:
		out := []byte("[")
		for i := range r.IntN(30) {
			if i > 0 {
				out = append(out, ", "...)
			}
			out = append(out, randomJSON(r, depth+1)...)
		}
		return append(out, ']')
	case n == 3:
		return []byte(`"a]}\\\",:\u0000` + strings.Repeat("x", r.IntN(99)) + `"`)
	default:
		return fmt.Append(nil, r.Int64())
	}
}

// documentPrune checks that Prune removes exactly the documents that were not in force at or after the given time.
func documentPrune(t *testing.T, open Opener) {
	ctx, d := t.Context(), opened(t, open).Documents()
	issue := func(x playlists.Draft) {
		t.Helper()
		_, err := d.Issue(ctx, []playlists.Draft{x}, func(_ int, seq int64) ([]byte, error) {
			return Sealed(Program(int(x.IatMS/1000), 1, x.IatMS/1000, seq)), nil
		})
		must(t, err)
	}
	for _, s := range []int64{100, 200, 400, 350, 500, 600} { // the clock was set back after 400
		x := draft("qn-001", s*1000)
		x.Keep = s != 600
		issue(x)
	}
	issue(draft("qn-002", 50_000)) // the latest is never pruned
	issue(draft("qn-003", 50_000))
	issue(draft("qn-003", 60_000))
	history := func(subject string, from int64) (text string) {
		t.Helper()
		docs, err := d.History(ctx, "program", subject, from, 1000)
		must(t, err)
		for _, x := range docs {
			if len(x.JWS) < 4000 {
				t.Errorf("%s at %d has %d bytes", subject, x.Iat, len(x.JWS))
			}
			text += fmt.Sprint(x.Iat, " ")
		}
		return text
	}
	for _, test := range []struct {
		before  int64
		removed int
		want    string // the complete history of qn-001
	}{
		{100, 1, "100 200 400 350 500 "}, // the first of qn-003
		{200, 0, "100 200 400 350 500 "}, // 100 was in force until 200
		{201, 1, "200 400 350 500 "},
		{360, 1, "400 350 500 "},
		{450, 1, "350 500 "},
		{9000, 1, "500 "}, // 500, the last kept document, was in force until 600
		{9000, 0, "500 "},
	} {
		later := history("qn-001", test.before)
		n, err := d.Prune(ctx, test.before)
		must(t, err)
		if n != test.removed {
			t.Errorf("before %d: %d removed, want %d", test.before, n, test.removed)
		}
		if got := history("qn-001", 0); got != test.want {
			t.Errorf("before %d: the history is %s, want %s", test.before, got, test.want)
		}
		if got := history("qn-001", test.before); got != later {
			t.Errorf("the history from %d on was %s before and is %s now", test.before, later, got)
		}
	}
	for subject, want := range map[string]string{"qn-002": "50 ", "qn-003": "60 "} {
		if got := history(subject, 0); got != want {
			t.Errorf("%s has %s, want %s", subject, got, want)
		}
	}
	if x, err := d.Latest(ctx, "program", "qn-001"); err != nil || x.Iat != 600 {
		t.Errorf("latest %d, %v", x.Iat, err)
	}
}
