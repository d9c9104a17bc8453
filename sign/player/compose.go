package player

import (
	"image"
	"image/color"
	"image/draw"

	"ledcast/playlists/timeline"
)

// Strip is a frame's pixels prepared for blitting: RGBA rows, and for a strip
// that moves along x its first face width once more at its end, so that every
// position is one copy a row.
type Strip struct {
	pix    []byte // 4 bytes a pixel
	stride int
	w, h   int // of the frame itself
	faceW  int
	faceH  int
}

// NewStrip prepares a decoded frame for a face of w x h pixels. axis is the
// scroll's, or "" for a still.
func NewStrip(img image.Image, w, h int, axis string) *Strip {
	b := img.Bounds()
	s := &Strip{w: b.Dx(), h: b.Dy(), faceW: w, faceH: h}
	tw, th := s.w, s.h // and the wrap: the first face once more
	switch axis {
	case "x":
		tw += w
	case "y":
		th += h
	}
	dst := image.NewRGBA(image.Rect(0, 0, tw, th))
	draw.Draw(dst, image.Rect(0, 0, s.w, s.h), img, b.Min, draw.Src)
	if tw > s.w {
		draw.Draw(dst, image.Rect(s.w, 0, tw, s.h), img, b.Min, draw.Src)
	}
	if th > s.h {
		draw.Draw(dst, image.Rect(0, s.h, tw, th), img, b.Min, draw.Src)
	}
	s.pix, s.stride = dst.Pix, dst.Stride
	return s
}

// Bytes is the memory that the strip holds.
func (s *Strip) Bytes() int { return len(s.pix) }

// Blit copies what shows onto dst, which has the face's size.
func (s *Strip) Blit(dst *image.RGBA, shown *timeline.Shown) {
	x, y := 0, 0
	if shown.Scroll != nil {
		if shown.Scroll.Axis == "y" {
			y = int(shown.Offset())
		} else {
			x = int(shown.Offset())
		}
	}
	for row := range s.faceH {
		from := (y+row)*s.stride + x*4
		copy(dst.Pix[row*dst.Stride:row*dst.Stride+4*s.faceW], s.pix[from:from+4*s.faceW])
	}
}

// Darken makes a face dark.
func Darken(dst *image.RGBA) {
	draw.Draw(dst, dst.Bounds(), image.NewUniform(color.Black), image.Point{}, draw.Src)
}
