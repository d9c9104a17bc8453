package render

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/webp"

	"ledcast/playlists"
)

// Limits of an uploaded picture. A header states the size before decoding, and a
// small file can claim gigapixels; a picture over the limits is rejected unread.
const (
	MaxMedia     = 12 << 20 // bytes of a file
	maxDecoded   = 40 << 20 // bytes in memory once decoded
	maxGIFFrames = 120
	maxGIFPixels = 12 << 20 // of all frames
	minStepMS    = 100      // signs refuse shorter steps
	minPictureMS = 500      // on a picture sign
	msImage      = 5000     // dwell of a picture without words
)

// medium is a decoded picture or animation. The frames of an animation are composed
// one by one, because together they would be a hundred whole pictures.
type medium struct {
	still       image.Image
	moving      *gif.GIF // nil for a still
	orientation int      // EXIF's, 1 to 8
	photo       bool     // was compressed with loss, and may be again
}

// decodeMedium reads PNG, JPEG, GIF or WebP, identified by the first bytes. Its
// error is an *playlists.Error of code Invalid or TooLarge.
func decodeMedium(field, name string, data []byte) (*medium, error) {
	bad := func(code playlists.Code, key playlists.TextKey, args ...any) (*medium, error) {
		return nil, &playlists.Error{Code: code, Key: key, Args: args, Field: field, Value: name}
	}
	if len(data) > MaxMedia {
		return bad(playlists.TooLarge, "picture-bytes-over-limit", len(data), MaxMedia)
	}
	kind, cfg, err := sniff(data)
	if kind == "" {
		return bad(playlists.Invalid, "picture-kind-unknown")
	}
	if err != nil {
		return bad(playlists.Invalid, "picture-incomplete", kind, err)
	}
	m := &medium{orientation: 1}
	perPixel := bytesPerPixel(cfg.ColorModel)
	progressive := false
	if kind == "JPEG" {
		m.orientation, progressive = jpegFacts(data)
		m.photo = true
		if progressive {
			perPixel += 12 // the decoder keeps every coefficient
		}
	}
	if kind == "PNG" && len(data) > 28 && data[28] == 1 {
		perPixel *= 2 // an interlaced one is decoded in passes
	}
	if cfg.Width <= 0 || cfg.Height <= 0 || int64(cfg.Width)*int64(cfg.Height)*int64(perPixel) > maxDecoded {
		return bad(playlists.TooLarge, "picture-pixels-over-limit", cfg.Width, cfg.Height, maxDecoded/perPixel/1000000)
	}
	if kind == "GIF" {
		n := gifFrames(data)
		if n > maxGIFFrames || int64(n)*int64(cfg.Width)*int64(cfg.Height) > maxGIFPixels {
			return bad(playlists.TooLarge, "gif-over-limit", n, cfg.Width, cfg.Height, maxGIFFrames, maxGIFPixels)
		}
	}
	if err := m.decode(kind, data); err != nil {
		return bad(playlists.Invalid, "picture-damaged", kind, err)
	}
	return m, nil
}

// sniff identifies the kind by the first bytes and reads the stated size. The kind
// is "" if it is unknown.
func sniff(data []byte) (string, image.Config, error) {
	r := bytes.NewReader(data)
	switch {
	case bytes.HasPrefix(data, pngSignature):
		c, err := png.DecodeConfig(r)
		return "PNG", c, err
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		c, err := jpeg.DecodeConfig(r)
		return "JPEG", c, err
	case bytes.HasPrefix(data, []byte("GIF87a")), bytes.HasPrefix(data, []byte("GIF89a")):
		c, err := gif.DecodeConfig(r)
		return "GIF", c, err
	case len(data) > 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP":
		c, err := webp.DecodeConfig(r)
		return "WebP", c, err
	}
	return "", image.Config{}, nil
}

func bytesPerPixel(m color.Model) int {
	switch m {
	case color.GrayModel, color.AlphaModel:
		return 1
	case color.Gray16Model:
		return 2
	case color.YCbCrModel:
		return 3
	case color.RGBA64Model, color.NRGBA64Model:
		return 8
	}
	if _, ok := m.(color.Palette); ok {
		return 1
	}
	return 4
}

func (m *medium) decode(kind string, data []byte) error {
	r := bytes.NewReader(data)
	var err error
	switch kind {
	case "PNG":
		m.still, err = png.Decode(r)
	case "JPEG":
		m.still, err = jpeg.Decode(r)
	case "WebP":
		m.still, err = webp.Decode(r)
		_, m.photo = m.still.(*image.YCbCr)
	case "GIF":
		var g *gif.GIF
		if g, err = gif.DecodeAll(r); err == nil {
			if m.still = g.Image[0]; len(g.Image) > 1 {
				m.moving = g
			}
		}
	}
	return err
}

// each calls f with every whole picture of the medium and its time in ms, which is 0
// for a still. A frame of a GIF may be a part that is drawn over the one before.
func (m *medium) each(f func(img image.Image, ms int64) error) error {
	if m.moving == nil {
		return f(m.still, 0)
	}
	g := m.moving
	screen := image.NewRGBA(image.Rect(0, 0, g.Config.Width, g.Config.Height))
	var before []uint8
	for i, part := range g.Image {
		if g.Disposal[i] == gif.DisposalPrevious {
			before = append(before[:0], screen.Pix...)
		}
		draw.Draw(screen, part.Rect, part, part.Rect.Min, draw.Over)
		ms := int64(g.Delay[i]) * 10
		if ms < 20 {
			ms = 100 // as browsers treat a delay of 0
		}
		if err := f(screen, ms); err != nil {
			return err
		}
		switch g.Disposal[i] {
		case gif.DisposalPrevious:
			copy(screen.Pix, before)
		case gif.DisposalBackground:
			draw.Draw(screen, part.Rect, image.Transparent, image.Point{}, draw.Src)
		}
	}
	return nil
}

// gifFrames counts the pictures of a GIF without decoding them, by its blocks. It
// does not count a truncated one.
func gifFrames(data []byte) int {
	if len(data) < 13 {
		return 0
	}
	i := 13
	if data[10]&0x80 != 0 {
		i += 3 << (data[10]&7 + 1)
	}
	skip := func() bool { // sub-blocks, to their end
		for i < len(data) {
			n := int(data[i])
			i += n + 1
			if n == 0 {
				return true
			}
		}
		return false
	}
	n := 0
	for i < len(data) {
		switch data[i] {
		case 0x21:
			i += 2
			if !skip() {
				return n
			}
		case 0x2c:
			if i+10 > len(data) {
				return n
			}
			flags := data[i+9]
			i += 10
			if flags&0x80 != 0 {
				i += 3 << (flags&7 + 1)
			}
			n++
			i++ // LZW's code size
			if !skip() {
				return n
			}
		default:
			return n
		}
	}
	return n
}
