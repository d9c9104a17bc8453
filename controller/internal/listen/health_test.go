package listen

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"ledcast/playlists"
)

// memory is a health log in memory.
type memory struct {
	all    []playlists.Condition
	alive  time.Time
	broken bool
}

func (m *memory) Append(_ context.Context, all []playlists.Condition) error {
	if m.broken {
		return errors.New("no disk")
	}
	m.all = append(m.all, all...)
	return nil
}

func (m *memory) Latest(context.Context) ([]playlists.Condition, error) {
	last := map[string]playlists.Condition{}
	for _, c := range m.all {
		last[c.Sign] = c
	}
	var out []playlists.Condition
	for _, c := range last {
		out = append(out, c)
	}
	return out, nil
}

func (m *memory) SetHeartbeat(_ context.Context, at time.Time) error { m.alive = at; return nil }

func (m *memory) Heartbeat(context.Context) (time.Time, error) { return m.alive, nil }

// says is what was written since the last call, with seconds since a time.
func (m *memory) says(since time.Time) string {
	var out []string
	for _, c := range m.all {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s@%v %v %s %s", c.Sign, time.UnixMilli(c.AtMS).Sub(since).Seconds(),
			c.Online, c.Clock, strings.Join(c.Faults, ","))))
	}
	m.all = nil
	return strings.Join(out, "; ")
}

func TestWatch(t *testing.T) {
	l, c := listener()
	m := &memory{}
	w := NewWatch(l, m, slog.New(slog.DiscardHandler))
	began := c.t
	expect := func(what, want string) {
		t.Helper()
		if err := w.update(t.Context(), c.t); err != nil {
			t.Fatal(what, err)
		}
		if got := m.says(began); got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	say := func(state, session, more string) {
		l.Message(topic, fmt.Appendf(nil, `{"v":1,"state":%q,"session":%q,"at_ms":1%s}`, state, session, more), false)
	}
	l.Message(topic, status("online", "kept"), true) // the broker had it: no sign of life
	expect("begin", "@0 true")
	c.t = began.Add(2 * time.Second)
	say("online", "a", `,"clock":"trusted"`)
	c.t = began.Add(5 * time.Second)
	expect("it is there", "qn-001@5 true trusted")
	expect("nothing changed", "")
	c.t = began.Add(10 * time.Second)
	say("online", "a", `,"clock":"trusted","faults":["tấm 3","nguồn"]`)
	expect("a fault", "qn-001@10 true trusted tấm 3,nguồn")
	say("online", "a", `,"clock":"untrusted"`)
	c.t = began.Add(12 * time.Second)
	expect("its clock", "qn-001@12 true untrusted")
	c.t = began.Add(13 * time.Second)
	say("offline", "a", "")
	c.t = began.Add(14 * time.Second)
	say("online", "b", `,"clock":"untrusted"`)
	c.t = began.Add(15 * time.Second)
	expect("away between two looks", "qn-001@13 false; qn-001@14 true untrusted")
	say("offline", "b", "")
	m.broken = true
	if err := w.update(t.Context(), c.t); err == nil {
		t.Error("a health log that fails is not reported")
	}
	m.broken = false
	c.t = began.Add(20 * time.Second)
	expect("written once the log works", "qn-001@15 false")
	c.t = began.Add(30 * time.Second)
	say("online", "c", "")
	c.t = began.Add(33 * time.Second)
	expect("back at the time that it came", "qn-001@30 true")
	c.t = began.Add(30*time.Second + Silence + time.Minute)
	expect("silent", fmt.Sprintf("qn-001@%v false", (30*time.Second+Silence).Seconds()))
	if !m.alive.Equal(c.t) {
		t.Errorf("alive at %v", m.alive)
	}
}

// A sign that changes all the time fills no database.
func TestWatchFlapping(t *testing.T) {
	l, c := listener()
	m := &memory{}
	w := NewWatch(l, m, slog.New(slog.DiscardHandler))
	for i := range 720 { // an hour
		c.t = c.t.Add(updateEvery)
		l.Message(topic, fmt.Appendf(nil, `{"v":1,"state":"online","session":"a","at_ms":1,"faults":["%d%s"]}`, i,
			strings.Repeat("ồ", 100)), false)
		if err := w.update(t.Context(), c.t); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(m.all); n > 2*mostPerHour+60 || n < mostPerHour {
		t.Errorf("%d changes were written", n)
	}
	for _, x := range m.all {
		if len(x.Faults) == 1 && (len(x.Faults[0]) > longFault || strings.ContainsRune(x.Faults[0], '\ufffd')) {
			t.Errorf("%q", x.Faults[0])
		}
	}
}

// A controller that was killed did not listen from when it lived last; a sign
// that does not come back is offline from the new one's beginning.
func TestWatchAfterDeath(t *testing.T) {
	l, c := listener()
	began := c.t
	m := &memory{alive: began.Add(-time.Hour),
		all: []playlists.Condition{{AtMS: began.Add(-3 * time.Hour).UnixMilli(), Online: true},
			{Sign: "qn-001", AtMS: began.Add(-2 * time.Hour).UnixMilli(), Online: true}}}
	w := NewWatch(l, m, slog.New(slog.DiscardHandler))
	if err := w.update(t.Context(), c.t); err != nil {
		t.Fatal(err)
	}
	m.all = m.all[2:]
	if got := m.says(began); got != "@-3600 false; @0 true" {
		t.Error(got)
	}
	c.t = began.Add(Silence + time.Second)
	if err := w.update(t.Context(), c.t); err != nil {
		t.Fatal(err)
	}
	if got := m.says(began); got != "qn-001@0 false" {
		t.Error(got)
	}
	if err := w.end(t.Context(), c.t); err != nil {
		t.Fatal(err)
	}
	if got := m.says(began); got != "@661 false" {
		t.Error(got)
	}
}
