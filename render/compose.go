package render

import "rsc.io/qr"

// request is what one page is asked to hold.
type request struct {
	blocks []*block
	code   *qr.Code // nil: none
	icon   string   // "": none
}

// plan is a page at one family and size.
type plan struct {
	head *set // the headline, if it stands in a band
	band int  // the band's height
	sets []*set
	body zone
	qr   *qrSpot
	icon *iconSpot
}

func (p *plan) all() []*set {
	if p == nil {
		return nil
	}
	if p.head != nil {
		return append([]*set{p.head}, p.sets...)
	}
	return p.sets
}

// gap is the room between columns: text and code, icon and text.
func (l *layouter) gap() int { return max(2, 2*l.style.margin) }

// one lays everything out on a single page, the headline a quarter larger
// where that goes, or returns nil. An icon is left out where it would cost
// more than a fifth of the letters' height.
func (l *layouter) one(q request) *card {
	p, height := l.best(q)
	if p != nil && q.icon != "" {
		q.icon = ""
		if bare, h := l.best(q); 5*height < 4*h || rough(p.all()) && !rough(bare.all()) {
			p = bare
		}
	} else if p == nil && q.icon != "" {
		q.icon = ""
		p, _ = l.best(q)
	}
	if p == nil {
		return nil
	}
	c := &card{band: p.band, qr: p.qr, icon: p.icon}
	if p.head != nil {
		z := l.full()
		c.sets = append(c.sets, l.place(p.head, z, z.y+l.pad(p.head)))
	}
	z := p.body
	if c.icon != nil {
		// Icon and text are centred together.
		z.x += c.icon.size + l.gap()
		z.w -= c.icon.size + l.gap()
		widest := 0
		for _, s := range p.sets {
			widest = max(widest, s.width())
		}
		slack := (z.w - widest) / 2
		c.icon.x, c.icon.y = p.body.x+slack, z.y+(z.h-c.icon.size)/2
	}
	c.stack(l, p.sets, z)
	c.read()
	return c
}

// best is the largest plan and the height of its body's capitals in pixels.
func (l *layouter) best(q request) (*plan, int) {
	type tried struct {
		fam *family
		px  int
		p   *plan
	}
	seen := make([]tried, 0, 32)
	try := func(f *family, px int) *plan {
		for _, t := range seen {
			if t.fam == f && t.px == px {
				return t.p
			}
		}
		p := l.compose(q, f, px)
		seen = append(seen, tried{f, px, p})
		return p
	}
	fam, px := l.smooth(func(f *family, px int) []*set { return try(f, px).all() }, l.style.floor)
	if fam == nil {
		return nil, 0
	}
	return try(fam, px), fam.cap * px / fam.units
}

// compose tries one family and size; nil: it does not fit.
func (l *layouter) compose(q request, f *family, px int) *plan {
	banded := l.style.band && len(q.blocks) > 1 && q.blocks[0].role == roleTitle
	for _, lead := range []int{l.lead(f, px), px} {
		p := &plan{body: l.full()}
		blocks := q.blocks
		lines := l.style.maxLines
		if banded {
			head := blocks[0].pages(f, lead, p.body.w, p.body.h, 2)
			if len(head) != 1 {
				continue
			}
			p.head, blocks = head[0], blocks[1:]
			lines -= len(p.head.spans)
			p.band = p.body.y + p.head.height() + 2*l.pad(p.head)
			p.body.h -= p.band
			p.body.y = p.band + l.style.margin
		}
		if p.body.h < minCap || !l.columns(q, p) {
			continue
		}
		room := p.body
		if p.icon != nil {
			room.w -= p.icon.size + l.gap()
		}
		ok := true
		for _, b := range blocks {
			em := px
			if b.role == roleTitle && len(q.blocks) > 1 {
				em = lead
			}
			s := b.pages(f, em, room.w, room.h, max(1, lines))
			if len(s) != 1 {
				ok = false
				break
			}
			p.sets = append(p.sets, s[0])
			lines -= len(s[0].spans)
		}
		if ok && lines >= 0 && l.height(p.sets) <= room.h {
			return p
		}
	}
	return nil
}

// columns takes the code's and the icon's room from the plan's body.
func (l *layouter) columns(q request, p *plan) bool {
	if q.code != nil {
		if p.qr = l.placeQR(q.code, p.body); p.qr == nil {
			return false
		}
		p.body = l.rest(p.qr, p.body)
	}
	if q.icon != "" {
		if p.icon = l.placeIcon(q.icon, p.body); p.icon == nil {
			return false
		}
	}
	return p.body.w > 0 && p.body.h > 0
}
