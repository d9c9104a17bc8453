package render

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"runtime"
	"strings"
	"testing"
	"time"

	"ledcast/playlists"
)

// within runs f and fails if it took more than 2 s or allocated a live heap of
// more than 64 MiB beyond what was there.
func within(t *testing.T, f func()) {
	t.Helper()
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	peak := make(chan uint64)
	stop := make(chan struct{})
	go func() {
		var most uint64
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
			select {
			case <-stop:
				peak <- most
				return
			case <-tick.C:
			}
		}
	}()
	start := time.Now()
	f()
	took := time.Since(start)
	close(stop)
	most := <-peak
	if took > 2*time.Second && !underRace {
		t.Errorf("took %v, more than 2 s", took)
	}
	if most > before.HeapAlloc+64<<20 {
		t.Errorf("took %d MiB, more than 64", (most-before.HeapAlloc)>>20)
	}
}

// refused demands an *playlists.Error that says a field, a problem and a
// remedy, each containing what is given.
func refused(t *testing.T, err error, field, problem string) {
	t.Helper()
	var e *playlists.Error
	if !errors.As(err, &e) {
		t.Errorf("got %v (%T), want a domain error", err, err)
		return
	}
	if !strings.Contains(e.Field, field) || !strings.Contains(e.English().Title, problem) || e.English().Remedy == "" ||
		strings.Contains(e.Error(), "\n") {
		t.Errorf("got %q (field %q), want field %q, problem %q, a remedy, one line", e.Error(), e.Field, field, problem)
	}
}

func TestTextsThatAreRefused(t *testing.T) {
	r := mustNew(t)
	c := mustClass(t, "128x64-rgb")
	for name, k := range map[string]struct{ text, problem string }{
		"letter without a glyph":    {"Привет", "no glyph"},
		"Chinese":                   {"你好", "no glyph"},
		"emoji":                     {"Rửa tay 😷", "emoji"},
		"emoji of two parts":        {"Việt Nam 🇻🇳", "emoji"},
		"keycap":                    {"5️⃣K", "emoji"},
		"control character":         {"Rửa\x07 tay", "control"},
		"tab":                       {"Rửa\ttay", "control"},
		"right-to-left mark":        {"Rửa\u200f tay", "invisible"},
		"right-to-left override":    {"Rửa\u202e tay", "invisible"},
		"zero width space":          {"Rửa\u200btay", "invisible"},
		"bare combining mark":       {"\u0301 tay", "combining"},
		"a mark that nothing takes": {"q\u0323\u0302", "combining"},
		"replacement character":     {"R\ufffda tay", "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			within(t, func() {
				_, err := r.Message(text(k.text), c, Options{})
				refused(t, err, "variants[0].body", k.problem)
			})
		})
	}
	empty := text(" \n ")
	if _, err := r.Message(empty, c, Options{}); err == nil {
		t.Error("an empty text was drawn")
	}
	within(t, func() {
		_, err := r.Message(text(strings.Repeat("a ", 500000)), c, Options{})
		refused(t, err, "body", "over the limit")
	})
}

