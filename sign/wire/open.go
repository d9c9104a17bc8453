package wire

import (
	"ledcast/playlists/timeline"
)

// Receiver is a sign and what it has accepted so far, for the checks.
type Receiver struct {
	Sign  string
	Class string // e.g. "128x64-rgb"
	Keys  *KeySet
	Floor func(role, subject string, epoch int64) *Floor // nil where there is none
	Now   Clock
}

// OpenProgram makes every check of a program but those of its frames. repeat
// is true for the document that is at the floor already; its times are not
// checked again, because what was accepted plays on.
func OpenProgram(doc []byte, r Receiver) (p *timeline.Program, repeat bool, err error) {
	p = &timeline.Program{}
	s, err := open(doc, TypProgram, RoleProgram, r, p)
	if err != nil {
		return nil, false, err
	}
	if err := checkHeader(&p.Header, RoleProgram, LifeProgram); err != nil {
		return nil, false, err
	}
	w, h, ok := classSize(p.Class)
	if !ok {
		return nil, false, reject(BadDocument, "class %q is not <W>x<H>-<colour>", p.Class)
	}
	if err := checkProgram(p, w, h); err != nil {
		return nil, false, err
	}
	if p.Sign != r.Sign {
		return nil, false, reject(WrongSign, "it is for %q", p.Sign)
	}
	if p.Class != r.Class {
		return nil, false, reject(WrongClass, "it is for the class %q", p.Class)
	}
	repeat, err = s.finish(&p.Header, r, p.Sign)
	if err != nil {
		return nil, false, err
	}
	p.Prepare()
	return p, repeat, nil
}

// OpenAlerts makes every check of an alert set; frames of its alerts are
// checked when they come, alert by alert.
func OpenAlerts(doc []byte, test bool, r Receiver) (a *timeline.AlertSet, repeat bool, err error) {
	typ, role := TypAlerts, RoleAlerts
	if test {
		typ, role = TypAlertsTest, RoleAlertsTest
	}
	a = &timeline.AlertSet{}
	s, err := open(doc, typ, role, r, a)
	if err != nil {
		return nil, false, err
	}
	if err := checkHeader(&a.Header, role, LifeAlerts); err != nil {
		return nil, false, err
	}
	w, h, ok := classSize(a.Class)
	if !ok {
		return nil, false, reject(BadDocument, "class %q is not <W>x<H>-<colour>", a.Class)
	}
	if err := checkAlerts(a, w, h); err != nil {
		return nil, false, err
	}
	if a.Class != r.Class {
		return nil, false, reject(WrongClass, "it is for the class %q", a.Class)
	}
	repeat, err = s.finish(&a.Header, r, a.Class)
	return a, repeat, err
}

// Operations of a request.
const (
	OpSnapshot    = "snapshot"
	OpIdentify    = "identify"
	OpResync      = "resync"
	OpForgetCache = "forget-cache"
	OpTime        = "time"
	OpPlayedHave  = "played-have"
)

// SignRequest asks something of one sign: the payload of
// led/v1/signs/{sign}/request.
type SignRequest struct {
	timeline.Header
	Sign    string `json:"sign"`
	ID      string `json:"id"`
	Op      string `json:"op"`
	Session string `json:"session,omitempty"` // time
	// Challenge is that of the status which a time answers.
	Challenge string `json:"challenge,omitempty"`
	AtMS      int64  `json:"at_ms,omitempty"` // time
	Chain     string `json:"chain,omitempty"` // played-have
	N         int64  `json:"n,omitempty"`     // played-have
}

