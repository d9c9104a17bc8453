package timeline

import (
	"math"
	"sort"
)

// Values of Shown.Why, and of why in a sign's status: what put the picture on the face.
const (
	WhyProgram  = "program"
	WhyAlert    = "alert"
	WhyFallback = "fallback"
	WhyCommLoss = "comm-loss"
	WhyDark     = "dark"
)

// commLossLife is how long the comm-loss loop goes on past a program's end.
const commLossLife = 30 * 24 * 3600

// Conditions are what a sign knows besides its documents.
type Conditions struct {
	Sign          string
	Areas         []string        // of the config: used until there is a program
	ClockTrusted  bool            // NTP or a signed time vouches for the clock
	LastContactMS int64           // last contact with the broker; the present while connected
	NotReady      map[string]bool // ids of alerts whose frames are not all there
}

// Shown is what is on the face. The zero Shown is a dark face.
type Shown struct {
	Why      string // one of the Why constants
	Rule     string // the segment's own reason, where a segment decided
	Item     string // item or alert id; "" when dark
	Owner    string
	Campaign string
	Frame    *Frame // nil when dark
	Step     int    // index within the item's steps
	Scroll   *Scroll
	TauMS    int64 // since the step began
	Percent  int64 // brightness
	UntilMS  int64 // the answer is the same, but for TauMS, before this; may be early, never late
}

// Offset returns which pixel of the strip the face's first pixel shows, along the scroll's axis; 0 for a still.
func (s *Shown) Offset() int64 {
	if s.Scroll == nil || s.Frame == nil {
		return 0
	}
	n := s.Frame.W
	if s.Scroll.Axis == "y" {
		n = s.Frame.H
	}
	return mod(floorDiv(s.TauMS*s.Scroll.PxS, 1000), n)
}

// At returns what a sign shows at tMS (Unix ms): THE function. p is its program, or nil before the first. alerts are
// those of every accepted set, in any order. Both must be valid, as sign/wire checks them. At changes neither.
func At(p *Program, alerts []Alert, c Conditions, tMS int64) Shown {
	areas := c.Areas
	if p != nil {
		areas = p.Areas
	}
	percent, next := int64(100), int64(math.MaxInt64)
	var floor int64
	if p != nil {
		percent, next = level(p.Brightness, 100, tMS)
		var n int64
		floor, n = level(p.AlertFloor, 0, tMS)
		next = min(next, n)
	}
	running, n := ranked(alerts, areas, c, tMS)
	next = min(next, n)

	posMS := tMS // what step 2 counts with
	if len(running) > 0 {
		a, pos, n, rest := turn(running, tMS)
		next = min(next, n)
		if a != nil {
			s := Shown{Why: WhyAlert, Rule: "alert:" + a.ID, Item: a.ID, Percent: percent}
			if !a.Test {
				s.Percent = max(percent, floor)
			}
			s.play(a.Frames, a.Steps, mod(pos, Length(a.Steps)), tMS, next)
			return s
		}
		posMS = rest
	}
	s := fromProgram(p, c, tMS, posMS, next)
	s.Percent = percent
	return s
}

// ranked gives the alerts that run at tMS, first-ranked first, and the next
// time at which one begins, ends or stops being exclusive.
func ranked(alerts []Alert, areas []string, c Conditions, tMS int64) (running []*Alert, next int64) {
	next = math.MaxInt64
	for i := range alerts {
		a := &alerts[i]
		if a.Drill || c.NotReady[a.ID] || len(a.Steps) == 0 || !a.Reaches(c.Sign, areas) {
			continue
		}
		for _, b := range [...]int64{a.From, a.Until, a.From + a.ExclusiveS} {
			if b*1000 > tMS {
				next = min(next, b*1000)
			}
		}
		if a.From*1000 <= tMS && tMS < a.Until*1000 {
			running = append(running, a)
		}
	}
	sort.SliceStable(running, func(i, j int) bool {
		a, b := running[i], running[j]
		if a.Priority != b.Priority {
			return a.Priority > b.Priority
		}
		if a.From != b.From {
			return a.From > b.From
		}
		return a.ID < b.ID
	})
	return running, next
}

