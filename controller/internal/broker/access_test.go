package broker

import (
	"bytes"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"
)

func status(sign string) string { return "led/v1/signs/" + sign + "/status" }

// eachVersion runs a test as MQTT 3.1.1 and as MQTT 5.
func eachVersion(t *testing.T, run func(t *testing.T, v byte)) {
	for _, v := range []byte{4, 5} {
		t.Run(fmt.Sprintf("v%d", v), func(t *testing.T) { run(t, v) })
	}
}

func TestConnectRefused(t *testing.T) {
	eachVersion(t, func(t *testing.T, v byte) {
		h := start(t)
		present := h.in(as("qn-001")) // who must not be thrown out by any of these
		h.book.put(Account{Sign: "controller-9", Owner: "viet-ads", Class: "128x64-rgb"})
		h.book.put(Account{Sign: "controller", Owner: "viet-ads", Class: "128x64-rgb"})
		for name, c := range map[string]connecting{
			"wrong password":             {user: "qn-001", pass: "wrong", id: "qn-001"},
			"no password":                {user: "qn-001", id: "qn-001"},
			"another's password":         {user: "qn-001", pass: password("qn-002"), id: "qn-001"},
			"unknown user":               {user: "qn-404", pass: password("qn-404"), id: "qn-404"},
			"no user":                    {id: "qn-001"},
			"no client id":               {user: "qn-002", pass: password("qn-002")},
			"another client id":          {user: "qn-002", pass: password("qn-002"), id: "qn-001"},
			"a longer client id":         {user: "qn-002", pass: password("qn-002"), id: "qn-002x"},
			"the user name in capitals":  {user: "QN-001", pass: password("qn-001"), id: "QN-001"},
			"the controller's client id": {user: "qn-002", pass: password("qn-002"), id: "controller-1"},
			"a sign called controller":   {user: "controller", pass: password("controller"), id: "controller"},
			"a sign called like it":      {user: "controller-9", pass: password("controller-9"), id: "controller-9"},
			"controller, wrong password": {user: "controller", pass: "wrong", id: "controller"},
			"controller, a sign's id":    {user: "controller", pass: controllerPassword, id: "qn-001"},
			"controller's will elsewhere": {user: "controller", pass: controllerPassword, id: "controller",
				will: will("other/topic", "x")},
			"will on another's status": {user: "qn-002", pass: password("qn-002"), id: "qn-002",
				will: will(status("qn-001"), "x")},
			"will on a frame": {user: "qn-002", pass: password("qn-002"), id: "qn-002",
				will: will("led/v1/frames/viet-ads/"+digest, "x")},
			"will on the keys": {user: "qn-002", pass: password("qn-002"), id: "qn-002",
				will: will("led/v1/keys", "x")},
			"will on its own ack": {user: "qn-002", pass: password("qn-002"), id: "qn-002",
				will: will("led/v1/signs/qn-002/ack", "x")},
			"will on $SYS": {user: "qn-002", pass: password("qn-002"), id: "qn-002", will: will("$SYS/x", "x")},
			"will with a wildcard": {user: "qn-002", pass: password("qn-002"), id: "qn-002",
				will: will("led/v1/signs/+/status", "x")},
			"will too large": {user: "qn-002", pass: password("qn-002"), id: "qn-002",
				will: will(status("qn-002"), strings.Repeat("x", 4097))},
			"present, will on another's": {user: "qn-001", pass: password("qn-001"), id: "qn-001",
				will: will(status("qn-002"), "x")},
		} {
			c.v = v
			cl := h.connect(c)
			if cl.code == 0 {
				t.Errorf("%s: let in", name)
			}
			if v == 4 && cl.code != 0xff && cl.code > 5 {
				t.Errorf("%s: code %#x is none of 3.1.1's", name, cl.code)
			}
			cl.ended()
		}
		if got := h.Connected(); !slices.Equal(got, []string{"qn-001"}) {
			t.Errorf("connected: %v", got)
		}
		present.publish(status("qn-001"), []byte("still here"), true)
		if kept := h.retained(); len(kept) != 1 || kept[status("qn-001")] != "still here" {
			t.Errorf("retained: %v", kept)
		}
	})
}

// TestControllerLoopbackOnly: its password alone is worth nothing elsewhere.
func TestControllerLoopbackOnly(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := start(t, func(o *Options) { o.Listener = farListener{l} })
	if c := h.connect(connecting{user: ControllerUser, pass: controllerPassword, id: "controller-1"}); c.code == 0 {
		t.Error("the controller was let in from 203.0.113.7")
	}
	h.in(as("qn-001"))
}

