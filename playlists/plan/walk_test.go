package plan

import (
	"testing"

	"ledcast/playlists/timeline"
)

// checkSegments checks that segments cover from to until without a gap, and that
// each starts and ends where an item ends.
func checkSegments(t *testing.T, g *timeline.Program, from, until int64) {
	t.Helper()
	if g.Segments[0].From > from || g.Segments[len(g.Segments)-1].Until < until {
		t.Errorf("segments cover %d to %d, asked for %d to %d", g.Segments[0].From, g.Segments[len(g.Segments)-1].Until,
			from, until)
	}
	for i, s := range g.Segments {
		if i > 0 && s.From != g.Segments[i-1].Until {
			t.Errorf("segment %d begins at %d, the one before ends at %d", i, s.From, g.Segments[i-1].Until)
		}
		if s.Loop == timeline.Dark {
			continue
		}
		length := g.LoopLength(s.Loop) / 1000
		for _, at := range []int64{s.From, s.Until} {
			pos, ok := (at-g.Loops[s.Loop].Anchor)%length, false
			var sum int64
			for _, k := range g.Loops[s.Loop].Order {
				ok = ok || sum == pos
				sum += timeline.Length(g.Items[k].Steps) / 1000
			}
			if !ok {
				t.Errorf("segment %d (%s) cuts an item at %d", i, s.Why, at)
			}
		}
	}
}