// OpenRequest makes every check of a request.
//
// A signed time is how a wrong clock is put right, so no clock of the sign judges it: its key, the accepted key set and
// its own life are judged by its iat, which is the second of its at_ms. It neither reads nor raises the floor: the
// challenge that it brings back is taken once.
func OpenRequest(doc []byte, r Receiver) (q *SignRequest, repeat bool, err error) {
	q = &SignRequest{}
	if s, err := Split(doc, TypRequest); err == nil && decode(s.Payload, q) == nil && q.Op == OpTime {
		r.Now = Clock{NowMS: q.Iat * 1000, Trusted: true}
	}
	q = &SignRequest{}
	s, err := open(doc, TypRequest, RoleRequest, r, q)
	if err != nil {
		return nil, false, err
	}
	if err := checkHeader(&q.Header, RoleRequest, LifeRequest); err != nil {
		return nil, false, err
	}
	if q.Sign != r.Sign {
		return nil, false, reject(WrongSign, "it is for %q", q.Sign)
	}
	if q.Op != OpTime {
		repeat, err = s.finish(&q.Header, r, q.Sign)
		return q, repeat, err
	}
	switch {
	case q.AtMS < 0 || q.Iat != q.AtMS/1000:
		return nil, false, reject(BadDocument, "iat %d is not the second of at_ms %d", q.Iat, q.AtMS)
	case q.Epoch != r.Keys.Epoch:
		return nil, false, reject(WrongEpoch, "epoch %d; the key set's is %d", q.Epoch, r.Keys.Epoch)
	}
	if err := checkTime(&r.Keys.Header, r.Now); err != nil {
		return nil, false, err
	}
	return q, false, checkTime(&q.Header, r.Now)
}

// checked is a document whose signature is right.
type checked struct {
	digest string
	role   string
}

func open(doc []byte, typ, role string, r Receiver, v any) (*checked, error) {
	s, err := Split(doc, typ)
	if err != nil {
		return nil, err
	}
	pub, err := r.Keys.Find(s.Kid, role, r.Now)
	if err != nil {
		return nil, err
	}
	if err := s.Verify(pub); err != nil {
		return nil, err
	}
	if err := decode(s.Payload, v); err != nil {
		return nil, reject(BadDocument, "%v", err)
	}
	return &checked{digest: Digest(doc), role: role}, nil
}

// finish makes the checks from wrong-epoch to expired.
func (c *checked) finish(h *timeline.Header, r Receiver, subject string) (repeat bool, err error) {
	if h.Epoch != r.Keys.Epoch {
		return false, reject(WrongEpoch, "epoch %d; the key set's is %d", h.Epoch, r.Keys.Epoch)
	}
	repeat, err = r.Floor(c.role, subject, h.Epoch).Check(h.Seq, c.digest)
	if err != nil || repeat {
		return repeat, err
	}
	return false, checkTime(h, r.Now)
}

// StoredProgram reads a program that was accepted before, from bytes whose digest was checked. It makes no check of
// time or keys: what was accepted plays on after an expiry or a rotation.
func StoredProgram(doc []byte) (*timeline.Program, error) {
	p := &timeline.Program{}
	if err := stored(doc, TypProgram, p); err != nil {
		return nil, err
	}
	w, h, _ := classSize(p.Class)
	if err := checkProgram(p, w, h); err != nil {
		return nil, err
	}
	p.Prepare()
	return p, nil
}

// StoredAlerts is StoredProgram for an alert set.
func StoredAlerts(doc []byte, test bool) (*timeline.AlertSet, error) {
	typ := TypAlerts
	if test {
		typ = TypAlertsTest
	}
	a := &timeline.AlertSet{}
	if err := stored(doc, typ, a); err != nil {
		return nil, err
	}
	for i := range a.Alerts {
		a.Alerts[i].Test = test
	}
	w, h, _ := classSize(a.Class)
	return a, checkAlerts(a, w, h)
}

// StoredKeys is StoredProgram for a key set.
func StoredKeys(doc []byte) (*KeySet, error) {
	k := &KeySet{}
	return k, stored(doc, TypKeys, k)
}

func stored(doc []byte, typ string, v any) error {
	s, err := Split(doc, typ)
	if err != nil {
		return err
	}
	return decode(s.Payload, v)
}

// Claimed returns the header that a document claims, unchecked: zero where it cannot be read. Use it only to name a
// document that was refused.
func Claimed(doc []byte, typ string) timeline.Header {
	var v struct{ timeline.Header }
	if s, err := Split(doc, typ); err != nil || decode(s.Payload, &v) != nil {
		return timeline.Header{}
	}
	return v.Header
}

// StoredPlayed reads a proof of play from the sign's own disk, unchecked.
func StoredPlayed(doc []byte) (*Played, error) {
	p := &Played{}
	return p, stored(doc, TypPlayed, p)
}
