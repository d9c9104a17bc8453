package publish

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ledcast/sign/wire"
)

// flock simulates signs that receive what is published, ack what they have, and read what is retained on a resync.
type flock struct {
	*alertBook
	r     *Resync
	again func() // WakeAlerts
	book  sync.Mutex
	has   map[string]map[string]bool // sign → topics that it received
	deaf  map[string]bool            // signs that receive nothing
	away  map[string]bool            // signs that are offline
	gaps  map[string]map[string]bool // sign → role or role/alert whose frames are missing
}

const sets = "led/v1/alerts/128x64-rgb"

func (f *flock) topic(sign, what string) string {
	switch {
	case what == wire.RoleProgram:
		return wire.SignTopic(sign, wire.LeafProgram)
	case what == wire.RoleKeys:
		return wire.TopicKeys
	}
	return sets
}

func (f *flock) Publish(ctx context.Context, topic string, payload []byte, retained bool) error {
	if err := f.alertBook.Publish(ctx, topic, payload, retained); err != nil {
		return err
	}
	f.book.Lock()
	defer f.book.Unlock()
	for sign := range f.has {
		f.hear(sign, topic)
	}
	return nil
}

func (f *flock) hear(sign, topic string) {
	if f.deaf[sign] || f.away[sign] {
		return
	}
	for _, what := range []string{wire.RoleProgram, wire.RoleKeys, wire.RoleAlerts} {
		if topic == f.topic(sign, what) {
			f.has[sign][topic] = true
		}
	}
}

// ask sends a resync. A sign without keys cannot read it.
func (f *flock) ask(sign string) {
	f.book.Lock()
	defer f.book.Unlock()
	if !f.has[sign][wire.TopicKeys] {
		return
	}
	for _, what := range []string{wire.RoleProgram, wire.RoleKeys, wire.RoleAlerts} {
		if topic := f.topic(sign, what); f.got(topic) != "" {
			f.hear(sign, topic)
		}
	}
}

func (f *flock) Online(sign string) bool {
	f.book.Lock()
	defer f.book.Unlock()
	return f.has[sign] != nil && !f.away[sign]
}

func (f *flock) Acked(sign, what string, _ int64) bool {
	f.book.Lock()
	defer f.book.Unlock()
	if id, ok := strings.CutPrefix(what, AlertAck); ok {
		return f.has[sign][sets] && !f.gaps[sign][wire.RoleAlerts+"/"+id]
	}
	return f.has[sign][f.topic(sign, what)] && f.has[sign][wire.TopicKeys] && !f.gaps[sign][what]
}

func (f *flock) Lacks(sign, role, alert string) (keys, frames bool) {
	f.book.Lock()
	defer f.book.Unlock()
	if alert != "" {
		role += "/" + alert
	}
	return !f.has[sign][wire.TopicKeys], f.gaps[sign][role]
}

// lose empties the disks of signs and reports it in their status.
func (f *flock) lose(signs ...string) {
	f.book.Lock()
	for _, s := range signs {
		f.has[s] = map[string]bool{}
	}
	f.book.Unlock()
	for _, s := range signs {
		if f.r.Renew(s) {
			f.again()
		}
	}
}

// wipe makes the broker lose retained messages silently.
func (f *flock) wipe(topics ...string) {
	f.world.mu.Lock()
	defer f.world.mu.Unlock()
	for _, t := range topics {
		delete(f.retained, t)
	}
}

// count returns how often a topic was published since a time.
func (f *flock) count(topic string, since time.Time) (n int) {
	for _, at := range f.at(topic) {
		if !at.Before(since) {
			n++
		}
	}
	return n
}

