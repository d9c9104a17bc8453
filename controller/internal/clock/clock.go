// Package clock decides whether the controller may believe its own clock.
//
// A controller that starts with a wrong date takes the clocks of all signs with it, and ends alerts that should run. So
// it holds its clock against what it knows otherwise: the rows that it wrote, what signs say, and the monotonic clock.
// While it doubts its clock it issues nothing new. Nothing here reads a clock: each moment is an argument.
package clock

import (
	"slices"
	"time"

	"ledcast/playlists"
)

// Limits of the protocol, section Time.
const (
	// Behind is how far the clock may be behind the newest row of the controller's own.
	Behind = 5 * time.Minute
	// Apart is how far it may be from what most trusted signs say, and how far it may jump.
	Apart = time.Minute
	// AfterStep is how long a jump is doubted.
	AfterStep = time.Minute
	// Fresh is how long a status counts: two statuses and a minute.
	Fresh = 11 * time.Minute
	// Hear is how long a start that nothing confirms waits for signs.
	Hear = 30 * time.Second
	// fewest is how many trusted signs have to speak: one sign alone may be wrong itself.
	fewest = 2
)

// Moment is what the clocks of the machine say at once.
type Moment struct {
	Wall int64         // Unix ms
	Mono time.Duration // since any moment, always the same one; no step of the wall clock moves it
	Held bool          // NTP holds the wall clock
}

// Why says what the judge found.
type Why string

// What the judge finds.
const (
	Sure    Why = ""
	Rows    Why = "rows"    // the clock is behind the newest row
	Signs   Why = "signs"   // most trusted signs say another time
	Stepped Why = "stepped" // it jumped a moment ago
	// Unheard is no doubt: the controller has stood still for a while, and waits a moment for its signs to speak before
	// it issues or ends anything.
	Unheard Why = "unheard"
)

// State is what the judge thinks of the clock.
type State struct {
	Why Why
	// OffMS is by how much the clock is ahead of what it is held against; below 0 it is behind.
	OffMS int64
	// Confirmed says that NTP, signs or a person stand for the clock now.
	Confirmed bool
	// GuessMS is the best guess of the time, Unix ms: what signs say where they say another time, else the clock.
	GuessMS int64
}

// Doubt reports whether the clock is in doubt.
func (s State) Doubt() bool { return s.Why != Sure && s.Why != Unheard }

// Held reports whether nothing new may be issued: the clock is in doubt, or waits for signs to speak.
func (s State) Held() bool { return s.Why != Sure }

// Reason says why, for people; the zero Phrase while nothing is held.
func (s State) Reason() playlists.Phrase {
	off := s.OffMS / 1000
	switch s.Why {
	case Rows:
		return playlists.Phrase{Key: "clock-behind-rows", Args: []any{-off}}
	case Signs:
		if off > 0 {
			return playlists.Phrase{Key: "clock-ahead-of-signs", Args: []any{off}}
		}
		return playlists.Phrase{Key: "clock-behind-signs", Args: []any{-off}}
	case Stepped:
		return playlists.Phrase{Key: "clock-stepped", Args: []any{off, int64(AfterStep / time.Second)}}
	case Unheard:
		return playlists.Phrase{Key: "clock-unheard", Args: []any{int64(Hear / time.Second)}}
	}
	return playlists.Phrase{}
}

// Words is Reason in both languages.
func (s State) Words() playlists.Text {
	p := s.Reason()
	e := &playlists.Error{Key: p.Key, Args: p.Args}
	return playlists.Text{VI: e.Vietnamese().Title, EN: e.English().Title}
}

// Refusal refuses what needs a right clock; nil while nothing is held.
func (s State) Refusal() *playlists.Error {
	if !s.Held() {
		return nil
	}
	return &playlists.Error{Code: playlists.Conflict, Field: "clock", Value: string(s.Why), Key: "clock-in-doubt",
		Args: []any{s.Reason()}}
}

// vote is what a trusted sign said last.
type vote struct {
	atMS int64         // what its clock said
	mono time.Duration // when that arrived
}

// Judge holds the clock against what is known. It is not safe for concurrent use, and its moments do not go back.
type Judge struct {
	newest int64 // of the rows that are witnesses, Unix ms; 0 for none
	votes  map[string]vote
	last   Moment

	tally tally

	began    time.Duration
	waits    bool // for signs to speak
	stepped  bool
	stepAt   time.Duration
	stepMS   int64
	accepted bool // a person stands for the clock, until it jumps or most signs agree
}

// New makes a judge at the controller's start. newest is the time of the newest row that is a witness, Unix ms (0:
// there is none), and signs is how many there are that could speak.
func New(m Moment, newest int64, signs int) *Judge {
	// A clock that goes on where the rows end needs nobody's word. One that is ahead of them tells nothing: the
	// controller was stopped for as long, or the clock is wrong.
	waits := newest > 0 && signs >= fewest && m.Wall-newest > Behind.Milliseconds()
	return &Judge{newest: newest, votes: map[string]vote{}, last: m, began: m.Mono, waits: waits}
}

