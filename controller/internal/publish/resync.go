package publish

import (
	"context"
	"strings"
	"sync"
	"time"

	"ledcast/sign/wire"
)

// An online sign that has not acked a document is asked to resync after
// resyncFirst, then at doubling intervals up to resyncLast (docs/protocol.md,
// Repeating and reconnecting).
const (
	resyncFirst = 5 * time.Second
	resyncLast  = 5 * time.Minute
)

// SignState reports what signs have said.
type SignState interface {
	Online(sign string) bool
	// Acked reports whether a sign has acked a document. what is its role, or
	// AlertAck and the id of an alert, for which seq is ignored. A document that
	// needs no ack any more counts as acked.
	Acked(sign, what string, seq int64) bool
}

// Silent is a sign that has not acked a document after two requests.
type Silent struct{ Sign, What string }

// repairAfter is how long a sign may take to ack after the second request. After that the broker is assumed to have
// lost the document.
const repairAfter = 5 * time.Second

// AlertAck is the prefix of Silent.What for the ack of one alert.
const AlertAck = "alert:"

// Resync asks online signs that have not acked their documents to subscribe
// again. It asks each sign on its own topic, never a whole class.
type Resync struct {
	// Repair, if set, is called with all silent signs when the documents of one of them should be published again.
	Repair func([]Silent)

	signs SignState
	ask   func(sign string)
	now   func() time.Time

	mu      sync.Mutex
	last    map[expected]int64 // the last expected seq
	pending map[expected]*pendingAck
}

type expected struct{ sign, what string }

type pendingAck struct {
	seq int64
	at  time.Time
	gap time.Duration
	// asked counts requests since the sign came online. repairAt is when it counts as silent after the second and each
	// later request.
	asked    int
	repairAt time.Time
}

func (w *pendingAck) repairDue(now time.Time) bool {
	return !w.repairAt.IsZero() && !now.Before(w.repairAt)
}

// NewResync returns a Resync. Run does the work.
func NewResync(signs SignState, ask func(sign string), now func() time.Time) *Resync {
	return &Resync{signs: signs, ask: ask, now: now, last: map[expected]int64{}, pending: map[expected]*pendingAck{}}
}

// Expect registers a published document that a sign should ack. It does nothing
// if the seq is already registered.
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

// Renew expects acks again for documents that the sign has lost according to its status, as with a new disk. It
// reports whether the publisher must call Expect again for the sign's alerts.
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
		if role != wire.RoleProgram { // the alerts may have ended
			delete(r.last, k)
			alerts = true
		}
		r.mu.Unlock()
	}
	return alerts
}

// Step asks the signs that are due, each once, and returns them.
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
		case r.pending[k] != w: // a newer document was published meanwhile
		case done:
			delete(r.pending, k)
			if strings.HasPrefix(k.what, AlertAck) {
				delete(r.last, k) // alerts end, and the map must not grow
			}
		case !online:
			// The sign subscribes by itself when it reconnects.
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

// silent returns all online signs that have not acked after two requests.
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

// Run calls Step every second until ctx ends.
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

// expectPrograms registers the acks that signs should send for their programs.
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
