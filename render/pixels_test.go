package render

import (
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ledcast/playlists"
	"ledcast/playlists/manifest"
)

var update = flag.Bool("update", false, "write what was drawn over the golden frames")

// ascii draws an image as text: "." dark, "#" lit, "w" white, "y" yellow,
// "r" red, "g" green, "+" anything between.
func ascii(img image.Image) string {
	var b strings.Builder
	r := img.Bounds()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			k := color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)
			switch k {
			case ledBlack:
				b.WriteByte('.')
			case ledWhite:
				b.WriteByte('#')
			case ledYellow:
				b.WriteByte('y')
			case ledRed:
				b.WriteByte('r')
			case ledGreen:
				b.WriteByte('g')
			default:
				b.WriteByte('+')
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func text(body string) *playlists.Message {
	return &playlists.Message{ID: "text", Owner: playlists.Public, Variants: []playlists.Variant{{Lang: "vi", Body: body}}}
}

func drawOne(t testing.TB, r *Renderer, m *playlists.Message, class string) image.Image {
	t.Helper()
	a, err := r.Message(m, mustClass(t, class), Options{})
	if err != nil {
		t.Fatal(err)
	}
	img, err := DecodeFrame(a.Frames[a.Steps[0].Frame].Data)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// Stacked marks stand whole, dot for dot, and the text is centred by its ink.
func TestPixelsOfASmallFace(t *testing.T) {
	got := ascii(drawOne(t, mustNew(t), text("Ẫ ậ"), "24x18-red"))
	want := strings.TrimLeft(`
........................
......##.#..............
.....#..#...............
........................
.......#................
......#.#...............
.................#......
.......#........#.#.....
......#.#...............
......#.#......####.....
......#.#..........#....
.....#####......####....
.....#...#.....#...#....
.....#...#.....#...#....
.....#...#......####....
........................
.................#......
........................
`, "\n")
	if got != want {
		t.Errorf("drawn:\n%s\nwant:\n%s", got, want)
	}
}

func TestRedGreenHasFourColours(t *testing.T) {
	m := text("AB")
	m.Theme = "000000/ff0000/ffff00"
	m.Variants[0].Headline = "C"
	img := drawOne(t, mustNew(t), m, "64x48-redgreen")
	got := ascii(img)
	for _, want := range []string{"y", "r"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
	if strings.ContainsAny(got, "+#g") {
		t.Errorf("other colours than the headline's yellow and the text's red in:\n%s", got)
	}
	p, ok := img.(*image.Paletted)
	if !ok || len(p.Palette) != 4 || p.Palette[1] != ledRed || p.Palette[2] != ledGreen || p.Palette[3] != ledYellow {
		t.Errorf("the file is a %T with palette %v, want the four of redgreen", img, p.Palette)
	}
}

// Golden frames: what the default content looks like. A change that is meant
// is looked at and then written with
//
//	go test ./render -run Golden -update
func TestGoldenFrames(t *testing.T) {
	r := mustNew(t)
	by, _ := defaultContent(t)
	for _, id := range []string{"bluezone-install", "5k", "5k-wash", "hotlines"} {
		for _, class := range []string{"64x32-red", "128x64-rgb", "128x64-redgreen", "320x160-rgb"} {
			a, err := r.Message(by[id], mustClass(t, class), Options{})
			if err != nil {
				t.Fatal(err)
			}
			for i := range a.Frames {
				golden(t, fmt.Sprintf("testdata/golden/%s-%s-%d.png", id, class, i+1), a.Frames[i].Data)
			}
		}
	}
}

// golden compares pixels, not bytes: another Go release may compress
// otherwise.
func golden(t *testing.T, name string, data []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatalf("%v; draw it with -update", err)
	}
	g, err := DecodeFrame(data)
	if err != nil {
		t.Fatal(err)
	}
	w, err := DecodeFrame(want)
	if err != nil {
		t.Fatal(err)
	}
	if n := differ(g, w); n != 0 {
		t.Errorf("%s: %d pixels differ; look at it, then write it with -update", name, n)
	}
}

// differ counts pixels that are not the same, or -1 for another size.
func differ(a, b image.Image) int {
	if a.Bounds() != b.Bounds() {
		return -1
	}
	n := 0
	r := a.Bounds()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if color.RGBAModel.Convert(a.At(x, y)) != color.RGBAModel.Convert(b.At(x, y)) {
				n++
			}
		}
	}
	return n
}

// docs/contact-sheet.png is what is drawn now. Written by
//
//	go run ./controller sheet assets/content.yaml --out docs/contact-sheet.png
func TestContactSheet(t *testing.T) {
	_, man := defaultContent(t)
	msgs := manifest.All[*playlists.Message](man)
	var classes []playlists.Class
	for _, c := range SheetClasses {
		classes = append(classes, mustClass(t, c))
	}
	if len(msgs) < 10 || len(classes) < 8 {
		t.Fatalf("%d messages on %d classes, want ten on eight", len(msgs), len(classes))
	}
	got, err := mustNew(t).Sheet(msgs, classes, Options{})
	if err != nil {
		t.Fatal(err)
	}
	const name = "../docs/contact-sheet.png"
	if *update {
		f, err := os.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := png.Encode(f, got); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	want, err := DecodeFrame(data)
	if err != nil {
		t.Fatal(err)
	}
	if n := differ(got, want); n != 0 {
		t.Errorf("%s: %d pixels differ; look at it, then write it with -update", name, n)
	}
}
