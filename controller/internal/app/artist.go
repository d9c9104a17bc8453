package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"sync"

	"ledcast/playlists"
	"ledcast/render"
)

// artist draws each message once for each class.
type artist struct {
	r     *render.Renderer
	mu    sync.Mutex
	drawn map[string]*playlists.Artwork
}

func newArtist() (*artist, error) {
	r, err := render.New()
	if err != nil {
		return nil, err
	}
	return &artist{r: r, drawn: map[string]*playlists.Artwork{}}, nil
}

// Artwork implements publish.Artist.
func (a *artist) Artwork(_ context.Context, m *playlists.Message, c playlists.Class, stills bool) (*playlists.Artwork, error) {
	text, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	key := fmt.Sprintf("%s %t %s", c, stills, text)
	a.mu.Lock()
	defer a.mu.Unlock()
	if art := a.drawn[key]; art != nil {
		return art, nil
	}
	art, err := a.r.Message(m, c, render.Options{PicturePages: stills})
	if err != nil {
		return nil, err
	}
	for i := range art.Frames {
		img, _, err := image.Decode(bytes.NewReader(art.Frames[i].Data))
		if err != nil {
			return nil, fmt.Errorf("a frame just drawn cannot be read: %w", err)
		}
		art.Level = max(art.Level, render.APL(img, c))
	}
	a.drawn[key] = art
	return art, nil
}
