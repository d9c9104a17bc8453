package bdf

import (
	"image"
	"image/color"

	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"
)

// face implements font.Face for a Font. Unlike a face of package opentype it has no state and is safe for
// concurrent use.
type face struct{ f *Font }

// Face returns the font as a font.Face of golang.org/x/image/font. Its pixels are either on or off, and it has no
// kerning.
func (f *Font) Face() font.Face { return face{f} }

func (face) Close() error                 { return nil }
func (face) Kern(_, _ rune) fixed.Int26_6 { return 0 }

func (c face) Glyph(dot fixed.Point26_6, r rune) (image.Rectangle, image.Image, image.Point, fixed.Int26_6, bool) {
	g := c.f.glyphs[r]
	if g == nil {
		return image.Rectangle{}, nil, image.Point{}, 0, false
	}
	x, y := dot.X.Round()+g.X, dot.Y.Round()-g.Y-g.H
	return image.Rect(x, y, x+g.W, y+g.H), mask{g}, image.Point{}, fixed.I(g.Advance), true
}

func (c face) GlyphBounds(r rune) (fixed.Rectangle26_6, fixed.Int26_6, bool) {
	g := c.f.glyphs[r]
	if g == nil {
		return fixed.Rectangle26_6{}, 0, false
	}
	return fixed.R(g.X, -g.Y-g.H, g.X+g.W, -g.Y), fixed.I(g.Advance), true
}

func (c face) GlyphAdvance(r rune) (fixed.Int26_6, bool) {
	g := c.f.glyphs[r]
	if g == nil {
		return 0, false
	}
	return fixed.I(g.Advance), true
}

func (c face) Metrics() font.Metrics {
	return font.Metrics{
		Height: fixed.I(c.f.Ascent + c.f.Descent), Ascent: fixed.I(c.f.Ascent), Descent: fixed.I(c.f.Descent),
		XHeight: fixed.I(c.f.XHeight), CapHeight: fixed.I(c.f.CapHeight), CaretSlope: image.Pt(0, 1),
	}
}

// mask is the bitmap of a glyph as an alpha image with its upper left corner at (0, 0).
type mask struct{ g *Glyph }

func (mask) ColorModel() color.Model   { return color.AlphaModel }
func (m mask) Bounds() image.Rectangle { return image.Rect(0, 0, m.g.W, m.g.H) }

func (m mask) At(x, y int) color.Color {
	if image.Pt(x, y).In(m.Bounds()) && m.g.Lit(x, y) {
		return color.Alpha{A: 255}
	}
	return color.Alpha{}
}
