package render

// role is what a part of a card is for.
type role uint8

const (
	roleTitle role = iota
	roleBody
	roleAddress
	roleCaption
)

// block is one part of a card: its words, measured in each family that has
// all their letters.
type block struct {
	role  role
	words []word
	runs  map[*family]*run
}

func (f *fonts) block(ro role, words []word) *block {
	b := &block{role: ro, words: words, runs: map[*family]*run{}}
	for _, fam := range f.families() {
		all := true
		for _, w := range words {
			if _, ok := fam.has(w.s); !ok {
				all = false
				break
			}
		}
		if all {
			b.runs[fam] = fam.measure(words)
		}
	}
	return b
}

// zone is a rectangle of the face.
type zone struct{ x, y, w, h int }

// set is lines of one block at one size, as they stand on one page.
type set struct {
	role  role
	run   *run
	px    int
	spans []span
	rough bool // a line ends where it should not
}

func (s *set) cap() int { return (s.run.fam.cap*s.px + s.run.fam.units/2) / s.run.fam.units }

// gap is the least dark between the ink of two lines.
func (s *set) gap() int { return max(1, s.px/10) }

// top and bottom are how far the first line's ink rises above its baseline
// and the last line's falls below its own.
func (s *set) top() int    { return -s.run.px(s.run.inkOf(s.spans[0]).y0, s.px) }
func (s *set) bottom() int { return max(0, s.run.px(s.run.inkOf(s.spans[len(s.spans)-1]).y1, s.px)) }

// pitch is the distance of baselines: enough for the marks of each line under
// the tails of the one above, and the same for all lines.
func (s *set) pitch() int {
	p := s.cap() * 7 / 5
	for i := 1; i < len(s.spans); i++ {
		p = max(p, s.run.between(s.spans[i-1], s.spans[i], s.px)+s.gap())
	}
	return p
}

// height is the ink from the first line's top to the last one's bottom.
func (s *set) height() int { return s.top() + (len(s.spans)-1)*s.pitch() + s.bottom() }

// width is the widest line's ink.
func (s *set) width() int {
	w := 0
	for _, sp := range s.spans {
		b := s.run.inkOf(sp)
		w = max(w, s.run.px(b.x1-b.x0, s.px))
	}
	return w
}

// between is the least distance of the baselines of two centred lines at which
// no ink of b touches ink of a. Only letters that stand over one another
// count: a tail beside a stacked mark needs no room of its own.
func (r *run) between(a, b span, em int) int {
	ia, ib := r.inkOf(a), r.inkOf(b)
	// Both lines are centred by their ink, so their middles are at one place.
	shift := (ia.x0 + ia.x1 - ib.x0 - ib.x1) / 2
	near := int32(r.fam.units / em) // one pixel
	var need int32 = -1 << 30
	la, lb := r.letters(a, 0), r.letters(b, shift)
	j0 := 0
	for _, p := range la {
		for j0 < len(lb) && lb[j0].x1+near < p.x0 {
			j0++
		}
		for j := j0; j < len(lb) && lb[j].x0-near <= p.x1; j++ {
			need = max(need, p.y1-lb[j].y0)
		}
	}
	if need < 0 {
		return 0
	}
	return r.px(need, em)
}

// letters are the ink boxes of a line's letters, moved right by dx.
func (r *run) letters(s span, dx int32) []box {
	out := make([]box, 0, 48)
	pen := dx
	for i := s.from; i < s.to; i++ {
		ids := r.ids[i]
		p := pen
		for k, id := range ids {
			if k > 0 {
				p += r.fam.kernUnits(ids[k-1], id)
			}
			g := r.fam.box[id]
			out = append(out, box{p + g.x0, g.y0, p + g.x1, g.y1})
			p += r.fam.adv[id]
		}
		pen += r.wide[i]
		if r.words[i].spaced {
			pen += r.space
		}
	}
	return out
}

// pages wraps a block at a size into pages that fit w x h, with as many lines
// a page as go, at most lines. nil: it does not fit at this size.
func (b *block) pages(fam *family, px, w, h, lines int) []*set {
	r := b.runs[fam]
	if r == nil {
		return nil
	}
	var best []*set
	for n := lines; n >= 1; n-- {
		pp, rough := r.wrap(px, w, n)
		if pp == nil {
			return best
		}
		if best != nil && len(pp) >= len(best) {
			break
		}
		out := make([]*set, 0, len(pp))
		ok := true
		longest := 0
		for _, spans := range pp {
			s := &set{role: b.role, run: r, px: px, spans: spans, rough: rough}
			out = append(out, s)
			longest = max(longest, len(spans))
			if s.height() > h {
				ok = false
			}
		}
		if ok {
			best = out
		}
		if n > longest {
			n = longest // fewer lines than allowed: the same pages would come again
		}
	}
	return best
}

// largest searches the family's sizes of at least floor pixels cap height for
// the largest that ok accepts. What fits at a size fits at every smaller one,
// nearly always, so the search halves.
func (f *family) largest(floor int, ok func(px int) bool) int {
	s := f.sizes()
	lo := 0
	for lo < len(s) && (f.cap*s[lo]+f.units/2)/f.units < floor {
		lo++
	}
	if lo == len(s) || !ok(s[lo]) {
		return 0
	}
	// Grow in leaps first: most texts end within a few steps of the floor.
	good, bad, step := lo, len(s), 1
	for good+step < len(s) {
		if !ok(s[good+step]) {
			bad = good + step
			break
		}
		good += step
		step *= 2
	}
	for bad-good > 1 {
		mid := (good + bad) / 2
		if ok(s[mid]) {
			good = mid
		} else {
			bad = mid
		}
	}
	return s[good]
}
