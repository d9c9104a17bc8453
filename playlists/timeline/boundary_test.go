package timeline

import (
	"fmt"
	"math"
	"testing"
)

const hour = int64(3600)

// plain is a program of one item that stands for ten hours, so that every UntilMS is a boundary of something else.
func plain() *Program {
	long := Item{ID: "a", Steps: []Step{{MS: 10 * hour * 1000}}}
	other := Item{ID: "b", Steps: []Step{{MS: 10 * hour * 1000}}}
	return &Program{
		Header: Header{Exp: t0 + 5*hour},
		Areas:  []string{"quang-ngai/son-tinh"},
		Frames: []Frame{{SHA256: "f", W: 16, H: 8}},
		Items:  []Item{long, other},
		Loops:  []Loop{{Anchor: t0, Order: []int64{0}}, {Anchor: t0, Order: []int64{1}}},
		Segments: []Segment{
			{From: t0, Until: t0 + hour, Loop: 0, Why: "one"},
			{From: t0 + 2*hour, Until: t0 + 3*hour, Loop: 0, Why: "two"},
			{From: t0 + 3*hour, Until: t0 + 4*hour, Loop: Dark, Why: "night"},
		},
		Fallback: 1,
		CommLoss: CommLoss{AfterS: 10 * hour, Loop: 1},
	}
}

// answer is what shows, why, and until when, in ms after t0.
func answer(s Shown) string {
	until := fmt.Sprint(s.UntilMS - t0*1000)
	if s.UntilMS == math.MaxInt64 {
		until = "ever"
	}
	return fmt.Sprintf("%s %s %s %d%% until %s", s.Why, s.Item, s.Rule, s.Percent, until)
}

func TestSegmentBoundaries(t *testing.T) {
	const h = hour * 1000
	for _, c := range []struct {
		at   int64 // ms after t0
		want string
	}{
		{-1, "fallback b  100% until 0"},
		{0, "program a one 100% until 3600000"},
		{h - 1, "program a one 100% until 3600000"},
		{h, "fallback b  100% until 7200000"},
		{2*h - 1, "fallback b  100% until 7200000"},
		{2 * h, "program a two 100% until 10800000"},
		{3*h - 1, "program a two 100% until 10800000"},
		{3 * h, "dark  night 100% until 14400000"},
		{4*h - 1, "dark  night 100% until 14400000"},
		{4 * h, "fallback b  100% until 18000000"},                // until the program's end
		{5 * h, "comm-loss b  100% until 36000000"},               // the item's own end
		{5*h + 30*24*h - 1, "comm-loss b  100% until 2610000000"}, // 30 days later
		{5*h + 30*24*h, "dark   100% until ever"},
	} {
		got := answer(At(plain(), nil, Conditions{ClockTrusted: true, LastContactMS: t0*1000 + 10*h}, t0*1000+c.at))
		if got != c.want {
			t.Errorf("at %d: %s; want %s", c.at, got, c.want)
		}
	}
}

func TestCommLossBoundaries(t *testing.T) {
	p := plain()
	p.CommLoss.AfterS = 600
	for _, c := range []struct {
		at      int64
		trusted bool
		want    string
	}{
		{599_999, true, "program a one 100% until 600000"},
		{600_000, true, "comm-loss b  100% until 18000000"},
		{599_999, false, "fallback b  100% until 600000"},
		{600_000, false, "fallback b  100% until 18000000"},
	} {
		got := answer(At(p, nil, Conditions{ClockTrusted: c.trusted, LastContactMS: t0 * 1000}, t0*1000+c.at))
		if got != c.want {
			t.Errorf("%d ms without contact: %s; want %s", c.at, got, c.want)
		}
	}
	p.CommLoss.Loop = Dark
	if got := answer(At(p, nil, Conditions{ClockTrusted: true, LastContactMS: t0 * 1000},
		t0*1000+600_000)); got != "dark   100% until 18000000" {
		t.Errorf("a comm-loss loop of -1: %s", got)
	}
}

