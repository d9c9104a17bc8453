package alert

import (
	"context"
	"fmt"
	"strings"
	"time"

	"ledcast/playlists"
)

// BreakGlass lets an alert run on the word of one person: only in the words of
// a template that another person approved before, with nothing but names and
// numbers in its gaps, in at most one area below the province, for a quarter of
// an hour, and once an hour for a district and a person. All of the department is told.
func (s *Service) BreakGlass(ctx context.Context, who *playlists.Principal, id string) (*playlists.AlertView, error) {
	ctx = playlists.Urgent(ctx)
	if err := s.prepare(ctx, id); err != nil {
		return nil, err
	}
	s.life.Lock()
	defer s.life.Unlock()
	e, err := s.ready(ctx, who, id, playlists.AlertPending)
	if err != nil {
		return nil, err
	}
	if err := s.mayBreak(&e.Alert, who); err != nil {
		return nil, err
	}
	s.o.Log.Warn("the glass was broken: one person sent an alert", "alert", id, "who", who.ID, "area", e.Areas[0])
	return s.begin(ctx, who, e, s.targets(&e.Alert), func(a *playlists.Alert) { a.BreakGlass = true })
}

func (s *Service) mayBreak(a *playlists.Alert, who *playlists.Principal) error {
	where := "alerts/" + a.ID
	s.mu.Lock()
	t, ok := s.templates[a.Template]
	s.mu.Unlock()
	refuse := func(field, value string, key playlists.TextKey, args ...any) error {
		return &playlists.Error{Code: playlists.Invalid, Field: where + field, Value: value, Key: key, Args: args}
	}
	now := s.o.Now()
	start := max(int64(a.From), now.Unix())
	switch {
	case !ok || a.TemplateDigest != t.Sum() || t.ApprovedBy == "":
		return refuse(".template", a.Template, "glass-template-not-approved")
	case who.Program:
		return &playlists.Error{Code: playlists.Denied, Field: where, Key: "approval-by-program"}
	case playlists.Same(t.ApprovedBy, who.ID):
		return refuse(".template", a.Template, "glass-template-by-oneself")
	case a.Mode != playlists.AlertLive:
		return refuse(".mode", string(a.Mode), "glass-not-urgent")
	case a.Correction != "":
		return refuse(".correction", a.Correction, "glass-message-unread")
	case a.Replaces != "":
		return refuse(".replaces", a.Replaces, "glass-ends-other")
	case a.Priority > playlists.DefaultPriority:
		return refuse(".priority", fmt.Sprint(a.Priority), "glass-priority-too-high", playlists.DefaultPriority)
	case len(a.Signs) > 0 || len(a.Areas) != 1:
		return refuse(".areas", strings.Join(append(a.Areas[:len(a.Areas):len(a.Areas)], a.Signs...), ", "), "not-one-area")
	case !strings.Contains(a.Areas[0], "/"):
		return refuse(".areas[0]", a.Areas[0], "glass-whole-province")
	case int64(a.Until)-start > playlists.GlassLife:
		return refuse(".until", fmt.Sprint(int64(a.Until)), "glass-alert-too-long", int64(a.Until)-start, playlists.GlassLife)
	}
	if err := playlists.CheckGlass(where, a.Values); err != nil {
		return err
	}
	return s.rested(a, who, now)
}

// rested refuses to break the glass in a district where it is broken or was an hour ago, to a person who did, and where
// others have too often. One person must not use it up for the province.
func (s *Service) rested(a *playlists.Alert, who *playlists.Principal, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	lately := 0
	for _, x := range s.entries {
		left := x.EndedMS/1000 + playlists.GlassRest - now.Unix()
		if !x.BreakGlass || x.State == playlists.AlertEnded && left <= 0 {
			continue
		}
		lately++
		here := playlists.Within(x.Areas, a.Areas[0]) || playlists.Within(a.Areas, x.Areas[0])
		if !here && !playlists.Same(x.ApprovedBy, who.ID) {
			continue
		}
		if x.State != playlists.AlertEnded {
			return &playlists.Error{Code: playlists.Conflict, Field: "alerts", Value: x.ID,
				Key: "glass-already-running"}
		}
		return &playlists.Error{Code: playlists.Conflict, Field: "alerts", Value: x.ID,
			Key: "glass-too-soon", Args: []any{(playlists.GlassRest - left) / 60, (left + 59) / 60}}
	}
	if lately >= playlists.GlassMost {
		return &playlists.Error{Code: playlists.Conflict, Field: "alerts", Value: fmt.Sprint(lately), Key: "glass-too-often"}
	}
	return nil
}
