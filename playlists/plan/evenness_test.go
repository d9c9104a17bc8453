package plan

import (
	"slices"
	"testing"
)

// Limits for the largest gap minus the even gap, in longest plays for a campaign
// and in plays for an item. A slot waits for the current play and for slots of
// other campaigns, and plays of the same thing are separated.
const (
	mostOver  = 4.0 // in any loop
	usualOver = 2.0 // in 99 of 100 loops
)

// evenness collects largest gap minus even gap from many loops.
type evenness struct{ slots, plays []float64 }

// check checks that slots of a campaign are evenly distributed in time, and plays
// of a company's item evenly among the company's plays, also across the loop's end.
func (v *evenness) check(t *testing.T, n int, l *loop, iv *interval) {
	t.Helper()
	var longest int64
	var company []*entry
	starts := map[string][]int64{} // of each campaign's slots, in seconds
	for i, at := range l.starts()[:len(l.places)] {
		e := l.places[i]
		longest = max(longest, e.s)
		if slices.ContainsFunc(iv.bounds, func(b bound) bool { return b.campaign.ID == e.campaign }) {
			starts[e.campaign] = append(starts[e.campaign], at)
		} else {
			company = append(company, e)
		}
	}
	for id, at := range starts {
		gap, even := widest(at, l.s)
		over := (float64(gap) - even) / float64(longest)
		v.slots = append(v.slots, over)
		if over > mostOver {
			t.Errorf("%d: %d slots of %s in %d s are up to %d s apart, with plays of at most %d s", n, len(at), id, l.s, gap,
				longest)
		}
	}
	if iv.dated == nil {
		return
	}
	for _, i := range iv.items.index {
		it := iv.dated.list.playlist.Items[i]
		if !sole(iv.dated.list.playlist, it.Message) {
			continue
		}
		var at []int64
		for k, e := range company {
			if e.message.ID == it.Message {
				at = append(at, int64(k))
			}
		}
		if len(at) == 0 {
			continue
		}
		gap, even := widest(at, int64(len(company)))
		v.plays = append(v.plays, float64(gap)-even)
		if float64(gap)-even > mostOver {
			t.Errorf("%d: %d plays of %s among %d are up to %d apart", n, len(at), it.Message, len(company), gap)
		}
	}
}

// widest returns the largest gap between places of a ring, and the even gap.
func widest(at []int64, ring int64) (gap int64, even float64) {
	gap = at[0] + ring - at[len(at)-1]
	for i := range at[1:] {
		gap = max(gap, at[i+1]-at[i])
	}
	return gap, float64(ring) / float64(len(at))
}

// usual checks that 99 of 100 gaps are within usualOver.
func (v *evenness) usual(t *testing.T) {
	t.Helper()
	for what, all := range map[string][]float64{"slots": v.slots, "plays": v.plays} {
		slices.Sort(all)
		most := all[len(all)*99/100]
		t.Logf("gaps between %s of %d campaigns or items: 99 of 100 are at most %.2f over the even one, all at most %.2f",
			what, len(all), most, all[len(all)-1])
		if len(all) < 5000 || most > usualOver {
			t.Errorf("99 of 100 gaps between %s are up to %.2f over the even one, want at most %.2f (%d measured)", what, most,
				usualOver, len(all))
		}
	}
}