func TestBrightnessBoundaries(t *testing.T) {
	p := plain()
	p.Brightness = []Brightness{
		{From: t0 + 100, Until: t0 + 200, Percent: 40},
		{From: t0 + 150, Until: t0 + 300, Percent: 0},
		{From: t0 + 400, Until: t0 + 500, Percent: 100},
	}
	for _, c := range []struct{ at, percent, until int64 }{
		{0, 100, 100_000},
		{99_999, 100, 100_000},
		{100_000, 40, 200_000}, // the first entry that holds decides
		{199_999, 40, 200_000},
		{200_000, 0, 300_000},
		{299_999, 0, 300_000},
		{300_000, 100, 400_000},
		{400_000, 100, 500_000},
		{500_000, 100, 3_600_000},
	} {
		s := At(p, nil, Conditions{ClockTrusted: true, LastContactMS: math.MaxInt32 * 1000}, t0*1000+c.at)
		if s.Percent != c.percent || s.UntilMS != t0*1000+c.until {
			t.Errorf("at %d: %d%% until %d; want %d%% until %d", c.at, s.Percent, s.UntilMS-t0*1000, c.percent, c.until)
		}
	}
	a := alert("storm", 1, t0, t0+hour)
	a.ExclusiveS = hour
	if s := At(p, []Alert{a}, conditions(0), t0*1000+150_000); s.Item != "storm" || s.Percent != 40 {
		t.Errorf("an alert shows at %d%%", s.Percent)
	}
	if s := At(nil, nil, Conditions{}, 0); s.Percent != 100 || s.UntilMS != math.MaxInt64 {
		t.Errorf("without a program: %+v", s)
	}
}

// long is an alert whose one step lasts as long as its share of each cycle.
func long(id string, priority, from, until, exclusive, share, cycle int64) Alert {
	a := alert(id, priority, from, until)
	a.ExclusiveS, a.ShareMS, a.CycleMS = exclusive, share, cycle
	a.Steps = []Step{{MS: max(share, 100)}}
	return a
}

func TestAlertBoundaries(t *testing.T) {
	exclusive := long("x", 1, t0+100, t0+300, 100, 0, 60_000) // and nothing after its first 100 s
	exclusive.Steps[0].MS = 10 * hour * 1000
	if s := At(plain(), []Alert{exclusive}, conditions(t0*1000), t0*1000+150_000); s.TauMS != 50_000 {
		t.Errorf("50 s after it began it is at %d", s.TauMS)
	}
	for _, c := range []struct {
		at   int64
		want string
	}{
		{99_999, "program a one 100% until 100000"},
		{100_000, "alert x alert:x 100% until 200000"},
		{199_999, "alert x alert:x 100% until 200000"},
		{200_000, "program a one 100% until 240000"}, // the end of the cycle; t0 is a multiple of 60 s
		{299_999, "program a one 100% until 300000"},
		{300_000, "program a one 100% until 3600000"},
	} {
		if got := answer(At(plain(), []Alert{exclusive}, conditions(t0*1000), t0*1000+c.at)); got != c.want {
			t.Errorf("at %d: %s; want %s", c.at, got, c.want)
		}
	}
}

