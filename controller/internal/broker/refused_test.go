package broker

import (
	"fmt"
	"testing"
	"time"
)

// A sign with a wrong password is logged once in ten minutes, and a stranger who tries names fills no log.
func TestRefusalsAreLoggedRarely(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	r := &refusals{now: func() time.Time { return now }, last: map[[2]string]time.Time{}}
	lines := 0
	for range 3600 {
		if r.worth("qn-001", "wrong password") {
			lines++
		}
		now = now.Add(time.Second)
	}
	if lines != 6 {
		t.Errorf("%d lines in an hour", lines)
	}
	if !r.worth("qn-001", "another reason") {
		t.Error("another reason is not logged")
	}
	lines = 0
	for i := range 6000 {
		if r.worth(fmt.Sprint("guess-", i), "wrong password") {
			lines++
		}
		now = now.Add(100 * time.Millisecond)
	}
	if lines > 11*refusedMost || len(r.last) > 11*refusedMost {
		t.Errorf("%d lines and %d names kept of 6,000 guesses in ten minutes", lines, len(r.last))
	}
}
