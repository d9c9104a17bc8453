package alert

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"slices"
	"strings"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// Report says which sign showed an alert from when to when, and what gave way.
// It is there when the alert is over; its error is an *Error of code Conflict
// before.
func (s *Service) Report(ctx context.Context, id string) (*playlists.AlertReport, error) {
	e, err := s.find(id)
	if err != nil {
		return nil, err
	}
	if err := s.read(ctx, e); err != nil {
		return nil, err
	}
	s.mu.Lock()
	a, l := e.Alert, e.look
	start := e.start()
	signs := map[string]way{}
	if e.way != nil {
		for sign, w := range e.way.Signs {
			signs[sign] = *w
		}
	}
	known := s.signs
	s.mu.Unlock()
	if a.State != playlists.AlertEnded {
		return nil, &playlists.Error{Code: playlists.Conflict, Field: "alerts/" + id + ".state", Value: string(a.State), Problem: "is not over", Remedy: "GET the alert for its counts until then"}
	}
	r := &playlists.AlertReport{ID: id, Signs: []playlists.SignShowed{}, GaveWay: []playlists.GaveWay{}}
	lost := map[playlists.GaveWay]int64{}
	seen := map[[sha256.Size]byte]map[playlists.GaveWay]int64{} // signs with one program give way alike
	for sign, w := range signs {
		x := playlists.SignShowed{Sign: sign, Owner: known[sign].Owner, Reached: w.stage(), Reason: w.Reason, FromMS: w.ShowingMS}
		if w.ShowingMS > 0 {
			if x.UntilMS = w.EndedMS; x.UntilMS == 0 {
				x.UntilMS = a.EndedMS // it ends it at until by itself; that it said so was lost
			}
		}
		if x.ProofMS, err = s.o.History.Proved(ctx, sign, id, start, a.EndedMS+1); err != nil {
			return nil, err
		}
		if art := l.Art[w.Class]; (w.ShowingMS > 0 || w.Picture && w.SentMS > 0) && a.Mode != playlists.AlertDrill && art != nil {
			programs, err := s.o.History.Programs(ctx, sign, start, a.EndedMS)
			if err != nil {
				return nil, err
			}
			on := a.OnWire(art, func(string) bool { return true })
			k, err := likeness(programs, w.Class)
			if err != nil {
				return nil, err
			}
			if seen[k] == nil {
				seen[k] = gaveWay(programs, on, known[sign], start, a.EndedMS)
			}
			for what, ms := range seen[k] {
				lost[what] += ms
			}
		}
		r.Signs = append(r.Signs, x)
	}
	slices.SortFunc(r.Signs, func(a, b playlists.SignShowed) int { return strings.Compare(a.Sign, b.Sign) })
	for what, ms := range lost {
		what.MS = ms
		r.GaveWay = append(r.GaveWay, what)
	}
	slices.SortFunc(r.GaveWay, func(a, b playlists.GaveWay) int {
		if c := strings.Compare(a.Owner, b.Owner); c != 0 {
			return c
		}
		return strings.Compare(a.Item, b.Item)
	})
	return r, nil
}

// likeness is equal for signs whose programs show the same at the same times.
func likeness(programs []*timeline.Program, class string) ([sha256.Size]byte, error) {
	type part struct {
		Iat      int64
		Items    []timeline.Item
		Loops    []timeline.Loop
		Segments []timeline.Segment
		Fallback int64
	}
	var all []part
	for _, p := range programs {
		all = append(all, part{p.Iat, p.Items, p.Loops, p.Segments, p.Fallback})
	}
	text, err := json.Marshal([]any{class, all})
	return sha256.Sum256(text), err
}

// gaveWay walks along what a sign would have shown while the alert was on: how
// long each item, from startMS until endMS.
func gaveWay(programs []*timeline.Program, on timeline.Alert, sign playlists.Sign, startMS, endMS int64) map[playlists.GaveWay]int64 {
	out := map[playlists.GaveWay]int64{}
	on.Areas, on.Signs = nil, []string{sign.ID} // the walk is of one that it reached
	for i, p := range programs {
		from, until := startMS, endMS
		if i > 0 {
			from = max(from, p.Iat*1000)
		}
		if i+1 < len(programs) {
			until = min(until, programs[i+1].Iat*1000)
		}
		for t := from; t < until; {
			c := timeline.Conditions{Sign: sign.ID, Areas: sign.Areas, ClockTrusted: true, LastContactMS: t}
			with, without := timeline.At(p, []timeline.Alert{on}, c, t), timeline.At(p, nil, c, t)
			next := min(with.UntilMS, without.UntilMS, until)
			if next <= t {
				break // At promises a later time; a fault there must not hang the report
			}
			if with.Why == timeline.WhyAlert && without.Item != "" {
				out[playlists.GaveWay{Owner: without.Owner, Item: without.Item}] += next - t
			}
			t = next
		}
	}
	return out
}
