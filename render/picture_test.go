package render

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/draw"
	"testing"

	"ledcast/playlists"
)

func media(data []byte) Options {
	return Options{Media: func(string) ([]byte, error) { return data, nil }}
}

// quarters is a picture of four colours: red, green over blue, white.
func quarters(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for i, k := range []color.RGBA{ledRed, ledGreen, {0, 0, 255, 255}, ledWhite} {
		x, y := i%2*w/2, i/2*h/2
		draw.Draw(img, image.Rect(x, y, x+w/2, y+h/2), image.NewUniform(k), image.Point{}, draw.Src)
	}
	return img
}

// withOrientation puts an EXIF segment after a JPEG's first two bytes.
func withOrientation(data []byte, o uint16) []byte {
	seg := []byte("Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01")
	seg = binary.BigEndian.AppendUint16(seg, o)
	seg = append(seg, 0, 0, 0, 0, 0, 0)
	out := append([]byte{}, data[:2]...)
	out = append(out, 0xff, 0xe1)
	out = binary.BigEndian.AppendUint16(out, uint16(len(seg)+2))
	out = append(out, seg...)
	return append(out, data[2:]...)
}

func near(a, b color.RGBA) bool {
	d := func(x, y uint8) bool { return max(x, y)-min(x, y) < 60 }
	return d(a.R, b.R) && d(a.G, b.G) && d(a.B, b.B)
}

func TestOrientationIsApplied(t *testing.T) {
	r := mustNew(t)
	upright := quarters(64, 32)
	blue := color.RGBA{0, 0, 255, 255}
	// What stands at the upper left and upper right once upright, EXIF 2.32 table 6.
	for o, want := range map[uint16][2]color.RGBA{
		1: {ledRed, ledGreen}, 2: {ledGreen, ledRed}, 3: {ledWhite, blue}, 4: {blue, ledWhite},
		5: {ledRed, blue}, 6: {blue, ledRed}, 7: {ledWhite, ledGreen}, 8: {ledGreen, ledWhite},
	} {
		m := pictureMessage()
		m.Image.Fit = "stretch"
		a, err := r.Message(m, mustClass(t, "64x32-rgb"), media(withOrientation(jpegOf(t, upright), o)))
		if err != nil {
			t.Fatal(err)
		}
		img, err := DecodeFrame(a.Frames[0].Data)
		if err != nil {
			t.Fatal(err)
		}
		at := func(x, y int) color.RGBA { return color.RGBAModel.Convert(img.At(x, y)).(color.RGBA) }
		if !near(at(8, 4), want[0]) || !near(at(56, 4), want[1]) {
			t.Errorf("orientation %d: %v and %v above, want %v and %v", o, at(8, 4), at(56, 4), want[0], want[1])
		}
	}
}

func TestFitFillStretch(t *testing.T) {
	r := mustNew(t)
	data := pngOf(t, quarters(200, 200))
	draw := func(fit string, fx int) image.Image {
		m := pictureMessage()
		m.Image.Fit, m.Image.FocalX, m.Image.FocalY = fit, fx, 1
		a, err := r.Message(m, mustClass(t, "64x32-rgb"), media(data))
		if err != nil {
			t.Fatal(err)
		}
		img, err := DecodeFrame(a.Frames[0].Data)
		if err != nil {
			t.Fatal(err)
		}
		return img
	}
	at := func(img image.Image, x, y int) color.RGBA { return color.RGBAModel.Convert(img.At(x, y)).(color.RGBA) }
	fit := draw("fit", 0)
	if at(fit, 2, 16) != ledBlack || !near(at(fit, 20, 4), ledRed) || !near(at(fit, 44, 28), ledWhite) {
		t.Errorf("fit: %v at the side, %v and %v inside", at(fit, 2, 16), at(fit, 20, 4), at(fit, 44, 28))
	}
	stretch := draw("stretch", 0)
	if !near(at(stretch, 2, 2), ledRed) || !near(at(stretch, 62, 30), ledWhite) {
		t.Error("stretch does not reach the corners")
	}
	// Filled from the top: the lower half is cut off.
	fill := draw("fill", 50)
	if !near(at(fill, 2, 2), ledRed) || !near(at(fill, 62, 29), ledGreen) {
		t.Errorf("fill: %v and %v, want red and green", at(fill, 2, 2), at(fill, 62, 29))
	}
}

// A fine pattern of black and white has half the light of white, which is 188
// in sRGB; averaging sRGB values would give 128.
func TestScalingIsInLinearLight(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 512, 256))
	for i := range img.Pix {
		if (i%512+i/512)%2 == 0 {
			img.Pix[i] = 255
		}
	}
	out := resample(rowsOf(img), image.Pt(512, 256), 0, 0, 512, 256, image.Pt(64, 32))
	if v := out.RGBAAt(32, 16).R; v < 186 || v > 190 {
		t.Errorf("half the light is %d, want 188", v)
	}
}

// A plain colour stays itself at any size: the filter's weights sum to one.
func TestScalingKeepsColours(t *testing.T) {
	for _, k := range []color.RGBA{{0, 0, 0, 255}, {255, 255, 255, 255}, {128, 10, 200, 255}, {3, 77, 254, 255}} {
		img := image.NewRGBA(image.Rect(0, 0, 37, 23))
		draw.Draw(img, img.Rect, image.NewUniform(k), image.Point{}, draw.Src)
		for _, size := range []image.Point{{5, 3}, {37, 23}, {100, 64}} {
			out := resample(rowsOf(img), image.Pt(37, 23), 0, 0, 37, 23, size)
			got := out.RGBAAt(size.X/2, size.Y/2)
			for _, d := range []int{int(got.R) - int(k.R), int(got.G) - int(k.G), int(got.B) - int(k.B)} {
				if d < -1 || d > 1 {
					t.Errorf("%v at %v is %v", k, size, got)
				}
			}
		}
	}
}

