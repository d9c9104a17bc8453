package wire

import "crypto/ed25519"

// Play says how often and how long something was put out.
type Play struct {
	Item     string `json:"item"`
	Campaign string `json:"campaign,omitempty"`
	Frame    string `json:"frame"` // digest; "" when dark
	Why      string `json:"why"`
	Count    int64  `json:"count"` // times it came on: at most MS, or 1
	MS       int64  `json:"ms"`    // how long in all
}

// Played is a proof of play: what was put out from FromMS until UntilMS, signed with the sign's own key. N counts up
// within a chain. Prev is the digest of the compact JWS before, so that no record can be dropped or changed.
type Played struct {
	V       int64  `json:"v"`
	Sign    string `json:"sign"`
	Chain   string `json:"chain"` // random, new after the sign lost its disk
	N       int64  `json:"n"`     // 1, 2, …
	Prev    string `json:"prev"`  // "" at 1
	FromMS  int64  `json:"from_ms"`
	UntilMS int64  `json:"until_ms"`
	Plays   []Play `json:"plays"`
}

// MostShowings returns how often something can have come on that was on for ms milliseconds in all. The clock of a
// record counts milliseconds, so that each showing takes at least one. A showing that a power cut ended, or that gave
// way within its first millisecond, has none: it counts once.
func MostShowings(ms int64) int64 { return max(ms, 1) }

// OpenPlayed checks a proof of play against the sign's pinned key: its form, its signature and its numbers. Whether
// the record continues its chain is checked with LinkTo.
func OpenPlayed(doc []byte, sign string, pub ed25519.PublicKey) (*Played, error) {
	s, err := Split(doc, TypPlayed)
	if err != nil {
		return nil, err
	}
	if s.Kid != KeyID(pub) {
		return nil, reject(UnknownKey, "key %s is not the one pinned for %s", s.Kid, sign)
	}
	if err := s.Verify(pub); err != nil {
		return nil, err
	}
	p := &Played{}
	if err := decode(s.Payload, p); err != nil {
		return nil, reject(BadDocument, "%v", err)
	}
	if p.Sign != sign {
		return nil, reject(WrongSign, "it is of %q", p.Sign)
	}
	if p.V != 1 || p.N < 1 || len(p.Chain) > 64 || p.Chain == "" || p.UntilMS < p.FromMS ||
		(p.N == 1) != (p.Prev == "") ||
		(p.Prev != "" && !IsDigest(p.Prev)) {
		return nil, reject(BadDocument, "v %d, n %d, chain, prev or times are not of version 1", p.V, p.N)
	}
	if err := checkPlays(p.Plays, p.UntilMS-p.FromMS); err != nil {
		return nil, err
	}
	return p, nil
}

// checkPlays checks that plays fit into ms milliseconds. One face shows one thing at a time: the plays of a record
// never add up to more than its time, and nothing comes on more often than its own time allows.
func checkPlays(plays []Play, ms int64) error {
	var sum int64
	for i, x := range plays {
		if x.MS < 0 || x.Count < 0 || x.Count > MostShowings(x.MS) {
			return reject(BadDocument, "plays[%d]: %d showings in %d ms cannot be", i, x.Count, x.MS)
		}
		if sum += x.MS; sum > ms { // at every step, or the sum could overflow
			return reject(BadDocument, "plays[%d]: plays of %d ms and more in %d ms", i, sum, ms)
		}
	}
	return nil
}

// Link says how a record continues the chain that its keeper has.
type Link string

// Links of a record.
const (
	LinkNext   Link = "next"   // it follows the last record
	LinkGap    Link = "gap"    // records between the last one and this one are missing
	LinkBroken Link = "broken" // its prev is not the last record's digest
	LinkPast   Link = "past"   // its n is not above the last one's: a repeat, if the record of that n has its digest
)

// LinkTo compares a record with the last one of its chain that was kept: its n and digest, or 0 and "".
func (p *Played) LinkTo(n int64, digest string) Link {
	switch {
	case p.N <= n:
		return LinkPast
	case p.N > n+1:
		return LinkGap
	case p.Prev != digest:
		return LinkBroken
	}
	return LinkNext
}
