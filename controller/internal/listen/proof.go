package listen

import (
	"context"
	"crypto/ed25519"
	"fmt"

	"ledcast/sign/wire"
)

// Book keeps proof of play and the keys that signs prove it with.
type Book interface {
	// Pin pins a sign's key if it has none yet, and returns the pinned one.
	Pin(ctx context.Context, sign string, x [32]byte, nowMS int64) ([32]byte, error)
	// End returns n and digest of a chain's last record: 0 and "" before the first.
	End(ctx context.Context, sign, chain string) (n int64, digest string, err error)
	// Digest returns the digest of a record that is kept.
	Digest(ctx context.Context, sign, chain string, n int64) (string, error)
	// Add keeps a record.
	Add(ctx context.Context, doc []byte, digest string, p *wire.Played) error
}

// Faults of a proof of play, as people see them.
const (
	FaultKey     = "proof: another key than the pinned one" // a person must confirm it
	FaultForged  = "proof: a record that its key did not sign"
	FaultAltered = "proof: a record came again with other bytes"
	FaultGap     = "proof: records are missing"
	FaultChain   = "proof: a record does not continue its chain"
)

// Auditor takes proof of play. It checks each record against the sign's pinned key, counts it once, and answers with a
// receipt. A record with a fault is not counted, and the fault is shown. A gap is shown, too, but the record after it
// counts: a sign gives up records after 30 days.
type Auditor struct {
	l       *Listener
	book    Book
	receipt func(sign, chain string, n int64)
	in      chan proof
}

type proof struct {
	sign string
	doc  []byte
}

// NewAuditor returns an auditor of a listener's records. Run does the work. It calls receipt for each record that is
// kept, also if the record came before.
func NewAuditor(l *Listener, book Book, receipt func(sign, chain string, n int64)) *Auditor {
	a := &Auditor{l: l, book: book, receipt: receipt, in: make(chan proof, 1024)}
	l.mu.Lock()
	l.proofs = a.in
	l.mu.Unlock()
	return a
}

// Run takes records until ctx ends. The sign sends a record again that was dropped or could not be kept.
func (a *Auditor) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case p := <-a.in:
			fault, err := a.take(ctx, p)
			if err != nil && ctx.Err() == nil {
				a.l.log.Error("proof of play not kept", "sign", p.sign, "err", err)
			}
			if fault != "" {
				a.l.log.Warn("proof of play", "sign", p.sign, "fault", fault)
			}
			a.l.proofFault(p.sign, fault)
		}
	}
}

// take checks and keeps one record, and returns the fault to show, if any.
func (a *Auditor) take(ctx context.Context, in proof) (fault string, err error) {
	key := a.l.key(in.sign)
	if key == nil {
		return "", nil // no status yet; the record comes again
	}
	var x [32]byte
	copy(x[:], key)
	pinned, err := a.book.Pin(ctx, in.sign, x, a.l.now().UnixMilli())
	if err != nil {
		return "", err
	}
	if pinned != x {
		return FaultKey, nil
	}
	p, err := wire.OpenPlayed(in.doc, in.sign, pinned[:])
	if err != nil {
		return fmt.Sprintf("%s (%s)", FaultForged, wire.ReasonOf(err)), nil
	}
	end, prev, err := a.book.End(ctx, in.sign, p.Chain)
	if err != nil {
		return "", err
	}
	digest := wire.Digest(in.doc)
	switch p.LinkTo(end, prev) {
	case wire.LinkPast:
		have, err := a.book.Digest(ctx, in.sign, p.Chain, p.N)
		if err != nil || have != digest {
			return fmt.Sprintf("%s (n %d)", FaultAltered, p.N), nil
		}
		a.receipt(in.sign, p.Chain, p.N)
		return "", nil
	case wire.LinkBroken:
		return fmt.Sprintf("%s (n %d)", FaultChain, p.N), nil
	case wire.LinkGap:
		fault = fmt.Sprintf("%s (n %d to %d)", FaultGap, end+1, p.N-1)
	}
	if err := a.book.Add(ctx, in.doc, digest, p); err != nil {
		return "", err
	}
	a.receipt(in.sign, p.Chain, p.N)
	return fault, nil
}

// key returns the public key of a sign's last status, or nil.
func (l *Listener) key(sign string) ed25519.PublicKey {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.signs[sign]
	if h == nil || h.Status == nil || h.Status.Key == nil {
		return nil
	}
	pub, err := wire.DecodeKey(h.Status.Key.X)
	if err != nil {
		return nil
	}
	return pub
}

// proofFault shows a fault until a record without a fault comes.
func (l *Listener) proofFault(sign, fault string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if h := l.signs[sign]; h != nil {
		h.Proof = fault
	}
}
