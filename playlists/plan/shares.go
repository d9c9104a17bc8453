package plan

import (
	"fmt"
	"slices"
	"strings"

	"ledcast/playlists"
)

// rotation is a campaign's messages in turn.
type rotation struct {
	bound
	entries []*entry
	prefix  []int64 // seconds of the first i messages
}

// s is how long n slots take.
func (r *rotation) s(n int64) int64 {
	m := int64(len(r.entries))
	return n/m*r.prefix[m] + r.prefix[n%m]
}

// fit is how many slots each campaign gets when the company's items take s
// seconds, and the loop's length: the least numbers for which every share is
// met. A slot less of any of them would be under its share.
func fit(rs []rotation, s int64) (counts []int64, length int64) {
	counts = make([]int64, len(rs))
	for length = s; length <= MaxLoopS; {
		grown := s
		for i := range rs {
			for rs[i].s(counts[i])*100 < rs[i].percent*length {
				counts[i]++
			}
			grown += rs[i].s(counts[i])
		}
		if grown == length {
			return counts, length
		}
		length = grown
	}
	return nil, length
}

// choice is a number of rounds with what becomes of the campaigns.
type choice struct {
	rounds, length int64
	counts         []int64
	over           int64 // hundredths of seconds that campaigns have beyond their shares
	uneven         int64 // campaigns whose messages do not show equally often
	worst          int64 // how often the least shown message of the most uneven one shows
}

// better reports whether c is to be preferred to d, which may be nil: campaigns
// that show their messages equally often, or nearest to it; then less beyond
// the shares.
func (c *choice) better(d *choice) bool {
	switch {
	case d == nil || c.worst != d.worst:
		return d == nil || c.worst > d.worst
	case c.uneven != d.uneven:
		return c.uneven < d.uneven
	}
	return c.over*d.length < d.over*c.length
}

// choose finds how many rounds of s seconds a loop holds: the shortest loop in
// which every campaign shows its messages equally often and all together have
// at most a hundredth of the face beyond their shares, since one slot is much
// of a short loop; where there is none, the best choice.
func choose(rs []rotation, s int64) (rounds int64, counts []int64, err error) {
	var best *choice
	var last []int64
	for k := int64(1); k*s <= MaxLoopS; k++ {
		counts, length := fit(rs, k*s)
		if counts == nil {
			break
		}
		last = counts
		c := &choice{rounds: k, length: length, counts: counts, worst: MaxLoopS}
		all := true
		for i := range rs {
			m := int64(len(rs[i].entries))
			all = all && counts[i] >= m
			c.over += rs[i].s(counts[i])*100 - rs[i].percent*length
			if counts[i]%m != 0 {
				c.uneven++
				c.worst = min(c.worst, counts[i]/m)
			}
		}
		if !all {
			continue
		}
		if c.uneven == 0 && c.over <= length {
			return k, counts, nil
		}
		if c.better(best) {
			best = c
		}
	}
	if best != nil {
		return best.rounds, best.counts, nil
	}
	if last == nil {
		_, n := fit(rs, s)
		return 0, nil, &playlists.Error{Code: playlists.TooLarge, Field: "campaigns/" + rs[0].campaign.ID + ".share_percent",
			Value: fmt.Sprint(rs[0].percent),
			Key:   "share-needs-longer-loop", Args: []any{n, s, MaxLoopS}}
	}
	for i := range rs {
		if m := int64(len(rs[i].entries)); last[i] < m {
			return 0, nil, &playlists.Error{Code: playlists.TooLarge, Field: "campaigns/" + rs[i].campaign.ID + ".messages",
				Key: "campaign-messages-too-long", Args: []any{m, rs[i].prefix[m], rs[i].percent, MaxLoopS, last[i]}}
		}
	}
	// each fits some loop, and none fits them all
	return 0, nil, &playlists.Error{Code: playlists.TooLarge, Field: "campaigns/" + rs[0].campaign.ID + ".messages",
		Key: "campaigns-over-loop", Args: []any{len(rs) - 1, MaxLoopS}}
}

// full is a loop of campaigns alone: together they have the whole face. Each
// gets its share exactly; where its messages do not come out, they dwell longer.
func (p *Planner) full(rs []rotation) (*loop, error) {
	g := int64(100)
	for i := range rs {
		g = gcd(g, rs[i].percent)
	}
	for length := 100 / g; length <= MaxLoopS; length += 100 / g {
		counts := make([]int64, len(rs))
		ok := true
		for i := range rs {
			m := int64(len(rs[i].entries))
			counts[i] = rs[i].percent * length / 100 / rs[i].prefix[m] * m
			ok = ok && counts[i] > 0
		}
		if !ok {
			continue
		}
		for i := range rs {
			r := &rs[i]
			extra := r.percent*length/100 - r.s(counts[i])
			long := make([]*entry, counts[i])
			for k := range long {
				e := r.entries[k%len(r.entries)]
				add := extra / counts[i]
				if int64(k) < extra%counts[i] {
					add++
				}
				long[k] = p.longer(e, e.s+add)
			}
			r.entries, r.prefix = long, []int64{0}
			for k, e := range long {
				r.prefix = append(r.prefix, r.prefix[k]+e.s)
			}
		}
		return merge(nil, rs, counts), nil
	}
	var names []string
	for i := range rs {
		names = append(names, fmt.Sprintf("%s with %d %% and %d s of messages", rs[i].campaign.ID, rs[i].percent,
			rs[i].prefix[len(rs[i].entries)]))
	}
	return nil, &playlists.Error{Code: playlists.TooLarge, Field: "campaigns/" + rs[0].campaign.ID + ".messages",
		Key: "full-loop-too-long", Args: []any{MaxLoopS, strings.Join(names, ", ")}}
}

// longer is the entry with s seconds; the same arguments give the same entry.
func (p *Planner) longer(e *entry, s int64) *entry {
	if s == e.s {
		return e
	}
	k := longKey{e, s}
	if l := p.long[k]; l != nil {
		return l
	}
	l := *e
	l.s, l.steps = s, stretchTo(e.art.Steps, s*1000, e.class)
	p.long[k] = &l
	return &l
}

type longKey struct {
	entry *entry
	s     int64
}

// merge places the slots of each campaign evenly in time between the company's
// plays; where two fall together, campaigns come first, in their order.
func merge(company []*entry, rs []rotation, counts []int64) *loop {
	type place struct {
		e        *entry
		num, den int64 // position num/den of the loop
		rank     int
	}
	var all []place
	var shares []slots
	n := int64(len(rs))
	for i := range rs {
		r := &rs[i]
		for j := range counts[i] {
			all = append(all, place{r.entries[j%int64(len(r.entries))], j*2*n + 2*int64(i) + 1, 2 * n * counts[i], i})
		}
		shares = append(shares, slots{r.bound, counts[i], r.s(counts[i])})
	}
	var total, at int64
	for _, e := range company {
		total += e.s
	}
	for _, e := range company {
		all = append(all, place{e, 2*at + e.s, 2 * total, len(rs)})
		at += e.s
	}
	slices.SortStableFunc(all, func(a, b place) int {
		x, y := a.num*b.den, b.num*a.den
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return a.rank - b.rank
	})
	places := make([]*entry, len(all))
	for i := range all {
		places[i] = all[i].e
	}
	return newLoop(separate(places, (*entry).same), shares)
}

func newLoop(places []*entry, shares []slots) *loop {
	l := &loop{places: places, shares: shares, least: places[0].s}
	for _, e := range places {
		l.s += e.s
		l.least = min(l.least, e.s)
	}
	return l
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
