// Package player turns a clock and accepted documents into what is on the face now. It checks nothing and fetches
// nothing: give it only what was accepted. It has no network, no disk and no goroutine.
//
// [Player.At] answers with timeline.At. The player adds what a pure function cannot know: when an alert arrived, and
// that what ended stays ended. [Strip] draws the answer.
package player

import (
	"math"

	"ledcast/playlists/timeline"
)

// Player plays one face. Its times are monotonic, in ms.
type Player struct {
	Clock Clock

	sign    string
	areas   []string
	program *timeline.Program
	sets    [2]*timeline.AlertSet // live and test
	runs    map[string]*run       // by alert id
	missing map[string]bool       // alerts whose frames are not all there
	contact int64                 // effective ms of the last contact with the broker
	merged  []timeline.Alert      // of both sets, as At gets them
	dirty   bool
}

// run is what the player remembers of an alert beyond its document.
type run struct {
	deadline int64 // monotonic ms; only a signed time raises it, and never beyond the alert's own length
	shifted  bool  // it arrived while the clock was not trusted
	from     int64 // then its start by that clock's count, Unix s
	ended    bool
	byClock  bool  // it ended because its time had passed: a signed time that moves the clock back may revive it
	ranMS    int64 // how long it has run on this sign, by the monotonic clock
	sinceMS  int64 // mono since which it runs beyond ranMS; never where it does not
}

// never is a mono that has not come.
const never = math.MinInt64

// ran is how long it has run until mono.
func (r *run) ran(monoMS int64) int64 {
	if r.sinceMS == never {
		return r.ranMS
	}
	return r.ranMS + monoMS - r.sinceMS
}

// stop ends it at mono.
func (r *run) stop(monoMS int64, byClock bool) {
	r.ranMS, r.sinceMS, r.ended, r.byClock = r.ran(monoMS), never, true, byClock
}

// New returns a player of a sign. areas are those of its config: they count until the first program.
func New(sign string, areas []string, clock Clock) *Player {
	return &Player{
		Clock:   clock,
		sign:    sign,
		areas:   areas,
		runs:    map[string]*run{},
		missing: map[string]bool{},
		dirty:   true,
	}
}

// SetProgram takes over a whole program; nil is none.
func (p *Player) SetProgram(g *timeline.Program) { p.program = g }

// Program returns the present program, or nil.
func (p *Player) Program() *timeline.Program { return p.program }

// SetAlerts takes over a set that arrived at mono; nil is none. Alerts that it names under ended, and alerts of the set
// before that it no longer has, are over at once.
func (p *Player) SetAlerts(test bool, set *timeline.AlertSet, monoMS int64) {
	i := 0
	if test {
		i = 1
	}
	p.sets[i] = set
	p.dirty = true
	if set == nil {
		return
	}
	for _, e := range set.Ended {
		p.end(e.ID, monoMS)
	}
	for k := range set.Alerts {
		a := &set.Alerts[k]
		if r := p.runs[a.ID]; r != nil {
			p.lower(r, a, set.Iat, monoMS)
			continue
		}
		r := &run{deadline: math.MaxInt64, sinceMS: never}
		if !p.Clock.Trusted() {
			// Its own span from its arrival, less what had passed when it was issued.
			r.shifted, r.from = true, p.Clock.Now(monoMS)/1000-max(0, issued(a, set.Iat)-a.From)
		}
		p.runs[a.ID] = r
		p.lower(r, a, set.Iat, monoMS)
	}
}

// lower brings an alert's deadline down to its end by the present clock. It does not raise it: a jump of the clock must
// not prolong an alert.
func (p *Player) lower(r *run, a *timeline.Alert, iat, monoMS int64) {
	left := a.Until*1000 - p.Clock.Now(monoMS)
	if !p.Clock.Trusted() {
		left = (a.Until - max(a.From, issued(a, iat))) * 1000
	}
	r.deadline = min(r.deadline, monoMS+left)
}

// issued is when a set was issued, for an alert of it. A set that holds an alert after its end was issued by a wrong
// clock, which says nothing about how much of the alert is left.
func issued(a *timeline.Alert, iat int64) int64 {
	if iat >= a.Until {
		return a.From
	}
	return iat
}

// SetTime takes over the time of the system, which NTP holds. What ended stays ended.
func (p *Player) SetTime(monoMS, atMS int64) { p.setTime(monoMS, atMS, false) }

// SetSignedTime takes over a signed time. Where it moves the clock back before the end of an alert that ended by the
// clock, or whose deadline a wrong clock brought forward, the alert runs again: until its end, and never longer than
// its own length in all.
func (p *Player) SetSignedTime(monoMS, atMS int64) { p.setTime(monoMS, atMS, true) }

