package link

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"reflect"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// client is a link against a broker. Its callbacks are channels.
type client struct {
	*Link
	up       chan Conn
	down     chan error
	messages chan Message
	waits    chan time.Duration // a backoff ends when it is read
	stop     context.CancelFunc
	done     chan error
}

func start(t *testing.T, b *broker, change ...func(*Options)) *client {
	t.Helper()
	c := &client{up: make(chan Conn), down: make(chan error, 1), messages: make(chan Message, 8),
		waits: make(chan time.Duration), done: make(chan error, 1)}
	o := Options{Broker: b.address(), ClientID: "qn-001", Username: "qn-001", Password: "secret",
		Will: func(session string) *Message {
			return &Message{Topic: "status", Payload: []byte("offline " + session), QoS: 1, Retained: true}
		},
		Up:      func(conn Conn) { c.up <- conn },
		Down:    func(err error) { c.down <- err },
		Message: func(m Message) { c.messages <- m },
		Wait: func(ctx context.Context, d time.Duration) error {
			select {
			case c.waits <- d:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}}
	for _, f := range change {
		f(&o)
	}
	l, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	c.Link, c.stop = l, cancel
	go func() { c.done <- l.Run(ctx) }()
	t.Cleanup(cancel)
	return c
}

func TestAddresses(t *testing.T) {
	for address, good := range map[string]bool{"mqtt://h:1883": true, "mqtts://h:8883": true, "tcp://h:1883": false,
		"mqtt://": false, "h:1883": false, "": false, "mqtt://h:1%zz": false} {
		_, err := New(Options{Broker: address})
		if (err == nil) != good {
			t.Errorf("%q: %v", address, err)
		}
		if err != nil && !strings.Contains(err.Error(), "write mqtt://host:port") {
			t.Errorf("%q: %v says no remedy", address, err)
		}
	}
}

func TestEachConnectionHasItsSessionAndWill(t *testing.T) {
	b := newBroker(t)
	c := start(t, b)
	if err := c.Publish(t.Context(), Message{Topic: "x"}); !errors.Is(err, ErrDown) {
		t.Errorf("published before there is a connection: %v", err)
	}
	sessions := map[string]bool{}
	for range 3 {
		p := b.accept(packets.Accepted)
		conn := <-c.up
		if p.ClientIdentifier != "qn-001" || p.Username != "qn-001" || string(p.Password) != "secret" ||
			!p.CleanSession ||
			p.ProtocolVersion != 4 {
			t.Errorf("CONNECT %v", p)
		}
		if !p.WillFlag || p.WillTopic != "status" || string(p.WillMessage) != "offline "+conn.Session() ||
			p.WillQos != 1 ||
			!p.WillRetain {
			t.Errorf("the will %s %q", p.WillTopic, p.WillMessage)
		}
		sessions[conn.Session()] = true
		b.cut()
		if err := <-c.down; err == nil {
			t.Error("the connection fell without a reason")
		}
		if err := conn.Publish(t.Context(), Message{Topic: "x"}); !errors.Is(err, ErrDown) {
			t.Errorf("published over a connection that is gone: %v", err)
		}
		if d := <-c.waits; d >= firstBackoff {
			t.Errorf("waits %v after a connection that stood", d)
		}
	}
	if len(sessions) != 3 {
		t.Errorf("sessions %v", sessions)
	}
}

// A broker that refuses is asked less and less often, with jitter: up to every 5 min, or every 30 s if it let this
// login in before.
func TestBackoff(t *testing.T) {
	for _, accepted := range []bool{false, true} {
		b := newBroker(t)
		c := start(t, b, func(o *Options) { o.Accepted, o.Down = accepted, nil })
		last := map[bool]time.Duration{false: newBackoff, true: lastBackoff}[accepted]
		refuse := func(last time.Duration) {
			t.Helper()
			most, above := firstBackoff, 0
			for range 40 {
				b.accept(packets.ErrRefusedBadUsernameOrPassword)
				d := <-c.waits
				if d < 0 || d >= most {
					t.Fatalf("waits %v of at most %v", d, most)
				}
				if d >= last/2 {
					above++
				}
				most = min(2*most, last)
			}
			if above == 0 || above > 35 {
				t.Errorf("%d of 40 waits were of %v and more", above, last/2)
			}
		}
		refuse(last)
		b.accept(packets.ErrRefusedServerUnavailable) // says nothing of the login
		if d := <-c.waits; d >= lastBackoff {
			t.Errorf("waits %v for a broker that is not ready", d)
		}
		b.accept(packets.Accepted)
		<-c.up
		b.cut()
		if d := <-c.waits; d >= firstBackoff {
			t.Errorf("waits %v after a connection that stood", d)
		}
		b.accept(packets.Accepted) // the first wait doubles from here
		<-c.up
		b.cut()
		<-c.waits
		most := 2 * firstBackoff
		for range 10 {
			b.accept(packets.ErrRefusedNotAuthorised)
			if d := <-c.waits; d >= min(most, lastBackoff) {
				t.Errorf("waits %v with a login that was good before", d)
			}
			most *= 2
		}
		c.stop()
	}
}

// One reason is said once, another one when it comes, and the return once. What flaps is said less and less often.
func TestStatesAreSaidOnce(t *testing.T) {
	b := newBroker(t)
	var now atomic.Int64
	now.Store(1_700_000_000)
	states := make(chan State, 64)
	c := start(t, b, func(o *Options) {
		o.Down = nil
		o.Now = func() time.Time { return time.Unix(now.Load(), 0) }
		o.State = func(s State) { states <- s }
	})
	if !errors.Is(c.Link.Down(), ErrDown) {
		t.Errorf("before the first try: %v", c.Link.Down())
	}
	said := func(want ...string) {
		t.Helper()
		for _, w := range want {
			s := <-states
			if got := map[bool]string{true: "up", false: s.Reason}[s.Up]; got != w {
				t.Errorf("said %q, want %q", got, w)
			}
			if s.Up != (s.Err == nil) {
				t.Errorf("%+v", s)
			}
		}
		select {
		case s := <-states:
			t.Errorf("said besides: %+v", s)
		default:
		}
	}
	for range 5 {
		b.accept(packets.ErrRefusedNotAuthorised)
		<-c.waits
		now.Add(1)
	}
	const refused = "the broker refuses user name or password: not Authorized"
	said(refused)
	if !Refused(c.Link.Down()) {
		t.Errorf("down with %v", c.Link.Down())
	}
	b.accept(packets.ErrRefusedServerUnavailable)
	<-c.waits
	said("server Unavailable")
	b.accept(packets.Accepted)
	<-c.up
	said("up")
	if c.Link.Down() != nil {
		t.Errorf("down with %v while it stands", c.Link.Down())
	}
	lines := 0
	for range 600 { // ten minutes of a broker that cuts each connection
		b.cut()
		<-c.waits
		b.accept(packets.Accepted)
		<-c.up
		now.Add(1)
		for more := true; more; {
			select {
			case <-states:
				lines++
			default:
				more = false
			}
		}
	}
	if lines < 2 || lines > 16 {
		t.Errorf("%d lines of 600 losses", lines)
	}
	// A loss that was not said because it was said lately is said when it lasts.
	b.cut()
	<-c.waits
	now.Add(int64(sayLast / time.Second))
	_ = b.l.Close()
	for s := range states {
		if s.Reason == "connection refused" {
			break
		}
		<-c.waits
	}
}

func TestReasons(t *testing.T) {
	dial := func(err error) error {
		return fmt.Errorf("%w : %w", packets.ErrorNetworkError, &net.OpError{Op: "dial", Net: "tcp",
			Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1883}, Err: err})
	}
	read := func(err error) error {
		return &net.OpError{Op: "read", Net: "tcp", Source: &net.TCPAddr{Port: 54321}, Err: err}
	}
	for _, x := range []struct {
		err  error
		want string
	}{
		{nil, "not connected yet"},
		{packets.ErrorRefusedNotAuthorised, "the broker refuses user name or password: not Authorized"},
		{packets.ErrorRefusedBadUsernameOrPassword,
			"the broker refuses user name or password: bad user name or password"},
		{packets.ErrorRefusedIDRejected, "identifier rejected"},
		{dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)), "connection refused"},
		{dial(os.NewSyscallError("connect", syscall.EHOSTUNREACH)), "no route to host"},
		{dial(os.NewSyscallError("connect", syscall.ENETUNREACH)), "network is unreachable"},
		{dial(os.ErrDeadlineExceeded), "no answer in time"},
		{dial(&net.DNSError{Err: "no such host", Name: "led.example"}), "the broker's name led.example is not found"},
		{dial(errors.New("something else")), "something else"},
		{read(os.NewSyscallError("read", syscall.ECONNRESET)), "the connection was closed from the other side"},
		{io.EOF, "the connection was closed from the other side"},
		{fmt.Errorf("%w : %w", packets.ErrorNetworkError, io.EOF), "the connection was closed from the other side"},
		{lostWith(errors.New("pingresp not received, disconnecting")), "no answer to a ping"},
		{dial(tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}),
			"TLS: first record does not look like a TLS handshake"},
		{dial(&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}),
			"TLS: x509: certificate signed by unknown authority"},
		{dial(tls.AlertError(70)), "TLS: protocol version not supported"},
	} {
		if got := Reason(x.err); got != x.want {
			t.Errorf("%v: %q, want %q", x.err, got, x.want)
		}
	}
}

