package broker

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"
)

func TestTooLarge(t *testing.T) {
	h := start(t)
	ctl := h.controller()
	sign := h.in(as("qn-001"))
	for _, c := range []struct {
		leaf  string
		limit int
	}{{"status", 4096}, {"ack", 1024}, {"played", 65536}, {"snapshot", 921600}} {
		topic := "led/v1/signs/qn-001/" + c.leaf
		fits := strings.Repeat("a", c.limit)
		sign.publish(topic, []byte(fits), true)
		ctl.gets(topic, fits)
		h.clock.move(floodSpan) // for the next report
		sign.publish(topic, []byte(fits+"b"), true)
		if d := h.told(); d[0] != "qn-001" || !strings.HasPrefix(d[1], "too large: ") || !strings.Contains(d[1], topic) ||
			!strings.Contains(d[1], fmt.Sprint(c.limit)) {
			t.Errorf("reported %v", d)
		}
		ctl.nothing()
	}
	if kept := h.retained(); len(kept) != 1 || len(kept[status("qn-001")]) != 4096 {
		t.Errorf("%d topics are kept, the status with %d bytes", len(kept), len(kept[status("qn-001")]))
	}
	// Above a packet's limit the connection ends, and the broker goes on.
	_ = sign.trySend(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish}, TopicName: status("qn-001"),
		Payload: make([]byte, maxPacket)})
	sign.ended()
	h.in(as("qn-001"))
}

func TestFlood(t *testing.T) {
	for _, c := range []struct {
		leaf string
		most int
	}{{"ack", smallCount}, {"snapshot", floodCount}} {
		t.Run(c.leaf, func(t *testing.T) { flood(t, c.leaf, c.most) })
	}
}

func flood(t *testing.T, leaf string, most int) {
	h := start(t)
	ctl := h.controller()
	sign, calm := h.in(as("qn-001")), h.in(as("qn-002"))
	message := func(i int) (string, string) { return "led/v1/signs/qn-001/" + leaf, fmt.Sprint(i) }
	for i := range most {
		topic, payload := message(i)
		sign.publish(topic, []byte(payload), false) // acknowledged, taken or not
		ctl.gets(topic, payload)
	}
	for i := range 20 {
		topic, payload := message(most + i)
		sign.publish(topic, []byte(payload), false)
	}
	ctl.nothing()
	if d := h.told(); d[0] != "qn-001" || !strings.HasPrefix(d[1], fmt.Sprintf("flood: more than %d ", most)) {
		t.Errorf("reported %v", d)
	}
	if n := len(h.dropped); n != 0 {
		t.Errorf("%d more reports of one flood", n)
	}
	// Connecting again does not begin anew, and nobody else pays for it.
	topic, _ := message(0)
	sign = h.in(as("qn-001"))
	sign.publish(topic, []byte("again"), false)
	ctl.nothing()
	calm.publish("led/v1/signs/qn-002/"+leaf, []byte("calm"), false)
	ctl.gets("led/v1/signs/qn-002/"+leaf, "calm")

	h.clock.move(floodSpan - 1)
	sign.publish(topic, []byte("too early"), false)
	ctl.nothing()
	h.clock.move(1)
	sign.publish(topic, []byte("in time"), false)
	ctl.gets(topic, "in time")
}

// TestConnectFlood: each connection can leave a will, so they are counted too.
func TestConnectFlood(t *testing.T) {
	h := start(t)
	for i := range floodCount {
		c := h.connect(as("qn-001"))
		if c.code != 0 {
			t.Fatalf("connection %d was refused with %#x", i, c.code)
		}
	}
	if c := h.connect(as("qn-001")); c.code != 3 {
		t.Errorf("one too many got %#x, want 3, server unavailable", c.code)
	}
	h.in(as("qn-002"))
	h.clock.move(floodSpan)
	h.in(as("qn-001"))
}

