package player

import (
	"image"
	"image/color"
	"math"
	"testing"

	"ledcast/playlists/timeline"
)

const t0 = int64(1_800_000_000) // Unix s

func program() *timeline.Program {
	step := func(ms int64) []timeline.Step { return []timeline.Step{{MS: ms}} }
	p := &timeline.Program{
		Header: timeline.Header{Iat: t0, Exp: t0 + 8*86400}, Areas: []string{"quang-nam"},
		Frames: []timeline.Frame{{SHA256: "f", W: 16, H: 8}},
		Items: []timeline.Item{
			{ID: "a", Steps: step(5000)},
			{ID: "b", Steps: step(3000)},
			{ID: "c", Steps: step(1000)},
		},
		Loops:    []timeline.Loop{{Anchor: t0, Order: []int64{0, 1}}, {Anchor: t0, Order: []int64{2}}},
		Segments: []timeline.Segment{{From: t0, Until: t0 + 7200, Why: "default"}},
		Fallback: 1, CommLoss: timeline.CommLoss{AfterS: 600, Loop: 1}}
	p.Prepare()
	return p
}

// alert shows exclusively from t0 until t0 + 600 s.
func alert(id string) timeline.Alert {
	return timeline.Alert{ID: id, From: t0, Until: t0 + 600, Areas: []string{"quang-ngai"}, Signs: []string{"qn-001"},
		ExclusiveS: 600, CycleMS: 60000, Frames: []timeline.Frame{{SHA256: id, W: 16, H: 8}},
		Steps: []timeline.Step{{MS: 6000}}}
}

func set(iat int64, alerts ...timeline.Alert) *timeline.AlertSet {
	return &timeline.AlertSet{Header: timeline.Header{Iat: iat}, Alerts: alerts}
}

// trusted is a player whose mono 0 is t0.
func trusted() *Player {
	return New("qn-001", []string{"quang-ngai/son-tinh"}, StartClock(0, t0*1000, 0, true))
}

func expect(t *testing.T, p *Player, mono int64, why, item string, next int64) {
	t.Helper()
	s, n := p.At(mono)
	if s.Why != why || s.Item != item || n != next {
		t.Errorf("at mono %d: %s %q until %d; want %s %q until %d", mono, s.Why, s.Item, n, why, item, next)
	}
}

func TestClock(t *testing.T) {
	for _, c := range []struct {
		what          string
		system, saved int64
		trusted       bool
		want          int64
	}{
		{"no battery", 0, 5000, false, 5000},
		{"a clock that runs", 9000, 5000, false, 9000},
		{"NTP holds it", 3000, 5000, true, 3000},
	} {
		k := StartClock(100, c.system, c.saved, c.trusted)
		if k.Now(100) != c.want || k.Now(350) != c.want+250 || k.Trusted() != c.trusted {
			t.Errorf("%s: %d, trusted %v", c.what, k.Now(100), k.Trusted())
		}
		k.Set(400, 1000) // backwards, too
		if w := k.Wire(450); w.NowMS != 1050 || !w.Trusted {
			t.Errorf("%s: %+v after a signed time", c.what, w)
		}
	}
}

func TestProgram(t *testing.T) {
	p := trusted()
	expect(t, p, 0, timeline.WhyDark, "", math.MaxInt64)
	if a := p.Areas(); a[0] != "quang-ngai/son-tinh" {
		t.Errorf("areas %v before the first program", a)
	}
	p.SetProgram(program())
	p.Contact(0)
	if a := p.Areas(); a[0] != "quang-nam" || p.Program() == nil {
		t.Errorf("areas %v of the program", a)
	}
	expect(t, p, 0, timeline.WhyProgram, "a", 5000)
	expect(t, p, 4999, timeline.WhyProgram, "a", 5000)
	expect(t, p, 5000, timeline.WhyProgram, "b", 8000)
	// Ten minutes without the broker.
	expect(t, p, 599_999, timeline.WhyProgram, "b", 600_000)
	expect(t, p, 600_000, timeline.WhyCommLoss, "c", 601_000)
	p.Contact(600_500)
	expect(t, p, 600_500, timeline.WhyProgram, "a", 605_000)
	if p.LastContact() != t0*1000+600_500 {
		t.Errorf("last contact %d", p.LastContact())
	}
	p.SetContact(t0 * 1000) // as read from disk
	expect(t, p, 600_500, timeline.WhyCommLoss, "c", 601_000)
}

func TestAlerts(t *testing.T) {
	p := trusted()
	p.SetProgram(program())
	p.Contact(0)
	p.SetAlerts(false, set(t0, alert("storm")), 0)
	p.SetAlerts(true, set(t0, alert("trial")), 0)
	seen := ""
	p.Alerts(func(a *timeline.Alert, _ *timeline.AlertSet, test bool) {
		seen += a.ID
		if test != (a.ID == "trial") {
			t.Errorf("%s: test %v", a.ID, test)
		}
	})
	if seen != "stormtrial" {
		t.Errorf("alerts %s", seen)
	}
	expect(t, p, 0, timeline.WhyAlert, "storm", 6000)
	p.SetReady("storm", false)
	expect(t, p, 0, timeline.WhyAlert, "trial", 6000)
	p.SetReady("storm", true)
	expect(t, p, 7000, timeline.WhyAlert, "storm", 12000)
	p.SetAlerts(true, nil, 7000)
	p.SetAlerts(false,
		&timeline.AlertSet{Alerts: []timeline.Alert{alert("storm")}, Ended: []timeline.Ended{{ID: "storm"}}}, 7000)
	expect(t, p, 7000, timeline.WhyProgram, "b", 8000)
	if !p.Over("storm") || p.Over("trial") || p.Over("unknown") {
		t.Error("what is named as ended is over, and nothing else")
	}
	p.SetAlerts(false, set(t0, alert("storm")), 7000) // what ended stays ended
	expect(t, p, 7000, timeline.WhyProgram, "b", 8000)
	p.End("flood")
	p.SetAlerts(false, set(t0, alert("flood"), alert("wind")), 7000)
	expect(t, p, 7000, timeline.WhyAlert, "wind", 12000)
	p.SetAlerts(false, set(t0), 7500) // gone from the set
	expect(t, p, 7500, timeline.WhyProgram, "b", 8000)
}

