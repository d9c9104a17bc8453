package render

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"image"
	"slices"
	"sync"
	"testing"

	"ledcast/playlists"
	"ledcast/playlists/manifest"
)

// chunks lists a PNG's chunks and their data, checking lengths and sums as a
// sign's simplest decoder would.
func chunks(t *testing.T, data []byte) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	if !bytes.HasPrefix(data, pngSignature) {
		t.Fatal("no PNG signature")
	}
	for b := data[8:]; len(b) > 0; {
		n := binary.BigEndian.Uint32(b)
		name, body := string(b[4:8]), b[8:8+n]
		if crc32.ChecksumIEEE(b[4:8+n]) != binary.BigEndian.Uint32(b[8+n:]) {
			t.Fatalf("chunk %s has a wrong sum", name)
		}
		out[name] = body
		b = b[12+n:]
	}
	return out
}

// The profile of docs/protocol.md, Signed documents: at most 8 bits, not interlaced, no alpha, no tRNS; a
// one-colour face has depth 1 and 1 is lit; redgreen has its own palette.
func TestFramesKeepTheProfile(t *testing.T) {
	r := mustNew(t)
	by, _ := defaultContent(t)
	for _, class := range []string{"64x32-red", "64x32-white", "128x64-redgreen", "128x64-rgb", "320x160-rgb",
		"1920x1080-rgb"} {
		c := mustClass(t, class)
		a, err := r.Message(by["bluezone-install"], c, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range a.Frames {
			sum := sha256.Sum256(f.Data)
			if f.SHA256 != hex.EncodeToString(sum[:]) || f.Len != int64(len(f.Data)) || f.Type != "image/png" ||
				f.W != int64(c.W) || f.H != int64(c.H) || f.Owner != playlists.Public {
				t.Errorf("%s frame %d is described as %+v", class, i, f.Frame)
			}
			k := chunks(t, f.Data)
			head := k["IHDR"]
			depth, kind, interlace := head[8], head[9], head[12]
			if kind != 3 || interlace != 0 || depth > 8 || k["tRNS"] != nil {
				t.Errorf("%s frame %d: depth %d, colour type %d, interlace %d, tRNS %v", class, i, depth, kind, interlace,
					k["tRNS"])
			}
			switch {
			case c.Colour.OneBit():
				if depth != 1 || !bytes.Equal(k["PLTE"], []byte{0, 0, 0, 255, 255, 255}) {
					t.Errorf("%s frame %d: depth %d, palette %x", class, i, depth, k["PLTE"])
				}
			case c.Colour == playlists.RedGreen:
				if depth != 2 || !bytes.Equal(k["PLTE"], []byte{0, 0, 0, 255, 0, 0, 0, 255, 0, 255, 255, 0}) {
					t.Errorf("%s frame %d: depth %d, palette %x", class, i, depth, k["PLTE"])
				}
			}
		}
		for _, s := range a.Steps {
			if s.Frame < 0 || s.Frame >= int64(len(a.Frames)) || s.MS < 2000 {
				t.Errorf("%s: step %+v of %d frames", class, s, len(a.Frames))
			}
		}
	}
}

// The same input gives the same bytes, whatever was drawn before and however
// many draw at once.
func TestDrawingIsDeterministic(t *testing.T) {
	_, man := defaultContent(t)
	c := mustClass(t, "128x64-rgb")
	draw := func(r *Renderer, m *playlists.Message) string {
		a, err := r.Message(m, c, Options{})
		if err != nil {
			t.Error(err)
			return ""
		}
		s := ""
		for _, f := range a.Frames {
			s += f.SHA256 + " "
		}
		return s
	}
	want := make([]string, len(manifest.All[*playlists.Message](man)))
	for i := range manifest.All[*playlists.Message](man) {
		want[i] = draw(mustNew(t), manifest.All[*playlists.Message](man)[i]) // each with fonts that drew nothing yet
	}
	shared := mustNew(t)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for k := range manifest.All[*playlists.Message](man) {
				i := (k + 3*g) % len(manifest.All[*playlists.Message](man))
				if got := draw(shared, manifest.All[*playlists.Message](man)[i]); got != want[i] {
					t.Errorf("%s drawn beside others: %s, want %s", manifest.All[*playlists.Message](man)[i].ID, got, want[i])
				}
			}
		})
	}
	wg.Wait()
}

// No ink is cut at an edge: every letter's mask lies on the face, on every
// class, with the tallest stacks and deepest tails there are.
func TestNothingIsClipped(t *testing.T) {
	f, err := newFonts()
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{"ẪẤỖ ĐẶT NGHIÊNG", "ỨỪỮỬỰ ẬẶỘỢỤ gypqj", "Ặ", "Thực hiện 5K: Khẩu trang – Khử khuẩn",
		"(QUẢNG NGÃI) Ỹỵ"}
	for _, class := range []string{"48x24-red", "64x32-red", "96x48-rgb", "128x64-rgb", "96x192-rgb", "192x96-red",
		"320x160-rgb", "1920x1080-rgb", "384x32-amber"} {
		l := &layouter{fonts: f, class: mustClass(t, class), style: styleOf(mustClass(t, class))}
		for _, s := range texts {
			m := text(s)
			m.Variants[0].Headline = "ĐẶNG ẪẤỖ"
			lay, err := l.message(m, Options{Motion: playlists.Stills})
			if err != nil {
				t.Errorf("%q on %s: %v", s, class, err)
				continue
			}
			for i, sc := range lay.scenes {
				checkInk(t, f, l.class, fmt.Sprintf("%q on %s, page %d", s, class, i+1), sc.card)
			}
		}
	}
}

