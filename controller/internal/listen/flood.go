package listen

import (
	"bytes"
	"context"
	"time"

	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// What one sign may send (docs/protocol.md, Limits).
const (
	// firstStatuses is how many first statuses of a connection, in the time of one window, do not count.
	firstStatuses = 5
	// mostHeld bounds what is held of a sign that sends too much: its newest status and its newest acks.
	mostHeld = 32
	// flushEvery is how often what is held is looked at.
	flushEvery = 250 * time.Millisecond
	// floodFault is shown for as long after messages were dropped.
	floodFault = 10 * time.Minute
)

// FaultTwin is the fault of a sign under whose identity two boxes speak in turns.
const FaultTwin = "two boxes with one identity"

// FaultFlood is the fault of a sign that sends more than it may. The rest was dropped.
const FaultFlood = "flood"

// flood holds a sign to its limit. Of what is over the limit it holds the newest status and the newest acks until the
// window ends, because they say what stands on a face: a sign whose power fails five times in a row is no attacker.
// Snapshots and proof of play are dropped; they are asked for again, or sent again.
type flood struct {
	messages *wire.Window
	firsts   *wire.Window
	held     []heldMessage // in the order in which they came
}

type heldMessage struct {
	key     heldKey
	leaf    wire.Leaf
	payload []byte
}

// heldKey tells what a newer message replaces. A status has the zero key.
type heldKey struct {
	role, alert string
	seq         int64
}

func newFlood() *flood {
	return &flood{messages: wire.FloodWindow(),
		firsts: wire.NewWindow(firstStatuses, timeline.FloodMS*time.Millisecond)}
}

// take reports whether a message may be taken at now. If not, it may have been held; dropped says that it was not.
// first marks the first status of a connection.
func (f *flood) take(now time.Time, leaf wire.Leaf, payload []byte, first bool) (ok, dropped bool) {
	if first && len(f.held) == 0 && f.firsts.Take(now) {
		return true, false
	}
	if len(f.held) == 0 && f.messages.Take(now) {
		return true, false
	}
	return false, !f.hold(leaf, payload)
}

// hold keeps a status or an ack until the window ends, in place of an older one about the same.
func (f *flood) hold(leaf wire.Leaf, payload []byte) bool {
	var key heldKey
	switch leaf {
	case wire.LeafStatus:
		if len(payload) > wire.MaxStatus {
			return false
		}
	case wire.LeafAck:
		a, err := wire.ParseAck(payload)
		if err != nil {
			return false
		}
		key = heldKey{a.Role, a.Alert, a.Seq}
	default:
		return false
	}
	for i := range f.held {
		if f.held[i].key == key {
			f.held = append(f.held[:i], f.held[i+1:]...)
			break
		}
	}
	if len(f.held) == mostHeld {
		f.held = f.held[1:]
	}
	f.held = append(f.held, heldMessage{key, leaf, bytes.Clone(payload)})
	return true
}

// due returns what is held once the window has ended, and holds it no longer. It does not count.
func (f *flood) due(now time.Time) []heldMessage {
	if len(f.held) == 0 || f.messages.Wait(now) > 0 {
		return nil
	}
	out := f.held
	f.held = nil
	return out
}

// Run delivers what was held of signs that sent too much, until ctx ends.
func (l *Listener) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.held:
		}
		tick := time.NewTicker(flushEvery)
		for more := true; more; {
			select {
			case <-ctx.Done():
				more = false
			case <-tick.C:
				more = l.flush()
			}
		}
		tick.Stop()
	}
}

// flush delivers what is held of every sign whose window has ended, and reports whether more is held.
func (l *Listener) flush() (more bool) {
	now := l.now()
	l.mu.Lock()
	due := map[string][]heldMessage{}
	for sign := range l.holding {
		h := l.signs[sign]
		if m := h.flood.due(now); m != nil {
			due[sign] = m
		}
		if len(h.flood.held) == 0 {
			delete(l.holding, sign)
		}
	}
	more = len(l.holding) > 0
	l.mu.Unlock()
	for sign, messages := range due {
		for _, m := range messages {
			l.deliver(sign, m.leaf, m.payload, false, now)
		}
	}
	return more
}
