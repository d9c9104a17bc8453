// Package history reads what the store keeps of signs: the programs that were in
// force, the alert sets, proof of play, and conditions.
package history

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"time"

	"ledcast/controller/internal/report"
	"ledcast/controller/internal/store"
	"ledcast/playlists"
	"ledcast/playlists/plan"
	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// History is a store's past. It is safe for concurrent use.
type History struct{ store Store }

// Store is what a History reads.
type Store interface {
	Documents() store.Documents
	Proofs() store.Proofs
	Health() store.Health
}

// New reads the past from a store.
func New(s Store) History { return History{s} }

// Signs implements report.Book: signs that are gone had programs, too.
func (h History) Signs(ctx context.Context) ([]string, error) {
	heads, err := h.store.Documents().Heads(ctx, wire.RoleProgram)
	out := make([]string, len(heads))
	for i, h := range heads {
		out[i] = h.Subject
	}
	return out, err
}

// Programs implements report.Book.
func (h History) Programs(ctx context.Context, sign string, from, until int64) ([]plan.InForce, error) {
	docs, err := h.store.Documents().History(ctx, wire.RoleProgram, sign, from, until)
	if err != nil {
		return nil, err
	}
	out := make([]plan.InForce, len(docs))
	for i, d := range docs {
		p, err := wire.StoredProgram(d.JWS)
		if err != nil {
			return nil, err
		}
		n, err := notesOf(d.Notes)
		if err != nil {
			return nil, err
		}
		p.Prepare()
		out[i] = plan.InForce{From: d.Iat, Until: d.Exp, Program: p, Notes: n}
		if i > 0 {
			out[i-1].Until = min(out[i-1].Until, d.Iat)
		}
	}
	return out, nil
}

// longestRecord is how long before a time a record may begin that is of it, too.
const longestRecord = 24 * time.Hour

// Records implements report.Book.
func (h History) Records(ctx context.Context, sign string, fromMS, untilMS int64,
	do func(*playlists.PlayRecord) error) error {
	return store.EachRecord(ctx, h.store.Proofs(), fromMS-longestRecord.Milliseconds(), untilMS, sign,
		func(x *playlists.PlayRecord) error {
			if x.UntilMS < fromMS {
				return nil
			}
			return do(x)
		})
}

// InForce lists the programs that were issued for a sign and in force from begin
// until before end (Unix seconds), in order. The last of them was replaced at
// end at the latest.
func (h History) InForce(ctx context.Context, sign string, begin, end int64) ([]plan.InForce, error) {
	docs, err := h.store.Documents().History(ctx, wire.RoleProgram, sign, begin, end)
	if err != nil {
		return nil, err
	}
	// From the last one backwards: what a later document precedes, by a clock
	// that was set back, was never in force.
	var out []plan.InForce
	next := int64(math.MaxInt64)
	for _, d := range slices.Backward(docs) {
		if d.Iat >= next {
			continue
		}
		replaced := next
		next = d.Iat
		n, err := notesOf(d.Notes)
		if err != nil {
			return nil, err
		}
		g, err := wire.StoredProgram(d.JWS)
		if err != nil {
			return nil, err
		}
		out = append(out, plan.InForce{From: max(d.Iat, begin), Until: min(d.Exp, replaced), Program: g, Notes: n})
		if d.Iat <= begin {
			break
		}
	}
	slices.Reverse(out)
	return out, nil
}

// AlertSet is the alert set of a class that was in force at t (Unix seconds);
// nil where there was none.
func (h History) AlertSet(ctx context.Context, class string, test bool, t int64) (*timeline.AlertSet, error) {
	role := wire.RoleAlerts
	if test {
		role = wire.RoleAlertsTest
	}
	docs, err := h.store.Documents().History(ctx, role, class, t, t+1)
	if err != nil || len(docs) == 0 {
		return nil, err
	}
	return wire.StoredAlerts(docs[len(docs)-1].JWS, test)
}

// notesOf reads a kept program's notes; older ones have none.
func notesOf(data []byte) (*plan.Notes, error) {
	n := &plan.Notes{}
	if data == nil {
		return n, nil
	}
	return n, json.Unmarshal(data, n)
}

// Conditions implements report.History.
func (h History) Conditions(ctx context.Context, sign string, from, until time.Time) (own,
	watched []playlists.Condition, err error) {
	if own, err = h.store.Health().Noted(ctx, sign, from.UnixMilli(), until.UnixMilli()); err != nil {
		return nil, nil, err
	}
	watched, err = h.store.Health().Noted(ctx, store.ControllerID, from.UnixMilli(), until.UnixMilli())
	return own, watched, err
}

// Health implements api.Health.
func (h History) Health(ctx context.Context, sign string, from, until time.Time, zone *time.Location) (
	[]playlists.ConditionSpan, []playlists.ConditionDay, error) {
	own, watched, err := h.Conditions(ctx, sign, from, until)
	if err != nil {
		return nil, nil, err
	}
	spans := report.Spans(own, watched, from.UnixMilli(), until.UnixMilli())
	return spans, report.Days(spans, zone), nil
}

// proofSlack is how long before an alert a record may begin that tells of it:
// signs close their records at least so often.
const proofSlack = time.Hour

// Proved is how long the sign's proof of play says that it put out an item.
func (h History) Proved(ctx context.Context, sign, item string, fromMS, untilMS int64) (ms int64, err error) {
	err = store.EachRecord(ctx, h.store.Proofs(), fromMS-proofSlack.Milliseconds(), untilMS, sign,
		func(r *playlists.PlayRecord) error {
			for _, p := range r.Plays {
				if p.Item == item && p.Why == timeline.WhyAlert {
					ms += p.MS
				}
			}
			return nil
		})
	return ms, err
}

// Played reads programs without their notes, as alerts and the publisher do.
type Played struct{ History }

// Programs were in force from fromMS until untilMS (Unix ms), in their order.
func (h Played) Programs(ctx context.Context, sign string, fromMS, untilMS int64) ([]*timeline.Program, error) {
	docs, err := h.store.Documents().History(ctx, wire.RoleProgram, sign, fromMS/1000, untilMS/1000+1)
	if err != nil {
		return nil, err
	}
	out := make([]*timeline.Program, len(docs))
	for i := range docs {
		if out[i], err = wire.StoredProgram(docs[i].JWS); err != nil {
			return nil, err
		}
	}
	return out, nil
}
