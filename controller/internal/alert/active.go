package alert

import (
	"context"
	"time"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// Wanted returns copies of the alerts that run at t and of those that ended early, and
// when this changes next (zero if it does not change by itself).
func (s *Service) Wanted(t time.Time) (alerts []playlists.Alert, ended []playlists.EndedAlert, next time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := t.Unix()
	var at int64
	consider := func(x int64) {
		if x > now && (at == 0 || x < at) {
			at = x
		}
	}
	replacedAt := map[string]int64{} // replaced alert → start of the new one
	for _, e := range s.entries {
		if e.State == playlists.AlertRunning && e.Replaces != "" {
			if from, known := replacedAt[e.Replaces]; !known || int64(e.From) < from {
				replacedAt[e.Replaces] = int64(e.From)
			}
		}
	}
	for _, e := range s.entries {
		if e.ApprovedMS == 0 || int64(e.Until) <= now {
			continue
		}
		consider(int64(e.Until))
		end := timeline.Ended{ID: e.ID, Until: int64(e.Until)}
		switch from, replaced := replacedAt[e.ID]; {
		case e.State == playlists.AlertEnded && (e.Why == playlists.EndCancelled || e.Why == playlists.EndReplaced):
			end.At, end.Why = e.EndedMS/1000, e.Why
		case e.State != playlists.AlertRunning:
			continue
		case replaced && from <= now:
			end.At, end.Why = max(from, e.ApprovedMS/1000), playlists.EndReplaced
		default:
			if replaced {
				consider(from)
			}
			if consider(int64(e.From)); int64(e.From) <= now {
				alerts = append(alerts, e.Alert)
			}
			continue
		}
		ended = append(ended, playlists.EndedAlert{Ended: end, Alert: e.Alert})
	}
	if at > 0 {
		next = time.Unix(at, 0)
	}
	return alerts, ended, next
}

// Art returns the drawn alert for a class. It returns nil if the class cannot show the alert or is not drawn yet. In
// the latter case, the service draws it and then calls Changed.
func (s *Service) Art(ctx context.Context, id string, c playlists.Class) (*playlists.Artwork, error) {
	e, err := s.findLoaded(ctx, id)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	r := e.rendering
	s.mu.Unlock()
	if class := c.String(); r.decided(class) {
		return r.Art[class], nil
	}
	s.wakeDrawing()
	return nil, nil
}
