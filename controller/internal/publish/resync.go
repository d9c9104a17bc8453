package publish

import (
	"context"
	"strings"
	"sync"
	"time"

	"ledcast/sign/wire"
)

// How long an online sign may be silent about a document, and how rarely it is
// asked in the end (PROTOCOL, Repeating and reconnecting).
const (
	resyncFirst = 5 * time.Second
	resyncLast  = 5 * time.Minute
)

// Ears is what is known of what signs said.
type Ears interface {
	Online(sign string) bool
	// Acked reports whether a sign has acked a document: what is a role and seq
	// its number; or AlertAck and an alert's id, where seq is not looked at.
	// What needs no ack any more is acked.
	Acked(sign, what string, seq int64) bool
}

// AlertAck begins what is expected of a sign about one alert.
const AlertAck = "alert:"

// Resync asks online signs that do not ack what was published for them to
// subscribe again: each on its own topic, never a whole class.
type Resync struct {
	ears Ears
	ask  func(sign string)
	now  func() time.Time

	mu   sync.Mutex
	last map[expected]int64 // the seq that was expected last
	due  map[expected]*pendingAck
}

type expected struct{ sign, what string }

type pendingAck struct {
	seq int64
	at  time.Time
	gap time.Duration
}

// NewResync makes one; Run does the work.
func NewResync(ears Ears, ask func(sign string), now func() time.Time) *Resync {
	return &Resync{ears: ears, ask: ask, now: now, last: map[expected]int64{}, due: map[expected]*pendingAck{}}
}

// Expect says that a document was published for a sign, which should ack it.
// Saying so again changes nothing.
func (r *Resync) Expect(sign, what string, seq int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	k := expected{sign, what}
	if r.last[k] == seq {
		return
	}
	r.last[k] = seq
	r.due[k] = &pendingAck{seq: seq, at: r.now().Add(resyncFirst), gap: resyncFirst}
}

// Step asks those that are due, one request a sign, and returns whom it asked.
func (r *Resync) Step() []string {
	now := r.now()
	var look []expected
	r.mu.Lock()
	for k, w := range r.due {
		if !now.Before(w.at) {
			look = append(look, k)
		}
	}
	r.mu.Unlock()
	asked := map[string]bool{}
	var out []string
	for _, k := range look {
		r.mu.Lock()
		w := r.due[k]
		r.mu.Unlock()
		if w == nil {
			continue
		}
		done, online := r.ears.Acked(k.sign, k.what, w.seq), r.ears.Online(k.sign)
		r.mu.Lock()
		switch {
		case r.due[k] != w: // a newer one was published meanwhile
		case done:
			delete(r.due, k)
			if strings.HasPrefix(k.what, AlertAck) {
				delete(r.last, k) // alerts come and go
			}
		case !online:
			// It subscribes by itself when it comes back.
			w.at, w.gap = now.Add(resyncFirst), resyncFirst
		default:
			w.gap = min(2*w.gap, resyncLast)
			w.at = now.Add(w.gap)
			if !asked[k.sign] {
				asked[k.sign] = true
				out = append(out, k.sign)
			}
		}
		r.mu.Unlock()
	}
	for _, sign := range out {
		r.ask(sign)
	}
	return out
}

// Run steps every second until ctx ends.
func (r *Resync) Run(ctx context.Context) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			r.Step()
		}
	}
}

// expectPrograms says which programs signs should ack.
func (p *Publisher) expectPrograms() {
	if p.o.Expect == nil {
		return
	}
	p.mu.Lock()
	plans := make([]*Plan, 0, len(p.plans))
	for _, plan := range p.plans {
		plans = append(plans, plan)
	}
	p.mu.Unlock()
	for _, plan := range plans {
		if !plan.Sign.Picture() {
			p.o.Expect(plan.Sign.ID, wire.RoleProgram, plan.Program.Seq)
		}
	}
}
