package wire

import (
	"crypto/ed25519"

	"ledcast/playlists/timeline"
)

// Roles of a header, of keys, and of floors.
const (
	RoleKeys       = "keys"
	RoleProgram    = "program"
	RoleAlerts     = "alerts"
	RoleAlertsTest = "alerts-test"
	RoleRequest    = "request"
)

// Longest lives in seconds, and how long before iat a document is already
// valid, for signs whose clock is a little slow.
const (
	LifeProgram = 8 * 24 * 3600
	LifeAlerts  = 25 * 3600
	LifeRequest = 300
	LifeKeys    = 400 * 24 * 3600
	Early       = 600
)

// NewHeader is a header issued at iat (Unix seconds) that lives life seconds.
func NewHeader(role string, epoch, seq, iat, life int64) timeline.Header {
	return timeline.Header{V: 1, Role: role, Epoch: epoch, Seq: seq, Iat: iat, Nbf: iat - Early, Exp: iat + life}
}

// Key is one online key of a key set.
type Key struct {
	Kid  string `json:"kid"`
	Role string `json:"role"`
	X    string `json:"x"` // raw public key, base64url
	Nbf  int64  `json:"nbf"`
	Exp  int64  `json:"exp"`
}

// KeySet names the keys that may sign, by role: the payload of led/v1/keys.
type KeySet struct {
	timeline.Header
	Keys    []Key    `json:"keys"`
	Revoked []string `json:"revoked"`
}

// Clock is a time and whether it is trusted. While it is not, nbf is not
// applied: a sign that starts in 1970 without a network must still show what
// was signed for it.
type Clock struct {
	NowMS   int64
	Trusted bool
}

func (c Clock) before(nbf int64) bool { return c.Trusted && c.NowMS < nbf*1000 }
func (c Clock) after(exp int64) bool  { return c.NowMS >= exp*1000 }

// Find returns the key of that kid and role if it is valid now: the check unknown-key.
func (k *KeySet) Find(kid, role string, now Clock) (ed25519.PublicKey, error) {
	if k == nil {
		return nil, reject(UnknownKey, "no key set was accepted yet")
	}
	for _, r := range k.Revoked {
		if r == kid {
			return nil, reject(UnknownKey, "key %s is revoked", kid)
		}
	}
	for i := range k.Keys {
		e := &k.Keys[i]
		if e.Kid != kid || e.Role != role || now.before(e.Nbf) || now.after(e.Exp) {
			continue
		}
		return DecodeKey(e.X)
	}
	return nil, reject(UnknownKey, "no valid key %s for %s", kid, role)
}

// Roots are the two keys a sign has from its enrolment. A key set signed by
// the spare retires the first for good.
type Roots struct {
	Root, Spare  ed25519.PublicKey
	FirstRetired bool
}

func (r Roots) find(kid string) (ed25519.PublicKey, error) {
	if !r.FirstRetired && len(r.Root) > 0 && kid == KeyID(r.Root) {
		return r.Root, nil
	}
	if len(r.Spare) > 0 && kid == KeyID(r.Spare) {
		return r.Spare, nil
	}
	return nil, reject(UnknownKey, "key %s is none of this sign's roots", kid)
}

// Floor is the newest accepted document of a role, subject and epoch.
type Floor struct {
	Seq    int64  `json:"seq"`
	Digest string `json:"digest"` // of the document's bytes
}

// Check is the check stale-seq. repeat is true for the accepted document
// itself, which is taken again and not refused. A nil floor is none.
func (f *Floor) Check(seq int64, digest string) (repeat bool, err error) {
	switch {
	case f == nil || seq > f.Seq:
		return false, nil
	case seq == f.Seq && digest == f.Digest:
		return true, nil
	case seq == f.Seq:
		return false, reject(StaleSeq, "seq %d was accepted with other bytes", seq)
	}
	return false, reject(StaleSeq, "seq %d is under the floor %d", seq, f.Seq)
}

// OpenKeys checks a key set. current is the accepted one, or nil; digest is
// current's document's.
func OpenKeys(doc []byte, roots Roots, current *KeySet, digest string,
	now Clock) (set *KeySet, spare, repeat bool, err error) {
	s, err := Split(doc, TypKeys)
	if err != nil {
		return nil, false, false, err
	}
	pub, err := roots.find(s.Kid)
	if err != nil {
		return nil, false, false, err
	}
	if err := s.Verify(pub); err != nil {
		return nil, false, false, err
	}
	set = &KeySet{}
	if err := decode(s.Payload, set); err != nil {
		return nil, false, false, reject(BadDocument, "%v", err)
	}
	if err := checkHeader(&set.Header, RoleKeys, LifeKeys); err != nil {
		return nil, false, false, err
	}
	for i := range set.Keys {
		k := &set.Keys[i]
		if pub, err := DecodeKey(k.X); err != nil || KeyID(pub) != k.Kid {
			return nil, false, false, reject(BadDocument, "keys[%d]: kid %q is not that of x", i, k.Kid)
		}
	}
	if current != nil {
		f := &Floor{Seq: current.Seq, Digest: digest}
		switch {
		case set.Epoch < current.Epoch:
			return nil, false, false, reject(StaleSeq, "epoch %d is under the accepted %d", set.Epoch, current.Epoch)
		case set.Epoch == current.Epoch:
			if repeat, err = f.Check(set.Seq, Digest(doc)); err != nil {
				return nil, false, false, err
			}
		}
	}
	if err := checkTime(&set.Header, now); err != nil && !repeat {
		return nil, false, false, err
	}
	return set, s.Kid == KeyID(roots.Spare), repeat, nil
}

func checkHeader(h *timeline.Header, role string, life int64) error {
	switch {
	case h.V != 1:
		return reject(BadDocument, "v is %d; this is version 1", h.V)
	case h.Role != role:
		return reject(BadDocument, "role is %q instead of %q", h.Role, role)
	case h.Exp-h.Iat > life:
		return reject(BadDocument, "it lives %d s, over the limit of %d", h.Exp-h.Iat, life)
	case max(h.Iat, h.Nbf, h.Exp) > maxSeconds:
		return reject(BadDocument, "a time is beyond the limit of %d", int64(maxSeconds))
	}
	return nil
}

func checkTime(h *timeline.Header, now Clock) error {
	if now.before(h.Nbf) {
		return reject(NotYet, "valid from %d on", h.Nbf)
	}
	if now.after(h.Exp) {
		return reject(Expired, "valid until %d", h.Exp)
	}
	return nil
}
