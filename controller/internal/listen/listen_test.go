package listen

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func listener() (*Listener, *clock) {
	c := &clock{time.Unix(1_767_200_400, 0)}
	return New(c.now, slog.New(slog.DiscardHandler), Events{Class: func(sign string) (playlists.Class, bool) {
		return playlists.Class{W: 8, H: 4}, sign == "qn-001"
	}}), c
}

func status(state, session string) []byte {
	return fmt.Appendf(nil, `{"v":1,"state":%q,"session":%q,"at_ms":1}`, state, session)
}

var topic = wire.SignTopic("qn-001", wire.LeafStatus)

func TestWillsRace(t *testing.T) {
	l, _ := listener()
	l.Message(topic, status("online", "a"), false)
	l.Message(topic, status("online", "b"), false) // came back before the broker noticed
	l.Message(topic, status("offline", "a"), false)
	if !l.State("qn-001").Online {
		t.Error("the will of an older session took the sign offline")
	}
	l.Message(topic, status("offline", "b"), false)
	if l.State("qn-001").Online {
		t.Error("its own will did not take the sign offline")
	}
}

func TestSilence(t *testing.T) {
	l, c := listener()
	l.Message(topic, status("online", "a"), false)
	c.t = c.t.Add(Silence + time.Second)
	if l.State("qn-001").Online {
		t.Errorf("online after %v of silence", Silence)
	}
	l.Message(topic, status("online", "a"), true)
	if l.State("qn-001").Online {
		t.Error("a retained status is no sign of life")
	}
}

// What is over the limit is a fault. The newest status and acks are held and delivered when the window ends, in order;
// snapshots are dropped.
func TestFlood(t *testing.T) {
	l, c := listener()
	var heard []string
	l.ev.Ack = func(_ string, a *wire.Ack) { heard = append(heard, fmt.Sprint(a.Alert, " ", a.State)) }
	l.ev.Class = func(string) (playlists.Class, bool) { return playlists.Class{W: 4, H: 4}, true }
	ack := func(alert string, seq int, state wire.AckState) []byte {
		return fmt.Appendf(nil, `{"v":1,"at_ms":1,"role":"alerts","epoch":1,"seq":%d,"alert":%q,"state":%q}`,
			seq, alert, state)
	}
	for range 1 + timeline.FloodMessages { // the first of a connection does not count
		l.Message(topic, status("online", "a"), false)
	}
	if s := l.State("qn-001"); s.Faults(c.t) != nil {
		t.Errorf("faults of a sign within its limit: %v", s.Faults(c.t))
	}
	l.Message(wire.SignTopic("qn-001", wire.LeafAck), ack("flood", 1, wire.AckReceived), false)
	l.Message(wire.SignTopic("qn-001", wire.LeafAck), ack("storm", 2, wire.AckReceived), false)
	l.Message(wire.SignTopic("qn-001", wire.LeafAck), ack("flood", 1, wire.AckShowing), false)
	l.Message(wire.SignTopic("qn-001", wire.LeafSnapshot), []byte("any"), false)
	for i := range mostHeld {
		l.Message(wire.SignTopic("qn-001", wire.LeafAck), ack("storm", 3+i, wire.AckShowing), false)
	}
	l.Message(wire.SignTopic("qn-001", wire.LeafAck), ack("flood", 3, wire.AckEnded), false)
	l.Message(topic, status("offline", "a"), false)
	s := l.State("qn-001")
	if s.Dropped != 1 || len(heard) != 0 || !slices.Contains(s.Faults(c.t), FaultFlood) {
		t.Errorf("%d dropped, %v heard, faults %v", s.Dropped, heard, s.Faults(c.t))
	}
	if s.Online {
		t.Error("the end of a session was not seen in the flood")
	}
	c.t = c.t.Add(timeline.FloodMS*time.Millisecond - 1)
	_ = l.flush()
	if len(heard) != 0 {
		t.Errorf("delivered before the window's end: %v", heard)
	}
	c.t = c.t.Add(1)
	_ = l.flush()
	if len(heard) != mostHeld-1 || heard[0] != "storm showing" || heard[len(heard)-1] != "flood ended" {
		t.Errorf("%d delivered, %v", len(heard), heard)
	}
	_ = l.flush()
	if len(heard) != mostHeld-1 {
		t.Error("what was held was delivered twice")
	}
	l.Message(topic, status("online", "c"), false)
	if s := l.State("qn-001"); !s.Online || !slices.Contains(s.Faults(c.t), FaultFlood) ||
		s.Faults(c.t.Add(floodFault)) != nil {
		t.Errorf("online %v, faults %v and later %v", s.Online, s.Faults(c.t), s.Faults(c.t.Add(floodFault)))
	}
}

