package output

import (
	"encoding/json"
	"fmt"
	"image"
	"strings"
	"testing"
)

// letters is a face whose pixels are told apart by their red: A is 0, B 1, …
func letters(f Face) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, f.W, f.H))
	for i := range f.W * f.H {
		img.Pix[4*i], img.Pix[4*i+3] = byte(i), 255
	}
	return img
}

// wire is the face's pixels in the order of the wire, as letters.
func wireOrder(t *testing.T, m Map, f Face) string {
	t.Helper()
	l, err := m.compile(f, 1)
	if err != nil {
		t.Fatal(err)
	}
	leds := make([]byte, 3*len(l.from))
	if err := l.leds(leds, Picture{Image: letters(f), Percent: 100}); err != nil {
		t.Fatal(err)
	}
	var s strings.Builder
	for i := range l.from {
		s.WriteByte('A' + leds[3*i])
	}
	return s.String()
}

// Each want was found with a pencil on this face:
//
//	A B C D
//	E F G H
func TestWireOrder(t *testing.T) {
	f := Face{Class: "4x2-rgb", Colour: "rgb", W: 4, H: 2}
	for config, want := range map[string]string{
		`{}`:                                 "ABCDEFGH",
		`{"wiring":{"serpentine":true}}`:     "ABCDHGFE",
		`{"wiring":{"lines":"columns"}}`:     "AEBFCGDH",
		`{"wiring":{"start":"top-right"}}`:   "DCBAHGFE",
		`{"wiring":{"start":"bottom-left"}}`: "EFGHABCD",
		`{"wiring":{"start":"bottom-right","lines":"columns","serpentine":true}}`: "HDCGFBAE",
		// Turned clockwise: EA / FB / GC / HD.
		`{"rotate":90}`:  "EAFBGCHD",
		`{"rotate":180}`: "HGFEDCBA",
		// DH / CG / BF / AE.
		`{"rotate":270}`: "DHCGBFAE",
		// Two panels side by side, the right one first.
		`{"panel":{"w":2,"h":2},"panels":[{"x":2,"y":0},{"x":0,"y":0}]}`: "CDGHABEF",
		// The second hangs upside down: its first LED is at its bottom right.
		`{"panel":{"w":2,"h":2},"panels":[{"x":0,"y":0},{"x":2,"y":0,"rotate":180}]}`: "ABEFHGDC",
		// A panel of 2 wide and 4 high lies on its side, turned clockwise: its
		// first LED is at the top right, its rows run downwards.
		`{"panel":{"w":2,"h":4},"panels":[{"x":0,"y":0,"rotate":90}]}`:  "DHCGBFAE",
		`{"panel":{"w":2,"h":4},"panels":[{"x":0,"y":0,"rotate":270}]}`: "EAFBGCHD",
		// A turned face of two panels, one above the other.
		`{"rotate":90,"panel":{"w":2,"h":2},"panels":[{"x":0,"y":2},{"x":0,"y":0}]}`: "GCHDEAFB",
		// One panel only, shown on two sides.
		`{"panel":{"w":2,"h":1},"panels":[{"x":1,"y":1},{"x":1,"y":1}]}`: "FGFG",
	} {
		var m Map
		if err := json.Unmarshal([]byte(config), &m); err != nil {
			t.Fatal(err)
		}
		if got := wireOrder(t, m, f); got != want {
			t.Errorf("%s: %s, want %s", config, got, want)
		}
	}
}

func TestMapsThatCannotBe(t *testing.T) {
	f := Face{Class: "4x2-rgb", Colour: "rgb", W: 4, H: 2}
	for config, want := range map[string]string{
		`{"gama":2}`:                                       `"gama"`,
		`{"wiring":{"snake":true}}`:                        `"snake"`,
		`{"gamma":-1}`:                                     "gamma -1",
		`{"colour_order":"rgbw"}`:                          `"rgbw"`,
		`{"colour_order":"rrb"}`:                           `"rrb"`,
		`{"rotate":45}`:                                    "rotate 45",
		`{"wiring":{"start":"middle"}}`:                    `"middle"`,
		`{"wiring":{"lines":"diagonals"}}`:                 `"diagonals"`,
		`{"panel":{"w":2}}`:                                "panel 2x0",
		`{"panel":{"w":2,"h":2},"panels":[{"x":3,"y":0}]}`: "panels[0]",
		`{"panels":[{"x":0,"y":0,"rotate":1}]}`:            "panels[0].rotate 1",
		`{"panels":[{"x":0,"y":0,"rotate":90}]}`:           "panels[0]",
		`{"raster_width":3}`:                               "raster_width 3",
	} {
		maps := map[string]Map{}
		err := json.Unmarshal([]byte(`{"ddp":`+config+`}`), &maps)
		if err == nil {
			_, err = Open("ddp:127.0.0.1", f, maps, nil)
		}
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "outputs") {
			t.Errorf("%s: the error is %v; it should name outputs and %s", config, err, want)
		}
	}
	if _, err := Open("ddp:127.0.0.1", f, map[string]Map{"dpp": {}}, nil); err == nil ||
		!strings.Contains(err.Error(), "outputs.dpp") {
		t.Errorf("a slip in an output's name: %v", err)
	}
	for _, spec := range []string{"", "ddp", "ddp:", "sacn", "fb:", "png:", "terminal:x", "hdmi:1"} {
		if _, err := Open(spec, f, nil, nil); err == nil || !strings.Contains(err.Error(), "ddp:HOST") {
			t.Errorf("%q: the error is %v; it should say what there is", spec, err)
		}
	}
	for _, spec := range []string{"ddp:127.0.0.1:0", "ddp:127.0.0.1:x", "sacn:host:70000"} {
		if _, err := Open(spec, f, nil, nil); err == nil {
			t.Errorf("%q was opened", spec)
		}
	}
}

