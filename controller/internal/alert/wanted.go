package alert

import (
	"context"
	"time"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// Wanted is what signs should have at t: the alerts that run, those that ended
// before their time, and when the answer changes next (zero: not by itself).
// Alerts are copies.
func (s *Service) Wanted(t time.Time) (alerts []playlists.Alert, ended []playlists.EndedAlert, next time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := t.Unix()
	var at int64
	soon := func(x int64) {
		if x > now && (at == 0 || x < at) {
			at = x
		}
	}
	over := map[string]int64{} // replaced → when the new one begins
	for _, e := range s.entries {
		if e.State == playlists.AlertRunning && e.Replaces != "" {
			over[e.Replaces] = int64(e.From)
		}
	}
	for _, e := range s.entries {
		if e.ApprovedMS == 0 || int64(e.Until) <= now {
			continue
		}
		soon(int64(e.Until))
		gone := timeline.Ended{ID: e.ID, Until: int64(e.Until)}
		switch from, replaced := over[e.ID]; {
		case e.State == playlists.AlertEnded && (e.Why == playlists.EndCancelled || e.Why == playlists.EndReplaced):
			gone.At, gone.Why = e.EndedMS/1000, e.Why
		case e.State != playlists.AlertRunning:
			continue
		case replaced && from <= now:
			gone.At, gone.Why = max(from, e.ApprovedMS/1000), playlists.EndReplaced
		default:
			if replaced {
				soon(from)
			}
			if soon(int64(e.From)); int64(e.From) <= now {
				alerts = append(alerts, e.Alert)
			}
			continue
		}
		ended = append(ended, playlists.EndedAlert{Ended: gone, Alert: e.Alert})
	}
	if at > 0 {
		next = time.Unix(at, 0)
	}
	return alerts, ended, next
}

// Art is how an alert looks on a class, as it was drawn when it was made. It is nil for a class that can show nothing
// of it, and for one that is not drawn yet: that is drawn at once, and Changed is called.
func (s *Service) Art(ctx context.Context, id string, c playlists.Class) (*playlists.Artwork, error) {
	e, err := s.find(id)
	if err != nil {
		return nil, err
	}
	if err := s.read(ctx, e); err != nil {
		return nil, err
	}
	s.mu.Lock()
	l := e.look
	s.mu.Unlock()
	if class := c.String(); l.drawn(class) {
		return l.Art[class], nil
	}
	s.askLate()
	return nil, nil
}
