package render

import (
	"testing"

	"ledcast/assets"
	"ledcast/playlists"
	"ledcast/playlists/manifest"
)

// defaultContent is the department's messages, by id, and their rotation.
func defaultContent(t testing.TB) (map[string]*playlists.Message, *manifest.Manifest) {
	t.Helper()
	m, err := manifest.Parse("content.yaml", assets.DefaultContent)
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]*playlists.Message{}
	for i := range manifest.All[*playlists.Message](m) {
		by[manifest.All[*playlists.Message](m)[i].ID] = manifest.All[*playlists.Message](m)[i]
	}
	return by, m
}

func mustClass(t testing.TB, s string) playlists.Class {
	t.Helper()
	c, err := playlists.ParseClass(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func mustNew(t testing.TB) *Renderer {
	t.Helper()
	r, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Every default message can be read within its dwell on each of the demo's
// classes, so that all signs change message at the same moment.
func TestDefaultContentFitsItsDwell(t *testing.T) {
	by, m := defaultContent(t)
	r := mustNew(t)
	if len(manifest.All[*playlists.Message](m)) < 10 || len(manifest.All[*playlists.Owner](m)) != 1 ||
		len(manifest.All[*playlists.Playlist](m)) != 1 {
		t.Fatalf("%d messages, %d owners, %d playlists; want at least 10, 1, 1", len(manifest.All[*playlists.Message](m)),
			len(manifest.All[*playlists.Owner](m)), len(manifest.All[*playlists.Playlist](m)))
	}
	pl := manifest.All[*playlists.Playlist](m)[0]
	if pl.ID != "default" || pl.Owner != playlists.Public || len(pl.Items) != len(manifest.All[*playlists.Message](m)) {
		t.Fatalf("playlist %s/%s has %d items for %d messages", pl.Owner, pl.ID, len(pl.Items),
			len(manifest.All[*playlists.Message](m)))
	}
	for _, it := range pl.Items {
		msg := by[it.Message]
		if msg == nil {
			t.Errorf("the rotation names %q, which is not there", it.Message)
			continue
		}
		if msg.Source == nil || len(msg.Variants) != 2 || msg.Variants[0].Lang != "vi" || msg.Variants[1].Lang != "en" {
			t.Errorf("%s: wants a source, Vietnamese and English", msg.ID)
		}
		for _, class := range []string{"64x32-red", "128x64-rgb", "320x160-rgb"} {
			a, err := r.Message(msg, mustClass(t, class), Options{})
			if err != nil {
				t.Errorf("%s on %s: %v", msg.ID, class, err)
				continue
			}
			if a.MS() > it.DwellMS {
				t.Errorf("%s on %s takes %d ms to read; its dwell is %d", msg.ID, class, a.MS(), it.DwellMS)
			}
		}
	}
}
