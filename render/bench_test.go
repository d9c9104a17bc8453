package render

import (
	"fmt"
	"image"
	"image/color"
	"testing"

	"github.com/fogleman/gg"
	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"ledcast/assets"
	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// The same card four ways: by this package, by plain gg, and by image/draw's
// font.Drawer with the same face; and a scroll step beside moving the frame's
// bytes. Run them side by side:
//
//	go test ./render -run '^$' -bench . -count 6

var benchClasses = []string{"64x32-rgb", "128x64-rgb", "320x160-rgb", "1920x1080-rgb"}

// benchMessage is a headline and a body that fit one page on every class.
var benchMessage = &playlists.Message{ID: "bench", Owner: playlists.Public, Theme: "health",
	Variants: []playlists.Variant{{Lang: "vi", Headline: "BẬT BLUEZONE", Body: "Mở Bluetooth"}}}

// benchCard is the laid-out card and all that draws it.
func benchCard(b *testing.B, r *Renderer, class string) (*layouter, *card, assets.Theme) {
	b.Helper()
	c := mustClass(b, class)
	l := &layouter{fonts: r.fonts, class: c, style: styleOf(c)}
	lay, err := l.message(benchMessage, Options{})
	if err != nil {
		b.Fatal(err)
	}
	theme, err := lookUpTheme(benchMessage.Theme)
	if err != nil {
		b.Fatal(err)
	}
	if lay.scenes[0].card == nil {
		b.Fatal("the bench message scrolls")
	}
	return l, lay.scenes[0].card, theme
}

// BenchmarkCard lays a card out and draws it, as a new message is.
func BenchmarkCard(b *testing.B) {
	r := mustNew(b)
	for _, class := range benchClasses {
		l, _, theme := benchCard(b, r, class)
		cv := &canvas{}
		b.Run("ledcast/"+class, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				lay, err := l.message(benchMessage, Options{})
				if err != nil {
					b.Fatal(err)
				}
				for _, s := range lay.scenes {
					cv.reset(l.class.W, l.class.H, false)
					if err := cv.card(s.card, theme, r.fonts, &r.icons); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
		b.Run("gg/"+class, func(b *testing.B) { benchGG(b, r, class) })
		b.Run("drawer/"+class, func(b *testing.B) { benchDrawer(b, r, class) })
	}
}

// BenchmarkLaidOut draws a card whose layout is known.
func BenchmarkLaidOut(b *testing.B) {
	r := mustNew(b)
	for _, class := range benchClasses {
		l, card, theme := benchCard(b, r, class)
		cv := &canvas{}
		b.Run("ledcast/"+class, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				cv.reset(l.class.W, l.class.H, false)
				if err := cv.card(card, theme, r.fonts, &r.icons); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("gg/"+class, func(b *testing.B) { benchGG(b, r, class) })
		b.Run("drawer/"+class, func(b *testing.B) { benchDrawer(b, r, class) })
	}
}

// BenchmarkEncoded draws and encodes a card, to the bytes that are published.
func BenchmarkEncoded(b *testing.B) {
	r := mustNew(b)
	for _, class := range benchClasses {
		l, card, theme := benchCard(b, r, class)
		cv := &canvas{}
		b.Run(class, func(b *testing.B) {
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				cv.reset(l.class.W, l.class.H, false)
				if err := cv.card(card, theme, r.fonts, &r.icons); err != nil {
					b.Fatal(err)
				}
				n = len(r.encode(cv, l.class))
			}
			b.ReportMetric(float64(n), "bytes/card")
		})
	}
}

// lines are the card's words with their faces' sizes and places, for the
// others to draw.
type benchLine struct {
	text string
	px   int
	x, y int
	k    color.RGBA
}

func benchLines(b *testing.B, r *Renderer, class string) (lines []benchLine, ttf []byte, ground, band color.RGBA,
	bandH int) {
	b.Helper()
	_, card, theme := benchCard(b, r, class)
	ttf = assets.BeVietnamProBold
	for _, s := range card.sets {
		if s.run.fam == r.fonts.barlow {
			ttf = assets.BarlowCondensedBold
		}
		k := theme.Text
		if s.role == roleTitle {
			k = theme.Title
		}
		for i, sp := range s.spans {
			line := ""
			for w := sp.from; w < sp.to; w++ {
				line += s.run.words[w].s + " "
			}
			lines = append(lines, benchLine{line, s.px, s.at[i].x, s.at[i].y, k})
		}
	}
	return lines, ttf, theme.Ground, theme.Band, card.band
}

func benchGG(b *testing.B, r *Renderer, class string) {
	c := mustClass(b, class)
	lines, ttf, ground, band, bandH := benchLines(b, r, class)
	f, err := opentype.Parse(ttf)
	if err != nil {
		b.Fatal(err)
	}
	faces := make([]font.Face, len(lines))
	for i, l := range lines {
		if faces[i], err = opentype.NewFace(f, &opentype.FaceOptions{Size: float64(l.px), DPI: 72}); err != nil {
			b.Fatal(err)
		}
	}
	ctx := gg.NewContext(c.W, c.H)
	b.ReportAllocs()
	for b.Loop() {
		ctx.SetColor(ground)
		ctx.Clear()
		if bandH > 0 {
			ctx.SetColor(band)
			ctx.DrawRectangle(0, 0, float64(c.W), float64(bandH))
			ctx.Fill()
		}
		for i, l := range lines {
			ctx.SetFontFace(faces[i])
			ctx.SetColor(l.k)
			ctx.DrawString(l.text, float64(l.x), float64(l.y))
		}
	}
}

func benchDrawer(b *testing.B, r *Renderer, class string) {
	c := mustClass(b, class)
	lines, ttf, ground, band, bandH := benchLines(b, r, class)
	f, err := opentype.Parse(ttf)
	if err != nil {
		b.Fatal(err)
	}
	img := image.NewRGBA(image.Rect(0, 0, c.W, c.H))
	drawers := make([]*font.Drawer, len(lines))
	for i, l := range lines {
		face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: float64(l.px), DPI: 72})
		if err != nil {
			b.Fatal(err)
		}
		drawers[i] = &font.Drawer{Dst: img, Src: image.NewUniform(l.k), Face: face}
	}
	b.ReportAllocs()
	for b.Loop() {
		fillRGBA(img, img.Rect, ground)
		fillRGBA(img, image.Rect(0, 0, c.W, bandH), band)
		for i, l := range lines {
			drawers[i].Dot = fixed.P(l.x, l.y)
			drawers[i].DrawString(l.text)
		}
	}
}

func fillRGBA(img *image.RGBA, r image.Rectangle, k color.RGBA) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := img.Pix[img.PixOffset(r.Min.X, y):]
		for x := range r.Dx() {
			row[4*x], row[4*x+1], row[4*x+2], row[4*x+3] = k.R, k.G, k.B, k.A
		}
	}
}

