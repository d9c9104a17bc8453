package render

import (
	"fmt"
	"image"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"

	"ledcast/assets/bdf"
)

// maxRune bounds the tables that a family keeps per letter. Everything that a
// sign prints lies below: Latin, Vietnamese, punctuation, arrows, shapes.
const maxRune = 0x2800

// family is one typeface. What does not depend on the size is measured once,
// in units of the em, so that a layout is tried at many sizes without asking
// the font again.
type family struct {
	name  string
	units int // per em
	cap   int // height of a capital letter, units
	safe  int // smallest em in pixels at which no two letters look alike
	// leeway is the percentage of a class's comfortable cap height that is enough
	// in this family: wide letters are read at a smaller height than narrow ones.
	leeway int

	id    [maxRune]uint16 // 0: the font has no such letter
	runes []rune          // by id
	adv   []int32         // by id, units
	box   []box           // by id, units: ink

	pixel *bdf.Font  // of a pixel font; its em is units pixels and its only size
	ttf   *sfnt.Font // of an outline font
	gid   []sfnt.GlyphIndex
	mu    sync.Mutex // guards buf
	buf   sfnt.Buffer
	kern  []atomic.Pointer[[]int16] // by the first letter's id, then the second's, units
}

// box is an ink rectangle from the pen on the baseline; y grows downwards.
type box struct{ x0, y0, x1, y1 int32 }

func newOutline(name string, data []byte, safe, track int) (*family, error) {
	ttf, err := sfnt.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("font %s: %w", name, err)
	}
	f := &family{name: name, ttf: ttf, units: int(ttf.UnitsPerEm()), safe: safe, leeway: 100,
		runes: make([]rune, 1), adv: make([]int32, 1), box: make([]box, 1), gid: make([]sfnt.GlyphIndex, 1)}
	em := fixed.I(f.units)
	m, err := ttf.Metrics(&f.buf, em, font.HintingNone)
	if err != nil {
		return nil, fmt.Errorf("font %s: %w", name, err)
	}
	f.cap = m.CapHeight.Round()
	for r := rune(0x20); r < maxRune; r++ {
		g, err := ttf.GlyphIndex(&f.buf, r)
		if err != nil {
			return nil, fmt.Errorf("font %s: %U: %w", name, r, err)
		}
		if g == 0 {
			continue
		}
		b, adv, err := ttf.GlyphBounds(&f.buf, g, em, font.HintingNone)
		if err != nil {
			return nil, fmt.Errorf("font %s: %U: %w", name, r, err)
		}
		f.id[r] = uint16(len(f.adv))
		f.runes = append(f.runes, r)
		f.adv = append(f.adv, int32(adv.Round())+int32(track))
		f.box = append(f.box, box{int32(b.Min.X.Floor()), int32(b.Min.Y.Floor()), int32(b.Max.X.Ceil()),
			int32(b.Max.Y.Ceil())})
		f.gid = append(f.gid, g)
	}
	f.kern = make([]atomic.Pointer[[]int16], len(f.gid))
	return f, nil
}

func newPixel(name string, size int, p *bdf.Font) *family {
	f := &family{name: name, pixel: p, units: size, cap: p.CapHeight, safe: size, leeway: 100,
		runes: make([]rune, 1), adv: make([]int32, 1), box: make([]box, 1)}
	for r := rune(0x20); r < maxRune; r++ {
		g := p.Glyph(r)
		if g == nil {
			continue
		}
		f.id[r] = uint16(len(f.adv))
		f.runes = append(f.runes, r)
		f.adv = append(f.adv, int32(g.Advance))
		f.box = append(f.box, box{int32(g.X), int32(-g.Y - g.H), int32(g.X + g.W), int32(-g.Y)})
	}
	return f
}

// capAt is the height of a capital letter at an em of px pixels, rounded.
func (f *family) capAt(px int) int { return (f.cap*px + f.units/2) / f.units }

// has returns the first letter of s that the family lacks, and false.
func (f *family) has(s string) (rune, bool) {
	for _, r := range s {
		if r != '\n' && (r >= maxRune || f.id[r] == 0) {
			return r, false
		}
	}
	return 0, true
}

// kernUnits is the kerning between two letters by id, in units. The kerning
// of a first letter with all others is asked of the font once.
func (f *family) kernUnits(a, b uint16) int32 {
	if f.ttf == nil || a == 0 || b == 0 {
		return 0
	}
	row := f.kern[a].Load()
	if row == nil {
		row = f.kernRow(a)
		f.kern[a].Store(row)
	}
	return int32((*row)[b])
}

