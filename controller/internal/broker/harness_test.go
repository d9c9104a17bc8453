package broker

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// patience is how long a test waits for what must come.
const patience = 2 * time.Minute

const controllerPassword = "controller-secret"

func password(sign string) string { return "secret-of-" + sign }

// book is Accounts that a test can change.
type book struct {
	mu sync.Mutex
	by map[string]Account
}

func (b *book) Account(user string) (Account, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a, ok := b.by[user]
	return a, ok
}

func (b *book) put(a Account) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if a.PasswordSHA256 == [32]byte{} {
		a.PasswordSHA256 = sha256.Sum256([]byte(password(a.Sign)))
	}
	b.by[a.Sign] = a
}

func (b *book) remove(sign string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.by, sign)
}

// clock stands still until it is moved.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// house is a broker with four signs: qn-001 and qn-003 of viet-ads, qn-002 of
// song-tra-ads with another class, and test-1, which is qn-001's like but
// enrolled for tests.
type house struct {
	*Broker
	t       *testing.T
	book    *book
	clock   *clock
	dropped chan [2]string
}

func start(t *testing.T, change ...func(*Options)) *house {
	t.Helper()
	h := &house{t: t, book: &book{by: map[string]Account{}}, clock: &clock{t: time.Unix(1767200400, 0)},
		dropped: make(chan [2]string, 1000)}
	test := account("test-1")
	test.Test = true
	for _, a := range []Account{account("qn-001"), account("qn-003"),
		{Sign: "qn-002", Owner: "song-tra-ads", Class: "64x32-red"}, test} {
		h.book.put(a)
	}
	o := Options{Listen: "127.0.0.1:0", Accounts: h.book, ControllerPassword: controllerPassword, Now: h.clock.now,
		Dropped: func(sign, reason string) { h.dropped <- [2]string{sign, reason} }}
	for _, c := range change {
		c(&o)
	}
	var err error
	if h.Broker, err = Start(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := h.Stop(ctx); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return h
}

// told waits for the next report of Dropped.
func (h *house) told() [2]string {
	h.t.Helper()
	select {
	case d := <-h.dropped:
		return d
	case <-time.After(patience):
		h.t.Fatal("nothing was reported as dropped")
		return [2]string{}
	}
}

// client is an MQTT client that does only what it is told, right or wrong.
type client struct {
	t    *testing.T
	conn net.Conn
	v    byte
	in   chan packets.Packet // closed when the connection ends
	code byte                // of the CONNACK
	id   uint16
	last packets.Packet   // the CONNACK, then the last PUBACK
	kept []packets.Packet // came while an answer was waited for
}

// connecting is a CONNECT before it is sent.
type connecting struct {
	user, pass, id string
	v              byte // 4 unless set
	keepalive      uint16
	keepSession    bool
	will           *packets.Packet // topic, payload, flags
	edit           func(*packets.Packet)
}

func as(sign string) connecting { return connecting{user: sign, pass: password(sign), id: sign} }

func (c connecting) packet() packets.Packet {
	pk := packets.Packet{ProtocolVersion: c.v, FixedHeader: packets.FixedHeader{Type: packets.Connect},
		Connect: packets.ConnectParams{ProtocolName: []byte("MQTT"), Clean: !c.keepSession, Keepalive: 60,
			ClientIdentifier: c.id,
			UsernameFlag:     c.user != "", Username: []byte(c.user), PasswordFlag: c.pass != "", Password: []byte(c.pass)}}
	if c.keepalive > 0 {
		pk.Connect.Keepalive = c.keepalive
	}
	if c.will != nil {
		pk.Connect.WillFlag, pk.Connect.WillTopic, pk.Connect.WillPayload = true, c.will.TopicName, c.will.Payload
		pk.Connect.WillRetain, pk.Connect.WillQos = c.will.FixedHeader.Retain, c.will.FixedHeader.Qos
	}
	if c.edit != nil {
		c.edit(&pk)
	}
	return pk
}

func will(topic, payload string) *packets.Packet {
	return &packets.Packet{TopicName: topic, Payload: []byte(payload), FixedHeader: packets.FixedHeader{Retain: true}}
}

// connect sends a CONNECT and waits for the answer.
func (h *house) connect(c connecting) *client {
	h.t.Helper()
	conn, err := net.Dial("tcp", h.Addr().String())
	if err != nil {
		h.t.Fatal(err)
	}
	return connectOver(h.t, conn, c)
}

func connectOver(t *testing.T, conn net.Conn, c connecting) *client {
	t.Helper()
	if c.v == 0 {
		c.v = 4
	}
	cl := &client{t: t, conn: conn, v: c.v, in: make(chan packets.Packet, 4096), code: 0xff}
	t.Cleanup(func() { _ = conn.Close() })
	go cl.read()
	cl.send(c.packet())
	if pk, ok := cl.next(); ok {
		if pk.FixedHeader.Type != packets.Connack {
			t.Fatalf("answer to CONNECT is packet type %d", pk.FixedHeader.Type)
		}
		cl.code, cl.last = pk.ReasonCode, pk
	}
	return cl
}

// in connects and must be let in.
func (h *house) in(c connecting) *client {
	h.t.Helper()
	cl := h.connect(c)
	if cl.code != 0 {
		h.t.Fatalf("%s as %s was refused with %#x", c.user, c.id, cl.code)
	}
	cl.settled()
	return cl
}

// controller connects as the controller does, subscribed to what signs say.
func (h *house) controller() *client {
	h.t.Helper()
	c := h.in(connecting{user: ControllerUser, pass: controllerPassword, id: "controller-1"})
	c.subscribed("led/v1/signs/+/status", "led/v1/signs/+/ack", "led/v1/signs/+/played", "led/v1/signs/+/snapshot",
		"led/v1/marker")
	return c
}

func (c *client) read() {
	defer close(c.in)
	r := bufio.NewReader(c.conn)
	for {
		pk, err := readPacket(r, c.v)
		if err != nil {
			return
		}
		c.in <- pk
	}
}

func readPacket(r *bufio.Reader, v byte) (pk packets.Packet, err error) {
	first, err := r.ReadByte()
	if err != nil {
		return pk, err
	}
	pk.ProtocolVersion = v
	if err := pk.FixedHeader.Decode(first); err != nil {
		return pk, err
	}
	if pk.FixedHeader.Remaining, _, err = packets.DecodeLength(r); err != nil {
		return pk, err
	}
	buf := make([]byte, pk.FixedHeader.Remaining)
	if _, err := io.ReadFull(r, buf); err != nil {
		return pk, err
	}
	switch pk.FixedHeader.Type {
	case packets.Connack:
		err = pk.ConnackDecode(buf)
	case packets.Publish:
		err = pk.PublishDecode(buf)
	case packets.Puback:
		err = pk.PubackDecode(buf)
	case packets.Pubrec:
		err = pk.PubrecDecode(buf)
	case packets.Suback:
		err = pk.SubackDecode(buf)
	case packets.Disconnect:
		err = pk.DisconnectDecode(buf)
	case packets.Pingresp:
	default:
		err = fmt.Errorf("unexpected packet type %d", pk.FixedHeader.Type)
	}
	return pk, err
}

// settled waits until the broker has done all that this client asked for: it
// answers a SUBSCRIBE before it sends what is retained, and a PUBLISH before it
// delivers it, but takes a PINGREQ only afterwards.
func (c *client) settled() {
	c.t.Helper()
	c.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pingreq}})
	c.answer(packets.Pingresp)
}

