package artwork

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"ledcast/playlists"
	"ledcast/render"
)

func newCache(t *testing.T, media Media, max int64) *Cache {
	t.Helper()
	r, err := render.New()
	if err != nil {
		t.Fatal(err)
	}
	return New(r, media, max)
}

func message(body string) *playlists.Message {
	return &playlists.Message{ID: "m1", Owner: "viet-ads", Variants: []playlists.Variant{{Lang: "vi", Body: body}}}
}

var class = playlists.Class{W: 64, H: 32, Colour: playlists.Red}

func draw(t *testing.T, c *Cache, m *playlists.Message, o playlists.Motion) *playlists.Artwork {
	t.Helper()
	a, err := c.Artwork(t.Context(), m, class, o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestSameArtworkDrawnOnce checks that concurrent and later callers share one drawing.
func TestSameArtworkDrawnOnce(t *testing.T) {
	c := newCache(t, nil, 1<<20)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := c.Artwork(t.Context(), message("Rửa tay"), class, playlists.Scrolls); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	// The ID, the campaign and the source are not drawn.
	m := message("Rửa tay")
	m.ID, m.Campaign, m.Source = "m2", "x", &playlists.Source{Title: "y", Date: "2021-01-30"}
	draw(t, c, m, playlists.Scrolls)
	if kept, _, drawn := c.Stats(); kept != 1 || drawn != 1 {
		t.Errorf("drawn %d times, kept %d", drawn, kept)
	}
	// Everything else changes the artwork.
	other := message("Rửa tay")
	other.Theme = "health"
	draw(t, c, other, playlists.Scrolls)
	draw(t, c, message("Rửa tay!"), playlists.Scrolls)
	draw(t, c, message("Rửa tay"), playlists.Stills)
	foreign := message("Rửa tay")
	foreign.Owner = "song-tra" // frames are published under their owner
	draw(t, c, foreign, playlists.Scrolls)
	if _, _, drawn := c.Stats(); drawn != 5 {
		t.Errorf("drawn %d times, want 5", drawn)
	}
}

func TestCacheLimit(t *testing.T) {
	c := newCache(t, nil, 4000)
	for i := range 50 {
		draw(t, c, message(fmt.Sprintf("Tin %d", i)), playlists.Scrolls)
	}
	kept, size, _ := c.Stats()
	if size > 4000 || kept == 0 || kept > 10 {
		t.Errorf("%d artworks of %d bytes are cached, want at most 10 and 4000 bytes", kept, size)
	}
	// The most recently used artwork is still cached.
	_, _, before := c.Stats()
	draw(t, c, message("Tin 49"), playlists.Scrolls)
	if _, _, drawn := c.Stats(); drawn != before {
		t.Error("the most recently used artwork was removed")
	}
}

func TestErrorsNotCached(t *testing.T) {
	c := newCache(t, nil, 1<<20)
	for range 2 {
		_, err := c.Artwork(t.Context(), message("Ж"), class, playlists.Scrolls)
		var e *playlists.Error
		if !errors.As(err, &e) {
			t.Fatalf("got %v", err)
		}
	}
	if kept, _, drawn := c.Stats(); kept != 0 || drawn != 2 {
		t.Errorf("cached %d, drawn %d; want 0 and 2", kept, drawn)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Artwork(ctx, message("Rửa tay thật lâu"), class, playlists.Scrolls); err != nil &&
		!errors.Is(err, context.Canceled) {
		t.Errorf("with a cancelled context: %v", err)
	}
}

func picture(t *testing.T, k color.Color) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 8, 8))
	for i := range 64 {
		img.Set(i%8, i/8, k)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestUploads(t *testing.T) {
	dir := t.TempDir()
	u, err := OpenUploads(filepath.Join(dir, "media"))
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	up, err := u.Put("viet-ads", "logo", picture(t, color.White))
	if err != nil {
		t.Fatal(err)
	}
	if up.W != 8 || up.H != 8 || up.Type != "image/png" || up.Frames != 1 || !digest.MatchString(up.ID) {
		t.Errorf("stored as %+v", up)
	}
	again, err := u.Put("viet-ads", "logo", picture(t, color.White))
	if err != nil || again.ID != up.ID {
		t.Errorf("the same picture again: %+v, %v", again, err)
	}
	if ids, err := u.List("viet-ads"); err != nil || len(ids) != 1 {
		t.Errorf("listed %v, %v", ids, err)
	}
	if ids, err := u.List("nobody"); err != nil || len(ids) != 0 {
		t.Errorf("an owner without pictures has %v, %v", ids, err)
	}
	// A message can use only its owner's pictures.
	c := newCache(t, u.Get, 1<<20)
	m := &playlists.Message{ID: "m1", Owner: "viet-ads", Image: &playlists.Image{Media: up.ID}}
	draw(t, c, m, playlists.Scrolls)
	stranger := *m
	stranger.Owner = "song-tra"
	var e *playlists.Error
	if _, err := c.Artwork(t.Context(), &stranger, class, playlists.Scrolls); !errors.As(err, &e) ||
		e.Code != playlists.NotFound {
		t.Errorf("another owner's picture: %v", err)
	}
	if err := u.Remove("viet-ads", up.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Get("viet-ads", up.ID); !errors.As(err, &e) || e.Code != playlists.NotFound {
		t.Errorf("a removed picture: %v", err)
	}
}

// TestUploadsConfined checks that no name leads out of the directory, and that only pictures are stored.
func TestUploadsConfined(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	u, err := OpenUploads(filepath.Join(dir, "media"))
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	for _, k := range [][2]string{{"viet-ads", "../secret"}, {"viet-ads", "../../secret"}, {"..", "secret"},
		{"../x", strings.Repeat("a", 64)},
		{"viet-ads", "/etc/passwd"}, {"viet-ads", ""}, {"", strings.Repeat("a", 64)}, {"viet-ads", strings.Repeat("a", 64)}} {
		var e *playlists.Error
		if _, err := u.Get(k[0], k[1]); !errors.As(err, &e) {
			t.Errorf("%q of %q: %v", k[1], k[0], err)
		}
		if err := u.Remove(k[0], k[1]); !errors.As(err, &e) {
			t.Errorf("removing %q of %q: %v", k[1], k[0], err)
		}
	}
	// A symbolic link does not lead out of the directory.
	if err := os.Mkdir(filepath.Join(dir, "media", "viet-ads"), 0o700); err != nil {
		t.Fatal(err)
	}
	name := strings.Repeat("b", 64)
	if err := os.Symlink(filepath.Join(dir, "secret"), filepath.Join(dir, "media", "viet-ads", name)); err != nil {
		t.Fatal(err)
	}
	if data, err := u.Get("viet-ads", name); err == nil {
		t.Errorf("Get followed a symbolic link to %q", data)
	}
	if _, err := u.Put("viet-ads", "logo", []byte("<script>")); err == nil {
		t.Error("a script was stored as a picture")
	}
	if _, err := u.Put("../viet", "logo", picture(t, color.White)); err == nil {
		t.Error("a picture was stored for an owner with a path")
	}
}

// TestKeyIncludesPicture checks that a message is drawn again if the bytes behind its picture's ID change.
func TestKeyIncludesPicture(t *testing.T) {
	now := picture(t, color.White)
	c := newCache(t, func(string, string) ([]byte, error) { return now, nil }, 1<<20)
	m := &playlists.Message{ID: "m1", Owner: "viet-ads", Image: &playlists.Image{Media: "x", Fit: "stretch"}}
	one := draw(t, c, m, playlists.Scrolls)
	now = picture(t, color.Black)
	two := draw(t, c, m, playlists.Scrolls)
	if one.Frames[0].SHA256 == two.Frames[0].SHA256 {
		t.Error("two pictures gave the same frame")
	}
}
