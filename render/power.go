package render

import (
	"image"
	"image/color"

	"ledcast/playlists"
)

// APL returns the average picture level of a frame, 0 to 1: the light of its LEDs,
// relative to all of them at full. The power of the face is proportional to it. It is
// computed from linear light, as signs drive LEDs. On a one-colour face it is the
// share of lit LEDs, on a red and green face the share of both kinds together.
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

// Brightness returns the share of full brightness, 0 to 1, at which a frame of this
// APL stays within a power budget. The budget is the APL that the supply carries at
// full brightness (FACTS.md, Frames).
func Brightness(apl, budget float64) float64 {
	if apl <= budget || apl <= 0 {
		return 1
	}
	return budget / apl
}
