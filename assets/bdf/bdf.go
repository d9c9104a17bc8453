// Package bdf reads pixel fonts in the Glyph Bitmap Distribution Format 2.1 (Adobe, 1993) and provides them as a
// font.Face.
//
// A pixel font is designed pixel by pixel for one size. On a sign of 32 rows its Vietnamese letters can be told
// apart, while those of an outline font cannot. The format is plain text. A glyph has a code point, an advance, a
// bounding box, and a bitmap in rows of hexadecimal digits.
package bdf

import (
	"bufio"
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// These are limits of Parse. They are far above the values of any real font, and prevent a malicious file from
// using much memory.
const (
	MaxBytes  = 8 << 20
	MaxGlyphs = 65536
	MaxSide   = 64 // of a glyph's bounding box and advance, in pixels
)

// Glyph is the bitmap of one character.
type Glyph struct {
	Advance int // in pixels
	X, Y    int // lower left pixel of the bounding box, relative to the pen; Y counts up from the baseline
	W, H    int // size of the bounding box
	// Rows has H rows, the top row first. Each has W pixels, the leftmost in the highest bit.
	Rows []uint64
}

// Lit reports whether the pixel in column x and row y of the bounding box is set. (0, 0) is the upper left pixel.
func (g *Glyph) Lit(x, y int) bool { return g.Rows[y]>>(63-uint(x))&1 == 1 }

// Font is a parsed font. It does not change and is safe for concurrent use.
type Font struct {
	Name      string
	Ascent    int // FONT_ASCENT; diacritics may be higher
	Descent   int
	XHeight   int
	CapHeight int
	glyphs    map[rune]*Glyph
}

// Glyph returns r's glyph, or nil if the font has none.
func (f *Font) Glyph(r rune) *Glyph { return f.glyphs[r] }

// Len returns the number of glyphs.
func (f *Font) Len() int { return len(f.glyphs) }

// Error is a syntax error in a BDF file.
type Error struct {
	Line    int
	Problem string
}

func (e *Error) Error() string { return fmt.Sprintf("bdf: line %d: %s", e.Line, e.Problem) }

// Parse parses a font. It skips glyphs without a Unicode code point (ENCODING -1). Its error is an *Error.
func Parse(data []byte) (*Font, error) {
	if len(data) > MaxBytes {
		return nil, &Error{Problem: fmt.Sprintf("file has %d bytes, over the limit of %d", len(data), MaxBytes)}
	}
	p := parser{f: &Font{glyphs: map[rune]*Glyph{}}, code: -1}
	sc := bufio.NewScanner(bytes.NewReader(data))
	for sc.Scan() && !p.done {
		p.line++
		if err := p.next(strings.TrimRight(sc.Text(), " \t\r")); err != nil {
			return nil, err
		}
	}
	if err := sc.Err(); err != nil {
		return nil, &Error{Line: p.line + 1, Problem: err.Error()}
	}
	switch {
	case p.line == 0:
		return nil, p.bad("the file is empty")
	case !p.done:
		return nil, p.bad("the file ends before ENDFONT")
	case len(p.f.glyphs) == 0:
		return nil, p.bad("the font has no glyphs")
	}
	return p.f, nil
}

type parser struct {
	f    *Font
	line int
	done bool

	begun  bool   // STARTFONT was read
	glyph  *Glyph // between STARTCHAR and ENDCHAR
	code   rune
	box    bool
	bitmap bool
}

func (p *parser) bad(format string, args ...any) error {
	return &Error{Line: p.line, Problem: fmt.Sprintf(format, args...)}
}

func (p *parser) next(s string) error {
	if p.bitmap && s != "ENDCHAR" {
		return p.row(s)
	}
	key, rest, _ := strings.Cut(s, " ")
	rest = strings.TrimSpace(rest)
	if !p.begun {
		if key != "STARTFONT" {
			return p.bad("a BDF font begins with STARTFONT, not %q", trim(s))
		}
		p.begun = true
		return nil
	}
	switch key {
	case "FONT":
		p.f.Name = rest
	case "FONT_ASCENT":
		return p.number(rest, &p.f.Ascent)
	case "FONT_DESCENT":
		return p.number(rest, &p.f.Descent)
	case "X_HEIGHT":
		return p.number(rest, &p.f.XHeight)
	case "CAP_HEIGHT":
		return p.number(rest, &p.f.CapHeight)
	case "STARTCHAR":
		if p.glyph != nil {
			return p.bad("STARTCHAR before the last glyph's ENDCHAR")
		}
		p.glyph, p.code, p.box = &Glyph{}, -1, false
	case "ENCODING", "DWIDTH", "BBX", "BITMAP", "ENDCHAR":
		if p.glyph == nil {
			return p.bad("%s outside a glyph", key)
		}
		return p.inGlyph(key, rest)
	case "ENDFONT":
		if p.glyph != nil {
			return p.bad("ENDFONT before the last glyph's ENDCHAR")
		}
		p.done = true
	}
	return nil
}

func (p *parser) inGlyph(key, rest string) error {
	g := p.glyph
	switch key {
	case "ENCODING":
		first, _, _ := strings.Cut(rest, " ")
		n, err := strconv.Atoi(first)
		if err != nil || n < -1 || n > utf8.MaxRune {
			return p.bad("ENCODING %q is not a code point", trim(rest))
		}
		p.code = rune(n)
	case "DWIDTH":
		x, _, _ := strings.Cut(rest, " ")
		n, err := strconv.Atoi(x)
		if err != nil || n < 0 || n > MaxSide {
			return p.bad("DWIDTH %q is outside 0 to %d", trim(rest), MaxSide)
		}
		g.Advance = n
	case "BBX":
		f := strings.Fields(rest)
		if len(f) != 4 {
			return p.bad("BBX %q has not four numbers", trim(rest))
		}
		for i, to := range []*int{&g.W, &g.H, &g.X, &g.Y} {
			n, err := strconv.Atoi(f[i])
			if err != nil || n < -MaxSide || n > MaxSide || i < 2 && n < 0 {
				return p.bad("BBX %q has a number outside the limit of %d", trim(rest), MaxSide)
			}
			*to = n
		}
		p.box = true
	case "BITMAP":
		if !p.box {
			return p.bad("BITMAP before BBX")
		}
		p.bitmap = true
	case "ENDCHAR":
		if len(g.Rows) != g.H {
			return p.bad("the glyph has %d rows, its BBX says %d", len(g.Rows), g.H)
		}
		if p.code >= 0 {
			if p.f.glyphs[p.code] != nil {
				return p.bad("%U is there twice", p.code)
			}
			if len(p.f.glyphs) == MaxGlyphs {
				return p.bad("over the limit of %d glyphs", MaxGlyphs)
			}
			p.f.glyphs[p.code] = g
		}
		p.glyph, p.bitmap = nil, false
	}
	return nil
}

// row parses one row of a bitmap: whole bytes in hexadecimal, the leftmost pixel first.
func (p *parser) row(s string) error {
	g := p.glyph
	if len(g.Rows) == g.H {
		return p.bad("the glyph has more rows than its BBX says")
	}
	if len(s) != (g.W+7)/8*2 {
		return p.bad("row %q is not %d bytes in hexadecimal", trim(s), (g.W+7)/8)
	}
	var v uint64
	if s != "" {
		var err error
		if v, err = strconv.ParseUint(s, 16, 64); err != nil {
			return p.bad("row %q is not hexadecimal", trim(s))
		}
		v <<= uint(64 - 4*len(s))
	}
	if g.W < 64 {
		v &^= 1<<uint(64-g.W) - 1 // padding is not part of the glyph
	}
	g.Rows = append(g.Rows, v)
	return nil
}

func (p *parser) number(s string, to *int) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < -MaxSide || n > MaxSide {
		return p.bad("%q is not a number of pixels", trim(s))
	}
	*to = n
	return nil
}

func trim(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}

// Doubled returns a bold variant of the font: every glyph is drawn a second time one pixel to the right, so strokes
// of one pixel become two pixels wide. Glyphs become one pixel wider.
func (f *Font) Doubled() *Font {
	d := *f
	d.Name += " doubled"
	d.glyphs = make(map[rune]*Glyph, len(f.glyphs))
	for r, g := range f.glyphs {
		b := *g
		b.Advance++
		if g.W > 0 && g.W < MaxSide {
			b.W++
			b.Rows = make([]uint64, len(g.Rows))
			for i, row := range g.Rows {
				b.Rows[i] = row | row>>1
			}
		}
		d.glyphs[r] = &b
	}
	return &d
}
