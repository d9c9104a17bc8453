package accept

import (
	"crypto/ed25519"
	"testing"

	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

func TestAProgramTakesEffectWhole(t *testing.T) {
	r := withKeys(t)
	doc := r.program(5)
	r.sendProgram(doc)
	r.want("fetch")
	if p := r.m.Pending(); p == nil || p.Seq != 5 || r.m.Program() != nil {
		t.Fatalf("pending %v, in force %v", p, r.m.Program())
	}
	r.step(Shown{Frame: digest(7)}) // of a fallback: no program is in force yet
	r.want()
	r.frames[digest(1)] = true
	r.step(ProgramFrames{})
	r.want("store program 5", "program 5", "ack program 5 received", "status")
	r.step(ProgramFrames{}) // nothing is pending any more
	r.step(Shown{})         // a dark face proves no program
	r.want()
	r.step(Shown{Frame: digest(1)})
	r.step(Shown{Frame: digest(1)})
	r.want("ack program 5 showing 11")
	r.sendProgram(doc)
	r.want("ack program 5 showing")
	r.sendProgram(r.program(6))
	r.want("store program 6", "program 6", "ack program 6 received", "status")
	if p := r.m.Program(); p == nil || *p != (wire.SeqOf{Epoch: 1, Seq: 6}) || r.m.Areas()[0] != "quang-nam" {
		t.Errorf("program %v, areas %v", p, r.m.Areas())
	}
	r.sendProgram(r.program(6))
	r.want("ack program 6 received")
}

func TestReplays(t *testing.T) {
	r := withKeys(t)
	r.frames[digest(1)] = true
	r.sendProgram(r.program(5))
	r.log = nil
	r.sendProgram(r.program(4))
	r.want("refused program stale-seq", "ack program 4 rejected stale-seq")
	r.sendProgram(r.program(5, func(p *timeline.Program) { p.Areas = nil })) // other bytes
	r.want("refused program stale-seq", "ack program 5 rejected stale-seq")
	r.sendAlerts(r.alerts(5, nil))
	r.want("store alerts 5", "alerts 5", "ack alerts 5 received")
	r.sendAlerts(r.alerts(5, nil))
	r.want("ack alerts 5 received")
	r.sendAlerts(r.alerts(4, nil))
	r.want("refused alerts stale-seq", "ack alerts 4 rejected stale-seq")
	r.sendKeys(r.keySet(1))
	r.want()
	r.sendKeys(r.keySet(0))
	r.want("refused keys stale-seq") // key sets are not acked
	q := r.request(3, wire.OpSnapshot)
	r.sendRequest(q)
	r.sendRequest(q)
	r.want("perform snapshot")
	r.sendRequest(r.request(2, wire.OpSnapshot))
	r.want("refused request stale-seq")
}

func TestPendingPrograms(t *testing.T) {
	r := withKeys(t)
	r.sendProgram(r.program(5))
	r.sendProgram(r.program(5))
	r.want("fetch", "fetch")
	r.sendProgram(r.program(4)) // it would be accepted, but a newer one waits
	r.want("ack program 4 rejected stale-seq")
	r.sendProgram(r.program(6, func(p *timeline.Program) { p.Frames = frames(2) }))
	r.want("fetch")
	r.frames[digest(2)] = true
	r.step(ProgramFrames{})
	r.want("store program 6", "program 6", "ack program 6 received", "status")
}

func TestAFailureIsAckedOnceForEachReason(t *testing.T) {
	r := withKeys(t)
	r.step(FrameFailed{digest(1), wire.MissingFrame}) // nothing is pending
	r.sendProgram(r.program(5))
	r.want("fetch")
	r.step(FrameFailed{digest(9), wire.MissingFrame}) // of another program
	r.want()
	r.step(FrameFailed{digest(1), wire.MissingFrame})
	r.step(FrameFailed{digest(1), wire.MissingFrame})
	r.want("ack program 5 rejected missing-frame 11")
	r.step(FrameFailed{digest(1), wire.BadFrame})
	r.want("ack program 5 rejected bad-frame 11")
}

func TestAFullDisk(t *testing.T) {
	r := withKeys(t)
	r.frames[digest(1)] = true
	r.full = true
	r.sendProgram(r.program(5))
	r.want("disk full")
	r.sendAlerts(r.alerts(5, nil)) // it must not hold up a cancel
	r.want("disk full", "alerts 5", "ack alerts 5 received")
	r.sendKeys(r.keySet(2))
	r.want("disk full")
	if r.m.Keys().Seq != 1 || r.m.Program() != nil || r.m.Pending() == nil {
		t.Errorf("keys %d, program %v, pending %v", r.m.Keys().Seq, r.m.Program(), r.m.Pending())
	}
	r.full = false
	r.step(ProgramFrames{})
	r.want("store program 5", "program 5", "ack program 5 received", "status")
	r.sendAlerts(r.alerts(5, nil))
	r.want("store alerts 5", "alerts 5", "ack alerts 5 received")
	r.sendKeys(r.keySet(2))
	r.want("store keys 2", "status")
}

func TestALostDocumentIsStoredAgain(t *testing.T) {
	r := withKeys(t)
	r.frames[digest(1)] = true
	doc := r.program(5)
	r.sendProgram(doc)
	r.log = nil
	r.step(Lost{wire.RoleProgram})
	r.sendProgram(doc)
	r.want("store program 5", "ack program 5 received")
	r.sendProgram(doc)
	r.want("ack program 5 received")
}

func TestDocumentsWaitForTheirKeys(t *testing.T) {
	for _, quiet := range []bool{false, true} {
		r := newRig(t, func(c *Config) { c.QuietUntilKeys = quiet })
		r.frames[digest(1)] = true
		r.sendProgram(r.program(5))
		r.sendAlerts(r.alerts(7, nil))
		if !quiet {
			r.want("refused program unknown-key", "ack program 5 rejected unknown-key",
				"refused alerts unknown-key", "ack alerts 7 rejected unknown-key")
		}
		r.want()
		r.sendProgram([]byte("rubbish")) // it does not push out what waits
		r.want("refused program bad-header", "ack program 0 rejected bad-header")
		r.sendRequest(r.request(1, wire.OpResync)) // requests do not wait
		r.want("refused request unknown-key")
		r.sendKeys(r.keySet(1))
		r.want("store keys 1", "store alerts 7", "alerts 7", "ack alerts 7 received",
			"store program 5", "program 5", "ack program 5 received", "status", "status")
		r.sendKeys(r.keySet(2))
		r.want("store keys 2", "status") // nothing waits any more
		r.sendProgram(r.seal(key(9), wire.TypProgram, &timeline.Program{}))
		r.want("refused program unknown-key", "ack program 0 rejected unknown-key")
	}
}

func TestDocumentsWaitForTheClock(t *testing.T) {
	r := withKeys(t)
	r.frames[digest(1)] = true
	r.now.NowMS -= 599_000
	later := r.program(5, func(p *timeline.Program) { p.Nbf = t0 + 60 })
	r.sendProgram(later)
	r.want("refused program not-yet", "ack program 5 rejected not-yet")
	r.step(ClockSet{})
	r.want("refused program not-yet", "ack program 5 rejected not-yet")
	r.now.NowMS = (t0 + 60) * 1000
	r.step(ClockSet{})
	r.want("store program 5", "program 5", "ack program 5 received", "status")
	r.step(ClockSet{})
	r.want()
}

func TestASpareRootRetiresTheFirst(t *testing.T) {
	r := withKeys(t)
	stored := false
	for _, e := range r.m.Step(Document{wire.TopicKeys, r.keysBy(spare, 2)}, r.now) {
		if d, ok := e.(Store); ok {
			stored = d.FirstRetired
			r.step(Stored{Store: d, OK: false})
		}
	}
	if !stored {
		t.Error("the host is not told that the first root is retired")
	}
	r.sendKeys(r.keySet(3)) // the disk was full: the first root still counts
	r.want("store keys 3", "status")
	r.sendKeys(r.keysBy(spare, 4))
	r.want("store keys 4", "status")
	r.sendKeys(r.keySet(5))
	r.want("refused keys unknown-key")
}

func TestRevocation(t *testing.T) {
	revoke := func(keys ...ed25519.PrivateKey) func(*wire.KeySet) {
		return func(s *wire.KeySet) {
			for _, k := range keys {
				s.Revoked = append(s.Revoked, kid(k))
			}
		}
	}
	r := withKeys(t, func(c *Config) { c.Test = true })
	r.frames[digest(1)] = true
	r.sendProgram(r.program(5))
	r.sendProgram(r.program(6, func(p *timeline.Program) { p.Frames = frames(2) }))
	r.sendAlerts(r.alerts(7, nil))
	r.log = nil
	r.sendKeys(r.keySet(2, revoke(testKey)))
	r.want("store keys 2", "status")
	r.sendKeys(r.keySet(3, revoke(programKey)))
	r.want("store keys 3", "drop program", "program none", "status")
	if r.m.Pending() != nil || r.m.Program() != nil || r.m.Areas()[0] != "quang-ngai/son-tinh" {
		t.Errorf("pending %v, program %v, areas %v", r.m.Pending(), r.m.Program(), r.m.Areas())
	}
	r.sendKeys(r.keySet(4, revoke(programKey, alertsKey)))
	r.want("store keys 4", "drop alerts", "alerts none", "status")
	// Dropped is as if never accepted, but for the floors.
	r.sendKeys(r.keySet(5))
	r.want("store keys 5", "status")
	r.sendProgram(r.program(4))
	r.want("refused program stale-seq", "ack program 4 rejected stale-seq")
	r.sendProgram(r.program(5))
	r.want("store program 5", "program 5", "ack program 5 received", "status")
	r.sendAlerts(r.alerts(7, nil))
	r.want("store alerts 7", "alerts 7", "ack alerts 7 received")
}

func TestRestore(t *testing.T) {
	a := withKeys(t, func(c *Config) { c.Test = true })
	storm, flood := alert("storm", 3), alert("flood", 3)
	storm.Signs, flood.Signs = []string{sign}, []string{sign}
	program, alerts := a.program(5), a.alerts(7, []timeline.Alert{storm})
	tests := a.seal(testKey, wire.TypAlertsTest, &timeline.AlertSet{
		Header: wire.NewHeader(wire.RoleAlertsTest, 1, 8, t0, wire.LifeAlerts), Class: class})
	b := newRig(t, func(c *Config) { c.Test = true })
	b.frames[digest(1)], b.frames[digest(3)] = true, true
	b.m.RestoreFloors(map[string]wire.Floor{
		FloorKey(wire.RoleProgram, sign, 1): {Seq: 5, Digest: wire.Digest(program)},
		FloorKey(wire.RoleAlerts, class, 1): {Seq: 7, Digest: wire.Digest(alerts)},
	}, map[string]int64{"flood": t0 + 60})
	for _, d := range []struct {
		role string
		doc  []byte
	}{{wire.RoleKeys, a.keySet(1)}, {wire.RoleProgram, program}, {wire.RoleAlerts, alerts}, {wire.RoleAlertsTest, tests}} {
		effects, err := b.m.Restore(d.role, d.doc)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range effects {
			b.carryOut(e)
		}
		if _, err := b.m.Restore(d.role, []byte("rubbish")); err == nil {
			t.Errorf("rubbish is restored as %s", d.role)
		}
	}
	b.want("program 5", "alerts 7", "alerts-test 8")
	b.sendKeys(a.keySet(1))
	b.sendProgram(program)
	b.sendAlerts(alerts)
	b.want("ack program 5 received", "ack alerts 7 received", "ack alerts 7 storm received 33")
	b.sendProgram(a.program(4))
	b.want("refused program stale-seq", "ack program 4 rejected stale-seq")
	b.sendAlerts(a.alerts(9, []timeline.Alert{flood})) // over since before the restart
	b.want("store alerts 9", "ack alerts 9 storm ended 33", "alerts 9", "ack alerts 9 received")
	b.sendKeys(b.keySet(2, func(s *wire.KeySet) { s.Revoked = []string{kid(programKey), kid(testKey)} }))
	b.want("store keys 2", "drop program", "program none", "drop alerts-test", "alerts-test none", "status")
}

func TestReads(t *testing.T) {
	topics := []string{wire.TopicKeys, wire.SignTopic(sign, wire.LeafRequest), wire.SignTopic(sign, wire.LeafProgram),
		wire.AlertsTopic(class, false), wire.AlertsTopic(class, true), wire.SignTopic(sign, wire.LeafFrame),
		wire.SignTopic("qn-002", wire.LeafProgram), wire.AlertFrameTopic(class, false, digest(1))}
	for _, c := range []struct {
		what   string
		config func(*Config)
		most   int // of topics
	}{
		{"a program sign", func(*Config) {}, 4},
		{"a test sign", func(c *Config) { c.Test = true }, 5},
		{"a picture sign", func(c *Config) { c.Picture = true }, 2},
	} {
		r := newRig(t, c.config)
		for i, topic := range topics {
			if got := r.m.Reads(topic); got != (i < c.most) {
				t.Errorf("%s reads %s: %v", c.what, topic, got)
			}
		}
	}
}
