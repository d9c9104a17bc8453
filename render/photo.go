package render

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"

	"ledcast/playlists"
)

// Limits of a frame file (docs/protocol.md, Signed documents).
const (
	planBytes = 120 << 10 // the size that the controller plans for
	maxBytes  = 900 << 10 // the limit of the wire
)

// encodePhoto encodes a full-colour face as the smallest of a paletted PNG (for at
// most 256 colours), a true-colour PNG and a JPEG. It uses JPEG for pictures that
// were JPEGs and for those larger than planBytes as PNG, but never for a picture
// with text on it. It returns the file and its media type.
func encodePhoto(img *image.RGBA, photo, text bool) ([]byte, string, error) {
	if p := fewColours(img); p != nil {
		e := encoders.Get().(*encoder)
		defer encoders.Put(e)
		return e.paletted(p, playlists.RGB), "image/png", nil
	}
	var b bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestCompression}
	if err := enc.Encode(&b, img); err != nil {
		return nil, "", fmt.Errorf("picture as PNG: %w", err)
	}
	best, kind := b.Bytes(), "image/png"
	if !text && (photo || len(best) > planBytes) {
		for _, q := range []int{80, 65, 50, 35} {
			var j bytes.Buffer
			if err := jpeg.Encode(&j, img, &jpeg.Options{Quality: q}); err != nil {
				return nil, "", fmt.Errorf("picture as JPEG: %w", err)
			}
			if j.Len() < len(best) {
				best, kind = j.Bytes(), "image/jpeg"
			}
			if len(best) <= planBytes {
				break
			}
		}
	}
	if len(best) > maxBytes {
		return nil, "", &playlists.Error{Code: playlists.TooLarge, Field: "image.media",
			Key: "photo-too-large", Args: []any{len(best), maxBytes}}
	}
	return best, kind, nil
}

// fewColours returns the picture as palette indexes if it has at most 256 colours.
func fewColours(img *image.RGBA) *canvas {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	c := &canvas{w: w, h: h, pix: make([]uint8, w*h)}
	index := make(map[uint32]uint8, 256)
	var last uint32 = 1 // no opaque pixel
	var at uint8
	for y := range h {
		row := img.Pix[y*img.Stride:]
		for x := range w {
			k := uint32(row[4*x])<<24 | uint32(row[4*x+1])<<16 | uint32(row[4*x+2])<<8 | 0xff
			if k != last {
				i, ok := index[k]
				if !ok {
					if c.n == 256 {
						return nil
					}
					i = uint8(c.n)
					index[k] = i
					c.pal[c.n] = color.RGBA{row[4*x], row[4*x+1], row[4*x+2], 255}
					c.n++
				}
				last, at = k, i
			}
			c.pix[y*w+x] = at
		}
	}
	return c
}
