package assets

import "image/color"

// Theme is a set of colours for a card. Grounds are dark, because a bright ground dazzles at night, needs more
// power, and outshines thin dark letters.
type Theme struct {
	Name   string
	Ground color.RGBA // behind everything
	Band   color.RGBA // behind the headline on faces with room for a band
	Title  color.RGBA // the headline, on Ground or Band
	Text   color.RGBA // everything else, on Ground
	Accent color.RGBA // the rule, the icon, the address, on Ground
}

// Themes has the themes that a message can name. The first is the default.
var Themes = []Theme{
	{"plain", rgb(0x000000), rgb(0x000000), rgb(0xffffff), rgb(0xffffff), rgb(0xffffff)},
	{"health", rgb(0x00205c), rgb(0x0057b8), rgb(0xffe14a), rgb(0xffffff), rgb(0x5fd4ff)},
	{"action", rgb(0x003a2e), rgb(0x00806a), rgb(0xffffff), rgb(0xffffff), rgb(0xffd84a)},
	{"caution", rgb(0x1a1200), rgb(0x5a3d00), rgb(0xffb000), rgb(0xffffff), rgb(0xffb000)},
	{"urgent", rgb(0x3c0006), rgb(0xc8102e), rgb(0xffffff), rgb(0xffffff), rgb(0xffd84a)},
	{"night", rgb(0x000000), rgb(0x14203c), rgb(0xffc23d), rgb(0xf2f2f2), rgb(0x59b7ff)},
}

func rgb(v uint32) color.RGBA {
	return color.RGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 255}
}
