package publish

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ledcast/playlists"
	"ledcast/playlists/plan"
	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

func TestFramesComeBeforePrograms(t *testing.T) {
	w, p := newWorld()
	if err := p.Reconcile(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer p.stopPictures()
	if w.got(wire.SignTopic("one", wire.LeafProgram)) == "" {
		t.Fatal("no program")
	}
	if w.got(wire.SignTopic("pic", wire.LeafProgram)) != "" {
		t.Error("a picture sign was sent a program")
	}
	have := map[string]bool{}
	programs := 0
	for _, topic := range w.topics() {
		if sign, leaf, ok := wire.SplitSignTopic(topic); ok && leaf == wire.LeafProgram {
			programs++
			for _, f := range p.Plan(sign).Program.Frames {
				if !have[wire.FrameTopic(f.Owner, f.SHA256)] {
					t.Errorf("the program of %s came before its frame %s", sign, f.SHA256)
				}
			}
		}
		have[topic] = true
	}
	if programs != 3 {
		t.Errorf("%d programs", programs)
	}
}

func TestNothingChangedNothingSent(t *testing.T) {
	w, p := newWorld()
	for range 3 {
		if err := p.Reconcile(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	defer p.stopPictures()
	count := map[string]int{}
	for _, topic := range w.topics() {
		if _, leaf, _ := wire.SplitSignTopic(topic); leaf != wire.LeafFrame {
			count[topic]++
		}
	}
	for topic, n := range count {
		if n != 1 {
			t.Errorf("%s was sent %d times", topic, n)
		}
	}
	// A company's change does not change other companies' programs.
	before := w.got(wire.SignTopic("one", wire.LeafProgram))
	own := w.got(wire.SignTopic("three", wire.LeafProgram))
	w.lists["viet-ads/own"].Items[0].DwellMS = 20000
	if err := p.Reconcile(t.Context()); err != nil {
		t.Fatal(err)
	}
	if w.got(wire.SignTopic("one", wire.LeafProgram)) != before {
		t.Error("another sign's program changed")
	}
	if w.got(wire.SignTopic("three", wire.LeafProgram)) == own {
		t.Error("the changed sign's program did not change")
	}
	// An emptied broker gets the same documents again.
	w.mu.Lock()
	w.retained = map[string]string{}
	w.mu.Unlock()
	p.Connected()
	if err := p.Reconcile(t.Context()); err != nil {
		t.Fatal(err)
	}
	if w.got(wire.SignTopic("one", wire.LeafProgram)) != before {
		t.Error("the emptied broker did not get the same program again")
	}
}

// A message that cannot be drawn is reported and affects no other sign.
func TestABadMessageStopsOneSign(t *testing.T) {
	w, p := newWorld()
	if err := p.Reconcile(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer p.stopPictures()
	kept := w.got(wire.SignTopic("three", wire.LeafProgram))
	w.messages["viet-ads/bad-letter"] = &playlists.Message{ID: "bad-letter", Owner: "viet-ads"}
	w.lists["viet-ads/own"].Items = append(w.lists["viet-ads/own"].Items, playlists.Item{Message: "bad-letter"})
	w.lists["public/default"].Items[1].DwellMS = 12000
	one := w.got(wire.SignTopic("one", wire.LeafProgram))
	if err := p.Reconcile(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := p.Problem("three").EN; !strings.Contains(got, "☃") || !strings.Contains(got, "use letters") {
		t.Errorf("the problem says %q", got)
	}
	if w.got(wire.SignTopic("three", wire.LeafProgram)) != kept {
		t.Error("the sign did not keep its last program")
	}
	if w.got(wire.SignTopic("one", wire.LeafProgram)) == one {
		t.Error("another sign's change was not published")
	}
	if p.Problem("one") != (playlists.Text{}) {
		t.Errorf("problem of another sign: %s", p.Problem("one"))
	}
}

func TestProgramsAreRenewedDaily(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, p := newWorld()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); p.Run(ctx) }()
		p.Connected()
		synctest.Wait()
		topic := wire.SignTopic("one", wire.LeafProgram)
		if n := len(w.at(topic)); n != 1 {
			t.Fatalf("%d programs at the start", n)
		}
		time.Sleep(3*24*time.Hour + time.Hour)
		synctest.Wait()
		if n := len(w.at(topic)); n != 4 {
			t.Errorf("%d programs in three days and an hour, want 4", n)
		}
		plan := p.Plan("one").Program
		if s := plan.Segments; s[len(s)-1].Until < time.Now().Add(7*24*time.Hour).Unix() {
			t.Error("the coming week is not covered")
		}
		cancel()
		<-done
	})
}

// The picture is published at every change and at least once a minute.
func TestPicturesComeAtTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, p := newWorld()
		w.lists["public/default"].Items = []playlists.Item{{Message: "hello", DwellMS: 200_000}}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); p.Run(ctx) }()
		p.Connected()
		synctest.Wait()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		times := w.at(wire.SignTopic("pic", wire.LeafFrame))
		plan := p.Plan("pic").Program
		changes := 0
		for i, at := range times {
			s := timeline.At(plan, nil, timeline.Conditions{ClockTrusted: true, LastContactMS: at.UnixMilli()}, at.UnixMilli())
			if s.TauMS == 0 {
				changes++
			}
			if i > 0 && at.Sub(times[i-1]) > time.Minute {
				t.Errorf("%v without a picture", at.Sub(times[i-1]))
			}
		}
		if changes < 5 || changes > 7 { // 100 s a page
			t.Errorf("%d pictures exactly at a change in 10 minutes of 100 s pages", changes)
		}
		if len(times) > 20 {
			t.Errorf("%d pictures in 10 minutes", len(times))
		}
		cancel()
		<-done
	})
}

func TestUnreferencedFramesAreClearedAfterADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, p := newWorld()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); p.Run(ctx) }()
		p.Connected()
		synctest.Wait()
		gone := p.Plan("three").Program.Frames[0] // of "ours"
		topic := wire.FrameTopic(gone.Owner, gone.SHA256)
		w.lists["viet-ads/own"].Items = w.lists["viet-ads/own"].Items[1:]
		p.Kick()
		time.Sleep(23 * time.Hour)
		synctest.Wait()
		if w.got(topic) == "" {
			t.Error("the frame was cleared within a day; a sign that was offline still needs it")
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if w.got(topic) != "" {
			t.Error("the frame is still there after 25 hours")
		}
		cancel()
		<-done
	})
}

func TestRetryWhenBrokerIsDown(t *testing.T) {
	w, p := newWorld()
	w.setDown(errors.New("no broker"))
	if err := p.Reconcile(t.Context()); err == nil || p.Ready() {
		t.Fatalf("err %v, ready %v", err, p.Ready())
	}
	w.setDown(nil)
	if err := p.Reconcile(t.Context()); err != nil || !p.Ready() {
		t.Fatalf("err %v, ready %v", err, p.Ready())
	}
	p.stopPictures()
}

// A sign that was offline still needs the frames of the program that it acked last.
func TestFramesOfAnAckedProgramStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, p := newWorld()
		var acked atomic.Int64
		p.o.Acked = func(sign string) int64 {
			if sign != "three" {
				return 1 << 40
			}
			return acked.Load()
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); p.Run(ctx) }()
		p.Connected()
		synctest.Wait()
		acked.Store(p.Plan("three").Program.Seq)
		gone := p.Plan("three").Program.Frames[0] // of "ours"
		topic := wire.FrameTopic(gone.Owner, gone.SHA256)
		w.lists["viet-ads/own"] = &playlists.Playlist{ID: "own", Owner: "viet-ads",
			Items: []playlists.Item{{Message: "public/hello"}}}
		p.Kick()
		time.Sleep(3*24*time.Hour + time.Minute)
		synctest.Wait()
		if w.got(topic) == "" {
			t.Error("the frame was cleared, and the sign has acked only the program that references it")
		}
		p.Connected() // an empty broker gets it again
		synctest.Wait()
		if at := w.at(topic); len(at) != 2 {
			t.Errorf("the frame was published %d times", len(at))
		}
		acked.Store(p.Plan("three").Program.Seq)
		time.Sleep(23 * time.Hour)
		synctest.Wait()
		if w.got(topic) == "" {
			t.Error("the frame was cleared within a day")
		}
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		if w.got(topic) != "" {
			t.Error("the frame is still there a day after the sign acked another program")
		}
		cancel()
		<-done
	})
}

