package enrol

import (
	"net"
	"sync"
	"time"
)

// Presence tracks whether a client other than the controller's own virtual signs has a sign's session at the
// embedded broker. It is safe for concurrent use.
type Presence struct {
	mu       sync.Mutex
	own      map[string]bool    // local addresses of the controller's own connections
	sessions map[string]session // by sign
}

type session struct {
	external int       // number of connections of other clients
	left     time.Time // when the last of them closed
}

// NewPresence returns a Presence without connections.
func NewPresence() *Presence {
	return &Presence{own: map[string]bool{}, sessions: map[string]session{}}
}

// Opened records that a connection from this local address is the controller's own.
func (p *Presence) Opened(local net.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.own[local.String()] = true
}

// Session must be called by the broker when a sign's session begins or ends.
func (p *Presence) Session(sign string, remote net.Addr, up bool, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.own[remote.String()] {
		if !up {
			delete(p.own, remote.String())
		}
		return
	}
	h := p.sessions[sign]
	if up {
		h.external++
	} else {
		h.external--
		h.left = at
	}
	p.sessions[sign] = h
}

// Free reports whether a virtual sign may connect: no other client has its session, and the last one closed at
// least after ago.
func (p *Presence) Free(sign string, now time.Time, after time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.sessions[sign]
	return h.external == 0 && (h.left.IsZero() || now.Sub(h.left) >= after)
}
