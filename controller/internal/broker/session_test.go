package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// TestTakeover: the same sign's new connection ends the old one, whose will is
// published, and hears everything from then on.
func TestTakeover(t *testing.T) {
	eachVersion(t, func(t *testing.T, v byte) {
		h := start(t)
		ctl := h.controller()
		c := as("qn-001")
		c.v, c.will = v, will(status("qn-001"), "offline a")
		first := h.in(c)
		first.subscribed("led/v1/keys")
		c.will = will(status("qn-001"), "offline b")
		second := h.in(c)
		first.ended()
		ctl.gets(status("qn-001"), "offline a")
		if got := h.Connected(); !slices.Equal(got, []string{"qn-001"}) {
			t.Errorf("connected: %v", got)
		}
		// The first one's subscriptions ended with it.
		second.subscribed("led/v1/signs/qn-001/request")
		ctl.publish("led/v1/keys", []byte("k"), true)
		ctl.publish("led/v1/signs/qn-001/request", []byte("r"), false)
		second.gets("led/v1/signs/qn-001/request", "r")
		// A farewell leaves no will.
		second.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Disconnect}})
		second.ended()
		ctl.nothing()
	})
}

// TestNeverDeaf: connections of one sign follow each other as fast as they can,
// three at a time. The last one must be heard and must hear: the server
// underneath, left to itself, sometimes cleans up the new session with the old.
func TestNeverDeaf(t *testing.T) {
	h := start(t)
	ctl := h.controller()
	for round := range 60 {
		var late []net.Conn
		for range 2 { // two that do not wait for their answer
			conn, err := net.Dial("tcp", h.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			cl := &client{t: t, conn: conn, v: 4}
			if err := cl.trySend(as("qn-001").packet()); err != nil {
				t.Fatal(err)
			}
			late = append(late, conn)
		}
		// They may still overtake this one; then it tries again, as a sign does.
		for {
			h.clock.move(floodSpan) // or these are too many connections
			sign := h.connect(as("qn-001"))
			sign.id++
			ask := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: sign.id,
				Filters: packets.Subscriptions{{Filter: "led/v1/signs/qn-001/request"}}}
			if sign.code != 0 || sign.trySend(ask) != nil {
				continue
			}
			if _, open := sign.next(); !open {
				continue
			}
			ctl.publish("led/v1/signs/qn-001/request", fmt.Append(nil, round), false)
			pk, open := sign.next() // fails the test if nothing comes
			if !open {
				continue
			}
			if string(pk.Payload) != fmt.Sprint(round) {
				t.Fatalf("round %d: got %q", round, pk.Payload)
			}
			break
		}
		for _, c := range late {
			_ = c.Close()
		}
	}
}

