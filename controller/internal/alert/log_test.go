package alert

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The log names each creation, approval and end of an alert once, and by whom.
func TestLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		s := w.open(t)
		var log bytes.Buffer
		s.o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelInfo}))
		run(t, s, w.order("a1", time.Hour))
		if _, err := s.Cancel(t.Context(), author, "a1", false); err != nil {
			t.Fatal(err)
		}
		run(t, s, w.order("a2", time.Hour))
		time.Sleep(time.Hour)
		for range 3 {
			step(t, s)
		}
		for _, want := range [][]string{{`"alert created"`, "alert=a1", "by=" + author.ID},
			{`"alert approved"`, "alert=a1", "by=" + approver.ID},
			{`"alert ended"`, "alert=a1", "why=cancelled", "by=" + author.ID},
			{`"alert ended"`, "alert=a2", "why=expired", "by=" + Controller.ID}} {
			n := 0
			for _, line := range strings.Split(log.String(), "\n") {
				all := strings.Contains(line, "level=INFO")
				for _, part := range want {
					all = all && strings.Contains(line, part)
				}
				if all {
					n++
				}
			}
			if n != 1 {
				t.Errorf("%v occurs %d times in\n%s", want, n, &log)
			}
		}
	})
}