func (f *family) kernRow(a uint16) *[]int16 {
	f.mu.Lock()
	defer f.mu.Unlock()
	row := make([]int16, len(f.gid))
	for b := 1; b < len(f.gid); b++ {
		// An error is a font without kerning.
		if v, err := f.ttf.Kern(&f.buf, f.gid[a], f.gid[b], fixed.I(f.units), font.HintingNone); err == nil {
			row[b] = int16(v.Round())
		}
	}
	return &row
}

// face is a family at one size, with the letters that were drawn so far.
type face struct {
	fam    *family
	px     int // em in pixels
	glyphs []atomic.Pointer[glyph]
	budget *atomic.Int64 // bytes of all glyphs of the renderer
}

// glyph is one letter's coverage.
type glyph struct {
	x, y, w, h int     // of the mask, from the pen on the baseline
	a          []uint8 // w*h
	runs       []inked // where a is not 0, by rows
}

// inked is a part of a row with ink: columns x0 to x1, all of full coverage if
// solid.
type inked struct {
	y, x0, x1 int32
	solid     bool
}

// findInk lists the mask's runs. Most of a letter is nothing or full, and
// neither need be looked at pixel by pixel when it is drawn.
func (g *glyph) findInk() *glyph {
	for y := range g.h {
		row := g.a[y*g.w : (y+1)*g.w]
		for x := 0; x < g.w; {
			start, solid := x, row[x] == 255
			switch {
			case row[x] == 0:
				x++
				continue
			case solid:
				for x < g.w && row[x] == 255 {
					x++
				}
			default:
				for x < g.w && row[x] != 0 && row[x] != 255 {
					x++
				}
			}
			g.runs = append(g.runs, inked{int32(y), int32(start), int32(x), solid})
		}
	}
	g.runs = slices.Clip(g.runs)
	return g
}

// scale converts units to 26.6 pixels.
func (f *face) scale(u int32) fixed.Int26_6 {
	return fixed.Int26_6((int64(u)*int64(f.px)*64 + int64(f.fam.units)/2) / int64(f.fam.units))
}

// glyph returns the letter's mask, drawing it the first time. It is safe for
// concurrent use: two goroutines may draw a letter twice, to the same bytes.
func (f *face) glyph(id uint16) (*glyph, error) {
	if g := f.glyphs[id].Load(); g != nil {
		return g, nil
	}
	g, err := f.draw(id)
	if err != nil {
		return nil, err
	}
	if f.glyphs[id].CompareAndSwap(nil, g) {
		f.budget.Add(int64(len(g.a)+16*len(g.runs)) + 96)
	}
	return g, nil
}

func (f *face) draw(id uint16) (*glyph, error) {
	if f.fam.pixel != nil {
		return f.drawPixel(id), nil
	}
	// A face of opentype's holds a buffer and a rasteriser, so each drawing has
	// its own: it happens once per letter and size.
	of, err := opentype.NewFace(f.fam.ttf, &opentype.FaceOptions{Size: float64(f.px), DPI: 72,
		Hinting: font.HintingNone})
	if err != nil {
		return nil, fmt.Errorf("font %s at %d px: %w", f.fam.name, f.px, err)
	}
	defer of.Close()
	r, mask, mp, _, ok := of.Glyph(fixed.Point26_6{}, f.fam.runes[id])
	if !ok {
		return nil, fmt.Errorf("font %s at %d px: glyph %d cannot be drawn", f.fam.name, f.px, id)
	}
	g := &glyph{x: r.Min.X, y: r.Min.Y, w: r.Dx(), h: r.Dy(), a: make([]uint8, r.Dx()*r.Dy())}
	src, ok := mask.(*image.Alpha)
	if !ok {
		return nil, fmt.Errorf("font %s: unexpected mask %T", f.fam.name, mask)
	}
	for y := range g.h {
		o := src.PixOffset(mp.X, mp.Y+y)
		copy(g.a[y*g.w:(y+1)*g.w], src.Pix[o:o+g.w])
	}
	return g.findInk(), nil
}

func (f *face) drawPixel(id uint16) *glyph {
	p := f.fam.pixel.Glyph(f.fam.runes[id])
	g := &glyph{x: p.X, y: -p.Y - p.H, w: p.W, h: p.H, a: make([]uint8, p.W*p.H)}
	for y := range p.H {
		for x := range p.W {
			if p.Lit(x, y) {
				g.a[y*p.W+x] = 255
			}
		}
	}
	return g.findInk()
}
