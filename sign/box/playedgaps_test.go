package box

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ledcast/playlists/timeline"
	"ledcast/sign/output"
)

// collect takes records until the sign has no more to send.
func (a *auditor) collect() {
	a.w.t.Helper()
	for range 100 {
		time.Sleep(time.Second)
		synctest.Wait()
		a.take()
	}
}

// check holds the records against when the sign ran (from, until, from, until…):
// none tells of another time, each is as long as its plays together, and none
// goes over a quarter of an hour. It returns how long they are together.
func (a *auditor) check(ran ...time.Time) (sum int64) {
	a.w.t.Helper()
	for _, p := range a.all {
		inside := false
		for i := 0; i < len(ran); i += 2 {
			inside = inside || p.FromMS >= ran[i].UnixMilli() && p.UntilMS <= ran[i+1].UnixMilli()
		}
		if !inside {
			a.w.t.Errorf("record %d tells of %d to %d, in which the sign did not run all the time", p.N, p.FromMS, p.UntilMS)
		}
		var ms int64
		for _, x := range p.Plays {
			ms += x.MS
			if x.Count == 0 && x.MS == 0 {
				a.w.t.Errorf("record %d has a play of nothing: %+v", p.N, x)
			}
		}
		if ms != p.UntilMS-p.FromMS {
			a.w.t.Errorf("record %d is of %d ms, its plays of %d", p.N, p.UntilMS-p.FromMS, ms)
		}
		if p.FromMS/recordEvery != (p.UntilMS-1)/recordEvery {
			a.w.t.Errorf("record %d from %d until %d goes over a quarter of an hour", p.N, p.FromMS, p.UntilMS)
		}
		sum += ms
	}
	return sum
}

// What nobody saw is in no record: hours without power after a kill or a stop.
func TestDowntimeIsNotProven(t *testing.T) {
	for name, off := range map[string]time.Duration{"seconds": 13 * time.Second,
		"minutes": 7*time.Minute + 13*time.Second, "20 hours": 20*time.Hour + 131*time.Second} {
		for _, clean := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t)
					a := newAuditor(w)
					ran := []time.Time{time.Now()}
					w.start(true)
					w.sendKeys(rootKey)
					w.sendProgram(w.program(1, 2, 3))
					time.Sleep(37*time.Minute + 13*time.Second + 70*time.Millisecond)
					synctest.Wait()
					ran = append(ran, time.Now())
					if clean {
						w.halt()
					} else {
						w.kill()
					}
					time.Sleep(off)
					ran = append(ran, time.Now())
					w.start(true)
					time.Sleep(20 * time.Minute)
					a.collect()
					ran = append(ran, time.Now())
					w.halt()
					w.start(true)
					a.collect()
					ran[3] = time.Now()
					sum := a.check(ran...)
					// A kill costs at most the picture that it cut short.
					// the last run may have closed no record
					whole := ran[1].Sub(ran[0]).Milliseconds() + ran[3].Sub(ran[2]).Milliseconds() - 100_000
					if sum > whole+100_000 || sum < whole-5000 {
						t.Errorf("%d ms are proven of %d", sum, whole)
					}
					w.halt()
				})
			})
		}
	}
}

// A box without a battery comes back with the time that it saved last. What it
// shows until it is told the time is no longer for that, and is not put where
// it was not.
func TestClockThatIsSetProvesNothing(t *testing.T) {
	for _, trusted := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			a := newAuditor(w)
			w.start(true)
			w.sendKeys(rootKey)
			w.sendProgram(w.program(1, 2, 3))
			time.Sleep(37*time.Minute + 13*time.Second)
			w.kill()
			saved := time.Now()
			time.Sleep(20 * time.Hour)
			began := time.Now()
			w.clk = func() time.Time { return saved.Add(time.Since(began)) }
			w.start(trusted)
			time.Sleep(90 * time.Second) // by a clock that is 20 hours behind
			w.n.power(false)
			w.n.power(true)
			synctest.Wait()
			w.giveTime(time.Now())
			time.Sleep(time.Hour)
			a.collect()
			w.halt()
			w.start(true)
			a.collect()
			var sum int64
			for _, p := range a.all {
				for _, x := range p.Plays {
					sum += x.MS
				}
				if from, until := time.UnixMilli(p.FromMS), time.UnixMilli(p.UntilMS); until.Sub(from) > 15*time.Minute ||
					!trusted && until.After(saved) && from.Before(began) {
					t.Errorf("record %d tells of %v to %v; the sign was off from %v to %v", p.N, from, until, saved, began)
				}
			}
			if ran := (2*time.Hour + 41*time.Second + 90*time.Second).Milliseconds(); sum > ran {
				t.Errorf("%d ms are proven of less than %d", sum, ran)
			}
			w.halt()
		})
	}
}

