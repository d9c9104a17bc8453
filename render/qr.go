package render

import (
	"rsc.io/qr"

	"ledcast/playlists"
)

// QR rules (FACTS.md): at least 2 LEDs a module, a quiet zone of 4 modules, or
// of 2 on faces only 64 LEDs high; dark on lit; full-colour faces only.
const (
	minModule    = 2
	quietZone    = 4
	quietZoneLow = 2
)

// qrSpot is a code's place on a face.
type qrSpot struct {
	code   *qr.Code
	module int // LEDs
	quiet  int // modules
	x, y   int // of the lit square
}

// side is the lit square's width and height in LEDs.
func (q *qrSpot) side() int { return (q.code.Size + 2*q.quiet) * q.module }

// encodeQR makes the smallest code, with as much error correction as fits that
// size.
func encodeQR(text string) (*qr.Code, error) {
	low, err := qr.Encode(text, qr.L)
	if err != nil {
		return nil, &playlists.Error{Code: playlists.TooLarge, Field: "qr", Value: text,
			Key: "qr-too-long", Args: []any{err}}
	}
	best := low
	for _, level := range []qr.Level{qr.M, qr.Q, qr.H} {
		c, err := qr.Encode(text, level)
		if err != nil || c.Size > low.Size {
			break
		}
		best = c
	}
	return best, nil
}

// placeQR sizes a code for the right end of a zone, or the foot of an upright one. It
// takes at most half of the zone, and returns nil if that is too small.
func (l *layouter) placeQR(c *qr.Code, z zone) *qrSpot {
	if l.class.Colour != playlists.RGB {
		return nil
	}
	room := min(z.h, z.w/2)
	upright := z.h > z.w
	if upright {
		room = min(z.w, z.h/2)
	}
	for _, quiet := range []int{quietZone, quietZoneLow} {
		if quiet == quietZoneLow && l.class.H > 64 {
			break
		}
		if module := room / (c.Size + 2*quiet); module >= minModule {
			q := &qrSpot{code: c, module: module, quiet: quiet}
			q.x, q.y = z.x+z.w-q.side(), z.y+(z.h-q.side())/2
			if upright {
				q.x, q.y = z.x+(z.w-q.side())/2, z.y+z.h-q.side()
			}
			return q
		}
	}
	return nil
}

// rest returns the part of the zone that a code leaves for words.
func (l *layouter) rest(q *qrSpot, z zone) zone {
	if z.h > z.w {
		z.h = q.y - l.gap() - z.y
	} else {
		z.w = q.x - l.gap() - z.x
	}
	return z
}

// qr draws the code: a lit square with dark modules.
func (c *canvas) qr(q *qrSpot) {
	r := c.ramp(ledBlack, ledWhite)
	s := q.side()
	c.solid(q.x, q.y, q.x+s, q.y+s, r)
	o := q.quiet * q.module
	for y := range q.code.Size {
		for x := range q.code.Size {
			if q.code.Black(x, y) {
				px, py := q.x+o+x*q.module, q.y+o+y*q.module
				c.fill(px, py, px+q.module, py+q.module, r)
			}
		}
	}
}
