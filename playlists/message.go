package playlists

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits of a message. A face is read in seconds, so what is over these is a
// mistake, not a message.
const (
	MaxText     = 2000 // runes in one text part
	MaxVariants = 8
	MaxQR       = 300 // bytes in a QR code
)

// Layout is how a text that does not fit one face is shown.
type Layout string

const (
	LayoutAuto   Layout = ""       // pages; a scroll where pages would be too many
	LayoutPages  Layout = "page"   // pages only
	LayoutScroll Layout = "scroll" // one strip that moves
)

// Source says where a message's words come from and when they were said.
type Source struct {
	Title string `yaml:"title" json:"title"`
	Date  string `yaml:"date" json:"date"` // YYYY-MM-DD
	URL   string `yaml:"url,omitempty" json:"url,omitempty"`
}

// Variant is the message's text in one language. Each variant gets pages of
// its own.
type Variant struct {
	Lang     string `yaml:"lang" json:"lang"` // BCP 47, e.g. "vi", "en"
	Headline string `yaml:"headline,omitempty" json:"headline,omitempty"`
	Body     string `yaml:"body,omitempty" json:"body,omitempty"`
	Caption  string `yaml:"caption,omitempty" json:"caption,omitempty"` // band over an image
}

// Image places a picture in a message.
type Image struct {
	// id of an uploaded medium, or a file beside the document
	Media string `yaml:"media" json:"media"`
	Fit   string `yaml:"fit,omitempty" json:"fit,omitempty"` // "fit" (default), "fill" or "stretch"
	// percent of the width kept in view by "fill"; 0 means 50
	FocalX int `yaml:"focal_x,omitempty" json:"focal_x,omitempty"`
	FocalY int `yaml:"focal_y,omitempty" json:"focal_y,omitempty"` // percent of the height
}

// Message is what somebody wants read: parts, never pixels. It becomes frames
// for a class in package render.
type Message struct {
	ID       string    `yaml:"id" json:"id"`
	Owner    string    `yaml:"owner" json:"owner"`
	Campaign string    `yaml:"campaign,omitempty" json:"campaign,omitempty"`
	Theme    string    `yaml:"theme,omitempty" json:"theme,omitempty"`
	Icon     string    `yaml:"icon,omitempty" json:"icon,omitempty"`
	Layout   Layout    `yaml:"layout,omitempty" json:"layout,omitempty"`
	QR       string    `yaml:"qr,omitempty" json:"qr,omitempty"`           // encoded as given; capitals make smaller codes
	Address  string    `yaml:"address,omitempty" json:"address,omitempty"` // short address printed where the QR cannot go
	Image    *Image    `yaml:"image,omitempty" json:"image,omitempty"`
	Variants []Variant `yaml:"variants,omitempty" json:"variants,omitempty"`
	Source   *Source   `yaml:"source,omitempty" json:"source,omitempty"`
}

// Title is what people call the message: its first words, or its id.
func (m *Message) Title() string {
	for _, v := range m.Variants {
		for _, t := range []string{v.Headline, v.Body, v.Caption} {
			if !blank(t) {
				return strings.Join(strings.Fields(t), " ")
			}
		}
	}
	return m.ID
}

// Validate checks what can be known without drawing: names, limits, dates, and
// that there is something to show. Glyphs, fit and contrast are render's.
// Its error is an *Error of code Invalid or TooLarge.
func (m *Message) Validate() error {
	where := "messages/" + m.ID
	if err := CheckSlug("messages/id", m.ID); err != nil {
		return err
	}
	if err := CheckSlug(where+".owner", m.Owner); err != nil {
		return err
	}
	if m.Campaign != "" {
		if err := CheckSlug(where+".campaign", m.Campaign); err != nil {
			return err
		}
	}
	switch m.Layout {
	case LayoutAuto, LayoutPages, LayoutScroll:
	default:
		return &Error{Code: Invalid, Field: where + ".layout", Value: string(m.Layout),
			Key: "layout-unknown"}
	}
	if len(m.Variants) > MaxVariants {
		return &Error{Code: TooLarge, Field: where + ".variants",
			Key: "too-many-languages", Args: []any{len(m.Variants), MaxVariants}}
	}
	if len(m.QR) > MaxQR {
		return &Error{Code: TooLarge, Field: where + ".qr", Value: m.QR,
			Key: "address-too-long", Args: []any{len(m.QR), MaxQR}}
	}
	something := m.Image != nil || m.QR != "" || m.Address != ""
	for i, v := range m.Variants {
		for _, p := range []struct{ name, text string }{
			{"headline", v.Headline}, {"body", v.Body}, {"caption", v.Caption}} {
			field := fmt.Sprintf("%s.variants[%d].%s", where, i, p.name)
			if !utf8.ValidString(p.text) {
				return &Error{Code: Invalid, Field: field, Key: "text-not-utf8"}
			}
			if n := utf8.RuneCountInString(p.text); n > MaxText {
				return &Error{Code: TooLarge, Field: field, Value: p.text,
					Key: "message-text-too-long", Args: []any{n, MaxText}}
			}
			something = something || !blank(p.text)
		}
		if v.Lang == "" {
			return &Error{Code: Invalid, Field: fmt.Sprintf("%s.variants[%d].lang", where, i),
				Key: "language-missing"}
		}
	}
	if !something {
		return &Error{Code: Invalid, Field: where, Key: "message-empty"}
	}
	if m.Source != nil {
		if _, err := time.Parse(time.DateOnly, m.Source.Date); err != nil {
			return &Error{Code: Invalid, Field: where + ".source.date", Value: m.Source.Date,
				Key: "source-date-invalid"}
		}
	}
	return nil
}

func blank(s string) bool {
	for _, r := range s {
		if r != ' ' && r != '\t' && r != '\n' && r != '\r' && r != '\u00a0' {
			return false
		}
	}
	return true
}

// Key implements Thing.
func (m *Message) Key() Key { return Key{KindMessage, m.Owner, m.ID} }

// Of implements Thing.
func (m *Message) Of() string { return m.Owner }

// Complete implements Thing.
func (m *Message) Complete(owner, id string) {
	m.Owner = cmp.Or(m.Owner, owner)
	m.ID = cmp.Or(m.ID, id)
}

// Refs implements Thing: a message names its owner and its picture.
func (m *Message) Refs() []Ref {
	where := "messages/" + m.ID
	refs := []Ref{ownerRef(where, m.Owner)}
	if m.Image != nil {
		refs = append(refs, Ref{Key: Key{KindMedia, m.Owner, m.Image.Media}, Field: where + ".image.media"})
	}
	return refs
}

// Reach implements Thing.
func (m *Message) Reach() Reach { return Reach{ByUse: true} }
