package listen

import (
	"bytes"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"ledcast/sign/wire"
)

// While nobody hears signs they are unknown, and so is a sign that has not spoken since (A2).
func TestSignsAreUnknownWithoutALink(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 2))
	t.Log("seed", seed)
	l, c := listener()
	l.Linked(false, true)
	expect := func(what string, online, unknown bool) {
		t.Helper()
		s := l.State("qn-001")
		if s.Online != online || s.Unknown != unknown || l.Online("qn-001") != online {
			t.Errorf("%s: online %v, unknown %v; want %v, %v", what, s.Online, s.Unknown, online, unknown)
		}
	}
	expect("before the first link", false, true)
	l.Linked(true, true)
	expect("never heard", false, false)
	for range 5 {
		l.Message(topic, status("online", "a"), false)
		expect("heard", true, false)
		c.t = c.t.Add(time.Duration(r.Int64N(int64(Silence))))
		expect("heard lately", true, false)
		l.Linked(false, true)
		expect("no link", false, true)
		c.t = c.t.Add(time.Duration(r.Int64N(int64(time.Hour))))
		expect("still no link", false, true)
		l.Linked(true, true)
		expect("not heard since", false, true)
		switch r.IntN(4) {
		case 0:
			l.Message(topic, status("online", "a"), true)
			expect("the broker has held its connection", true, false)
		case 1:
			l.Message(topic, status("offline", "a"), true)
			expect("the broker has its will", false, false)
		case 2:
			c.t = c.t.Add(Silence + time.Second)
			expect("it does not come back", false, false)
		}
	}
}

// An embedded broker hands over what signs say: after a loss of the controller's own connection they are what they
// were.
func TestSignsOfAnEmbeddedBroker(t *testing.T) {
	l, c := listener()
	m := &memory{}
	w := NewWatch(l, m, slog.New(slog.DiscardHandler))
	began := c.t
	update := func(at time.Duration) {
		t.Helper()
		c.t = began.Add(at)
		if err := w.update(t.Context(), c.t); err != nil {
			t.Fatal(err)
		}
	}
	update(0)
	c.t = began.Add(time.Second)
	l.Message(topic, status("online", "a"), false)
	update(5 * time.Second)
	l.Linked(false, false)
	if s := l.State("qn-001"); s.Online || !s.Unknown {
		t.Errorf("without a link: %+v", s)
	}
	update(10 * time.Second)
	l.Linked(true, false)
	if s := l.State("qn-001"); !s.Online || s.Unknown {
		t.Errorf("with a link again: %+v", s)
	}
	update(15 * time.Second)
	if got := m.says(began); got != "@0 true; qn-001@1 true; @5 false; @10 true" {
		t.Error(got)
	}
}

