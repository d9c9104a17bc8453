package box

import (
	"testing"
	"testing/synctest"
	"time"

	"ledcast/playlists/timeline"
)

// With a clock that nobody vouches for the fallback shows; a signed time for
// this session puts it right, backwards too.
func TestSignedTime(t *testing.T) {
	for name, wrong := range map[string]time.Duration{"a day ahead": 24 * time.Hour, "a day behind": -24 * time.Hour,
		"in 1970": -30 * 365 * 24 * time.Hour, "in 2040": 40 * 365 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.start(true) // it had its keys before its clock went wrong
				w.sendKeys(rootKey)
				w.halt()
				w.clk = func() time.Time { return time.Now().Add(wrong) }
				w.start(false)
				defer w.halt()
				if w.n.lastStatus(t, "qn-001").Clock != "untrusted" {
					t.Error("the clock counts as trusted")
				}
				w.giveTime(time.Now())
				if s := w.n.lastStatus(t, "qn-001"); s.Clock != "trusted" || s.AtMS/1000 != time.Now().Unix() {
					t.Fatalf("after a signed time: %s, %d s off", s.Clock, s.AtMS/1000-time.Now().Unix())
				}
				w.sendProgram(w.program(1, 2))
				w.expect("item-1", timeline.WhyProgram)
			})
		})
	}
}

func TestSignedTimeIsBoundToTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.clk = func() time.Time { return time.Now().Add(-24 * time.Hour) }
		w.start(false)
		defer w.halt()
		w.sendKeys(rootKey)
		w.sendProgram(w.program(1)) // without one it would say its status again
		time.Sleep(6 * time.Second)
		w.giveTime(time.Now()) // too late after the status
		if w.n.lastStatus(t, "qn-001").Clock != "untrusted" {
			t.Error("a signed time that came late was taken")
		}
	})
}

// Without a network at boot in 1970 the last program plays, as fallback; the
// clock goes on from the time last saved.
func TestBootIn1970(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start(true)
		w.sendKeys(rootKey)
		w.sendProgram(w.program(1))
		w.halt()
		saved := time.Now()
		w.n.power(false)
		w.clk = func() time.Time { return time.Unix(0, 0) }
		b := w.start(false)
		defer w.halt()
		w.expect("item-1", timeline.WhyFallback)
		if got := b.player.Clock.Now(b.times.Mono()); got < saved.UnixMilli() {
			t.Errorf("the clock went back to %d, before what was saved", got)
		}
	})
}

// A clock that is put right in the middle of an alert never prolongs it.
func TestAJumpNeverProlongsAnAlert(t *testing.T) {
	for name, c := range map[string]struct {
		jump time.Duration // of the signed time, from the real one
		want time.Duration // after which the alert must be over
	}{
		"backwards": {-30 * time.Minute, time.Hour},
		"forwards":  {30 * time.Minute, 30 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.start(true)
				defer w.halt()
				w.sendKeys(rootKey)
				w.sendProgram(w.program(1))
				w.sendAlerts(w.alertSet(w.alert("storm", 9, true)))
				w.expect("storm", timeline.WhyAlert)
				begun := time.Now()
				w.giveTime(begun.Add(c.jump))
				time.Sleep(c.want - time.Since(begun) - time.Second)
				w.expect("storm", timeline.WhyAlert)
				time.Sleep(2 * time.Second)
				synctest.Wait()
				if got := w.out.last(); got.Item == "storm" {
					t.Errorf("the alert stands after %v", time.Since(begun))
				}
				// And back again: what ended stays ended.
				w.request("resync")
				time.Sleep(10 * time.Second)
				w.giveTime(begun)
				synctest.Wait()
				if got := w.out.last(); got.Item == "storm" {
					t.Error("a clock set back raised the alert again")
				}
			})
		})
	}
}

// While nobody vouches for the clock an alert shows by its own length from its
// arrival, and no longer.
func TestAlertWithAnUntrustedClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.clk = func() time.Time { return time.Now().Add(-5 * 24 * time.Hour) }
		w.start(false)
		defer w.halt()
		w.sendKeys(rootKey)
		w.sendProgram(w.program(1))
		w.expect("item-1", timeline.WhyFallback)
		a := w.alert("storm", 9, true)
		time.Sleep(10 * time.Minute) // it is under way when it is issued
		set := w.alertSet(a)
		w.sendAlerts(set)
		w.expect("storm", timeline.WhyAlert)
		time.Sleep(50*time.Minute - time.Second)
		w.expect("storm", timeline.WhyAlert)
		time.Sleep(2 * time.Second)
		w.expect("item-1", timeline.WhyFallback)
	})
}

// Two signs whose clocks differ are in phase once both have the time: they
// change within 50 ms of each other for ten minutes.
func TestTwoSignsInPhase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, v := newWorld(t), newWorld(t)
		v.n = w.n
		v.conf.Sign, v.conf.Username = "qn-002", "qn-002"
		w.clk = func() time.Time { return time.Now().Add(1500 * time.Millisecond) }
		one := w.start(false)
		two := v.start(false)
		w.sendKeys(rootKey)
		p := w.program(1, 2, 3)
		// The first item is a strip: a still frame may move, too.
		p.Items[0].Steps[0].Scroll = &timeline.Scroll{Axis: "x", PxS: 37}
		p.Items[1].Steps[0].MS = 1700
		p.Items[2].Steps[0].MS = 333
		w.sendProgram(p)
		q := *p
		q.Sign = "qn-002"
		v.sendProgram(&q)
		w.giveTime(time.Now())
		v.giveTime(time.Now())
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		w.halt()
		v.halt()
		for i := range int64(200) { // stopped, both tell what they would show
			s1, _ := one.player.At(one.times.Mono() + 97*i)
			s2, _ := two.player.At(two.times.Mono() + 97*i)
			if s1.Item != s2.Item || s1.Offset() != s2.Offset() {
				t.Fatalf("%s at pixel %d and %s at pixel %d", s1.Item, s1.Offset(), s2.Item, s2.Offset())
			}
		}
		a, b := w.out.all(), v.out.all()
		since := time.Now().Add(-10*time.Minute + 5*time.Second).UnixMilli() // once both had the time
		for len(a) > 0 && a[0].AtMS <= since {
			a = a[1:]
		}
		for len(b) > 0 && b[0].AtMS <= since {
			b = b[1:]
		}
		if len(a) != len(b) || len(a) < 200 {
			t.Fatalf("%d and %d changes in ten minutes", len(a), len(b))
		}
		for i := range a {
			if d := a[i].AtMS - b[i].AtMS; a[i].Item != b[i].Item || d > 50 || d < -50 {
				t.Fatalf("change %d: %s and %s, %d ms apart", i, a[i].Item, b[i].Item, d)
			}
		}
	})
}
