package output

import (
	"bytes"
	"fmt"
	"image/color"
	"io"
)

// Terminal draws a face with half blocks in 24-bit colour: two LEDs a
// character cell.
type Terminal struct {
	w     io.Writer
	face  Face
	buf   bytes.Buffer
	begun bool
}

// NewTerminal draws to w, which should be a terminal.
func NewTerminal(w io.Writer, f Face) *Terminal { return &Terminal{w: w, face: f} }

// Show draws over the face before.
func (t *Terminal) Show(p Picture) error {
	b := &t.buf
	b.Reset()
	if !t.begun {
		b.WriteString("\x1b[2J\x1b[?25l")
		t.begun = true
	}
	b.WriteString("\x1b[H")
	lit, one := t.face.Lit()
	at := func(x, y int) color.RGBA {
		if y >= t.face.H {
			return color.RGBA{}
		}
		c := p.Image.RGBAAt(x, y)
		if one && c.R > 127 {
			return lit
		}
		return c
	}
	for y := 0; y < t.face.H; y += 2 {
		var fg, bg color.RGBA
		for x := range t.face.W {
			up, down := at(x, y), at(x, y+1)
			if x == 0 || up != fg {
				fmt.Fprintf(b, "\x1b[38;2;%d;%d;%dm", up.R, up.G, up.B)
			}
			if x == 0 || down != bg {
				fmt.Fprintf(b, "\x1b[48;2;%d;%d;%dm", down.R, down.G, down.B)
			}
			fg, bg = up, down
			b.WriteString("▀")
		}
		b.WriteString("\x1b[0m\x1b[K\r\n")
	}
	// Below the face, never on it.
	fmt.Fprintf(b, "%s  %s  %s  %s\x1b[K\r\n", t.face.Sign, t.face.Class, p.Item, p.Why)
	_, err := t.w.Write(b.Bytes())
	return err
}

// Close gives the cursor back.
func (t *Terminal) Close() error {
	if !t.begun {
		return nil
	}
	_, err := io.WriteString(t.w, "\x1b[0m\x1b[?25h")
	return err
}