// checkInk finds letters beyond the face, and lines of which one's letters
// overlap another's.
func checkInk(t *testing.T, f *fonts, c playlists.Class, what string, k *card) {
	t.Helper()
	face := image.Rect(0, 0, c.W, c.H)
	owner := map[image.Point]int{}
	line := 0
	for _, s := range k.sets {
		fc := f.face(s.run.fam, s.px)
		for i, sp := range s.spans {
			line++
			err := s.run.each(fc, sp, s.at[i].x, func(g *glyph, x int) {
				for p, cov := range g.a {
					if cov < threshold {
						continue
					}
					at := image.Pt(x+g.x+p%g.w, s.at[i].y+g.y+p/g.w)
					if !at.In(face) {
						t.Errorf("%s: ink at %v is off the face", what, at)
					}
					if o := owner[at]; o != 0 && o != line {
						t.Errorf("%s: lines %d and %d touch at %v", what, o, line, at)
					}
					owner[at] = line
				}
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestLinesBreakAtSense(t *testing.T) {
	f, err := newFonts()
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct {
		text, class string
		want        []string // lines over all pages
	}{
		{"Thực hiện 5K: Khẩu trang – Khử khuẩn", "128x64-rgb", []string{"Thực hiện 5K:", "Khẩu trang –", "Khử khuẩn"}},
		{"Thực hiện 5K: Khẩu trang – Khử khuẩn", "64x32-red", []string{"Thực hiện 5K:", "Khẩu trang –", "Khử khuẩn"}},
		{"Gọi 1900\u00a09095 ngay khi sốt", "96x48-rgb", []string{"Gọi", "1900\u00a09095", "ngay khi sốt"}},
		{"một\nhai", "128x64-rgb", []string{"một", "hai"}},
	} {
		l := &layouter{fonts: f, class: mustClass(t, k.class), style: styleOf(mustClass(t, k.class))}
		lay, err := l.message(text(k.text), Options{Motion: playlists.Stills})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, sc := range lay.scenes {
			for _, s := range sc.card.sets {
				for _, sp := range s.spans {
					got = append(got, lineText(s.run, sp))
				}
			}
		}
		if k.text == "Gọi 1900\u00a09095 ngay khi sốt" {
			for _, line := range got {
				if slices.Contains([]string{"1900", "9095", "Gọi 1900"}, line) {
					t.Errorf("%q on %s is broken at its no-break space: %q", k.text, k.class, got)
				}
			}
			continue
		}
		if !slices.Equal(got, k.want) {
			t.Errorf("%q on %s breaks into %q, want %q", k.text, k.class, got, k.want)
		}
	}
}

func lineText(r *run, s span) string {
	line := ""
	for i := s.from; i < s.to; i++ {
		line += r.words[i].s
		if i < s.to-1 {
			if r.words[i].spaced {
				line += " "
			} else if r.words[i].after == afterGlued {
				line += string(nbsp)
			}
		}
	}
	return line
}

func TestReadingTimes(t *testing.T) {
	for _, k := range []struct {
		text, lang string
		want       int64
	}{
		{"khẩu", "vi", 500}, {"nghiêng,", "vi", 500}, {"Bluezone", "vi", 1000}, {"1900", "vi", 1000},
		{"–", "vi", 0}, {"mask", "en", 1000}, {"of", "en", 500}, {"communications", "en", 2000}, {"19:30", "vi", 1500},
	} {
		if got := readMS(k.text, k.lang); got != k.want {
			t.Errorf("%q in %s takes %d ms, want %d", k.text, k.lang, got, k.want)
		}
	}
	if got := pageMS(3, 1000); got != 6000 {
		t.Errorf("three short lines stand %d ms, want 2 s each", got)
	}
}

// Cards of the default content are small.
func TestCardsAreSmall(t *testing.T) {
	r := mustNew(t)
	_, man := defaultContent(t)
	for _, k := range []struct {
		class string
		most  int // bytes a card, on average
	}{{"64x32-rgb", 484}, {"128x64-rgb", 1100}, {"320x160-rgb", 3200}, {"1920x1080-rgb", 30000}} {
		total, n, most := 0, 0, 0
		for i := range manifest.All[*playlists.Message](man) {
			a, err := r.Message(manifest.All[*playlists.Message](man)[i], mustClass(t, k.class), Options{})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range a.Frames {
				total, n, most = total+len(f.Data), n+1, max(most, len(f.Data))
			}
		}
		t.Logf("%s: %d bytes a card on average, %d at most", k.class, total/n, most)
		if total/n > k.most {
			t.Errorf("%s: %d bytes a card, over %d", k.class, total/n, k.most)
		}
	}
}
