package cli

import (
	"bufio"
	"fmt"
	"image"
	"image/color"
	"io"

	"ledcast/playlists"
	"ledcast/render"
)

// printPages draws pages in a terminal of 24-bit colours, two LEDs a character
// cell, one over the other.
func printPages(w io.Writer, pages []page, c playlists.Class) error {
	out := bufio.NewWriter(w)
	for i, p := range pages {
		fmt.Fprintf(out, "%s, page %d of %d, %.1f s\n", c, i+1, len(pages), float64(p.ms)/1000)
		printImage(out, p.img, c.Colour)
	}
	return out.Flush()
}

func printImage(out *bufio.Writer, img image.Image, colour playlists.Colour) {
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y += 2 {
		var up, down color.RGBA // as the terminal has them; the zero value is none
		for x := b.Min.X; x < b.Max.X; x++ {
			if k := render.Lit(rgba(img, x, y), colour); k != up {
				up = k
				fmt.Fprintf(out, "\x1b[38;2;%d;%d;%dm", k.R, k.G, k.B)
			}
			if y+1 < b.Max.Y {
				if k := render.Lit(rgba(img, x, y+1), colour); k != down {
					down = k
					fmt.Fprintf(out, "\x1b[48;2;%d;%d;%dm", k.R, k.G, k.B)
				}
			}
			out.WriteString("▀")
		}
		out.WriteString("\x1b[0m\n")
	}
}
