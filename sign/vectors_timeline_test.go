package main

import (
	"testing"

	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

const day = int64(86_400_000) // ms

// scroller is a program of one item: a strip.
func scroller(f *file, axis string, pxS, ms int64) *timeline.Program {
	p := program()
	p.Frames = append(p.Frames, f.meta)
	p.Items[0].Steps = []timeline.Step{{Frame: 4, MS: ms, Scroll: &timeline.Scroll{Axis: axis, PxS: pxS}}}
	p.Loops[0].Order = []int64{0}
	return p
}

func timelineVectors(t testing.TB) *suite {
	s := newSuite(t, "What is on the face at a time: loops in phase, segments, fallback, lost communication, ends, "+
		"brightness, and the pixels of scrolls.")
	with := func(name string, p *timeline.Program, more ...*file) *maker {
		m := s.make("face: "+name, class)
		m.ready(p, append(append([]*file{}, onlyTwo...), more...)...)
		return m
	}

	m := s.make("face: dark before the first program", class)
	m.start(now*1000, true)
	m.dark()
	m.connect()
	m.dark()
	m.end()

	m = with("items follow one another, and the loop begins anew", program())
	m.shows("program", "one", frameA, 0)
	m.wait(7_999)
	m.shows("program", "one", frameA, 0)
	m.wait(1)
	m.shows("program", "two", frameB, 0)
	m.wait(5_999)
	m.shows("program", "two", frameB, 0)
	m.wait(1)
	m.shows("program", "one", frameA, 0)
	m.wait(14_000*1000 + 8_000)
	m.shows("program", "two", frameB, 0)
	m.end()

	p := program()
	p.Loops[0].Anchor = now + 1000 // −1,000,000 mod 14,000 = 8,000
	m = with("before the anchor positions are not negative", p)
	m.shows("program", "two", frameB, 0)
	m.wait(5_999)
	m.shows("program", "two", frameB, 0)
	m.wait(1)
	m.shows("program", "one", frameA, 0)
	m.end()

	p = program()
	p.Loops[0].Anchor = now - 9 // 9 s in: in the middle of the second item
	m = with("signs with one loop are in phase, whenever they begin", p)
	m.shows("program", "two", frameB, 0)
	m.wait(5_000)
	m.shows("program", "one", frameA, 0)
	m.end()

	p = program()
	p.Items[0].Steps = []timeline.Step{{Frame: 0, MS: 1000}, {Frame: 1, MS: 500}, {Frame: 2, MS: 250}}
	m = with("the steps of an item", p)
	m.wait(999)
	m.shows("program", "one", frameA, 0)
	m.wait(1)
	m.shows("program", "one", frameB, 0)
	m.wait(500)
	m.shows("program", "one", frameC, 0)
	m.wait(250)
	m.shows("program", "two", frameB, 0)
	m.end()

	p = program()
	p.Loops[0].Order = []int64{0, 1, 1, 0, 3}
	m = with("an item may stand in a loop several times", p)
	for _, x := range []struct {
		ms   int64
		item string
		f    *file
	}{{8000, "two", frameB}, {6000, "two", frameB}, {6000, "one", frameA}, {8000, "lost", frameD}, {5000, "one", frameA}} {
		m.wait(x.ms)
		m.shows("program", x.item, x.f, 0)
	}
	m.end()

	p = program()
	p.Segments = []timeline.Segment{{From: now, Until: now + 100, Loop: 0, Why: "a"},
		{From: now + 100, Until: now + 200, Loop: 2, Why: "b"},
		{From: now + 300, Until: now + 400, Loop: timeline.Dark, Why: "night"}}
	m = with("segments from their beginning up to their end; between them the fallback; a loop of −1 is dark", p)
	m.wait(99_999) // 7 loops of 14 s and 1,999
	m.shows("program", "one", frameA, 0)
	m.wait(1)
	m.shows("program", "lost", frameD, 0)
	m.wait(100_000)
	m.shows("fallback", "fallback", frameC, 0)
	m.wait(100_000)
	m.dark()
	m.wait(99_999)
	m.dark()
	m.wait(1)
	m.shows("fallback", "fallback", frameC, 0)
	m.end()

	p = program()
	p.Segments, p.Fallback = []timeline.Segment{}, timeline.Dark
	m = s.make("face: no segment and a dark fallback", class)
	m.begin()
	m.program(p)
	m.frame(frameA)
	m.frame(frameB)
	m.frame(frameC)
	m.frame(frameD, received("program", seq0))
	m.dark()
	m.end()

	m = with("past the program's end: the comm-loss loop for 30 days, then dark", program())
	m.wait(8*day - 1) // 691,200,000 − 1 ms: 49,371 loops and 5,999
	m.shows("program", "one", frameA, 0)
	m.wait(1)
	m.shows("comm-loss", "lost", frameD, 0)
	m.wait(30*day - 1)
	m.shows("comm-loss", "lost", frameD, 0)
	m.wait(1)
	m.dark()
	m.end()

	m = with("communication lost: counted from the last contact, over a restart too", program())
	m.wait(10_000)
	m.disconnect()
	m.wait(day - 1) // 86,409,999 ms: 6,172 loops and 1,999
	m.shows("program", "one", frameA, 0)
	m.wait(1)
	m.shows("comm-loss", "lost", frameD, 0)
	m.start(now*1000+day+20_000, true)
	m.shows("comm-loss", "lost", frameD, 0)
	m.connect()
	m.shows("program", "two", frameB, 0) // 86,420,000 ms: 6,172 loops and 12,000
	m.end()

	p = program()
	p.CommLoss = timeline.CommLoss{AfterS: 60, Loop: timeline.Dark}
	m = with("communication lost: dark where the program says so", p)
	m.disconnect()
	m.wait(59_999)
	m.shows("program", "one", frameA, 0)
	m.wait(1)
	m.dark()
	m.connect()
	m.shows("program", "one", frameA, 0)
	m.end()

	p = program()
	p.Brightness = []timeline.Brightness{{From: now + 10, Until: now + 20, Percent: 40},
		{From: now + 20, Until: now + 30, Percent: 0}}
	floored := program()
	floored.Brightness = []timeline.Brightness{{From: now - 60, Until: now + 3600, Percent: 1}}
	floored.AlertFloor = []timeline.Brightness{{From: now - 60, Until: now + 20, Percent: 40},
		{From: now + 20, Until: now + 3600, Percent: 15}}
	m = with("brightness: a live alert is at least as bright as its floor, and the program is not", floored)
	m.shows("program", "one", frameA, 0, 1)
	m.alertFrame(frameX, false)
	m.alerts(alertSet(0, storm()), received("alerts", seq0), alertAck("storm", "received", seq0),
		alertAck("storm", "showing", seq0))
	m.shows("alert", "storm", frameX, 0, 40)
	m.wait(20_000)
	m.shows("alert", "storm", frameX, 0, 15)
	m.end()

	m = with("brightness: 100 percent where nothing is said", p)
	m.shows("program", "one", frameA, 0, 100)
	m.wait(10_000)
	m.shows("program", "two", frameB, 0, 40)
	m.wait(9_999)
	m.shows("program", "one", frameA, 0, 40)
	m.wait(1)
	m.shows("program", "one", frameA, 0, 0)
	m.wait(10_000)
	m.shows("program", "one", frameA, 0, 100)
	m.end()

	m = with("scroll along x: 15 pixels a second over a strip of 40", scroller(stripX, "x", 15, 6000), stripX)
	for _, x := range []struct {
		ms     int64
		offset int
	}{{0, 0}, {66, 0}, {1, 1}, {933, 15}, {600, 24}, {67, 25}, {999, 39}, {1, 0}, {3332, 9}, {1, 0}} {
		// In all 0, 66, 67, 1000, 1600, 1667, 2666, 2667, 5999 and 6000 ms.
		m.wait(x.ms)
		m.shows("program", "one", stripX, x.offset)
	}
	m.end()

	m = with("scroll along x, backwards", scroller(stripX, "x", -15, 6000), stripX)
	for _, x := range []struct {
		ms     int64
		offset int
	}{{0, 0}, {1, 39}, {65, 39}, {1, 38}, {933, 25}} {
		// floor(−0.015) is −1, floor(−0.99) is −1, floor(−1.005) is −2; at 1000 ms −15.
		m.wait(x.ms)
		m.shows("program", "one", stripX, x.offset)
	}
	m.end()

	m = with("scroll along y: 7 pixels a second over a strip of 20", scroller(stripY, "y", 7, 6000), stripY)
	for _, x := range []struct {
		ms     int64
		offset int
	}{{0, 0}, {143, 1}, {857, 7}, {1000, 14}, {857, 19}, {1, 0}, {3141, 1}} {
		// In all 143, 1000, 2000, 2857 (19.999), 2858 (20.006) and 5999 ms (41.993).
		m.wait(x.ms)
		m.shows("program", "one", stripY, x.offset)
	}
	m.end()

	m = with("a strip that stands still", scroller(stripX, "x", 0, 6000), stripX)
	m.wait(5_000)
	m.shows("program", "one", stripX, 0)
	m.end()

	m = with("a new program takes effect whole and at once", program())
	p = program()
	p.Seq, p.Items[0].ID = seq0+1, "next"
	p.Items[0].Steps[0].Frame = 4
	p.Frames = append(p.Frames, frameX.meta)
	m.program(p)
	m.shows("program", "one", frameA, 0)
	m.wait(8_000)
	m.shows("program", "two", frameB, 0)
	m.wait(6_000)
	m.frame(frameX, received("program", seq0+1), showing("program", seq0+1))
	m.shows("program", "next", frameX, 0)
	m.end()

	m = with("a program that does not become whole leaves the old one", program())
	m.program(p)
	m.wait(30_000, rejected("program", wire.MissingFrame))
	m.shows("program", "one", frameA, 0)
	m.start(now*1000, true)
	m.shows("program", "one", frameA, 0)
	m.end()
	return s
}
