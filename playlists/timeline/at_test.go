package timeline

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// still is an item of one step.
func still(id string, ms int64) Item {
	return Item{ID: id, Owner: "public", Steps: []Step{{Frame: 0, MS: ms}}}
}

// fixture is a program of two loops from t0 (s): a (8 s) then b (4 s); and c
// (10 s) alone, which is fallback and comm-loss loop.
const t0 = int64(1_767_200_400)

func fixture() *Program {
	return &Program{
		Header: Header{Exp: t0 + 8*86400},
		Areas:  []string{"quang-ngai/son-tinh"},
		Frames: []Frame{{SHA256: "f", W: 128, H: 64}, {SHA256: "strip", W: 300, H: 64}},
		Items:  []Item{still("a", 8000), still("b", 4000), still("c", 10000)},
		Loops:  []Loop{{Anchor: t0, Order: []int64{0, 1}}, {Anchor: t0, Order: []int64{2}}},
		Segments: []Segment{{From: t0, Until: t0 + 3600, Loop: 0, Why: "default"},
			{From: t0 + 7200, Until: t0 + 10800, Loop: Dark, Why: "off"}},
		Fallback: 1,
		CommLoss: CommLoss{AfterS: 86400, Loop: 1},
	}
}

func conditions(tMS int64) Conditions {
	return Conditions{Sign: "qn-001", ClockTrusted: true, LastContactMS: tMS}
}

func TestStepTwo(t *testing.T) {
	untrusted := func(c Conditions) Conditions { c.ClockTrusted = false; return c }
	lost := func(c Conditions) Conditions { c.LastContactMS -= 86400_000; return c }
	same := func(c Conditions) Conditions { return c }
	for _, c := range []struct {
		name      string
		at        int64 // ms after t0
		with      func(Conditions) Conditions
		why, item string
		tau       int64
	}{
		{"start", 0, same, WhyProgram, "a", 0},
		{"last of a", 7999, same, WhyProgram, "a", 7999},
		{"first of b", 8000, same, WhyProgram, "b", 0},
		{"second round", 12001, same, WhyProgram, "a", 1},
		{"before the first segment", -1000, same, WhyFallback, "c", 9000},
		{"between segments", 3600_000, same, WhyFallback, "c", 0},
		{"dark segment", 7200_000, same, WhyDark, "", 0},
		{"untrusted clock", 8000, untrusted, WhyFallback, "c", 8000},
		{"untrusted clock before comm-loss", 8000, func(c Conditions) Conditions { return lost(untrusted(c)) }, WhyFallback,
			"c", 8000},
		{"lost for a day", 8000, lost, WhyCommLoss, "c", 8000},
		{"past the end", 8 * 86400_000, same, WhyCommLoss, "c", 0},
		{"30 days past the end", 38 * 86400_000, same, WhyDark, "", 0},
		{"just before", 38*86400_000 - 1, same, WhyCommLoss, "c", 9999},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := t0*1000 + c.at
			got := At(fixture(), nil, c.with(conditions(at)), at)
			if got.Why != c.why || got.Item != c.item || got.TauMS != c.tau {
				t.Errorf("%s %q at %d ms; want %s %q at %d", got.Why, got.Item, got.TauMS, c.why, c.item, c.tau)
			}
		})
	}
	if got := At(nil, nil, Conditions{}, 0); got.Why != WhyDark || got.Frame != nil {
		t.Errorf("without a program: %+v", got)
	}
}

func alert(id string, priority, from, until int64) Alert {
	return Alert{ID: id, Priority: priority, From: from, Until: until, Areas: []string{"quang-ngai"}, CycleMS: 60000,
		Frames: []Frame{{SHA256: id, W: 128, H: 64}}, Steps: []Step{{Frame: 0, MS: 6000}}}
}

func TestAlertRanks(t *testing.T) {
	low, high := alert("low", 100, t0, t0+3600), alert("high", 200, t0, t0+3600)
	later, tie := alert("later", 200, t0+10, t0+3600), alert("aaa", 200, t0+10, t0+3600)
	for _, a := range []*Alert{&low, &high, &later, &tie} {
		a.ExclusiveS = 3600
	}
	drill := alert("drill", 999, t0, t0+3600)
	drill.ExclusiveS, drill.Drill = 3600, true
	elsewhere := alert("elsewhere", 999, t0, t0+3600)
	elsewhere.ExclusiveS, elsewhere.Areas = 3600, []string{"quang-ngai/son", "quang-nam"}
	named := alert("named", 300, t0, t0+3600)
	named.ExclusiveS, named.Areas, named.Signs = 3600, nil, []string{"qn-001"}
	for _, c := range []struct {
		name   string
		alerts []Alert
		at     int64
		want   string
	}{
		{"priority", []Alert{low, high}, 20, "high"},
		{"then the later", []Alert{high, later}, 20, "later"},
		{"not before it begins", []Alert{high, later}, 9, "high"},
		{"then the id", []Alert{later, tie}, 20, "aaa"},
		{"never a drill", []Alert{drill, low}, 20, "low"},
		{"areas by whole segments", []Alert{elsewhere, low}, 20, "low"},
		{"by name", []Alert{named, high}, 20, "named"},
		{"ends at until", []Alert{high}, 3600, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := (t0 + c.at) * 1000
			got := At(fixture(), c.alerts, conditions(at), at)
			if (got.Why == WhyAlert) != (c.want != "") || c.want != "" && got.Item != c.want {
				t.Errorf("%s %q; want %q", got.Why, got.Item, c.want)
			}
		})
	}
	at := (t0 + 20) * 1000
	cond := conditions(at)
	cond.NotReady = map[string]bool{"high": true}
	if got := At(fixture(), []Alert{low, high}, cond, at); got.Item != "low" {
		t.Errorf("an alert without its frames shows: %q", got.Item)
	}
}

