package link

import (
	"context"
	"errors"
	"net"
	"reflect"
	"strings"
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

// A broker that refuses is asked less and less often, up to every 30 s, and with jitter.
func TestBackoff(t *testing.T) {
	b := newBroker(t)
	c := start(t, b)
	most, above := firstBackoff, 0
	for range 40 {
		b.accept(packets.ErrRefusedBadUsernameOrPassword)
		d := <-c.waits
		if d < 0 || d >= most {
			t.Fatalf("waits %v of at most %v", d, most)
		}
		if d >= lastBackoff/2 {
			above++
		}
		most = min(2*most, lastBackoff)
	}
	if above == 0 || above > 35 {
		t.Errorf("%d of 40 waits were of 15 s and more", above)
	}
	b.accept(packets.Accepted)
	<-c.up
	b.cut()
	if d := <-c.waits; d >= firstBackoff {
		t.Errorf("waits %v after a connection that stood", d)
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
