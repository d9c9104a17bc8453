package render

import (
	"bytes"
	"fmt"
	"image"
	_ "image/jpeg" // a frame may be a photo
	_ "image/png"
)

// DecodeFrame reads a frame file as Message made it.
func DecodeFrame(data []byte) (image.Image, error) {
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("frame of %d bytes: %w", len(data), err)
	}
	return img, nil
}
