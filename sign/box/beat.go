package box

import (
	"math"

	"ledcast/sign/output"
)

// Times of a turn of the play loop in ms.
const (
	beatEvery   = 5_000 // a turn at least so often, so that a watchdog can tell a loop that hangs
	outputAgain = 1_000 // after an output failed
)

// beat tells whoever watches that the play loop turns: the watchdog, and
// outputs that repeat a still by themselves. An output that failed is given the
// face again, or a sign whose picture does not change would stay without it.
// It returns the mono of the next turn at the latest.
func (b *Box) beat() int64 {
	mono, next := b.times.Mono(), int64(math.MaxInt64) // nobody listens
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