func TestAnAlertEndsAtItsDeadline(t *testing.T) {
	p := trusted()
	p.SetProgram(program())
	p.Contact(590_000)
	p.SetAlerts(false, set(t0, alert("storm")), 0)
	expect(t, p, 599_000, timeline.WhyAlert, "storm", 600_000)
	if p.Over("storm") {
		t.Error("over a second early")
	}
	expect(t, p, 600_000, timeline.WhyProgram, "a", 605_000)
	if !p.Over("storm") {
		t.Error("not over at its until")
	}
}

// By a clock that is not trusted an alert runs from its arrival, for its own span less what had passed when it was
// issued, and a signed time never prolongs it.
func TestAlertsWithoutAClock(t *testing.T) {
	for _, c := range []struct {
		what     string
		iat      int64 // after t0
		time     int64 // signed at mono 100,000, after t0; 0 for none
		deadline int64 // mono
	}{
		{"from its arrival", 0, 0, 600_000},
		{"issued before it begins", -50, 0, 600_000},
		{"issued again later", 200, 0, 400_000},
		{"a time that shortens it", 0, 550, 150_000},
		{"a time that would prolong it", 0, 1, 600_000},
	} {
		p := New("qn-001", nil, StartClock(0, 1000, 0, false))
		p.SetAlerts(false, set(t0+c.iat, alert("storm")), 0)
		// It goes on where it is on signs that have had it since it was issued.
		if s, _ := p.At(0); s.TauMS != max(0, c.iat)*1000%6000 {
			t.Errorf("%s: it begins %d ms into its step", c.what, s.TauMS)
		}
		if s, _ := p.At(99_999); s.Item != "storm" {
			t.Errorf("%s: %q shows", c.what, s.Item)
		}
		if c.time != 0 {
			p.SetTime(100_000, (t0+c.time)*1000)
		}
		if s, _ := p.At(c.deadline - 1); s.Item != "storm" {
			t.Errorf("%s: %q shows just before its deadline", c.what, s.Item)
		}
		if s, _ := p.At(c.deadline); s.Item != "" || !p.Over("storm") {
			t.Errorf("%s: %q shows at its deadline", c.what, s.Item)
		}
	}
}

// A repeat of the set does not raise a deadline.
func TestARepeatDoesNotProlong(t *testing.T) {
	p := New("qn-001", nil, StartClock(0, 1000, 0, false))
	p.SetAlerts(false, set(t0, alert("storm")), 0)
	p.SetAlerts(false, set(t0, alert("storm")), 300_000)
	if _, next := p.At(599_999); next != 600_000 {
		t.Errorf("the deadline is %d", next)
	}
	p.SetAlerts(false, set(t0+500, alert("storm")), 400_000) // 100 s are left
	if s, next := p.At(499_999); s.Item != "storm" || next != 500_000 {
		t.Errorf("%q shows until %d", s.Item, next)
	}
}

func TestStrips(t *testing.T) {
	const w, h = 2, 2
	at := func(x, y int) color.RGBA { return color.RGBA{uint8(10 * x), uint8(10 * y), 1, 255} }
	picture := func(w, h int) *image.RGBA {
		img := image.NewRGBA(image.Rect(3, 4, 3+w, 4+h)) // bounds that do not begin at 0
		for x := range w {
			for y := range h {
				img.SetRGBA(3+x, 4+y, at(x, y))
			}
		}
		return img
	}
	for _, c := range []struct {
		what   string
		pw, ph int
		scroll *timeline.Scroll
		tau    int64
		dx, dy int
	}{
		{"a still", 2, 2, nil, 700, 0, 0},
		{"along x", 5, 2, &timeline.Scroll{Axis: "x", PxS: 1}, 3000, 3, 0},
		{"over its end", 5, 2, &timeline.Scroll{Axis: "x", PxS: 1}, 4000, 4, 0},
		{"along y, over its end", 2, 3, &timeline.Scroll{Axis: "y", PxS: 1}, 2000, 0, 2},
	} {
		axis := ""
		if c.scroll != nil {
			axis = c.scroll.Axis
		}
		s := NewStrip(picture(c.pw, c.ph), w, h, axis)
		want := 4 * c.pw * c.ph
		switch axis {
		case "x":
			want += 4 * w * c.ph
		case "y":
			want += 4 * h * c.pw
		}
		if s.Bytes() != want {
			t.Errorf("%s: %d bytes, want %d", c.what, s.Bytes(), want)
		}
		face := image.NewRGBA(image.Rect(0, 0, w, h))
		s.Blit(face,
			&timeline.Shown{Frame: &timeline.Frame{W: int64(c.pw), H: int64(c.ph)}, Scroll: c.scroll, TauMS: c.tau})
		for x := range w {
			for y := range h {
				if got, want := face.RGBAAt(x, y), at((x+c.dx)%c.pw, (y+c.dy)%c.ph); got != want {
					t.Errorf("%s: pixel %d,%d is %v, want %v", c.what, x, y, got, want)
				}
			}
		}
		Darken(face)
		if face.RGBAAt(1, 1) != (color.RGBA{0, 0, 0, 255}) {
			t.Errorf("%s: not dark", c.what)
		}
	}
}