func TestMessages(t *testing.T) {
	b := newBroker(t)
	c := start(t, b)
	b.accept(packets.Accepted)
	conn := <-c.up

	subscribed := make(chan error)
	go func() { subscribed <- conn.Subscribe(t.Context(), map[string]byte{"a": 1, "b": 0}) }()
	s := next[*packets.SubscribePacket](b)
	if len(s.Topics) != 2 {
		t.Errorf("topics %v", s.Topics)
	}
	b.suback(s.MessageID, s.Qoss...)
	if err := <-subscribed; err != nil {
		t.Error(err)
	}
	go func() { subscribed <- conn.Subscribe(t.Context(), map[string]byte{"c": 1}) }()
	s = next[*packets.SubscribePacket](b)
	b.suback(s.MessageID, 0x80)
	if err := <-subscribed; err == nil || !strings.Contains(err.Error(), "refuses the subscription to c") {
		t.Errorf("a refused subscription: %v", err)
	}
	go func() { subscribed <- conn.Unsubscribe(t.Context(), "a", "b") }()
	u := next[*packets.UnsubscribePacket](b)
	if !reflect.DeepEqual(u.Topics, []string{"a", "b"}) {
		t.Errorf("topics %v", u.Topics)
	}
	ack := packets.NewControlPacket(packets.Unsuback).(*packets.UnsubackPacket)
	ack.MessageID = u.MessageID
	b.send(ack)
	if err := <-subscribed; err != nil {
		t.Error(err)
	}

	m := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	m.TopicName, m.Payload, m.Retain = "a", []byte("hello"), true
	b.send(m)
	if got := <-c.messages; !reflect.DeepEqual(got, Message{Topic: "a", Payload: []byte("hello"), Retained: true}) {
		t.Errorf("message %+v", got)
	}
}

