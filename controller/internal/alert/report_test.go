package alert

import (
	"testing"
	"testing/synctest"
	"time"
)

// A report counts what gave way while the sign showed this alert: not before, not after
// its end, and not while the sign showed another alert.
func TestGaveWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		s := w.open(t)
		ack := func(sign, id, state string) { s.HandleAck(Ack{Sign: sign, Alert: id, State: state}) }
		report := func(id string) (ms int64) {
			t.Helper()
			r, err := s.Report(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range r.GaveWay {
				ms += g.MS
			}
			for _, x := range r.Signs {
				if v := view(t, s, id); x.UntilMS > int64(v.Until)*1000 || x.UntilMS < x.FromMS {
					t.Errorf("%s: %s showed it from %d to %d", id, x.Sign, x.FromMS, x.UntilMS)
				}
			}
			return ms
		}
		run(t, s, w.order("low", 10*time.Minute))
		time.Sleep(time.Minute)
		ack("s1", "low", showing) // a minute late
		ack("s2", "low", showing)
		time.Sleep(time.Minute)
		high := w.order("high", time.Hour)
		prio := int64(500)
		high.Priority, high.Areas = &prio, []string{"quang-ngai/son-tinh"} // not s2's
		run(t, s, high)
		ack("s1", "high", showing)
		time.Sleep(2 * time.Minute)
		if _, err := s.Cancel(t.Context(), author, "high", false); err != nil {
			t.Fatal(err)
		}
		ack("s1", "high", "ended")
		time.Sleep(time.Minute)
		ack("s2", "low", "ended") // early
		time.Sleep(time.Hour)
		ack("s1", "low", "ended") // a late ack
		step(t, s)
		// s1: minutes 1 to 2 and 4 to 10; s2: 1 to 5.
		if got := report("low"); got != (7+4)*60_000 {
			t.Errorf("for low %v gave way", time.Duration(got)*time.Millisecond)
		}
		if got := report("high"); got != 2*60_000 {
			t.Errorf("for high %v gave way", time.Duration(got)*time.Millisecond)
		}
	})
}
