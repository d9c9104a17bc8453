package wire

import (
	"crypto/ed25519"
	"fmt"
)

// SeqOf is the place of an accepted document.
type SeqOf struct {
	Epoch int64 `json:"epoch"`
	Seq   int64 `json:"seq"`
}

// Showing is what is on the face, as a status says it.
type Showing struct {
	Item  string `json:"item"`
	Frame string `json:"frame"` // digest; "" when dark
	Why   string `json:"why"`
}

// PublicKey is a sign's own key.
type PublicKey struct {
	Kid string `json:"kid"`
	X   string `json:"x"`
}

// Limits are lower limits that a sign declares; 0 means the protocol's.
type Limits struct {
	Frames     int64 `json:"frames,omitempty"`
	FrameBytes int64 `json:"frame_bytes,omitempty"`
	Document   int64 `json:"document,omitempty"`
}

// Cache says how much of the sign's frame cache is used.
type Cache struct {
	Frames int64 `json:"frames"`
	Bytes  int64 `json:"bytes"`
}

// States of a status.
const (
	Online  = "online"
	Offline = "offline"
)

// Status is what a sign says of itself; also its will, with state "offline".
type Status struct {
	V        int64      `json:"v"`
	State    string     `json:"state"`
	Session  string     `json:"session"` // random, one a connection; wills of other sessions are ignored
	AtMS     int64      `json:"at_ms"`
	Software string     `json:"software,omitempty"`
	Class    string     `json:"class,omitempty"`
	Keys     *SeqOf     `json:"keys,omitempty"`
	Program  *SeqOf     `json:"program,omitempty"`
	Alerts   *SeqOf     `json:"alerts,omitempty"`
	Showing  *Showing   `json:"showing,omitempty"`
	Clock    string     `json:"clock,omitempty"` // "trusted" or "untrusted"
	Key      *PublicKey `json:"key,omitempty"`
	Limits   *Limits    `json:"limits,omitempty"`
	Cache    *Cache     `json:"cache,omitempty"`
	UptimeS  int64      `json:"uptime_s,omitempty"`
	Faults   []string   `json:"faults,omitempty"`
}

// AckState is how far a document, or an alert of it, has come on a sign.
type AckState string

// States of an ack.
const (
	AckReceived AckState = "received"
	AckShowing  AckState = "showing" // its first pixel is on the output
	AckEnded    AckState = "ended"
	AckRejected AckState = "rejected"
)

// Ack says what became of a program, an alert set, or one alert of it.
type Ack struct {
	V      int64    `json:"v"`
	AtMS   int64    `json:"at_ms"`
	Role   string   `json:"role"`
	Epoch  int64    `json:"epoch"`
	Seq    int64    `json:"seq"`
	Alert  string   `json:"alert,omitempty"`
	State  AckState `json:"state"`
	Reason Reason   `json:"reason,omitempty"`
	Frame  string   `json:"frame,omitempty"`
}

// ParseStatus reads a status of at most MaxStatus bytes. Its errors say what
// is wrong with it; the bytes are a stranger's.
func ParseStatus(data []byte) (*Status, error) {
	s := &Status{}
	if err := parse(data, MaxStatus, s); err != nil {
		return nil, fmt.Errorf("status: %w", err)
	}
	if s.V != 1 || (s.State != Online && s.State != Offline) || len(s.Session) > 64 {
		return nil, fmt.Errorf("status: v %d, state %q or its session is not of version 1", s.V, s.State)
	}
	return s, nil
}

// ParseAck reads an ack of at most MaxAck bytes.
func ParseAck(data []byte) (*Ack, error) {
	a := &Ack{}
	if err := parse(data, MaxAck, a); err != nil {
		return nil, fmt.Errorf("ack: %w", err)
	}
	if a.V != 1 {
		return nil, fmt.Errorf("ack: v is %d; this is version 1", a.V)
	}
	return a, nil
}

func parse(data []byte, most int, v any) error {
	if len(data) > most {
		return fmt.Errorf("%d bytes, over the limit of %d", len(data), most)
	}
	return decode(data, v)
}

// Play is how often and how long something was put out.
type Play struct {
	Item     string `json:"item"`
	Campaign string `json:"campaign,omitempty"`
	Frame    string `json:"frame"` // digest; "" when dark
	Why      string `json:"why"`
	Count    int64  `json:"count"` // times it came on
	MS       int64  `json:"ms"`    // how long in all
}

// Played is a proof of play: what was put out from FromMS until UntilMS,
// signed with the sign's own key. N counts up within a chain; Prev is the
// digest of the compact JWS before, so that none can be dropped or changed.
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

// MaxPlays bounds a record, so that it stays within MaxPlayed.
const MaxPlays = 200

// OpenPlayed checks a proof of play against the sign's pinned key: its form,
// signature and numbers. Whether it continues its chain is for who keeps it.
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
	if p.V != 1 || p.N < 1 || len(p.Chain) > 64 || p.Chain == "" || p.UntilMS < p.FromMS || (p.N == 1) != (p.Prev == "") ||
		(p.Prev != "" && !IsDigest(p.Prev)) {
		return nil, reject(BadDocument, "v %d, n %d, chain, prev or times are not of version 1", p.V, p.N)
	}
	var ms int64
	for i, x := range p.Plays {
		if x.Count < 0 || x.MS < 0 || x.MS > p.UntilMS-p.FromMS {
			return nil, reject(BadDocument, "plays[%d]: count %d or %d ms cannot be", i, x.Count, x.MS)
		}
		ms += x.MS
	}
	if ms > p.UntilMS-p.FromMS {
		return nil, reject(BadDocument, "plays of %d ms in %d ms", ms, p.UntilMS-p.FromMS)
	}
	return p, nil
}
