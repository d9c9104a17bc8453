package render

// Costs of a layout, in thousandths. Slack is what a line leaves empty; the
// rest are how much worse a reader finds a line end than a ragged edge.
const (
	costPage      = 1 << 40 // fewer pages before everything else
	costLine      = 60
	costSpace     = 90   // a line ends between words, not at a stop
	costInside    = 700  // a line ends inside a word of several syllables
	costOrphan    = 1500 // one syllable alone on a line
	costPageSpace = 400  // a page ends in mid-sentence
	costPageIn    = 4000
)

// endCost is what a line end after a word costs, and what a page end costs on
// top. ok is false where there is none.
func endCost(a after) (line, page int64, ok bool) {
	switch a {
	case afterGlued:
		return 0, 0, false
	case afterInside:
		return costInside, costPageIn, true
	case afterSpace:
		return costSpace, costPageSpace, true
	case afterClause:
		return 0, costPageSpace / 4, true
	}
	return 0, 0, true
}

// wrap breaks the run into pages of at most lines lines, each at most w pixels
// wide at the em px, with the fewest pages and then the best line ends. It
// returns nil where a word is wider than w. rough says that a line ends inside
// a word of several syllables or holds one syllable alone.
func (r *run) wrap(px, w, lines int) (pages [][]span, rough bool) {
	n := len(r.words)
	if n == 0 || lines < 1 || w < 1 {
		return nil, false
	}
	maxU := int32(min(int64(w)*int64(r.fam.units)/int64(px), 1<<30))
	// best[i*lines+k]: words before i are placed and the last page has k+1 lines.
	type cell struct {
		cost int64
		from int32 // the line's first word
		k    int32 // lines on the page before this line; -1: a new page
		ok   bool
	}
	best := make([]cell, (n+1)*lines)
	for i := range n { // a line from word i
		if i > 0 {
			some := false
			for k := range lines {
				some = some || best[i*lines+k].ok
			}
			if !some {
				continue
			}
		}
		var pen int32
		b := box{x0: 1 << 30, x1: -1 << 30}
		for j := i; j < n; j++ {
			b.x0, b.x1 = min(b.x0, pen+r.ink[j].x0), max(b.x1, pen+r.ink[j].x1)
			if b.x1-b.x0 > maxU {
				break
			}
			pen += r.wide[j]
			if r.words[j].spaced {
				pen += r.space
			}
			end := r.words[j].after
			if j == n-1 {
				end = afterHard
			}
			lineCost, _, ok := endCost(end)
			if !ok {
				continue
			}
			slack := int64(maxU-(b.x1-b.x0)) * 1000 / int64(maxU)
			cost := costLine + slack*slack/1000 + lineCost
			if j == i && r.words[i].short && n > 1 {
				cost += costOrphan
			}
			put := func(k int, c cell) {
				if t := &best[(j+1)*lines+k]; !t.ok || c.cost < t.cost {
					*t = c
				}
			}
			if i == 0 {
				put(0, cell{cost: cost + costPage, from: 0, k: -1, ok: true})
			}
			for k := 0; i > 0 && k < lines; k++ {
				p := best[i*lines+k]
				if !p.ok {
					continue
				}
				if k+1 < lines {
					put(k+1, cell{cost: p.cost + cost, from: int32(i), k: int32(k), ok: true})
				}
				_, pageCost, _ := endCost(r.words[i-1].after)
				put(0, cell{cost: p.cost + cost + pageCost + costPage, from: int32(i), k: -1 - int32(k), ok: true})
			}
			if end == afterHard {
				break
			}
		}
	}
	k, ok := 0, false
	for q := range lines {
		if c := best[n*lines+q]; c.ok && (!ok || c.cost < best[n*lines+k].cost) {
			k, ok = q, true
		}
	}
	if !ok {
		return nil, false
	}
	page := []span{}
	for i := n; i > 0; {
		c := best[i*lines+k]
		rough = rough || i < n && r.words[i-1].after == afterInside || n > 1 && i-int(c.from) == 1 && r.words[i-1].short
		page = append([]span{{int(c.from), i}}, page...)
		i = int(c.from)
		if c.k < 0 {
			pages = append([][]span{page}, pages...)
			page = []span{}
			k = int(-1 - c.k)
		} else {
			k = int(c.k)
		}
	}
	return pages, rough
}
