package box

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	mrand "math/rand/v2"

	"ledcast/playlists/timeline"
	"ledcast/sign/accept"
	"ledcast/sign/player"
	"ledcast/sign/wire"
)

// retryFrom is the step of the clock, in ms, from which refused documents are tried again.
const retryFrom = 1000

// ask publishes a status that asks for the time. Without an answer it is said again, later each time.
func (b *Box) ask(mono int64, first bool) {
	if b.conn == nil {
		return
	}
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand.Read panics instead
	b.askWith(mono, first, base64.RawURLEncoding.EncodeToString(random[:]))
}

func (b *Box) askWith(mono int64, first bool, challenge string) {
	b.challenge = challenge
	b.timekeeper.Ask(mono, challenge, b.conn.Session(), first)
	b.due["ask"] = mono + b.askWait
	b.askWait = min(2*b.askWait, askMost)
	b.sendStatus(mono)
}

// doubtClock asks for the time because a document was refused by the clock, at most once a minute.
func (b *Box) doubtClock(mono int64) {
	if b.conn == nil || mono < b.doubtMS {
		return
	}
	b.doubtMS = mono + doubtEvery
	b.askWait = askFirst
	b.due["ask"] = mono
}

// answered takes a signed time.
func (b *Box) answered(ctx context.Context, q *wire.SignRequest, mono int64) {
	system, ntp := b.times.System()
	at, verdict := b.timekeeper.Answer(mono, q, b.player.Clock, system, ntp)
	if verdict == player.Ignored {
		return
	}
	b.askWait = askFirst
	b.due["ask"] = mono + askEvery*9/10 + mrand.Int64N(askEvery/5)
	switch verdict {
	case player.Again:
		b.log.Warn("the controller tells another time", "ms", q.AtMS-b.player.Clock.Now(mono))
		b.due["ask"] = mono + 31_000
	case player.Set:
		trusted := b.player.Clock.Trusted()
		b.setTime(ctx, mono, at, b.player.SetSignedTime)
		if !trusted {
			b.sendStatus(mono)
		}
	}
	b.noteDisagreement(mono)
}

// followSystem takes over the system's time while NTP holds it.
func (b *Box) followSystem(ctx context.Context, mono int64) {
	ms, ntp := b.times.System()
	if b.timekeeper.System(mono, ms, ntp, b.player.Clock) {
		b.setTime(ctx, mono, ms, b.player.SetTime)
	}
	b.noteDisagreement(mono)
}

func (b *Box) noteDisagreement(mono int64) {
	const code = "clock-disagrees"
	if was := b.faults[code]; was == b.timekeeper.Disagrees() {
		return
	}
	if b.timekeeper.Disagrees() {
		b.faults[code] = true
		b.log.Warn("fault", "code", code, "err", "NTP and the controller tell different times")
	} else {
		delete(b.faults, code)
	}
	b.sendStatus(mono)
}

func (b *Box) setTime(ctx context.Context, mono, atMS int64, set func(monoMS, atMS int64)) {
	before, trusted := b.player.Clock.Now(mono), b.player.Clock.Trusted()
	if before == atMS && trusted {
		return
	}
	set(mono, atMS)
	b.clockSet(before, atMS, trusted)
	b.revive(ctx, mono)
	if step := atMS - before; !trusted || step >= retryFrom || step <= -retryFrom {
		b.step(ctx, accept.ClockSet{}, mono)
	}
}

// revive tells the machine which alerts run again.
func (b *Box) revive(ctx context.Context, mono int64) {
	var again []string
	b.player.Alerts(func(a *timeline.Alert, _ *timeline.AlertSet, _ bool) {
		if b.machine.Over(a.ID) && !b.player.Over(a.ID) && b.player.Clock.Now(mono) < a.Until*1000 {
			again = append(again, a.ID)
		}
	})
	for _, id := range again {
		b.log.Info("an alert runs again, because the clock was set back", "alert", id)
		b.step(ctx, accept.Revived{Alert: id}, mono)
	}
}

// saveInterval is how long after a save the next one follows.
func (b *Box) saveInterval() int64 {
	if len(b.player.Ran(b.times.Mono())) > 0 {
		return runningEvery
	}
	return saveEvery
}