// farListener says that everybody comes from far away.
type farListener struct{ net.Listener }

func (l farListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return farConn{c}, nil
}

type farConn struct{ net.Conn }

func (farConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(203, 0, 113, 7), Port: 40000} }

// TestReading: every topic of the protocol is full; a sign receives its own and
// nothing else, retained or live.
func TestReading(t *testing.T) {
	eachVersion(t, func(t *testing.T, v byte) {
		h := start(t)
		ctl := h.controller()
		own := []string{"led/v1/keys", "led/v1/signs/qn-001/program", "led/v1/signs/qn-001/frame",
			"led/v1/signs/qn-001/request",
			"led/v1/frames/viet-ads/" + digest, "led/v1/frames/public/" + digest, "led/v1/alerts/128x64-rgb",
			"led/v1/alerts/128x64-rgb/frames/" + digest, "led/v1/alerts/128x64-rgb/frames/" + digestB}
		foreign := []string{"led/v1/signs/qn-002/program", "led/v1/signs/qn-002/frame", "led/v1/signs/qn-003/program",
			"led/v1/frames/song-tra-ads/" + digest, "led/v1/frames/viet-ads/" + digestB, "led/v1/alerts/64x32-red",
			"led/v1/alerts/64x32-red/frames/" + digest, "led/v1/alerts-test/128x64-rgb",
			"led/v1/alerts-test/128x64-rgb/frames/" + digest,
			"led/v1/alerts/128x64-rgb/frames/not-a-digest", "led/v1/alerts/128x64-rgb/other"}
		for _, topic := range append(slices.Clone(own), foreign...) {
			ctl.publish(topic, []byte(topic), true)
		}
		c := as("qn-001")
		c.v = v
		sign := h.in(c)
		wild := []string{"#", "+", "led/v1/#", "+/#", "led/v1/+", "led/v1/signs/+/program", "led/v1/signs/#",
			"led/v1/frames/+/" + digest,
			"led/v1/frames/viet-ads/+", "led/v1/frames/viet-ads/#", "led/v1/frames/public/#", "led/v1/alerts/#",
			"led/v1/alerts/128x64-rgb/#",
			"led/v1/alerts/+/frames/+", "$share/g/led/v1/keys", "$share/g/#", "$SYS/#", "$SYS/broker/clients/connected", ""}
		refused := append(wild, slices.DeleteFunc(slices.Clone(foreign),
			func(f string) bool { return strings.HasSuffix(f, digestB) })...)
		for i, code := range sign.subscribe(refused...) {
			if code < 0x80 {
				t.Errorf("%q was granted", refused[i])
			}
			if v == 4 && code > 0x80 {
				t.Errorf("%q: code %#x is none of 3.1.1's", refused[i], code)
			}
		}
		filters := append(slices.Clone(own[:7]), "led/v1/alerts/128x64-rgb/frames/+")
		sign.subscribed(filters...)
		for round := range 2 { // as retained messages, then live
			got := map[string]bool{}
			for range own {
				pk, ok := sign.next()
				if !ok {
					t.Fatal("the connection ended")
				}
				got[pk.TopicName] = true
				if pk.FixedHeader.Retain != (round == 0) {
					t.Errorf("round %d: %s has retain %v", round, pk.TopicName, pk.FixedHeader.Retain)
				}
			}
			for _, topic := range own {
				if !got[topic] {
					t.Errorf("round %d: %s did not come", round, topic)
				}
			}
			if round == 0 {
				for _, topic := range append(slices.Clone(foreign), own...) {
					ctl.publish(topic, []byte("live"), true)
				}
			}
		}
		// Nothing else was behind it.
		ctl.publish("led/v1/signs/qn-001/request", []byte("last"), false)
		sign.gets("led/v1/signs/qn-001/request", "last")
	})
}

// TestTestSigns: the test topics open with the account and close with it, at
// once and without a new connection.
func TestTestSigns(t *testing.T) {
	h := start(t)
	ctl := h.controller()
	ctl.publish("led/v1/alerts-test/128x64-rgb", []byte("test set"), true)
	sign := h.in(as("test-1"))
	sign.subscribed("led/v1/alerts-test/128x64-rgb", "led/v1/alerts/128x64-rgb", "led/v1/signs/test-1/request")
	sign.gets("led/v1/alerts-test/128x64-rgb", "test set")
	h.book.put(account("test-1")) // no longer a test sign
	ctl.publish("led/v1/alerts-test/128x64-rgb", []byte("not for it"), true)
	ctl.publish("led/v1/signs/test-1/request", []byte("r"), false)
	sign.gets("led/v1/signs/test-1/request", "r")
	if code := sign.subscribe("led/v1/alerts-test/128x64-rgb")[0]; code < 0x80 {
		t.Error("granted again")
	}
}

