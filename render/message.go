package render

import (
	"fmt"

	"rsc.io/qr"

	"ledcast/playlists"
)

// layout is a message laid out for a class, before drawing.
type layout struct {
	scenes   []scene
	findings []playlists.Finding
}

// scene is one step: a card or a strip.
type scene struct {
	card  *card
	strip *strip
}

func cards(cc []*card) []scene {
	out := make([]scene, len(cc))
	for i, c := range cc {
		out[i].card = c
	}
	return out
}

// message lays out every variant, with the code or address beside or after it.
func (l *layouter) message(m *playlists.Message, o Options) (*layout, error) {
	out := &layout{}
	texts, err := l.texts(m)
	if err != nil {
		return nil, err
	}
	var code *qr.Code
	if m.QR != "" {
		if code, err = encodeQR(m.QR); err != nil {
			return nil, err
		}
		if l.placeQR(code, l.full()) == nil {
			code = nil
			if m.Address == "" {
				out.findings = append(out.findings, l.noQR())
			}
		}
	}
	var address *block
	if m.Address != "" {
		if address, err = l.block("address", m.Address, "", roleAddress); err != nil {
			return nil, err
		}
	}
	if len(texts) == 0 && code == nil && address == nil {
		if m.Image != nil {
			return out, nil
		}
		return nil, &playlists.Error{Code: playlists.Invalid, Field: "qr", Value: m.QR,
			Key: "qr-not-shown", Args: []any{l.class}}
	}
	if m.Layout == playlists.LayoutScroll {
		if l.mayScroll(o) && len(texts) > 0 {
			return out, l.scrolls(out, texts, code, address)
		}
		out.findings = append(out.findings, l.scrollGivenUp())
	}
	plain, err := l.variants(texts, nil, nil, m.Icon)
	auto := m.Layout == playlists.LayoutAuto && l.mayScroll(o) && len(texts) > 0
	switch {
	case auto && (err != nil || len(plain) > maxPages*len(texts)):
		return out, l.scrolls(out, texts, code, address)
	case err != nil:
		// Nothing may move and a word is wider than the face: cut it and report that.
		l.cutWords(texts)
		if plain, err = l.variants(texts, nil, nil, m.Icon); err != nil {
			return nil, err
		}
		out.findings = append(out.findings, l.wordCut())
	}
	switch {
	case code != nil:
		plain, err = l.withQR(texts, plain, m.Icon, code, address)
	case address != nil:
		plain, err = l.withAddress(texts, plain, m.Icon, address)
	}
	if err != nil {
		return nil, err
	}
	if len(texts) > 0 && len(plain) > maxPages*len(texts) {
		out.findings = append(out.findings, l.manyPages(len(plain)))
	}
	out.scenes = cards(plain)
	return out, nil
}

// scrolls lays out each variant as strips. A code gets a page; an address scrolls
// with the text.
func (l *layouter) scrolls(out *layout, texts [][]*block, code *qr.Code, address *block) error {
	for _, blocks := range texts {
		if address != nil && code == nil {
			blocks = append(blocks[:len(blocks):len(blocks)], address)
		}
		strips, err := l.scroll(blocks)
		if err != nil {
			return err
		}
		for _, s := range strips {
			out.scenes = append(out.scenes, scene{strip: s})
		}
	}
	if code != nil {
		last, err := l.withQR(nil, nil, "", code, address)
		if err != nil {
			return err
		}
		out.scenes = append(out.scenes, cards(last)...)
	}
	return nil
}

// texts returns the blocks of each variant.
func (l *layouter) texts(m *playlists.Message) ([][]*block, error) {
	var out [][]*block
	for i, v := range m.Variants {
		var blocks []*block
		for _, p := range []struct {
			name, text string
			role       role
		}{{"headline", v.Headline, roleTitle}, {"body", v.Body, roleBody}} {
			b, err := l.block(fmt.Sprintf("variants[%d].%s", i, p.name), p.text, v.Lang, p.role)
			if err != nil {
				return nil, err
			}
			if b != nil {
				blocks = append(blocks, b)
			}
		}
		if len(blocks) > 0 {
			out = append(out, blocks)
		}
	}
	return out, nil
}

