package app

import (
	"context"
	"errors"
	"math"
	"time"

	"ledcast/controller/internal/api"
	"ledcast/playlists"
	"ledcast/playlists/plan"
	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// source is the App as the API reads it.
type source struct{ a *App }

func (s source) Signs(ctx context.Context) ([]playlists.Sign, error) {
	return s.a.catalogue.Signs(ctx)
}

func (s source) Sign(ctx context.Context, id string) (*playlists.Sign, error) {
	return s.a.catalogue.Sign(ctx, id)
}

func (s source) Owners(ctx context.Context) ([]playlists.Owner, error) {
	return s.a.catalogue.Owners(ctx)
}

func (s source) Heard(sign string) api.Heard {
	st := s.a.listener.State(sign)
	h := api.Heard{Online: st.Online, At: st.HeardAt, Snapshot: st.Snapshot, ShotAt: st.ShotAt, Dropped: st.Dropped}
	if st.Proof != "" {
		h.Faults = append(h.Faults, st.Proof)
	}
	if x := st.Status; x != nil {
		h.Faults = append(h.Faults, x.Faults...)
		h.Software, h.Trusted = x.Software, x.Clock == "trusted"
		if x.Program != nil {
			h.ProgramSeq = x.Program.Seq
		}
		if x.Showing != nil {
			h.Why, h.Item, h.Frame = x.Showing.Why, x.Showing.Item, x.Showing.Frame
		}
	}
	return h
}

func (s source) Program(sign string) (*timeline.Program, playlists.Text) {
	problem := s.a.publisher.Problem(sign)
	if p := s.a.publisher.Plan(sign); p != nil {
		return p.Program, problem
	}
	return nil, problem
}

func (s source) Title(sign, owner, item string) string {
	if owner == "" { // no program's item
		return s.a.alerts.Title(item)
	}
	if p := s.a.publisher.Plan(sign); p != nil {
		return p.Titles[owner+"/"+item]
	}
	return ""
}

// InForce lists the programs of a span of time: those that were issued, the present
// one, and what would be planned by today's rules where that does not reach.
func (s source) InForce(ctx context.Context, sign string, from, until time.Time) ([]plan.InForce, error) {
	begin, end := from.Unix(), max(until.Unix(), from.Unix()+1)
	present := int64(math.MaxInt64)
	p := s.a.publisher.Plan(sign)
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
		if out, err = s.a.history.InForce(ctx, sign, begin, min(end, present)); err != nil {
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
		planned, err := s.a.publisher.Would(ctx, &p.Sign, at-wire.Early, at+wire.LifeProgram)
		if err != nil {
			return nil, err
		}
		out = append(out, plan.InForce{From: at, Until: planned.Program.Exp, Program: planned.Program,
			Notes: notes(planned.Reasons)})
	}
	return out, nil
}

func (s source) Frame(sha string) ([]byte, string) {
	if f := s.a.publisher.Frame(sha); f != nil {
		return f.Data, f.Type
	}
	return nil, ""
}

func (s source) Snapshot(sign string) {
	s.a.requester.Ask(wire.SignRequest{Sign: sign, Op: wire.OpSnapshot})
}

func (s source) Ready() error {
	if !s.a.files.Load() {
		return errors.New("files are still being written")
	}
	if !s.a.publisher.Ready() {
		return errors.New("the broker does not hold everything yet")
	}
	return nil
}

// Alerts are those that a sign should know at t: for the past from the sets
// that were issued, now from the present ones, and for later from what is
// approved.
func (s source) Alerts(ctx context.Context, sign *playlists.Sign, t time.Time) ([]timeline.Alert, error) {
	const near = 2 * time.Second
	var out []timeline.Alert
	for _, test := range []bool{false, true} {
		if test && !sign.Test {
			continue
		}
		class, now := sign.Class.String(), s.a.now()
		switch {
		case t.After(now.Add(near)):
			later, err := s.a.publisher.AlertsAt(ctx, sign.Class, test, t)
			if err != nil {
				return nil, err
			}
			out = append(out, later...)
		case t.Before(now.Add(-near)):
			set, err := s.a.history.AlertSet(ctx, class, test, t.Unix())
			if err != nil {
				return nil, err
			}
			if set == nil {
				continue
			}
			out = append(out, set.Alerts...)
		default:
			if set, _ := s.a.publisher.AlertSet(class, test); set != nil {
				out = append(out, set.Alerts...)
			}
		}
	}
	return out, nil
}

// Has are the alerts that a sign has by its own word: of the sets that it says
// it took, without those that it refused or ended. A picture sign says nothing,
// and has what it is sent.
func (s source) Has(sign *playlists.Sign) []timeline.Alert {
	var out []timeline.Alert
	state := s.a.listener.State(sign.ID)
	for _, test := range []bool{false, true} {
		if test && !sign.Test {
			continue
		}
		set, _ := s.a.publisher.AlertSet(sign.Class.String(), test)
		if set == nil || sign.Picture() {
			if set != nil {
				out = append(out, set.Alerts...)
			}
			continue
		}
		out = append(out, state.Alerts(set, test)...)
	}
	return out
}
