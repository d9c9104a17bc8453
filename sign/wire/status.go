package wire

import (
	"fmt"
)

// SeqOf is the place of an accepted document.
type SeqOf struct {
	Epoch int64 `json:"epoch"`
	Seq   int64 `json:"seq"`
}

// Showing is what is on the face.
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

// Cache is how much of the sign's frame cache is used.
type Cache struct {
	Frames int64 `json:"frames"`
	Bytes  int64 `json:"bytes"`
}

// States of a status.
const (
	Online  = "online"
	Offline = "offline"
)

// Status is what a sign reports about itself. Its will is a Status with state "offline".
type Status struct {
	V       int64  `json:"v"`
	State   string `json:"state"`
	Session string `json:"session"` // random, one a connection; wills of other sessions are ignored
	AtMS    int64  `json:"at_ms"`
	// Challenge asks for the time: 16 random bytes in base64url, used once. The answer brings them back.
	Challenge string     `json:"challenge,omitempty"`
	Software  string     `json:"software,omitempty"`
	Class     string     `json:"class,omitempty"`
	Keys      *SeqOf     `json:"keys,omitempty"`
	Program   *SeqOf     `json:"program,omitempty"`
	Alerts    *SeqOf     `json:"alerts,omitempty"`
	Showing   *Showing   `json:"showing,omitempty"`
	Clock     string     `json:"clock,omitempty"` // "trusted" or "untrusted"
	Key       *PublicKey `json:"key,omitempty"`
	Limits    *Limits    `json:"limits,omitempty"`
	Cache     *Cache     `json:"cache,omitempty"`
	UptimeS   int64      `json:"uptime_s,omitempty"`
	Faults    []string   `json:"faults,omitempty"`
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

// Ack reports what became of a program, of an alert set, or of one alert of it.
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

// ParseStatus reads a status of at most MaxStatus bytes. The bytes may be anything: its error says what is wrong.
func ParseStatus(data []byte) (*Status, error) {
	s := &Status{}
	if err := parse(data, MaxStatus, s); err != nil {
		return nil, fmt.Errorf("status: %w", err)
	}
	if s.V != 1 || (s.State != Online && s.State != Offline) || len(s.Session) > 64 || len(s.Challenge) > 64 {
		return nil, fmt.Errorf("status: v %d, state %q, its session or its challenge is not of version 1", s.V, s.State)
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
