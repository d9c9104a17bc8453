package render

import (
	"errors"
	"image"
	"sync"
	"testing"

	"ledcast/playlists"
)

// Longer runs, one command each:
//
//	go test ./render -run '^$' -fuzz FuzzText  -fuzztime 2m
//	go test ./render -run '^$' -fuzz FuzzImage -fuzztime 2m
//	go test ./assets/bdf -run '^$' -fuzz FuzzParse -fuzztime 2m

var fuzzRenderer = sync.OnceValues(New)

// Whatever a text holds, it is drawn within the face or refused with what,
// where and what to do; never a panic, never a frame of another size.
func FuzzText(f *testing.F) {
	for i, s := range []string{"Thực hiện 5K: Khẩu trang – Khử khuẩn", "Ẫ", "\u0301", "a\u200fb", "1900\u00a09095",
		"http://a.b/c", "x\n\n\ny",
		"Donaudampfschifffahrtsgesellschaft", "— – — –", "₫ € →", "😷", "\x00", ".", "(((((", "bluezone.gov.vn..", "ﷺ"} {
		f.Add("", s, uint8(i), uint16(64), uint16(32), i%2 == 0)
	}
	colours := playlists.Colours
	f.Fuzz(func(t *testing.T, head, body string, colour uint8, w, h uint16, noScroll bool) {
		c := playlists.Class{W: int(w), H: int(h), Colour: colours[int(colour)%len(colours)]}
		if c.W*c.H > 400*200 {
			t.Skip("large faces take long and differ in nothing")
		}
		r, err := fuzzRenderer()
		if err != nil {
			t.Fatal(err)
		}
		m := &playlists.Message{ID: "fuzz", Owner: playlists.Public,
			Variants: []playlists.Variant{{Lang: "vi", Headline: head, Body: body}}}
		o := Options{}
		if noScroll {
			o.Motion = playlists.Stills
		}
		a, err := r.Message(m, c, o)
		if err != nil {
			var e *playlists.Error
			if !errors.As(err, &e) || e.English().Title == "" || e.English().Remedy == "" {
				t.Fatalf("%q, %q on %s: %v", head, body, c, err)
			}
			return
		}
		if len(a.Steps) == 0 {
			t.Fatalf("%q on %s became nothing", body, c)
		}
		for _, s := range a.Steps {
			fr := a.Frames[s.Frame]
			img, err := DecodeFrame(fr.Data)
			if err != nil {
				t.Fatal(err)
			}
			if img.Bounds() != image.Rect(0, 0, int(fr.W), int(fr.H)) || fr.H != int64(c.H) || s.Scroll == nil &&
				fr.W != int64(c.W) || s.MS < minStepMS {
				t.Fatalf("%q on %s: step %+v, frame %+v, pixels %v", body, c, s, fr.Frame, img.Bounds())
			}
		}
	})
}

// Whatever bytes are uploaded, they are a picture of the face's size or are
// refused.
func FuzzImage(f *testing.F) {
	f.Add(pngOf(f, photo(9, 7)), uint8(0))
	f.Add(jpegOf(f, photo(16, 16)), uint8(1))
	f.Add(withOrientation(jpegOf(f, photo(16, 8)), 6), uint8(2))
	f.Add(gifOf(f, 3, 8, 8, 10), uint8(3))
	f.Add(pngClaiming(250000, 200000), uint8(0))
	f.Add([]byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"),
		uint8(0))
	f.Fuzz(func(t *testing.T, data []byte, how uint8) {
		r, err := fuzzRenderer()
		if err != nil {
			t.Fatal(err)
		}
		m := &playlists.Message{ID: "fuzz", Owner: playlists.Public,
			Image: &playlists.Image{Media: "x", Fit: []string{"", "fit", "fill", "stretch"}[how%4], FocalX: int(how)}}
		c := playlists.Class{W: 32, H: 16, Colour: playlists.Colours[int(how)%len(playlists.Colours)]}
		a, err := r.Message(m, c, Options{Media: func(string) ([]byte, error) { return data, nil }})
		var e *playlists.Error
		if err != nil && (!errors.As(err, &e) || e.English().Title == "") {
			t.Fatal(err)
		}
		if err == nil {
			for _, fr := range a.Frames {
				if img, err := DecodeFrame(fr.Data); err != nil || img.Bounds() != image.Rect(0, 0, 32, 16) {
					t.Fatalf("frame %+v: %v", fr.Frame, err)
				}
			}
		}
		if _, _, err := CleanMedia("x", data); err != nil && !errors.As(err, &e) {
			t.Fatal(err)
		}
	})
}
