package artwork

import (
	"context"

	"ledcast/playlists"
)

// Pages draws alerts. It draws as for picture signs, without scrolling, so that one drawing suits every sign of a
// class.
type Pages struct{ *Cache }

// Artwork returns the artwork of m for class c, as still pages.
func (p Pages) Artwork(ctx context.Context, m *playlists.Message, c playlists.Class) (*playlists.Artwork, error) {
	return p.Cache.Artwork(ctx, m, c, playlists.Pictures)
}

// Reads returns a finding if the pages are not readable from the sign's viewing distance. It returns nil if they
// are readable or the distance is unknown. The error is that of drawing the message.
func (p Pages) Reads(ctx context.Context, m *playlists.Message, s *playlists.Sign) (*playlists.Finding, error) {
	art, err := p.Artwork(ctx, m, s.Class)
	if err != nil {
		return nil, err
	}
	return playlists.CheckDistance(s.Class, art.CapPx, s.Pitch, s.Distance), nil
}
