package render

import (
	"image/color"
	"math"
	"strconv"
	"strings"

	"ledcast/assets"
	"ledcast/playlists"
)

// minContrast is the least contrast between letters and their ground by the formula
// of WCAG 2.1. 4.5 is its level AA; signs are read in sunlight.
const minContrast = 4.5

// lookUpTheme finds a theme by name, or reads one given as two to four colours
// joined by "/": ground, letters, headline, accent, each as RRGGBB.
func lookUpTheme(name string) (assets.Theme, error) {
	if name == "" {
		return assets.Themes[0], nil
	}
	var names []string
	for _, t := range assets.Themes {
		if t.Name == name {
			return t, nil
		}
		names = append(names, t.Name)
	}
	bad := &playlists.Error{Code: playlists.Invalid, Field: "theme", Value: name,
		Key: "theme-unknown", Args: []any{strings.Join(names, ", ")}}
	parts := strings.Split(name, "/")
	if len(parts) < 2 || len(parts) > 4 {
		return assets.Theme{}, bad
	}
	var c [4]color.RGBA
	for i, p := range parts {
		v, err := strconv.ParseUint(p, 16, 24)
		if err != nil || len(p) != 6 {
			return assets.Theme{}, bad
		}
		c[i] = color.RGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 255}
	}
	for i := len(parts); i < 4; i++ {
		c[i] = c[i-1]
	}
	return assets.Theme{Name: name, Ground: c[0], Band: c[0], Text: c[1], Title: c[2], Accent: c[3]}, nil
}

// LEDs of a redgreen face, and what a lit LED of a one-colour face is in a
// preview.
var (
	ledBlack  = color.RGBA{0, 0, 0, 255}
	ledRed    = color.RGBA{255, 0, 0, 255}
	ledGreen  = color.RGBA{0, 255, 0, 255}
	ledYellow = color.RGBA{255, 255, 0, 255}
	ledWhite  = color.RGBA{255, 255, 255, 255}
)

// reduce returns a theme as faces of a colour can show it: lit letters on a dark
// ground for one colour, and the nearest of four colours on a dark ground for red
// and green.
func reduce(t assets.Theme, c playlists.Colour) assets.Theme {
	switch {
	case c.OneBit():
		t.Ground, t.Band = ledBlack, ledBlack
		t.Title, t.Text, t.Accent = bit(t.Title), bit(t.Text), bit(t.Accent)
	case c == playlists.RedGreen:
		t.Ground, t.Band = nearest4(t.Ground), nearest4(t.Ground)
		t.Title, t.Text, t.Accent = nearest4(t.Title), nearest4(t.Text), nearest4(t.Accent)
	}
	return t
}

func bit(c color.RGBA) color.RGBA {
	if luminance(c) < 0.05 {
		return ledBlack
	}
	return ledWhite
}

// nearest4 returns the nearest colour of a pixel with a red and a green LED. Each LED
// is on or off; pure blue turns on both.
func nearest4(c color.RGBA) color.RGBA {
	r, g := c.R >= 110, c.G >= 110
	if !r && !g && c.B >= 160 {
		g = true
	}
	out := ledBlack
	if r {
		out.R = 255
	}
	if g {
		out.G = 255
	}
	return out
}

// luminance returns the relative luminance of WCAG, 0 to 1.
func luminance(c color.RGBA) float64 {
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}

// linear returns the light of an sRGB value, 0 to 1.
func linear(v uint8) float64 {
	x := float64(v) / 255
	if x <= 0.04045 {
		return x / 12.92
	}
	return math.Pow((x+0.055)/1.055, 2.4)
}

func contrast(a, b color.RGBA) float64 {
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

// checkContrast rejects a reduced theme whose letters have too little contrast.
func checkContrast(t assets.Theme, c playlists.Class) error {
	for _, p := range []struct {
		what      string
		over, ink color.RGBA
	}{{"letters", t.Ground, t.Text}, {"the headline", t.Ground, t.Title},
		{"the headline on its band", t.Band, t.Title}, {"the address", t.Ground, t.Accent}} {
		if r := contrast(p.over, p.ink); r < minContrast {
			return &playlists.Error{Code: playlists.Invalid, Field: "theme", Value: t.Name,
				Key: "contrast-too-low", Args: []any{playlists.Word(p.what), c, r, minContrast}}
		}
	}
	return nil
}
