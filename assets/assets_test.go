package assets

import (
	"image/color"
	"strings"
	"testing"
)

func TestFontsAreThereWithTheirLicences(t *testing.T) {
	for _, size := range GalmuriSizes {
		f, err := Galmuri(size)
		if err != nil {
			t.Fatal(err)
		}
		if f.CapHeight != size {
			t.Errorf("Galmuri%d has capitals of %d", size, f.CapHeight)
		}
		for _, r := range "AZaz09ẪẶỡđĐ–…•→" {
			if f.Glyph(r) == nil {
				t.Errorf("Galmuri%d has no %c", size, r)
			}
		}
	}
	if _, err := Galmuri(8); err == nil {
		t.Error("there is a Galmuri of size 8")
	}
	if len(Licences()) != 3 {
		t.Errorf("%d licences for three families", len(Licences()))
	}
	for _, l := range Licences() {
		if !strings.Contains(l.Text, "SIL Open Font License, Version 1.1") || !strings.Contains(l.Text, "Copyright") {
			t.Errorf("%s: not its licence", l.Of)
		}
	}
}

// Nothing is drawn that cannot be told from what is behind it: see render for
// the rule itself.
func TestThemesAreNamedOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, th := range Themes {
		if seen[th.Name] || th.Name == "" {
			t.Errorf("theme %q is there twice or has no name", th.Name)
		}
		seen[th.Name] = true
		if th.Ground == (color.RGBA{}) || th.Text.A != 255 {
			t.Errorf("theme %s lacks colours", th.Name)
		}
	}
}
