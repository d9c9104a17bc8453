package alert

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ledcast/playlists"
)

// refused is a *playlists.Error that says what it should.
func refused(t *testing.T, what string, err error, says ...string) {
	t.Helper()
	var e *playlists.Error
	if !errors.As(err, &e) || e.Remedy == "" {
		t.Errorf("%s: %v", what, err)
		return
	}
	for _, s := range says {
		if !strings.Contains(e.Error(), s) {
			t.Errorf("%s: %v; want %q", what, err, s)
		}
	}
}

// One that replaces another begins before its approval, and its life is never
// longer than signs take.
func TestReplacingForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		s := w.open(t)
		run(t, s, w.order("a1", time.Hour))
		o := w.order("a2", playlists.MaxAlertLife*time.Second)
		o.Replaces = "a1"
		v := run(t, s, o)
		if life := v.Until - v.From; life > playlists.MaxAlertLife {
			t.Errorf("its life is %d s", life)
		}
		if got := wanted(s); got != "-a1:replaced a2 " {
			t.Errorf("wanted is %q", got)
		}
	})
}

// The name of a correction is nobody else's, so that it always shows.
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
	refused(t, "a draft has it", create("a3", "sorry", false), "is an alert's name already")
}
