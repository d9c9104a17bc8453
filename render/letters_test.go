package render

import (
	"testing"

	"golang.org/x/text/unicode/norm"
)

// vietnamese is every precomposed Vietnamese letter: 67 small ones and their
// capitals.
var vietnamese = []rune("àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵ" +
	"ÀÁẢÃẠĂẰẮẲẴẶÂẦẤẨẪẬĐÈÉẺẼẸÊỀẾỂỄỆÌÍỈĨỊÒÓỎÕỌÔỒỐỔỖỘƠỜỚỞỠỢÙÚỦŨỤƯỪỨỬỮỰỲÝỶỸỴ")

// pairs are all letters of one case that share a base letter, the bare base
// letter among them.
func pairs() [][2]rune {
	groups := map[rune][]rune{}
	for _, r := range vietnamese {
		base := []rune(norm.NFD.String(string(r)))[0]
		switch r {
		case 'đ':
			base = 'd'
		case 'Đ':
			base = 'D'
		}
		if groups[base] == nil {
			groups[base] = []rune{base}
		}
		groups[base] = append(groups[base], r)
	}
	var out [][2]rune
	for _, g := range groups {
		for i := range g {
			for _, q := range g[i+1:] {
				out = append(out, [2]rune{g[i], q})
			}
		}
	}
	return out
}

func TestEveryFontHasEveryVietnameseLetter(t *testing.T) {
	f, err := newFonts()
	if err != nil {
		t.Fatal(err)
	}
	if len(vietnamese) != 134 {
		t.Fatalf("%d letters, want 134", len(vietnamese))
	}
	for _, fam := range f.all {
		for _, r := range vietnamese {
			if fam.id[r] == 0 {
				t.Errorf("%s has no %c", fam.name, r)
			}
		}
	}
}

// distance is in how many pixels two letters differ at the shift of up to one
// pixel at which they differ least. On a 1-bit face a pixel differs if it is
// lit in only one; antialiased, if the coverages are 3/7 apart or more: less
// is not seen beside a lit neighbour.
func distance(a, b *glyph, hard bool) int {
	at := func(g *glyph, x, y int) int {
		x, y = x-g.x, y-g.y
		if x < 0 || y < 0 || x >= g.w || y >= g.h {
			return 0
		}
		return int(g.a[y*g.w+x])
	}
	x0, x1 := min(a.x, b.x)-1, max(a.x+a.w, b.x+b.w)+1
	y0, y1 := min(a.y, b.y)-1, max(a.y+a.h, b.y+b.h)+1
	least := 1 << 30
	for dy := -1; dy <= 1; dy++ {
		for dx := -1; dx <= 1; dx++ {
			n := 0
			for y := y0; y < y1; y++ {
				for x := x0; x < x1; x++ {
					p, q := at(a, x, y), at(b, x+dx, y+dy)
					if hard {
						if (p >= threshold) != (q >= threshold) {
							n++
						}
					} else if p-q >= 64 || q-p >= 64 {
						n++
					}
				}
			}
			least = min(least, n)
		}
	}
	return least
}

// No size that a layout may choose makes two letters look alike (FACTS.md):
// 3 pixels for outline fonts, 1 for pixel fonts, which were drawn by hand.
func TestLettersDifferAtEverySize(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; left out with -short")
	}
	f, err := newFonts()
	if err != nil {
		t.Fatal(err)
	}
	pp := pairs()
	if len(pp) != 938 {
		t.Fatalf("%d pairs, want 938", len(pp))
	}
	for _, fam := range f.all {
		for _, px := range fam.sizes() {
			if px > 48 {
				break // marks only grow
			}
			c := f.face(fam, px)
			for _, hard := range []bool{true, false} {
				least, worst := 1<<30, pp[0]
				for _, p := range pp {
					a, err := c.glyph(fam.id[p[0]])
					if err != nil {
						t.Fatal(err)
					}
					b, err := c.glyph(fam.id[p[1]])
					if err != nil {
						t.Fatal(err)
					}
					if d := distance(a, b, hard); d < least {
						least, worst = d, p
					}
				}
				want := 3
				if fam.pixel != nil {
					want = 1
				}
				t.Logf("%s %d px, 1-bit %v: %c and %c differ by %d", fam.name, px, hard, worst[0], worst[1], least)
				if least < want {
					t.Errorf("%s at %d px, 1-bit %v: %c and %c differ by %d pixels, want %d", fam.name, px, hard, worst[0], worst[1],
						least, want)
				}
			}
		}
	}
}
