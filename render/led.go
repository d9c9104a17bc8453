package render

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"github.com/fogleman/gg"

	"ledcast/playlists"
)

// LED draws a frame as it looks in the street: round LEDs on a black mask,
// cell pixels apart (at least 2), in the colour that the class's LEDs have,
// each with the faint glow that lit ones throw on the mask around them. img is
// W x H of the class; the result is cell times as large.
func LED(img image.Image, c playlists.Class, cell int) image.Image {
	cell = max(2, cell)
	b := img.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, b.Dx()*cell, b.Dy()*cell))
	draw.Draw(out, out.Bounds(), image.NewUniform(color.RGBA{6, 6, 7, 255}), image.Point{}, draw.Src)
	lens, glow := ledDot(cell, 0.42), ledGlow(cell)
	for y := range b.Dy() {
		for x := range b.Dx() {
			k := Lit(color.RGBAModel.Convert(img.At(b.Min.X+x, b.Min.Y+y)).(color.RGBA), c.Colour)
			if k.R < 12 && k.G < 12 && k.B < 12 {
				k = color.RGBA{18, 18, 20, 255} // an LED that is off still shows its lens
			} else {
				glow.blit(out, x*cell, y*cell, k)
			}
			lens.blit(out, x*cell, y*cell, k)
		}
	}
	return out
}

// Lit is the colour of a pixel on the street: a one-colour face's white is its
// LEDs' own colour.
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

// dot is an LED's coverage in its cell.
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

// ledGlow fills the cell's corners with a sixth of the LED's light.
func ledGlow(cell int) dot {
	d := dot{cell, make([]uint8, cell*cell)}
	for i := range d.a {
		x, y := float64(i%cell)+0.5-float64(cell)/2, float64(i/cell)+0.5-float64(cell)/2
		r := math.Sqrt(x*x+y*y) / float64(cell)
		d.a[i] = uint8(60 * math.Max(0, 1-r/0.75))
	}
	return d
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

// arcMinute is the angle of a minute of arc, in radians: the finest that an
// eye of normal sharpness (20/20) tells apart.
const arcMinute = math.Pi / 180 / 60

// Distant draws a frame as small as it is to somebody metres away whose sign
// has LEDs pitchMM millimetres apart: each pixel of the result is one minute of
// arc, what a normal eye just resolves. Light is averaged, as the eye does.
// What cannot be read here cannot be read from there.
func Distant(img image.Image, c playlists.Class, metres, pitchMM float64) image.Image {
	b := img.Bounds()
	scale := min(4, pitchMM/1000/metres/arcMinute) // minutes of arc a LED; nearer than that nothing is lost
	lit := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	for y := range b.Dy() {
		for x := range b.Dx() {
			lit.SetRGBA(x, y, Lit(color.RGBAModel.Convert(img.At(b.Min.X+x, b.Min.Y+y)).(color.RGBA), c.Colour))
		}
	}
	out := image.Pt(max(1, int(math.Round(float64(b.Dx())*scale))), max(1, int(math.Round(float64(b.Dy())*scale))))
	return resample(rowsOf(lit), b.Size(), 0, 0, float64(b.Dx()), float64(b.Dy()), out)
}
