package output

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A face of two pixels on a screen of 4x3, at 1,1; want is the screen in hex
// while the face shows.
func TestFramebufferBytes(t *testing.T) {
	f := Face{Class: "2x1-rgb", Colour: "rgb", W: 2, H: 1}
	img := image.NewRGBA(image.Rect(0, 0, 2, 1))
	copy(img.Pix, []byte{0xff, 0x80, 0x08, 0xff, 0x10, 0x20, 0xf8, 0xff})
	for name, c := range map[string]struct {
		bits, stride int
		order        string
		want         string
	}{
		// ff8008: 11111 100000 00001; 1020f8: 00010 001000 11111.
		"16": {16, 0, "", zero(8) + "0000" + "01fc" + "1f11" + "0000" + zero(8)},
		"24": {24, 0, "", zero(12) + "000000" + "0880ff" + "f82010" + "000000" + zero(12)},
		"32": {32, 0, "", zero(16) + "00000000" + "0880ff00" + "f8201000" + "00000000" + zero(16)},
		// Rows of 20 bytes: a gap of four after the 16 that are seen.
		"32 with a gap": {32, 20, "", zero(20) + "00000000" + "0880ff00" + "f8201000" + "00000000" + "00000000" + zero(20)},
		"24 as bgr":     {24, 0, "bgr", zero(12) + "000000" + "ff8008" + "1020f8" + "000000" + zero(12)},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "fb")
			// A console was there before.
			if err := os.WriteFile(path, bytes.Repeat([]byte("login: "), 6), 0o600); err != nil {
				t.Fatal(err)
			}
			maps := map[string]Map{"fb": {Gamma: 1, ColourOrder: c.order, X: 1, Y: 1,
				Screen: &Screen{Width: 4, Height: 3, Bits: c.bits, Stride: c.stride}}}
			o, err := Open("fb:"+path, f, maps, nil)
			if err != nil {
				t.Fatal(err)
			}
			size := len(c.want) / 2
			if got := screenBytes(t, path, size); got != strings.Repeat("00", size) {
				t.Errorf("before the first picture: %s", got)
			}
			if err := o.Show(Picture{Image: img, Percent: 100}); err != nil {
				t.Fatal(err)
			}
			if got := screenBytes(t, path, size); got != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
			if err := o.Close(); err != nil {
				t.Fatal(err)
			}
			if got := screenBytes(t, path, size); got != strings.Repeat("00", size) {
				t.Errorf("after the end: %s", got)
			}
		})
	}
}

func zero(bytes int) string { return strings.Repeat("00", bytes) }

func screenBytes(t *testing.T, path string, size int) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) < size {
		t.Fatalf("%d bytes, want %d", len(data), size)
	}
	return hex.EncodeToString(data[:size])
}

// A face as wide as the screen goes out in one write; panels fill rows of
// raster_width.
func TestFramebufferRaster(t *testing.T) {
	f := Face{Class: "4x2-rgb", Colour: "rgb", W: 4, H: 2}
	path := filepath.Join(t.TempDir(), "fb")
	maps := map[string]Map{"fb": {Gamma: 1, Panel: Size{2, 2}, Panels: []Place{{X: 2}, {X: 0}}, RasterWidth: 2,
		Screen: &Screen{Width: 2, Height: 4, Bits: 24}}}
	o, err := Open("fb:"+path, f, maps, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if err := o.Show(Picture{Image: letters(f), Percent: 100}); err != nil {
		t.Fatal(err)
	}
	// CD / GH / AB / EF, red last of each three.
	if got, want := screenBytes(t, path, 24), "000002000003000006000007000000000001000004000005"; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestFramebufferForm(t *testing.T) {
	sysfs := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(sysfs, "fb0"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(sysfs, "fb0", name), []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("virtual_size", "1920,1080")
	write("bits_per_pixel", "32")
	write("stride", "7680")
	s, err := readScreen(filepath.Join(sysfs, "fb0"))
	if want := (Screen{1920, 1080, 32, 7680}); err != nil || s != want {
		t.Errorf("read %+v (%v), want %+v", s, err, want)
	}
	write("stride", "wide")
	if _, err := readScreen(filepath.Join(sysfs, "fb0")); err == nil || !strings.Contains(err.Error(), "wide") {
		t.Errorf("err %v", err)
	}
	f := Face{Class: "4x2-rgb", Colour: "rgb", W: 4, H: 2}
	path := filepath.Join(t.TempDir(), "fb")
	if _, err := Open("fb:"+path, f, nil, nil); err == nil || !strings.Contains(err.Error(), `"screen"`) {
		t.Errorf("a file without a form: %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a file was made for a device that is not there")
	}
	for want, m := range map[string]Map{
		"screen.bits 8":  {Screen: &Screen{Width: 9, Height: 9, Bits: 8}},
		"rows of 3":      {Screen: &Screen{Width: 9, Height: 9, Bits: 16, Stride: 3}},
		"screen of 4x1":  {Screen: &Screen{Width: 4, Height: 1, Bits: 16}},
		"at 6,0":         {X: 6, Screen: &Screen{Width: 9, Height: 9, Bits: 16}},
		"at -1,0":        {X: -1, Screen: &Screen{Width: 9, Height: 9, Bits: 16}},
		"0x9 pixels and": {Screen: &Screen{Height: 9, Bits: 16}},
	} {
		if _, err := Open("fb:"+path, f, map[string]Map{"fb": m}, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v; it should name %s", err, want)
		}
	}
}

// Terminal and PNG show the frame's own pixels, unless a map is given: then
// they show what LEDs would be sent.
func TestMappedFolder(t *testing.T) {
	f := Face{Sign: "qn-001", Class: "4x2-red", Colour: "red", W: 4, H: 2}
	img := image.NewRGBA(image.Rect(0, 0, 4, 2))
	copy(img.Pix, []byte{255, 255, 255, 255})
	for _, c := range []struct {
		maps map[string]Map
		want string
	}{
		{nil, "4x2 first ffffff"},
		{map[string]Map{"png": {Rotate: 270}}, "2x4 last 800c00"},
	} {
		dir := t.TempDir()
		o, err := Open("png:"+dir, f, c.maps, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := o.Show(Picture{Image: img, Percent: 50, Changed: true}); err != nil {
			t.Fatal(err)
		}
		_ = o.Close()
		file, err := os.Open(filepath.Join(dir, "face.png"))
		if err != nil {
			t.Fatal(err)
		}
		face, _, err := image.Decode(file)
		_ = file.Close()
		if err != nil {
			t.Fatal(err)
		}
		b := face.Bounds()
		got := fmt.Sprintf("%dx%d", b.Dx(), b.Dy())
		for where, p := range map[string]image.Point{"first": b.Min, "last": {b.Min.X, b.Max.Y - 1}} {
			if r, g, bl, _ := face.At(p.X, p.Y).RGBA(); r > 0 {
				got += fmt.Sprintf(" %s %02x%02x%02x", where, r>>8, g>>8, bl>>8)
			}
		}
		if got != c.want {
			t.Errorf("%v: %s, want %s", c.maps, got, c.want)
		}
	}
}
