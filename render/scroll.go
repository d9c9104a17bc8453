package render

import (
	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// Limits of a strip (docs/protocol.md, Signed documents) and of how fast it may run.
const (
	maxStripPixels = 4 << 20
	maxStripLength = 32767
	maxPages       = 6 // of one language; more is a scroll where scrolling is allowed
)

// strip is a line of text longer than the face, that moves across it.
type strip struct {
	sets   []placed
	length int   // pixels, the lead-in of one face's width included
	pxS    int64 // pixels a second
	ms     int64 // for running through once
}

// scroll lays blocks out as one line that runs across the face from right to
// left, or as several strips where one would be over the limits. It begins
// with a face's width of ground, so that the text runs in and, as the strip
// repeats, out again.
func (l *layouter) scroll(blocks []*block) ([]*strip, error) {
	room := min(maxStripLength, maxStripPixels/l.class.H) - l.class.W
	fam, px := l.scrollSize(blocks, room)
	if fam == nil {
		return nil, l.tooSmall(blocks[0])
	}
	gap := 2 * l.scaled(fam, fam.adv[fam.id[' ']], px)
	var out []*strip
	var cur []*set
	x := 0
	flush := func() {
		if len(cur) > 0 {
			out = append(out, l.strip(cur, gap))
		}
		cur, x = nil, 0
	}
	for _, b := range blocks {
		r := b.in(fam)
		for from := 0; from < len(r.words); {
			to := r.upTo(from, room-x, px)
			if to == from && x > 0 {
				flush()
				continue
			}
			if to == from {
				return nil, l.tooSmall(b)
			}
			s := &set{role: b.role, run: r, px: px, spans: []span{{from, to}}}
			cur = append(cur, s)
			x += s.width() + gap
			if from = to; from < len(r.words) {
				flush()
			}
		}
	}
	flush()
	return out, nil
}

func (l *layouter) scaled(f *family, u int32, px int) int { return int(u) * px / f.units }

// upTo is the end of the longest piece of words from from that is at most w
// pixels wide, rather at the end of a clause; from if not one word fits.
func (r *run) upTo(from, w, px int) int {
	best, clause := from, from
	for to := from + 1; to <= len(r.words); to++ {
		b := r.inkOf(span{from, to})
		if r.px(b.x1-b.x0, px) > w {
			if clause > from {
				return clause
			}
			return best
		}
		if a := r.words[to-1].after; a != afterGlued {
			best = to
			if a >= afterClause {
				clause = to
			}
		}
	}
	return len(r.words)
}

// scrollSize is the letters of a scroll: as large as the height and a useful
// number of letters on the face allow.
func (l *layouter) scrollSize(blocks []*block, room int) (*family, int) {
	h := l.class.H - 2*l.style.margin
	limit := max(minCap, min(h*6/10, l.class.W/6)) // about ten letters are on the face at once
	return l.choose(func(f *family) int {
		return f.largest(minCap, func(px int) bool {
			if f.cap*px/f.units > limit {
				return false
			}
			top, bottom := 0, 0
			for _, b := range blocks {
				r := b.in(f)
				if r == nil {
					return false
				}
				s := &set{run: r, px: px, spans: []span{{0, len(r.words)}}}
				top, bottom = max(top, s.top()), max(bottom, s.bottom())
				for i := range r.wide {
					if 2*r.px(r.wide[i], px) > room {
						return false // on a large face a strip is short: leave room for two words
					}
				}
			}
			return top+bottom <= h
		})
	})
}

// strip places one strip's sets on one baseline.
func (l *layouter) strip(sets []*set, gap int) *strip {
	top, bottom := 0, 0
	var words int64
	for _, s := range sets {
		top, bottom = max(top, s.top()), max(bottom, s.bottom())
		for _, w := range s.run.words[s.spans[0].from:s.spans[0].to] {
			words += w.ms
		}
	}
	base := (l.class.H-top-bottom)/2 + top
	t := &strip{}
	x := l.class.W
	for _, s := range sets {
		ink := s.run.inkOf(s.spans[0])
		pen := x - l.scaled(s.run.fam, ink.x0, s.px)
		t.sets = append(t.sets, placed{set: s, at: []point{{pen, base}}})
		x += s.width() + gap
	}
	t.length = min(x-gap+2, maxStripLength, maxStripPixels/l.class.H)
	t.pxS = scrollSpeed(t.length-l.class.W, words, l.class.W)
	t.ms = (int64(t.length)*1000 + t.pxS - 1) / t.pxS
	return t
}

// scrollSpeed is the pixels a second at which text of so many pixels passes in
// its reading time, but never so fast that a letter is on the face for less
// than 2 s. At 60 frames a second it moves by whole pixels or stands for whole
// frames, so that it does not judder.
func scrollSpeed(width int, readMS int64, face int) int64 {
	v := int64(face) / 2
	if readMS > 0 {
		v = min(v, int64(width)*1000/readMS)
	}
	if v >= 60 {
		return v / 60 * 60
	}
	for _, s := range []int64{30, 20, 15, 12, 10, 6, 5} {
		if v >= s {
			return s
		}
	}
	return 4
}

// step is the strip as the wire has it.
func (t *strip) step() timeline.Step {
	return timeline.Step{MS: t.ms, Scroll: &timeline.Scroll{Axis: "x", PxS: t.pxS}}
}

// mayScroll reports whether the options allow moving text, and a strip on a
// face of this size holds at least three faces' width.
func (l *layouter) mayScroll(o Options) bool {
	return o.Motion == playlists.Scrolls && 3*l.class.W*l.class.H <= maxStripPixels && 3*l.class.W <= maxStripLength
}
