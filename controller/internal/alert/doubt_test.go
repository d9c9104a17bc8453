package alert

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"ledcast/playlists"
)

// While the clock is in doubt, no alert starts or expires, and a cancel ends an alert within its lifetime. When the
// clock is trusted again, Step does what is due.
func TestDoubt(t *testing.T) {
	const day = 24 * time.Hour
	for name, by := range map[string]time.Duration{"20,000 days behind": -20_000 * day, "an hour behind": -time.Hour,
		"3 hours ahead": 3 * time.Hour, "10 days ahead": 10 * day} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				var off time.Duration
				s, err := Open(t.Context(), Options{Records: w, Catalogue: w, Artist: w, History: w, Hooks: &w.hooks,
					Now: func() time.Time { return time.Now().Add(off) }, Log: slog.New(slog.DiscardHandler),
					Doubt: func() *playlists.Error {
						if off == 0 {
							return nil
						}
						return &playlists.Error{Code: playlists.Conflict, Field: "clock", Key: "clock-in-doubt",
							Args: []any{"wrong"}}
					}}, nil)
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute)
				run(t, s, w.order("runs", 2*time.Hour))
				o := w.order("ends", 2*time.Hour)
				o.Correction = "sorry"
				run(t, s, o)
				o = w.order("late", 2*time.Hour)
				o.From, o.Replaces = playlists.Moment(time.Now().Add(time.Hour).Unix()), "runs"
				run(t, s, o)
				if _, err := s.Create(t.Context(), author, w.order("waits", 2*time.Hour)); err != nil {
					t.Fatal(err)
				}
				approval := read(t, s, "waits", 4)
				startedAt := time.Now()

				off = by
				step(t, s)
				for _, id := range []string{"runs", "ends", "late"} {
					if v := view(t, s, id); v.State != playlists.AlertRunning {
						t.Errorf("%s is %s (%s)", id, v.State, v.Why)
					}
				}
				_, err = s.Approve(t.Context(), approver, "waits", approval)
				refused(t, "an approval", err, "clock", "wrong")
				refused(t, "a policy", s.RunByPolicy(t.Context(), approver, "waits"), "clock")
				_, err = s.BreakGlass(t.Context(), author, "waits")
				refused(t, "break-glass", err, "clock")
				v, err := s.Cancel(t.Context(), author, "ends", true)
				if err != nil {
					t.Fatal(err)
				}
				if v.State != playlists.AlertEnded || v.Corrected || v.EndedMS < startedAt.UnixMilli() ||
					v.EndedMS >= int64(v.Until)*1000 {
					t.Errorf("cancelled: %s, corrected %v, ended at %d of %d to %d", v.State, v.Corrected, v.EndedMS,
						startedAt.UnixMilli(), int64(v.Until)*1000)
				}

				off = 0
				s.ClockTrusted()
				step(t, s)
				if v := view(t, s, "runs"); v.State != playlists.AlertRunning {
					t.Errorf("with a trusted clock it is %s (%s)", v.State, v.Why)
				}
				if _, err := s.Approve(t.Context(), approver, "waits", approval); err != nil {
					t.Error(err)
				}
				time.Sleep(time.Hour)
				step(t, s)
				if v := view(t, s, "runs"); v.Why != playlists.EndReplaced {
					t.Errorf("an hour later it is %s (%s)", v.State, v.Why)
				}
				time.Sleep(time.Hour)
				step(t, s)
				if v := view(t, s, "waits"); v.Why != playlists.EndExpired {
					t.Errorf("at its end it is %s (%s)", v.State, v.Why)
				}
			})
		})
	}
}
