package render

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// Renderer draws messages. It keeps the letters it has drawn; one Renderer is
// meant to serve a whole process. It is safe for concurrent use.
type Renderer struct {
	fonts    *fonts
	canvases sync.Pool // of *canvas
}

// New parses the embedded fonts: about 10 ms.
func New() (*Renderer, error) {
	f, err := newFonts()
	if err != nil {
		return nil, err
	}
	return &Renderer{fonts: f, canvases: sync.Pool{New: func() any { return new(canvas) }}}, nil
}

// Options are what a sign, not a message, decides, and where pictures are.
type Options struct {
	// Media returns an uploaded medium's bytes by its id. Nil: there are none.
	Media func(id string) ([]byte, error)
	// NoScroll gives pages where the message would scroll: for signs whose
	// owner or road authority forbids moving text.
	NoScroll bool
	// PicturePages is for picture signs: pages for scrolls, and no two pictures
	// within 500 ms.
	PicturePages bool
}

// Message draws m on a class: frames in PROTOCOL.md's profile, steps whose MS
// is each page's reading time, and findings on what was given up. What cannot
// go up at all is an *playlists.Error that names field, value and remedy.
func (r *Renderer) Message(m *playlists.Message, c playlists.Class, o Options) (*playlists.Artwork, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if err := m.Validate(); err != nil {
		return nil, err
	}
	theme, err := lookUpTheme(m.Theme)
	if err != nil {
		return nil, err
	}
	theme = reduce(theme, c.Colour)
	if err := checkContrast(theme, c); err != nil {
		return nil, err
	}
	l := &layouter{fonts: r.fonts, class: c, style: styleOf(c)}
	cards, findings, err := l.message(m)
	if err != nil {
		return nil, err
	}
	a := &playlists.Artwork{Findings: findings}
	cv := r.canvases.Get().(*canvas)
	defer r.canvases.Put(cv)
	for _, card := range cards {
		cv.reset(c.W, c.H, c.Colour != playlists.RGB)
		if err := cv.card(card, theme, r.fonts); err != nil {
			return nil, err
		}
		add(a, r.encode(cv, c), timeline.Step{MS: card.ms}, c.W, c.H, m.Owner)
	}
	return a, nil
}

// encode writes the canvas as PNG.
func (r *Renderer) encode(cv *canvas, c playlists.Class) []byte {
	e := encoders.Get().(*encoder)
	defer encoders.Put(e)
	return e.paletted(cv, c.Colour)
}

// add appends a step and its frame, which is stored once however often it
// shows.
func add(a *playlists.Artwork, data []byte, s timeline.Step, w, h int, owner string) {
	sum := sha256.Sum256(data)
	digest := hex.EncodeToString(sum[:])
	at := -1
	for i := range a.Frames {
		if a.Frames[i].SHA256 == digest {
			at = i
		}
	}
	if at < 0 {
		at = len(a.Frames)
		a.Frames = append(a.Frames, playlists.FrameFile{Data: data, Frame: timeline.Frame{SHA256: digest,
			Len: int64(len(data)), Type: "image/png", W: int64(w), H: int64(h), Owner: owner}})
	}
	s.Frame = int64(at)
	a.Steps = append(a.Steps, s)
}

// message lays out every variant, and the code or address beside or after.
func (l *layouter) message(m *playlists.Message) ([]*card, []playlists.Finding, error) {
	var findings []playlists.Finding
	texts, err := l.texts(m)
	if err != nil {
		return nil, nil, err
	}
	plain, err := l.variants(texts, nil, l.full())
	if err != nil {
		return nil, nil, err
	}
	if m.QR != "" {
		code, err := encodeQR(m.QR)
		if err != nil {
			return nil, nil, err
		}
		if q := l.placeQR(code, 45); q != nil {
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

// variants lays every variant out in the zone, each on pages of its own, with
// extra blocks (an address) on a page of each.
func (l *layouter) variants(texts [][]*block, extra []*block, z zone) ([]*card, error) {
	var out []*card
	for _, blocks := range texts {
		if c := l.one(append(blocks[:len(blocks):len(blocks)], extra...), z); c != nil {
			out = append(out, c)
			continue
		}
		if len(extra) > 0 {
			return nil, nil // not so
		}
		for _, b := range blocks {
			cards, err := l.flow(b, z)
			if err != nil {
				return nil, err
			}
			out = append(out, cards...)
		}
	}
	return out, nil
}

// withQR puts the code on every page if that costs at most one page, and on
// a page of its own otherwise.
func (l *layouter) withQR(texts [][]*block, plain []*card, m *playlists.Message, q *qrSpot) ([]*card, error) {
	z := l.full()
	z.w = q.x - l.style.margin - z.x
	beside, err := l.variants(texts, nil, z)
	if err == nil && len(texts) > 0 && len(beside) <= len(plain)+1 {
		for _, c := range beside {
			c.qr, c.ms = q, max(c.ms, msQR/int64(len(beside)))
		}
		return beside, nil
	}
	last := &card{}
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
	if err != nil {
		return nil, err
	}
	if len(texts) > 0 && b != nil {
		with, err := l.variants(texts, []*block{b}, l.full())
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
