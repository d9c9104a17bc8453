package listen

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"
)

// What a sign's clock says is told of each online status that arrives, and of none that the broker had already.
func TestClockIsHeard(t *testing.T) {
	var got []string
	l := New(time.Now, slog.New(slog.DiscardHandler), Events{Clock: func(sign string, atMS int64, trusted bool) {
		got = append(got, fmt.Sprint(sign, " ", atMS, " ", trusted))
	}})
	for i, x := range []struct {
		state, clock string
		retained     bool
	}{{"online", "trusted", true}, {"online", "trusted", false}, {"online", "untrusted", false}, {"offline", "", false}} {
		l.Message("led/v1/signs/a/status", fmt.Appendf(nil, `{"v":1,"state":%q,"session":"s","at_ms":%d,"clock":%q}`,
			x.state, 1000+i, x.clock), x.retained)
	}
	if want := []string{"a 1001 true", "a 1002 false"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
