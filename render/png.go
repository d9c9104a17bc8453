package render

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image/color"
	"sync"

	"ledcast/playlists"
)

// encoder writes PNG files in the profile of docs/protocol.md: palette, no alpha, no
// tRNS, not interlaced. The standard library's encoder would do the same in
// more time and memory, and cannot be told the depth.
type encoder struct {
	z    *zlib.Writer
	raw  bytes.Buffer // the compressed rows
	row  []byte
	out  bytes.Buffer
	seen [256]bool
	to   [256]uint8
}

var encoders = sync.Pool{New: func() any { return new(encoder) }}

// level is zlib's: 9 makes cards a fiftieth smaller than 7 and takes up to
// nine times as long.
const level = 7

var pngSignature = []byte("\x89PNG\r\n\x1a\n")

// paletted encodes w x h palette indexes. Colours that are not used are left
// out and equal ones become one, except where a class prescribes its palette.
func (e *encoder) paletted(c *canvas, colour playlists.Colour) []byte {
	pal := e.palette(c, colour)
	depth := 8
	switch {
	case len(pal) <= 2:
		depth = 1
	case len(pal) <= 4:
		depth = 2
	case len(pal) <= 16:
		depth = 4
	}
	e.raw.Reset()
	if e.z == nil {
		e.z, _ = zlib.NewWriterLevel(&e.raw, level) // a constant that exists
	} else {
		e.z.Reset(&e.raw)
	}
	n := 1 + (c.w*depth+7)/8
	if cap(e.row) < n {
		e.row = make([]byte, n)
	}
	row := e.row[:n]
	row[0] = 0 // no filter: neighbours are equal or unrelated in a card
	for y := range c.h {
		e.pack(row[1:], c.pix[y*c.w:(y+1)*c.w], depth)
		e.z.Write(row) // into memory: does not fail
	}
	e.z.Close()

	e.out.Reset()
	e.out.Write(pngSignature)
	var head [13]byte
	binary.BigEndian.PutUint32(head[0:], uint32(c.w))
	binary.BigEndian.PutUint32(head[4:], uint32(c.h))
	head[8], head[9] = byte(depth), 3
	e.chunk("IHDR", head[:])
	var plte [768]byte
	for i, k := range pal {
		plte[3*i], plte[3*i+1], plte[3*i+2] = k.R, k.G, k.B
	}
	e.chunk("PLTE", plte[:3*len(pal)])
	e.chunk("IDAT", e.raw.Bytes())
	e.chunk("IEND", nil)
	return bytes.Clone(e.out.Bytes())
}

// palette is the colours to write, and fills e.to with their indexes.
func (e *encoder) palette(c *canvas, colour playlists.Colour) []color.RGBA {
	var pal []color.RGBA
	switch {
	case colour.OneBit():
		pal = []color.RGBA{ledBlack, ledWhite}
	case colour == playlists.RedGreen:
		pal = []color.RGBA{ledBlack, ledRed, ledGreen, ledYellow}
	}
	clear(e.seen[:])
	for _, p := range c.pix {
		e.seen[p] = true
	}
	for i := range c.n {
		if !e.seen[i] {
			continue
		}
		at := -1
		for k, q := range pal {
			if q == c.pal[i] {
				at = k
				break
			}
		}
		if at < 0 {
			at, pal = len(pal), append(pal, c.pal[i])
		}
		e.to[i] = uint8(at)
	}
	return pal
}

// pack writes a row of indexes at depth bits each, the leftmost highest.
func (e *encoder) pack(dst, src []byte, depth int) {
	switch depth {
	case 8:
		for i, p := range src {
			dst[i] = e.to[p]
		}
		return
	}
	per := 8 / depth
	for i := range dst {
		var b uint8
		for k := range per {
			b <<= uint(depth)
			if at := i*per + k; at < len(src) {
				b |= e.to[src[at]]
			}
		}
		dst[i] = b
	}
}

func (e *encoder) chunk(name string, data []byte) {
	var n [4]byte
	binary.BigEndian.PutUint32(n[:], uint32(len(data)))
	e.out.Write(n[:])
	e.out.WriteString(name)
	e.out.Write(data)
	crc := crc32.Update(crc32.ChecksumIEEE([]byte(name)), crc32.IEEETable, data)
	binary.BigEndian.PutUint32(n[:], crc)
	e.out.Write(n[:])
}