// benchScroll is a long line for the class, as a strip.
func benchScroll(b *testing.B, r *Renderer, class string) (*image.Paletted, *strip, playlists.Class) {
	b.Helper()
	c := mustClass(b, class)
	l := &layouter{fonts: r.fonts, class: c, style: styleOf(c)}
	bl, err := l.block("body", "Cài đặt Bluezone để được cảnh báo nguy cơ lây nhiễm Covid-19", "vi", roleBody)
	if err != nil {
		b.Fatal(err)
	}
	strips, err := l.scroll([]*block{bl})
	if err != nil {
		b.Fatal(err)
	}
	theme, err := lookUpTheme("health")
	if err != nil {
		b.Fatal(err)
	}
	cv := &canvas{}
	cv.reset(strips[0].length, c.H, false)
	if err := cv.strip(strips[0], theme, r.fonts); err != nil {
		b.Fatal(err)
	}
	img, err := DecodeFrame(r.encode(cv, c))
	if err != nil {
		b.Fatal(err)
	}
	p, ok := img.(*image.Paletted)
	if !ok {
		b.Fatalf("the strip is a %T", img)
	}
	return p, strips[0], c
}

// BenchmarkScroll draws one step of a scroll: our strip's window, gg drawing
// the line anew, and moving as many bytes as the frame has.
func BenchmarkScroll(b *testing.B) {
	r := mustNew(b)
	for _, class := range benchClasses {
		src, s, c := benchScroll(b, r, class)
		dst := image.NewPaletted(image.Rect(0, 0, c.W, c.H), src.Palette)
		b.Run("ledcast/"+class, func(b *testing.B) {
			b.ReportAllocs()
			at := 0
			for b.Loop() {
				BlitWindow(dst, src, at)
				if at++; at == s.length {
					at = 0
				}
			}
		})
		b.Run("gg/"+class, func(b *testing.B) {
			f, err := opentype.Parse(assets.BeVietnamProBold)
			if err != nil {
				b.Fatal(err)
			}
			face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: float64(s.sets[0].px), DPI: 72})
			if err != nil {
				b.Fatal(err)
			}
			ctx := gg.NewContext(c.W, c.H)
			ctx.SetFontFace(face)
			text := "Cài đặt Bluezone để được cảnh báo nguy cơ lây nhiễm Covid-19"
			b.ReportAllocs()
			at := 0
			for b.Loop() {
				ctx.SetRGB(0, 0, 0)
				ctx.Clear()
				ctx.SetRGB(1, 1, 1)
				ctx.DrawString(text, float64(c.W-at), float64(s.sets[0].at[0].y))
				if at++; at == s.length {
					at = 0
				}
			}
		})
		b.Run("memmove/"+class, func(b *testing.B) {
			from := make([]byte, c.W*c.H)
			for b.Loop() {
				copy(dst.Pix, from)
			}
		})
	}
}

// What a message costs in all, from text to published bytes, with its layout.
func BenchmarkMessage(b *testing.B) {
	r := mustNew(b)
	by, _ := defaultContent(b)
	for _, class := range benchClasses {
		c := mustClass(b, class)
		b.Run(class, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Message(by["bluezone-on"], c, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A scroll's window is what timeline says, whatever the offset.
func TestBlitWindowWrapsAround(t *testing.T) {
	src := image.NewPaletted(image.Rect(0, 0, 5, 2), color.Palette{color.Black, color.White})
	for i := range src.Pix {
		src.Pix[i] = uint8(i)
	}
	dst := image.NewPaletted(image.Rect(0, 0, 8, 2), src.Palette)
	for at := range 5 {
		BlitWindow(dst, src, at)
		for y := range 2 {
			for x := range 8 {
				if got, want := dst.Pix[y*8+x], uint8(y*5+(x+at)%5); got != want {
					t.Fatalf("at %d: pixel %d,%d is %d, want %d", at, x, y, got, want)
				}
			}
		}
	}
	c := playlists.Class{W: 8, H: 2, Colour: playlists.RGB}
	win := Window(src, c, &timeline.Scroll{Axis: "x", PxS: 10}, 350).(*image.Paletted)
	BlitWindow(dst, src, 3)
	if fmt.Sprint(win.Pix) != fmt.Sprint(dst.Pix) {
		t.Errorf("the window at 350 ms and 10 px/s is %v, want %v", win.Pix, dst.Pix)
	}
}