// Wrote takes the time of a row that the controller has written.
func (j *Judge) Wrote(atMS int64) { j.newest = max(j.newest, atMS) }

// Newest is the time of the newest row that is a witness, Unix ms.
func (j *Judge) Newest() int64 { return j.newest }

// Heard takes what a sign's clock says in a status that has arrived now. A sign that does not trust its clock is no
// witness.
func (j *Judge) Heard(m Moment, sign string, atMS int64, trusted bool) {
	if !trusted {
		delete(j.votes, sign)
		return
	}
	j.votes[sign] = vote{atMS, m.Mono}
}

// Accept takes a person's word for the clock. It holds until the clock jumps, or most signs agree. Rows later than now
// are no witnesses any more.
func (j *Judge) Accept(m Moment) {
	j.Look(m)
	j.accepted, j.stepped, j.waits = true, false, false
	j.Forget(m.Wall)
}

// Forget takes rows later than atMS for no witnesses.
func (j *Judge) Forget(atMS int64) { j.newest = min(j.newest, atMS) }

// Look judges the clock.
func (j *Judge) Look(m Moment) State {
	jump := m.Wall - j.last.Wall - (m.Mono - j.last.Mono).Milliseconds()
	j.last = m
	fresh := jump > Apart.Milliseconds() || jump < -Apart.Milliseconds()
	if fresh {
		j.stepped, j.stepAt, j.stepMS, j.accepted = true, m.Mono, jump, false
	}
	if j.stepped && m.Mono-j.stepAt >= AfterStep {
		j.stepped = false
	}
	off, all, agree := j.count(m)
	if all >= fewest || m.Mono-j.began >= Hear {
		j.waits = false
	}
	switch {
	case m.Held && !fresh: // a step clears the kernel's word; what was read beside the step may be from before it
		j.stepped, j.waits = false, false
		return State{Confirmed: true, GuessMS: m.Wall}
	case all >= fewest && 2*agree > all:
		j.stepped, j.accepted = false, false
		return State{Confirmed: true, GuessMS: m.Wall}
	case j.accepted:
		return State{Confirmed: true, GuessMS: m.Wall}
	case all >= fewest && 2*(all-agree) > all:
		return State{Why: Signs, OffMS: off, GuessMS: m.Wall - off}
	case j.newest-m.Wall > Behind.Milliseconds():
		return State{Why: Rows, OffMS: m.Wall - j.newest, GuessMS: m.Wall}
	case j.stepped:
		return State{Why: Stepped, OffMS: j.stepMS, GuessMS: m.Wall}
	case j.waits:
		return State{Why: Unheard, GuessMS: m.Wall}
	}
	return State{GuessMS: m.Wall}
}

// tally is what signs said when they were counted last.
type tally struct {
	at         time.Duration
	base       int64 // the wall clock less the monotonic one, ms
	off        int64 // by how much the clock is ahead of the one in the middle
	all, agree int
}

// countAgain is how soon many signs are counted again: each request to one of ten thousand signs asks for the count.
const countAgain = 250 * time.Millisecond

// count says by how much the clock is ahead of most trusted signs', how many there are, and how many agree with it.
func (j *Judge) count(m Moment) (off int64, all, agree int) {
	t, base := &j.tally, m.Wall-m.Mono.Milliseconds()
	if moved := base - t.base; len(j.votes) > 64 && m.Mono-t.at < countAgain && moved < 1000 && moved > -1000 {
		return t.off, t.all, t.agree
	}
	offs := j.offs(m)
	*t = tally{at: m.Mono, base: base, all: len(offs)}
	for _, x := range offs {
		if x <= Apart.Milliseconds() && x >= -Apart.Milliseconds() {
			t.agree++
		}
	}
	if t.all > 0 {
		t.off = offs[t.all/2]
	}
	return t.off, t.all, t.agree
}

// offs is by how much the clock is ahead of each trusted sign's, in ms, sorted. A sign's clock goes on by the monotonic
// one from the moment that its status arrived, so a step of the wall clock afterwards shows at once.
func (j *Judge) offs(m Moment) []int64 {
	out := make([]int64, 0, len(j.votes))
	for sign, v := range j.votes {
		if m.Mono-v.mono > Fresh {
			delete(j.votes, sign)
			continue
		}
		out = append(out, m.Wall-v.atMS-(m.Mono-v.mono).Milliseconds())
	}
	slices.Sort(out)
	return out
}

// Mark says which rows are no witnesses: when somebody stood for the clock, they were later than now. The zero Mark
// marks none.
type Mark struct {
	AtMS    int64 `json:"at_ms"`    // when, Unix ms
	Entry   int64 `json:"entry"`    // the newest entry of the log then
	UntilMS int64 `json:"until_ms"` // the time of the latest document then, Unix ms
}

// Document reports whether a document with this iat is a witness. The times up to that of the latest marked one come
// again; documents of then are no witnesses either, for nothing tells them apart.
func (k Mark) Document(iatMS int64) bool { return iatMS <= k.AtMS || iatMS > k.UntilMS }

// Logged reports whether an entry of the log is a witness.
func (k Mark) Logged(n, atMS int64) bool { return n > k.Entry || atMS <= k.AtMS }
