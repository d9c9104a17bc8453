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
func (a *artist) Artwork(ctx context.Context, m *playlists.Message, c playlists.Class, motion playlists.Motion) (*playlists.Artwork, error) {
	return a.cache.Artwork(ctx, m, c, artwork.Options{Motion: motion})
}

// Look implements api.Artist.
func (a *artist) Look(ctx context.Context, m *playlists.Message, c playlists.Class, motion playlists.Motion) (*playlists.Artwork, []playlists.Finding, error) {
	art, err := a.Artwork(ctx, m, c, motion)
	if err != nil {
		return nil, nil, err
	}
	return art, art.Findings, nil
}

// Reads says why a message cannot be read on a sign from where people look at
// it; nil when it can, or nobody said from where that is. Its error is that the
// message cannot be drawn there at all.
func (a *artist) Reads(ctx context.Context, m *playlists.Message, s *playlists.Sign) (*playlists.Finding, error) {
	art, err := a.Artwork(ctx, m, s.Class, s.Motion())
	if err != nil {
		return nil, err
	}
	return playlists.CheckDistance(s.Class, art.CapPx, s.Pitch, s.Distance), nil
}
