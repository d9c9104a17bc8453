package box

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

func TestPlaysAProgram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start(true)
		defer w.halt()
		w.expect("", timeline.WhyDark)
		w.sendKeys(rootKey)
		w.sendProgram(w.program(1, 2, 3))
		w.expect("item-1", timeline.WhyProgram)
		acks := w.n.acks(t, "qn-001")
		if len(acks) != 2 || acks[0].State != wire.AckReceived || acks[1].State != wire.AckShowing {
			t.Fatalf("acks %+v", acks)
		}
		time.Sleep(5 * time.Second)
		w.expect("item-2", timeline.WhyProgram)
		time.Sleep(10 * time.Second)
		w.expect("item-1", timeline.WhyProgram)
		s := w.n.lastStatus(t, "qn-001")
		if s.Program == nil || s.Program.Seq == 0 || s.Clock != "trusted" || s.Showing.Why != timeline.WhyProgram {
			t.Errorf("status %+v", s)
		}
	})
}

func TestProgramsAreTakenWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start(true)
		defer w.halt()
		w.sendKeys(rootKey)
		w.sendProgram(w.program(1))
		p := w.program(2, 3)
		missing := wire.FrameTopic("public", p.Frames[1].SHA256)
		w.n.holdBack(missing, true)
		w.sendProgram(p)
		w.expect("item-1", timeline.WhyProgram) // the old one, whole
		time.Sleep(31 * time.Second)
		synctest.Wait()
		if a := w.lastAck(); a.State != wire.AckRejected || a.Reason != wire.MissingFrame || a.Seq != p.Seq {
			t.Errorf("ack %+v", a)
		}
		w.expect("item-1", timeline.WhyProgram)
		w.n.holdBack(missing, false)
		time.Sleep(time.Minute) // it asks again by itself
		synctest.Wait()
		if got := w.out.last(); got.Item == "item-1" {
			t.Errorf("still the old program when all frames are there")
		}
	})
}

func TestReplayIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start(true)
		w.sendKeys(rootKey)
		old := w.sendProgram(w.program(1))
		time.Sleep(time.Second)
		now := w.sendProgram(w.program(2))
		w.n.send(wire.SignTopic("qn-001", wire.LeafProgram), old, true)
		synctest.Wait()
		if a := w.lastAck(); a.Reason != wire.StaleSeq {
			t.Errorf("yesterday's program: %+v", a)
		}
		w.expect("item-2", timeline.WhyProgram)
		w.halt()
		w.start(true)
		w.n.send(wire.SignTopic("qn-001", wire.LeafProgram), old, true)
		synctest.Wait()
		if a := w.lastAck(); a.Reason != wire.StaleSeq {
			t.Errorf("yesterday's program after a restart: %+v", a)
		}
		w.expect("item-2", timeline.WhyProgram)
		// The one in force, again: no rejection.
		w.n.send(wire.SignTopic("qn-001", wire.LeafProgram), now, true)
		synctest.Wait()
		if a := w.lastAck(); a.State != wire.AckShowing {
			t.Errorf("the program in force, again: %+v", a)
		}
		w.halt()
	})
}

// After a reconnect with nothing new nothing is rejected.
func TestReconnectRejectsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start(true)
		defer w.halt()
		w.sendKeys(rootKey)
		w.sendProgram(w.program(1, 2))
		w.sendAlerts(w.alertSet(w.alert("storm", 9, true)))
		for range 5 {
			w.n.power(false)
			time.Sleep(10 * time.Second)
			w.n.power(true)
			time.Sleep(10 * time.Second)
		}
		for _, a := range w.n.acks(t, "qn-001") {
			if a.State == wire.AckRejected {
				t.Errorf("rejected: %+v", a)
			}
		}
		w.expect("storm", timeline.WhyAlert)
	})
}

func TestDocumentsAreKeptUntilTheirKeyComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start(true)
		defer w.halt()
		w.sendProgram(w.program(1))
		if a := w.lastAck(); a.Reason != wire.UnknownKey {
			t.Fatalf("ack %+v", a)
		}
		w.sendKeys(rootKey)
		w.expect("item-1", timeline.WhyProgram)
	})
}

func TestRotationAndRevocation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start(true)
		defer w.halt()
		w.sendKeys(rootKey)
		w.sendProgram(w.program(1))
		next := key(30)
		add := func(k *wire.KeySet) {
			k.Keys = append(k.Keys, wire.Key{Kid: wire.KeyID(pub(next)), Role: wire.RoleProgram, X: wire.EncodeKey(pub(next)),
				Nbf: k.Nbf, Exp: k.Exp})
		}
		w.sendKeys(rootKey, add)
		if s := w.n.lastStatus(t, "qn-001"); s.Keys == nil || s.Keys.Seq != w.seq {
			t.Fatalf("the status does not say that it has the new keys: %+v", s.Keys)
		}
		p := w.program(2)
		w.n.send(wire.SignTopic("qn-001", wire.LeafProgram), w.seal(next, wire.TypProgram, p), true)
		w.expect("item-2", timeline.WhyProgram)
		// The old key leaves: what it signed no longer matters, and the new plays.
		w.sendKeys(rootKey, add, func(k *wire.KeySet) { k.Revoked = []string{wire.KeyID(pub(programKey))} })
		w.expect("item-2", timeline.WhyProgram)
		// The new key is stolen: what it signed is dropped at once.
		w.sendKeys(rootKey, add, func(k *wire.KeySet) { k.Revoked = []string{wire.KeyID(pub(next))} })
		w.expect("", timeline.WhyDark)
		// The floor stays: an older program of the good key is no way back.
		q := w.program(3)
		q.Seq = p.Seq - 1
		w.sendProgram(q)
		if a := w.lastAck(); a.Reason != wire.StaleSeq {
			t.Errorf("under the floor of the dropped program: %+v", a)
		}
		w.sendProgram(w.program(4))
		w.expect("item-4", timeline.WhyProgram)
	})
}

func TestSpareRootRetiresTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start(true)
		w.sendKeys(rootKey)
		w.sendKeys(spareKey)
		seq := w.seq
		w.halt()
		w.start(true)
		defer w.halt()
		w.sendKeys(rootKey) // the thief of the first root
		if s := w.n.lastStatus(t, "qn-001"); s.Keys.Seq != seq {
			t.Errorf("a set of the retired root was taken: seq %d", s.Keys.Seq)
		}
	})
}

func TestAlerts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start(true)
		defer w.halt()
		w.sendKeys(rootKey)
		w.sendProgram(w.program(1))
		// Its frame is missing: it waits, and the face goes on.
		a := w.alert("storm", 9, false)
		w.sendAlerts(w.alertSet(a))
		w.expect("item-1", timeline.WhyProgram)
		if k := w.lastAck(); k.Alert != "storm" || k.Reason != wire.MissingFrame {
			t.Fatalf("ack %+v", k)
		}
		w.alert("storm", 9, true) // now the frame comes
		w.expect("storm", timeline.WhyAlert)
		states := []wire.AckState{}
		for _, k := range w.n.acks(t, "qn-001") {
			if k.Alert == "storm" {
				states = append(states, k.State)
			}
		}
		if len(states) != 3 || states[1] != wire.AckReceived || states[2] != wire.AckShowing {
			t.Errorf("the alert's acks: %v", states)
		}
		// A second alert without a frame does not hold up the first one's cancel.
		b := w.alert("flood", 10, false)
		set := w.alertSet(b)
		set.Ended = []timeline.Ended{{ID: "storm", At: time.Now().Unix(), Until: a.Until, Why: "cancelled"}}
		w.sendAlerts(set)
		w.expect("item-1", timeline.WhyProgram)
		// What was cancelled stays so, whatever comes.
		w.sendAlerts(w.alertSet(a))
		w.expect("item-1", timeline.WhyProgram)
		// A drill is acked and never shown.
		d := w.alert("drill", 11, true)
		d.Drill = true
		w.sendAlerts(w.alertSet(d))
		time.Sleep(10 * time.Second) // it says no more than 18 things in 10 s
		w.expect("item-1", timeline.WhyProgram)
		if k := w.lastAck(); k.Alert != "drill" || k.State != wire.AckReceived {
			t.Errorf("the drill's ack %+v", k)
		}
		time.Sleep(3601 * time.Second)
		synctest.Wait()
		last := wire.AckState("")
		for _, k := range w.n.acks(t, "qn-001") {
			if k.Alert == "drill" {
				last = k.State
			}
		}
		if last != wire.AckEnded {
			t.Errorf("the drill's last ack: %s", last)
		}
	})
}

// The sign ends an alert by itself, with no network, and after a restart it
// stays ended.
func TestAlertEndsWithoutANetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start(true)
		w.sendKeys(rootKey)
		w.sendProgram(w.program(1))
		w.sendAlerts(w.alertSet(w.alert("storm", 9, true)))
		w.expect("storm", timeline.WhyAlert)
		w.n.power(false)
		time.Sleep(3599 * time.Second)
		w.expect("storm", timeline.WhyAlert)
		time.Sleep(time.Second)
		w.expect("item-1", timeline.WhyProgram)
		w.halt()
		w.start(true)
		defer w.halt()
		w.expect("item-1", timeline.WhyProgram)
	})
}

func TestEightDaysOfflineAndAReboot(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it plays for eight days")
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start(true)
		w.sendKeys(rootKey)
		w.sendProgram(w.program(1))
		w.n.power(false)
		time.Sleep(8*24*time.Hour + time.Hour)
		w.expect("item-1", timeline.WhyCommLoss)
		w.halt()
		w.start(false)
		w.expect("item-1", timeline.WhyFallback) // nobody vouches for its clock
		w.halt()
		w.start(true)
		defer w.halt()
		w.expect("item-1", timeline.WhyCommLoss)
	})
}

func TestDamagedDiskIsMended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start(true)
		w.sendKeys(rootKey)
		p := w.program(1, 2)
		doc := w.sendProgram(p)
		w.halt()
		damage := func(path string) {
			t.Helper()
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			data[len(data)/2] ^= 1
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		f := filepath.Join(w.dir, "frames", p.Frames[0].SHA256)
		stored := filepath.Join(w.dir, "docs", docFile(wire.RoleProgram, wire.Digest(doc)))
		damage(f)
		damage(stored)
		w.n.power(false)
		w.start(true)
		for _, pic := range w.out.all() {
			if pic.Frame == p.Frames[0].SHA256 {
				t.Error("a damaged frame was shown")
			}
		}
		w.n.power(true)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		for path, want := range map[string]string{f: p.Frames[0].SHA256, stored: wire.Digest(doc)} {
			if data, err := os.ReadFile(path); err != nil || wire.Digest(data) != want {
				t.Errorf("%s was not mended: %v", filepath.Base(path), err)
			}
		}
		if s := w.n.lastStatus(t, "qn-001"); len(s.Faults) > 0 {
			t.Errorf("faults %v", s.Faults)
		}
		w.halt()
	})
}