// broken is an output that takes nothing while it is down.
type broken struct {
	recorder
	down atomic.Bool
}

func (o *broken) Show(p output.Picture) error {
	if o.down.Load() {
		return errors.New("no such device")
	}
	return o.recorder.Show(p)
}

// What an output did not take is not proven.
func TestBrokenOutputProvesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := newAuditor(w)
		out := &broken{}
		w.start(true, func(o *Options) { o.Outputs = []output.Output{out} })
		w.sendKeys(rootKey)
		w.sendProgram(w.program(1, 2, 3))
		time.Sleep(5*time.Minute + time.Second)
		synctest.Wait()
		out.down.Store(true)
		time.Sleep(4 * time.Minute)
		synctest.Wait()
		out.down.Store(false)
		time.Sleep(12 * time.Minute)
		a.collect()
		first := a.all[0]
		var ms int64
		for _, x := range first.Plays {
			ms += x.MS
		}
		if down := first.UntilMS - first.FromMS - ms; down < 235_000 || down > 245_000 {
			t.Errorf("the output was down for 4 min; %d ms of the record are without proof: %+v", down, first)
		}
		w.halt()
	})
}

// A full disk at the wrong time costs neither plays nor the order of records.
func TestRecordOfACutRunThatCannotBeKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := newAuditor(w)
		w.start(true)
		w.sendKeys(rootKey)
		w.sendProgram(w.program(1, 2, 3))
		time.Sleep(7*time.Minute + 13*time.Second)
		synctest.Wait()
		put := len(w.out.all())
		w.kill()
		time.Sleep(3 * time.Hour)
		var full atomic.Bool
		full.Store(true)
		w.start(true, func(o *Options) {
			o.write = func(dir, name string, data []byte) error {
				if full.Load() {
					return errors.New("no space left on device")
				}
				return writeUnsynced(dir, name, data)
			}
		})
		time.Sleep(time.Minute)
		synctest.Wait()
		full.Store(false)
		time.Sleep(30 * time.Minute)
		a.collect()
		var counted, ms int64
		for _, x := range a.all[0].Plays {
			counted, ms = counted+x.Count, ms+x.MS
		}
		if counted < int64(put) || ms > (25*time.Minute).Milliseconds() {
			t.Errorf("%d plays of %d ms in the record after the full disk; %d were put out before it", counted, ms, put)
		}
		w.halt()
	})
}

// A timer that is late, or a process that stood still, moves no record: it ends
// at its quarter of an hour, and what was on goes on in the next.
func TestRecordsEndAtTheQuarter(t *testing.T) {
	const quarter = int64(recordEvery)
	k, err := openPlayLog(t.TempDir(), &chain{}, 1_000_000*quarter+1000)
	if err != nil {
		t.Fatal(err)
	}
	from := 1_000_000 * quarter
	show := func(item string, at int64) {
		t.Helper()
		if err := k.begin(&timeline.Shown{Item: item, Why: timeline.WhyProgram}, at); err != nil {
			t.Fatal(err)
		}
	}
	show("a", from+1000)
	show("b", from+9000)
	var told []string
	settle := func(now int64) {
		t.Helper()
		for {
			until, ok := k.due(now)
			if !ok {
				return
			}
			p, err := k.record("qn-001", until)
			if err != nil {
				t.Fatal(err)
			}
			k.chain.N++
			told = append(told, fmt.Sprint(p.FromMS-from, p.UntilMS-from, p.Plays))
			if err := k.stored(until); err != nil {
				t.Fatal(err)
			}
		}
	}
	settle(from + quarter - 1)
	settle(from + 2*quarter + 37) // stood still for a quarter, and 37 ms late
	show("c", from+2*quarter+37)
	settle(from + 3*quarter)
	want := []string{"1000 900000 [{a   program 1 8000} {b   program 1 891000}]",
		"900000 1800000 [{b   program 0 900000}]", "1800000 2700000 [{b   program 0 37} {c   program 1 899963}]"}
	if !slices.Equal(told, want) {
		t.Errorf("%q, want %q", told, want)
	}
}
