package box

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
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
		first := w.n.lastChallenge(t, "qn-001")
		w.n.power(false) // its questions are not heard any more
		time.Sleep(31 * time.Second)
		w.n.power(true)
		w.answerTime(time.Now(), first) // too late after the status
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

// A clock that is put right in the middle of an alert never prolongs it beyond its own length. A signed time that takes
// a wrong one back revives it, as long as it has not run that long.
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
				w.clk = func() time.Time { return time.Unix(0, 0) }
				w.start(false)
				defer w.halt()
				w.sendKeys(rootKey)
				w.giveTime(time.Now())
				w.sendProgram(w.program(1))
				begun := time.Now()
				w.sendAlerts(w.alertSet(w.alert("storm", 9, true)))
				w.expect("storm", timeline.WhyAlert)
				w.moveTime(c.jump)
				time.Sleep(c.want - time.Since(begun) - time.Second)
				w.expect("storm", timeline.WhyAlert)
				time.Sleep(2 * time.Second)
				synctest.Wait()
				if got := w.out.last(); got.Item == "storm" {
					t.Errorf("the alert stands after %v", time.Since(begun))
				}
				if name == "backwards" {
					return
				}
				// The wrong time is taken back: it runs on, to its own end.
				w.moveTime(0)
				w.expect("storm", timeline.WhyAlert)
				time.Sleep(time.Hour - time.Since(begun) - time.Second)
				w.expect("storm", timeline.WhyAlert)
				time.Sleep(3 * time.Second)
				synctest.Wait()
				if got := w.out.last(); got.Item == "storm" {
					t.Errorf("the alert stands after %v", time.Since(begun))
				}
			})
		})
	}
}

// What a cancel ended does not run again. Neither NTP nor a restart revives what ended by the clock; a signed time
// does.
func TestWhatStaysEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.clk = func() time.Time { return time.Unix(0, 0) }
		w.start(false)
		defer func() { w.halt() }()
		w.sendKeys(rootKey)
		w.giveTime(time.Now().Add(20 * time.Second))
		w.sendProgram(w.program(1))
		set := w.alertSet(w.alert("storm", 9, true), w.alert("flood", 8, true))
		w.sendAlerts(set)
		set = w.alertSet(set.Alerts[1])
		set.Ended = []timeline.Ended{{ID: "storm", At: time.Now().Unix(), Until: time.Now().Unix() + 3600, Why: "cancelled"}}
		w.sendAlerts(set)
		w.expect("flood", timeline.WhyAlert)
		w.moveTime(2 * time.Hour)
		w.expect("item-1", timeline.WhyProgram)
		w.halt()
		w.clk = time.Now
		w.start(true) // NTP holds the right time
		w.expect("item-1", timeline.WhyProgram)
		w.halt()
		w.clk = func() time.Time { return time.Now().Add(2 * time.Hour) }
		w.start(false)
		w.giveTime(time.Now()) // a signed time does, where the clock had passed its end
		w.expect("flood", timeline.WhyAlert)
	})
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

// A sign asks for the time on each connection, and again after 5, 10, 20 … s without an answer; each hour; and when a
// document was refused by the clock, at most once a minute. What was refused as expired is tried again.
func TestAsksForTheTime(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; left out with -short")
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.clk = func() time.Time { return time.Now().Add(20 * 24 * time.Hour) }
		w.start(false)
		defer w.halt()
		w.sendKeys(rootKey)
		asked := func(within time.Duration) (after []time.Duration) {
			began, last := time.Now(), w.n.lastChallenge(t, "qn-001")
			for time.Since(began) < within {
				time.Sleep(time.Second)
				synctest.Wait()
				if c := w.n.lastChallenge(t, "qn-001"); c != last {
					after, last = append(after, time.Since(began).Round(time.Second)), c
				}
			}
			return after
		}
		if got := fmt.Sprint(asked(16 * time.Minute)); got != "[5s 15s 35s 1m15s 2m35s 5m15s 10m15s 15m15s]" {
			t.Errorf("without an answer it asks after %s", got)
		}
		p := w.program(1)
		w.sendProgram(p) // expired, by a clock that is 20 days ahead
		if a := w.lastAck(); a.Reason != wire.Expired {
			t.Fatalf("the last ack is %+v", a)
		}
		if got := fmt.Sprint(asked(4 * time.Second)); got != "[0s]" && got != "[]" {
			t.Errorf("after a refusal it asks after %s", got)
		}
		w.giveTime(time.Now())
		w.expect("item-1", timeline.WhyProgram)
		if got := asked(54*time.Minute - time.Second); got != nil {
			t.Errorf("with an answer it asks after %v", got)
		}
		if got := asked(13 * time.Minute); got == nil {
			t.Error("it does not ask each hour")
		}
	})
}
