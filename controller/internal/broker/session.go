package broker

import (
	"net"
	"slices"
	"sync"

	mqtt "github.com/mochi-mqtt/server/v2"
)

// conn is one accepted connection, from accept until the broker has let go of it.
type conn struct {
	net.Conn          // what the broker reads and writes: raw, or TLS on it
	raw      net.Conn // closed to end it at once; TLS would wait for the other side
	done     chan struct{}

	// Set while the CONNECT is read, by the connection's own goroutine.
	client *mqtt.Client
	user   string // "" until it is let in
	id     string // client id; "" until it is let in
}

func (c *conn) Close() error { return c.raw.Close() }

// controller reports whether the connection is the controller's own.
func (c *conn) controller() bool { return c.user == ControllerUser }

// sessions knows who is connected, one connection for each client id.
//
// The server under us replaces a session while the old connection's goroutine
// may still be cleaning up; if that comes late it removes the new session from
// the server's tables, and the new connection lives on without ever being sent
// anything. It also sends DISCONNECT to the old connection first, and waits for
// ever if that one no longer reads. So a new connection waits here until the old
// one was closed and is gone from the server: the server never sees two.
type sessions struct {
	mu      sync.Mutex
	closing bool
	all     map[*conn]struct{}
	byID    map[string]*conn                            // let in
	changed func(user string, remote net.Addr, up bool) // or nil
}

// add counts a connection in; false when the broker is closing.
func (s *sessions) add(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.all[c] = struct{}{}
	return true
}

// enter gives c its client id, after the connection that had it is gone.
func (s *sessions) enter(c *conn) {
	for {
		s.mu.Lock()
		old := s.byID[c.id]
		if old == nil {
			s.byID[c.id] = c
			s.mu.Unlock()
			if s.changed != nil {
				s.changed(c.user, c.RemoteAddr(), true)
			}
			return
		}
		s.mu.Unlock()
		_ = old.Close()
		<-old.done
	}
}

// leave forgets c and lets in the connections that wait for its id.
func (s *sessions) leave(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, c)
	if s.byID[c.id] == c {
		delete(s.byID, c.id)
		if s.changed != nil {
			s.changed(c.user, c.RemoteAddr(), false)
		}
	}
	close(c.done)
}

// disconnect closes the connection of a client id, if there is one.
func (s *sessions) disconnect(id string) {
	s.mu.Lock()
	c := s.byID[id]
	s.mu.Unlock()
	if c != nil {
		_ = c.Close()
	}
}

// signs lists those let in but the controller, sorted.
func (s *sessions) signs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	signs := []string{}
	for id, c := range s.byID {
		if !c.controller() {
			signs = append(signs, id)
		}
	}
	slices.Sort(signs)
	return signs
}

// close closes every connection and lets no more in.
func (s *sessions) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = true
	for c := range s.all {
		_ = c.Close()
	}
}
