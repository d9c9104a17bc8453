package render

import (
	"testing"

	"ledcast/assets"
	"ledcast/playlists"
)

// Every theme keeps its contrast on every kind of face, its band included.
func TestThemesKeepTheirContrast(t *testing.T) {
	for _, th := range assets.Themes {
		for _, colour := range playlists.Colours {
			c := playlists.Class{W: 320, H: 160, Colour: colour}
			if err := checkContrast(reduce(th, colour), c); err != nil {
				t.Errorf("%s: %v", th.Name, err)
			}
		}
	}
	// Two greys that no eye tells apart, and black on white: 21 by the formula.
	if r := contrast(ledBlack, ledWhite); r < 20.99 || r > 21.01 {
		t.Errorf("black on white has a contrast of %.2f, want 21", r)
	}
}

// Every icon can be drawn, fills neither nothing nor everything, and differs
// from the others.
func TestIcons(t *testing.T) {
	var icons iconMasks
	seen := map[string]string{}
	for name := range assets.Icons {
		g, err := icons.get(name, 48)
		if err != nil {
			t.Fatal(err)
		}
		lit := 0
		for _, a := range g.a {
			if a >= threshold {
				lit++
			}
		}
		if share := 100 * lit / len(g.a); share < 10 || share > 90 {
			t.Errorf("icon %s lights %d %% of its square", name, share)
		}
		if other := seen[string(g.a)]; other != "" {
			t.Errorf("icons %s and %s are the same", name, other)
		}
		seen[string(g.a)] = name
	}
	m := text("Rửa tay bằng xà phòng")
	m.Variants[0].Headline = "KHỬ KHUẨN"
	bare, err := mustNew(t).Message(m, mustClass(t, "320x160-rgb"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	m.Icon = "wash"
	with, err := mustNew(t).Message(m, mustClass(t, "320x160-rgb"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if bare.Frames[0].SHA256 == with.Frames[0].SHA256 {
		t.Error("an icon that was asked for is not drawn")
	}
}
