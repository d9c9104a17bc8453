package player

import "ledcast/sign/wire"

// Rules of signed times, in ms (docs/protocol.md, "Time").
const (
	answerWithin = 30_000 // after the status that asked
	smallStep    = 60_000 // a trusted clock takes such a step from one answer
	secondAfter  = 30_000 // for a larger one, a second answer comes so much later
	agreeWithin  = 5_000  // and agrees to this by the monotonic clock
)

// Verdict is what becomes of an answer.
type Verdict int

const (
	Ignored Verdict = iota // it answers no question
	Kept                   // the clock stays as it is
	Set                    // the clock is set
	Again                  // it would move the clock far: a second answer decides
)

// Timekeeper decides which signed times set the clock. Some seconds of a wrong clock at the controller change nothing
// on a sign whose clock is trusted, and a stolen key must answer twice, live. The zero Timekeeper has asked nothing.
type Timekeeper struct {
	questions []question // that wait for an answer
	offer     *offer     // an answer that waits for a second one
	disagrees bool
}

type question struct {
	challenge, session string
	monoMS             int64
	first              bool
}

type offer struct{ atMS, monoMS int64 }

// mostQuestions is how many may wait: the sign asks again while one waits.
const mostQuestions = 8

// Ask notes that a status went out at mono that asks for the time. first says that it is the first of its connection:
// an older controller answers that one, and brings back the session in place of the challenge.
func (t *Timekeeper) Ask(monoMS int64, challenge, session string, first bool) {
	if len(t.questions) == mostQuestions {
		t.questions = t.questions[1:]
	}
	t.questions = append(t.questions, question{challenge, session, monoMS, first})
}

// asked finds the question that a time answers, and how long it took.
func (t *Timekeeper) asked(monoMS int64, q *wire.SignRequest) (tripMS int64, ok bool) {
	for i := range t.questions {
		k := &t.questions[i]
		tripMS = monoMS - k.monoMS
		known := q.Challenge != "" && q.Challenge == k.challenge || q.Challenge == "" && k.first && q.Session == k.session
		if known && tripMS >= 0 && tripMS <= answerWithin {
			return tripMS, true
		}
	}
	return 0, false
}

// Disagrees reports whether NTP and the controller do not tell the same time. Effective time is then the controller's,
// because alerts are written in it.
func (t *Timekeeper) Disagrees() bool { return t.disagrees }

// Answer judges a signed time that arrived at mono. c is the present clock; ntp says that NTP holds the system's, which
// is at systemMS. atMS is the time to set, for Set.
func (t *Timekeeper) Answer(monoMS int64, q *wire.SignRequest, c Clock,
	systemMS int64, ntp bool) (atMS int64, v Verdict) {
	trip, ok := t.asked(monoMS, q)
	if !ok {
		return 0, Ignored
	}
	t.questions = nil
	at := q.AtMS + trip/2
	switch {
	case !c.Trusted():
		t.offer = nil
		return at, Set
	case ntp && near(at, systemMS, agreeWithin):
		t.offer, t.disagrees = nil, false
		return systemMS, Set
	case ntp && !t.disagrees, !near(at, c.Now(monoMS), smallStep):
		if o := t.offer; o != nil && near(at-o.atMS, monoMS-o.monoMS, agreeWithin) {
			if monoMS-o.monoMS < secondAfter {
				return 0, Again
			}
			t.offer, t.disagrees = nil, ntp
			return at, Set
		}
		t.offer = &offer{at, monoMS}
		return 0, Again
	}
	t.offer = nil
	return at, Set
}

// System judges the system's clock, which is looked at each minute, and reports whether effective time is to follow it.
func (t *Timekeeper) System(monoMS, systemMS int64, ntp bool, c Clock) bool {
	if !ntp {
		return false
	}
	if t.disagrees {
		t.disagrees = !near(systemMS, c.Now(monoMS), agreeWithin)
	}
	return !t.disagrees
}

func near(a, b, within int64) bool { return a-b <= within && b-a <= within }
