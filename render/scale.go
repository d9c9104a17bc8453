package render

import (
	"image"
	"image/color"
	"math"
)

// Scaling works in linear light: the eye averages light, not sRGB values, and
// a picture averaged in sRGB comes out too dark on a sign. Rows of the source
// are read one by one, so that a large photo costs no second copy of itself.

// toLinear is an sRGB value's light in 16 bits; toSRGB is back, from the upper
// 12 bits, which is finer than 8-bit sRGB everywhere but in the deepest
// blacks.
var (
	toLinear [256]uint16
	toSRGB   [4096]uint8
)

func init() {
	for i := range toLinear {
		toLinear[i] = uint16(math.Round(linear(uint8(i)) * 65535))
	}
	v := 0
	for i := range toSRGB {
		light := uint16(i<<4 | i>>8)
		for v < 255 && int(toLinear[v])+int(toLinear[v+1]) < 2*int(light) {
			v++
		}
		toSRGB[i] = uint8(v)
	}
}

// rows reads an image's row y as linear RGB, three values a pixel. Transparent
// pixels are over black.
type rows func(y int, dst []uint16)

// rowsOf chooses the quickest reader for the types that decoders make.
func rowsOf(img image.Image) rows {
	b := img.Bounds()
	put := func(dst []uint16, x int, r, g, b8 uint8) {
		dst[3*x], dst[3*x+1], dst[3*x+2] = toLinear[r], toLinear[g], toLinear[b8]
	}
	switch m := img.(type) {
	case *image.YCbCr:
		return func(y int, dst []uint16) {
			for x := range b.Dx() {
				yi, ci := m.YOffset(b.Min.X+x, b.Min.Y+y), m.COffset(b.Min.X+x, b.Min.Y+y)
				r, g, k := color.YCbCrToRGB(m.Y[yi], m.Cb[ci], m.Cr[ci])
				put(dst, x, r, g, k)
			}
		}
	case *image.Gray:
		return func(y int, dst []uint16) {
			row := m.Pix[m.PixOffset(b.Min.X, b.Min.Y+y):]
			for x := range b.Dx() {
				put(dst, x, row[x], row[x], row[x])
			}
		}
	case *image.RGBA:
		return func(y int, dst []uint16) {
			row := m.Pix[m.PixOffset(b.Min.X, b.Min.Y+y):]
			for x := range b.Dx() {
				put(dst, x, row[4*x], row[4*x+1], row[4*x+2]) // premultiplied is over black
			}
		}
	case *image.NRGBA:
		return func(y int, dst []uint16) {
			row := m.Pix[m.PixOffset(b.Min.X, b.Min.Y+y):]
			for x := range b.Dx() {
				put(dst, x, row[4*x], row[4*x+1], row[4*x+2])
				if a := uint32(row[4*x+3]); a != 255 {
					for k := 3 * x; k < 3*x+3; k++ {
						dst[k] = uint16(uint32(dst[k]) * a / 255)
					}
				}
			}
		}
	}
	return func(y int, dst []uint16) {
		for x := range b.Dx() {
			k := color.RGBAModel.Convert(img.At(b.Min.X+x, b.Min.Y+y)).(color.RGBA)
			put(dst, x, k.R, k.G, k.B)
		}
	}
}

// taps are the source pixels that make one pixel, with weights of sum 1<<14.
type taps struct {
	first   int
	weights []int32
}

// kernel is Mitchell and Netravali's filter (1988) with B = C = 1/3: sharp
// without ringing, which on a sign would draw halos around letters.
func kernel(x float64) float64 {
	x = math.Abs(x)
	switch {
	case x < 1:
		return (7*x*x*x - 12*x*x + 16.0/3) / 6
	case x < 2:
		return (-7.0/3*x*x*x + 12*x*x - 20*x + 32.0/3) / 6
	}
	return 0
}

// weigh computes the taps that map [from, from+size) of n source pixels onto
// out pixels.
func weigh(n int, from, size float64, out int) []taps {
	scale := size / float64(out)
	wide := math.Max(scale, 1)
	all := make([]taps, out)
	for i := range all {
		mid := from + (float64(i)+0.5)*scale
		lo, hi := int(math.Floor(mid-2*wide)), int(math.Ceil(mid+2*wide))
		lo, hi = max(lo, 0), min(hi, n-1)
		w := make([]float64, hi-lo+1)
		sum := 0.0
		for k := range w {
			w[k] = kernel((float64(lo+k) + 0.5 - mid) / wide)
			sum += w[k]
		}
		t := taps{first: lo, weights: make([]int32, len(w))}
		var total int32
		best := 0
		for k := range w {
			t.weights[k] = int32(math.Round(w[k] / sum * (1 << 14)))
			total += t.weights[k]
			if w[k] > w[best] {
				best = k
			}
		}
		t.weights[best] += 1<<14 - total
		all[i] = t
	}
	return all
}

// resample scales the rectangle (x, y, w, h) of an image of size n onto a
// picture of out pixels.
func resample(read rows, n image.Point, x, y, w, h float64, out image.Point) *image.RGBA {
	dst := image.NewRGBA(image.Rect(0, 0, out.X, out.Y))
	across, down := weigh(n.X, x, w, out.X), weigh(n.Y, y, h, out.Y)
	line := make([]uint16, 3*n.X)
	deepest := 0
	for _, t := range down {
		deepest = max(deepest, len(t.weights))
	}
	ring := make([][]int32, deepest) // scaled source rows, by y mod deepest
	for i := range ring {
		ring[i] = make([]int32, 3*out.X)
	}
	next := 0
	for oy, t := range down {
		next = max(next, t.first)
		for ; next < t.first+len(t.weights); next++ {
			read(next, line)
			narrow(ring[next%deepest], line, across)
		}
		row := dst.Pix[oy*dst.Stride:]
		for i := range out.X {
			var v [3]int64
			for k, wt := range t.weights {
				src := ring[(t.first+k)%deepest]
				v[0] += int64(wt) * int64(src[3*i])
				v[1] += int64(wt) * int64(src[3*i+1])
				v[2] += int64(wt) * int64(src[3*i+2])
			}
			for c := range 3 {
				row[4*i+c] = toSRGB[min(max(v[c]>>14, 0), 65535)>>4]
			}
			row[4*i+3] = 255
		}
	}
	return dst
}

func narrow(dst []int32, src []uint16, across []taps) {
	for i, t := range across {
		var r, g, b int64
		at := 3 * t.first
		for _, w := range t.weights {
			r += int64(w) * int64(src[at])
			g += int64(w) * int64(src[at+1])
			b += int64(w) * int64(src[at+2])
			at += 3
		}
		dst[3*i], dst[3*i+1], dst[3*i+2] = int32(r>>14), int32(g>>14), int32(b>>14)
	}
}