func TestMovingPictures(t *testing.T) {
	r := mustNew(t)
	c := mustClass(t, "16x16-rgb")
	a, err := r.Message(pictureMessage(), c, media(gifOf(t, 5, 16, 16, 20)))
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Steps) != 5 || a.MS() != 1000 {
		t.Errorf("five frames of 200 ms became %d steps of %d ms in all", len(a.Steps), a.MS())
	}
	// A program sign that may not scroll shows a film at the film's own speed.
	o := media(gifOf(t, 5, 16, 16, 20))
	o.Motion = playlists.Stills
	if a, err = r.Message(pictureMessage(), c, o); err != nil || len(a.Steps) != 5 || a.MS() != 1000 {
		t.Errorf("without scrolling: %d steps of %d ms in all, %v", len(a.Steps), a.MS(), err)
	}
	// A picture sign takes two pictures a second: frames are dropped, not time.
	o = media(gifOf(t, 10, 16, 16, 20))
	o.Motion = playlists.Pictures
	if a, err = r.Message(pictureMessage(), c, o); err != nil {
		t.Fatal(err)
	}
	for _, s := range a.Steps {
		if s.MS < minPictureMS {
			t.Errorf("a step of %d ms on a picture sign", s.MS)
		}
	}
	if a.MS() < 1700 || a.MS() > 2300 {
		t.Errorf("two seconds became %d ms", a.MS())
	}
}

// A photo on a one-colour face is dithered in proportion to its light, its
// pattern does not crawl, and its caption is not dithered.
func TestDither(t *testing.T) {
	r := mustNew(t)
	grey := image.NewGray(image.Rect(0, 0, 64, 64))
	for i := range grey.Pix {
		grey.Pix[i] = 188 // half the light
	}
	m := pictureMessage()
	m.Image.Fit = "stretch"
	lit := func(m *playlists.Message) float64 {
		a, err := r.Message(m, mustClass(t, "64x64-red"), media(pngOf(t, grey)))
		if err != nil {
			t.Fatal(err)
		}
		img, err := DecodeFrame(a.Frames[0].Data)
		if err != nil {
			t.Fatal(err)
		}
		return APL(img, mustClass(t, "64x64-red"))
	}
	if v := lit(m); v < 0.47 || v > 0.53 {
		t.Errorf("half the light lights %.2f of the LEDs", v)
	}
	m.Variants = []playlists.Variant{{Lang: "vi", Caption: "Rửa tay"}}
	if v := lit(m); v > 0.47 {
		t.Errorf("with a caption %.2f of the LEDs are lit: its band is not dark", v)
	}
}

func TestPhotosAndDrawings(t *testing.T) {
	r := mustNew(t)
	c := mustClass(t, "128x64-rgb")
	for _, k := range []struct {
		name, kind, caption string
		data                []byte
	}{
		{"a photo", "image/jpeg", "", jpegOf(t, photo(400, 300))},
		{"a photo with words on it", "image/png", "Rửa tay", jpegOf(t, photo(400, 300))},
		{"a drawing", "image/png", "", pngOf(t, quarters(128, 64))},
	} {
		m := pictureMessage()
		if k.caption != "" {
			m.Variants = []playlists.Variant{{Lang: "vi", Caption: k.caption}}
		}
		a, err := r.Message(m, c, media(k.data))
		if err != nil {
			t.Fatal(err)
		}
		f := a.Frames[0]
		if f.Type != k.kind || f.W != 128 || f.H != 64 {
			t.Errorf("%s became %s of %d x %d", k.name, f.Type, f.W, f.H)
		}
		if k.kind == "image/png" && bytes.Contains(f.Data, []byte("tRNS")) {
			t.Errorf("%s has a tRNS chunk", k.name)
		}
	}
}

func TestCleanMedia(t *testing.T) {
	secret := []byte("Exif\x00\x00 taken at 15.12, 108.80")
	data := jpegOf(t, photo(64, 32))
	seg := append([]byte{0xff, 0xe1, 0, byte(len(secret) + 2)}, secret...)
	data = append(append(append([]byte{}, data[:2]...), seg...), data[2:]...)
	clean, info, err := CleanMedia("x", data)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(clean, []byte("108.80")) {
		t.Error("what the file carried besides pixels is kept")
	}
	if *info != (MediaInfo{"image/jpeg", 64, 32, 1}) {
		t.Errorf("described as %+v", info)
	}
	if _, info, err = CleanMedia("x", withOrientation(jpegOf(t, photo(64, 32)), 6)); err != nil || info.W != 32 ||
		info.H != 64 {
		t.Errorf("turned: %+v, %v", info, err)
	}
	if _, info, err = CleanMedia("x", gifOf(t, 3, 8, 8, 10)); err != nil || *info != (MediaInfo{"image/gif", 8, 8, 3}) {
		t.Errorf("moving: %+v, %v", info, err)
	}
}

func TestAPLAndBrightness(t *testing.T) {
	c := mustClass(t, "64x32-rgb")
	half := quarters(64, 32) // one LED of three, three times, and white: (1+1+1+3)/12
	if v := APL(half, c); v < 0.499 || v > 0.501 {
		t.Errorf("APL of four quarters is %.3f, want 0.5", v)
	}
	if b := Brightness(0.5, 0.4); b < 0.799 || b > 0.801 || Brightness(0.3, 0.4) != 1 || Brightness(0, 0.4) != 1 {
		t.Errorf("brightness for 0.5 of 0.4 is %.3f", b)
	}
}
