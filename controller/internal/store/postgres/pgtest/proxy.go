package pgtest

import (
	"bytes"
	"net"
	"net/url"
	"sync"
	"testing"
)

// Proxy stands between a client and the server, and fails as networks and servers do.
type Proxy struct {
	// DSN is the address of the database through the proxy.
	DSN string

	upstream string
	mu       sync.Mutex
	changed  *sync.Cond
	mode     mode
	atCommit mode // of the next commit; pass: none
	open     map[net.Conn]bool
}

type mode int

const (
	pass   mode = iota
	refuse      // connections are closed
	freeze      // nothing goes through, either way
	mute        // what the server says does not go through
)

// NewProxy starts a proxy for the database at dsn, until the end of the test.
func NewProxy(t testing.TB, dsn string) *Proxy {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{upstream: u.Query().Get("host"), open: map[net.Conn]bool{}}
	p.changed = sync.NewCond(&p.mu)
	port := u.Query().Get("port")
	if port == "" {
		port = "5432"
	}
	p.upstream += "/.s.PGSQL." + port
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u.Host = ln.Addr().String()
	u.RawQuery = "sslmode=disable"
	p.DSN = u.String()
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			running.Go(func() { p.serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		p.Cut()
		running.Wait()
	})
	return p
}

// Cut closes all connections and refuses new ones.
func (p *Proxy) Cut() {
	p.set(refuse)
	p.Close()
}

// Close closes all connections. New ones are accepted.
func (p *Proxy) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		_ = c.Close()
	}
}

// Freeze lets nothing through, and closes nothing.
func (p *Proxy) Freeze() { p.set(freeze) }

// Mute lets nothing through that the server says.
func (p *Proxy) Mute() { p.set(mute) }

// Pass lets everything through again.
func (p *Proxy) Pass() { p.set(pass) }

// LoseAnswer mutes the server from the next commit on, which it receives.
func (p *Proxy) LoseAnswer() { p.armed(mute) }

// LoseCommit lets nothing through from the next commit on.
func (p *Proxy) LoseCommit() { p.armed(freeze) }

func (p *Proxy) armed(m mode) {
	p.mu.Lock()
	p.atCommit = m
	p.mu.Unlock()
}

func (p *Proxy) set(m mode) {
	p.mu.Lock()
	p.mode = m
	p.mu.Unlock()
	p.changed.Broadcast()
}

// serve connects one client with the server.
func (p *Proxy) serve(client net.Conn) {
	defer client.Close()
	p.mu.Lock()
	refused := p.mode == refuse
	p.mu.Unlock()
	if refused {
		return
	}
	server, err := net.Dial("unix", p.upstream)
	if err != nil {
		return
	}
	defer server.Close()
	p.mu.Lock()
	p.open[client], p.open[server] = true, true
	p.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.copy(client, server, mute)
		_ = client.Close()
	}()
	p.copy(server, client, freeze)
	_ = server.Close()
	<-done
	p.mu.Lock()
	delete(p.open, client)
	delete(p.open, server)
	p.mu.Unlock()
}

// copy copies while the mode is not freeze, nor the given one.
func (p *Proxy) copy(to, from net.Conn, not mode) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		p.mu.Lock()
		if not == freeze && p.atCommit != pass && bytes.Contains(bytes.ToLower(buf[:n]), []byte("commit")) {
			p.mode, p.atCommit = p.atCommit, pass
		}
		for p.mode == freeze || p.mode == not {
			p.changed.Wait()
		}
		p.mu.Unlock()
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
