package render

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"

	"github.com/fogleman/gg"

	"ledcast/playlists"
)

// SheetClasses are the classes of a contact sheet: each colour, wide and
// upright, from the smallest face to the largest.
var SheetClasses = []string{"64x32-red", "96x48-rgb", "128x64-redgreen", "128x64-rgb", "192x96-amber", "192x96-rgb",
	"160x256-rgb", "320x160-rgb"}

// Measures of a contact sheet, pixels.
const (
	sheetCell  = 256 // the widest that a face is drawn
	sheetHigh  = 180 // and the highest
	sheetGap   = 12
	sheetLabel = 28
)

// Sheet is a contact sheet: one row for each message, one column for each
// class, in each place the first page as it looks on the street. It is for
// people to look at; TestContactSheet holds docs/contact-sheet.png against it.
func (r *Renderer) Sheet(msgs []*playlists.Message, classes []playlists.Class, o Options) (image.Image, error) {
	heights := make([]int, len(msgs))
	faces := make([][]image.Image, len(msgs))
	for i, m := range msgs {
		for _, c := range classes {
			a, err := r.Message(m, c, o)
			if err != nil {
				return nil, fmt.Errorf("%s on %s: %w", m.ID, c, err)
			}
			img, err := DecodeFrame(a.Frames[a.Steps[0].Frame].Data)
			if err != nil {
				return nil, err
			}
			// A strip is shown when its text has just come in.
			if s := a.Steps[0].Scroll; s != nil {
				img = Window(img, c, s, (int64(c.W)*1000+s.PxS-1)/s.PxS)
			}
			face := street(img, c)
			faces[i] = append(faces[i], face)
			heights[i] = max(heights[i], face.Bounds().Dy())
		}
	}
	w, h := sheetGap+len(classes)*(sheetCell+sheetGap), sheetGap+sheetLabel
	for _, n := range heights {
		h += n + sheetGap
	}
	ctx := gg.NewContext(w, h)
	ctx.SetRGB255(38, 40, 44)
	ctx.Clear()
	out, ok := ctx.Image().(*image.RGBA)
	if !ok {
		return nil, fmt.Errorf("contact sheet: gg draws on %T", ctx.Image())
	}
	for k, c := range classes {
		if err := r.label(out, c.String(), sheetGap+k*(sheetCell+sheetGap), sheetGap+16); err != nil {
			return nil, err
		}
	}
	y := sheetGap + sheetLabel
	for i := range faces {
		for k, face := range faces[i] {
			b := face.Bounds()
			x := sheetGap + k*(sheetCell+sheetGap) + (sheetCell-b.Dx())/2
			top := y + (heights[i]-b.Dy())/2
			draw.Draw(out, image.Rect(x, top, x+b.Dx(), top+b.Dy()), face, b.Min, draw.Src)
		}
		y += heights[i] + sheetGap
	}
	return out, nil
}

// street draws a face at the sheet's size: round LEDs where there is room for
// them, otherwise its light averaged.
func street(img image.Image, c playlists.Class) image.Image {
	if cell := sheetCell / c.W; cell >= 4 {
		return LED(img, c, cell)
	}
	w, h := sheetCell, max(1, c.H*sheetCell/c.W)
	if h > sheetHigh {
		w, h = max(1, c.W*sheetHigh/c.H), sheetHigh
	}
	return resample(rowsOf(lit(img, c)), image.Pt(c.W, c.H), 0, 0, float64(c.W), float64(c.H), image.Pt(w, h))
}

// label writes a line in the smallest safe letters.
func (r *Renderer) label(out *image.RGBA, s string, x, y int) error {
	run := r.fonts.beVietnam.measure([]word{{s: s}})
	return overlay{out}.text(r.fonts.face(run.fam, run.fam.safe), run, span{0, 1}, point{x, y},
		color.RGBA{200, 203, 208, 255})
}
