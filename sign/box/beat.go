package box

import (
	"math"

	"ledcast/sign/output"
)

// Times of the play loop in ms.
const (
	beatEvery   = 5_000 // so that a watchdog notices a loop that hangs
	outputAgain = 1_000 // after an output failed
)

// beat reports that the play loop is alive to the watchdog and to outputs that repeat a still by themselves. It gives
// the face again to an output that failed: otherwise a sign whose picture does not change would stay without it. It
// returns the mono of the next beat at the latest.
func (b *Box) beat() int64 {
	mono, next := b.times.Mono(), int64(math.MaxInt64) // no watchdog
	if b.o.Alive != nil {
		b.o.Alive()
		next = mono + beatEvery
	}
	for _, o := range b.o.Outputs {
		if k, ok := o.(output.Keeper); ok {
			k.Keep()
			next = mono + beatEvery
		}
	}
	if !b.faults["output"] {
		delete(b.due, "output")
		return next
	}
	at, waiting := b.due["output"]
	if waiting && mono < at {
		return at
	}
	b.due["output"] = mono + outputAgain
	if waiting {
		b.redraw = true
		return mono
	}
	return mono + outputAgain
}
