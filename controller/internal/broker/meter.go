package broker

import (
	"sync"
	"time"
)

// What one sign may do in a span of time (PROTOCOL.md, Limits).
const (
	floodCount = 20
	floodSpan  = 10 * time.Second
)

// window counts what happened within floodSpan. The zero window is empty.
type window struct {
	times [floodCount]time.Time // a ring; next is the oldest
	next  int
}

// take reports whether one more fits at now, and counts it if so. What did not
// fit does not count: a sign that never stops still gets its share through.
func (w *window) take(now time.Time) bool {
	if oldest := w.times[w.next]; !oldest.IsZero() && now.Sub(oldest) < floodSpan {
		return false
	}
	w.times[w.next] = now
	w.next = (w.next + 1) % floodCount
	return true
}

// meter holds a sign's windows across its connections, so that connecting again
// does not begin anew. There are never more entries than accounts that logged in.
type meter struct {
	now func() time.Time
	mu  sync.Mutex
	by  map[string]*usage
}

type usage struct {
	messages, connects window
	told               map[string]time.Time // by kind of trouble, when it was last reported
}

func (m *meter) of(sign string) *usage {
	u := m.by[sign]
	if u == nil {
		u = &usage{told: map[string]time.Time{}}
		m.by[sign] = u
	}
	return u
}

// message reports whether the sign may send one more message now.
func (m *meter) message(sign string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.of(sign).messages.take(m.now())
}

// connect reports whether the sign may connect once more now. Every connection
// can leave a will, and that is a message too.
func (m *meter) connect(sign string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.of(sign).connects.take(m.now())
}

// tell reports whether trouble of a kind should be reported: once in floodSpan
// for a sign, so that a flood of messages is no flood of reports.
func (m *meter) tell(sign, kind string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	u, now := m.of(sign), m.now()
	if last, ok := u.told[kind]; ok && now.Sub(last) < floodSpan {
		return false
	}
	u.told[kind] = now
	return true
}
