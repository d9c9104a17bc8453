package render

import (
	"crypto/sha256"
	"encoding/hex"
	"sync"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// Renderer draws messages. It caches drawn letters, so a process should share one
// Renderer. It is safe for concurrent use.
type Renderer struct {
	fonts    *fonts
	icons    iconMasks
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

// Options depend on the sign, not on the message, and give access to pictures.
type Options struct {
	// Media returns the bytes of an uploaded medium by its id. Nil means no media.
	Media func(id string) ([]byte, error)
	// Motion says what may move: a sign's owner or a road authority may forbid
	// scrolling.
	Motion playlists.Motion
}

// Message draws m on a class: frames in the profile of docs/protocol.md, steps whose MS
// is the reading time of each page, and findings on compromises. For a message that
// cannot be shown it returns an *playlists.Error that names field, value and remedy.
func (r *Renderer) Message(m *playlists.Message, c playlists.Class, o Options) (*playlists.Artwork, error) {
	a, _, err := r.message(m, c, o)
	return a, err
}

// smallest notes the smallest capitals among sets in the artwork, and returns
// their typeface, or font where none is smaller.
func smallest(a *playlists.Artwork, sets []placed, font string) string {
	for _, s := range sets {
		if a.CapPx == 0 || s.cap() < a.CapPx {
			a.CapPx, font = s.cap(), s.run.fam.name
		}
	}
	return font
}

// message is Message, and the name of the typeface of the smallest capitals.
func (r *Renderer) message(m *playlists.Message, c playlists.Class, o Options) (a *playlists.Artwork, font string,
	err error) {
	if err := c.Validate(); err != nil {
		return nil, "", err
	}
	if err := m.Validate(); err != nil {
		return nil, "", err
	}
	if err := checkIcon(m.Icon); err != nil {
		return nil, "", err
	}
	theme, err := lookUpTheme(m.Theme)
	if err != nil {
		return nil, "", err
	}
	theme = reduce(theme, c.Colour)
	if err := checkContrast(theme, c); err != nil {
		return nil, "", err
	}
	l := &layouter{fonts: r.fonts, class: c, style: styleOf(c)}
	a = &playlists.Artwork{}
	if m.Image != nil {
		if err := r.pictures(a, l, m, theme, o); err != nil {
			return nil, "", err
		}
	}
	lay, err := l.message(m, o)
	if err != nil {
		return nil, "", err
	}
	a.Findings = append(a.Findings, lay.findings...)
	cv := r.canvases.Get().(*canvas)
	defer r.canvases.Put(cv)
	for _, s := range lay.scenes {
		w, step := c.W, timeline.Step{}
		if s.strip != nil {
			font = smallest(a, s.strip.sets, font)
			w, step = s.strip.length, s.strip.step()
			cv.reset(w, c.H, c.Colour != playlists.RGB)
			err = cv.strip(s.strip, theme, r.fonts)
		} else {
			font = smallest(a, s.card.sets, font)
			step.MS = s.card.ms
			cv.reset(w, c.H, c.Colour != playlists.RGB)
			err = cv.card(s.card, theme, r.fonts, &r.icons)
		}
		if err != nil {
			return nil, "", err
		}
		add(a, r.encode(cv, c), step, w, c.H, m.Owner)
	}
	return a, font, nil
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
