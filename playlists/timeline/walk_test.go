package timeline

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// walk writes a walk down: what shows, from when until when, in s after t0.
func walk(p *Program, alerts []Alert, from, until int64) (out []string) {
	c := conditions((t0 + until) * 1000)
	for s := range Walk(p, alerts, c, (t0+from)*1000, (t0+until)*1000) {
		out = append(out, fmt.Sprintf("%s%s %d-%d", s.Why[:1], s.Item, s.FromMS/1000-t0, s.UntilMS/1000-t0))
	}
	return out
}

func TestWalk(t *testing.T) {
	storm := alert("storm", 1, t0+9, t0+14)
	storm.ExclusiveS = 5
	for _, c := range []struct {
		what        string
		p           *Program
		alerts      []Alert
		from, until int64
		want        []string
	}{
		{"items in turn", fixture(), nil, 0, 24, []string{"pa 0-8", "pb 8-12", "pa 12-20", "pb 20-24"}},
		{"it begins and ends within an item", fixture(), nil, 3, 9, []string{"pa 3-8", "pb 8-9"}},
		{"a segment's end", fixture(), nil, 3596, 3605, []string{"pb 3596-3600", "fc 3600-3605"}},
		{"into the dark", fixture(), nil, 7195, 7300, []string{"fc 7195-7200", "d 7200-7300"}},
		{"an alert", fixture(), []Alert{storm}, 0, 20, []string{"pa 0-8", "pb 8-9", "astorm 9-14", "pa 14-20"}},
		{"no program", nil, nil, 0, 20, []string{"d 0-20"}},
		{"no time", fixture(), nil, 5, 5, nil},
		{"less than none", fixture(), nil, 5, 4, nil},
	} {
		if got := walk(c.p, c.alerts, c.from, c.until); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
	for range Walk(fixture(), nil, conditions(t0*1000), t0*1000, (t0+100)*1000) {
		break // it may be left early
	}
}

// The spans of a walk leave no gap, and At says the same anywhere within them.
func TestWalkIsAt(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for round := range 100 {
		p := fixture()
		p.Brightness = []Brightness{{From: t0 + r.Int64N(60), Until: t0 + 100, Percent: 40}}
		a := alert("x", 1, t0+r.Int64N(60), t0+60+r.Int64N(60))
		a.ExclusiveS, a.ShareMS, a.CycleMS = r.Int64N(40), 6000*r.Int64N(3), 1+r.Int64N(60000)
		from, until := t0*1000+r.Int64N(5000), (t0+120)*1000-r.Int64N(5000)
		c := conditions(until)
		at := from
		for s := range Walk(p, []Alert{a}, c, from, until) {
			if s.FromMS != at || s.UntilMS <= s.FromMS {
				t.Fatalf("round %d: a span from %d until %d after %d", round, s.FromMS, s.UntilMS, at)
			}
			at = s.UntilMS
			then := s.FromMS + r.Int64N(s.UntilMS-s.FromMS)
			if x := At(p, []Alert{a}, c, then); x.Why != s.Why || x.Item != s.Item || x.Step != s.Step ||
				x.Percent != s.Percent {
				t.Fatalf("round %d: at %d %s %s, in a span of %s %s", round, then, x.Why, x.Item, s.Why, s.Item)
			}
		}
		if at != until {
			t.Fatalf("round %d: it ends at %d instead of %d", round, at, until)
		}
	}
}