// answer waits for a packet of one type and keeps what comes before it for next.
func (c *client) answer(kind byte) packets.Packet {
	c.t.Helper()
	for {
		pk, ok := c.fresh()
		if !ok {
			c.t.Fatalf("the connection ended before packet type %d", kind)
		}
		if pk.FixedHeader.Type == kind {
			return pk
		}
		c.kept = append(c.kept, pk)
	}
}

// next waits for a packet; false when the connection has ended.
func (c *client) next() (packets.Packet, bool) {
	c.t.Helper()
	if len(c.kept) > 0 {
		pk := c.kept[0]
		c.kept = c.kept[1:]
		return pk, true
	}
	return c.fresh()
}

// untilLast takes what comes up to and with the payload "last", and returns the
// topics; one that is not its own is an error.
func (c *client) untilLast(own []string) map[string]bool {
	c.t.Helper()
	got := map[string]bool{}
	for {
		pk, ok := c.next()
		if !ok {
			c.t.Fatalf("the connection ended; it got %v", got)
		}
		if !slices.Contains(own, pk.TopicName) {
			c.t.Errorf("%s was delivered", pk.TopicName)
		}
		got[pk.TopicName] = true
		if string(pk.Payload) == "last" {
			return got
		}
	}
}

func (c *client) fresh() (packets.Packet, bool) {
	c.t.Helper()
	select {
	case pk, ok := <-c.in:
		return pk, ok
	case <-time.After(patience):
		c.t.Fatal("no packet came")
		return packets.Packet{}, false
	}
}

