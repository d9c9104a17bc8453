package output

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Screen is the form of a framebuffer.
type Screen struct {
	Width  int `json:"width"` // pixels
	Height int `json:"height"`
	Bits   int `json:"bits"`             // a pixel: 16 (RGB565), 24 (BGR) or 32 (BGRX), little-endian
	Stride int `json:"stride,omitempty"` // bytes a row; 0: no gap between rows
}

// graphics is where Linux describes /dev/fbN.
const graphics = "/sys/class/graphics"

// framebuffer writes a face onto a screen, which is black around it.
type framebuffer struct {
	file   *os.File
	layout *layout
	screen Screen
	x, y   int
	leds   []byte
	pix    []byte // the face's rows on the screen, without a gap
}

func newFramebuffer(path, sysfs string, m Map, l *layout) (Output, error) {
	screen, flag := Screen{}, os.O_RDWR
	if m.Screen != nil {
		screen, flag = *m.Screen, flag|os.O_CREATE
	} else {
		var err error
		if screen, err = readScreen(filepath.Join(sysfs, filepath.Base(path))); err != nil {
			return nil, fmt.Errorf("%w; give its form in the config's outputs: "+
				"\"fb\":{\"screen\":{\"width\",\"height\",\"bits\"}}", err)
		}
	}
	if screen.Bits != 16 && screen.Bits != 24 && screen.Bits != 32 {
		return nil, fmt.Errorf("screen.bits %d is not 16, 24 or 32", screen.Bits)
	}
	if screen.Stride == 0 {
		screen.Stride = screen.Width * screen.Bits / 8
	}
	if screen.Width < 1 || screen.Height < 1 || screen.Stride < screen.Width*screen.Bits/8 {
		return nil, fmt.Errorf("a screen of %dx%d pixels and rows of %d bytes cannot be", screen.Width, screen.Height,
			screen.Stride)
	}
	if m.X < 0 || m.Y < 0 || m.X+l.rasterW > screen.Width || m.Y+l.rasterH > screen.Height {
		return nil, fmt.Errorf("a picture of %dx%d at %d,%d does not lie on a screen of %dx%d", l.rasterW, l.rasterH,
			m.X, m.Y, screen.Width, screen.Height)
	}
	file, err := os.OpenFile(path, flag, 0o644)
	if err != nil {
		return nil, fmt.Errorf("%w; the sign's user must be in the group that owns it, usually video", err)
	}
	f := &framebuffer{file: file, layout: l, screen: screen, x: m.X, y: m.Y,
		leds: make([]byte, 3*len(l.from)), pix: make([]byte, l.rasterW*l.rasterH*screen.Bits/8)}
	// Whatever stood there is not for the street.
	if err := f.clear(); err != nil {
		_ = file.Close()
		return nil, err
	}
	return f, nil
}

// readScreen reads the form from sysfs.
func readScreen(dir string) (s Screen, err error) {
	read := func(name string) string {
		text, rerr := os.ReadFile(filepath.Join(dir, name))
		err = errors.Join(err, rerr)
		return strings.TrimSpace(string(text))
	}
	number := func(name, text string) int {
		n, nerr := strconv.Atoi(text)
		if nerr != nil && err == nil {
			err = fmt.Errorf("%s says %q", filepath.Join(dir, name), text)
		}
		return n
	}
	size := read("virtual_size")
	w, h, _ := strings.Cut(size, ",")
	bits, stride := read("bits_per_pixel"), read("stride")
	s = Screen{Width: number("virtual_size", w), Height: number("virtual_size", h),
		Bits: number("bits_per_pixel", bits), Stride: number("stride", stride)}
	return s, err
}

func (f *framebuffer) clear() error {
	row := make([]byte, f.screen.Stride)
	for y := range f.screen.Height {
		if _, err := f.file.WriteAt(row, int64(y)*int64(f.screen.Stride)); err != nil {
			return err
		}
	}
	return nil
}

func (f *framebuffer) Show(p Picture) error {
	if err := f.layout.leds(f.leds, p); err != nil {
		return err
	}
	pack(f.pix, f.leds, f.screen.Bits)
	n := f.layout.rasterW * f.screen.Bits / 8
	at := int64(f.y)*int64(f.screen.Stride) + int64(f.x*f.screen.Bits/8)
	if n == f.screen.Stride { // no gap: one write
		_, err := f.file.WriteAt(f.pix, at)
		return err
	}
	for y := range f.layout.rasterH {
		if _, err := f.file.WriteAt(f.pix[y*n:(y+1)*n], at+int64(y)*int64(f.screen.Stride)); err != nil {
			return err
		}
	}
	return nil
}

// pack writes LEDs of three bytes as a framebuffer holds them: red in the high
// bits, little-endian.
func pack(dst, leds []byte, bits int) {
	n := len(leds) / 3
	for i := range n {
		r, g, b := leds[3*i], leds[3*i+1], leds[3*i+2]
		switch bits {
		case 16:
			v := uint16(r>>3)<<11 | uint16(g>>2)<<5 | uint16(b>>3)
			dst[2*i], dst[2*i+1] = byte(v), byte(v>>8)
		case 24:
			dst[3*i], dst[3*i+1], dst[3*i+2] = b, g, r
		case 32:
			dst[4*i], dst[4*i+1], dst[4*i+2], dst[4*i+3] = b, g, r, 0
		}
	}
}

// Close leaves a black screen: a sign that does not run shows nothing.
func (f *framebuffer) Close() error { return errors.Join(f.clear(), f.file.Close()) }
