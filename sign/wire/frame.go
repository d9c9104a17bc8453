package wire

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"strings"

	"ledcast/playlists/timeline"
)

// OpenFrame makes the check bad-frame: digest, length, size and profile
// (docs/protocol.md, "Pictures"). It returns the decoded picture. class is e.g.
// "128x64-rgb".
func OpenFrame(data []byte, f *timeline.Frame, class string) (image.Image, error) {
	if int64(len(data)) != f.Len {
		return nil, reject(BadFrame, "%d bytes instead of %d", len(data), f.Len)
	}
	if d := Digest(data); d != f.SHA256 {
		return nil, reject(BadFrame, "its digest is %s instead of %s", d, f.SHA256)
	}
	if f.W <= 0 || f.H <= 0 || f.W*f.H > MaxStripPixels {
		return nil, reject(BadFrame, "%dx%d pixels are over the limit", f.W, f.H)
	}
	_, colour, _ := strings.Cut(class, "-")
	if f.Type == "image/jpeg" {
		return openJPEG(data, f, colour)
	}
	return openPNG(data, f.W, f.H, colour)
}

// OpenPicture checks a picture sign's picture: a PNG of exactly the class's
// size in its profile.
func OpenPicture(data []byte, class string) (image.Image, error) {
	w, h, ok := classSize(class)
	if !ok {
		return nil, reject(BadFrame, "the class %q has no size", class)
	}
	if len(data) > MaxFrame {
		return nil, reject(TooLarge, "%d bytes, over the limit of %d", len(data), MaxFrame)
	}
	_, colour, _ := strings.Cut(class, "-")
	return openPNG(data, w, h, colour)
}

const pngMagic = "\x89PNG\r\n\x1a\n"

// openPNG looks at the chunks before it decodes: what a file claims decides
// how much memory decoding takes.
func openPNG(data []byte, w, h int64, colour string) (image.Image, error) {
	bad := func(format string, args ...any) (image.Image, error) {
		return nil, reject(BadFrame, format, args...)
	}
	if len(data) < 33 || string(data[:8]) != pngMagic || string(data[12:16]) != "IHDR" {
		return bad("it is no PNG")
	}
	if gw, gh := int64(binary.BigEndian.Uint32(data[16:])), int64(binary.BigEndian.Uint32(data[20:])); gw != w ||
		gh != h {
		return bad("%dx%d pixels instead of %dx%d", gw, gh, w, h)
	}
	depth, kind, interlaced := data[24], data[25], data[28]
	if depth > 8 || interlaced != 0 || (kind != 0 && kind != 2 && kind != 3) {
		return bad("depth %d, colour type %d or interlacing is not of the profile", depth, kind)
	}
	var palette []byte
	for at := 8; ; {
		if at+12 > len(data) {
			return bad("it ends within a chunk")
		}
		n := int64(binary.BigEndian.Uint32(data[at:]))
		if n > int64(len(data)-at-12) {
			return bad("a chunk is longer than the file")
		}
		name, body := string(data[at+4:at+8]), data[at+8:at+8+int(n)]
		if name == "tRNS" {
			return bad("it is partly transparent")
		}
		if name == "PLTE" {
			palette = body
		}
		if name == "IEND" {
			break
		}
		at += 12 + int(n)
	}
	switch {
	case colour == "rgb":
	case colour == "redgreen":
		if kind != 3 || string(palette) != "\x00\x00\x00\xff\x00\x00\x00\xff\x00\xff\xff\x00" {
			return bad("its palette is not 000000 FF0000 00FF00 FFFF00")
		}
	case depth != 1 || (kind != 0 && (kind != 3 || string(palette) != "\x00\x00\x00\xff\xff\xff")):
		return bad("it is not 1 bit of 000000 and FFFFFF")
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return bad("%v", err)
	}
	return img, nil
}

func openJPEG(data []byte, f *timeline.Frame, colour string) (image.Image, error) {
	if colour != "rgb" {
		return nil, reject(BadFrame, "a JPEG on a face that is not rgb")
	}
	if !baseline(data) {
		return nil, reject(BadFrame, "it is no baseline JPEG")
	}
	c, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, reject(BadFrame, "%v", err)
	}
	if int64(c.Width) != f.W || int64(c.Height) != f.H {
		return nil, reject(BadFrame, "%dx%d pixels instead of %dx%d", c.Width, c.Height, f.W, f.H)
	}
	if c.ColorModel == color.CMYKModel {
		return nil, reject(BadFrame, "it is CMYK")
	}
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, reject(BadFrame, "%v", err)
	}
	return img, nil
}

// baseline reports whether the first start-of-frame marker is SOF0.
func baseline(data []byte) bool {
	if len(data) < 4 || data[0] != 0xff || data[1] != 0xd8 {
		return false
	}
	for at := 2; at+4 <= len(data); {
		if data[at] != 0xff {
			return false
		}
		m := data[at+1]
		switch {
		case m == 0xff:
			at++
			continue
		case m == 0xc0:
			return true
		case m >= 0xc1 && m <= 0xcf && m != 0xc4 && m != 0xc8 && m != 0xcc, m == 0xda, m == 0xd9:
			return false
		}
		at += 2 + int(binary.BigEndian.Uint16(data[at+2:]))
	}
	return false
}
