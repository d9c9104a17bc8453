package render

import (
	"image"
	"image/draw"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// Window is what a face of class c shows of a decoded frame, tauMS after the
// step began: the frame itself for a still, and for a scroll the part of the
// strip (docs/protocol.md, What is on the face at time t).
func Window(img image.Image, c playlists.Class, s *timeline.Scroll, tauMS int64) image.Image {
	if s == nil {
		return img
	}
	shown := timeline.Shown{Scroll: s, TauMS: tauMS,
		Frame: &timeline.Frame{W: int64(img.Bounds().Dx()), H: int64(img.Bounds().Dy())}}
	at := int(shown.Offset())
	if src, ok := img.(*image.Paletted); ok && s.Axis == "x" {
		out := image.NewPaletted(image.Rect(0, 0, c.W, c.H), src.Palette)
		BlitWindow(out, src, at)
		return out
	}
	out := image.NewRGBA(image.Rect(0, 0, c.W, c.H))
	size := img.Bounds().Size()
	for x := -at; s.Axis == "x" && x < c.W; x += size.X {
		draw.Draw(out, image.Rect(x, 0, x+size.X, c.H), img, img.Bounds().Min, draw.Src)
	}
	for y := -at; s.Axis == "y" && y < c.H; y += size.Y {
		draw.Draw(out, image.Rect(0, y, c.W, y+size.Y), img, img.Bounds().Min, draw.Src)
	}
	return out
}

// BlitWindow copies dst's width of the strip, from the strip's column at on
// and around its end, by rows: a scroll step costs as much as moving its
// pixels. Both images have the same height and palette.
func BlitWindow(dst, strip *image.Paletted, at int) {
	w, n := dst.Rect.Dx(), strip.Rect.Dx()
	if at+w <= n {
		for y := range dst.Rect.Dy() {
			copy(dst.Pix[y*dst.Stride:y*dst.Stride+w], strip.Pix[y*strip.Stride+at:])
		}
		return
	}
	for y := range dst.Rect.Dy() {
		to := dst.Pix[y*dst.Stride : y*dst.Stride+w]
		from := strip.Pix[y*strip.Stride : y*strip.Stride+n]
		done := copy(to, from[at:])
		for done < w {
			done += copy(to[done:], from)
		}
	}
}
