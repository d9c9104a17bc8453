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

// SignState is what is known of what signs said.
type SignState interface {
	Online(sign string) bool
	// Acked reports whether a sign has acked a document: what is a role and seq
	// its number; or AlertAck and an alert's id, where seq is not looked at.
	// What needs no ack any more is acked.
	Acked(sign, what string, seq int64) bool
}

// Silent is a sign that has not acked a document although it was asked for it twice.
type Silent struct{ Sign, What string }

// repairAfter is how long after the second request a sign still has to answer, before the broker is taken to have lost
// what it should hold.
const repairAfter = 5 * time.Second

// AlertAck begins what is expected of a sign about one alert.
const AlertAck = "alert:"

// Resync asks online signs that do not ack what was published for them to
// subscribe again: each on its own topic, never a whole class.
type Resync struct {
	// Repair, if set, is told of all that are silent when there is something to be put back for one of them.
	Repair func([]Silent)

	signs SignState
	ask   func(sign string)
	now   func() time.Time

	mu      sync.Mutex
	last    map[expected]int64 // the seq that was expected last
	pending map[expected]*pendingAck
}

type expected struct{ sign, what string }

type pendingAck struct {
	seq int64
	at  time.Time
	gap time.Duration
	// asked counts requests since the sign is online; fix is when it counts as silent after the second and each later
	// one.
	asked    int
	repairAt time.Time
}

func (w *pendingAck) repairDue(now time.Time) bool {
	return !w.repairAt.IsZero() && !now.Before(w.repairAt)
}

// NewResync makes one; Run does the work.
func NewResync(signs SignState, ask func(sign string), now func() time.Time) *Resync {
	return &Resync{signs: signs, ask: ask, now: now, last: map[expected]int64{}, pending: map[expected]*pendingAck{}}
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
	r.pending[k] = &pendingAck{seq: seq, at: r.now().Add(resyncFirst), gap: resyncFirst}
}

// Renew expects again what a sign had acked and has no longer, by its status: it came back on a new disk. It reports
// whether the publisher has to say once more which alerts the sign should have.
func (r *Resync) Renew(sign string) (alerts bool) {
	now := r.now()
	for _, role := range []string{wire.RoleProgram, wire.RoleAlerts, wire.RoleAlertsTest} {
		k := expected{sign, role}
		r.mu.Lock()
		seq, known := r.last[k]
		pending := r.pending[k] != nil
		r.mu.Unlock()
		if !known || pending || r.signs.Acked(sign, role, seq) {
			continue
		}
		r.mu.Lock()
		if role == wire.RoleProgram && r.pending[k] == nil && r.last[k] == seq {
			r.pending[k] = &pendingAck{seq: seq, at: now.Add(resyncFirst), gap: resyncFirst}
		}
		if role != wire.RoleProgram { // there may be no alerts any more
			delete(r.last, k)
			alerts = true
		}
		r.mu.Unlock()
	}
	return alerts
}

// Step asks those that are due, one request a sign, and returns whom it asked.
func (r *Resync) Step() []string {
	now := r.now()
	var due []expected
	r.mu.Lock()
	for k, w := range r.pending {
		if !now.Before(w.at) || w.repairDue(now) {
			due = append(due, k)
		}
	}
	r.mu.Unlock()
	asked := map[string]bool{}
	repair := false
	var out []string
	for _, k := range due {
		r.mu.Lock()
		w := r.pending[k]
		r.mu.Unlock()
		if w == nil {
			continue
		}
		done, online := r.signs.Acked(k.sign, k.what, w.seq), r.signs.Online(k.sign)
		r.mu.Lock()
		switch {
		case r.pending[k] != w: // a newer one was published meanwhile
		case done:
			delete(r.pending, k)
			if strings.HasPrefix(k.what, AlertAck) {
				delete(r.last, k) // alerts come and go
			}
		case !online:
			// It subscribes by itself when it comes back.
			*w = pendingAck{seq: w.seq, at: now.Add(resyncFirst), gap: resyncFirst}
		case w.repairDue(now):
			repair, w.repairAt = true, time.Time{}
		default:
			w.gap = min(2*w.gap, resyncLast)
			w.at = now.Add(w.gap)
			if w.asked++; w.asked >= 2 {
				w.repairAt = now.Add(repairAfter)
			}
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
	if repair && r.Repair != nil {
		r.Repair(r.silent())
	}
	return out
}

// silent are all online signs that were asked twice, now.
func (r *Resync) silent() (out []Silent) {
	all := map[expected]int64{}
	r.mu.Lock()
	for k, w := range r.pending {
		if w.asked >= 2 {
			all[k] = w.seq
		}
	}
	r.mu.Unlock()
	for k, seq := range all {
		if r.signs.Online(k.sign) && !r.signs.Acked(k.sign, k.what, seq) {
			out = append(out, Silent{k.sign, k.what})
		}
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
