package assets

import (
	"image/color"
	"strings"
	"testing"
)

func TestFontsAndLicences(t *testing.T) {
	for _, size := range GalmuriSizes {
		f, err := Galmuri(size)
		if err != nil {
			t.Fatal(err)
		}
		if f.CapHeight != size {
			t.Errorf("Galmuri%d has a cap height of %d", size, f.CapHeight)
		}
		for _, r := range "AZaz09ẪẶỡđĐ–…•→" {
			if f.Glyph(r) == nil {
				t.Errorf("Galmuri%d has no %c", size, r)
			}
		}
	}
	if _, err := Galmuri(8); err == nil {
		t.Error("Galmuri(8) returned no error")
	}
	if len(Licences()) != 3 {
		t.Errorf("%d licences, want 3", len(Licences()))
	}
	for _, l := range Licences() {
		if !strings.Contains(l.Text, "SIL Open Font License, Version 1.1") || !strings.Contains(l.Text, "Copyright") {
			t.Errorf("%s: the text is not the SIL Open Font License", l.Of)
		}
	}
}

// TestThemes checks that names are unique and colours are set. Package render checks the contrast.
func TestThemes(t *testing.T) {
	seen := map[string]bool{}
	for _, th := range Themes {
		if seen[th.Name] || th.Name == "" {
			t.Errorf("theme %q is listed twice or has no name", th.Name)
		}
		seen[th.Name] = true
		if th.Ground == (color.RGBA{}) || th.Text.A != 255 {
			t.Errorf("theme %s lacks colours", th.Name)
		}
	}
}
