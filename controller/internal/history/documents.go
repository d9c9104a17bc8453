package history

import (
	"context"
	"math"
	"time"

	"ledcast/controller/internal/publish"
	"ledcast/playlists"
	"ledcast/playlists/plan"
	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// Planner is the publisher, as Documents asks it about now and later.
type Planner interface {
	// Plan is a sign's present plan; nil before the first.
	Plan(sign string) *publish.Plan
	// Forecast plans a sign for another time by today's rules.
	Forecast(ctx context.Context, s *playlists.Sign, from, until int64) (*plan.Planned, error)
	AlertSet(class string, test bool) (*timeline.AlertSet, <-chan struct{})
	AlertsAt(ctx context.Context, c playlists.Class, test bool, t time.Time) ([]timeline.Alert, error)
}

// Documents answers which programs and alerts a sign had, has and will have: the past from the store, now and later
// from the publisher. Its methods are safe for concurrent use.
type Documents struct {
	Past    History
	Planner Planner
	Now     func() time.Time
}

// InForce lists the programs of a span of time: those that were issued, the present
// one, and what would be planned by today's rules where that does not reach.
func (d Documents) InForce(ctx context.Context, sign string, from, until time.Time) ([]plan.InForce, error) {
	begin, end := from.Unix(), max(until.Unix(), from.Unix()+1)
	present := int64(math.MaxInt64)
	p := d.Planner.Plan(sign)
	if p != nil {
		// After a start, a sign whose plan cannot be made any more has its
		// reasons in its document only.
		if present = p.Program.Exp; p.Reasons != nil {
			present -= wire.LifeProgram
		}
	}
	var out []plan.InForce
	if begin < present {
		var err error
		if out, err = d.Past.InForce(ctx, sign, begin, min(end, present)); err != nil {
			return nil, err
		}
		if n := len(out); n > 0 {
			out[n-1].Until = min(out[n-1].Until, present)
		}
	}
	if p == nil || end <= present {
		return out, nil
	}
	notes := func(r *plan.Reasons) *plan.Notes {
		return &plan.Notes{Owner: p.Sign.Owner, Zone: p.Sign.TimeZone, Titles: p.Titles, Reasons: r}
	}
	if begin < p.Program.Exp && present < p.Program.Exp {
		out = append(out, plan.InForce{From: max(begin, present), Until: p.Program.Exp, Program: p.Program,
			Notes: notes(p.Reasons)})
	}
	if end > p.Program.Exp {
		at := max(begin, p.Program.Exp)
		planned, err := d.Planner.Forecast(ctx, &p.Sign, at-wire.Early, at+wire.LifeProgram)
		if err != nil {
			return nil, err
		}
		out = append(out, plan.InForce{From: at, Until: planned.Program.Exp, Program: planned.Program,
			Notes: notes(planned.Reasons)})
	}
	return out, nil
}

// Alerts are those that a sign should know at t: for the past from the sets
// that were issued, now from the present ones, and for later from what is
// approved.
func (d Documents) Alerts(ctx context.Context, sign *playlists.Sign, t time.Time) ([]timeline.Alert, error) {
	const near = 2 * time.Second
	var out []timeline.Alert
	for _, test := range []bool{false, true} {
		if test && !sign.Test {
			continue
		}
		class, now := sign.Class.String(), d.Now()
		switch {
		case t.After(now.Add(near)):
			later, err := d.Planner.AlertsAt(ctx, sign.Class, test, t)
			if err != nil {
				return nil, err
			}
			out = append(out, later...)
		case t.Before(now.Add(-near)):
			set, err := d.Past.AlertSet(ctx, class, test, t.Unix())
			if err != nil {
				return nil, err
			}
			if set == nil {
				continue
			}
			out = append(out, set.Alerts...)
		default:
			if set, _ := d.Planner.AlertSet(class, test); set != nil {
				out = append(out, set.Alerts...)
			}
		}
	}
	return out, nil
}