// A page that was told of a frame gets it although the program has been replaced meanwhile.
func TestFramesOfAReplacedProgramAreServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, p := newWorld()
		p.o.Acked = func(string) int64 { return 1 << 60 }
		reconcile := func() {
			t.Helper()
			if err := p.Reconcile(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		reconcile()
		gone := p.Plan("three").Program.Frames[0].SHA256
		w.lists["viet-ads/own"] = &playlists.Playlist{ID: "own", Owner: "viet-ads",
			Items: []playlists.Item{{Message: "public/hello"}}}
		reconcile()
		reconcile()
		if p.Plan("three").Program.Frames[0].SHA256 == gone {
			t.Fatal("the program names the same frame")
		}
		if p.ProgramFrame("three", gone) == nil {
			t.Error("the frame of a program that was replaced just now is not served")
		}
		if p.ProgramFrame("three", p.Plan("three").Program.Frames[0].SHA256) == nil {
			t.Error("the frame of the present program is not served")
		}
		time.Sleep(pageGrace + time.Second)
		reconcile()
		if p.ProgramFrame("three", gone) != nil {
			t.Error("the frame is still served when no page asks for it any more")
		}
		p.stopPictures()
	})
}

// When a playlist changes, only the signs that carry it get a new program.
func TestChangeAffectsOnlySignsThatCarryIt(t *testing.T) {
	w, p := newWorld()
	w.schedules = []plan.Dated[playlists.Schedule]{
		{Thing: playlists.Schedule{ID: "night", Owner: "viet-ads", Playlist: "own", Signs: []string{"two"},
			Window: playlists.Window{From: "22:00", Until: "05:00"}}}}
	seqs := func() string {
		if err := p.Reconcile(t.Context()); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(p.Plan("one").Program.Seq, p.Plan("two").Program.Seq, p.Plan("three").Program.Seq)
	}
	defer p.stopPictures()
	first := seqs()
	if again := seqs(); again != first {
		t.Errorf("nothing changed: %s, then %s", first, again)
	}
	one := p.Plan("one").Program.Seq
	w.lists["viet-ads/own"] = &playlists.Playlist{ID: "own", Owner: "viet-ads", Items: []playlists.Item{{Message: "ours"}}}
	second := seqs()
	if p.Plan("one").Program.Seq != one || second == first {
		t.Errorf("before %s, after %s", first, second)
	}
	var a, b, c, x, y, z int64
	fmt.Sscan(first, &a, &b, &c)
	fmt.Sscan(second, &x, &y, &z)
	if a != x || b == y || c == z {
		t.Errorf("before %s, after %s", first, second)
	}
	var r plan.Notes
	if err := json.Unmarshal(w.notes["two"], &r); err != nil || !reflect.DeepEqual(r.Reasons, p.Plan("two").Reasons) ||
		r.Owner != p.Plan("two").Sign.Owner {
		t.Errorf("notes %s (%v)", w.notes["two"], err)
	}
	// After a restart the controller issues nothing new.
	q := New(p.o)
	if err := q.Reconcile(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer q.stopPictures()
	for _, id := range []string{"one", "two", "three"} {
		if q.Plan(id).Program.Seq != p.Plan(id).Program.Seq || !reflect.DeepEqual(q.Plan(id).Reasons, p.Plan(id).Reasons) {
			t.Errorf("%s: after a restart the program or its reasons differ", id)
		}
	}
	// A program over a sign's own limits is reported and not issued.
	p.o.Limits = func(sign string) plan.Limits { return plan.Limits{Frames: 1} }
	third := seqs()
	if third != second || !strings.Contains(p.Problem("one").EN, "over the limit of 1") ||
		!strings.Contains(p.Problem("one").VI, "quá giới hạn") {
		t.Errorf("before %s, after %s: %q", second, third, p.Problem("one"))
	}
}

// KickOwner works before the first Reconcile.
func TestOwnerFirstOfAll(t *testing.T) {
	w, p := newWorld()
	defer p.stopPictures()
	p.KickOwner("viet-ads")
	if err := p.Reconcile(t.Context()); err != nil || w.got("led/v1/signs/three/program") == "" {
		t.Errorf("%v", err)
	}
}

// A sign that waits for the department gets nothing, and everything once that has decided.
func TestWaitingSignGetsNothing(t *testing.T) {
	w, p := newWorld()
	for i := range w.signs {
		if w.signs[i].ID == "three" {
			w.signs[i].Alerts = playlists.AlertsWaiting
		}
	}
	topic := wire.SignTopic("three", wire.LeafProgram)
	if err := p.Reconcile(t.Context()); err != nil {
		t.Fatal(err)
	}
	if w.got(topic) != "" || w.got(wire.SignTopic("one", wire.LeafProgram)) == "" {
		t.Error("the wrong signs have programs")
	}
	for i := range w.signs {
		w.signs[i].Alerts = playlists.AlertsNew
	}
	if err := p.Reconcile(t.Context()); err != nil {
		t.Fatal(err)
	}
	if w.got(topic) == "" {
		t.Error("it has no program")
	}
	p.stopPictures()
}
