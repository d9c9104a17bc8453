package report

import "ledcast/playlists/timeline"

// eachPlanned calls add for everything that a program shows in [a, b) (Unix ms) without alerts. It walks one round
// of a loop and multiplies it by the number of whole rounds.
func eachPlanned(p *timeline.Program, a, b int64, add func(s *timeline.Shown, ms int64)) {
	// The plan assumes that the sign is in contact and its clock is trusted.
	c := timeline.Conditions{Sign: p.Sign, Areas: p.Areas, ClockTrusted: true, LastContactMS: b}
	walk := func(from, until, rounds int64) {
		for s := range timeline.Walk(p, nil, c, from, until) {
			add(&s.Shown, (s.UntilMS-s.FromMS)*rounds)
		}
	}
	for at := a; at < b; {
		length, until := round(p, at)
		until = min(until, b)
		if length > 0 && (until-at)/length > 1 {
			rounds := (until - at) / length
			walk(at, at+length, rounds)
			at += rounds * length
		}
		walk(at, until, 1)
		at = until
	}
}

// round returns the length in ms of one round of the loop at t, and the time until which the loop repeats (Unix
// ms). The length is 0 if there is no loop.
func round(p *timeline.Program, t int64) (length, until int64) {
	exp := p.Exp * 1000
	if t >= exp {
		return 0, 1<<63 - 1
	}
	for _, s := range p.Segments {
		switch {
		case t < s.From*1000: // a gap before the segment
			return p.LoopLength(p.Fallback), min(s.From*1000, exp)
		case t >= s.Until*1000:
			continue
		case s.Loop == timeline.Dark:
			return 0, min(s.Until*1000, exp)
		}
		return p.LoopLength(s.Loop), min(s.Until*1000, exp)
	}
	return p.LoopLength(p.Fallback), exp
}
