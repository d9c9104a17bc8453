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