func TestSpecGoesBeforeKind(t *testing.T) {
	f := Face{Class: "4x2-rgb", Colour: "rgb", W: 4, H: 2}
	// Only the map of the whole spec is wrong, so only it can be refused.
	maps := map[string]Map{"ddp": {}, "ddp:127.0.0.1": {Rotate: 1}}
	if _, err := Open("ddp:127.0.0.1", f, maps, nil); err == nil ||
		!strings.Contains(err.Error(), "outputs.ddp:127.0.0.1") {
		t.Errorf("err %v", err)
	}
	o, err := Open("ddp:127.0.0.2", f, maps, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = o.Close()
}

func one(colour string) Face { return Face{Class: "1x1-" + colour, Colour: colour, W: 1, H: 1} }

func pixel(t *testing.T, m Map, f Face, gamma float64, percent int64, rgba ...byte) string {
	t.Helper()
	l, err := m.compile(f, gamma)
	if err != nil {
		t.Fatal(err)
	}
	img := image.NewRGBA(image.Rect(0, 0, 1, 1))
	copy(img.Pix, rgba)
	var led [3]byte
	if err := l.leds(led[:], Picture{Image: img, Percent: percent}); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(led)
}

func TestGammaBrightnessAndColours(t *testing.T) {
	for _, c := range []struct {
		name    string
		m       Map
		f       Face
		gamma   float64
		percent int64
		pix     []byte
		want    string
	}{
		{"as it is", Map{}, one("rgb"), 1, 100, []byte{10, 128, 255, 255}, "[10 128 255]"},
		{"grb", Map{ColourOrder: "grb"}, one("rgb"), 1, 100, []byte{10, 128, 255, 255}, "[128 10 255]"},
		{"brg", Map{ColourOrder: "brg"}, one("rgb"), 1, 100, []byte{10, 128, 255, 255}, "[255 10 128]"},
		// 255·(128/255)^2.2 = 55.98; at 40 % 22.39: one rounding, not of 56·0.4 = 22.4.
		{"gamma", Map{}, one("rgb"), 2.2, 100, []byte{0, 128, 255, 255}, "[0 56 255]"},
		{"brightness in light", Map{}, one("rgb"), 2.2, 40, []byte{0, 128, 255, 255}, "[0 22 102]"},
		{"the map's gamma", Map{Gamma: 1}, one("rgb"), 2.2, 50, []byte{0, 100, 255, 255}, "[0 50 128]"},
		{"dark", Map{}, one("rgb"), 2.2, 0, []byte{255, 255, 255, 255}, "[0 0 0]"},
		{"amber lit", Map{}, one("amber"), 1, 100, []byte{255, 255, 255, 255}, "[255 150 0]"},
		{"amber unlit", Map{}, one("amber"), 1, 100, []byte{0, 0, 0, 255}, "[0 0 0]"},
		{"red at half", Map{}, one("red"), 2.2, 50, []byte{255, 255, 255, 255}, "[128 1 0]"},
		{"redgreen keeps its colours", Map{}, one("redgreen"), 2.2, 100, []byte{255, 255, 0, 255}, "[255 255 0]"},
	} {
		if got := pixel(t, c.m, c.f, c.gamma, c.percent, c.pix...); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// The tables follow a brightness that changes while nothing else does.
func TestBrightnessChanges(t *testing.T) {
	l, err := Map{}.compile(one("rgb"), 1)
	if err != nil {
		t.Fatal(err)
	}
	img := image.NewRGBA(image.Rect(0, 0, 1, 1))
	img.Pix[0] = 200
	var led [3]byte
	for percent, want := range map[int64]byte{100: 200, 50: 100, 0: 0, 25: 50} {
		if err := l.leds(led[:], Picture{Image: img, Percent: percent}); err != nil || led[0] != want {
			t.Errorf("%d percent of 200: %d (%v), want %d", percent, led[0], err, want)
		}
	}
}

func TestPictureOfAnotherSize(t *testing.T) {
	l, err := Map{}.compile(Face{Class: "4x2-rgb", Colour: "rgb", W: 4, H: 2}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []image.Rectangle{image.Rect(0, 0, 2, 4), image.Rect(0, 0, 4, 1), image.Rect(0, 0, 8, 2)} {
		if err := l.leds(make([]byte, 24), Picture{Image: image.NewRGBA(r), Percent: 100}); err == nil {
			t.Errorf("a picture of %v was taken", r)
		}
	}
}

func BenchmarkMap(b *testing.B) {
	for name, m := range map[string]Map{
		"320x160/rows": {},
		"320x160/panels": {ColourOrder: "grb", Rotate: 180, Wiring: Wiring{Start: "bottom-right",
			Lines: "columns", Serpentine: true},
			Panel: Size{64, 32}, Panels: grid(320, 160, 64, 32)},
	} {
		b.Run(name, func(b *testing.B) {
			f := Face{Class: "320x160-rgb", Colour: "rgb", W: 320, H: 160}
			l, err := m.compile(f, defaultGamma)
			if err != nil {
				b.Fatal(err)
			}
			p := Picture{Image: letters(f), Percent: 60}
			leds := make([]byte, 3*len(l.from))
			b.SetBytes(int64(len(leds)))
			b.ReportAllocs()
			for b.Loop() {
				if err := l.leds(leds, p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func grid(w, h, pw, ph int) (places []Place) {
	for y := 0; y < h; y += ph {
		for x := 0; x < w; x += pw {
			places = append(places, Place{X: x, Y: y})
		}
	}
	return places
}
