package cli

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/png"

	"ledcast/playlists"
	"ledcast/render"
)

// page is one picture and how long it shows.
type page struct {
	img  image.Image
	data []byte // the frame's own bytes, if img is it as it stands
	ms   int64
}

func (p page) png() ([]byte, error) {
	if p.data != nil {
		return p.data, nil
	}
	var b bytes.Buffer
	err := png.Encode(&b, p.img)
	return b.Bytes(), err
}

// A scroll becomes a GIF of 25 pictures a second, or fewer if all of them would
// take more memory than this.
const (
	gifStepMS = 40
	gifBytes  = 32 << 20
)

// gifStep is the time between a moving GIF's pictures.
func gifStep(a *playlists.Artwork, c playlists.Class, cell int) int64 {
	var ms int64
	for _, s := range a.Steps {
		if s.Scroll != nil {
			ms += s.MS
		}
	}
	return max(gifStepMS, ms*int64(c.W*cell)*int64(c.H*cell)/gifBytes/10*10)
}

// pages decodes the frames of an artwork in the order of showing. A scroll becomes
// many pictures for a GIF. Otherwise it becomes one picture for each width of the
// face, so that every word is on one of them.
func (f *previewFlags) pages(a *playlists.Artwork, c playlists.Class, moving bool) ([]page, error) {
	for _, s := range a.Steps {
		if moving && f.led && s.Scroll != nil && max(c.W, c.H) > maxMovingLED {
			return nil, &playlists.Error{Code: playlists.TooLarge, Field: "class", Value: c.String(),
				Key: "gif-too-large"}
		}
	}
	look := f.look(c, moving)
	cell := 1
	if f.led {
		cell = ledCell(c, moving)
	}
	var out []page
	for _, s := range a.Steps {
		data := a.Frames[s.Frame].Data
		img, err := render.DecodeFrame(data)
		if err != nil {
			return nil, err
		}
		if s.Scroll == nil {
			p := page{look(img), nil, s.MS}
			if p.img == img && a.Frames[s.Frame].Type == "image/png" {
				p.data = data
			}
			out = append(out, p)
			continue
		}
		step := gifStep(a, c, cell)
		from := int64(0)
		if !moving {
			step = int64(c.W) * 1000 / s.Scroll.PxS
			from = step
		}
		for tau := from; tau < s.MS; tau += step {
			out = append(out, page{look(render.Window(img, c, s.Scroll, tau)), nil, min(step, s.MS-tau)})
		}
	}
	return out, nil
}

// look draws the pictures as pixels, as LEDs, or as seen from a distance.
func (f *previewFlags) look(c playlists.Class, moving bool) func(image.Image) image.Image {
	return func(img image.Image) image.Image {
		switch {
		case f.distance > 0:
			return render.Distant(img, c, f.distance, f.pitch)
		case f.led:
			return render.LED(img, c, ledCell(c, moving))
		}
		return img
	}
}

// maxMovingLED is the longest side in LEDs of a face whose scroll is drawn as LEDs.
// A larger one would make a GIF of hundreds of megapixels.
const maxMovingLED = 640

// ledCell returns the pixels a LED, so that a picture fits a screen and a moving
// one fits a GIF.
func ledCell(c playlists.Class, moving bool) int {
	if moving {
		return min(6, max(2, 640/max(c.W, c.H)))
	}
	return min(8, max(2, 1600/max(c.W, c.H)))
}

// encodeGIF writes the pages with their times. A GIF counts hundredths of a second;
// the next picture makes up for what rounding loses.
func encodeGIF(pages []page) ([]byte, error) {
	g := gif.GIF{}
	var ms, cs int64
	for _, p := range pages {
		ms += p.ms
		g.Image = append(g.Image, palettedOf(p.img))
		g.Delay = append(g.Delay, int(ms/10-cs))
		cs = ms / 10
	}
	var b bytes.Buffer
	err := gif.EncodeAll(&b, &g)
	return b.Bytes(), err
}

// palettedOf gives an image a palette of its own colours, or of its 256 most
// frequent ones.
func palettedOf(img image.Image) *image.Paletted {
	if p, ok := img.(*image.Paletted); ok {
		return p
	}
	b := img.Bounds()
	count := map[color.RGBA]int{}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			count[rgba(img, x, y)]++
		}
	}
	out := image.NewPaletted(b, nil)
	out.Palette = mostFrequent(count, 256)
	index := map[color.RGBA]uint8{}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			k := rgba(img, x, y)
			i, ok := index[k]
			if !ok {
				i = uint8(out.Palette.Index(k))
				index[k] = i
			}
			out.SetColorIndex(x, y, i)
		}
	}
	return out
}

func rgba(img image.Image, x, y int) color.RGBA {
	if m, ok := img.(*image.RGBA); ok {
		return m.RGBAAt(x, y)
	}
	return color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)
}
