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

// Report returns when each sign showed an alert and which items gave way to it. It
// returns an *Error of code Conflict if the alert has not ended.
func (s *Service) Report(ctx context.Context, id string) (*playlists.AlertReport, error) {
	e, err := s.findLoaded(ctx, id)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	a, r := e.Alert, e.rendering
	start := e.startMS()
	signs := map[string]progress{}
	if e.delivery != nil {
		for sign, p := range e.delivery.Signs {
			signs[sign] = *p
		}
	}
	byID := s.signs
	s.mu.Unlock()
	if a.State != playlists.AlertEnded {
		return nil, &playlists.Error{Code: playlists.Conflict, Field: "alerts/" + id + ".state", Value: string(a.State),
			Key: "alert-not-over"}
	}
	last := a.EndedMS // the latest time at which a sign can have shown it
	for _, p := range signs {
		_, until := p.shownBetween(&a)
		last = max(last, until)
	}
	others, err := s.concurrent(ctx, &a, start, last)
	if err != nil {
		return nil, err
	}
	report := &playlists.AlertReport{ID: id, Signs: []playlists.SignShowed{}}
	sums := map[playlists.GaveWay]int64{}
	seen := map[[sha256.Size]byte]*gaveWay{} // signs with equal programs and alerts share a walk
	for sign, p := range signs {
		x := playlists.SignShowed{Sign: sign, Owner: byID[sign].Owner, Reached: p.stage(), Reason: p.Reason,
			FromMS: p.ShowingMS}
		from, until := p.shownBetween(&a)
		if p.ShowingMS > 0 {
			x.UntilMS = until
		}
		if x.ProofMS, err = s.o.History.Proved(ctx, sign, id, start, last+1); err != nil {
			return nil, err
		}
		if art := r.Art[p.Class]; from < until && art != nil {
			programs, err := s.o.History.Programs(ctx, sign, start, last)
			if err != nil {
				return nil, err
			}
			onSign := othersOnSign(others, p.Class, byID[sign])
			k, err := groupKey(programs, p.Class, onSign)
			if err != nil {
				return nil, err
			}
			if seen[k] == nil {
				onWire := a.OnWire(art, func(string) bool { return true })
				seen[k] = walk(programs, onWire, onSign, sign, start, last)
			}
			seen[k].addWithin(from, until, sums)
		}
		report.Signs = append(report.Signs, x)
	}
	slices.SortFunc(report.Signs, func(a, b playlists.SignShowed) int { return strings.Compare(a.Sign, b.Sign) })
	report.GaveWay = listGaveWay(sums)
	return report, nil
}

// listGaveWay lists the sums that are not zero, sorted by owner and item.
func listGaveWay(sums map[playlists.GaveWay]int64) []playlists.GaveWay {
	out := []playlists.GaveWay{}
	for what, ms := range sums {
		if what.MS = ms; ms != 0 {
			out = append(out, what)
		}
	}
	slices.SortFunc(out, func(a, b playlists.GaveWay) int {
		if c := strings.Compare(a.Owner, b.Owner); c != 0 {
			return c
		}
		return strings.Compare(a.Item, b.Item)
	})
	return out
}

// shownBetween returns when a sign showed the alert according to its acks. An ack of the
// end may arrive late if the sign was offline, but no sign shows an alert after Until.
func (p *progress) shownBetween(a *playlists.Alert) (fromMS, untilMS int64) {
	switch {
	case a.Mode == playlists.AlertDrill:
		return 0, 0
	case p.ShowingMS > 0:
		fromMS, untilMS = p.ShowingMS, a.EndedMS // used if there is no ack of the end
		if p.EndedMS > 0 {
			untilMS = min(p.EndedMS, int64(a.Until)*1000)
		}
	case p.Picture && p.SentMS > 0:
		fromMS, untilMS = p.SentMS, a.EndedMS
	}
	return fromMS, max(fromMS, untilMS)
}

// other is an alert that ran at the same time as the reported one.
type other struct {
	playlists.Alert
	look            *rendering
	fromMS, untilMS int64
}

