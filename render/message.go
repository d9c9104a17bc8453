package render

import (
	"fmt"

	"rsc.io/qr"

	"ledcast/playlists"
)

// message lays out every variant, and the code or address beside or after.
func (l *layouter) message(m *playlists.Message) ([]*card, []playlists.Finding, error) {
	var findings []playlists.Finding
	texts, err := l.texts(m)
	if err != nil {
		return nil, nil, err
	}
	plain, err := l.variants(texts, nil, nil, m.Icon)
	if err != nil {
		return nil, nil, err
	}
	if m.QR != "" {
		code, err := encodeQR(m.QR)
		if err != nil {
			return nil, nil, err
		}
		if q := l.placeQR(code, l.full()); q != nil {
			cards, err := l.withQR(texts, plain, m, q)
			return cards, findings, err
		}
		findings = append(findings, playlists.Finding{Level: playlists.Warn, Code: "qr", Class: l.class.String(), Field: "qr",
			Text: playlists.Text{VI: "Màn hình này không hiện được mã QR: cần màn hình đủ màu và đủ lớn.",
				EN: "This face cannot show the QR code: it takes full colour and enough LEDs."},
			Remedy: playlists.Text{VI: "Ghi địa chỉ ngắn (address) để in thay mã.", EN: "Give a short address to print instead."}})
		if m.Address != "" {
			findings = findings[:0]
		}
	}
	if m.Address != "" {
		cards, err := l.withAddress(texts, plain, m)
		return cards, findings, err
	}
	if len(plain) == 0 {
		return nil, nil, &playlists.Error{Code: playlists.Invalid, Field: "qr", Value: m.QR,
			Problem: fmt.Sprintf("cannot be shown on %s and the message has nothing else", l.class), Remedy: "write a text or a short address"}
	}
	return plain, findings, nil
}

// texts are the blocks of each variant.
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
	b := l.fonts.block(ro, split(s, lang))
	if len(b.runs) == 0 {
		return nil, &playlists.Error{Code: playlists.Invalid, Field: field, Value: s,
			Problem: "mixes letters that no one font has together", Remedy: "replace the rarest sign by a word"}
	}
	return b, nil
}

// variants lays every variant out, each on pages of its own, with an extra
// block (an address) or a code on every page. nil without an error: it cannot
// be done with the extra.
func (l *layouter) variants(texts [][]*block, extra *block, code *qr.Code, icon string) ([]*card, error) {
	z := l.full()
	var q *qrSpot
	if code != nil {
		if q = l.placeQR(code, z); q == nil {
			return nil, nil
		}
		z.w = q.x - l.gap() - z.x
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

// withQR puts the code on every page if that costs no page, and on a page of
// its own otherwise.
func (l *layouter) withQR(texts [][]*block, plain []*card, m *playlists.Message, q *qrSpot) ([]*card, error) {
	beside, err := l.variants(texts, nil, q.code, m.Icon)
	if err == nil && len(beside) > 0 && len(beside) <= len(plain) {
		for _, c := range beside {
			c.ms = max(c.ms, msQR/int64(len(beside)))
		}
		return beside, nil
	}
	last := &card{}
	z := l.full()
	z.w = q.x - l.gap() - z.x
	if m.Address != "" {
		b, err := l.block("address", m.Address, "", roleAddress)
		if err != nil {
			return nil, err
		}
		if cards, err := l.flow(b, z); err == nil && len(cards) == 1 {
			last = cards[0]
		}
	}
	if len(last.sets) == 0 {
		centred := *q
		centred.x = (l.class.W - q.side()) / 2
		q = &centred
	}
	last.qr, last.ms = q, max(last.ms, msQR)
	return append(plain, last), nil
}

// withAddress prints the address on a page of each variant if that costs no
// page, and on a page of its own otherwise.
func (l *layouter) withAddress(texts [][]*block, plain []*card, m *playlists.Message) ([]*card, error) {
	b, err := l.block("address", m.Address, "", roleAddress)
	if err != nil || b == nil {
		return plain, err
	}
	if len(texts) > 0 {
		with, err := l.variants(texts, b, nil, m.Icon)
		if err == nil && with != nil && len(with) <= len(plain) {
			return with, nil
		}
	}
	own, err := l.flow(b, l.full())
	if err != nil {
		return nil, err
	}
	return append(plain, own...), nil
}
