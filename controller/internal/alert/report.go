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
		return nil, &playlists.Error{Code: playlists.Conflict, Field: "alerts/" + id + ".state", Value: string(a.State),
			Key: "alert-not-over"}
	}
	last := a.EndedMS // until when any sign can have had it
	for _, w := range signs {
		_, until := w.had(&a)
		last = max(last, until)
	}
	others, err := s.beside(ctx, &a, start, last)
	if err != nil {
		return nil, err
	}
	r := &playlists.AlertReport{ID: id, Signs: []playlists.SignShowed{}, GaveWay: []playlists.GaveWay{}}
	lost := map[playlists.GaveWay]int64{}
	seen := map[[sha256.Size]byte]*walked{} // signs with one program and the same alerts are alike
	for sign, w := range signs {
		x := playlists.SignShowed{Sign: sign, Owner: known[sign].Owner, Reached: w.stage(), Reason: w.Reason,
			FromMS: w.ShowingMS}
		from, until := w.had(&a)
		if w.ShowingMS > 0 {
			x.UntilMS = until
		}
		if x.ProofMS, err = s.o.History.Proved(ctx, sign, id, start, last+1); err != nil {
			return nil, err
		}
		if art := l.Art[w.Class]; from < until && art != nil {
			programs, err := s.o.History.Programs(ctx, sign, start, last)
			if err != nil {
				return nil, err
			}
			there := reaching(others, w.Class, known[sign])
			k, err := likeness(programs, w.Class, there)
			if err != nil {
				return nil, err
			}
			if seen[k] == nil {
				seen[k] = walk(programs, a.OnWire(art, func(string) bool { return true }), there, sign, start, last)
			}
			seen[k].within(from, until, lost)
		}
		r.Signs = append(r.Signs, x)
	}
	slices.SortFunc(r.Signs, func(a, b playlists.SignShowed) int { return strings.Compare(a.Sign, b.Sign) })
	for what, ms := range lost {
		if what.MS = ms; ms == 0 {
			continue
		}
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

// had is from when until when a sign had the alert on its face, as far as is
// known: from its word that it shows it to its word that it ended it. That word
// may come late, from a sign that was away, and nothing shows after until.
func (w *way) had(a *playlists.Alert) (fromMS, untilMS int64) {
	switch {
	case a.Mode == playlists.AlertDrill:
		return 0, 0
	case w.ShowingMS > 0:
		fromMS, untilMS = w.ShowingMS, a.EndedMS // that it said so was lost
		if w.EndedMS > 0 {
			untilMS = min(w.EndedMS, int64(a.Until)*1000)
		}
	case w.Picture && w.SentMS > 0:
		fromMS, untilMS = w.SentMS, a.EndedMS
	}
	return fromMS, max(fromMS, untilMS)
}

// other is an alert that was on beside the one that a report is of.
type other struct {
	playlists.Alert
	look            *look
	fromMS, untilMS int64
}

// beside are the alerts that were on at some time from startMS until endMS.
func (s *Service) beside(ctx context.Context, a *playlists.Alert, startMS, endMS int64) ([]other, error) {
	var there []*entry
	s.mu.Lock()
	for _, e := range s.entries {
		if e.ID != a.ID && e.ApprovedMS > 0 && e.Mode != playlists.AlertDrill && e.start() < endMS &&
			e.end() > max(startMS, e.start()) {
			there = append(there, e)
		}
	}
	s.mu.Unlock()
	var out []other
	for _, e := range there {
		if err := s.read(ctx, e); err != nil {
			return nil, err
		}
		s.mu.Lock()
		out = append(out, other{e.Alert, e.look, e.start(), e.end()})
		s.mu.Unlock()
	}
	slices.SortFunc(out, func(a, b other) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

// end is the moment from which signs have it no more, in ms.
func (e *entry) end() int64 {
	if e.State == playlists.AlertEnded {
		return min(int64(e.Until)*1000, e.EndedMS)
	}
	return int64(e.Until) * 1000
}

// onSign is another alert as a sign has it, and when.
type onSign struct {
	Alert           timeline.Alert
	FromMS, UntilMS int64
}

// reaching are those of the others that reach a sign.
func reaching(others []other, class string, sign playlists.Sign) []onSign {
	var out []onSign
	for _, x := range others {
		if art := x.look.Art[class]; art != nil && x.Reaches(&sign) {
			on := x.OnWire(art, func(string) bool { return true })
			on.Areas, on.Signs = nil, nil // the walk knows that it reaches
			out = append(out, onSign{on, x.fromMS, x.untilMS})
		}
	}
	return out
}

// likeness is equal for signs whose programs and alerts show the same at the
// same times.
func likeness(programs []*timeline.Program, class string, others []onSign) ([sha256.Size]byte, error) {
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
	text, err := json.Marshal([]any{class, all, others})
	return sha256.Sum256(text), err
}

// walked is what gave way on signs that are alike, piece by piece, over the
// longest time that one of them can have had the alert.
type walked struct {
	pieces []piece
	total  map[playlists.GaveWay]int64
}

type piece struct {
	fromMS, untilMS int64
	what            playlists.GaveWay
}

// within adds to sum what gave way from fromMS until untilMS: the total without
// its two ends, for most signs of ten thousand differ in these alone.
func (w *walked) within(fromMS, untilMS int64, sum map[playlists.GaveWay]int64) {
	for what, ms := range w.total {
		sum[what] += ms
	}
	for i := 0; i < len(w.pieces) && w.pieces[i].fromMS < fromMS; i++ {
		p := &w.pieces[i]
		sum[p.what] -= min(fromMS, p.untilMS) - p.fromMS
	}
	for i := len(w.pieces) - 1; i >= 0 && w.pieces[i].untilMS > untilMS; i-- {
		p := &w.pieces[i]
		sum[p.what] -= p.untilMS - max(untilMS, p.fromMS)
	}
}

// walk goes along what a sign would have shown without alerts. What gave way is
// counted for the alert that had the face at that time, and for no other: over
// all reports it is counted once.
func walk(programs []*timeline.Program, on timeline.Alert, others []onSign, sign string, startMS, endMS int64) *walked {
	out := &walked{total: map[playlists.GaveWay]int64{}}
	on.Areas, on.Signs = nil, []string{sign} // the walk is of one that it reached
	for i, p := range programs {
		from, until := startMS, endMS
		if i > 0 {
			from = max(from, p.Iat*1000)
		}
		if i+1 < len(programs) {
			until = min(until, programs[i+1].Iat*1000)
		}
		for t := from; t < until; {
			with, next := []timeline.Alert{on}, until
			for _, x := range others {
				switch {
				case t < x.FromMS:
					next = min(next, x.FromMS)
				case t < x.UntilMS:
					next = min(next, x.UntilMS)
					x.Alert.Signs = on.Signs
					with = append(with, x.Alert)
				}
			}
			c := timeline.Conditions{Sign: sign, ClockTrusted: true, LastContactMS: next}
			for shows := range timeline.Walk(p, with, c, t, next) {
				if shows.Why != timeline.WhyAlert || shows.Item != on.ID {
					continue
				}
				for otherwise := range timeline.Walk(p, nil, c, shows.FromMS, shows.UntilMS) {
					if otherwise.Item == "" {
						continue
					}
					what := playlists.GaveWay{Owner: otherwise.Owner, Item: otherwise.Item}
					out.pieces = append(out.pieces, piece{otherwise.FromMS, otherwise.UntilMS, what})
					out.total[what] += otherwise.UntilMS - otherwise.FromMS
				}
			}
			t = next
		}
	}
	return out
}