func TestTooManySubscriptions(t *testing.T) {
	h := start(t)
	sign := h.in(as("qn-001"))
	filters := make([]string, 0, 1025)
	n := 0
	for batch := range 5 {
		filters = filters[:0]
		for range 1024 {
			n++
			filters = append(filters, "led/v1/frames/public/"+hex.EncodeToString(fmt.Appendf(nil, "%032d", n)))
		}
		for i, code := range sign.subscribe(filters...) {
			if granted := code == 0; granted != (batch < 4) {
				t.Fatalf("subscription %d: %#x", batch*1024+i, code)
			}
		}
	}
	if d := h.told(); !strings.HasPrefix(d[1], "subscriptions: ") {
		t.Errorf("reported %v", d)
	}
	// One that it has it may repeat: signs do so every ten minutes.
	sign.subscribed("led/v1/frames/public/" + hex.EncodeToString(fmt.Appendf(nil, "%032d", 1)))
}

// TestNoWindow: a reader that asked for QoS 1 and acknowledges nothing gets more
// than the server's window would hold.
func TestNoWindow(t *testing.T) {
	h := start(t)
	ctl, sign := h.controller(), h.in(as("qn-001"))
	code := sign.subscribePacket(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1},
		PacketID: 1,
		Filters:  packets.Subscriptions{{Filter: "led/v1/signs/qn-001/request", Qos: 1}}})[0]
	if code != 0 {
		t.Errorf("granted %#x, want QoS 0", code)
	}
	for i := range 300 {
		ctl.publish("led/v1/signs/qn-001/request", fmt.Append(nil, i), false)
		if pk := sign.gets("led/v1/signs/qn-001/request", fmt.Sprint(i)); pk.FixedHeader.Qos != 0 {
			t.Fatalf("message %d has QoS %d", i, pk.FixedHeader.Qos)
		}
	}
}

// TestGarbage: what is not MQTT, or not allowed by it, ends its connection only.
func TestGarbage(t *testing.T) {
	h := start(t)
	sign := h.in(as("qn-001"))
	var connect bytes.Buffer
	pk := as("qn-002").packet()
	pk.ProtocolVersion = 4
	if err := pk.ConnectEncode(&connect); err != nil {
		t.Fatal(err)
	}
	for name, after := range map[string][]byte{
		"nothing":                   nil,
		"a reserved packet":         {0x00, 0x00},
		"a second CONNECT":          connect.Bytes(),
		"an endless length":         {0x30, 0xff, 0xff, 0xff, 0xff, 0xff},
		"a PUBLISH without a topic": {0x30, 0x00},
		"an empty topic":            {0x30, 0x02, 0x00, 0x00},
		"a topic that ends early":   {0x30, 0x03, 0x00, 0x40, 'a'},
		"a topic with a wildcard":   {0x30, 0x03, 0x00, 0x01, '#'},
		"a topic not UTF-8":         {0x30, 0x04, 0x00, 0x02, 0xff, 0xfe},
		"QoS 3":                     {0x36, 0x05, 0x00, 0x01, 'a', 0x00, 0x01},
		"SUBSCRIBE without filters": {0x82, 0x02, 0x00, 0x01},
		"a filter that ends early":  {0x82, 0x05, 0x00, 0x01, 0x00, 0x09, 'a'},
		"SUBACK from a client":      {0x90, 0x03, 0x00, 0x01, 0x00},
		"PUBREL of nothing":         {0x62, 0x02, 0x00, 0x07},
		"AUTH in 3.1.1":             {0xf0, 0x02, 0x18, 0x00},
	} {
		for _, first := range [][]byte{connect.Bytes(), nil} {
			h.clock.move(floodSpan)
			conn, err := net.Dial("tcp", h.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Write(append(bytes.Clone(first), after...)); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			buf := make([]byte, 100)
			for err == nil { // until the broker has closed it
				_, err = conn.Read(buf)
			}
			_ = conn.Close()
		}
	}
	sign.subscribed("led/v1/keys")
	if kept := h.retained(); len(kept) != 0 {
		t.Errorf("retained %v", kept)
	}
}
