package plan

import (
	"fmt"
	"slices"

	"ledcast/playlists"
)

// rotation is the repeating sequence of a campaign's messages.
type rotation struct {
	bound
	entries []*entry
	prefix  []int64 // seconds of the first i messages
}

// s returns the duration of n slots in seconds.
func (r *rotation) s(n int64) int64 {
	m := int64(len(r.entries))
	return n/m*r.prefix[m] + r.prefix[n%m]
}

// fit returns the least numbers of slots that give every campaign its share if
// the company's items take s seconds, and the length of the loop.
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

// choice is a number of company rounds with the resulting slots of campaigns.
type choice struct {
	rounds, length int64
	counts         []int64
	over           int64 // hundredths of seconds that campaigns get beyond their shares
	uneven         int64 // number of campaigns whose messages do not show equally often
	worst          int64 // fewest plays of a message of these campaigns
}

// better reports whether c is better than d, which may be nil: it shows the
// messages of campaigns more equally often, or exceeds the shares by less.
func (c *choice) better(d *choice) bool {
	switch {
	case d == nil || c.worst != d.worst:
		return d == nil || c.worst > d.worst
	case c.uneven != d.uneven:
		return c.uneven < d.uneven
	}
	return c.over*d.length < d.over*c.length
}

// choose returns how many rounds of s seconds a loop has. It takes the shortest
// loop in which every campaign shows its messages equally often and campaigns
// exceed their shares by at most 1 % in total. One slot is a large part of a short
// loop. If there is no such loop, it takes the best one.
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
	// each campaign fits some loop, but no loop fits them all
	return 0, nil, &playlists.Error{Code: playlists.TooLarge, Field: "campaigns/" + rs[0].campaign.ID + ".messages",
		Key: "campaigns-over-loop", Args: []any{len(rs) - 1, MaxLoopS}}
}

// full returns a loop for campaigns that have the whole face together. Each gets
// exactly its share; its messages are stretched to fill it.
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
	var full []playlists.Phrase
	for i := range rs {
		full = append(full, playlists.Phrase{Key: "campaign-with-share",
			Args: []any{rs[i].campaign.ID, rs[i].percent, rs[i].prefix[len(rs[i].entries)]}})
	}
	return nil, &playlists.Error{Code: playlists.TooLarge, Field: "campaigns/" + rs[0].campaign.ID + ".messages",
		Key: "full-loop-too-long", Args: []any{MaxLoopS, full}}
}

// longer returns the entry stretched to s seconds. The same arguments return the
// same *entry.
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

// merge distributes the slots of each campaign evenly in time between the
// company's plays. At equal positions campaigns come first, in their order.
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
