package alert

import (
	"context"
	"slices"

	"ledcast/playlists"
)

// What package capinbox asks of alerts, beside their usual life.

// CreateFrom makes an alert of an order with these messages, the longest first. Each class shows the first that it can
// show and that can be read on its signs.
func (s *Service) CreateFrom(ctx context.Context, who *playlists.Principal, o *playlists.AlertOrder,
	messages []*playlists.Message) (v *playlists.AlertView, err error) {
	o.Text = messages[0].Title()
	return s.create(ctx, who, o, messages)
}

// MayEnd rejects an officer who acts elsewhere than one of the alerts.
func (s *Service) MayEnd(ids []string, who *playlists.Principal) error {
	for _, id := range ids {
		e, err := s.find(id)
		if err != nil {
			return err
		}
		s.mu.Lock()
		a := e.Alert
		s.mu.Unlock()
		if err := s.within(&a, who); err != nil {
			return err
		}
	}
	return nil
}

// RunByPolicy lets an alert run that waits, without a person.
func (s *Service) RunByPolicy(ctx context.Context, who *playlists.Principal, id string) error {
	if err := s.prepare(ctx, id); err != nil {
		return err
	}
	s.life.Lock()
	defer s.life.Unlock()
	e, err := s.ready(ctx, who, id, playlists.AlertPending)
	if err != nil {
		return err
	}
	_, err = s.begin(ctx, who, e, s.targets(&e.Alert), nil)
	return err
}

// Related lists those of these alerts that are not over, with the alerts that
// took their place or gave it. Corrections, and alerts that other reports true
// of, are not among the latter.
func (s *Service) Related(ids []string, other func(id string) bool) []string {
	in := map[string]bool{}
	for _, id := range ids {
		in[id] = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for more := true; more; { // one that replaces one that replaces one
		more = false
		for id, e := range s.entries {
			if in[id] || other(id) {
				continue
			}
			before := e.Replaces != "" && in[e.Replaces]
			after := e.ReplacedBy != "" && in[e.ReplacedBy]
			corrects := e.Corrects != "" && in[e.Corrects]
			if (before || after) && !corrects {
				in[id], more = true, true
				ids = append(ids, id)
			}
		}
	}
	return slices.DeleteFunc(ids,
		func(id string) bool { e := s.entries[id]; return e == nil || e.State == playlists.AlertEnded })
}

// SignsWithin reports whether each of these signs lies in an area that within
// reports true of.
func (s *Service) SignsWithin(signs []string, within func(area string) bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !slices.ContainsFunc(signs, func(id string) bool {
		sign, ok := s.signs[id]
		return !ok || !slices.ContainsFunc(sign.Areas, within)
	})
}
