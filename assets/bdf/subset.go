package bdf

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Subset writes the font in data with only the glyphs whose code point keep accepts. The glyphs and their order are
// unchanged. The command in subset/ made the fonts in package assets with it from the original Galmuri files.
func Subset(w io.Writer, data []byte, keep func(rune) bool) error {
	f, err := Parse(data)
	if err != nil {
		return err
	}
	n := 0
	for r := range f.glyphs {
		if keep(r) {
			n++
		}
	}
	out := bufio.NewWriter(w)
	var glyph []string
	wanted := false
	sc := bufio.NewScanner(bytes.NewReader(data))
	for sc.Scan() {
		s := strings.TrimRight(sc.Text(), " \t\r")
		switch {
		case strings.HasPrefix(s, "CHARS "):
			fmt.Fprintf(out, "CHARS %d\n", n)
		case strings.HasPrefix(s, "STARTCHAR"):
			glyph, wanted = []string{s}, false
		case glyph == nil:
			fmt.Fprintln(out, s)
		default:
			if rest, ok := strings.CutPrefix(s, "ENCODING "); ok {
				code, err := strconv.Atoi(strings.Fields(rest)[0])
				wanted = err == nil && code >= 0 && keep(rune(code))
			}
			glyph = append(glyph, s)
			if s == "ENDCHAR" {
				if wanted {
					fmt.Fprintln(out, strings.Join(glyph, "\n"))
				}
				glyph = nil
			}
		}
	}
	return out.Flush()
}
