package render

import (
	"bytes"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"

	"ledcast/playlists"
)

// MediaInfo describes a picture.
type MediaInfo struct {
	Type   string // media type of what CleanMedia wrote
	W, H   int    // pixels, upright
	Frames int    // 1 for a still
}

// maxKept is the longest side of a picture that is kept, in pixels: twice the
// widest common face, so that "fill" has room to choose.
const maxKept = 3840

// CleanMedia decodes an uploaded picture within the limits and encodes it again:
// upright, at most 3840 pixels a side, without metadata. A photo stays a JPEG and an
// animated GIF a GIF; everything else becomes PNG. Its error is an *playlists.Error.
func CleanMedia(name string, data []byte) ([]byte, *MediaInfo, error) {
	m, err := decodeMedium("image.media", name, data)
	if err != nil {
		return nil, nil, err
	}
	var b bytes.Buffer
	if m.moving != nil {
		g := m.moving
		if err := gif.EncodeAll(&b, &gif.GIF{Image: g.Image, Delay: g.Delay, Disposal: g.Disposal,
			Config: g.Config}); err != nil {
			return nil, nil, fmt.Errorf("picture %s as GIF: %w", name, err)
		}
		return b.Bytes(), &MediaInfo{"image/gif", g.Config.Width, g.Config.Height, len(g.Image)}, nil
	}
	size := m.still.Bounds().Size()
	if size.X < 1 || size.Y < 1 {
		return nil, nil, &playlists.Error{Code: playlists.Invalid, Field: "image.media", Value: name,
			Key: "picture-without-pixels"}
	}
	img := m.still
	if long := max(size.X, size.Y); long > maxKept || m.orientation != 1 {
		out := size
		if long > maxKept {
			out = image.Pt(max(1, size.X*maxKept/long), max(1, size.Y*maxKept/long))
		}
		img = turn(resample(rowsOf(m.still), size, 0, 0, float64(size.X), float64(size.Y), out), m.orientation)
	}
	info := &MediaInfo{"image/png", img.Bounds().Dx(), img.Bounds().Dy(), 1}
	if m.photo {
		info.Type = "image/jpeg"
		err = jpeg.Encode(&b, img, &jpeg.Options{Quality: 92})
	} else {
		err = png.Encode(&b, img)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("picture %s: %w", name, err)
	}
	return b.Bytes(), info, nil
}