// t0 begins a cycle of 60 s. Down the ranks: y is exclusive for 30 s, x has 12 s and z 6 s of each cycle.
func TestShareBoundaries(t *testing.T) {
	if t0%60 != 0 {
		t.Fatal("t0 begins no cycle")
	}
	x := long("x", 3, t0-600, t0+600, 0, 12_000, 60_000)
	y := long("y", 2, t0, t0+600, 30, 0, 1000)
	z := long("z", 1, t0-600, t0+600, 0, 6000, 500)
	for _, c := range []struct {
		at   int64
		want string
		tau  int64
	}{
		{-1, "program a  100% until 0", 0},
		{0, "alert x alert:x 100% until 12000", 0}, // the first-ranked is served first, exclusive or not
		{11_999, "alert x alert:x 100% until 12000", 11_999},
		{12_000, "alert y alert:y 100% until 24000", 0}, // its step of 12 s
		{29_999, "alert y alert:y 100% until 30000", 5999},
		{30_000, "program a  100% until 60000", 0},
		{59_999, "program a  100% until 60000", 0},
		{60_000, "alert x alert:x 100% until 72000", 0},
		{72_000, "alert z alert:z 100% until 78000", 0},
		{77_999, "alert z alert:z 100% until 78000", 5999},
		{78_000, "program a  100% until 120000", 0},
	} {
		y.Steps[0].MS = 12_000
		p := plain()
		p.Segments = []Segment{{From: t0 - hour, Until: t0 + hour}}
		s := At(p, []Alert{z, y, x}, conditions(t0*1000), t0*1000+c.at)
		if got := answer(s); got != c.want || s.Why == WhyAlert && s.TauMS != c.tau {
			t.Errorf("at %d: %s, %d ms into the step; want %s, %d", c.at, got, s.TauMS, c.want, c.tau)
		}
	}
}

// The loop goes on where it was when an alert took its turn, at a position that the protocol gives to the millisecond.
func TestPositionsBetweenShares(t *testing.T) {
	p := plain()
	x := long("x", 1, t0-600, t0+600, 0, 12_000, 60_000)
	for _, c := range []struct{ at, want int64 }{
		{12_000, (t0 * 1000) / 60_000 * 48_000},
		{59_999, (t0*1000)/60_000*48_000 + 47_999},
		{72_000, (t0*1000)/60_000*48_000 + 48_000},
	} {
		s := At(p, []Alert{x}, conditions(t0*1000), t0*1000+c.at)
		if pos := mod(c.want-t0*1000, 10*hour*1000); s.TauMS != pos || s.Item != "a" {
			t.Errorf("at %d: %q at %d; want %d", c.at, s.Item, s.TauMS, pos)
		}
	}
	// Shares that together are more than the cycle stretch it: 60 s and 30 s of 60 s.
	x.ShareMS, x.Steps[0].MS = 60_000, 60_000
	y := long("y", 0, t0-600, t0+600, 0, 30_000, 1)
	start := (t0*1000 + 89_999) / 90_000 * 90_000
	for _, c := range []struct {
		at   int64
		item string
	}{{0, "x"}, {59_999, "x"}, {60_000, "y"}, {89_999, "y"}, {90_000, "x"}} {
		if s := At(p, []Alert{y, x}, conditions(t0*1000), start+c.at); s.Item != c.item {
			t.Errorf("at %d of a stretched cycle: %q, want %q", c.at, s.Item, c.item)
		}
	}
}

// Equal priority: the later start. Equal start: the smaller id, byte by byte.
func TestTies(t *testing.T) {
	of := func(id string, priority, from int64) Alert {
		return long(id, priority, t0+from, t0+hour, hour, 0, 1000)
	}
	for _, c := range []struct {
		alerts []Alert
		want   string
	}{
		{[]Alert{of("a", 1, 0), of("b", 2, 0)}, "b"},
		{[]Alert{of("b", 2, 0), of("a", 1, 9)}, "b"},
		{[]Alert{of("a", 1, 0), of("b", 1, 1)}, "b"},
		{[]Alert{of("b", 1, 1), of("a", 1, 0)}, "b"},
		{[]Alert{of("b", 1, 0), of("a", 1, 0)}, "a"},
		{[]Alert{of("a", 1, 0), of("B", 1, 0)}, "B"},
		{[]Alert{of("a", -1, 0), of("b", -2, 0)}, "a"},
	} {
		if s := At(plain(), c.alerts, conditions(t0*1000), (t0+10)*1000); s.Item != c.want {
			t.Errorf("%s before %s: %q", c.alerts[0].ID, c.alerts[1].ID, s.Item)
		}
	}
}

