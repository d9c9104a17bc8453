package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
)

// Map places a face on the LEDs that an output drives: a member of "outputs" in
// the sign's config file, under the output's kind ("ddp") or under its whole
// spec ("ddp:10.0.0.7"), which goes first. The zero Map is a face wired row by
// row from its top left. docs/sign-config.md is its long form.
//
// A picture goes through it in this order: the face is turned by Rotate; the
// panels lie on the turned face; the LEDs of each panel follow its wiring; each
// channel is taken in ColourOrder; gamma and brightness are applied, once.
type Map struct {
	Gamma       float64 `json:"gamma,omitempty"`        // 0: 2.2 for ddp, sacn and fb, 1 for terminal and png
	ColourOrder string  `json:"colour_order,omitempty"` // how the LEDs take their colours: "rgb" (default), "grb", …
	Rotate      int     `json:"rotate,omitempty"`       // degrees clockwise: 0, 90, 180, 270
	Wiring      Wiring  `json:"wiring,omitzero"`        // of every panel
	Panel       Size    `json:"panel,omitzero"`         // in LEDs, as its wiring sees it; zero: the whole turned face
	Panels      []Place `json:"panels,omitempty"`       // in the order of the wire; may leave parts out or show them twice

	// RasterWidth is for png, terminal and fb, which take a picture and not a
	// wire: the LEDs, in the order of the wire, fill its rows. 0: as wide as
	// the turned face.
	RasterWidth int `json:"raster_width,omitempty"`

	Universe int    `json:"universe,omitempty"` // sacn: the first; 0 is 1
	Priority *int   `json:"priority,omitempty"` // sacn: 0 to 200; 100 where it is left out
	From     string `json:"from,omitempty"`     // ddp, sacn: local IP address to send from, which chooses the network

	Screen *Screen `json:"screen,omitempty"` // fb: needed where the system does not describe it, e.g. for a file
	X      int     `json:"x,omitempty"`      // fb: where the picture's top left lies on the screen, in pixels
	Y      int     `json:"y,omitempty"`
}

// Wiring is the way of the wire through one panel.
type Wiring struct {
	// corner of the first LED: "top-left" (default), "top-right", "bottom-left", "bottom-right"
	Start      string `json:"start,omitempty"`
	Lines      string `json:"lines,omitempty"` // "rows" (default) or "columns"
	Serpentine bool   `json:"serpentine,omitempty"`
}

// Size is in LEDs.
type Size struct {
	W int `json:"w"`
	H int `json:"h"`
}

// Place is where a panel's top left lies on the turned face, and how the panel
// is mounted: turned by so many degrees clockwise.
type Place struct {
	X      int `json:"x"`
	Y      int `json:"y"`
	Rotate int `json:"rotate,omitempty"`
}

// UnmarshalJSON refuses members that a Map does not have: a slip of the pen
// must not become a wrong picture.
func (m *Map) UnmarshalJSON(data []byte) error {
	type plain Map
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var p plain
	if err := d.Decode(&p); err != nil {
		return fmt.Errorf("outputs: %s; see docs/sign-config.md for what may stand there",
			strings.TrimPrefix(err.Error(), "json: "))
	}
	*m = Map(p)
	return nil
}

const defaultGamma = 2.2

// layout is a Map made ready for one face: a table from the LEDs in the order
// of the wire to the face's pixels, and one from values to values.
type layout struct {
	face    Face
	from    []int32 // by LED: offset of its pixel's red in image.RGBA.Pix
	order   [3]uint8
	gamma   float64
	percent int64 // that tables are for
	tables  [3][256]uint8
	rasterW int
	rasterH int
}

// compile checks a map against a face. gamma is the output's default.
func (m Map) compile(f Face, gamma float64) (*layout, error) {
	l := &layout{face: f, gamma: m.Gamma, percent: -1}
	if l.gamma == 0 {
		l.gamma = gamma
	}
	if l.gamma < 0.1 || l.gamma > 5 {
		return nil, fmt.Errorf("gamma %v is not from 0.1 to 5", l.gamma)
	}
	order := m.ColourOrder
	if order == "" {
		order = "rgb"
	}
	for i, c := range []byte("rgb") {
		if len(order) != 3 || strings.Count(order, string(c)) != 1 {
			return nil, fmt.Errorf("colour_order %q is not r, g and b in some order, e.g. grb", order)
		}
		l.order[i] = uint8(strings.IndexByte("rgb", order[i]))
	}
	if !quarter(m.Rotate) {
		return nil, fmt.Errorf("rotate %d is not 0, 90, 180 or 270", m.Rotate)
	}
	w, h := f.W, f.H // of the turned face
	if m.Rotate%180 != 0 {
		w, h = h, w
	}
	panel, panels := m.Panel, m.Panels
	if panel == (Size{}) {
		panel = Size{w, h}
	}
	if len(panels) == 0 {
		panels = []Place{{}}
	}
	wire, err := m.Wiring.walk(panel)
	if err != nil {
		return nil, err
	}
	for i, p := range panels {
		if !quarter(p.Rotate) {
			return nil, fmt.Errorf("panels[%d].rotate %d is not 0, 90, 180 or 270", i, p.Rotate)
		}
		pw, ph := panel.W, panel.H
		if p.Rotate%180 != 0 {
			pw, ph = ph, pw
		}
		if p.X < 0 || p.Y < 0 || p.X+pw > w || p.Y+ph > h {
			return nil, fmt.Errorf("panels[%d] reaches from %d,%d to %d,%d, outside the face of %dx%d", i, p.X, p.Y,
				p.X+pw, p.Y+ph, w, h)
		}
		for _, led := range wire {
			x, y := turn(led[0], led[1], panel.W, panel.H, p.Rotate)
			x, y = turn(p.X+x, p.Y+y, w, h, (360-m.Rotate)%360)
			l.from = append(l.from, int32(4*(y*f.W+x)))
		}
	}
	l.rasterW = m.RasterWidth
	if l.rasterW == 0 {
		l.rasterW = w
	}
	if l.rasterW < 1 || len(l.from)%l.rasterW != 0 {
		return nil, fmt.Errorf("raster_width %d does not divide the %d LEDs into rows; give the width of a panel",
			l.rasterW, len(l.from))
	}
	l.rasterH = len(l.from) / l.rasterW
	return l, nil
}