// The history of a sign's health has no "online" over an outage of the broker (A2).
func TestWatchWithoutALink(t *testing.T) {
	l, c := listener()
	l.Linked(false, true)
	m := &memory{}
	var log bytes.Buffer
	w := NewWatch(l, m, slog.New(slog.NewTextHandler(&log, nil)))
	began := c.t
	expect := func(at time.Duration, want string) {
		t.Helper()
		c.t = began.Add(at)
		if err := w.update(t.Context(), c.t); err != nil {
			t.Fatal(err)
		}
		if got := m.says(began); got != want {
			t.Errorf("at %v: %q, want %q", at, got, want)
		}
	}
	link := func(at time.Duration, up bool) { c.t = began.Add(at); l.Linked(up, true) }
	say := func(at time.Duration, sign, state, session string) {
		c.t = began.Add(at)
		l.Message(wire.SignTopic(sign, wire.LeafStatus), status(state, session), false)
	}
	const s = time.Second
	expect(5*s, "")
	if !m.alive.IsZero() {
		t.Error("a heartbeat while nothing is heard")
	}
	link(7*s, true)
	say(8*s, "qn-001", "online", "a")
	say(8*s, "qn-002", "online", "a")
	expect(10*s, "@7 true; qn-001@8 true; qn-002@8 true")
	link(20*s, false)
	expect(25*s, "@20 false")
	expect(3600*s, "")
	link(3602*s, true)
	say(3603*s, "qn-001", "online", "b")
	expect(3605*s, "@3602 true")
	expect(3602*s+Silence+s, "qn-002@3602 false") // it did not come back with the broker; the other was silent only now
	// Lost and back between two looks.
	link(4300*s, false)
	link(4302*s, true)
	say(4303*s, "qn-001", "online", "b")
	expect(4305*s, "@4300 false; @4302 true")
	if err := w.end(t.Context(), c.t); err != nil {
		t.Fatal(err)
	}
	if got := m.says(began); got != "@4305 false" {
		t.Error(got)
	}
	for sign, want := range map[string]string{"qn-001": "online", "qn-002": "online offline"} {
		var got []string
		for _, line := range strings.Split(log.String(), "\n") {
			if strings.Contains(line, "level=INFO") && strings.Contains(line, "sign="+sign) {
				got = append(got, strings.Fields(line[strings.Index(line, `"sign `)+6:])[0])
			}
		}
		if text := strings.ReplaceAll(strings.Join(got, " "), `"`, ""); text != want {
			t.Errorf("%s: logged %q, want %q", sign, text, want)
		}
	}
}

// What a sign acked before its disk was lost is not acked by the new disk (B7), and what it could not take for want of
// keys or frames is not acked at all.
func TestAcksOfALostDisk(t *testing.T) {
	l, _ := listener()
	ack := func(state, reason string, seq int) {
		l.Message(wire.SignTopic("qn-001", wire.LeafAck), fmt.Appendf(nil,
			`{"v":1,"at_ms":1,"role":"program","epoch":1,"seq":%d,"state":%q,"reason":%q}`, seq, state, reason), false)
	}
	online := func(session, more string) {
		l.Message(topic, fmt.Appendf(nil, `{"v":1,"state":"online","session":%q,"at_ms":1%s}`, session, more), false)
	}
	expect := func(what string, seq int64, keys, frames bool) {
		t.Helper()
		k, f := l.Lacks("qn-001", wire.RoleProgram, "")
		if got := l.Seq("qn-001", wire.RoleProgram); got != seq || k != keys || f != frames {
			t.Errorf("%s: seq %d, lacks keys %v, frames %v; want %d, %v, %v", what, got, k, f, seq, keys, frames)
		}
	}
	const keys, program = `,"keys":{"epoch":1,"seq":1}`, `,"program":{"epoch":1,"seq":7}`
	online("a", keys)
	ack("received", "", 7)
	expect("acked", 7, false, false)
	online("a", keys)
	expect("the same connection", 7, false, false)
	online("b", keys+program)
	expect("another connection", 7, false, false)
	online("c", keys)
	expect("without its program", 0, false, false)
	ack("received", "", 7)
	online("d", "")
	expect("a new disk", 0, true, false)
	ack("rejected", "unknown-key", 7)
	expect("refused for want of keys", 0, true, false)
	online("d", keys)
	ack("rejected", "missing-frame", 7)
	expect("refused for want of frames", 0, false, true)
	ack("rejected", "wrong-class", 7)
	expect("refused for good", 7, false, false)
}

// A sign whose messages cannot be read fills no log.
func TestBadMessagesAreLoggedRarely(t *testing.T) {
	l, c := listener()
	var log bytes.Buffer
	l.log = slog.New(slog.NewTextHandler(&log, nil))
	for i := range 3600 {
		l.Message(topic, fmt.Appendf(nil, `{"v":%d}`, i+2), false)
		c.t = c.t.Add(time.Second)
	}
	if n := strings.Count(log.String(), "level=WARN"); n != 6 {
		t.Errorf("%d warnings in an hour", n)
	}
}
