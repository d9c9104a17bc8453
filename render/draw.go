package render

import "ledcast/assets"

// card draws one page.
func (c *canvas) card(k *card, t assets.Theme, f *fonts, icons *iconMasks) error {
	text := c.ramp(t.Ground, t.Text)
	c.fill(0, 0, c.w, c.h, text)
	if k.band > 0 {
		c.fill(0, 0, c.w, k.band, c.ramp(t.Band, t.Title))
	}
	if k.qr != nil {
		c.qr(k.qr)
	}
	if k.icon != nil {
		g, err := icons.get(k.icon.name, k.icon.size)
		if err != nil {
			return err
		}
		c.mask(g, k.icon.x, k.icon.y, c.ramp(t.Ground, t.Accent))
	}
	return c.sets(k.sets, k.band > 0, t, f)
}

// strip draws a scroll's whole length.
func (c *canvas) strip(s *strip, t assets.Theme, f *fonts) error {
	c.fill(0, 0, c.w, c.h, c.ramp(t.Ground, t.Text))
	return c.sets(s.sets, false, t, f)
}

// sets draws lines of text in their roles' colours.
func (c *canvas) sets(sets []placed, band bool, t assets.Theme, f *fonts) error {
	for _, s := range sets {
		r := c.ramp(t.Ground, t.Text)
		switch {
		case s.role == roleTitle && band:
			r = c.ramp(t.Band, t.Title)
		case s.role == roleTitle:
			r = c.ramp(t.Ground, t.Title)
		case s.role == roleAddress:
			r = c.ramp(t.Ground, t.Accent)
		}
		face := f.face(s.run.fam, s.px)
		for i, sp := range s.spans {
			if err := c.text(face, s.run, sp, s.at[i].x, s.at[i].y, r); err != nil {
				return err
			}
		}
	}
	return nil
}