func (p *Player) setTime(monoMS, atMS int64, signed bool) {
	before := p.Clock.Now(monoMS)
	p.Clock.Set(monoMS, atMS)
	for _, set := range p.sets {
		if set == nil {
			continue
		}
		for k := range set.Alerts {
			a := &set.Alerts[k]
			if r := p.runs[a.ID]; r != nil {
				r.shifted = false
				if signed && atMS < before {
					r.raise(a, before, atMS, monoMS)
				}
				p.lower(r, a, set.Iat, monoMS)
			}
		}
	}
	p.dirty = true
}

// raise puts an alert's deadline at its end by a clock that was set back from beforeMS to nowMS. What it has run
// already counts. One that ended is revived only where that clock had passed its end.
func (r *run) raise(a *timeline.Alert, beforeMS, nowMS, monoMS int64) {
	left := min(a.Until*1000-nowMS, (a.Until-a.From)*1000-r.ran(monoMS))
	if left <= 0 || r.ended && (!r.byClock || beforeMS < a.Until*1000) {
		return
	}
	r.ended, r.byClock, r.deadline = false, false, monoMS+left
}

func (p *Player) end(id string, monoMS int64) {
	if p.runs[id] == nil {
		p.runs[id] = &run{sinceMS: never}
	}
	p.runs[id].stop(monoMS, false)
}

// End marks an alert as over for good. Call it after a restart for alerts that were over before.
func (p *Player) End(id string) { p.end(id, 0); p.dirty = true }

// Restore gives back after a restart how long an alert had run (ms), and whether it had ended by the clock alone.
func (p *Player) Restore(id string, ranMS int64, ended bool) {
	p.runs[id] = &run{deadline: math.MaxInt64, sinceMS: never, ranMS: ranMS, ended: ended, byClock: ended}
	p.dirty = true
}

// Ran is how long each alert has run, in ms, of those that run and those that ended by the clock alone.
func (p *Player) Ran(monoMS int64) map[string]int64 {
	out := map[string]int64{}
	p.Alerts(func(a *timeline.Alert, _ *timeline.AlertSet, _ bool) {
		if r := p.runs[a.ID]; r != nil && (!r.ended || r.byClock) {
			out[a.ID] = r.ran(monoMS)
		}
	})
	return out
}

// Over reports whether an alert is over for this sign.
func (p *Player) Over(id string) bool { r := p.runs[id]; return r != nil && r.ended }

// SetReady sets whether all frames of an alert are there.
func (p *Player) SetReady(alert string, ready bool) {
	if ready {
		delete(p.missing, alert)
	} else {
		p.missing[alert] = true
	}
}

// Contact notes that the broker was reached at mono.
func (p *Player) Contact(monoMS int64) { p.contact = p.Clock.Now(monoMS) }

// SetContact restores the last contact from disk, in effective ms.
func (p *Player) SetContact(ms int64) { p.contact = ms }

// LastContact returns the last contact with the broker in effective ms.
func (p *Player) LastContact() int64 { return p.contact }

// At returns what shows at mono, and the mono before which the answer stays the same but for a scroll's position. That
// time may be early and is never late.
func (p *Player) At(monoMS int64) (timeline.Shown, int64) {
	now := p.Clock.Now(monoMS)
	next := int64(math.MaxInt64)
	for _, r := range p.runs {
		if r.ended {
			continue
		}
		if r.deadline <= monoMS {
			r.stop(monoMS, true)
			p.dirty = true
		} else {
			next = min(next, r.deadline)
		}
	}
	if p.dirty {
		p.merge(monoMS)
	}
	s := timeline.At(p.program, p.merged, timeline.Conditions{
		Sign: p.sign, Areas: p.areas, ClockTrusted: p.Clock.Trusted(),
		LastContactMS: p.contact, NotReady: p.missing,
	}, now)
	if s.UntilMS != math.MaxInt64 {
		next = min(next, monoMS+s.UntilMS-now)
	}
	return s, next
}

// merge gathers the alerts that are not over. By an untrusted clock they run
// from their arrival.
func (p *Player) merge(monoMS int64) {
	p.merged = p.merged[:0]
	for i, set := range p.sets {
		if set == nil {
			continue
		}
		for _, a := range set.Alerts {
			a.Test = i == 1
			r := p.runs[a.ID]
			if r.ended {
				continue
			}
			if r.sinceMS == never && p.Clock.Now(monoMS) >= a.From*1000 {
				r.sinceMS = monoMS
			}
			if r.shifted {
				a.From, a.Until = r.from, r.from+a.Until-a.From
			}
			p.merged = append(p.merged, a)
		}
	}
	p.dirty = false
}

// Alerts visits the alerts of both sets.
func (p *Player) Alerts(visit func(a *timeline.Alert, set *timeline.AlertSet, test bool)) {
	for i, set := range p.sets {
		if set == nil {
			continue
		}
		for k := range set.Alerts {
			visit(&set.Alerts[k], set, i == 1)
		}
	}
}

// Areas returns the areas in force: the program's, or the config's before the first program.
func (p *Player) Areas() []string {
	if p.program != nil {
		return p.program.Areas
	}
	return p.areas
}
