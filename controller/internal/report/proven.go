package report

import (
	"cmp"
	"context"
	"slices"

	"ledcast/playlists"
)

// edgeMS is how far a record may go over the edge of a range: a sign's timer
// is late now and then.
const edgeMS = 1000

// middle is the moment that a record counts for: its middle. Signs close their
// records at the quarters of the hour, in which every midnight is, so a record
// lies in one day, but for some ms of a timer. One of a sign that does otherwise
// counts for the day in which most of it lies: which of its plays were before
// midnight it does not say.
func middle(r *playlists.PlayRecord) int64 { return r.FromMS + (r.UntilMS-r.FromMS)/2 }

// within reports whether a record is of a time and not of what lies beside it.
func within(r *playlists.PlayRecord, fromMS, untilMS int64) bool {
	at := middle(r)
	return at >= fromMS && at < untilMS && r.FromMS >= fromMS-edgeMS && r.UntilMS <= untilMS+edgeMS
}

// Straddler is a record that lies in a range in part. How much of its plays
// does nobody can say, so none of them is counted, and it is named.
type Straddler struct {
	Sign    string `json:"sign"`
	FromMS  int64  `json:"from_ms"`
	UntilMS int64  `json:"until_ms"`
}

// records calls do for each of the sign's records that a query is about, and
// returns what they cover, and those that are of its time only in part.
func (s *sign) records(ctx context.Context, b Book, q Query, do func(*playlists.PlayRecord)) (*cover, []Straddler, error) {
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

// cover is what a sign's records cover. A sign notes a dark face as a play, too,
// so the plays of a record are as long as the record: its whole time is proven.
// One whose plays are shorter proves no more than they add up to, somewhere
// within: an output that took nothing meanwhile, a power cut that the sign could
// not write down apart, a sign of another make that leaves the dark out.
type cover struct {
	whole []Span // sorted, apart from each other
	part  []Span // ProvenMS of each is proven
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

// join makes one of spans that touch or overlap: a sign whose clock was set back,
// or that was set up anew, tells of a moment twice.
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

// within is how much of a time is covered, and what is not, or in part only.
func (c *cover) within(from, until int64) (ms int64, missing []Span) {
	at := from
	gap := func(a, b int64) {
		if b <= a {
			return
		}
		g := Span{FromMS: a, UntilMS: b}
		for _, x := range c.part {
			// At least so much of what it proves lies in the gap.
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

// overlap is how much of a time spans that are apart from each other cover.
func overlap(spans []Span, from, until int64) int64 {
	var n int64
	for _, x := range spans {
		n += max(0, min(x.UntilMS, until)-max(x.FromMS, from))
	}
	return n
}
