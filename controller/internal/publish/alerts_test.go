package publish

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// alertBook implements Alerts in memory.
type alertBook struct {
	*world
	mu        sync.Mutex
	alerts    []playlists.Alert
	ended     []playlists.EndedAlert
	published []string // "seq alerts", in order
	pictured  []string
	broken    string // alert that cannot be drawn
}

func (b *alertBook) Wanted(t time.Time) (alerts []playlists.Alert, ended []playlists.EndedAlert, next time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	soon := func(s int64) {
		if at := time.Unix(s, 0); at.After(t) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	for _, a := range b.alerts {
		soon(int64(a.From))
		soon(int64(a.Until))
		if int64(a.From) <= t.Unix() && t.Unix() < int64(a.Until) {
			alerts = append(alerts, a)
		}
	}
	for _, e := range b.ended {
		if soon(e.Until); e.Until > t.Unix() {
			ended = append(ended, e)
		}
	}
	return alerts, ended, next
}

func (b *alertBook) Art(ctx context.Context, id string, c playlists.Class) (*playlists.Artwork, error) {
	if id == b.broken {
		return nil, errors.New("the fonts are gone")
	}
	return b.world.Artwork(ctx, &playlists.Message{ID: id}, c, playlists.Pictures)
}

func (b *alertBook) Published(set *timeline.AlertSet, _ bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	ids := []string{}
	for _, a := range set.Alerts {
		ids = append(ids, a.ID)
	}
	if s := fmt.Sprint(set.Seq, ids); len(b.published) == 0 || b.published[len(b.published)-1] != s {
		b.published = append(b.published, s)
	}
}

func (b *alertBook) Pictured(sign, id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := sign + " " + id; !slices.Contains(b.pictured, s) {
		b.pictured = append(b.pictured, s)
	}
}

func (b *alertBook) put(id string, from, until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.alerts = append(b.alerts, playlists.Alert{ID: id, Priority: 100, Areas: []string{"quang-ngai"},
		From: playlists.Moment(from.Unix()), Until: playlists.Moment(until.Unix()), Mode: playlists.AlertLive})
}

func (b *alertBook) cancel(id string, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, a := range b.alerts {
		if a.ID == id {
			b.ended = append(b.ended,
				playlists.EndedAlert{Ended: timeline.Ended{ID: id, At: at.Unix(), Until: int64(a.Until),
					Why: playlists.EndCancelled}, Alert: a})
			b.alerts = slices.Delete(b.alerts, i, i+1)
			return
		}
	}
}

func newBook() (*alertBook, *Publisher) {
	w, _ := newWorld()
	b := &alertBook{world: w}
	return b, b.publisher()
}

func (b *alertBook) publisher() *Publisher {
	return New(Options{Broker: b.world, Catalogue: b.world, Artist: b.world, Ledger: b.world, Keys: b.world, Alerts: b,
		Now: time.Now, Log: slog.New(slog.DiscardHandler)})
}

const alertTopic = "led/v1/alerts/128x64-rgb"

// set returns the retained set as text: alerts, then -ended alerts.
func (b *alertBook) set(t *testing.T) string {
	t.Helper()
	doc := b.got(alertTopic)
	if doc == "" {
		return "nothing"
	}
	s, err := wire.StoredAlerts([]byte(doc), false)
	if err != nil {
		t.Fatal(err)
	}
	out := ""
	for _, a := range s.Alerts {
		out += a.ID + " "
	}
	for _, e := range s.Ended {
		out += "-" + e.ID + ":" + e.Why + " "
	}
	if out == "" {
		return "empty"
	}
	return strings.TrimSpace(out)
}

func (b *alertBook) frames() (n int) {
	b.world.mu.Lock()
	defer b.world.mu.Unlock()
	for topic, data := range b.retained {
		if strings.HasPrefix(topic, alertTopic+"/frames/") && data != "" {
			n++
		}
	}
	return n
}

// A set has no alert before its from, comes after its frames, ends alerts by the
// clock, is empty for its life and is then cleared.
func TestAlertSetsByTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, p := newBook()
		ctx, cancel := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() { p.Run(ctx) })
		done.Go(func() { p.RunAlerts(ctx) })
		defer done.Wait()
		defer cancel()
		p.Connected()
		synctest.Wait()
		is := func(when, want string, frames int) {
			t.Helper()
			synctest.Wait()
			if got := b.set(t); got != want || b.frames() != frames {
				t.Errorf("%s: the set is %q with %d frames, want %q with %d", when, got, b.frames(), want, frames)
			}
		}
		if !p.Ready() {
			t.Error("not ready without alerts")
		}
		is("without alerts", "nothing", 0)
		start := time.Now()
		b.put("a1", start.Add(10*time.Second), start.Add(2*time.Minute))
		p.KickAlerts()
		is("before its time", "nothing", 0)
		time.Sleep(10 * time.Second)
		is("at its time", "a1", 2)
		sent := b.topics()
		last := slices.Index(sent, alertTopic)
		for i, topic := range sent {
			if strings.Contains(topic, "/alerts/128x64-rgb/frames/") && i > last {
				t.Error("a frame came after its set")
			}
		}
		for _, topic := range sent {
			if strings.HasPrefix(topic, "led/v1/alerts-test/") {
				t.Errorf("published %s", topic)
			}
		}
		// The picture sign has it at once.
		at := b.at("led/v1/signs/pic/frame")
		if got := at[len(at)-1].Sub(start); got != 10*time.Second || !slices.Contains(b.pictured, "pic a1") {
			t.Errorf("its picture came at %v, pictured %v", got, b.pictured)
		}
		b.put("a2", start, start.Add(24*time.Hour))
		p.KickAlerts()
		is("a second", "a1 a2", 4)
		time.Sleep(110 * time.Second)
		is("the first is over", "a2", 2)
		seq := p.alerts.sets[setKey{"128x64-rgb", false}].Seq
		time.Sleep(13 * time.Hour)
		is("half a set's life later", "a2", 2)
		if s := p.alerts.sets[setKey{"128x64-rgb", false}]; s.Seq == seq || s.Exp < time.Now().Unix()+12*3600 {
			t.Error("it was not renewed")
		}
		b.cancel("a2", time.Now())
		p.KickAlerts()
		is("cancelled", "-a2:cancelled", 0)
		time.Sleep(17 * time.Hour)
		is("past its until", "empty", 0)
		time.Sleep(18 * time.Hour)
		is("a day later", "empty", 0)
		time.Sleep(2 * time.Hour)
		is("past a set's life", "nothing", 0)
	})
}

