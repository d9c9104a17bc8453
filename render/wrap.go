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

// cell is the best way to place all words before one, with so many lines on
// the last page.
type cell struct {
	cost int64
	from int32 // the line's first word
	k    int32 // lines on the page before this line; below 0 a new page, -1 minus the lines on the last
	ok   bool
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
	if whole := (span{0, n}); r.oneLine(whole, maxU) {
		return [][]span{{whole}}, false
	}
	if need := (n + 1) * lines; cap(r.cells) < need {
		r.cells = make([]cell, need)
	} else {
		r.cells = r.cells[:need]
		clear(r.cells)
	}
	for i := range n {
		if i == 0 || anyOK(r.cells[i*lines:(i+1)*lines]) {
			r.linesFrom(i, lines, maxU)
		}
	}
	k, ok := 0, false
	for q, c := range r.cells[n*lines:] {
		if c.ok && (!ok || c.cost < r.cells[n*lines+k].cost) {
			k, ok = q, true
		}
	}
	if !ok {
		return nil, false
	}
	return r.trace(k, lines)
}

// oneLine reports whether all words go on one line: then they do.
func (r *run) oneLine(s span, maxU int32) bool {
	for i := s.from; i < s.to-1; i++ {
		if r.words[i].after == afterHard {
			return false
		}
	}
	b := r.inkOf(s)
	return b.x1-b.x0 <= maxU
}

func anyOK(cells []cell) bool {
	for i := range cells {
		if cells[i].ok {
			return true
		}
	}
	return false
}

// linesFrom tries every line that begins with word i.
func (r *run) linesFrom(i, lines int, maxU int32) {
	n := len(r.words)
	var pen int32
	ink := nothing
	for j := i; j < n; j++ {
		ink.add(r.ink[j], pen)
		if ink.x1-ink.x0 > maxU {
			return
		}
		pen += r.step(j)
		end := r.words[j].after
		if j == n-1 {
			end = afterHard
		}
		lineCost, _, ok := endCost(end)
		if !ok {
			continue
		}
		slack := int64(maxU-(ink.x1-ink.x0)) * 1000 / int64(maxU)
		cost := costLine + slack*slack/1000 + lineCost
		if j == i && r.words[i].short && n > 1 {
			cost += costOrphan
		}
		to := r.cells[(j+1)*lines : (j+2)*lines]
		if i == 0 {
			to[0].improve(cell{cost: cost + costPage, from: 0, k: -1, ok: true})
		}
		for k := 0; i > 0 && k < lines; k++ {
			p := &r.cells[i*lines+k]
			if !p.ok {
				continue
			}
			if k+1 < lines {
				to[k+1].improve(cell{cost: p.cost + cost, from: int32(i), k: int32(k), ok: true})
			}
			_, pageCost, _ := endCost(r.words[i-1].after)
			to[0].improve(cell{cost: p.cost + cost + pageCost + costPage, from: int32(i), k: -1 - int32(k), ok: true})
		}
		if end == afterHard {
			return
		}
	}
}

func (c *cell) improve(by cell) {
	if !c.ok || by.cost < c.cost {
		*c = by
	}
}

// trace reads the lines back from the last cell.
func (r *run) trace(k, lines int) (pages [][]span, rough bool) {
	n := len(r.words)
	total, count := 0, 0
	for i, q := n, k; i > 0; total++ {
		c := &r.cells[i*lines+q]
		if q = int(c.k); q < 0 {
			q = -1 - q
			count++
		}
		i = int(c.from)
	}
	spans := make([]span, total)
	pages = make([][]span, count)
	end := total
	for i, at := n, total-1; i > 0; at-- {
		c := &r.cells[i*lines+k]
		spans[at] = span{int(c.from), i}
		rough = rough || i < n && r.words[i-1].after == afterInside || n > 1 && i-int(c.from) == 1 && r.words[i-1].short
		i = int(c.from)
		if k = int(c.k); k < 0 {
			k = -1 - k
			count--
			pages[count] = spans[at:end:end]
			end = at
		}
	}
	return pages, rough
}
