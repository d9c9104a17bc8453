package app

import (
	"context"

	"ledcast/controller/internal/artwork"
	"ledcast/playlists"
	"ledcast/render"
)

// artworkBytes bounds the frames kept in memory: some thousand artworks.
const artworkBytes = 256 << 20

// artist is the artwork cache as the publisher and the API's door use it.
type artist struct {
	cache  *artwork.Cache
	render *render.Renderer
	media  artwork.Media
}

func newArtist(media artwork.Media) (*artist, error) {
	r, err := render.New()
	if err != nil {
		return nil, err
	}
	return &artist{artwork.New(r, media, artworkBytes), r, media}, nil
}

// with draws with other pictures, and keeps none of it.
func (a *artist) with(media artwork.Media) *artist {
	return &artist{artwork.New(a.render, media, artworkBytes/64), a.render, media}
}

// Artwork implements publish.Artist.
func (a *artist) Artwork(ctx context.Context, m *playlists.Message, c playlists.Class, stills bool) (*playlists.Artwork, error) {
	return a.cache.Artwork(ctx, m, c, artwork.Options{PicturePages: stills})
}

// Look implements api.Artist.
func (a *artist) Look(ctx context.Context, m *playlists.Message, c playlists.Class, stills bool) (*playlists.Artwork, []playlists.Finding, error) {
	art, err := a.Artwork(ctx, m, c, stills)
	if err != nil {
		return nil, nil, err
	}
	return art, art.Findings, nil
}

// Reads says why a message cannot be read on a sign from where people look at
// it; nil when it can, or nobody said from where that is. Its error is that the
// message cannot be drawn there at all.
func (a *artist) Reads(ctx context.Context, m *playlists.Message, s *playlists.Sign) (*playlists.Finding, error) {
	if _, err := a.Artwork(ctx, m, s.Class, stills(s)); err != nil {
		return nil, err
	}
	if s.Distance == 0 || s.Pitch == 0 {
		return nil, nil
	}
	o := render.Options{PicturePages: s.Picture(), NoScroll: stills(s)}
	if m.Image != nil {
		o.Media = func(id string) ([]byte, error) { return a.media(m.Owner, id) }
	}
	rep, err := a.render.Check(m, s.Class, o, render.Wants{DistanceM: s.Distance, PitchMM: s.Pitch})
	if err != nil {
		return nil, err
	}
	for i := range rep.Findings {
		if rep.Findings[i].Code == "distance" {
			return &rep.Findings[i], nil
		}
	}
	return nil, nil
}
