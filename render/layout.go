package render

import (
	"slices"

	"golang.org/x/image/math/fixed"

	"ledcast/playlists"
)

// card is one page, ready to be drawn.
type card struct {
	sets []placed
	band int // height of the headline's band in pixels; 0 for none
	qr   *qrSpot
	icon *iconSpot
	ms   int64
}

// placed is a set of lines with the pen's start of each.
type placed struct {
	*set
	at []point
}

type point struct{ x, y int }

// layouter lays out one message on one class.
type layouter struct {
	fonts *fonts
	class playlists.Class
	style style
}

// full returns the zone of the whole face within its margins.
func (l *layouter) full() zone {
	x, y := l.style.side, l.style.margin
	return zone{x, y, l.class.W - 2*x, l.class.H - 2*y}
}

// narrowLeast is the smallest em of Barlow Condensed on faces without
// antialiasing: below it the counters of its capitals close, and an independent
// reader mistakes G for 6 and M for H (TestTesseractReadsFrames).
const narrowLeast = 25

// choose picks a family. fits returns the size in pixels at which a family fits, or
// 0. Be Vietnam goes before Barlow unless Barlow is half as large again. Pixel fonts
// are tried last, the largest first.
func (l *layouter) choose(fits func(*family) int) (*family, int) {
	bv, ba := fits(l.fonts.beVietnam), fits(l.fonts.barlow)
	if l.class.Colour != playlists.RGB && ba < narrowLeast {
		ba = 0
	}
	if bv > 0 && 2*l.fonts.barlow.capAt(ba) <= 3*l.fonts.beVietnam.capAt(bv) {
		return l.fonts.beVietnam, bv
	}
	if ba > 0 {
		return l.fonts.barlow, ba
	}
	for _, p := range l.fonts.pixel {
		if n := fits(p); n > 0 {
			return p, n
		}
	}
	return nil, 0
}

// smooth chooses the largest size that try accepts. It prefers a size up to four
// tenths smaller at which all lines end where sense allows.
func (l *layouter) smooth(try func(*family, int) []*set, floor int) (*family, int) {
	most := make(map[*family]int, 2) // the largest size that try accepts, by family
	fam, px := l.choose(func(f *family) int {
		n := f.largest(floor, func(px int) bool { return try(f, px) != nil })
		most[f] = n
		return n
	})
	if fam == nil || !rough(try(fam, px)) {
		return fam, px
	}
	least := max(floor, fam.cap*px/fam.units*6/10)
	f, p := l.choose(func(f *family) int {
		top, asked := most[f]
		s := f.sizes()
		for i := len(s) - 1; i >= 0 && f.cap*s[i]/f.units >= least; i-- {
			if asked && s[i] > top {
				continue
			}
			if sets := try(f, s[i]); sets != nil && !rough(sets) {
				return s[i]
			}
		}
		return 0
	})
	if f != nil {
		return f, p
	}
	return fam, px
}

func rough(sets []*set) bool {
	for _, s := range sets {
		if s.rough {
			return true
		}
	}
	return false
}

// flow lays out one block on as many pages as the smallest comfortable size needs,
// at the largest size that needs no more pages.
func (l *layouter) flow(b *block, z zone) ([]*card, error) {
	for _, floor := range []int{l.style.floor, minCap} {
		if sets := l.pages(b, z, floor); sets != nil {
			cards := make([]*card, len(sets))
			for i, s := range sets {
				cards[i] = l.column([]*set{s}, z)
			}
			return cards, nil
		}
	}
	return nil, l.tooSmall(b)
}

// pages is flow at sizes of at least floor pixels cap height; nil where even
// the smallest does not fit.
func (l *layouter) pages(b *block, z zone, floor int) []*set {
	fewest := 0
	for _, fam := range l.fonts.all {
		for _, px := range fam.sizes() {
			if fam.capAt(px) < floor*fam.leeway/100 {
				continue
			}
			if p := b.pages(fam, px, z.w, z.h, l.style.maxLines); p != nil && (fewest == 0 || len(p) < fewest) {
				fewest = len(p)
			}
			break
		}
	}
	if fewest == 0 {
		return nil
	}
	best := l.largestPages(b, z, floor, fewest)
	if rough(best) {
		// One page more is better than a word torn apart.
		if more := l.largestPages(b, z, floor, fewest+1); !rough(more) {
			return more
		}
	}
	return best
}

// largestPages lays out the block in the largest letters on at most n pages.
func (l *layouter) largestPages(b *block, z zone, floor, most int) []*set {
	fam, px := l.smooth(func(f *family, px int) []*set {
		if p := b.pages(f, px, z.w, z.h, l.style.maxLines); len(p) <= most {
			return p
		}
		return nil
	}, floor)
	if fam == nil {
		return nil
	}
	return b.pages(fam, px, z.w, z.h, l.style.maxLines)
}

func (l *layouter) tooSmall(b *block) error {
	var text string
	for _, w := range b.words {
		if len(w.s) > len(text) {
			text = w.s
		}
	}
	return &playlists.Error{Code: playlists.Invalid, Field: "class", Value: l.class.String(),
		Key: "class-too-small", Args: []any{text}}
}

// lead returns the size of a headline above a body of px.
func (l *layouter) lead(f *family, px int) int {
	if f.pixel != nil {
		return px
	}
	sizes := f.sizes()
	i, found := slices.BinarySearch(sizes, px*5/4)
	if !found {
		i--
	}
	return sizes[max(i, 0)]
}

// part is the gap between two sets of a column.
func (l *layouter) part(a, b *set) int { return max(2, (a.cap()+b.cap())/5) }

// height returns the height of a column of sets in pixels.
func (l *layouter) height(sets []*set) int {
	h := 0
	for i, s := range sets {
		h += s.height()
		if i > 0 {
			h += l.part(sets[i-1], s)
		}
	}
	return h
}

// pad is the height of the band above and below the headline's ink.
func (l *layouter) pad(s *set) int { return max(2, s.cap()/4) }

// column places sets one below the other, centred in the zone by their ink.
func (l *layouter) column(sets []*set, z zone) *card {
	c := &card{}
	c.stack(l, sets, z)
	c.read()
	return c
}

// stack adds sets to the card, centred in the zone.
func (c *card) stack(l *layouter, sets []*set, z zone) {
	y := z.y + max(0, (z.h-l.height(sets))/2)
	for i, s := range sets {
		if i > 0 {
			y += l.part(sets[i-1], s)
		}
		c.sets = append(c.sets, l.place(s, z, y))
		y += s.height()
	}
}

// read sets the reading time of the card from its words.
func (c *card) read() {
	var words int64
	lines := 0
	for _, s := range c.sets {
		for _, sp := range s.spans {
			for _, w := range s.run.words[sp.from:sp.to] {
				words += w.ms
			}
			lines++
		}
	}
	c.ms = pageMS(lines, words)
}

// place centres the lines of a set in the zone. The ink begins at top.
func (l *layouter) place(s *set, z zone, top int) placed {
	p := placed{set: s}
	base := top + s.top()
	pitch := s.pitch()
	for _, sp := range s.spans {
		ink := s.run.inkOf(sp)
		mid := fixed.Int26_6(int64(ink.x0+ink.x1) * int64(s.px) * 32 / int64(s.run.fam.units))
		p.at = append(p.at, point{(fixed.I(2*z.x+z.w)/2 - mid).Round(), base})
		base += pitch
	}
	return p
}