// TestStuckConnection: a sign whose old connection no longer reads (a dead link
// that has not timed out) gets its new one, and is reported as slow before.
func TestStuckConnection(t *testing.T) {
	h := start(t)
	ctl := h.controller()
	raw, err := net.Dial("tcp", h.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	stuck := &client{t: t, conn: raw, v: 4}
	for _, pk := range []packets.Packet{as("qn-001").packet(),
		{FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: 1,
			Filters: packets.Subscriptions{{Filter: "led/v1/signs/qn-001/request"}}}} {
		if err := stuck.trySend(pk); err != nil {
			t.Fatal(err)
		}
	}
	// It never reads. The kernel takes some megabytes, then the broker's queue
	// of 128 fills.
	big := make([]byte, 200_000)
	for i := 0; len(h.dropped) == 0; i++ {
		if i == 2000 {
			t.Fatal("400 MB were taken for a sign that does not read")
		}
		ctl.publish("led/v1/signs/qn-001/request", big, false)
	}
	if d := h.told(); d[0] != "qn-001" || !strings.HasPrefix(d[1], "slow: ") {
		t.Errorf("reported %v", d)
	}
	sign := h.in(as("qn-001")) // it does not wait for the old connection, which never ends by itself
	sign.subscribed("led/v1/signs/qn-001/request")
	ctl.publish("led/v1/signs/qn-001/request", []byte("r"), false)
	sign.gets("led/v1/signs/qn-001/request", "r")
}

// TestDisconnect: a sign that was revoked is out at once and stays out; one with
// a new password is out until it has it.
func TestDisconnect(t *testing.T) {
	h := start(t)
	h.Disconnect("qn-404") // nobody
	sign := h.in(as("qn-001"))
	other := h.in(as("qn-002"))
	h.book.remove("qn-001")
	if code := sign.subscribe("led/v1/keys")[0]; code < 0x80 {
		t.Error("without an account it may still subscribe")
	}
	sign.publish(status("qn-001"), []byte("x"), true)
	h.sessions.mu.Lock()
	gone := h.sessions.byID["qn-001"].done
	h.sessions.mu.Unlock()
	h.Disconnect("qn-001")
	sign.ended()
	<-gone // the sign sees its end before the broker has forgotten it
	if c := h.connect(as("qn-001")); c.code == 0 {
		t.Error("a revoked sign was let in")
	}
	if kept := h.retained(); len(kept) != 0 {
		t.Errorf("retained %v of a sign without an account", kept)
	}
	other.subscribed("led/v1/keys") // it was not meant
	if got := h.Connected(); !slices.Equal(got, []string{"qn-002"}) {
		t.Errorf("connected: %v", got)
	}
}

// changing calls after once, when the first account has been asked for.
type changing struct {
	*book
	once  sync.Once
	after func()
}

func (c *changing) Account(user string) (Account, bool) {
	a, ok := c.book.Account(user)
	c.once.Do(c.after)
	return a, ok
}

// TestChangedWhileConnecting: the password is replaced while a connection with
// the old one is being made, too early for Disconnect to find it.
func TestChangedWhileConnecting(t *testing.T) {
	var h *house
	h = start(t, func(o *Options) {
		o.Accounts = &changing{book: o.Accounts.(*book), after: func() {
			a := account("qn-001")
			a.PasswordSHA256 = [32]byte{1}
			h.book.put(a)
			h.Disconnect("qn-001")
		}}
	})
	sign := h.connect(as("qn-001"))
	if sign.code != 0 {
		t.Fatalf("refused with %#x before the account changed", sign.code)
	}
	sign.ended()
}

// TestPanic: a fault in one connection's work ends that connection only.
func TestPanic(t *testing.T) {
	h := start(t, func(o *Options) {
		o.Accounts = &changing{book: o.Accounts.(*book), after: func() { panic("boom") }}
	})
	h.connect(as("qn-002")).ended()
	h.in(as("qn-002")).subscribed("led/v1/keys")
}

// mute is a listener whose first connection cannot be written to.
type mute struct {
	net.Listener
	once sync.Once
}

type muteConn struct{ net.Conn }

func (muteConn) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func (m *mute) Accept() (c net.Conn, err error) {
	c, err = m.Listener.Accept()
	m.once.Do(func() { c = muteConn{c} })
	return c, err
}

// TestUnansweredConnect: a connection that ended before its CONNACK leaves
// nothing behind, in particular nothing that blocks the next one.
func TestUnansweredConnect(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := start(t, func(o *Options) { o.Listener = &mute{Listener: l} })
	h.connect(as("qn-001")).ended()
	h.in(as("qn-002"))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := h.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	if n := h.server.Clients.Len(); n != 0 {
		t.Errorf("the server still knows %d clients", n)
	}
}

// watched tells of the first deadline that each connection gets.
type watched struct {
	net.Listener
	deadlines chan time.Time
}

type watchedConn struct {
	net.Conn
	once sync.Once
	to   chan time.Time
}

func (w *watched) Accept() (net.Conn, error) {
	c, err := w.Listener.Accept()
	return &watchedConn{Conn: c, to: w.deadlines}, err
}

func (c *watchedConn) SetDeadline(t time.Time) error {
	c.once.Do(func() { c.to <- t })
	return c.Conn.SetDeadline(t)
}

// TestSilent: who connects and says nothing is not waited for for ever.
func TestSilent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &watched{Listener: l, deadlines: make(chan time.Time, 1)}
	h := start(t, func(o *Options) { o.Listener = w })
	conn, err := net.Dial("tcp", h.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	select {
	case d := <-w.deadlines:
		if left := time.Until(d); left > connectWithin {
			t.Errorf("it has %v", left)
		}
	case <-time.After(patience):
		t.Error("it has no deadline")
	}
}
