package render

// role is what a part of a card is for.
type role uint8

const (
	roleTitle role = iota
	roleBody
	roleAddress
	roleCaption
)

// block is one part of a card: its words, measured in a family when it is
// first tried.
type block struct {
	role  role
	words []word
	runs  map[*family]*run // nil values: the family lacks a letter
}

// in is the block measured in a family; nil if the family lacks a letter.
func (b *block) in(f *family) *run {
	r, ok := b.runs[f]
	if ok {
		return r
	}
	for _, w := range b.words {
		if _, has := f.has(w.s); !has {
			b.runs[f] = nil
			return nil
		}
	}
	r = f.measure(b.words)
	b.runs[f] = r
	return r
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

func (s *set) cap() int { return s.run.fam.capAt(s.px) }

// gap is the least dark between the ink of two lines: with less, a reader
// takes a mark for a part of the line above.
func (s *set) gap() int { return max(1, (s.px-6)/7) }

// top and bottom are how far the first line's ink rises above its baseline
// and the last line's falls below its own.
func (s *set) top() int    { return -s.run.px(s.run.inkOf(s.spans[0]).y0, s.px) }
func (s *set) bottom() int { return max(0, s.run.px(s.run.inkOf(s.spans[len(s.spans)-1]).y1, s.px)) }

// pitch is the distance of baselines: enough for the marks of each line under
// the tails of the one above, and the same for all lines.
func (s *set) pitch() int {
	p := s.cap() * 7 / 5
	gap := s.gap()
	for i := 1; i < len(s.spans); i++ {
		a, b := s.spans[i-1], s.spans[i]
		if s.run.px(s.run.inkOf(a).y1-s.run.inkOf(b).y0, s.px)+gap <= p {
			continue // even if they all stood over one another
		}
		p = max(p, s.run.between(a, b, s.px)+gap)
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

// pages wraps a block at a size into pages that fit w x h, with as many lines
// a page as go, at most lines. nil: it does not fit at this size.
func (b *block) pages(fam *family, px, w, h, lines int) []*set {
	r := b.in(fam)
	if r == nil {
		return nil
	}
	var best []*set
	for n := lines; n >= 1; n-- {
		pp, rough := r.wrap(px, w, n)
		if pp == nil || best != nil && len(pp) >= len(best) {
			break
		}
		sets := make([]set, len(pp))
		out := make([]*set, len(pp))
		ok := true
		longest := 0
		for i, spans := range pp {
			sets[i] = set{role: b.role, run: r, px: px, spans: spans, rough: rough}
			out[i] = &sets[i]
			longest = max(longest, len(spans))
			ok = ok && out[i].height() <= h
		}
		if ok {
			best = out
		}
		n = min(n, longest) // fewer lines than allowed: the same pages would come again
	}
	return best
}

// largest searches the family's sizes of at least floor pixels cap height for
// the largest that ok accepts. What fits at a size fits at every smaller one,
// nearly always, so the search halves.
func (f *family) largest(floor int, ok func(px int) bool) int {
	s := f.sizes()
	lo := 0
	for lo < len(s) && f.capAt(s[lo]) < floor*f.leeway/100 {
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
