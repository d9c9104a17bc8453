package report

import (
	"cmp"
	"context"
	"slices"

	"ledcast/playlists"
)

// edgeMS is how far a record may cross the edge of a range. Signs close their records by timers, which can be late.
const edgeMS = 1000

// middle returns the middle of a record, which decides for which day the record counts. Signs close their records
// every quarter of an hour, and so at every midnight. Except for the delay of a timer, a record lies in one day. A
// record that was not closed at midnight counts for the day that contains most of it, because it does not tell
// which plays were before midnight.
func middle(r *playlists.PlayRecord) int64 { return r.FromMS + (r.UntilMS-r.FromMS)/2 }

// within reports whether a record counts for a range and does not cross its edges by more than edgeMS.
func within(r *playlists.PlayRecord, fromMS, untilMS int64) bool {
	at := middle(r)
	return at >= fromMS && at < untilMS && r.FromMS >= fromMS-edgeMS && r.UntilMS <= untilMS+edgeMS
}

// Straddler is a record that lies only partly in a range. It is unknown which of its plays are in the range, so
// none is counted, and the report lists the record.
type Straddler struct {
	Sign    string `json:"sign"`
	FromMS  int64  `json:"from_ms"`
	UntilMS int64  `json:"until_ms"`
}

// records calls do for each record of the sign in the range of a query. It returns the time that the records cover,
// and the records that lie only partly in the range.
func (s *sign) records(ctx context.Context, b Book, q Query, do func(*playlists.PlayRecord)) (*cover, []Straddler,
	error) {
	c := &cover{}
	var out []Straddler
	from, until := q.From*1000, q.Until*1000
	err := b.Records(ctx, s.id, from, until, func(r *playlists.PlayRecord) error {
		if within(r, from, until) {
			c.add(r)
			do(r)
		} else if min(r.UntilMS, until)-max(r.FromMS, from) > edgeMS {
			out = append(out, Straddler{s.id, r.FromMS, r.UntilMS})
		}
		return nil
	})
	c.join()
	return c, out, err
}

// cover is the time that a sign's records cover. A sign records darkness as a play, so the plays of a record
// normally add up to its length, and all of its time is proven. They add up to less if the output failed, if the
// power was cut, or if another vendor's sign does not record darkness. Then only the sum is proven, and it is
// unknown when in the record it was.
type cover struct {
	whole []Span // sorted and disjoint
	part  []Span // only ProvenMS of each is proven
}

func (c *cover) add(r *playlists.PlayRecord) {
	var ms int64
	for i := range r.Plays {
		ms += r.Plays[i].MS
	}
	if x := (Span{FromMS: r.FromMS, UntilMS: r.UntilMS}); ms >= x.UntilMS-x.FromMS {
		c.whole = append(c.whole, x)
	} else if ms > 0 {
		x.ProvenMS = ms
		c.part = append(c.part, x)
	}
}

// join merges spans that touch or overlap. Records overlap if a sign's clock was set back or the sign was installed
// again.
func (c *cover) join() { c.whole = joined(c.whole) }

func joined(spans []Span) []Span {
	slices.SortFunc(spans, func(a, b Span) int { return cmp.Compare(a.FromMS, b.FromMS) })
	out := spans[:0]
	for _, x := range spans {
		if n := len(out); n > 0 && x.FromMS <= out[n-1].UntilMS {
			out[n-1].UntilMS = max(out[n-1].UntilMS, x.UntilMS)
			continue
		}
		out = append(out, x)
	}
	return out
}

// within returns how much of a span is covered, and the parts that are not covered or only partly covered.
func (c *cover) within(from, until int64) (ms int64, missing []Span) {
	at := from
	gap := func(a, b int64) {
		if b <= a {
			return
		}
		g := Span{FromMS: a, UntilMS: b}
		for _, x := range c.part {
			// This is the least of the span's proven time that can be in the gap.
			if part := min(x.UntilMS, b) - max(x.FromMS, a); part > 0 {
				g.ProvenMS += max(0, x.ProvenMS-(x.UntilMS-x.FromMS-part))
			}
		}
		g.ProvenMS = min(g.ProvenMS, b-a)
		ms += g.ProvenMS
		missing = append(missing, g)
	}
	i, _ := slices.BinarySearchFunc(c.whole, from, func(x Span, t int64) int { return cmp.Compare(x.UntilMS, t) })
	for ; i < len(c.whole) && c.whole[i].FromMS < until; i++ {
		a, b := max(c.whole[i].FromMS, at), min(c.whole[i].UntilMS, until)
		if b <= a {
			continue
		}
		gap(at, a)
		ms += b - a
		at = b
	}
	gap(at, until)
	return ms, missing
}

// overlap returns how much of a span is covered by disjoint spans.
func overlap(spans []Span, from, until int64) int64 {
	var n int64
	for _, x := range spans {
		n += max(0, min(x.UntilMS, until)-max(x.FromMS, from))
	}
	return n
}
