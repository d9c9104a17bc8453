package box

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

var errCut = errors.New("the power is gone")

// faulty is a disk whose writes can be made to fail.
type faulty struct {
	mu   sync.Mutex
	fail func(dir, name string, data []byte) error // nil: it works
}

func (f *faulty) write(dir, name string, data []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return f.fail(dir, name, data)
	}
	return writeUnsynced(dir, name, data)
}

func (f *faulty) set(fail func(dir, name string, data []byte) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail = fail
}

// cut fails the k-th write from now on and every later one. how says what of
// it reaches the disk: nothing, half of it, or all of it.
func (f *faulty) cut(k int, how string) (writes *int) {
	n := new(int)
	f.set(func(dir, name string, data []byte) error {
		*n++
		switch {
		case *n <= k:
			return writeUnsynced(dir, name, data)
		case *n > k+1 || how == "nothing":
		case how == "half":
			_ = os.WriteFile(filepath.Join(dir, ".new-half"), data[:len(data)/2], 0o600)
		case how == "all":
			_ = writeUnsynced(dir, name, data)
		}
		return errCut
	})
	return n
}

// The power goes at single writes of a program's download and acceptance: afterwards the old program or the new plays
// whole, the floor is not lower, and the face is not dark. With LEDCAST_FULL=1 it goes at every write.
func TestPowerCutAtEveryWrite(t *testing.T) {
	t.Parallel()
	const seed = 1
	random := rand.New(rand.NewPCG(seed, 0))
	writes := cutPower(t, math.MaxInt, "all")
	sample := 6 // one in so many
	if testing.Short() {
		sample = 30
	}
	points := 0
	for _, how := range []string{"nothing", "half", "all"} {
		for k := range writes + 1 {
			// Always the first write, and the last ones, which accept the program.
			if chosen := k == 0 || k >= writes-5 || random.IntN(sample) == 0; !chosen && !full() {
				continue
			}
			points++
			if cutPower(t, k, how); t.Failed() {
				return
			}
		}
	}
	if points < 24 || full() && points < 190 {
		t.Errorf("%d points", points)
	}
	t.Logf("%d points of 3 x %d; seed %d", points, writes+1, seed)
}

// full reports whether tests run at full size.
func full() bool { return os.Getenv("LEDCAST_FULL") == "1" }

// cutPower cuts the power at write k, of which how says what reaches the disk. It returns how many writes there are.
func cutPower(t *testing.T, k int, how string) (writes int) {
	synctest.Test(t, func(t *testing.T) {
		const frames = 62
		w := newWorld(t)
		var d faulty
		w.start(true, func(o *Options) { o.write = d.write })
		w.sendKeys(rootKey)
		older := w.sendProgram(w.program(200))
		time.Sleep(time.Second)
		w.sendProgram(w.program(1))
		w.expect("item-1", timeline.WhyProgram)
		count := d.cut(k, how)
		ids := []uint8{}
		for i := range frames {
			ids = append(ids, uint8(2+i))
		}
		time.Sleep(time.Second)
		w.sendProgram(w.program(ids...))
		time.Sleep(3 * time.Second)
		synctest.Wait()
		w.stop()
		<-w.done
		writes = *count

		w.n.power(false)
		b := w.start(true)
		got := w.out.last()
		whole := func(p *timeline.Program) bool {
			for i := range p.Frames {
				if b.frames.verify(&p.Frames[i]) != nil {
					return false
				}
			}
			return true
		}
		if p := b.player.Program(); got.Why != timeline.WhyProgram || p == nil || !whole(p) ||
			(len(p.Items) != 1 && len(p.Items) != frames) {
			t.Fatalf("cut at write %d (%s): the face shows %q (%s)", k, how, got.Item, got.Why)
		}
		now := w.n.swap(wire.SignTopic("qn-001", wire.LeafProgram), older)
		w.n.power(true)
		time.Sleep(time.Second)
		synctest.Wait()
		if a := w.lastAck(); a.Reason != wire.StaleSeq {
			t.Fatalf("cut at write %d (%s): an older program: %+v", k, how, a)
		}
		w.n.send(wire.SignTopic("qn-001", wire.LeafProgram), now, true)
		time.Sleep(time.Minute)
		synctest.Wait()
		if p := b.player.Program(); p == nil || len(p.Items) != frames {
			t.Fatalf("cut at write %d (%s): the new program is not taken afterwards", k, how)
		}
		w.halt()
	})
	return writes
}

// A full disk costs new programs, never the face and never a cancel; when
// there is room again all goes on.
func TestFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var d faulty
		w.start(true, func(o *Options) { o.write = d.write })
		defer w.halt()
		w.sendKeys(rootKey)
		w.sendProgram(w.program(1))
		a := w.alert("storm", 9, true)
		w.sendAlerts(w.alertSet(a))
		w.expect("storm", timeline.WhyAlert)
		d.set(func(dir, name string, _ []byte) error {
			return fmt.Errorf("write %s: %w", filepath.Join(dir, name), syscall.ENOSPC)
		})
		w.sendProgram(w.program(2))
		set := w.alertSet()
		set.Ended = []timeline.Ended{{ID: "storm", At: time.Now().Unix(), Until: a.Until, Why: "cancelled"}}
		w.sendAlerts(set)
		w.expect("item-1", timeline.WhyProgram)
		time.Sleep(time.Minute)
		w.request(wire.OpForgetCache) // it says its status
		if s := w.n.lastStatus(t, "qn-001"); len(s.Faults) == 0 || s.Faults[0] != "disk" {
			t.Errorf("faults %v", s.Faults)
		}
		w.expect("item-1", timeline.WhyProgram)
		d.set(nil)
		time.Sleep(15 * time.Minute)
		w.expect("item-2", timeline.WhyProgram)
		if s := w.n.lastStatus(t, "qn-001"); len(s.Faults) != 0 {
			t.Errorf("faults %v", s.Faults)
		}
	})
}

