package box

import "testing"

// Three connections that the other side ends soon after they stood, within five minutes, are a fault; a broker that
// restarts, and connections that stood for long, are none.
func TestTakeover(t *testing.T) {
	const s = 1000
	type loss struct{ up, down int64 } // seconds
	for name, c := range map[string]struct {
		losses []loss
		at     int64
		fault  bool
	}{
		"two boxes":            {[]loss{{0, 2}, {5, 9}, {20, 21}}, 60, true},
		"twice":                {[]loss{{0, 2}, {5, 9}}, 60, false},
		"long connections":     {[]loss{{0, 31}, {40, 80}, {90, 130}, {140, 200}}, 210, false},
		"five minutes later":   {[]loss{{0, 2}, {5, 9}, {20, 21}}, 5*60 + 10, false},
		"spread over an hour":  {[]loss{{0, 2}, {1200, 1202}, {2400, 2402}}, 2410, false},
		"still, after an hour": {[]loss{{0, 2}, {3600, 3602}, {3650, 3652}, {3700, 3702}}, 3710, true},
	} {
		var x takeover
		for _, l := range c.losses {
			x.connected(l.up * s)
			x.closed(l.down * s)
		}
		if got := x.fault(c.at * s); got != c.fault {
			t.Errorf("%s: fault %t", name, got)
		}
	}
}
