package alert

import (
	"context"
	"fmt"
	"strings"
	"time"

	"ledcast/playlists"
)

// BreakGlass starts a pending alert without a second person. The alert must use a
// template that another person approved, with only names and numbers as values. It may
// reach one area below the province for at most a quarter of an hour. A district and a
// person can use break-glass once an hour. The whole department is notified.
func (s *Service) BreakGlass(ctx context.Context, who *playlists.Principal, id string) (*playlists.AlertView, error) {
	ctx = playlists.Urgent(ctx)
	if err := s.drawPending(ctx, id); err != nil {
		return nil, err
	}
	s.lifeMu.Lock()
	defer s.lifeMu.Unlock()
	e, err := s.loadToStart(ctx, who, id, playlists.AlertPending)
	if err != nil {
		return nil, err
	}
	if err := s.checkBreakGlass(&e.Alert, who); err != nil {
		return nil, err
	}
	s.o.Log.Warn("break-glass: one person started an alert", "alert", id, "who", who.ID, "area", e.Areas[0])
	return s.start(ctx, who, e, s.targets(&e.Alert), func(a *playlists.Alert) { a.BreakGlass = true })
}

// Extend lets a running break-glass alert run until x.Until. It takes another person than the one who started it, who
// gives the digest of the preview and the number of signs in it, as for an approval. Words that name the end name the
// new one.
func (s *Service) Extend(ctx context.Context, who *playlists.Principal, id string,
	x *playlists.AlertExtension) (*playlists.AlertView, error) {
	ctx = playlists.Urgent(ctx)
	where := "alerts/" + id
	redrawn, err := s.redraw(ctx, id, x.Until) // before locking, so that a cancel does not wait for drawing
	if err != nil {
		return nil, err
	}
	s.lifeMu.Lock()
	defer s.lifeMu.Unlock()
	e, err := s.loadToStart(ctx, who, id, playlists.AlertRunning)
	if err != nil {
		return nil, err
	}
	if !e.BreakGlass {
		return nil, &playlists.Error{Code: playlists.Conflict, Field: where, Key: "extend-not-break-glass"}
	}
	for _, first := range []playlists.Author{{ID: e.CreatedBy, Makers: e.Makers}, {ID: e.ApprovedBy}} {
		if err := playlists.CheckSecond(where, first, who); err != nil {
			return nil, err
		}
	}
	now := s.o.Now()
	switch {
	case int64(e.Until) <= now.Unix():
		return nil, &playlists.Error{Code: playlists.Invalid, Field: where + ".until", Key: "alert-over"}
	case x.Until <= e.Until:
		return nil, &playlists.Error{Code: playlists.Invalid, Field: where + ".until", Value: fmt.Sprint(int64(x.Until)),
			Key: "extend-not-later", Args: []any{int64(e.Until)}}
	case x.Until-e.From > playlists.MaxAlertLife:
		return nil, &playlists.Error{Code: playlists.TooLarge, Field: where + ".until", Value: fmt.Sprint(int64(x.Until)),
			Key: "extend-too-long", Args: []any{int64(playlists.MaxAlertLife / 3600)}}
	}
	if _, _, err := s.findPreview(e, &x.AlertApproval, s.targets(&e.Alert)); err != nil {
		return nil, err
	}
	if redrawn != nil {
		if err := s.applyLimits(&e.Alert, redrawn, s.targets(&e.Alert)); err != nil {
			return nil, err
		}
		if err := s.put(ctx, nil, kindRendering, id, redrawn); err != nil {
			return nil, err
		}
	}
	if err := s.update(ctx, who, e, func(a *playlists.Alert) {
		a.Until, a.ExtendedBy, a.ExtendedMS = x.Until, who.ID, now.UnixMilli()
	}); err != nil {
		return nil, err
	}
	if redrawn != nil {
		s.mu.Lock()
		e.rendering = redrawn
		s.mu.Unlock()
	}
	s.o.Log.Info("break-glass alert extended", "alert", id, "by", who.ID, "until", int64(x.Until))
	s.changed()
	return s.view(e), nil
}

// redraw draws the words of a break-glass alert with another end. It returns nil if they do not name the end, and an
// error if its template is not the one that the words are from.
func (s *Service) redraw(ctx context.Context, id string, until playlists.Moment) (*rendering, error) {
	e, err := s.findLoaded(ctx, id)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	a, old := e.Alert, e.rendering
	s.mu.Unlock()
	if !a.BreakGlass || a.Until == until {
		return nil, nil // Extend refuses it
	}
	b := a
	b.Until = until
	r, err := s.findMessages(ctx, &b, "alerts/"+id)
	if err != nil {
		return nil, err
	}
	if b.TemplateDigest != a.TemplateDigest {
		return nil, &playlists.Error{Code: playlists.Conflict, Field: "alerts/" + id + ".template", Value: a.Template,
			Key: "extend-template-changed"}
	}
	if digestOf(r.Message) == digestOf(old.Message) && digestOf(r.Shorter) == digestOf(old.Shorter) {
		return nil, nil
	}
	r = r.clone()
	return r, s.draw(ctx, &a, r, s.targets(&a), drawTimeout)
}

// usedBreakGlass reports whether break-glass started e. An alert that an approver resumed does not count again.
func (e *entry) usedBreakGlass() bool { return e.BreakGlass && e.Resumes == "" }

func (s *Service) checkBreakGlass(a *playlists.Alert, who *playlists.Principal) error {
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
		all := append(a.Areas[:len(a.Areas):len(a.Areas)], a.Signs...)
		return refuse(".areas", strings.Join(all, ", "), "not-one-area")
	case !strings.Contains(a.Areas[0], "/"):
		return refuse(".areas[0]", a.Areas[0], "glass-whole-province")
	case int64(a.Until)-start > playlists.GlassLife:
		return refuse(".until", fmt.Sprint(int64(a.Until)), "glass-alert-too-long", int64(a.Until)-start,
			playlists.GlassLife)
	}
	if err := playlists.CheckGlass(where, a.Values); err != nil {
		return err
	}
	return s.checkBreakGlassRate(a, who, now)
}

// checkBreakGlassRate returns an error if the district or the person used break-glass within the last hour, or if the
// whole province used it too often. One person must not use it up for the others.
func (s *Service) checkBreakGlassRate(a *playlists.Alert, who *playlists.Principal, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	count := 0
	for _, x := range s.entries {
		over, overMS := x.State == playlists.AlertEnded, x.EndedMS
		if x.ExtendedMS > 0 { // from then on two people answer for it
			over, overMS = true, x.ExtendedMS
		}
		restLeft := overMS/1000 + playlists.GlassRest - now.Unix()
		if !x.usedBreakGlass() || over && restLeft <= 0 {
			continue
		}
		count++
		sameDistrict := playlists.Within(x.Areas, a.Areas[0]) || playlists.Within(a.Areas, x.Areas[0])
		if !sameDistrict && !playlists.Same(x.ApprovedBy, who.ID) {
			continue
		}
		if !over {
			return &playlists.Error{Code: playlists.Conflict, Field: "alerts", Value: x.ID,
				Key: "glass-already-running"}
		}
		return &playlists.Error{Code: playlists.Conflict, Field: "alerts", Value: x.ID,
			Key: "glass-too-soon", Args: []any{(playlists.GlassRest - restLeft) / 60, (restLeft + 59) / 60}}
	}
	if count >= playlists.GlassMost {
		return &playlists.Error{Code: playlists.Conflict, Field: "alerts", Value: fmt.Sprint(count),
			Key: "glass-too-often"}
	}
	return nil
}
