package render

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"

	"github.com/fogleman/gg"
	"github.com/makeworld-the-better-one/dither/v2"

	"ledcast/assets"
	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// pictures adds the image of a message as steps for each caption: one step, or the
// frames of an animation. The image comes before all text cards.
func (r *Renderer) pictures(a *playlists.Artwork, l *layouter, m *playlists.Message, t assets.Theme, o Options) error {
	name := m.Image.Media
	if o.Media == nil {
		return &playlists.Error{Code: playlists.NotFound, Field: "image.media", Value: name, Key: "media-unknown-here"}
	}
	if len(name) == 0 {
		return &playlists.Error{Code: playlists.Invalid, Field: "image.media", Key: "image-missing"}
	}
	data, err := o.Media(name)
	if err != nil {
		return err
	}
	med, err := decodeMedium("image.media", name, data)
	if err != nil {
		return err
	}
	switch m.Image.Fit {
	case "", "fit", "fill", "stretch":
	default:
		return &playlists.Error{Code: playlists.Invalid, Field: "image.fit", Value: m.Image.Fit, Key: "fit-unknown"}
	}
	var captions []*block
	for i, v := range m.Variants {
		b, err := l.block(fmt.Sprintf("variants[%d].caption", i), v.Caption, v.Lang, roleCaption)
		if err != nil {
			return err
		}
		if b != nil {
			captions = append(captions, b)
		}
	}
	if len(captions) == 0 {
		captions = []*block{nil}
	}
	least := int64(minStepMS)
	if o.Motion == playlists.Pictures {
		least = minPictureMS
	}
	for _, caption := range captions {
		var band *card
		if caption != nil {
			if band = l.caption(caption); band == nil {
				return l.tooSmall(caption)
			}
		}
		var debt int64 // time in ms that short frames still owe, on a picture sign
		err := med.each(func(img image.Image, ms int64) error {
			debt += ms
			if ms > 0 && debt < least {
				return nil
			}
			step := timeline.Step{MS: max(debt, least)}
			debt = 0
			if ms == 0 {
				step.MS = msImage
				if band != nil {
					step.MS = max(step.MS, band.ms)
				}
			}
			return r.picture(a, l, placePicture(img, med.orientation, m.Image, l.class, t), band, t, step, med.photo,
				m.Owner)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// placePicture scales an image onto a whole face.
func placePicture(img image.Image, orientation int, p *playlists.Image, c playlists.Class, t assets.Theme) *image.RGBA {
	b := img.Bounds()
	w, h := float64(b.Dx()), float64(b.Dy())
	if orientation >= 5 {
		w, h = h, w
	}
	// The visible part of the upright picture, in fractions, and its size on the
	// face.
	x0, y0, x1, y1 := 0.0, 0.0, 1.0, 1.0
	ow, oh := c.W, c.H
	switch p.Fit {
	case "stretch":
	case "fill":
		scale := math.Max(float64(c.W)/w, float64(c.H)/h)
		fx, fy := focal(p.FocalX), focal(p.FocalY)
		vw, vh := math.Min(1, float64(c.W)/scale/w), math.Min(1, float64(c.H)/scale/h)
		x0 = math.Min(math.Max(fx-vw/2, 0), 1-vw)
		y0 = math.Min(math.Max(fy-vh/2, 0), 1-vh)
		x1, y1 = x0+vw, y0+vh
	default:
		scale := math.Min(float64(c.W)/w, float64(c.H)/h)
		ow, oh = max(1, int(math.Round(w*scale))), max(1, int(math.Round(h*scale)))
	}
	x0, y0 = unturn(orientation, x0, y0)
	x1, y1 = unturn(orientation, x1, y1)
	x0, x1 = math.Min(x0, x1), math.Max(x0, x1)
	y0, y1 = math.Min(y0, y1), math.Max(y0, y1)
	sw, sh := ow, oh
	if orientation >= 5 {
		sw, sh = oh, ow
	}
	scaled := turn(resample(rowsOf(img), b.Size(), x0*float64(b.Dx()), y0*float64(b.Dy()),
		(x1-x0)*float64(b.Dx()), (y1-y0)*float64(b.Dy()), image.Pt(sw, sh)), orientation)
	if ow == c.W && oh == c.H {
		return scaled
	}
	out := image.NewRGBA(image.Rect(0, 0, c.W, c.H))
	draw.Draw(out, out.Rect, image.NewUniform(t.Ground), image.Point{}, draw.Src)
	at := image.Pt((c.W-ow)/2, (c.H-oh)/2)
	draw.Draw(out, scaled.Rect.Add(at), scaled, image.Point{}, draw.Src)
	return out
}

func focal(percent int) float64 {
	if percent == 0 {
		return 0.5
	}
	return math.Min(math.Max(float64(percent)/100, 0), 1)
}

// unturn maps a point of the upright picture to the stored one, both as
// fractions.
func unturn(orientation int, x, y float64) (float64, float64) {
	switch orientation {
	case 2:
		return 1 - x, y
	case 3:
		return 1 - x, 1 - y
	case 4:
		return x, 1 - y
	case 5:
		return y, x
	case 6:
		return y, 1 - x
	case 7:
		return 1 - y, 1 - x
	case 8:
		return 1 - y, x
	}
	return x, y
}

// caption lays out a caption at the foot of the face, in at most two fifths of its
// height. It returns nil if the caption does not fit.
func (l *layouter) caption(b *block) *card {
	z := l.full()
	z.h = max(z.h*2/5, min(z.h, 12))
	fam, px := l.smooth(func(f *family, px int) []*set {
		if s := b.pages(f, px, z.w, z.h, 2); len(s) == 1 {
			return s
		}
		return nil
	}, minCap)
	if fam == nil {
		return nil
	}
	s := b.pages(fam, px, z.w, z.h, 2)
	c := &card{}
	pad := l.pad(s[0])
	top := l.class.H - l.style.margin - s[0].height()
	c.band = top - pad
	c.sets = []placed{l.place(s[0], z, top)}
	c.read()
	return c
}

// picture draws one picture with its caption and adds it as a step.
func (r *Renderer) picture(a *playlists.Artwork, l *layouter, img *image.RGBA, band *card, t assets.Theme,
	step timeline.Step, photo bool, owner string) error {
	c := l.class
	if c.Colour != playlists.RGB {
		cv := r.canvases.Get().(*canvas)
		defer r.canvases.Put(cv)
		cv.reset(c.W, c.H, true)
		cv.dithered(img, c.Colour)
		if band != nil {
			cv.fill(0, band.band, c.W, c.H, cv.ramp(t.Ground, t.Text))
			if err := cv.sets(band.sets, false, t, r.fonts); err != nil {
				return err
			}
		}
		add(a, r.encode(cv, c), step, c.W, c.H, owner)
		return nil
	}
	if band != nil {
		ctx := gg.NewContextForRGBA(img)
		ctx.SetRGBA(0, 0, 0, 0.7)
		ctx.DrawRectangle(0, float64(band.band), float64(c.W), float64(c.H-band.band))
		ctx.Fill()
		over := overlay{img}
		for _, s := range band.sets {
			for i, sp := range s.spans {
				if err := over.text(r.fonts.face(s.run.fam, s.px), s.run, sp, s.at[i],
					color.RGBA{255, 255, 255, 255}); err != nil {
					return err
				}
			}
		}
	}
	data, kind, err := encodePhoto(img, photo, band != nil)
	if err != nil {
		return err
	}
	if len(data) > planBytes {
		f := l.warn("size", "image.media",
			playlists.Text{VI: fmt.Sprintf("Hình chiếm %d kB trên đường truyền.", len(data)/1024),
				EN: fmt.Sprintf("The picture takes %d kB on the wire.", len(data)/1024)},
			playlists.Text{VI: "Dùng ảnh JPEG ít chi tiết hơn, hoặc bỏ chú thích trên ảnh.",
				EN: "Use a JPEG with less detail, or drop the caption on it."})
		f.Numbers = map[string]float64{"bytes": float64(len(data)), "limit": planBytes}
		a.Findings = append(a.Findings, f)
	}
	add(a, data, step, c.W, c.H, owner)
	a.Frames[a.Steps[len(a.Steps)-1].Frame].Type = kind
	return nil
}

// dithered draws a picture onto the canvas in the few colours of the face. The
// pattern is ordered (Bayer's, 8 x 8), so that a still part of an animation stays
// still on the sign. It is computed in linear light.
func (c *canvas) dithered(img *image.RGBA, colour playlists.Colour) {
	pal := []color.Color{ledBlack, ledWhite}
	if colour == playlists.RedGreen {
		pal = []color.Color{ledBlack, ledRed, ledGreen, ledYellow}
	}
	d := dither.NewDitherer(pal)
	d.Mapper = dither.Bayer(8, 8, 1)
	d.SingleThreaded = true // the same pixels on every machine
	out := d.DitherPaletted(img)
	var to [4]uint8
	for i, k := range pal {
		to[i] = c.ramp(ledBlack, k.(color.RGBA)).last
	}
	for y := range c.h {
		for x := range c.w {
			c.pix[y*c.w+x] = to[out.Pix[y*out.Stride+x]]
		}
	}
}

// overlay draws text over a full-colour picture.
type overlay struct{ img *image.RGBA }

func (o overlay) text(f *face, r *run, s span, at point, k color.RGBA) error {
	return r.each(f, s, at.x, func(g *glyph, x int) {
		for gy := range g.h {
			y := at.y + g.y + gy
			if y < 0 || y >= o.img.Rect.Dy() {
				continue
			}
			row := o.img.Pix[y*o.img.Stride:]
			for gx := range g.w {
				px := x + g.x + gx
				cov := int(g.a[gy*g.w+gx])
				if cov == 0 || px < 0 || px >= o.img.Rect.Dx() {
					continue
				}
				p := row[4*px : 4*px+3 : 4*px+3]
				p[0] = uint8((int(p[0])*(255-cov) + int(k.R)*cov) / 255)
				p[1] = uint8((int(p[1])*(255-cov) + int(k.G)*cov) / 255)
				p[2] = uint8((int(p[2])*(255-cov) + int(k.B)*cov) / 255)
			}
		}
	})
}
