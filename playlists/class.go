package playlists

import (
	"fmt"
	"strconv"
	"strings"
)

// Colour is what the LEDs of a face can show.
type Colour string

const (
	RGB      Colour = "rgb"      // 8 bits for each of three channels
	Red      Colour = "red"      // one colour, 1 bit a pixel
	Amber    Colour = "amber"    // one colour, 1 bit a pixel
	Green    Colour = "green"    // one colour, 1 bit a pixel
	White    Colour = "white"    // one colour, 1 bit a pixel
	RedGreen Colour = "redgreen" // two LEDs a pixel: black, red, green, yellow
)

// Colours lists every colour in the order in which it is documented.
var Colours = []Colour{RGB, Red, Amber, Green, White, RedGreen}

// OneBit reports whether a pixel is only lit or not.
func (c Colour) OneBit() bool {
	return c == Red || c == Amber || c == Green || c == White
}

// Limits of a class (docs/protocol.md, Names).
const (
	MinSide   = 8
	MaxSide   = 8192
	MaxPixels = 4 << 20
)

// Class is a kind of face: all signs of a class get the same pixels.
// The zero Class is not valid.
type Class struct {
	W, H   int // LEDs
	Colour Colour
}

// ParseClass reads "<W>x<H>-<colour>", e.g. "128x64-rgb". Its error is an
// *Error of code Invalid that says which part is wrong.
func ParseClass(s string) (Class, error) {
	bad := func(key TextKey, args ...any) (Class, error) {
		return Class{}, &Error{Code: Invalid, Field: "class", Value: s, Key: key, Args: args}
	}
	size, colour, ok := strings.Cut(s, "-")
	ws, hs, ok2 := strings.Cut(size, "x")
	if !ok || !ok2 {
		return bad("class-malformed")
	}
	side := func(t string) (int, bool) {
		n, err := strconv.Atoi(t)
		return n, err == nil && strconv.Itoa(n) == t
	}
	w, okW := side(ws)
	h, okH := side(hs)
	if !okW || !okH {
		return bad("class-side-not-number")
	}
	c := Class{W: w, H: h, Colour: Colour(colour)}
	if err := c.Validate(); err != nil {
		return Class{}, err
	}
	return c, nil
}

// Validate returns an *Error of code Invalid for a class that the wire does
// not allow.
func (c Class) Validate() error {
	e := &Error{Code: Invalid, Field: "class", Value: c.String()}
	switch {
	case c.W < MinSide || c.W > MaxSide || c.H < MinSide || c.H > MaxSide:
		e.Key, e.Args = "class-side-out-of-range", []any{MinSide, MaxSide}
		return e
	case c.W*c.H > MaxPixels:
		e.Key, e.Args = "class-too-large", []any{c.W * c.H, MaxPixels}
		return e
	}
	for _, k := range Colours {
		if c.Colour == k {
			return nil
		}
	}
	e.Key, e.Args = "colour-unknown", []any{string(c.Colour)}
	return e
}

// String is the class as it is written in topics and files.
func (c Class) String() string {
	return fmt.Sprintf("%dx%d-%s", c.W, c.H, string(c.Colour))
}

// MarshalText writes the class as String does.
func (c Class) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads what ParseClass reads.
func (c *Class) UnmarshalText(b []byte) error {
	p, err := ParseClass(string(b))
	if err != nil {
		return err
	}
	*c = p
	return nil
}