// newFlock runs a publisher with an alert for signs one, two and three until the test ends.
func newFlock(t *testing.T) (*flock, *Publisher) {
	b, _ := newBook()
	b.signs = b.signs[:3] // without the picture sign, which acks nothing
	f := &flock{alertBook: b, deaf: map[string]bool{}, away: map[string]bool{}, gaps: map[string]map[string]bool{},
		has: map[string]map[string]bool{"one": {}, "two": {}, "three": {}}}
	f.r = NewResync(f, f.ask, time.Now)
	p := New(Options{Broker: f, Catalogue: b.world, Artist: b.world, Ledger: b.world, Keys: b.world, Alerts: b,
		Now: time.Now, Log: slog.New(slog.DiscardHandler), Lacking: f, Expect: f.r.Expect})
	f.r.Repair, f.again = p.Repair, p.WakeAlerts
	b.put("storm", time.Now(), time.Now().Add(20*time.Hour))
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	for _, run := range []func(context.Context){p.Run, p.RunAlerts, f.r.Run} {
		done.Add(1)
		go func() { defer done.Done(); run(ctx) }()
	}
	t.Cleanup(func() { cancel(); done.Wait() })
	p.Connected()
	time.Sleep(time.Minute)
	synctest.Wait()
	for sign := range f.has {
		if !f.Acked(sign, wire.RoleProgram, 0) || !f.Acked(sign, wire.RoleAlerts, 0) {
			t.Fatalf("%s begins without its documents", sign)
		}
	}
	return f, p
}

// Messages that the broker lost on a live connection are published again: a sign's own program for one silent sign,
// a class's alert set for two.
func TestRepairOfLostMessages(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 3))
	t.Log("seed", seed)
	synctest.Test(t, func(t *testing.T) {
		f, p := newFlock(t)
		time.Sleep(time.Duration(r.IntN(60)) * time.Second)
		names := []string{"one", "two", "three"}
		r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		a, b := names[0], names[1]
		began := time.Now()
		f.wipe(wire.TopicKeys, sets, f.topic(a, wire.RoleProgram), f.topic(b, wire.RoleProgram))
		f.lose(a)
		time.Sleep(24 * time.Second)
		synctest.Wait()
		if !f.Acked(a, wire.RoleProgram, 0) {
			t.Errorf("%s has nothing after 24 s: %v", a, f.has[a])
		}
		if n := f.count(f.topic(b, wire.RoleProgram), began); n > 0 {
			t.Errorf("the program of %s was published again %d times; nobody missed it", b, n)
		}
		if n := f.count(sets, began); n > 0 {
			t.Errorf("the set was published again %d times for one sign of three", n)
		}
		if !p.Ready() {
			t.Error("a repair makes the controller not ready")
		}
		f.lose(b)
		time.Sleep(24 * time.Second)
		synctest.Wait()
		if n := f.count(wire.TopicKeys, began); n != 1 {
			t.Errorf("the keys were published %d times in a minute", n)
		}
		// The keys are retained again, and the sign fetches them itself.
		f.book.Lock()
		f.has[b][wire.TopicKeys] = true
		f.book.Unlock()
		for _, s := range []string{a, b} {
			if !f.Acked(s, wire.RoleAlerts, 0) {
				t.Errorf("%s has no alerts although two were silent", s)
			}
		}
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if !f.Acked(b, wire.RoleProgram, 0) {
			t.Errorf("%s has no program", b)
		}
	})
}

// A topic is repaired at most once in five minutes, and a topic that no sign misses is not repaired.
func TestRepairIsLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, _ := newFlock(t)
		began := time.Now()
		f.deaf["one"], f.deaf["two"] = true, true
		f.lose("one", "two")
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		for topic, most := range map[string]int{f.topic("one", wire.RoleProgram): 24,
			f.topic("two", wire.RoleProgram): 24, wire.TopicKeys: 26, sets: 26} {
			n := f.count(topic, began)
			if n < most/2 || n > most+1 {
				t.Errorf("%s was published %d times in two hours", topic, n)
			}
			last := time.Time{}
			for _, at := range f.at(topic) {
				if gap := at.Sub(last); !at.Before(began) && !last.IsZero() && last.After(began) && gap < RepairEvery {
					// The hourly renewal of keys and sets may fall between two repairs.
					if topic != wire.TopicKeys && topic != sets {
						t.Errorf("%s was published again after %v", topic, gap)
					}
				}
				last = at
			}
		}
		for _, topic := range f.topics() {
			if strings.Contains(topic, "frames/") && f.count(topic, began) > 0 {
				t.Errorf("%s was published again", topic)
			}
		}
		if n := f.count(f.topic("three", wire.RoleProgram), began); n > 0 {
			t.Errorf("the program of a sign that has it was published %d times", n)
		}
		before := f.count(f.topic("one", wire.RoleProgram), began)
		f.book.Lock()
		f.away["one"], f.away["two"] = true, true
		f.book.Unlock()
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := f.count(f.topic("one", wire.RoleProgram), began); n != before {
			t.Errorf("published %d times for a sign that is away", n-before)
		}
	})
}