func TestTextsThatAreTaken(t *testing.T) {
	r := mustNew(t)
	c := mustClass(t, "128x64-rgb")
	nfc, err := r.Message(text("Rửa tay bằng xà phòng"), c, Options{})
	if err != nil {
		t.Fatal(err)
	}
	nfd, err := r.Message(text("Rửa tay bằng xà phòng"), c, Options{}) // decomposed
	if err != nil {
		t.Fatal(err)
	}
	if nfc.Frames[0].SHA256 != nfd.Frames[0].SHA256 {
		t.Error("decomposed letters are drawn otherwise than composed ones")
	}
	crlf, err := r.Message(text("Rửa tay\r\nxà phòng"), c, Options{})
	if err != nil || crlf == nil {
		t.Errorf("a text with Windows line ends: %v", err)
	}
	// The longest text there may be scrolls, or is paged with a warning.
	long := text(strings.TrimSpace(strings.Repeat("Rửa tay ", 240)))
	within(t, func() {
		a, err := r.Message(long, c, Options{})
		if err != nil || a.Steps[0].Scroll == nil {
			t.Errorf("1,919 letters: %v", err)
		}
	})
	within(t, func() {
		a, err := r.Message(long, c, Options{Motion: playlists.Stills})
		if err != nil || len(a.Findings) == 0 || a.Findings[0].Code != "fit" {
			t.Errorf("1,919 letters in pages: %v, %+v", err, a)
		}
	})
	// A word wider than the face runs through, or is cut with a warning.
	word := text("Donaudampfschifffahrtsgesellschaft")
	small := mustClass(t, "64x32-red")
	if a, err := r.Message(word, small, Options{}); err != nil || a.Steps[0].Scroll == nil {
		t.Errorf("a long word: %v", err)
	}
	if a, err := r.Message(word, small, Options{Motion: playlists.Pictures}); err != nil || len(a.Findings) == 0 ||
		a.Steps[0].Scroll != nil {
		t.Errorf("a long word on a picture sign: %v", err)
	}
}

func TestMessagesThatAreRefused(t *testing.T) {
	r := mustNew(t)
	c := mustClass(t, "128x64-rgb")
	for name, k := range map[string]struct {
		change         func(*playlists.Message)
		field, problem string
	}{
		"theme without contrast": {func(m *playlists.Message) { m.Theme = "777777/888888" }, "theme", "contrast"},
		"unknown theme":          {func(m *playlists.Message) { m.Theme = "rainbow" }, "theme", "not a theme"},
		"unknown icon":           {func(m *playlists.Message) { m.Icon = "cat" }, "icon", "not an icon"},
		"QR text too long":       {func(m *playlists.Message) { m.QR = strings.Repeat("x", 400) }, "qr", "over the limit"},
		"no picture": {func(m *playlists.Message) { m.Image = &playlists.Image{Media: "x"} }, "image",
			"looked up"},
	} {
		m := text("Rửa tay")
		k.change(m)
		_, err := r.Message(m, c, Options{})
		t.Run(name, func(t *testing.T) { refused(t, err, k.field, k.problem) })
	}
	for _, class := range []playlists.Class{{}, {W: 999999, H: 999999, Colour: playlists.RGB},
		{W: 8192, H: 8192, Colour: playlists.RGB}, {W: 64, H: 32, Colour: "blue"}} {
		_, err := r.Message(text("Rửa tay"), class, Options{})
		refused(t, err, "class", "")
	}
	_, err := r.Message(text("Ặ"), mustClass(t, "8x8-red"), Options{})
	refused(t, err, "class", "no room")
	// A red theme is dark on a face without blue and hardly any red.
	m := text("Rửa tay")
	m.Theme = "000000/0000a0"
	_, err = r.Message(m, mustClass(t, "128x64-red"), Options{})
	refused(t, err, "theme", "contrast")
}

// pngClaiming is a PNG file of a few bytes that says it is w x h.
func pngClaiming(w, h uint32) []byte {
	var b bytes.Buffer
	b.Write(pngSignature)
	head := make([]byte, 17)
	copy(head, "IHDR")
	binary.BigEndian.PutUint32(head[4:], w)
	binary.BigEndian.PutUint32(head[8:], h)
	head[12], head[13] = 8, 2
	binary.Write(&b, binary.BigEndian, uint32(13))
	b.Write(head)
	binary.Write(&b, binary.BigEndian, crc32.ChecksumIEEE(head))
	return b.Bytes()
}

func photo(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetRGBA(x, y, color.RGBA{uint8(x), uint8(y), uint8(x ^ y), 255})
		}
	}
	return img
}

func jpegOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pngOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gifOf(t testing.TB, n, w, h, delay int) []byte {
	t.Helper()
	g := &gif.GIF{}
	pal := color.Palette{color.Black, color.White, color.RGBA{255, 0, 0, 255}}
	for i := range n {
		p := image.NewPaletted(image.Rect(0, 0, w, h), pal)
		p.Pix[i%len(p.Pix)] = 1
		g.Image, g.Delay = append(g.Image, p), append(g.Delay, delay)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pictureMessage() *playlists.Message {
	return &playlists.Message{ID: "picture", Owner: playlists.Public, Image: &playlists.Image{Media: "x"}}
}

func TestPicturesThatAreRefused(t *testing.T) {
	r := mustNew(t)
	c := mustClass(t, "128x64-rgb")
	whole := jpegOf(t, photo(400, 300))
	for name, k := range map[string]struct {
		data    []byte
		problem string
	}{
		"50 gigapixels":           {pngClaiming(250000, 200000), "too many to decode"},
		"a gigapixel":             {pngClaiming(32000, 32000), "too many to decode"},
		"GIF of 10,000 frames":    {gifOf(t, 10000, 8, 8, 4), "10000 frames"},
		"truncated JPEG":          {whole[:len(whole)/2], "damaged"},
		"JPEG without a size":     {whole[:12], "not a whole JPEG"},
		"truncated PNG":           {pngOf(t, photo(64, 64))[:200], "damaged"},
		"text":                    {[]byte("#!/bin/sh\necho"), "not a picture"},
		"SVG":                     {[]byte("<svg xmlns='http://www.w3.org/2000/svg'/>"), "not a picture"},
		"nothing":                 {nil, "not a picture"},
		"over the limit of bytes": {make([]byte, MaxMedia+1), "over the limit"},
	} {
		t.Run(name, func(t *testing.T) {
			within(t, func() {
				_, err := r.Message(pictureMessage(), c, Options{Media: func(string) ([]byte, error) { return k.data, nil }})
				refused(t, err, "image.media", k.problem)
			})
		})
	}
}

// The largest photo that is taken stays within memory and time, too.
func TestALargePhotoIsTaken(t *testing.T) {
	r := mustNew(t)
	img := image.NewYCbCr(image.Rect(0, 0, 4000, 3000), image.YCbCrSubsampleRatio420)
	for i := range img.Y {
		img.Y[i] = uint8(i * 7)
	}
	data := jpegOf(t, img)
	img = nil
	within(t, func() {
		a, err := r.Message(pictureMessage(), mustClass(t, "320x160-rgb"),
			Options{Media: func(string) ([]byte, error) { return data, nil }})
		if err != nil || len(a.Frames) != 1 || a.Frames[0].Len > planBytes {
			t.Errorf("12 megapixels: %v", err)
		}
	})
}

// What Message refuses is a finding in both languages, with none of the one in
// the other.
func TestRefusalInBothLanguages(t *testing.T) {
	m := &playlists.Message{ID: "vui", Owner: "a-co", Variants: []playlists.Variant{{Lang: "vi", Body: "Vui \U0001F600"}}}
	rep, err := mustNew(t).Check(m, mustClass(t, "64x32-red"), Options{}, Wants{})
	if err != nil {
		t.Fatal(err)
	}
	if len(rep.Findings) != 1 {
		t.Fatalf("findings: %+v", rep.Findings)
	}
	f := rep.Findings[0]
	if f.Level != playlists.Refuse ||
		f.Text.VI != "Không hiện được: Nội dung \"\U0001F600 (U+1F600)\" là biểu tượng cảm xúc, màn hình không hiện được." ||
		f.Remedy.VI != "Sửa lại: bỏ đi hoặc diễn đạt bằng lời." {
		t.Errorf("in Vietnamese: %q %q", f.Text.VI, f.Remedy.VI)
	}
	if f.Text.EN != "Cannot be shown: variants[0].body \"\U0001F600 (U+1F600)\" is an emoji, which signs do not show." ||
		f.Remedy.EN != "Correct it: leave it out or say it in words." {
		t.Errorf("in English: %q %q", f.Text.EN, f.Remedy.EN)
	}
}
