package alert

import (
	"context"
	"slices"
	"strings"

	"ledcast/playlists"
)

// Templates returns all templates, sorted by id.
func (s *Service) Templates() []playlists.AlertTemplate {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]playlists.AlertTemplate, 0, len(s.templates))
	for _, t := range s.templates {
		t.Digest = t.Sum()
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b playlists.AlertTemplate) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// Template returns a template, or an error of code NotFound.
func (s *Service) Template(id string) (*playlists.AlertTemplate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.templates[id]
	if !ok {
		return nil, notFound("template", id)
	}
	t.Digest = t.Sum()
	return &t, nil
}

// PutTemplate creates or replaces a template and removes its approval.
func (s *Service) PutTemplate(ctx context.Context, who *playlists.Principal, t *playlists.AlertTemplate) error {
	if err := t.Validate(); err != nil {
		return err
	}
	t.By, t.Makers, t.ApprovedBy, t.ApprovedMS = who.ID, who.Author().Makers, "", 0
	s.lifeMu.Lock()
	defer s.lifeMu.Unlock()
	return s.setTemplate(ctx, who, t)
}

// setTemplate writes a template. The caller holds s.lifeMu.
func (s *Service) setTemplate(ctx context.Context, who *playlists.Principal, t *playlists.AlertTemplate) error {
	record := *t
	record.Digest = ""
	if err := s.put(ctx, who, kindTemplate, t.ID, &record); err != nil {
		return err
	}
	t.Digest = t.Sum()
	s.mu.Lock()
	s.templates[t.ID] = record
	s.templatesChanged()
	s.mu.Unlock()
	return nil
}

// ApproveTemplate approves a template for break-glass. who must not be its author. digest
// must match the template that who read.
func (s *Service) ApproveTemplate(ctx context.Context, who *playlists.Principal, id,
	digest string) (*playlists.AlertTemplate, error) {
	s.lifeMu.Lock()
	defer s.lifeMu.Unlock()
	t, err := s.Template(id)
	if err != nil {
		return nil, err
	}
	if err := playlists.CheckSecond("templates/"+id, playlists.Author{ID: t.By, Makers: t.Makers}, who); err != nil {
		return nil, err
	}
	if err := playlists.CheckDigest(digest, t.Digest); err != nil {
		return nil, err
	}
	t.ApprovedBy, t.ApprovedMS = who.ID, s.o.Now().UnixMilli()
	return t, s.setTemplate(ctx, who, t)
}

// DeleteTemplate deletes a template. Alerts that use it do not change.
func (s *Service) DeleteTemplate(ctx context.Context, who *playlists.Principal, id string) error {
	if _, err := s.Template(id); err != nil {
		return err
	}
	s.lifeMu.Lock()
	defer s.lifeMu.Unlock()
	if err := s.o.Records.Delete(ctx, who, kindTemplate, playlists.Public, id); err != nil {
		return err
	}
	s.mu.Lock()
	delete(s.templates, id)
	s.templatesChanged()
	s.mu.Unlock()
	return nil
}

// Drill returns the plan of the weekly drill.
func (s *Service) Drill() playlists.DrillPlan {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.drill
}

// SetDrill changes the plan of the weekly drill.
func (s *Service) SetDrill(ctx context.Context, who *playlists.Principal, d playlists.DrillPlan) error {
	if err := d.Validate(); err != nil {
		return err
	}
	s.lifeMu.Lock()
	defer s.lifeMu.Unlock()
	if err := s.put(ctx, who, kindSetting, "drill", d); err != nil {
		return err
	}
	s.mu.Lock()
	s.drill = d
	s.mu.Unlock()
	s.changed()
	return nil
}

// templatesChanged forgets which classes can show no template. s.mu must be held.
func (s *Service) templatesChanged() {
	s.templatesVersion++
	clear(s.unable)
}
