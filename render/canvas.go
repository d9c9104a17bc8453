package render

import "image/color"

// levels is into how many steps antialiasing is quantised: more are not seen
// on LEDs and make the file larger.
const levels = 8

// threshold is the coverage from which a pixel of a 1-bit face is lit
// (FACTS.md).
const threshold = 110

// canvas is a card being drawn: one palette index a pixel. Colours come in
// ramps, from what is behind to what is drawn, so that drawing a letter is a
// table look-up and a maximum.
type canvas struct {
	w, h  int
	pix   []uint8
	pal   [256]color.RGBA
	n     int // indexes used
	ramps []ramp
	hard  bool // no antialiasing: 1-bit and redgreen faces
}

// ramp is a run of palette indexes from under to over.
type ramp struct {
	under, over color.RGBA
	first       uint8
	last        uint8
	of          [256]uint8 // by coverage; 0 coverage is not drawn
}

// reset makes the canvas w x h, empty of colours. Pixels are undefined until
// fill.
func (c *canvas) reset(w, h int, hard bool) {
	c.w, c.h, c.hard, c.n = w, h, hard, 0
	if cap(c.pix) < w*h {
		c.pix = make([]uint8, w*h)
	}
	c.pix = c.pix[:w*h]
	if c.ramps == nil {
		c.ramps = make([]ramp, 0, 128) // never grows: callers keep pointers into it
	}
	c.ramps = c.ramps[:0]
}

// ramp finds or adds the ramp between two colours.
func (c *canvas) ramp(under, over color.RGBA) *ramp {
	for i := range c.ramps {
		if r := &c.ramps[i]; r.under == under && r.over == over {
			return r
		}
	}
	n := levels
	if c.hard {
		n = 2
	}
	if c.n+n > 256 {
		// A theme has five colours; it cannot come to this many pairs.
		panic("render: palette is full")
	}
	c.ramps = append(c.ramps, ramp{under: under, over: over, first: uint8(c.n), last: uint8(c.n + n - 1)})
	r := &c.ramps[len(c.ramps)-1]
	for i := range n {
		c.pal[c.n+i] = mix(under, over, i, n-1)
	}
	for a := range 256 {
		k := (a*(n-1) + 127) / 255
		if c.hard {
			k = 0
			if a >= threshold {
				k = 1
			}
		}
		r.of[a] = r.first + uint8(k)
	}
	c.n += n
	return r
}

// mix is the colour i/n of the way from a to b.
func mix(a, b color.RGBA, i, n int) color.RGBA {
	m := func(x, y uint8) uint8 { return uint8((int(x)*(n-i) + int(y)*i + n/2) / n) }
	return color.RGBA{m(a.R, b.R), m(a.G, b.G), m(a.B, b.B), 255}
}

// fill paints a rectangle in the ramp's under colour.
func (c *canvas) fill(x0, y0, x1, y1 int, r *ramp) { c.paint(x0, y0, x1, y1, r.first) }

// solid paints a rectangle in the ramp's over colour.
func (c *canvas) solid(x0, y0, x1, y1 int, r *ramp) { c.paint(x0, y0, x1, y1, r.last) }

func (c *canvas) paint(x0, y0, x1, y1 int, v uint8) {
	x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, c.w), min(y1, c.h)
	if x0 >= x1 || y0 >= y1 {
		return
	}
	row := c.pix[y0*c.w+x0 : y0*c.w+x1]
	for i := range row {
		row[i] = v
	}
	for y := y0 + 1; y < y1; y++ {
		copy(c.pix[y*c.w+x0:y*c.w+x1], row)
	}
}

// mask draws w x h coverage with its corner at (x, y), over pixels of the
// ramp's under colour. Where masks overlap the stronger one stays.
func (c *canvas) mask(a []uint8, w, h, x, y int, r *ramp) {
	sx0, sy0 := max(0, -x), max(0, -y)
	sx1, sy1 := min(w, c.w-x), min(h, c.h-y)
	if sx0 >= sx1 {
		return
	}
	first, steps := r.first, r.last-r.first
	of := &r.of
	for sy := sy0; sy < sy1; sy++ {
		src := a[sy*w+sx0 : sy*w+sx1]
		at := (y+sy)*c.w + x + sx0
		dst := c.pix[at : at+len(src)]
		for i, cov := range src {
			if cov == 0 {
				continue
			}
			// A pixel of another ramp is ground, whatever its index.
			v := of[cov] - first
			if d := dst[i] - first; d > steps || d < v {
				dst[i] = first + v
			}
		}
	}
}

// text draws a line's words with the pen starting at (x, y) on the baseline.
func (c *canvas) text(f *face, r *run, s span, x, y int, rp *ramp) error {
	return r.each(f, s, x, func(g *glyph, x int) { c.mask(g.a, g.w, g.h, x+g.x, y+g.y, rp) })
}

// each calls f with every letter of a line and where its pen stands.
func (r *run) each(c *face, s span, x int, f func(g *glyph, x int)) error {
	var pen int32
	for i := s.from; i < s.to; i++ {
		for _, l := range r.letters[r.first[i]:r.first[i+1]] {
			g, err := c.glyph(l.id)
			if err != nil {
				return err
			}
			f(g, x+c.scale(pen+l.pen).Round())
		}
		pen += r.step(i)
	}
	return nil
}
