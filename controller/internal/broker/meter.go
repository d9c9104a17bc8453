package broker

import (
	"sync"
	"time"

	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// What one sign may do in a span of time.
const (
	floodCount = timeline.FloodMessages
	floodSpan  = timeline.FloodMS * time.Millisecond
)

// meter holds a sign's windows across its connections, so that connecting again
// does not begin anew. There are never more entries than accounts that logged in.
type meter struct {
	now func() time.Time
	mu  sync.Mutex
	by  map[string]*usage
}

type usage struct {
	messages, connects *wire.Window
	reported           map[string]*wire.Window // by kind of trouble
}

func (m *meter) of(sign string) *usage {
	u := m.by[sign]
	if u == nil {
		u = &usage{messages: wire.FloodWindow(), connects: wire.FloodWindow(), reported: map[string]*wire.Window{}}
		m.by[sign] = u
	}
	return u
}

// message reports whether the sign may send one more message now.
func (m *meter) message(sign string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.of(sign).messages.Take(m.now())
}

// connect reports whether the sign may connect once more now. Every connection
// can leave a will, and that is a message too.
func (m *meter) connect(sign string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.of(sign).connects.Take(m.now())
}

// report reports whether trouble of a kind should be reported: once in floodSpan for a sign, so that a flood of
// messages is no flood of reports.
func (m *meter) report(sign, kind string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.of(sign)
	w := u.reported[kind]
	if w == nil {
		w = wire.NewWindow(1, floodSpan)
		u.reported[kind] = w
	}
	return w.Take(m.now())
}