// Frames that a sign reports missing are published again, an alert's even if only one sign lacks them.
func TestRepairOfMissingFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, p := newFlock(t)
		began := time.Now()
		f.book.Lock()
		f.gaps["three"] = map[string]bool{wire.RoleProgram: true, wire.RoleAlerts + "/storm": true}
		f.book.Unlock()
		f.r.Renew("three")
		p.KickAlerts()
		time.Sleep(90 * time.Second)
		synctest.Wait()
		for _, file := range p.Plan("three").files {
			if n := f.count(wire.FrameTopic(file.Owner, file.SHA256), began); n != 1 {
				t.Errorf("frame %s/%s was published %d times", file.Owner, file.SHA256[:8], n)
			}
		}
		set, _ := p.AlertSet("128x64-rgb", false)
		for _, frame := range set.Alerts[0].Frames {
			if n := f.count(wire.AlertFrameTopic("128x64-rgb", false, frame.SHA256), began); n != 1 {
				t.Errorf("alert frame %s was published %d times", frame.SHA256[:8], n)
			}
		}
		if n := f.count(sets, began); n > 0 {
			t.Errorf("the set was published %d times", n)
		}
	})
}

// Keys and alert sets are published every hour at different times; programs and frames are not.
func TestKeysAndSetsEachHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, _ := newFlock(t)
		began := time.Now()
		time.Sleep(11 * time.Hour) // before half of a set's life is over
		synctest.Wait()
		together := 0
		for _, topic := range []string{wire.TopicKeys, sets} {
			if n := f.count(topic, began); n < 9 || n > 12 {
				t.Errorf("%s was published %d times in 11 hours", topic, n)
			}
		}
		for _, at := range f.at(wire.TopicKeys) {
			for _, x := range f.at(sets) {
				if at.After(began) && x.Sub(at).Abs() < 30*time.Second {
					together++
				}
			}
		}
		if together > 6 {
			t.Errorf("keys and sets went together %d times", together)
		}
		for _, topic := range f.topics() {
			if n := f.count(topic, began); n > 0 && topic != wire.TopicKeys && topic != sets {
				t.Errorf("%s was published %d times", topic, n)
			}
		}
	})
}

// A missing connection is not logged as a warning, and other errors are logged at most once a minute.
func TestRepeatedErrorsAreLoggedRarely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, p := newWorld()
		var log bytes.Buffer
		p.o.Log = slog.New(slog.NewTextHandler(&log, nil))
		w.setDown(fmt.Errorf("publish %s: %w", wire.TopicKeys, ErrNoBroker))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); p.Run(ctx) }()
		for range 100 {
			p.Kick()
			time.Sleep(time.Second)
		}
		synctest.Wait()
		if strings.Contains(log.String(), "WARN") {
			t.Errorf("without a broker: %s", &log)
		}
		w.setDown(errors.New("the broker refuses it"))
		for i := range 600 {
			w.setDown(fmt.Errorf("the broker refuses topic %d", i))
			p.Kick()
			time.Sleep(time.Second)
		}
		cancel()
		<-done
		if n := strings.Count(log.String(), "WARN"); n < 2 || n > 11 {
			t.Errorf("%d warnings in ten minutes", n)
		}
	})
}
