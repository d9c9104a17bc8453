// Package report compares what signs have shown, by their play records, with what was asked for and planned. It
// reads play records and issued programs but never the current playlists, so later changes and deletions do not
// change a report.
//
// A play record covers up to a quarter of an hour. For each frame it has the number of times and the total time
// that the frame was on the output. The item that a frame belongs to comes from the program in force. Time without
// a record is unproven: a report lists it and never counts it as shown.
//
// The planned times come from package timeline, like what the sign's player shows. docs/reports.md defines each
// number.
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

// Book reads the stored programs and play records.
type Book interface {
	// Signs returns the IDs of all signs that ever had a program.
	Signs(ctx context.Context) ([]string, error)
	// Programs returns the programs of a sign that were in force at some time in [from, until), Unix seconds, in
	// order.
	Programs(ctx context.Context, sign string, from, until int64) ([]plan.InForce, error)
	// Records calls do for each record of a sign that touches the time from fromMS until untilMS and is at
	// most a day long.
	Records(ctx context.Context, sign string, fromMS, untilMS int64, do func(*playlists.PlayRecord) error) error
}

// Types returns a value of each report type, for the OpenAPI document.
func Types() []any { return []any{Delivery{}, Shares{}, Displacement{}, Uptimes{}} }

// Query selects what a report covers.
type Query struct {
	// From and Until are Unix seconds, Until exclusive. They are multiples of a quarter of an hour, because signs
	// close their records then.
	From, Until int64
	// Now is the current time in Unix seconds. Later time does not count as missing. 0 means a time after Until.
	Now int64
	// Owner restricts the report to the signs of a company. "" means all signs.
	Owner string
	// Content is the owner whose items are listed individually, like those of the department. Items of other owners
	// are summed up by owner. "" lists all items individually.
	Content  string
	Sign     string // "" for all
	Campaign string // "" for all
}

// Span is a part of a day that records do not cover, or cover only partly.
type Span struct {
	FromMS   int64 `json:"from_ms"`
	UntilMS  int64 `json:"until_ms"`
	ProvenMS int64 `json:"proven_ms,omitempty"` // time within the span that is proven, at an unknown position
}

// sign has the data of one sign for a report.
type sign struct {
	id       string
	owner    string
	zone     *time.Location
	programs []plan.InForce
	older    func() []plan.InForce // returns earlier programs, which a sign without contact may still play
}

// day returns the date at a time (Unix ms) in the sign's zone.
func (s *sign) day(ms int64) string { return time.UnixMilli(ms).In(s.zone).Format(time.DateOnly) }

// eachSign calls visit for the signs of a query, sorted by ID.
func eachSign(ctx context.Context, b Book, q Query, visit func(*sign) error) error {
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
			list, olderErr = b.Programs(ctx, id, q.From-maxProgramAge, q.From)
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

// item returns the item of a play and its program. It searches the programs in force from a until b (Unix ms) for
// an item with the play's frame.
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
	// A sign without contact may play an older program.
	if it, f := newest(s.programs, p); it != nil {
		return it, f
	}
	return newest(s.older(), p)
}

// newest returns the item of a play in the latest program that has it.
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

// slackMS is the time within which a sign starts to play a new program.
const slackMS = 60_000

// maxProgramAge is the maximum age in seconds of the program that a sign without contact plays. It is the life of a
// program plus that of the comm-loss loop.
const maxProgramAge = 40 * 24 * 3600

func has(p *timeline.Program, it *timeline.Item, frame string) bool {
	return slices.ContainsFunc(it.Steps, func(st timeline.Step) bool { return p.Frames[st.Frame].SHA256 == frame })
}

// playsOf returns the number of plays of an item that count showings of a frame make. Only the first frame of an
// item is counted, divided by the number of its steps in the item.
func playsOf(p *timeline.Program, it *timeline.Item, frame string, count int64) int64 {
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
