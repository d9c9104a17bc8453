package render

import (
	"image"
	"image/color"
	"image/draw"

	"github.com/fogleman/gg"

	"ledcast/playlists"
)

// LED draws a frame as it looks in the street: round LEDs on a black mask,
// cell pixels apart (at least 2), in the colour that the class's LEDs have. img
// is W x H of the class; the result is cell times as large.
func LED(img image.Image, c playlists.Class, cell int) image.Image {
	cell = max(2, cell)
	b := img.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, b.Dx()*cell, b.Dy()*cell))
	draw.Draw(out, out.Bounds(), image.NewUniform(color.RGBA{6, 6, 7, 255}), image.Point{}, draw.Src)
	dots := ledDots(cell)
	for y := range b.Dy() {
		for x := range b.Dx() {
			k := Lit(color.RGBAModel.Convert(img.At(b.Min.X+x, b.Min.Y+y)).(color.RGBA), c.Colour)
			dots.blit(out, x*cell, y*cell, k)
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

// ledDots draws one LED, three quarters of its cell wide, with gg.
func ledDots(cell int) dot {
	ctx := gg.NewContext(cell, cell)
	ctx.SetRGB(1, 1, 1)
	ctx.DrawCircle(float64(cell)/2, float64(cell)/2, float64(cell)*0.42)
	ctx.Fill()
	m := ctx.AsMask()
	return dot{cell, m.Pix}
}

func (d dot) blit(out *image.RGBA, x0, y0 int, k color.RGBA) {
	if k.R < 12 && k.G < 12 && k.B < 12 {
		k = color.RGBA{18, 18, 20, 255} // an LED that is off still shows its lens
	}
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