// turn finds whose turn it is among running alerts, first-ranked first: an alert and its position, or nil and the
// position from which the program's loop counts.
func turn(running []*Alert, tMS int64) (a *Alert, pos, next, rest int64) {
	exclusive := func(a *Alert) bool { return tMS < (a.From+a.ExclusiveS)*1000 }
	var shares, cycle int64
	for _, a := range running {
		if exclusive(a) {
			continue
		}
		if cycle == 0 {
			cycle = a.CycleMS
		}
		shares += a.ShareMS
	}
	next = math.MaxInt64
	var c int64
	if cycle > 0 {
		cycle = max(cycle, shares)
		c = mod(tMS, cycle)
		next = tMS + cycle - c
	}
	var o int64
	for _, a := range running {
		if exclusive(a) {
			return a, tMS - a.From*1000, next, 0
		}
		if c < o+a.ShareMS { // and o ≤ c, or one ranked above it would have had the turn
			return a, c - o, min(next, tMS+o+a.ShareMS-c), 0
		}
		o += a.ShareMS
	}
	return nil, 0, next, floorDiv(tMS, cycle)*(cycle-shares) + c - shares
}

// fromProgram is step 2 of the rule: which loop, and where in it.
func fromProgram(p *Program, c Conditions, tMS, posMS, next int64) Shown {
	if p == nil {
		return Shown{Why: WhyDark, UntilMS: next}
	}
	after := func(ms int64) {
		if ms > tMS {
			next = min(next, ms)
		}
	}
	var loop int64
	var why, rule string
	lost := c.LastContactMS + p.CommLoss.AfterS*1000
	after(p.Exp * 1000)
	after((p.Exp + commLossLife) * 1000)
	after(lost)
	switch {
	case !c.ClockTrusted:
		loop, why = p.Fallback, WhyFallback
	case tMS >= (p.Exp+commLossLife)*1000:
		loop, why = Dark, WhyDark
	case tMS >= p.Exp*1000, tMS >= lost:
		loop, why = p.CommLoss.Loop, WhyCommLoss
	default:
		i := sort.Search(len(p.Segments), func(i int) bool { return p.Segments[i].Until*1000 > tMS })
		loop, why = p.Fallback, WhyFallback
		if i < len(p.Segments) {
			if s := &p.Segments[i]; s.From*1000 <= tMS {
				loop, why, rule = s.Loop, WhyProgram, s.Why
				after(s.Until * 1000)
			} else {
				after(s.From * 1000)
			}
		}
	}
	if loop == Dark {
		return Shown{Why: WhyDark, Rule: rule, UntilMS: next}
	}
	pos := mod(posMS-p.Loops[loop].Anchor*1000, p.LoopLength(loop))
	i, start := p.place(loop, pos)
	it := &p.Items[p.Loops[loop].Order[i]]
	s := Shown{Why: why, Rule: rule, Item: it.ID, Owner: it.Owner, Campaign: it.Campaign}
	s.play(p.Frames, it.Steps, pos-start, tMS, next)
	return s
}

// play fills in the step that is on at position pos (0 ≤ pos < length).
func (s *Shown) play(frames []Frame, steps []Step, pos, tMS, next int64) {
	for i := range steps {
		st := &steps[i]
		if pos < st.MS {
			s.Frame, s.Step, s.Scroll, s.TauMS = &frames[st.Frame], i, st.Scroll, pos
			s.UntilMS = min(next, tMS+st.MS-pos)
			return
		}
		pos -= st.MS
	}
	panic("timeline: position beyond the item's length")
}

// level is the percentage of the entry that holds at tMS, else other, and when that changes.
func level(entries []Brightness, other, tMS int64) (percent, next int64) {
	percent, next = other, math.MaxInt64
	for i := range entries {
		b := &entries[i]
		if b.From*1000 > tMS {
			next = min(next, b.From*1000)
		} else if tMS < b.Until*1000 {
			return b.Percent, min(next, b.Until*1000)
		}
	}
	return
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

// mod is never negative for b > 0.
func mod(a, b int64) int64 {
	m := a % b
	if m < 0 {
		m += b
	}
	return m
}
