package render

import (
	"image"
	"image/color"

	"ledcast/playlists"
)

// APL is a frame's average picture level, 0 to 1: the mean of its LEDs' light
// over all of them at full. It goes with the power that the face draws, and is
// reckoned from linear light, since a sign drives LEDs so. On a one-colour face
// it is the share of LEDs that are lit, on a red and green one of both.
func APL(img image.Image, c playlists.Class) float64 {
	b := img.Bounds()
	var sum uint64
	add := func(k color.RGBA) uint64 {
		switch {
		case c.Colour.OneBit():
			return 3 * uint64(toLinear[k.R])
		case c.Colour == playlists.RedGreen:
			return (3*uint64(toLinear[k.R]) + 3*uint64(toLinear[k.G])) / 2
		}
		return uint64(toLinear[k.R]) + uint64(toLinear[k.G]) + uint64(toLinear[k.B])
	}
	if p, ok := img.(*image.Paletted); ok {
		var light [256]uint64
		for i, k := range p.Palette {
			light[i] = add(color.RGBAModel.Convert(k).(color.RGBA))
		}
		for y := range b.Dy() {
			for _, i := range p.Pix[y*p.Stride : y*p.Stride+b.Dx()] {
				sum += light[i]
			}
		}
	} else {
		for y := b.Min.Y; y < b.Max.Y; y++ {
			for x := b.Min.X; x < b.Max.X; x++ {
				sum += add(color.RGBAModel.Convert(img.At(x, y)).(color.RGBA))
			}
		}
	}
	return float64(sum) / (3 * 65535) / float64(b.Dx()*b.Dy())
}

// Brightness is the share of full brightness, 0 to 1, at which a frame of this
// APL keeps within a power budget, given as the APL that the supply carries at
// full brightness (FACTS.md, Frames).
func Brightness(apl, budget float64) float64 {
	if apl <= budget || apl <= 0 {
		return 1
	}
	return budget / apl
}