// noRoom is what a disk without room answers.
func noRoom(dir, name string, _ []byte) error {
	return fmt.Errorf("write %s: %w", filepath.Join(dir, name), syscall.ENOSPC)
}

// A sign whose disk is full shows a new alert from memory, takes its cancel, and forgets it over a restart without a
// network. The order of the steps is drawn.
func TestAlertsOnAFullDisk(t *testing.T) {
	for seed := range uint64(8) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			w := newWorld(t)
			var d faulty
			w.start(true, func(o *Options) { o.write = d.write })
			w.sendKeys(rootKey)
			w.sendProgram(w.program(1))
			early, restart := r.IntN(2) == 0, r.IntN(2) == 0
			if !early {
				d.set(noRoom)
			}
			a := w.alert("storm", 9, true)
			w.sendAlerts(w.alertSet(a))
			w.expect("storm", timeline.WhyAlert) // its frame is in memory
			d.set(noRoom)
			time.Sleep(time.Duration(r.IntN(300)) * time.Second)
			set := w.alertSet()
			if r.IntN(2) == 0 {
				set.Ended = []timeline.Ended{{ID: "storm", At: time.Now().Unix(), Until: a.Until, Why: "cancelled"}}
			}
			w.sendAlerts(set)
			w.expect("item-1", timeline.WhyProgram)
			w.request(wire.OpForgetCache) // it says its status
			if s := w.n.lastStatus(t, "qn-001"); !slices.Contains(s.Faults, "disk") {
				t.Errorf("seed %d: faults %v", seed, s.Faults)
			}
			w.halt()
			w.n.power(false)
			if restart {
				d.set(nil)
			}
			w.start(true, func(o *Options) { o.write = d.write })
			time.Sleep(15 * time.Second)
			w.expect("item-1", timeline.WhyProgram)
			w.halt()
		})
	}
}

// A disk that cannot be written at the start may not hold what ended: a stored alert waits for a set from the broker.
func TestReadOnlyAtTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start(true)
		w.sendKeys(rootKey)
		w.sendProgram(w.program(1))
		w.sendAlerts(w.alertSet(w.alert("storm", 9, true)))
		w.expect("storm", timeline.WhyAlert)
		w.halt()
		w.n.power(false)
		if err := os.Remove(filepath.Join(w.dir, reserveName)); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(filepath.Join(w.dir, reserveName), 0o700); err != nil { // no reserve can be opened
			t.Fatal(err)
		}
		var d faulty
		d.set(noRoom)
		w.start(true, func(o *Options) { o.write = d.write })
		defer w.halt()
		w.expect("item-1", timeline.WhyProgram)
		w.n.power(true)
		time.Sleep(time.Second)
		w.expect("storm", timeline.WhyAlert) // the broker says that it still runs
	})
}

// A damaged key or journal never keeps a face dark.
func TestDamagedFiles(t *testing.T) {
	for _, name := range []string{"sign.key", "played/" + journalName, "reserve"} {
		for seed, damage := range [][]byte{{}, []byte("rubbish\n"), bytes.Repeat([]byte{0}, 5000)} {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.start(true)
				w.sendKeys(rootKey)
				w.sendProgram(w.program(1))
				w.halt()
				if err := os.WriteFile(filepath.Join(w.dir, name), damage, 0o600); err != nil {
					t.Fatal(err)
				}
				w.start(true)
				defer w.halt()
				w.expect("item-1", timeline.WhyProgram)
				time.Sleep(time.Second)
				s := w.n.lastStatus(t, "qn-001")
				if s.Key == nil || (name == "sign.key") != slices.Contains(s.Faults, "key") {
					t.Errorf("%s damaged (%d): key %v, faults %v", name, seed, s.Key, s.Faults)
				}
			})
		}
	}
}

// The cache keeps within its cap and never drops what the program needs.
func TestCacheKeepsWhatItNeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		b := w.start(true, func(o *Options) { o.CacheCap = 600 })
		defer w.halt()
		w.sendKeys(rootKey)
		for round := range 5 {
			p := w.program(uint8(4*round), uint8(4*round+1), uint8(4*round+2))
			w.sendProgram(p)
			time.Sleep(time.Second)
			synctest.Wait()
			for i := range p.Frames {
				if b.frames.verify(&p.Frames[i]) != nil {
					t.Fatalf("round %d: frame %d of the program is not in the cache", round, i)
				}
			}
		}
		if b.frames.total > 600 {
			t.Errorf("%d bytes in a cache of 600", b.frames.total)
		}
	})
}