// After a restart the publisher sends the same set and clears frames of alerts
// that ended meanwhile.
func TestAlertSetsAfterARestart(t *testing.T) {
	b, p := newBook()
	sync := func() {
		t.Helper()
		if _, err := p.SyncAlerts(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	b.put("a1", time.Now(), time.Now().Add(time.Hour))
	sync()
	before := b.got(alertTopic)
	p = b.publisher()
	sync()
	if b.got(alertTopic) != before || b.seq != 1 {
		t.Errorf("after a restart another set was issued: %d", b.seq)
	}
	b.cancel("a1", time.Now())
	p = b.publisher()
	sync()
	if got := b.set(t); got != "-a1:cancelled" || b.frames() != 0 {
		t.Errorf("the set is %q with %d frames", got, b.frames())
	}
	// A broker that was emptied.
	b.retained = map[string]string{}
	p.Connected()
	sync()
	if got := b.set(t); got != "-a1:cancelled" {
		t.Errorf("in an emptied broker the set is %q", got)
	}
}

// A cancel does not wait for an alert that cannot be drawn or published.
func TestCancelWaitsForNothing(t *testing.T) {
	b, p := newBook()
	b.put("a1", time.Now(), time.Now().Add(time.Hour))
	b.put("a2", time.Now(), time.Now().Add(time.Hour))
	if _, err := p.SyncAlerts(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.broken = "a2"
	b.cancel("a1", time.Now())
	if _, err := p.SyncAlerts(t.Context()); err == nil {
		t.Error("no error for an alert that cannot be drawn")
	}
	if got := b.set(t); got != "a2 -a1:cancelled" {
		t.Errorf("the set is %q", got)
	}
	b.broken = ""
	b.setDown(errors.New("no broker"))
	b.cancel("a2", time.Now())
	p.KickAlerts()
	if _, err := p.SyncAlerts(t.Context()); err == nil || p.alertsReady() {
		t.Error("published without a broker")
	}
	b.setDown(nil)
	if _, err := p.SyncAlerts(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := b.set(t); got != "-a1:cancelled -a2:cancelled" {
		t.Errorf("the set is %q", got)
	}
}

// A drill changes no picture, and a test goes only to test signs.
func TestDrillsAndTests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, p := newBook()
		ctx, cancel := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() { p.Run(ctx) })
		done.Go(func() { p.RunAlerts(ctx) })
		defer done.Wait()
		defer cancel()
		p.Connected()
		synctest.Wait()
		b.put("drill", time.Now(), time.Now().Add(time.Minute))
		b.put("test", time.Now(), time.Now().Add(time.Minute))
		b.mu.Lock()
		b.alerts[0].Mode, b.alerts[1].Mode = playlists.AlertDrill, playlists.AlertTest
		b.mu.Unlock()
		p.KickAlerts()
		synctest.Wait()
		if got := b.set(t); got != "drill" || b.got("led/v1/alerts-test/128x64-rgb") != "" {
			t.Errorf("the set is %q; nobody is a test sign", got)
		}
		time.Sleep(30 * time.Second)
		synctest.Wait()
		b.mu.Lock()
		if len(b.pictured) != 0 {
			t.Errorf("pictured %v", b.pictured)
		}
		b.mu.Unlock()
		b.world.mu.Lock()
		b.world.signs[0].Test = true
		b.world.mu.Unlock()
		p.Kick()
		synctest.Wait()
		doc := b.got("led/v1/alerts-test/128x64-rgb")
		s, err := wire.StoredAlerts([]byte(doc), true)
		if err != nil || len(s.Alerts) != 1 || s.Alerts[0].ID != "test" {
			t.Errorf("the test set is %v, %v", s, err)
		}
	})
}