// A power cut costs no messages: the first status of a connection does not count, five times in a window.
func TestFirstStatusesDoNotCount(t *testing.T) {
	l, _ := listener()
	for i := range firstStatuses {
		l.Message(topic, status("online", fmt.Sprint("s", i)), false)
	}
	for range timeline.FloodMessages {
		l.Message(topic, status("online", "s4"), false)
	}
	if s := l.State("qn-001"); !s.FloodAt.IsZero() {
		t.Error("first statuses count")
	}
	l.Message(topic, status("online", "s5"), false)
	if s := l.State("qn-001"); s.FloodAt.IsZero() {
		t.Error("more than five first statuses do not count")
	}
}

// Two boxes with one identity bring their keys in turns; a box that lost its key changes it once.
func TestTwoBoxesOfOneIdentity(t *testing.T) {
	l, c := listener()
	say := func(session, kid string, want bool) {
		t.Helper()
		l.Message(topic, fmt.Appendf(nil, `{"v":1,"state":"online","session":%q,"at_ms":1,"key":{"kid":%q,"x":"x"}}`, session,
			kid), false)
		c.t = c.t.Add(5 * time.Second)
		s := l.State("qn-001")
		if got := slices.Contains(s.Faults(c.t), FaultTwin); got != want {
			t.Errorf("after %s with %s the faults are %v", session, kid, s.Faults(c.t))
		}
	}
	say("a", "one", false)
	say("b", "one", false) // it was restarted
	say("c", "two", false) // its disk was lost
	say("d", "two", false)
	say("e", "one", true) // the other box
	say("f", "two", true)
	c.t = c.t.Add(floodFault)
	say("g", "two", false)
}

func TestWhatCannotBeRead(t *testing.T) {
	l, _ := listener()
	l.Message(topic, status("online", "a"), false)
	var huge bytes.Buffer
	if err := png.Encode(&huge, image.NewGray(image.Rect(0, 0, 4, 4))); err != nil {
		t.Fatal(err)
	}
	claim := bytes.Clone(huge.Bytes())
	copy(claim[16:], []byte{0, 3, 0, 0, 0, 3, 0, 0}) // 196,608 x 196,608; its checksum is wrong too
	for _, m := range []struct {
		leaf wire.Leaf
		data []byte
	}{
		{wire.LeafStatus, []byte(`{"v":1`)}, {wire.LeafStatus, bytes.Repeat([]byte("x"), wire.MaxStatus+1)},
		{wire.LeafStatus, []byte(`{"v":2,"state":"online","session":"","at_ms":1}`)},
		{wire.LeafAck, []byte(`[]`)}, {wire.LeafSnapshot, []byte("GIF89a")}, {wire.LeafSnapshot, claim},
		{wire.LeafSnapshot, make([]byte, wire.MaxSnapshot+1)},
	} {
		l.mu.Lock()
		l.signs["qn-001"].Bad, l.signs["qn-001"].flood = "", newFlood()
		l.mu.Unlock()
		l.Message(wire.SignTopic("qn-001", m.leaf), m.data, false)
		s := l.State("qn-001")
		if s.Bad == "" || !s.Online || s.Snapshot != nil {
			t.Errorf("%s %.20q: bad %q, online %v, %d bytes of snapshot", m.leaf, m.data, s.Bad, s.Online, len(s.Snapshot))
		}
	}
}

func TestSnapshot(t *testing.T) {
	var good, wide, deep bytes.Buffer
	for buf, m := range map[*bytes.Buffer]image.Image{
		&good: image.NewPaletted(image.Rect(0, 0, 8, 4), color.Palette{color.Black, color.White}),
		&wide: image.NewRGBA(image.Rect(0, 0, 9, 4)),
		&deep: image.NewRGBA64(image.Rect(0, 0, 8, 4)),
	} {
		if err := png.Encode(buf, m); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		sign string
		png  []byte
		bad  string
	}{
		"its class":       {"qn-001", good.Bytes(), ""},
		"another size":    {"qn-001", wide.Bytes(), "9x4 from a sign of 8x4"},
		"16 bits":         {"qn-001", deep.Bytes(), "16 bits a channel"},
		"an unknown sign": {"qn-002", good.Bytes(), "unknown sign"},
	} {
		l, now := listener()
		l.Message(wire.SignTopic(c.sign, wire.LeafSnapshot), c.png, false)
		s := l.State(c.sign)
		if c.bad == "" && (!bytes.Equal(s.Snapshot, c.png) || !s.ShotAt.Equal(now.t) || s.Bad != "") {
			t.Errorf("%s: kept %d bytes at %v, bad %q", name, len(s.Snapshot), s.ShotAt, s.Bad)
		}
		if c.bad != "" && (s.Snapshot != nil || !strings.Contains(s.Bad, c.bad)) {
			t.Errorf("%s: kept %d bytes, bad %q, want %q", name, len(s.Snapshot), s.Bad, c.bad)
		}
	}
}