// A publish returns when the broker has it, and fails when the connection breaks before: nothing is sent again behind
// the caller's back.
func TestPublishing(t *testing.T) {
	b := newBroker(t)
	c := start(t, b)
	b.accept(packets.Accepted)
	<-c.up
	published := make(chan error, 2*MaxInflight)
	publish := func() {
		published <- c.Publish(t.Context(), Message{Topic: "t", Payload: []byte("x"), QoS: 1, Retained: true})
	}
	for range MaxInflight + 1 {
		go publish()
	}
	var ids []uint16
	for range MaxInflight {
		p := next[*packets.PublishPacket](b)
		if p.TopicName != "t" || string(p.Payload) != "x" || p.Qos != 1 || !p.Retain {
			t.Errorf("published %v", p)
		}
		ids = append(ids, p.MessageID)
	}
	select {
	case err := <-published:
		t.Fatalf("returned without a PUBACK: %v", err)
	default:
	}
	b.puback(ids[0])
	if err := <-published; err != nil {
		t.Error(err)
	}
	next[*packets.PublishPacket](b) // the one that waited for a slot
	b.cut()
	for range MaxInflight {
		if err := <-published; err == nil {
			t.Error("a publish in flight returned without an error when the connection broke")
		}
	}
	<-c.down
	<-c.waits
	b.accept(packets.Accepted)
	<-c.up
	go publish()
	if p := next[*packets.PublishPacket](b); p.Dup {
		t.Error("a message of the old connection was sent again")
	} else {
		b.puback(p.MessageID)
	}
	if err := <-published; err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Publish(ctx, Message{Topic: "t", QoS: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that is over: %v", err)
	}
}

// A broker sends the will of a connection that breaks, not of one that ends: the link publishes it itself, and nothing
// after it.
func TestFarewell(t *testing.T) {
	b := newBroker(t)
	c := start(t, b)
	b.accept(packets.Accepted)
	conn := <-c.up
	c.stop()
	p := next[*packets.PublishPacket](b)
	if p.TopicName != "status" || string(p.Payload) != "offline "+conn.Session() || p.Qos != 1 || !p.Retain {
		t.Errorf("published %v", p)
	}
	if err := conn.Publish(context.Background(), Message{Topic: "status", Payload: []byte("online")}); !errors.Is(err,
		ErrDown) {
		t.Errorf("published after the farewell: %v", err)
	}
	b.puback(p.MessageID)
	if err := b.ended(); errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	if err := <-c.down; !errors.Is(err, context.Canceled) {
		t.Errorf("down: %v", err)
	}
	if err := <-c.done; !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
	}
}

func TestGate(t *testing.T) {
	b := newBroker(t)
	gate, opened := make(chan error), make(chan net.Addr, 1)
	c := start(t, b, func(o *Options) {
		o.Gate = func(context.Context) error { return <-gate }
		o.Opened = func(local net.Addr) { opened <- local }
		o.Will = nil
	})
	gate <- nil
	if p := b.accept(packets.Accepted); p.WillFlag {
		t.Error("a will that nobody asked for")
	}
	<-c.up
	if local := <-opened; local.String() != b.c.RemoteAddr().String() {
		t.Errorf("opened %v; the broker sees %v", local, b.c.RemoteAddr())
	}
	b.cut()
	<-c.waits
	shut := errors.New("shut")
	gate <- shut
	if err := <-c.done; !errors.Is(err, shut) {
		t.Errorf("Run: %v", err)
	}
}
