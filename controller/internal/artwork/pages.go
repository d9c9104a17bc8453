package artwork

import (
	"context"

	"ledcast/playlists"
)

// Pages draws alerts: always as for a picture sign, so that one drawing suits
// every sign of a class, those that may not scroll among them.
type Pages struct{ *Cache }

// Artwork is m in pages on class c.
func (p Pages) Artwork(ctx context.Context, m *playlists.Message, c playlists.Class) (*playlists.Artwork, error) {
	return p.Cache.Artwork(ctx, m, c, playlists.Pictures)
}

// Reads says why the pages cannot be read from a sign's viewing distance; nil
// where they can, or where the distance is unknown. Its error says that the
// message cannot be drawn there at all.
func (p Pages) Reads(ctx context.Context, m *playlists.Message, s *playlists.Sign) (*playlists.Finding, error) {
	art, err := p.Artwork(ctx, m, s.Class)
	if err != nil {
		return nil, err
	}
	return playlists.CheckDistance(s.Class, art.CapPx, s.Pitch, s.Distance), nil
}