// ended waits until the broker has closed the connection.
func (c *client) ended() {
	c.t.Helper()
	for {
		pk, ok := c.next()
		if !ok {
			return
		}
		if pk.FixedHeader.Type != packets.Disconnect {
			c.t.Fatalf("packet type %d (%s) instead of the end", pk.FixedHeader.Type, pk.TopicName)
		}
	}
}

func (c *client) send(pk packets.Packet) {
	c.t.Helper()
	if err := c.trySend(pk); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) trySend(pk packets.Packet) error {
	pk.ProtocolVersion = c.v
	var buf bytes.Buffer
	var err error
	switch pk.FixedHeader.Type {
	case packets.Connect:
		err = pk.ConnectEncode(&buf)
	case packets.Publish:
		err = pk.PublishEncode(&buf)
	case packets.Subscribe:
		err = pk.SubscribeEncode(&buf)
	case packets.Disconnect:
		err = pk.DisconnectEncode(&buf)
	case packets.Pingreq:
		err = pk.PingreqEncode(&buf)
	default:
		err = errors.New("not a packet that a client sends here")
	}
	if err != nil {
		return err
	}
	_, err = c.conn.Write(buf.Bytes())
	return err
}

// subscribe returns the codes of the SUBACK.
func (c *client) subscribe(filters ...string) []byte {
	c.t.Helper()
	c.id++
	pk := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: c.id}
	for _, f := range filters {
		pk.Filters = append(pk.Filters, packets.Subscription{Filter: f})
	}
	return c.subscribePacket(pk)
}

// subscribePacket returns when what is retained there is on its way.
func (c *client) subscribePacket(pk packets.Packet) []byte {
	c.t.Helper()
	c.send(pk)
	codes := c.answer(packets.Suback).ReasonCodes
	c.settled()
	return codes
}

// subscribed subscribes to what must be granted.
func (c *client) subscribed(filters ...string) {
	c.t.Helper()
	for i, code := range c.subscribe(filters...) {
		if code != 0 {
			c.t.Fatalf("%s was refused with %#x", filters[i], code)
		}
	}
}

// publish sends at QoS 1 and waits for the acknowledgement.
func (c *client) publish(topic string, payload []byte, retain bool) {
	c.t.Helper()
	c.id++
	c.publishPacket(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: 1, Retain: retain},
		TopicName: topic,
		Payload:   payload, PacketID: c.id})
}

// publishPacket returns when the message is on its way to its readers.
func (c *client) publishPacket(pk packets.Packet) {
	c.t.Helper()
	c.send(pk)
	c.last = c.answer(packets.Puback)
	if c.last.ReasonCode != 0 || c.last.PacketID != pk.PacketID {
		c.t.Fatalf("answer to PUBLISH on %s: code %#x, id %d", pk.TopicName, c.last.ReasonCode, c.last.PacketID)
	}
	c.settled()
}

// gets waits for the next message, which must be this one.
func (c *client) gets(topic, payload string) packets.Packet {
	c.t.Helper()
	pk, ok := c.next()
	if !ok || pk.FixedHeader.Type != packets.Publish || pk.TopicName != topic || string(pk.Payload) != payload {
		c.t.Fatalf("got packet type %d on %q: %.80q (open: %v), want %q on %s", pk.FixedHeader.Type, pk.TopicName,
			pk.Payload, ok, payload, topic)
	}
	return pk
}

// nothing proves that nothing has come to the controller: what the broker takes
// from ctl now would come after it.
func (c *client) nothing() {
	c.t.Helper()
	marker := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish}, TopicName: "led/v1/marker",
		Payload: []byte("marker")}
	c.send(marker)
	c.gets("led/v1/marker", "marker")
}

// retained lists what the broker has kept, as the controller sees it.
func (h *house) retained() map[string]string {
	h.t.Helper()
	c := h.in(connecting{user: ControllerUser, pass: controllerPassword, id: "controller-retained"})
	defer c.conn.Close()
	c.subscribed("led/v1/#")
	c.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish}, TopicName: "led/v1/end-of-retained",
		Payload: []byte("marker")})
	kept := map[string]string{}
	for {
		pk, ok := c.next()
		if !ok {
			h.t.Fatal("the connection ended")
		}
		if pk.TopicName == "led/v1/end-of-retained" {
			return kept
		}
		kept[pk.TopicName] = string(pk.Payload)
	}
}

func publishPacket(topic, payload string) packets.Packet {
	return packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish, Retain: true}, TopicName: topic,
		Payload: []byte(payload)}
}
