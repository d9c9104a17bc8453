// Package report compares what signs proved with what was asked and planned. It
// reads the signs' records of plays and the programs that were issued, never the
// present playlists, so later changes and deletions do not change a report.
//
// A record of plays covers up to a quarter of an hour. For each frame it says how
// often and how long the frame was on the output; the program in force says whose
// item the frame belongs to. Time without a record is unproven: a report lists it
// and never counts it as shown.
//
// What was planned is timeline.At of the programs, as in the sign's player.
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

// Book reads the stored programs and records.
type Book interface {
	// Signs lists every sign that ever had a program.
	Signs(ctx context.Context) ([]string, error)
	// Programs lists the programs of a sign that were in force at some time in
	// [from, until), Unix seconds, in order.
	Programs(ctx context.Context, sign string, from, until int64) ([]plan.InForce, error)
	// Records calls do for each record of a sign that touches that time and is no
	// longer than a day.
	Records(ctx context.Context, sign string, fromMS, untilMS int64, do func(*playlists.PlayRecord) error) error
}

// Types returns a value of each type that a report has, for the description of
// the API.
func Types() []any { return []any{Delivery{}, Shares{}, Displacement{}, Uptimes{}} }

// Query selects what a report covers.
type Query struct {
	// From and Until are Unix seconds, Until exclusive: whole quarters of an hour,
	// at which signs close their records.
	From, Until int64
	// Now is the present, Unix seconds: the future is not missing. 0 means after
	// Until.
	Now int64
	// Owner is the company whose signs are covered; "" for all.
	Owner string
	// Content is the owner whose items are listed one by one, beside those of the
	// department. Items of other owners are added up under the owner's name.
	Content  string
	Sign     string // "" for all
	Campaign string // "" for all
}

// Span is a part of a day that records do not cover, or cover only in part.
type Span struct {
	FromMS   int64 `json:"from_ms"`
	UntilMS  int64 `json:"until_ms"`
	ProvenMS int64 `json:"proven_ms,omitempty"` // somewhere in it
}

// sign is the part of a report about one sign.
type sign struct {
	id       string
	owner    string
	zone     *time.Location
	programs []plan.InForce
	older    func() []plan.InForce // earlier programs, which a sign without contact may still play
}

// day returns the date of a moment in the sign's zone.
func (s *sign) day(ms int64) string { return time.UnixMilli(ms).In(s.zone).Format(time.DateOnly) }

// each calls do for the signs of a query, sorted by name.
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

// item finds the item of a play: the one with the frame in a program in force from
// a until b (Unix ms). The first frame of an item counts its plays.
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
	// A sign without contact plays an older program than the last one issued.
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

// slackMS is how late a sign may begin to play a new program.
const slackMS = 60_000

// oldest is the age in seconds of the oldest program that a sign without contact
// may play: the life of a program and of the comm-loss loop.
const oldest = 40 * 24 * 3600

func has(p *timeline.Program, it *timeline.Item, frame string) bool {
	return slices.ContainsFunc(it.Steps, func(st timeline.Step) bool { return p.Frames[st.Frame].SHA256 == frame })
}

// times returns the plays of an item for a number of showings of a frame. The
// first frame counts the plays; some items show it more than once in a play.
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
