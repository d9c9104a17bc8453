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
type artist struct{ cache *artwork.Cache }

func newArtist() (*artist, error) {
	r, err := render.New()
	if err != nil {
		return nil, err
	}
	return &artist{artwork.New(r, nil, artworkBytes)}, nil
}

// Artwork implements publish.Artist.
func (a *artist) Artwork(ctx context.Context, m *playlists.Message, c playlists.Class, stills bool) (*playlists.Artwork, error) {
	return a.cache.Artwork(ctx, m, c, artwork.Options{PicturePages: stills})
}
