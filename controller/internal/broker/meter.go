package broker

import (
	"sync"
	"time"

	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// What one sign may do in a span of time. The listener holds signs to the protocol's limit, whatever broker they use:
// it keeps what matters of what is over. The broker takes no more large messages than the protocol allows, and no more
// small ones than the listener can look at.
const (
	floodCount = timeline.FloodMessages
	floodSpan  = timeline.FloodMS * time.Millisecond
	smallCount = 10 * floodCount
)

// meter holds a sign's windows across its connections, so that connecting again
// does not begin anew. There are never more entries than accounts that logged in.
type meter struct {
	now func() time.Time
	mu  sync.Mutex
	by  map[string]*usage
}

type usage struct {
	large, small, connects *wire.Window
	reported               map[string]*wire.Window // by kind of trouble
}

func (m *meter) of(sign string) *usage {
	u := m.by[sign]
	if u == nil {
		u = &usage{large: wire.FloodWindow(), small: wire.NewWindow(smallCount, floodSpan), connects: wire.FloodWindow(),
			reported: map[string]*wire.Window{}}
		m.by[sign] = u
	}
	return u
}

// message reports whether the sign may send one more message of a kind now, and how many it may send.
func (m *meter) message(sign string, leaf wire.Leaf) (most int, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if leaf == wire.LeafStatus || leaf == wire.LeafAck {
		return smallCount, m.of(sign).small.Take(m.now())
	}
	return floodCount, m.of(sign).large.Take(m.now())
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
