package wire

import (
	"time"

	"ledcast/playlists/timeline"
)

// Window counts events in a sliding window: at most so many within a span of time. It is used by one goroutine.
type Window struct {
	most  int
	span  time.Duration
	times []time.Time // a ring once it is full
	next  int         // the oldest of the ring
}

// NewWindow returns an empty window.
func NewWindow(most int, span time.Duration) *Window { return &Window{most: most, span: span} }

// FloodWindow returns the window of the protocol: 20 messages in 10 s from one sign.
func FloodWindow() *Window {
	return NewWindow(timeline.FloodMessages, timeline.FloodMS*time.Millisecond)
}

// Take counts an event and reports true if it fits at now. What does not fit does not count: a sign that never stops
// still gets its share through.
func (w *Window) Take(now time.Time) bool {
	switch {
	case len(w.times) < w.most:
		w.times = append(w.times, now)
		return true
	case w.Wait(now) > 0:
		return false
	}
	w.times[w.next] = now
	w.next = (w.next + 1) % w.most
	return true
}

// Wait returns how long after now the next event fits; 0 is at once.
func (w *Window) Wait(now time.Time) time.Duration {
	if len(w.times) < w.most {
		return 0
	}
	return max(0, w.span-now.Sub(w.times[w.next]))
}
