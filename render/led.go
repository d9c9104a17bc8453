package render

import (
	"image"
	"image/color"
	"math"

	"github.com/fogleman/gg"

	"ledcast/playlists"
)

// LED draws a frame as it looks in the street: round LEDs, cell pixels apart (at
// least 2), in the colour of the class's LEDs. Between them it draws their glow, as
// lenses, dust and the eye spread it. A dark LED still shows its lens. img has the
// size W x H of the class; the result is cell times as large.
func LED(img image.Image, c playlists.Class, cell int) image.Image {
	cell = max(2, cell)
	face := lit(img, c)
	w, h := face.Rect.Dx(), face.Rect.Dy()
	out := image.NewRGBA(image.Rect(0, 0, w*cell, h*cell))
	glow(out, face, cell)
	lens := ledDot(cell, 0.44)
	for y := range h {
		for x := range w {
			k := face.RGBAAt(x, y)
			if k.R < 12 && k.G < 12 && k.B < 12 {
				k = color.RGBA{18, 18, 20, 255}
			}
			lens.blit(out, x*cell, y*cell, k)
		}
	}
	return out
}

// glowPercent is the brightness between two lit LEDs, as a camera sees it from the
// distance at which a code is read and the dots merge.
const glowPercent = 84

// glow fills the picture with the light of the LEDs, spread between neighbours.
func glow(out, face *image.RGBA, cell int) {
	w, h := face.Rect.Dx(), face.Rect.Dy()
	// Along one axis, a pixel lies between the centres of two LEDs.
	type between struct{ a, b, f int }
	axis := func(n int) []between {
		at := make([]between, n*cell)
		for i := range at {
			p := 2*i + 1 - cell // half pixels from the first LED's middle
			a := p / (2 * cell)
			if p < 0 {
				a = -1
			}
			at[i] = between{min(max(a, 0), n-1), min(max(a+1, 0), n-1), p - 2*cell*a}
		}
		return at
	}
	xs, ys := axis(w), axis(h)
	full := 4 * cell * cell
	for oy, v := range ys {
		row := out.Pix[oy*out.Stride:]
		up, down := face.Pix[v.a*face.Stride:], face.Pix[v.b*face.Stride:]
		for ox, u := range xs {
			for k := range 3 {
				top := int(up[4*u.a+k])*(2*cell-u.f) + int(up[4*u.b+k])*u.f
				foot := int(down[4*u.a+k])*(2*cell-u.f) + int(down[4*u.b+k])*u.f
				light := (top*(2*cell-v.f) + foot*v.f) / full
				row[4*ox+k] = uint8(6 + light*glowPercent/100)
			}
			row[4*ox+3] = 255
		}
	}
}

// Lit returns the colour of a pixel as its LED shows it: the white of a one-colour
// face is the colour of its LEDs.
func Lit(k color.RGBA, c playlists.Colour) color.RGBA {
	full := ledWhite
	switch c {
	case playlists.Red:
		full = color.RGBA{255, 40, 20, 255}
	case playlists.Amber:
		full = color.RGBA{255, 160, 0, 255}
	case playlists.Green:
		full = color.RGBA{60, 255, 60, 255}
	default:
		return k
	}
	m := func(v uint8) uint8 { return uint8(int(v) * int(k.R) / 255) }
	return color.RGBA{m(full.R), m(full.G), m(full.B), 255}
}

// dot returns the coverage of an LED in its cell.
type dot struct {
	cell int
	a    []uint8
}

// ledDot is a disc of radius r cells, drawn with gg.
func ledDot(cell int, r float64) dot {
	ctx := gg.NewContext(cell, cell)
	ctx.SetRGB(1, 1, 1)
	ctx.DrawCircle(float64(cell)/2, float64(cell)/2, float64(cell)*r)
	ctx.Fill()
	return dot{cell, ctx.AsMask().Pix}
}

func (d dot) blit(out *image.RGBA, x0, y0 int, k color.RGBA) {
	for y := range d.cell {
		row := out.Pix[out.PixOffset(x0, y0+y):]
		for x := range d.cell {
			a := int(d.a[y*d.cell+x])
			if a == 0 {
				continue
			}
			p := row[4*x : 4*x+3 : 4*x+3]
			p[0] = uint8((int(p[0])*(255-a) + int(k.R)*a) / 255)
			p[1] = uint8((int(p[1])*(255-a) + int(k.G)*a) / 255)
			p[2] = uint8((int(p[2])*(255-a) + int(k.B)*a) / 255)
		}
	}
}

// arcMinute is a minute of arc in radians: the resolution of an eye of normal
// sharpness (20/20).
const arcMinute = math.Pi / 180 / 60

// Distant draws a frame as it looks from a distance in metres, for LEDs that are
// pitchMM millimetres apart. Each pixel of the result is one minute of arc, which a
// normal eye just resolves. It averages light as the eye does. Text that cannot be
// read in the result cannot be read from that distance.
func Distant(img image.Image, c playlists.Class, metres, pitchMM float64) image.Image {
	b := img.Bounds()
	scale := min(4, pitchMM/1000/metres/arcMinute) // minutes of arc a LED; a closer viewer sees no more
	out := image.Pt(max(1, int(math.Round(float64(b.Dx())*scale))), max(1, int(math.Round(float64(b.Dy())*scale))))
	return resample(rowsOf(lit(img, c)), b.Size(), 0, 0, float64(b.Dx()), float64(b.Dy()), out)
}

// lit returns a frame in the colours of the class's LEDs.
func lit(img image.Image, c playlists.Class) *image.RGBA {
	b := img.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	for y := range b.Dy() {
		for x := range b.Dx() {
			out.SetRGBA(x, y, Lit(color.RGBAModel.Convert(img.At(b.Min.X+x, b.Min.Y+y)).(color.RGBA), c.Colour))
		}
	}
	return out
}
