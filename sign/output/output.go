// Package output puts a face's pixels somewhere: LEDs behind a network (DDP,
// sACN) or behind a sending card (a Linux framebuffer), a terminal, a folder of
// PNGs.
//
// An output takes whole faces. When Show returns nil the pixels are out: only then does a sign ack "showing". The
// output applies its Map, which places the face, gamma and brightness.
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

// Face describes a sign for its outputs.
type Face struct {
	Sign   string
	Class  string // e.g. "64x32-red"
	Colour string // e.g. "red"
	W, H   int    // LEDs
}

// Lit returns the colour of a lit LED of a one-colour face, and false for classes whose frames hold colours themselves.
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

// kinds lists the outputs that Open knows, for its errors.
const kinds = "terminal, png:DIR, ddp:HOST, sacn:HOST, sacn:multicast or fb:/dev/fb0"

// Open makes the output that spec names: "terminal" (to w), "png:DIR",
// "ddp:HOST[:PORT]", "sacn:HOST[:PORT]", "sacn:multicast" or "fb:FILE". maps are
// the config's: by spec or by kind. Its errors list what there is, or name the
// member of the config that cannot be.
func Open(spec string, f Face, maps map[string]Map, w io.Writer) (Output, error) {
	for of := range maps {
		switch kind, _, _ := strings.Cut(of, ":"); kind {
		case "terminal", "png", "ddp", "sacn", "fb":
		default:
			return nil, fmt.Errorf("outputs.%s in the config is not an output; use %s", of, kinds)
		}
	}
	kind, arg, _ := strings.Cut(spec, ":")
	name := spec
	m, mapped := maps[name]
	if !mapped {
		name = kind
		m, mapped = maps[name]
	}
	gamma := defaultGamma
	if kind == "png" || kind == "terminal" {
		gamma = 1
	}
	l, err := m.compile(f, gamma)
	if err != nil {
		return nil, fmt.Errorf("outputs.%s in the config: %w", name, err)
	}
	var o Output
	switch {
	case kind == "terminal" && arg == "" && mapped:
		o = newRaster(l, NewTerminal(w, Face{Sign: f.Sign, Class: f.Class, Colour: "rgb", W: l.rasterW, H: l.rasterH}))
	case kind == "terminal" && arg == "":
		o = NewTerminal(w, f)
	case kind == "png" && arg != "":
		if o, err = NewFolder(arg); err == nil && mapped {
			o = newRaster(l, o)
		}
	case kind == "ddp" && arg != "":
		o, err = newDDP(spec, arg, m, l)
	case kind == "sacn" && arg != "":
		o, err = newSACN(spec, arg, m, l)
	case kind == "fb" && arg != "":
		o, err = newFramebuffer(arg, graphics, m, l)
	default:
		return nil, fmt.Errorf("output %q is not known; use %s", spec, kinds)
	}
	if err != nil {
		return nil, fmt.Errorf("output %s: %w", spec, err)
	}
	return o, nil
}