// concurrent returns the other alerts that ran between startMS and endMS.
func (s *Service) concurrent(ctx context.Context, a *playlists.Alert, startMS, endMS int64) ([]other, error) {
	var entries []*entry
	s.mu.Lock()
	for _, e := range s.entries {
		if e.ID != a.ID && e.ApprovedMS > 0 && e.Mode != playlists.AlertDrill && e.startMS() < endMS &&
			e.endMS() > max(startMS, e.startMS()) {
			entries = append(entries, e)
		}
	}
	s.mu.Unlock()
	var out []other
	for _, e := range entries {
		if err := s.load(ctx, e); err != nil {
			return nil, err
		}
		s.mu.Lock()
		out = append(out, other{e.Alert, e.rendering, e.startMS(), e.endMS()})
		s.mu.Unlock()
	}
	slices.SortFunc(out, func(a, b other) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

// endMS returns when signs stop showing the alert.
func (e *entry) endMS() int64 {
	if e.State == playlists.AlertEnded {
		return min(int64(e.Until)*1000, e.EndedMS)
	}
	return int64(e.Until) * 1000
}

// otherOnSign is another alert as a sign shows it.
type otherOnSign struct {
	Alert           timeline.Alert
	FromMS, UntilMS int64
}

// othersOnSign returns the other alerts that reach a sign.
func othersOnSign(others []other, class string, sign playlists.Sign) []otherOnSign {
	var out []otherOnSign
	for _, x := range others {
		if art := x.look.Art[class]; art != nil && x.Reaches(&sign) {
			on := x.OnWire(art, func(string) bool { return true })
			on.Areas, on.Signs = nil, nil // walk sets them, so that signs can share a walk
			out = append(out, otherOnSign{on, x.fromMS, x.untilMS})
		}
	}
	return out
}

// groupKey returns a key that is equal for signs with equal programs and alerts.
func groupKey(programs []*timeline.Program, class string, others []otherOnSign) ([sha256.Size]byte, error) {
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

// gaveWay has the items that gave way on a group of signs, over the longest time that
// one of them can have shown the alert.
type gaveWay struct {
	pieces []piece
	total  map[playlists.GaveWay]int64
}

type piece struct {
	fromMS, untilMS int64
	what            playlists.GaveWay
}

// addWithin adds to sum what gave way between fromMS and untilMS. It subtracts both ends
// from the total, which is fast for many signs that differ little.
func (w *gaveWay) addWithin(fromMS, untilMS int64, sum map[playlists.GaveWay]int64) {
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

// walk returns the items that a sign would have shown while it showed the given alert.
// Time during which another alert was shown counts in that alert's report only.
func walk(programs []*timeline.Program, alert timeline.Alert, others []otherOnSign, sign string,
	startMS, endMS int64) *gaveWay {
	out := &gaveWay{total: map[playlists.GaveWay]int64{}}
	alert.Areas, alert.Signs = nil, []string{sign} // the alert reaches the sign
	for i, p := range programs {
		from, until := startMS, endMS
		if i > 0 {
			from = max(from, p.Iat*1000)
		}
		if i+1 < len(programs) {
			until = min(until, programs[i+1].Iat*1000)
		}
		for t := from; t < until; {
			alerts, next := []timeline.Alert{alert}, until
			for _, x := range others {
				switch {
				case t < x.FromMS:
					next = min(next, x.FromMS)
				case t < x.UntilMS:
					next = min(next, x.UntilMS)
					x.Alert.Signs = alert.Signs
					alerts = append(alerts, x.Alert)
				}
			}
			c := timeline.Conditions{Sign: sign, ClockTrusted: true, LastContactMS: next}
			for shown := range timeline.Walk(p, alerts, c, t, next) {
				if shown.Why != timeline.WhyAlert || shown.Item != alert.ID {
					continue
				}
				for otherwise := range timeline.Walk(p, nil, c, shown.FromMS, shown.UntilMS) {
					if otherwise.Item == "" {
						continue
					}
					what := playlists.GaveWay{Owner: otherwise.Owner}
					if otherwise.Owner == playlists.Public { // the department reads no company's items
						what.Item = otherwise.Item
					}
					out.pieces = append(out.pieces, piece{otherwise.FromMS, otherwise.UntilMS, what})
					out.total[what] += otherwise.UntilMS - otherwise.FromMS
				}
			}
			t = next
		}
	}
	return out
}
