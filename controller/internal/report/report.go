// Package report says what was shown, from what signs proved, beside what was
// asked and planned, from the programs that were issued. It never reads today's
// playlists, so a report over what was since changed or deleted stays right.
//
// A record of plays covers up to a quarter of an hour and says for each frame
// how often and how long it was on the output. Whose item it was stands in the
// program that was in force. What no record covers was not shown, as far as
// anybody can prove: it is named, and never counted.
//
// What was planned is timeline.At of the programs, as the sign's player has it.
// docs/reports.md says what each number means.
package report

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"ledcast/playlists"
	"ledcast/playlists/plan"
	"ledcast/playlists/timeline"
)

// Book is what is remembered.
type Book interface {
	// Signs lists every sign that was ever given a program.
	Signs(ctx context.Context) ([]string, error)
	// Programs lists a sign's programs that were in force at some time from
	// `from` until before `until` (Unix seconds), in order.
	Programs(ctx context.Context, sign string, from, until int64) ([]plan.InForce, error)
	// Records calls do for each of a sign's records that touch that time,
	// if they are no longer than a day.
	Records(ctx context.Context, sign string, fromMS, untilMS int64, do func(*playlists.PlayRecord) error) error
}

// Types returns a value of each type that a report has, for the description of
// the API.
func Types() []any { return []any{Delivery{}, Shares{}, Displacement{}, Uptimes{}} }

// Query says what a report is about.
type Query struct {
	// From and Until are Unix seconds, Until exclusive: whole quarters of an hour,
	// at which signs close their records.
	From, Until int64
	// Now is when it is asked (Unix seconds): what is to come is not missing. 0 is
	// after Until.
	Now int64
	// Signs is whose signs it covers: those of one company, or of "" everybody.
	Owner string
	// Content is whose items are told apart: a company's own and the
	// department's for the company, "public" for the department. Others' are
	// added up under their owner's name.
	Content  string
	Sign     string // "" for all
	Campaign string // "" for all
}

// Span is a part of a day that records do not cover, or cover in part only.
type Span struct {
	FromMS   int64 `json:"from_ms"`
	UntilMS  int64 `json:"until_ms"`
	ProvenMS int64 `json:"proven_ms,omitempty"` // somewhere in it
}

// sign is one sign's part of a report.
type sign struct {
	id       string
	owner    string
	zone     *time.Location
	programs []plan.InForce
	older    func() []plan.InForce // those that a sign which was away may still play
}

// day is the date of a moment in the sign's zone.
func (s *sign) day(ms int64) string { return time.UnixMilli(ms).In(s.zone).Format(time.DateOnly) }

// each visits the signs that a query covers, in order of their names.
func each(ctx context.Context, b Book, q Query, visit func(*sign) error) error {
	ids, err := b.Signs(ctx)
	if err != nil {
		return err
	}
	ids = slices.Clone(ids)
	slices.Sort(ids)
	for _, id := range ids {
		if q.Sign != "" && q.Sign != id {
			continue
		}
		programs, err := b.Programs(ctx, id, q.From, q.Until)
		if err != nil {
			return err
		}
		if len(programs) == 0 {
			continue
		}
		last := programs[len(programs)-1].Notes
		if q.Owner != "" && last.Owner != q.Owner {
			continue
		}
		zone, err := time.LoadLocation(cmp.Or(last.Zone, playlists.DefaultZone))
		if err != nil {
			return err
		}
		s := &sign{id: id, owner: last.Owner, zone: zone, programs: programs}
		var olderErr error
		s.older = sync.OnceValue(func() (list []plan.InForce) {
			list, olderErr = b.Programs(ctx, id, q.From-oldest, q.From)
			return list
		})
		if err := visit(s); err != nil {
			return err
		}
		if olderErr != nil {
			return olderErr
		}
	}
	return nil
}

// item finds what a play was of: the item of a program in force from a until b
// (Unix ms) which has the frame. An item's first frame counts its plays.
func (s *sign) item(p *playlists.Play, a, b int64) (*timeline.Item, *plan.InForce) {
	for i := len(s.programs) - 1; i >= 0; i-- {
		f := &s.programs[i]
		if f.From*1000 >= b+slackMS || f.Until*1000+slackMS <= a {
			continue
		}
		for k := range f.Program.Items {
			x := &f.Program.Items[k]
			if x.ID == p.Item && x.Campaign == p.Campaign && has(f.Program, x, p.Frame) {
				return x, f
			}
		}
	}
	// A sign that was away plays an older program than it was given last.
	if it, f := newest(s.programs, p); it != nil {
		return it, f
	}
	return newest(s.older(), p)
}

// newest finds the item of a play in the last program that has it.
func newest(all []plan.InForce, p *playlists.Play) (*timeline.Item, *plan.InForce) {
	for i := len(all) - 1; i >= 0; i-- {
		for k := range all[i].Program.Items {
			if x := &all[i].Program.Items[k]; x.ID == p.Item && has(all[i].Program, x, p.Frame) {
				return x, &all[i]
			}
		}
	}
	return nil, nil
}

// slackMS is how far a sign may be behind the program that was issued last.
const slackMS = 60_000

// oldest is how long ago a program may have been issued that a sign without
// contact plays: its own life, and the comm-loss loop's (seconds).
const oldest = 40 * 24 * 3600

func has(p *timeline.Program, it *timeline.Item, frame string) bool {
	return slices.ContainsFunc(it.Steps, func(st timeline.Step) bool { return p.Frames[st.Frame].SHA256 == frame })
}

// times is how many whole plays of an item so many showings of a frame make: an
// item is counted by its first frame, which some items show more than once.
func times(p *timeline.Program, it *timeline.Item, frame string, count int64) int64 {
	if p.Frames[it.Steps[0].Frame].SHA256 != frame {
		return 0
	}
	n := int64(0)
	for _, st := range it.Steps {
		if p.Frames[st.Frame].SHA256 == frame {
			n++
		}
	}
	return count / n
}
