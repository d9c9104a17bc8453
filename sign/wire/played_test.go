package wire

import (
	"crypto/ed25519"
	"fmt"
	"testing"
)

var signKey = seed(8)

// played is a good record of 10 s.
func played() Played {
	return Played{V: 1, Sign: "qn-001", Chain: "c", N: 2, Prev: Digest([]byte("1")), FromMS: 1000, UntilMS: 11_000,
		Plays: []Play{{Item: "a", Why: "program", Count: 2, MS: 6000}, {Item: "b", Why: "program", Count: 1, MS: 4000}}}
}

func TestOpenPlayed(t *testing.T) {
	for name, c := range map[string]struct {
		change func(p *Played)
		reason Reason
	}{
		"as it is":                           {func(*Played) {}, ""},
		"nothing was on":                     {func(p *Played) { p.Plays, p.UntilMS = nil, p.FromMS }, ""},
		"the first":                          {func(p *Played) { p.N, p.Prev = 1, "" }, ""},
		"less than its time":                 {func(p *Played) { p.Plays[1].MS = 1 }, ""},
		"1 ms each":                          {func(p *Played) { p.Plays[1].Count = 4000 }, ""},
		"ended by a power cut, without time": {func(p *Played) { p.Plays[0].Count, p.Plays[0].MS = 1, 0 }, ""},
		"begun in the record before":         {func(p *Played) { p.Plays[0].Count = 0 }, ""},

		"another sign":             {func(p *Played) { p.Sign = "qn-002" }, WrongSign},
		"another version":          {func(p *Played) { p.V = 2 }, BadDocument},
		"n 0":                      {func(p *Played) { p.N = 0 }, BadDocument},
		"no chain":                 {func(p *Played) { p.Chain = "" }, BadDocument},
		"a chain of 65 characters": {func(p *Played) { p.Chain = fmt.Sprintf("%065d", 1) }, BadDocument},
		"the first with a prev":    {func(p *Played) { p.N = 1 }, BadDocument},
		"a later one without":      {func(p *Played) { p.Prev = "" }, BadDocument},
		"a prev that is no digest": {func(p *Played) { p.Prev = "x" }, BadDocument},
		"it ends before it begins": {func(p *Played) { p.Plays, p.UntilMS = nil, p.FromMS-1 }, BadDocument},

		"plays of 1 ms more than its time": {func(p *Played) { p.Plays[1].MS++ }, BadDocument},
		"a play longer than its time": {func(p *Played) { p.Plays = []Play{{Why: "dark", Count: 1, MS: 10_001}} },
			BadDocument},
		"less than no time":         {func(p *Played) { p.Plays[1].MS = -1 }, BadDocument},
		"less than no showing":      {func(p *Played) { p.Plays[1].Count = -1 }, BadDocument},
		"one showing more than ms":  {func(p *Played) { p.Plays[1].Count = 4001 }, BadDocument},
		"two showings without time": {func(p *Played) { p.Plays[1].Count, p.Plays[1].MS = 2, 0 }, BadDocument},
		"2^50 showings in 1 ms":     {func(p *Played) { p.Plays[1].Count, p.Plays[1].MS = 1<<50, 1 }, BadDocument},
	} {
		p := played()
		c.change(&p)
		got, err := OpenPlayed(seal(t, signKey, TypPlayed, p), "qn-001", pub(signKey))
		if ReasonOf(err) != c.reason {
			t.Errorf("%s: %v, want %q", name, err, c.reason)
		}
		if (got == nil) != (err != nil) {
			t.Errorf("%s: %v and %v", name, got, err)
		}
	}
	doc := seal(t, signKey, TypPlayed, played())
	altered := []byte(string(doc))
	altered[len(altered)-3] ^= 1
	for name, c := range map[string]struct {
		doc    []byte
		key    ed25519.PrivateKey
		reason Reason
	}{
		"another key":   {doc, seed(9), UnknownKey},
		"altered":       {altered, signKey, BadSignature},
		"another typ":   {seal(t, signKey, TypRequest, played()), signKey, BadHeader},
		"over 64 KiB":   {make([]byte, MaxPlayed+1), signKey, TooLarge},
		"not a payload": {seal(t, signKey, TypPlayed, map[string]any{"v": 1}), signKey, BadDocument},
	} {
		if _, err := OpenPlayed(c.doc, "qn-001", pub(c.key)); ReasonOf(err) != c.reason {
			t.Errorf("%s: %v, want %q", name, err, c.reason)
		}
	}
}

// 1,025 times 2^53 - 1 is a little above 2^63: a sum that is only looked at in the end would be negative.
func TestASumThatOverflows(t *testing.T) {
	plays := make([]Play, 1025)
	for i := range plays {
		plays[i].MS = maxInt
	}
	if err := checkPlays(plays, maxInt); ReasonOf(err) != BadDocument {
		t.Errorf("accepted: %v", err)
	}
}

func TestLinkTo(t *testing.T) {
	one, two := Digest([]byte("1")), Digest([]byte("2"))
	for _, c := range []struct {
		n      int64
		prev   string
		end    int64
		digest string
		want   Link
	}{
		{1, "", 0, "", LinkNext},
		{2, one, 1, one, LinkNext},
		{2, two, 1, one, LinkBroken},
		{3, two, 1, one, LinkGap},
		{2, one, 0, "", LinkGap},
		{1, "", 1, one, LinkPast},
		{1, "", 2, two, LinkPast},
	} {
		p := Played{N: c.n, Prev: c.prev}
		if got := p.LinkTo(c.end, c.digest); got != c.want {
			t.Errorf("n %d after %d: %s, want %s", c.n, c.end, got, c.want)
		}
	}
}
