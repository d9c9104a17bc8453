package render

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/fogleman/gg"

	"ledcast/assets"
	"ledcast/playlists"
)

// minIcon is the least side in LEDs at which icons can be distinguished.
const minIcon = 24

// iconUnits is the side of the square that icons are drawn on.
const iconUnits = 24

// iconSpot is an icon's place on a face.
type iconSpot struct {
	name string
	size int // LEDs
	x, y int
}

// placeIcon sizes an icon for the left end of a zone. It returns nil without room.
func (l *layouter) placeIcon(name string, z zone) *iconSpot {
	if !l.style.icon {
		return nil
	}
	size := min(z.h*8/10, z.w/4, l.class.H*45/100)
	if size < minIcon {
		return nil
	}
	return &iconSpot{name: name, size: size}
}

// checkIcon rejects a name that is not an icon.
func checkIcon(name string) error {
	if name == "" || assets.Icons[name] != "" {
		return nil
	}
	var names []string
	for n := range assets.Icons {
		names = append(names, n)
	}
	slices.Sort(names)
	return &playlists.Error{Code: playlists.Invalid, Field: "icon", Value: name,
		Key: "icon-unknown", Args: []any{strings.Join(names, ", ")}}
}

// iconMasks caches drawn icons: a few names at a few sizes.
type iconMasks struct {
	mu sync.Mutex
	by map[iconKey]*glyph
}

type iconKey struct {
	name string
	size int
}

// maxIcons bounds the masks kept; the sizes follow from the classes in use.
const maxIcons = 256

// get returns an icon's coverage, drawing it with gg the first time.
func (m *iconMasks) get(name string, size int) (*glyph, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := iconKey{name, size}
	if g := m.by[k]; g != nil {
		return g, nil
	}
	ctx := gg.NewContext(size, size)
	ctx.SetRGB(1, 1, 1)
	ctx.SetFillRuleEvenOdd()
	if err := tracePath(ctx, assets.Icons[name], float64(size)/iconUnits); err != nil {
		return nil, fmt.Errorf("icon %s: %w", name, err)
	}
	ctx.Fill()
	mask := ctx.AsMask()
	g := (&glyph{w: size, h: size, a: mask.Pix}).findInk()
	if m.by == nil || len(m.by) >= maxIcons {
		m.by = map[iconKey]*glyph{}
	}
	m.by[k] = g
	return g, nil
}

// tracePath follows a path in the form that assets.Icons describes.
func tracePath(ctx *gg.Context, path string, scale float64) error {
	f := strings.Fields(path)
	for len(f) > 0 {
		op := f[0]
		n, ok := map[string]int{"M": 2, "L": 2, "C": 6, "Z": 0, "O": 3, "R": 5}[op]
		if !ok || len(f) < n+1 {
			return fmt.Errorf("bad step %q", op)
		}
		var v [6]float64
		for i := range n {
			x, err := strconv.ParseFloat(f[1+i], 64)
			if err != nil {
				return err
			}
			v[i] = x * scale
		}
		switch op {
		case "M":
			ctx.MoveTo(v[0], v[1])
		case "L":
			ctx.LineTo(v[0], v[1])
		case "C":
			ctx.CubicTo(v[0], v[1], v[2], v[3], v[4], v[5])
		case "Z":
			ctx.ClosePath()
		case "O":
			ctx.NewSubPath()
			ctx.DrawCircle(v[0], v[1], v[2])
			ctx.ClosePath()
		case "R":
			ctx.NewSubPath()
			ctx.DrawRoundedRectangle(v[0], v[1], v[2], v[3], v[4])
			ctx.ClosePath()
		}
		f = f[n+1:]
	}
	return nil
}
