package output

import "image"

// raster is an output behind a map: it shows a picture made of the LEDs in the
// order of the wire, with gamma and brightness as they would be sent.
type raster struct {
	inner  Output
	layout *layout
	leds   []byte
	img    *image.RGBA
}

func newRaster(l *layout, inner Output) *raster {
	r := &raster{
		inner:  inner,
		layout: l,
		leds:   make([]byte, 3*len(l.from)),
		img:    image.NewRGBA(image.Rect(0, 0, l.rasterW, l.rasterH)),
	}
	for i := 3; i < len(r.img.Pix); i += 4 {
		r.img.Pix[i] = 255
	}
	return r
}

func (r *raster) Show(p Picture) error {
	if err := r.layout.leds(r.leds, p); err != nil {
		return err
	}
	for i := range r.layout.from {
		copy(r.img.Pix[4*i:4*i+3], r.leds[3*i:])
	}
	p.Image = r.img
	return r.inner.Show(p)
}

func (r *raster) Close() error { return r.inner.Close() }
