package alert

import (
	"context"
	"slices"
	"strings"
	"time"

	"ledcast/playlists"
)

// Get is an alert with how far it came.
func (s *Service) Get(ctx context.Context, id string) (*playlists.AlertView, error) {
	e, err := s.find(id)
	if err != nil {
		return nil, err
	}
	if err := s.read(ctx, e); err != nil {
		return nil, err
	}
	return s.shown(e), nil
}

// Title is what people call an alert: its first words; "" for none.
func (s *Service) Title(id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.entries[id]; e != nil && e.look != nil {
		return e.look.Message.Title()
	}
	return ""
}

// List is every alert, the newest first.
func (s *Service) List(ctx context.Context) ([]playlists.AlertView, error) {
	s.mu.Lock()
	all := make([]*entry, 0, len(s.entries))
	for _, e := range s.entries {
		all = append(all, e)
	}
	s.mu.Unlock()
	out := make([]playlists.AlertView, 0, len(all))
	for _, e := range all {
		if err := s.read(ctx, e); err != nil {
			return nil, err
		}
		s.mu.Lock()
		out = append(out, s.view(e))
		s.mu.Unlock()
	}
	slices.SortFunc(out, func(a, b playlists.AlertView) int {
		if a.CreatedMS != b.CreatedMS {
			return int(b.CreatedMS - a.CreatedMS)
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out, nil
}

// recent is how long events go on about an alert that ended.
const recent = 10 * time.Minute

// Recent are the alerts that events tell of: those that are not over, and those
// that ended minutes ago.
func (s *Service) Recent() []playlists.AlertView {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.o.Now().UnixMilli()
	var out []playlists.AlertView
	for _, e := range s.entries {
		if e.State != playlists.AlertEnded || now-e.EndedMS < recent.Milliseconds() {
			out = append(out, s.view(e))
		}
	}
	slices.SortFunc(out, func(a, b playlists.AlertView) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// Naming is the alert that names an area and is not over, for people; "" for
// none.
func (s *Service) Naming(area string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.entries {
		if e.State != playlists.AlertEnded && slices.Contains(e.Areas, area) {
			return "alert " + e.ID
		}
	}
	return ""
}
