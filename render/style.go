package render

import "ledcast/playlists"

// style is what a class's size and colour allow.
type style struct {
	margin   int  // pixels kept dark above and below
	side     int  // and at the left and right
	maxLines int  // on a page
	floor    int  // cap height in pixels below which more pages are better than smaller letters
	band     bool // the headline stands on a band of colour
	icon     bool // there is room for icons
}

// minCap is the cap height of the smallest font.
const minCap = 7

// styleOf reads the class. The numbers are FACTS.md's "what fits", as
// proportions: at most 3 lines a page up to 192x96, capitals of about a sixth
// of the height, lines of about twelve letters on upright faces.
func styleOf(c playlists.Class) style {
	s := style{margin: max(1, min(c.W, c.H)/32), side: max(1, c.W/40)}
	if c.W < 96 {
		s.side = 1 // twelve letters have to go on 64 LEDs
	}
	switch {
	case c.H < 24:
		s.maxLines = 1
	case c.H < 40:
		s.maxLines = 2
	case c.H > c.W:
		s.maxLines = min(8, max(3, c.H/(c.W/4)))
	case c.H <= 96:
		s.maxLines = 3
	default:
		s.maxLines = 4
	}
	switch {
	case c.H < 40:
		s.floor = minCap
	case c.H <= 64:
		s.floor = max(minCap, min(c.H*11/64, c.W/11))
	case c.H <= 96:
		s.floor = max(minCap, min(c.H*10/64, c.W/11))
	default:
		s.floor = max(9, min(c.H*10/68, c.W/12))
	}
	s.band = c.Colour == playlists.RGB && c.H >= 96
	s.icon = c.H >= 96 && c.W >= c.H
	return s
}
