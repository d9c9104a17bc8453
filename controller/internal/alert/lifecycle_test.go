package alert

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ledcast/playlists"
)

// A replacing alert starts before its approval, but its lifetime stays within the limit.
func TestReplacingForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		s := w.open(t)
		run(t, s, w.order("a1", time.Hour))
		o := w.order("a2", playlists.MaxAlertLife*time.Second)
		o.Replaces = "a1"
		v := run(t, s, o)
		if life := v.Until - v.From; life > playlists.MaxAlertLife {
			t.Errorf("its lifetime is %d s", life)
		}
		if got := active(s); got != "-a1:replaced a2 " {
			t.Errorf("active: %q", got)
		}
	})
}

// The id of a correction is reserved, so that signs always show it.
func TestCorrectionsName(t *testing.T) {
	w := newWorld()
	s := w.open(t)
	create := func(id, correction string, draft bool) error {
		o := w.order(id, time.Hour)
		o.Correction, o.Draft = correction, draft
		_, err := s.Create(t.Context(), author, o)
		return err
	}
	for _, x := range []struct {
		id, correction string
		draft          bool
	}{{"a1", "sorry", false}, {"a2", "", false}, {"a3-correction", "", true}} {
		if err := create(x.id, x.correction, x.draft); err != nil {
			t.Fatal(err)
		}
	}
	refused(t, "of one with a correction", create("a1-correction", "", false), "kept for the correction of a1")
	refused(t, "of one without", create("a2-correction", "", true), "kept for the correction of a2")
	refused(t, "a draft has it", create("a3", "sorry", false), "is already the name of an alert")
}

// An alert that replaces an ended alert cannot be approved, unless that one expired
// shortly before.
func TestReplacesEndedAlert(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		s := w.open(t)
		pending := func(id, replaces string) {
			t.Helper()
			o := w.order(id, 5*time.Hour)
			o.Replaces = replaces
			if _, err := s.Create(t.Context(), author, o); err != nil {
				t.Fatal(err)
			}
		}
		run(t, s, w.order("a1", time.Hour))
		pending("b1", "a1")
		if _, err := s.Cancel(t.Context(), author, "a1", false); err != nil {
			t.Fatal(err)
		}
		_, err := s.Approve(t.Context(), approver, "b1", read(t, s, "b1", 4))
		refused(t, "of one that was cancelled", err, "has ended (cancelled)")
		run(t, s, w.order("a2", time.Hour))
		pending("b2", "a2")
		pending("c2", "a2")
		time.Sleep(time.Hour + 5*time.Minute)
		step(t, s)
		if _, err := s.Approve(t.Context(), approver, "b2", read(t, s, "b2", 4)); err != nil {
			t.Errorf("five minutes after its end: %v", err)
		}
		time.Sleep(5 * time.Minute)
		_, err = s.Approve(t.Context(), approver, "c2", read(t, s, "c2", 4))
		refused(t, "ten minutes after its end", err, "has ended (expired)")
	})
}

// Only officers of the draft's areas and of the new areas can finish a draft.
func TestDraftOfAnotherArea(t *testing.T) {
	w := newWorld()
	s := w.open(t)
	o := w.order("d1", time.Hour)
	o.Draft, o.Areas = true, []string{"quang-ngai/son-tinh"}
	if _, err := s.Create(t.Context(), author, o); err != nil {
		t.Fatal(err)
	}
	officer := &playlists.Principal{ID: "user:tam", Owner: playlists.Public, Role: playlists.RoleAuthor,
		Areas: []string{"quang-ngai/duc-pho"}}
	o.Draft, o.Areas = false, []string{"quang-ngai/duc-pho"}
	_, err := s.Create(t.Context(), officer, o)
	refused(t, "an officer of another area", err, "outside the areas")
}

// No sign misses an alert that was cancelled before its start.
func TestCancelledBeforeItsStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		s := w.open(t)
		o := w.order("a1", 2*time.Hour)
		o.From = playlists.Moment(time.Now().Add(time.Hour).Unix())
		run(t, s, o)
		if _, err := s.Cancel(t.Context(), author, "a1", false); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * AckTimeoutMS * time.Millisecond)
		step(t, s)
		if v := view(t, s, "a1"); len(v.Missed) > 0 || len(v.Call) > 0 {
			t.Errorf("missed by %v, to call %v", v.Missed, v.Call)
		}
		if sent := slices.DeleteFunc(w.hooks.Sent(),
			func(x string) bool { return !strings.HasPrefix(x, "missed ") }); len(sent) > 0 {
			t.Errorf("webhooks received %v", sent)
		}
	})
}

// A correction that a crash delayed starts within its ten minutes or not at all.
func TestLateCorrection(t *testing.T) {
	for late, want := range map[time.Duration]bool{(playlists.CorrectionLife - 1) * time.Second: true,
		playlists.CorrectionLife * time.Second: false} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			s := w.open(t)
			o := w.order("a1", time.Hour)
			o.Correction = "NHẦM"
			run(t, s, o)
			if _, err := s.Cancel(t.Context(), author, "a1", false); err != nil {
				t.Fatal(err)
			}
			s.entries["a1"].Corrected = true // as after a crash before the next step
			time.Sleep(late)
			step(t, s)
			if _, err := s.Get(t.Context(), "a1-correction"); (err == nil) != want {
				t.Errorf("%v after the cancel: %v", late, err)
			}
		})
	}
}
