package bdf

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"strings"
	"testing"

	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"
)

const small = `STARTFONT 2.1
FONT test
FONTBOUNDINGBOX 10 4 0 -1
STARTPROPERTIES 2
FONT_ASCENT 3
FONT_DESCENT 1
ENDPROPERTIES
CHARS 2
STARTCHAR A
ENCODING 65
DWIDTH 4 0
BBX 3 3 0 0
BITMAP
40
A0
E0
ENDCHAR
STARTCHAR wide
ENCODING 66
DWIDTH 11 0
BBX 10 2 1 -1
BITMAP
8040
FFC0
ENDCHAR
ENDFONT
`

func TestParseAndDraw(t *testing.T) {
	f, err := Parse([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	if f.Len() != 2 || f.Ascent != 3 || f.Descent != 1 || f.Glyph('C') != nil {
		t.Errorf("parsed as %+v", f)
	}
	img := image.NewAlpha(image.Rect(0, 0, 16, 5))
	d := font.Drawer{Dst: img, Src: image.Opaque, Face: f.Face(), Dot: fixed.P(0, 3)}
	d.DrawString("AB")
	want := strings.TrimLeft(`
.#..............
#.#.............
###..#........#.
.....##########.
................
`, "\n")
	if got := picture(img); got != want {
		t.Errorf("drawn:\n%swant:\n%s", got, want)
	}
	if got := font.MeasureString(f.Face(), "AB"); got != fixed.I(15) {
		t.Errorf("AB is %v wide, want 15", got)
	}
	if b, adv := font.BoundString(f.Face(), "B"); b != fixed.R(1, -1, 11, 1) || adv != fixed.I(11) {
		t.Errorf("B's ink is %v, its advance %v", b, adv)
	}
}

func picture(img *image.Alpha) string {
	var b strings.Builder
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			if img.AlphaAt(x, y) == (color.Alpha{A: 255}) {
				b.WriteByte('#')
			} else {
				b.WriteByte('.')
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestDoubled(t *testing.T) {
	f, err := Parse([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	img := image.NewAlpha(image.Rect(0, 0, 6, 3))
	d := font.Drawer{Dst: img, Src: image.Opaque, Face: f.Doubled().Face(), Dot: fixed.P(0, 3)}
	d.DrawString("A")
	if got, want := picture(img), ".##...\n####..\n####..\n"; got != want {
		t.Errorf("drawn:\n%swant:\n%s", got, want)
	}
	if d.Dot.X != fixed.I(5) {
		t.Errorf("the pen is at %v, want 5", d.Dot.X)
	}
}

func TestParseRefuses(t *testing.T) {
	change := func(old, new string) string { return strings.Replace(small, old, new, 1) }
	for name, k := range map[string]struct {
		data    string
		line    int
		problem string
	}{
		"empty":           {"", 0, "empty"},
		"not a font":      {"hello\n", 1, "STARTFONT"},
		"cut off":         {small[:120], 9, "before ENDFONT"},
		"a row too few":   {change("40\nA0", "A0"), 16, "2 rows"},
		"a row too many":  {change("40\nA0", "40\n40\nA0"), 17, "more rows"},
		"a short row":     {change("8040", "80"), 23, "2 bytes"},
		"not hexadecimal": {change("A0", "XY"), 15, "hexadecimal"},
		"huge box":        {change("BBX 3 3", "BBX 3000000 3000000"), 12, "limit"},
		"negative box":    {change("BBX 3 3", "BBX -3 3"), 12, "limit"},
		"twice":           {change("ENCODING 66", "ENCODING 65"), 25, "twice"},
		"bad code":        {change("ENCODING 66", "ENCODING 1114112"), 19, "code point"},
		"no box":          {change("BBX 3 3 0 0\n", ""), 12, "before BBX"},
		"no glyphs":       {"STARTFONT 2.1\nENDFONT\n", 2, "no glyphs"},
		"stray":           {"STARTFONT 2.1\nBITMAP\n", 2, "outside"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]byte(k.data))
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v", err)
			}
			if e.Line != k.line || !strings.Contains(e.Problem, k.problem) {
				t.Errorf("got %q, want line %d and %q", e, k.line, k.problem)
			}
		})
	}
	if _, err := Parse(make([]byte, MaxBytes+1)); err == nil {
		t.Error("Parse accepted a file over the size limit")
	}
}

// TestSubset checks that a subset of a subset is unchanged. So the embedded fonts are exactly what the command in
// subset/ writes.
func TestSubset(t *testing.T) {
	var one, two bytes.Buffer
	if err := Subset(&one, []byte(small), func(r rune) bool { return r == 'B' }); err != nil {
		t.Fatal(err)
	}
	f, err := Parse(one.Bytes())
	if err != nil || f.Len() != 1 || f.Glyph('B') == nil {
		t.Fatalf("%v, %v:\n%s", f, err, one.String())
	}
	if !strings.Contains(one.String(), "CHARS 1\n") {
		t.Error("the number of glyphs is not corrected")
	}
	if err := Subset(&two, one.Bytes(), func(rune) bool { return true }); err != nil || two.String() != one.String() {
		t.Errorf("a second subset differs: %v\n%s", err, two.String())
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte("STARTFONT 2.1\nSTARTCHAR a\nENCODING 1\nBBX 0 0 0 0\nBITMAP\nENDCHAR\nENDFONT\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		font, err := Parse(data)
		var e *Error
		if err != nil {
			if !errors.As(err, &e) || e.Problem == "" {
				t.Fatal(err)
			}
			return
		}
		for r, g := range font.glyphs {
			if len(g.Rows) != g.H || g.W > MaxSide || g.H > MaxSide {
				t.Fatalf("%U has %d rows for a box of %d x %d", r, len(g.Rows), g.W, g.H)
			}
			_, m, _, _, ok := font.Face().Glyph(fixed.P(0, 0), r)
			if !ok || m.Bounds().Dx() != g.W {
				t.Fatalf("%U is drawn as %v", r, m)
			}
		}
		font.Doubled()
	})
}
