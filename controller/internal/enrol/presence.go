package enrol

import (
	"net"
	"sync"
	"time"
)

// Presence knows who holds each sign's session at the embedded broker: one of
// the controller's virtual signs, or a client from outside. It is safe for
// concurrent use.
type Presence struct {
	mu    sync.Mutex
	ours  map[string]bool // local addresses of our own connections
	holds map[string]hold // by sign
}

type hold struct {
	foreign int       // connections from outside
	left    time.Time // when the last of them went
}

// NewPresence knows of no connection yet.
func NewPresence() *Presence {
	return &Presence{ours: map[string]bool{}, holds: map[string]hold{}}
}

// Opened notes that a connection from this local address is ours.
func (p *Presence) Opened(local net.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ours[local.String()] = true
}

// Session is called by the broker when a sign's session begins or ends.
func (p *Presence) Session(sign string, remote net.Addr, up bool, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ours[remote.String()] {
		if !up {
			delete(p.ours, remote.String())
		}
		return
	}
	h := p.holds[sign]
	if up {
		h.foreign++
	} else {
		h.foreign--
		h.left = at
	}
	p.holds[sign] = h
}

// Free reports whether a virtual sign may connect: nobody from outside holds
// its session, and the last one has been gone for a while.
func (p *Presence) Free(sign string, now time.Time, after time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.holds[sign]
	return h.foreign == 0 && (h.left.IsZero() || now.Sub(h.left) >= after)
}
