package main

import (
	"strings"
	"testing"

	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// storm is an alert for the province: exclusive for ten minutes, then 12 s of
// every minute. Its two steps are X for 4 s and Y for 2 s.
func storm(change ...func(*timeline.Alert)) timeline.Alert {
	a := timeline.Alert{ID: "storm", Priority: 200, From: now, Until: now + 3600, Areas: []string{"quang-ngai"},
		Signs:      []string{},
		ExclusiveS: 600, ShareMS: 12000, CycleMS: 60000, Frames: []timeline.Frame{ofAlert(frameX)},
		Steps: []timeline.Step{{Frame: 0, MS: 6000}}}
	for _, f := range change {
		f(&a)
	}
	return a
}

// flood is another: its frame is Y, its length 3 s.
func flood(change ...func(*timeline.Alert)) timeline.Alert {
	a := timeline.Alert{ID: "flood", Priority: 100, From: now, Until: now + 3600, Areas: []string{"quang-ngai"},
		Signs:      []string{},
		ExclusiveS: 0, ShareMS: 6000, CycleMS: 30000, Frames: []timeline.Frame{ofAlert(frameY)},
		Steps: []timeline.Step{{Frame: 0, MS: 3000}}}
	for _, f := range change {
		f(&a)
	}
	return a
}

func shared(a *timeline.Alert) { a.ExclusiveS = 0 }

func ofAlert(f *file) timeline.Frame { m := f.meta; m.Owner = ""; return m }

func alertSet(n int64, alerts ...timeline.Alert) *timeline.AlertSet {
	if alerts == nil {
		alerts = []timeline.Alert{}
	}
	return &timeline.AlertSet{Header: wire.NewHeader(wire.RoleAlerts, 1, seq0+n, now, wire.LifeAlerts), Class: class,
		Alerts: alerts, Ended: []timeline.Ended{}}
}

func alertVectors(t testing.TB) *suite {
	s := newSuite(t, "Alerts: whom they reach, how they rank and share the face, how they end, and sets that are refused.")
	doc := func(n int64) ack { return received("alerts", seq0+n) }
	got := func(id string) ack { return alertAck(id, "received", seq0) }
	shown := func(id string) ack { return alertAck(id, "showing", seq0) }
	over := func(id string, n int64) ack { return alertAck(id, "ended", seq0+n) }
	// playing is a sign with its program and the frames of storm and flood.
	playing := func(name string, change ...func(*config)) *maker {
		m := s.make("alert: "+name, class, change...)
		m.ready(program(), onlyTwo...)
		m.alertFrame(frameX, false)
		m.alertFrame(frameY, false)
		return m
	}

	m := playing("it takes the face at once and ends by itself, with no network")
	m.alerts(alertSet(0, storm(func(a *timeline.Alert) { a.ExclusiveS = 3600 })), doc(0), got("storm"), shown("storm"))
	m.shows("alert", "storm", frameX, 0)
	m.status(map[string]any{"alerts": at(seq0), "showing": map[string]any{"item": "storm",
		"why": "alert", "frame": frameX.meta.SHA256}})
	m.disconnect()
	m.wait(3599_999)
	m.shows("alert", "storm", frameX, 0)
	// 3,600,000 ms are 257 loops of 14 s and 2 s.
	m.add(vectorEvent{Do: "wait", MS: 1}, vectorAnswer{})
	m.shows("program", "one", frameA, 0)
	m.end()

	m = playing("its end is acked")
	m.alerts(alertSet(0, storm()), doc(0), got("storm"), shown("storm"))
	m.wait(3600_000, over("storm", 0))
	m.end()

	m = playing("its share of every cycle, and the program goes on between")
	m.alerts(alertSet(0, storm(shared)), doc(0), got("storm"), shown("storm"))
	m.shows("alert", "storm", frameX, 0)
	m.wait(11_999)
	m.shows("alert", "storm", frameX, 0)
	// t = now·1000 + 12,000; C = 60,000, S = 12,000: floor(t/C)·48,000 − anchor
	// is a multiple of the loop's 14,000, so the loop begins here.
	m.wait(1)
	m.shows("program", "one", frameA, 0)
	m.wait(7_999)
	m.shows("program", "one", frameA, 0)
	m.wait(1)
	m.shows("program", "two", frameB, 0)
	m.wait(39_999) // 47,999 ms into the loops: 3 of them and 5,999
	m.shows("program", "one", frameA, 0)
	m.wait(1)
	m.shows("alert", "storm", frameX, 0)
	m.wait(12_000) // where the loop was left: 48,000 = 3 loops and 6,000
	m.shows("program", "one", frameA, 0)
	m.wait(2_000)
	m.shows("program", "two", frameB, 0)
	m.end()

	m = playing("it is exclusive up to exclusive_s and no longer")
	m.alerts(alertSet(0, storm(func(a *timeline.Alert) { a.From, a.ExclusiveS = now-570, 600 })), doc(0), got("storm"),
		shown("storm"))
	m.wait(29_999) // beyond its share
	m.shows("alert", "storm", frameX, 0)
	m.wait(1) // c = 30,000; the loop is at 18,000 = 14,000 + 4,000
	m.shows("program", "one", frameA, 0)
	m.end()

	m = playing("a share of 0 shows nothing after its exclusive time")
	m.alerts(alertSet(0, storm(func(a *timeline.Alert) { a.ExclusiveS, a.ShareMS = 10, 0 })), doc(0), got("storm"),
		shown("storm"))
	m.wait(10_000)
	m.shows("program", "two", frameB, 0)
	m.end()

	m = playing("two share: the higher priority first, its cycle for both")
	m.alerts(alertSet(0, flood(), storm(shared)), doc(0), got("storm"), got("flood"), shown("storm"))
	m.wait(12_000, shown("flood"))
	m.shows("alert", "flood", frameY, 0)
	m.wait(5_999)
	m.shows("alert", "flood", frameY, 0)
	m.wait(1) // C = 60,000, S = 18,000: floor(t/C)·42,000 − anchor is a multiple of 14,000
	m.shows("program", "one", frameA, 0)
	m.wait(8_000)
	m.shows("program", "two", frameB, 0)
	m.wait(34_000)
	m.shows("alert", "storm", frameX, 0)
	m.end()

	m = playing("shares that fill more than the cycle make it longer")
	m.alerts(alertSet(0, storm(shared, func(a *timeline.Alert) { a.CycleMS = 10_000 }), flood()), doc(0), got("storm"),
		got("flood"), shown("storm"))
	m.wait(17_999, shown("flood")) // C = 18,000: the program has no time left
	m.shows("alert", "flood", frameY, 0)
	m.wait(1)
	m.shows("alert", "storm", frameX, 0)
	m.end()

	m = playing("two exclusive ones: the higher priority")
	m.alerts(alertSet(0, flood(func(a *timeline.Alert) { a.ExclusiveS = 600 }), storm()), doc(0), got("storm"),
		got("flood"), shown("storm"))
	m.shows("alert", "storm", frameX, 0)
	m.end()

	m = playing("one priority: the later from")
	m.alerts(alertSet(0, storm(func(a *timeline.Alert) { a.From = now - 60 }),
		flood(func(a *timeline.Alert) { a.Priority, a.ExclusiveS = 200, 600 })),
		doc(0), got("storm"), got("flood"), shown("flood"))
	m.shows("alert", "flood", frameY, 0)
	m.end()

	m = playing("one priority, one from: ids by their bytes")
	m.alerts(alertSet(0, storm(func(a *timeline.Alert) { a.ID = "a-storm" }),
		flood(func(a *timeline.Alert) { a.ID, a.Priority, a.ExclusiveS = "B-flood", 200, 600 })),
		doc(0), got("a-storm"), got("B-flood"), shown("B-flood"))
	m.shows("alert", "B-flood", frameY, 0)
	m.end()

	m = playing("an exclusive one of lower rank leaves the shares of higher ones")
	m.alerts(alertSet(0, storm(shared), flood(func(a *timeline.Alert) { a.ExclusiveS = 600 })), doc(0), got("storm"),
		got("flood"), shown("storm"))
	m.wait(11_999)
	m.shows("alert", "storm", frameX, 0)
	m.wait(1, shown("flood"))
	m.shows("alert", "flood", frameY, 0)
	m.wait(47_999)
	m.shows("alert", "flood", frameY, 0)
	m.wait(1)
	m.shows("alert", "storm", frameX, 0)
	m.end()

	steps := func(a *timeline.Alert) {
		a.Frames = []timeline.Frame{ofAlert(frameX), ofAlert(frameY), ofAlert(stripX)}
		a.Steps = []timeline.Step{{Frame: 0, MS: 2000}, {Frame: 1, MS: 1000},
			{Frame: 2, MS: 3000, Scroll: &timeline.Scroll{Axis: "x", PxS: 10}}}
	}
	m = playing("its steps run from its from, again and again")
	m.alertFrame(stripX, false)
	m.alerts(alertSet(0, storm(steps, func(a *timeline.Alert) { a.From = now - 1 })), doc(0), got("storm"), shown("storm"))
	m.shows("alert", "storm", frameX, 0)
	m.wait(1000)
	m.shows("alert", "storm", frameY, 0)
	m.wait(1250) // 250 ms into the strip
	m.shows("alert", "storm", stripX, 2)
	m.wait(2749)
	m.shows("alert", "storm", stripX, 29)
	m.wait(1)
	m.shows("alert", "storm", frameX, 0)
	m.end()

	m = playing("a drill is acked and never shown")
	m.alerts(alertSet(0, storm(func(a *timeline.Alert) { a.Drill = true })), doc(0), got("storm"))
	m.shows("program", "one", frameA, 0)
	m.wait(3600_000, over("storm", 0))
	m.end()

	m = playing("areas cover by whole segments; signs may be named")
	m.alerts(alertSet(0, storm(
		func(a *timeline.Alert) { a.Areas = []string{"quang-ngai/son", "quang-ngai/son-tinh/west"} })), doc(0))
	m.shows("program", "one", frameA, 0)
	m.alerts(alertSet(1, storm(func(a *timeline.Alert) { a.Areas = []string{"quang-ngai/son-tinh"} })),
		doc(1), alertAck("storm", "received", seq0+1), alertAck("storm", "showing", seq0+1))
	m.alerts(alertSet(2, flood(func(a *timeline.Alert) {
		a.Areas, a.Signs, a.ExclusiveS = []string{}, []string{"qn-000", "qn-001"}, 600
	})),
		over("storm", 2), doc(2), alertAck("flood", "received", seq0+2), alertAck("flood", "showing", seq0+2))
	m.end()

	m = s.make("alert: before the first program the config's areas count", class)
	m.begin()
	m.alertFrame(frameX, false)
	m.alerts(alertSet(0, storm(func(a *timeline.Alert) { a.Areas = []string{"quang-ngai/son-tinh"} })), doc(0),
		got("storm"), shown("storm"))
	m.shows("alert", "storm", frameX, 0)
	m.end()

	m = s.make("alert: afterwards the program's", class)
	p := program()
	p.Areas = []string{"quang-nam"}
	m.ready(p, onlyTwo...)
	m.alertFrame(frameX, false)
	m.alerts(alertSet(0, storm()), doc(0))
	m.shows("program", "one", frameA, 0)
	m.end()

	m = s.make("alert: it waits for its frames", class)
	m.ready(program(), onlyTwo...)
	m.alerts(alertSet(0, storm()), doc(0), alertAck("storm", "rejected", seq0, wire.MissingFrame))
	m.shows("program", "one", frameA, 0)
	m.alertFrame(frameX, false, got("storm"), shown("storm"))
	m.shows("alert", "storm", frameX, 0)
	m.end()

	m = s.make("alert: bytes that are not of their topic's digest are no frame", class)
	m.ready(program(), onlyTwo...)
	m.alerts(alertSet(0, storm()), doc(0), alertAck("storm", "rejected", seq0, wire.MissingFrame))
	m.bytes(wire.AlertFrameTopic(class, false, frameX.meta.SHA256), frameY.data)
	m.shows("program", "one", frameA, 0)
	m.end()

	cancel := func(n int64) *timeline.AlertSet {
		a := alertSet(n)
		a.Ended = []timeline.Ended{{ID: "storm", At: now, Until: now + 3600, Why: "cancelled"}}
		return a
	}
	m = playing("a cancel ends it; the old set again does not bring it back")
	m.alerts(alertSet(0, storm()), doc(0), got("storm"), shown("storm"))
	m.alerts(cancel(1), over("storm", 1), doc(1))
	m.shows("program", "one", frameA, 0)
	m.alerts(alertSet(0, storm()), rejected("alerts", wire.StaleSeq))
	m.start(now*1000, true)
	m.connect()
	m.alerts(alertSet(0, storm()), rejected("alerts", wire.StaleSeq))
	m.shows("program", "one", frameA, 0)
	m.end()

	m = s.make("alert: a cancel is not held up by frames that are not there", class)
	m.ready(program(), onlyTwo...)
	m.alerts(alertSet(0, storm()), doc(0), alertAck("storm", "rejected", seq0, wire.MissingFrame))
	m.alerts(cancel(1), over("storm", 1), doc(1))
	m.alertFrame(frameX, false)
	m.shows("program", "one", frameA, 0)
	m.end()

	m = playing("a set on its own replaces the one before, frames or no frames")
	m.alerts(alertSet(0, storm()), doc(0), got("storm"), shown("storm"))
	m.alerts(alertSet(1, flood(func(a *timeline.Alert) { a.Frames[0].SHA256 = strings.Repeat("0", 64) })),
		over("storm", 1), doc(1), alertAck("flood", "rejected", seq0+1, wire.MissingFrame))
	m.shows("program", "one", frameA, 0)
	m.end()

	m = playing("it lasts over a restart, before there is a network")
	m.alerts(alertSet(0, storm()), doc(0), got("storm"), shown("storm"))
	m.start((now+60)*1000, true)
	m.shows("alert", "storm", frameX, 0)
	m.wait(3540_000)
	m.shows("program", "one", frameA, 0)
	m.end()

	m = playing("the same set again is acked with its present state")
	m.alerts(alertSet(0, storm()), doc(0), got("storm"), shown("storm"))
	m.alerts(alertSet(0, storm()), doc(0), shown("storm"))
	m.end()

	test := func(c *config) { c.Test = true }
	testSet := func(alerts ...timeline.Alert) []byte {
		a := alertSet(0, alerts...)
		a.Role = wire.RoleAlertsTest
		return m.seal(testsKey, wire.TypAlertsTest, a)
	}
	ofTest := func(a ack) ack { a["role"] = "alerts-test"; return a }
	m = playing("a sign that is no test sign takes no tests")
	m.alertFrame(frameY, true)
	m.message(m.topicAlerts(true), testSet(flood(func(a *timeline.Alert) { a.ExclusiveS = 600 })))
	m.shows("program", "one", frameA, 0)
	m.end()

	m = playing("a test sign ranks tests and live alerts together", test)
	m.alertFrame(frameY, true)
	m.alerts(alertSet(0, storm()), doc(0), got("storm"), shown("storm"))
	m.message(m.topicAlerts(true), testSet(flood(func(a *timeline.Alert) { a.Priority, a.ExclusiveS = 201, 60 })),
		ofTest(doc(0)), ofTest(got("flood")), ofTest(shown("flood")))
	m.shows("alert", "flood", frameY, 0)
	m.end()

	m = playing("a test on the live topic, a live one on the test topic", test)
	m.message(m.topicAlerts(false), testSet(flood()), rejected("alerts", wire.BadHeader))
	m.message(m.topicAlerts(true), m.seal(alertsKey, wire.TypAlerts, alertSet(0, storm())),
		rejected("alerts-test", wire.BadHeader))
	m.message(m.topicAlerts(false), m.seal(testsKey, wire.TypAlerts, alertSet(0, storm())),
		rejected("alerts", wire.UnknownKey))
	m.shows("program", "one", frameA, 0)
	m.end()

	refuse := func(name string, reason wire.Reason, change func(*timeline.AlertSet)) {
		m := playing(name)
		a := alertSet(0, storm())
		change(a)
		m.alerts(a, rejected("alerts", reason))
		m.shows("program", "one", frameA, 0)
		m.end()
	}
	first := func(f func(*timeline.Alert)) func(*timeline.AlertSet) {
		return func(a *timeline.AlertSet) { f(&a.Alerts[0]) }
	}
	refuse("a share that is no multiple of its length", wire.BadDocument,
		first(func(a *timeline.Alert) { a.ShareMS = 6001 }))
	refuse("a cycle of 0", wire.BadDocument, first(func(a *timeline.Alert) { a.CycleMS = 0 }))
	refuse("a day and a second", wire.BadDocument, first(func(a *timeline.Alert) { a.Until = now + 86401 }))
	refuse("an end before its beginning", wire.BadDocument, first(func(a *timeline.Alert) { a.Until = now }))
	refuse("without steps", wire.BadDocument, first(func(a *timeline.Alert) { a.Steps = []timeline.Step{} }))
	refuse("501 signs", wire.BadDocument, first(func(a *timeline.Alert) { a.Signs = make([]string, 501) }))
	refuse("an id twice", wire.BadDocument, func(a *timeline.AlertSet) { a.Alerts = append(a.Alerts, a.Alerts[0]) })
	refuse("17 alerts", wire.BadDocument, func(a *timeline.AlertSet) {
		for i := range 16 {
			x := storm()
			x.ID += string(rune('a' + i))
			a.Alerts = append(a.Alerts, x)
		}
	})
	refuse("over 2 MiB of frames", wire.BadDocument, first(func(a *timeline.Alert) {
		f := a.Frames[0]
		f.Len = 900 << 10
		a.Frames = []timeline.Frame{f, f, f}
	}))
	refuse("25 hours and a second", wire.BadDocument, func(a *timeline.AlertSet) { a.Exp++ })
	refuse("a set for another class", wire.WrongClass, func(a *timeline.AlertSet) { a.Class = "16x8-red" })
	refuse("a set of another epoch", wire.WrongEpoch, func(a *timeline.AlertSet) { a.Epoch = 2 })
	refuse("a set before its time", wire.NotYet, func(a *timeline.AlertSet) {
		a.Header = wire.NewHeader(wire.RoleAlerts, 1, seq0, now+601, wire.LifeAlerts)
	})
	refuse("a set at its end", wire.Expired, func(a *timeline.AlertSet) {
		a.Header = wire.NewHeader(wire.RoleAlerts, 1, seq0, now-wire.LifeAlerts, wire.LifeAlerts)
	})
	return s
}
