package box

// A broker ends the older of two connections with one client id. Two boxes that run with one config file therefore push
// each other off, again and again.
const (
	faultTakenOver = "taken-over"
	// takeoverWithin is how soon after it stood a connection ends by that.
	takeoverWithin = 30_000
	// takeovers in takeoverWindow are a fault. A broker that restarts ends a connection once.
	takeovers      = 3
	takeoverWindow = 5 * 60_000
)

// takeover notices that somebody else connects under the sign's name. Times are monotonic milliseconds.
type takeover struct {
	up   int64 // when the connection stood
	lost []int64
}

// connected notes that a connection stands.
func (t *takeover) connected(mono int64) { t.up = mono }

// closed notes that the other side ended the connection. It reports whether that is a fault.
func (t *takeover) closed(mono int64) bool {
	if mono-t.up > takeoverWithin {
		return false
	}
	t.lost = append(t.lost, mono)
	return t.fault(mono)
}

// fault reports whether the sign was pushed off several times lately.
func (t *takeover) fault(mono int64) bool {
	for len(t.lost) > 0 && mono-t.lost[0] > takeoverWindow {
		t.lost = t.lost[1:]
	}
	return len(t.lost) >= takeovers
}