// TestWriting: only its own four topics are taken, and of these only status is
// kept.
func TestWriting(t *testing.T) {
	eachVersion(t, func(t *testing.T, v byte) {
		h := start(t)
		ctl := h.controller()
		elsewhere := []string{"led/v1/keys", "led/v1/signs/qn-001/program", "led/v1/signs/qn-001/frame",
			"led/v1/signs/qn-001/request",
			status("qn-002"), "led/v1/signs/qn-002/ack", "led/v1/signs/qn-003/status", "led/v1/signs/qn-002/program",
			"led/v1/frames/viet-ads/" + digest, "led/v1/frames/public/" + digest, "led/v1/alerts/128x64-rgb", "led/v1/marker",
			"other", "led/v1/signs/qn-001/status/x"}
		before := h.in(connecting{user: ControllerUser, pass: controllerPassword, id: "controller-2"})
		for _, topic := range elsewhere[:8] {
			before.publish(topic, []byte("the controller's"), true)
		}
		for _, topic := range elsewhere[4:7] { // ctl is subscribed to what signs say
			ctl.gets(topic, "the controller's")
		}
		kept := h.retained()

		c := as("qn-001")
		c.v = v
		sign := h.in(c)
		other := h.in(as("qn-002"))
		other.subscribed("led/v1/keys", "led/v1/signs/qn-002/program")
		other.gets("led/v1/keys", "the controller's")
		other.gets("led/v1/signs/qn-002/program", "the controller's")
		for _, topic := range elsewhere {
			for _, payload := range []string{"the sign's", ""} { // an empty one would delete what is kept
				sign.publish(topic, []byte(payload), true)
				sign.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish, Retain: true}, TopicName: topic,
					Payload: []byte(payload)})
			}
		}
		ctl.nothing()
		ctl.publish("led/v1/signs/qn-002/program", []byte("next"), true)
		other.gets("led/v1/signs/qn-002/program", "next")
		kept["led/v1/signs/qn-002/program"] = "next"
		if after := h.retained(); fmt.Sprint(after) != fmt.Sprint(kept) {
			t.Errorf("retained before %v, after %v", kept, after)
		}
		if d := h.told(); d[0] != "qn-001" || !strings.HasPrefix(d[1], "not allowed: ") {
			t.Errorf("reported %v", d)
		}
		if n := len(h.dropped); n != 0 {
			t.Errorf("%d more reports of one trouble", n)
		}

		// Its own, all with the retain flag.
		for _, leaf := range []string{"status", "ack", "played", "snapshot"} {
			topic := "led/v1/signs/qn-001/" + leaf
			sign.publish(topic, []byte(leaf), true)
			ctl.gets(topic, leaf)
		}
		kept[status("qn-001")] = "status"
		if after := h.retained(); fmt.Sprint(after) != fmt.Sprint(kept) {
			t.Errorf("retained %v, want %v", after, kept)
		}
		sign.publish(status("qn-001"), nil, true) // its own it may delete
		ctl.gets(status("qn-001"), "")
		delete(kept, status("qn-001"))
		if after := h.retained(); fmt.Sprint(after) != fmt.Sprint(kept) {
			t.Errorf("retained %v, want %v", after, kept)
		}
	})
}

// TestController: everything under led/v1/ and nothing beside it.
func TestController(t *testing.T) {
	h := start(t)
	ctl := h.controller()
	filters := []string{"led/v1/#", "led/v1/signs/+/status", "#", "led/#", "+/v1/#", "led/+/keys", "$SYS/#",
		"$share/g/led/v1/#", "other"}
	for i, code := range ctl.subscribe(filters...) {
		if granted := code < 0x80; granted != (i < 2) {
			t.Errorf("%s: granted %v", filters[i], granted)
		}
	}
	second := h.in(connecting{user: ControllerUser, pass: controllerPassword, id: "controller-2"})
	second.publish("other", []byte("x"), true)
	second.publish("led/v1/keys", bytes.Repeat([]byte("k"), 1000), true)
	if pk, _ := ctl.next(); pk.TopicName != "led/v1/keys" {
		t.Errorf("got %s", pk.TopicName)
	}
	if _, kept := h.server.Topics.Retained.Get("other"); kept {
		t.Error("a topic that nobody can read was retained")
	}
	if got := h.Connected(); len(got) != 0 {
		t.Errorf("connected signs: %v", got)
	}
}

