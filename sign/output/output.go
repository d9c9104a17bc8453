// Package output puts a face's pixels somewhere: a terminal, a folder of PNGs.
//
// An output is given whole faces. When Show returns nil the pixels are out:
// only then does a sign say "showing".
package output

import (
	"fmt"
	"image"
	"image/color"
	"io"
	"strings"
)

// Picture is a face at a moment.
type Picture struct {
	Image   *image.RGBA // exactly the face; the receiver must not keep it
	AtMS    int64       // effective time, Unix ms
	Item    string      // item or alert id; "" when dark
	Frame   string      // digest of the frame file; "" when dark
	Why     string      // as in a status
	Percent int64       // brightness that the program asks for
	Changed bool        // another frame than the picture before, not only another scroll position
}

// Output takes pictures. It is used by one goroutine.
type Output interface {
	Show(p Picture) error
	Close() error
}

// Face is what an output needs to know of a sign.
type Face struct {
	Sign   string
	Class  string // e.g. "64x32-red"
	Colour string // e.g. "red"
	W, H   int    // LEDs
}

// Lit is the colour of a lit LED of a one-colour face, and false for the
// classes whose frames hold colours themselves.
func (f Face) Lit() (color.RGBA, bool) {
	switch f.Colour {
	case "red":
		return color.RGBA{255, 24, 0, 255}, true
	case "amber":
		return color.RGBA{255, 150, 0, 255}, true
	case "green":
		return color.RGBA{40, 255, 60, 255}, true
	case "white":
		return color.RGBA{255, 255, 255, 255}, true
	}
	return color.RGBA{}, false
}

// Open makes the output that spec names: "terminal" (to w) or "png:DIR". Its
// error lists what there is.
func Open(spec string, f Face, w io.Writer) (Output, error) {
	kind, arg, _ := strings.Cut(spec, ":")
	switch {
	case kind == "terminal" && arg == "":
		return NewTerminal(w, f), nil
	case kind == "png" && arg != "":
		return NewFolder(arg)
	}
	return nil, fmt.Errorf("output %q is not known; use terminal or png:DIR", spec)
}
