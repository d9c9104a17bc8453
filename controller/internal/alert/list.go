package alert

import (
	"context"
	"slices"
	"strings"
	"time"

	"ledcast/playlists"
)

// Get returns an alert with its counts.
func (s *Service) Get(ctx context.Context, id string) (*playlists.AlertView, error) {
	e, err := s.findLoaded(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.view(e), nil
}

// Title returns the title of an alert's message, or "".
func (s *Service) Title(id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.entries[id]; e != nil && e.rendering != nil {
		return e.rendering.Message.Title()
	}
	return ""
}

// List returns all alerts, newest first.
func (s *Service) List(ctx context.Context) ([]playlists.AlertView, error) {
	s.mu.Lock()
	all := make([]*entry, 0, len(s.entries))
	for _, e := range s.entries {
		all = append(all, e)
	}
	s.mu.Unlock()
	out := make([]playlists.AlertView, 0, len(all))
	for _, e := range all {
		// Without the database, an alert that ended before this start is listed without its counts.
		if err := s.load(ctx, e); err != nil && !playlists.IsAway(err) {
			return nil, err
		}
		s.mu.Lock()
		out = append(out, s.viewLocked(e))
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

// recentFor is how long Recent includes an alert after its end.
const recentFor = 10 * time.Minute

// Recent returns the open alerts and those that ended less than recentFor ago.
func (s *Service) Recent() []playlists.AlertView {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.o.Now().UnixMilli()
	var out []playlists.AlertView
	for _, e := range s.entries {
		if e.State != playlists.AlertEnded || now-e.EndedMS < recentFor.Milliseconds() {
			out = append(out, s.viewLocked(e))
		}
	}
	slices.SortFunc(out, func(a, b playlists.AlertView) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// ReferenceTo describes, for people, an open alert that refers to an area. It returns
// "" if there is none.
func (s *Service) ReferenceTo(area string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.entries {
		if e.State != playlists.AlertEnded && slices.Contains(e.Areas, area) {
			return "alert " + e.ID
		}
	}
	return ""
}
