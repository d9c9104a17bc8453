package alert

import (
	"context"
	"slices"

	"ledcast/playlists"
)

// This file contains the methods that only package capinbox uses.

// CreateFrom creates an alert from messages, the longest first. Each class shows the first message that fits and that
// is legible on its signs.
func (s *Service) CreateFrom(ctx context.Context, who *playlists.Principal, o *playlists.AlertOrder,
	messages []*playlists.Message) (v *playlists.AlertView, err error) {
	o.Text = messages[0].Title()
	return s.create(ctx, who, o, messages)
}

// MayEnd returns an error if one of the alerts lies outside the areas of who.
func (s *Service) MayEnd(ids []string, who *playlists.Principal) error {
	for _, id := range ids {
		e, err := s.find(id)
		if err != nil {
			return err
		}
		s.mu.Lock()
		a := e.Alert
		s.mu.Unlock()
		if err := s.checkAreas(&a, who); err != nil {
			return err
		}
	}
	return nil
}

// RunByPolicy starts a pending alert without a person's approval.
func (s *Service) RunByPolicy(ctx context.Context, who *playlists.Principal, id string) error {
	if err := s.drawPending(ctx, id); err != nil {
		return err
	}
	s.lifeMu.Lock()
	defer s.lifeMu.Unlock()
	e, err := s.loadToStart(ctx, who, id, playlists.AlertPending)
	if err != nil {
		return err
	}
	_, err = s.start(ctx, who, e, s.targets(&e.Alert), nil)
	return err
}

// Related returns the open alerts among ids and the open alerts that replaced these or
// that these replace, without corrections and without alerts for which skip returns
// true.
func (s *Service) Related(ids []string, skip func(id string) bool) []string {
	family := map[string]bool{}
	for _, id := range ids {
		family[id] = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for more := true; more; { // follow chains of replacements
		more = false
		for id, e := range s.entries {
			if family[id] || skip(id) {
				continue
			}
			before := e.Replaces != "" && family[e.Replaces]
			after := e.ReplacedBy != "" && family[e.ReplacedBy]
			corrects := e.Corrects != "" && family[e.Corrects]
			if (before || after) && !corrects {
				family[id], more = true, true
				ids = append(ids, id)
			}
		}
	}
	return slices.DeleteFunc(ids,
		func(id string) bool { e := s.entries[id]; return e == nil || e.State == playlists.AlertEnded })
}

// SignsWithin reports whether each sign has an area for which within returns true.
func (s *Service) SignsWithin(signs []string, within func(area string) bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !slices.ContainsFunc(signs, func(id string) bool {
		sign, ok := s.signs[id]
		return !ok || !slices.ContainsFunc(sign.Areas, within)
	})
}