// fakeSigns implements SignState.
type fakeSigns struct{ online, acked atomic.Bool }

func (e *fakeSigns) Online(string) bool               { return e.online.Load() }
func (e *fakeSigns) Acked(string, string, int64) bool { return e.acked.Load() }

// A silent sign is asked after 5 s, then at doubling intervals up to 5 min, and
// never while it is offline.
func TestResync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeSigns{}
		e.online.Store(true)
		start := time.Now()
		var mu sync.Mutex
		var asked []int
		take := func() []int {
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			a := asked
			asked = nil
			return a
		}
		r := NewResync(e, func(string) {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, int(time.Since(start).Seconds()))
		}, time.Now)
		go r.Run(t.Context())
		r.Expect("s1", wire.RoleProgram, 7)
		r.Expect("s1", wire.RoleAlerts, 8)
		time.Sleep(1000 * time.Second)
		if got := take(); fmt.Sprint(got) != "[5 15 35 75 155 315 615 915]" {
			t.Errorf("asked after %v s", got)
		}
		e.online.Store(false)
		time.Sleep(1000 * time.Second)
		if got := take(); len(got) > 0 {
			t.Errorf("asked while offline: %v", got)
		}
		e.online.Store(true)
		time.Sleep(20 * time.Second)
		if got := take(); len(got) != 2 {
			t.Errorf("back online, and asked at %v", got)
		}
		e.acked.Store(true)
		time.Sleep(1000 * time.Second)
		r.Expect("s1", wire.RoleProgram, 7) // known
		got := take()                       // before the lock: synctest.Wait would wait for Step
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(got) != 0 || len(r.pending) != 0 {
			t.Errorf("acked, and asked %v", got)
		}
	})
}

// An alert that signs would refuse is left out of the set and reported.
func TestABadAlertIsLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, p := newBook()
		now := time.Now()
		b.put("good", now, now.Add(time.Hour))
		b.put("bad", now, now.Add(playlists.MaxAlertLife*time.Second+2*time.Second))
		if _, err := p.SyncAlerts(t.Context()); err == nil || !strings.Contains(err.Error(), "alert bad is left out") {
			t.Errorf("the bad alert is not reported: %v", err)
		}
		if got := b.set(t); got != "good" {
			t.Errorf("the set is %q", got)
		}
	})
}