func quarter(degrees int) bool {
	return degrees == 0 || degrees == 90 || degrees == 180 || degrees == 270
}

// turn is where the pixel x, y of a picture of w x h lies after the picture was
// turned clockwise.
func turn(x, y, w, h, degrees int) (int, int) {
	switch degrees {
	case 90:
		return h - 1 - y, x
	case 180:
		return w - 1 - x, h - 1 - y
	case 270:
		return y, w - 1 - x
	}
	return x, y
}

// walk lists a panel's LEDs as the wire meets them.
func (w Wiring) walk(s Size) ([][2]int, error) {
	if s.W < 1 || s.H < 1 {
		return nil, fmt.Errorf("panel %dx%d has no LEDs; give w and h", s.W, s.H)
	}
	right, bottom := false, false
	switch w.Start {
	case "", "top-left":
	case "top-right":
		right = true
	case "bottom-left":
		bottom = true
	case "bottom-right":
		right, bottom = true, true
	default:
		return nil, fmt.Errorf("wiring.start %q is not top-left, top-right, bottom-left or bottom-right", w.Start)
	}
	columns := w.Lines == "columns"
	if !columns && w.Lines != "" && w.Lines != "rows" {
		return nil, fmt.Errorf("wiring.lines %q is not rows or columns", w.Lines)
	}
	lines, length := s.H, s.W
	if columns {
		lines, length = s.W, s.H
	}
	leds := make([][2]int, 0, s.W*s.H)
	for line := range lines {
		for pos := range length {
			if w.Serpentine && line%2 == 1 {
				pos = length - 1 - pos
			}
			x, y := pos, line
			if columns {
				x, y = line, pos
			}
			if right {
				x = s.W - 1 - x
			}
			if bottom {
				y = s.H - 1 - y
			}
			leds = append(leds, [2]int{x, y})
		}
	}
	return leds, nil
}

// prepare makes the tables for a brightness. Gamma and brightness are one
// multiplication in light and one rounding, so nothing is rounded twice. A
// one-colour face's white is its lit colour.
func (l *layout) prepare(percent int64) {
	if percent == l.percent {
		return
	}
	l.percent = percent
	light := func(v uint8) uint8 {
		return uint8(math.Round(255 * math.Pow(float64(v)/255, l.gamma) * float64(percent) / 100))
	}
	lit, one := l.face.Lit()
	for c, full := range [3]uint8{lit.R, lit.G, lit.B} {
		for v := range 256 {
			switch {
			case !one:
				l.tables[c][v] = light(uint8(v))
			case v > 127:
				l.tables[c][v] = light(full)
			default:
				l.tables[c][v] = 0
			}
		}
	}
}

// leds writes three bytes for each LED, in the order of the wire, to dst, which
// has room for them.
func (l *layout) leds(dst []byte, p Picture) error {
	if b := p.Image.Rect; b.Dx() != l.face.W || b.Dy() != l.face.H || p.Image.Stride != 4*l.face.W {
		return fmt.Errorf("a picture of %dx%d for a face of %dx%d", b.Dx(), b.Dy(), l.face.W, l.face.H)
	}
	l.prepare(p.Percent)
	pix := p.Image.Pix
	c0, c1, c2 := l.order[0]&3, l.order[1]&3, l.order[2]&3
	t0, t1, t2 := &l.tables[c0], &l.tables[c1], &l.tables[c2]
	dst = dst[:3*len(l.from)]
	for i, o := range l.from {
		px, d := pix[o:o+4:o+4], dst[3*i:3*i+3:3*i+3]
		d[0], d[1], d[2] = t0[px[c0]], t1[px[c1]], t2[px[c2]]
	}
	return nil
}