// block cleans and measures one text; nil if it is empty.
func (l *layouter) block(field, text, lang string, ro role) (*block, error) {
	s, err := l.fonts.clean(field, text)
	if err != nil || s == "" {
		return nil, err
	}
	b := &block{role: ro, words: split(s, lang), runs: map[*family]*run{}}
	some := false
	for _, f := range l.fonts.all {
		if some = b.in(f) != nil; some {
			break
		}
	}
	if !some {
		return nil, &playlists.Error{Code: playlists.Invalid, Field: field, Value: s,
			Key: "letters-of-several-fonts"}
	}
	return b, nil
}

// variants lays out every variant on pages of its own, with an extra block (an
// address) or a code on every page. It returns nil without an error if there is no
// room for the extra.
func (l *layouter) variants(texts [][]*block, extra *block, code *qr.Code, icon string) ([]*card, error) {
	z := l.full()
	var q *qrSpot
	if code != nil {
		if q = l.placeQR(code, z); q == nil {
			return nil, nil
		}
		z = l.rest(q, z)
	}
	var out []*card
	for _, blocks := range texts {
		all := blocks
		if extra != nil {
			all = append(blocks[:len(blocks):len(blocks)], extra)
		}
		if c := l.one(request{all, code, icon}); c != nil {
			out = append(out, c)
			continue
		}
		if extra != nil {
			return nil, nil
		}
		for _, b := range blocks {
			cards, err := l.flow(b, z)
			if err != nil {
				return nil, err
			}
			for _, c := range cards {
				c.qr = q
			}
			out = append(out, cards...)
		}
	}
	return out, nil
}

// withQR puts the code on every page if that needs no more pages. Otherwise the code
// gets a page of its own, with the address.
func (l *layouter) withQR(texts [][]*block, plain []*card, icon string, code *qr.Code, address *block) ([]*card,
	error) {
	beside, err := l.variants(texts, nil, code, icon)
	if err == nil && len(beside) > 0 && len(beside) <= len(plain) {
		for _, c := range beside {
			c.ms = max(c.ms, msQR/int64(len(beside)))
		}
		return beside, nil
	}
	q := l.placeQR(code, l.full())
	last := &card{}
	if address != nil {
		if own, err := l.flow(address, l.rest(q, l.full())); err == nil && len(own) == 1 {
			last = own[0]
		}
	}
	if len(last.sets) == 0 {
		q.x, q.y = (l.class.W-q.side())/2, (l.class.H-q.side())/2
	}
	last.qr, last.ms = q, max(last.ms, msQR)
	return append(plain, last), nil
}

// withAddress prints the address on a page of each variant if that needs no more
// pages, and on a page of its own otherwise.
func (l *layouter) withAddress(texts [][]*block, plain []*card, icon string, address *block) ([]*card, error) {
	if len(texts) > 0 {
		with, err := l.variants(texts, address, nil, icon)
		if err == nil && with != nil && len(with) <= len(plain) {
			return with, nil
		}
	}
	own, err := l.flow(address, l.full())
	if err != nil {
		return nil, err
	}
	return append(plain, own...), nil
}

// cutWords cuts words that are wider than the face in the smallest letters.
func (l *layouter) cutWords(texts [][]*block) {
	small := l.fonts.pixel[len(l.fonts.pixel)-1]
	for _, blocks := range texts {
		for bi, b := range blocks {
			var out []word
			for _, w := range b.words {
				for _, piece := range small.pieces(w.s, l.full().w) {
					out = append(out, word{s: piece, after: afterInside, ms: w.ms})
				}
				n := len(out) - 1
				out[n].after, out[n].spaced = w.after, w.spaced
			}
			blocks[bi] = &block{role: b.role, words: out, runs: map[*family]*run{}}
		}
	}
}

// pieces cuts s into the longest pieces at most w pixels wide in a pixel font.
func (f *family) pieces(s string, w int) []string {
	var out []string
	start, x := 0, 0
	for i, r := range s {
		adv := int(f.adv[f.id[r]])
		if x+adv > w && i > start {
			out = append(out, s[start:i])
			start, x = i, 0
		}
		x += adv
	}
	return append(out, s[start:])
}