// Two alerts share the face with the program: 12 s and 6 s of each 60 s. What
// is left of the cycle plays the program's loop without losing a moment of it.
func TestShares(t *testing.T) {
	x, y := alert("x", 200, t0, t0+3600), alert("y", 100, t0, t0+3600)
	x.ShareMS, y.ShareMS = 12000, 6000
	shown := map[string]int64{}
	p := fixture()
	var rest []int64 // positions in the loop, as they come
	start := (t0/60 + 1) * 60000
	for at := start; at < start+120_000; at += 500 {
		s := At(p, []Alert{y, x}, conditions(at), at)
		shown[s.Item] += 500
		c := at % 60000
		switch {
		case c < 12000 && s.Item != "x", c >= 12000 && c < 18000 && s.Item != "y", c >= 18000 && s.Why != WhyProgram:
			t.Fatalf("at %d of the cycle: %s %q", c, s.Why, s.Item)
		}
		if s.Why == WhyProgram {
			pos := s.TauMS
			if s.Item == "b" {
				pos += 8000
			}
			rest = append(rest, pos)
		}
	}
	if shown["x"] != 24000 || shown["y"] != 12000 {
		t.Errorf("shown %v in 120 s", shown)
	}
	for i := 1; i < len(rest); i++ {
		if want := (rest[i-1] + 500) % 12000; rest[i] != want {
			t.Fatalf("the loop jumps from %d to %d", rest[i-1], rest[i])
		}
	}
	x.ShareMS = 60000 // shares over the cycle stretch it
	at := start + 60000 + 1000
	if s := At(p, []Alert{x, y}, conditions(at), at); s.Why != WhyAlert {
		t.Errorf("shares fill the cycle, and %s shows", s.Why)
	}
}

func TestScroll(t *testing.T) {
	p := fixture()
	p.Items[0].Steps = []Step{{Frame: 1, MS: 8000, Scroll: &Scroll{Axis: "x", PxS: 90}}}
	for _, c := range []struct{ tau, want int64 }{{0, 0}, {11, 0}, {12, 1}, {1000, 90}, {3333, 299}, {3334, 0},
		{7999, (7999 * 90 / 1000) % 300}} {
		at := t0*1000 + c.tau
		s := At(p, nil, conditions(at), at)
		if got := s.Offset(); got != c.want {
			t.Errorf("after %d ms at pixel %d, want %d", c.tau, got, c.want)
		}
	}
	back := Shown{Frame: &Frame{W: 300, H: 64}, Scroll: &Scroll{Axis: "x", PxS: -90}, TauMS: 12}
	if got := back.Offset(); got != 298 {
		t.Errorf("backwards at pixel %d, want 298", got)
	}
}

// Until UntilMS nothing changes but the position; the next answer begins where
// it says.
func TestUntilIsNeverLate(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 300 {
		p := fixture()
		for i := range p.Items {
			p.Items[i].Steps = nil
			for range 1 + r.IntN(3) {
				p.Items[i].Steps = append(p.Items[i].Steps, Step{Frame: 0, MS: 100 + r.Int64N(5000)})
			}
		}
		var alerts []Alert
		for i := range r.IntN(4) {
			a := alert(fmt.Sprint(i), r.Int64N(3), t0+r.Int64N(60), t0+60+r.Int64N(60))
			a.ExclusiveS, a.ShareMS, a.CycleMS = r.Int64N(40), 6000*r.Int64N(3), 1+r.Int64N(60000)
			alerts = append(alerts, a)
		}
		at := t0*1000 + r.Int64N(100_000)
		c := conditions(at)
		s := At(p, alerts, c, at)
		if s.UntilMS <= at {
			t.Fatalf("round %d: the answer at %d ends at %d", round, at, s.UntilMS)
		}
		for range 20 {
			then := at + r.Int64N(min(s.UntilMS-at, 20000))
			x := At(p, alerts, c, then)
			if x.Item != s.Item || x.Why != s.Why || x.Step != s.Step || x.TauMS != s.TauMS+then-at {
				t.Fatalf("round %d: %s %s/%d +%d at %d, said to hold until %d; at %d it is %s %s/%d +%d",
					round, s.Why, s.Item, s.Step, s.TauMS, at, s.UntilMS, then, x.Why, x.Item, x.Step, x.TauMS)
			}
		}
	}
}

func BenchmarkAt(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		p := fixture()
		p.Loops[0].Order = nil
		for i := range n {
			p.Loops[0].Order = append(p.Loops[0].Order, int64(i%3))
		}
		p.Prepare()
		b.Run(fmt.Sprintf("items=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				at := t0*1000 + int64(i)
				_ = At(p, nil, conditions(at), at)
			}
		})
	}
}