func TestReaches(t *testing.T) {
	for _, c := range []struct {
		areas, signs, of []string
		want             bool
	}{
		{[]string{"quang-ngai"}, nil, []string{"quang-ngai"}, true},
		{[]string{"quang-ngai"}, nil, []string{"quang-ngai/son-tinh"}, true},
		{[]string{"quang-ngai"}, nil, []string{"quang-ngai-2"}, false},
		{[]string{"quang-ngai/son-tinh"}, nil, []string{"quang-ngai"}, false},
		{[]string{"x", "quang-ngai"}, nil, []string{"y", "quang-ngai"}, true},
		{nil, []string{"qn-002", "qn-001"}, nil, true},
		{nil, []string{"qn-0011"}, []string{"qn-001"}, false},
		{nil, nil, []string{"quang-ngai"}, false},
	} {
		a := Alert{Areas: c.areas, Signs: c.signs}
		if got := a.Reaches("qn-001", c.of); got != c.want {
			t.Errorf("areas %v and signs %v of a sign in %v: %v", c.areas, c.signs, c.of, got)
		}
	}
	// Until the first program the config's areas count, then the program's.
	a := long("x", 1, t0, t0+hour, hour, 0, 1000)
	a.Areas = []string{"quang-nam"}
	c := Conditions{ClockTrusted: true, Areas: []string{"quang-nam"}, LastContactMS: t0 * 1000}
	if At(nil, []Alert{a}, c, t0*1000).Item != "x" || At(plain(), []Alert{a}, c, t0*1000).Item != "a" {
		t.Error("not the areas that are in force")
	}
}

// An item of several steps, prepared or not, and a loop whose anchor is later.
func TestSteps(t *testing.T) {
	p := plain()
	p.Frames = append(p.Frames, Frame{SHA256: "g", W: 40, H: 8})
	p.Items[0].Steps = []Step{{MS: 1000}, {Frame: 1, MS: 500, Scroll: &Scroll{Axis: "x", PxS: 10}}, {MS: 100}}
	p.Items[0].Owner, p.Items[0].Campaign = "viet-ads", "tet"
	p.Loops[0] = Loop{Anchor: t0 + 5, Order: []int64{0, 0}}
	for range 2 {
		for _, c := range []struct {
			at, tau, until int64
			step           int
			frame          string
		}{
			{5000, 0, 6000, 0, "f"}, {5999, 999, 6000, 0, "f"}, {6000, 0, 6500, 1, "g"}, {6499, 499, 6500, 1, "g"},
			{6500, 0, 6600, 2, "f"}, {6599, 99, 6600, 2, "f"}, {6600, 0, 7600, 0, "f"}, {8200, 0, 9200, 0, "f"},
			{4999, 99, 5000, 2, "f"},
		} {
			s := At(p, nil, conditions(t0*1000), t0*1000+c.at)
			if s.Step != c.step || s.TauMS != c.tau || s.UntilMS != t0*1000+c.until || s.Frame.SHA256 != c.frame ||
				s.Owner != "viet-ads" || s.Campaign != "tet" {
				t.Errorf("at %d: %+v; want step %d at %d until %d", c.at, s, c.step, c.tau, c.until)
			}
			if (s.Scroll != nil) != (c.step == 1) {
				t.Errorf("at %d: scroll %v", c.at, s.Scroll)
			}
		}
		if n := p.LoopLength(0); n != 3200 {
			t.Errorf("the loop takes %d ms", n)
		}
		p.Prepare()
	}
	up := Shown{Frame: &Frame{W: 16, H: 20}, Scroll: &Scroll{Axis: "y", PxS: 10}, TauMS: 2000}
	if up.Offset() != 0 {
		t.Errorf("after 20 of 20 rows at %d", up.Offset())
	}
}

func TestFloorDiv(t *testing.T) {
	for _, c := range []struct{ a, b, q, m int64 }{
		{7, 3, 2, 1}, {6, 3, 2, 0}, {0, 3, 0, 0}, {-1, 3, -1, 2}, {-3, 3, -1, 0}, {-4, 3, -2, 2},
	} {
		if q, m := floorDiv(c.a, c.b), mod(c.a, c.b); q != c.q || m != c.m {
			t.Errorf("%d by %d: %d and %d, want %d and %d", c.a, c.b, q, m, c.q, c.m)
		}
	}
}
