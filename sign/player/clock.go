package player

import "ledcast/sign/wire"

// Clock is effective time: the monotonic clock plus an offset (docs/protocol.md,
// "Time"). MonoMS is milliseconds since the process began; a suspended or reset
// system clock does not change it.
type Clock struct {
	offsetMS int64
	trusted  bool
}

// StartClock begins with the newer of the system's clock and the time last saved, because a box without a battery
// starts in 1970. trusted says that NTP holds the system's clock, which then counts alone.
func StartClock(monoMS, systemMS, savedMS int64, trusted bool) Clock {
	if trusted {
		return Clock{offsetMS: systemMS - monoMS, trusted: true}
	}
	return Clock{offsetMS: max(systemMS, savedMS) - monoMS}
}

// Set takes over a signed time, backwards too.
func (c *Clock) Set(monoMS, atMS int64) { c.offsetMS, c.trusted = atMS-monoMS, true }

// Now is effective time in Unix ms.
func (c Clock) Now(monoMS int64) int64 { return monoMS + c.offsetMS }

// Trusted reports whether NTP or a signed time vouches for the clock.
func (c Clock) Trusted() bool { return c.trusted }

// Wire is the clock as the checks of documents take it.
func (c Clock) Wire(monoMS int64) wire.Clock {
	return wire.Clock{NowMS: c.Now(monoMS), Trusted: c.trusted}
}