// TestVersion5: what MQTT 5 adds opens nothing.
func TestVersion5(t *testing.T) {
	h := start(t)
	ctl := h.controller()
	c := as("qn-001")
	c.v, c.keepSession, c.will = 5, true, will(status("qn-001"), "gone")
	c.edit = func(pk *packets.Packet) {
		pk.Properties = packets.Properties{SessionExpiryInterval: 3600, SessionExpiryIntervalFlag: true,
			TopicAliasMaximum: 10,
			User:              []packets.UserProperty{{Key: "k", Val: "v"}}}
		pk.Connect.WillProperties = packets.Properties{WillDelayInterval: 3600, ResponseTopic: "led/v1/keys",
			CorrelationData: []byte("c"),
			User:            []packets.UserProperty{{Key: "k", Val: "v"}}, MessageExpiryInterval: 1}
	}
	sign := h.in(c)
	if a := sign.last.Properties.TopicAliasMaximum; a != 0 {
		t.Errorf("%d topic aliases are offered", a)
	}
	subscribe := func(filter string, sub packets.Subscription) byte {
		sign.id++
		sub.Filter = filter
		return sign.subscribePacket(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1},
			PacketID:   sign.id,
			Properties: packets.Properties{SubscriptionIdentifier: []int{7}}, Filters: packets.Subscriptions{sub}})[0]
	}
	if code := subscribe("led/v1/signs/qn-001/request", packets.Subscription{Identifier: 7,
		RetainAsPublished: true}); code != 0 {
		t.Errorf("with a subscription identifier: %#x", code)
	}
	for _, f := range []string{"led/v1/signs/qn-002/request", "$share/g/led/v1/keys", "led/v1/#"} {
		if code := subscribe(f, packets.Subscription{Identifier: 7, NoLocal: true, RetainHandling: 1}); code < 0x80 {
			t.Errorf("%s was granted", f)
		}
	}
	// Two messages on one topic: the broker uses no alias towards the sign either.
	for _, p := range []string{"a", "b"} {
		ctl.publish("led/v1/signs/qn-001/request", []byte(p), false)
		if pk := sign.gets("led/v1/signs/qn-001/request", p); pk.Properties.TopicAliasFlag ||
			!slices.Equal(pk.Properties.SubscriptionIdentifier, []int{7}) {
			t.Errorf("properties %+v", pk.Properties)
		}
	}
	// Properties are not passed on, not kept, and cannot make a status expire.
	sign.publishPacket(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: 1, Retain: true},
		PacketID:  99,
		TopicName: status("qn-001"), Payload: []byte("on"), Properties: packets.Properties{ResponseTopic: "led/v1/keys",
			MessageExpiryInterval: 1,
			ContentType:           "x", User: []packets.UserProperty{{Key: "big", Val: strings.Repeat("x", 60000)}}}})
	if len(sign.last.Properties.User) != 0 {
		t.Error("the acknowledgement repeats the properties")
	}
	five := h.in(connecting{user: ControllerUser, pass: controllerPassword, id: "controller-5", v: 5})
	five.subscribed(status("qn-001"))
	pk := five.gets(status("qn-001"), "on")
	if p := pk.Properties; p.ResponseTopic != "" || p.MessageExpiryInterval != 0 || p.ContentType != "" ||
		len(p.User) != 0 {
		t.Errorf("a kept status has properties %+v", p)
	}
	ctl.gets(status("qn-001"), "on")
	// A topic alias is an error that ends the connection; then the will comes,
	// at once and without its properties.
	sign.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish}, TopicName: status("qn-001"),
		Payload:    []byte("alias"),
		Properties: packets.Properties{TopicAlias: 1, TopicAliasFlag: true}})
	sign.ended()
	ctl.gets(status("qn-001"), "gone")
	if pk := five.gets(status("qn-001"), "gone"); pk.Properties.ResponseTopic != "" || len(pk.Properties.User) != 0 {
		t.Errorf("the will has properties %+v", pk.Properties)
	}
	// The session did not outlast the connection.
	c.edit, c.will = nil, nil
	again := h.in(c)
	if again.last.SessionPresent {
		t.Error("the session is still there")
	}
	ctl.publish("led/v1/signs/qn-001/request", []byte("c"), false)
	again.subscribed("led/v1/keys")
	ctl.publish("led/v1/keys", []byte("k"), true)
	again.gets("led/v1/keys", "k")
}
