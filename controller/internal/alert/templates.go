package alert

import (
	"context"
	"slices"
	"strings"

	"ledcast/playlists"
)

// Templates are all templates, by id.
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

// Template is one; NotFound for what is not there.
func (s *Service) Template(id string) (*playlists.AlertTemplate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.templates[id]
	if !ok {
		return nil, notHere("template", id)
	}
	t.Digest = t.Sum()
	return &t, nil
}

// PutTemplate replaces a template. Its approval is gone with its old words.
func (s *Service) PutTemplate(ctx context.Context, who *playlists.Principal, t *playlists.AlertTemplate) error {
	if err := t.Validate(); err != nil {
		return err
	}
	t.By, t.Makers, t.ApprovedBy, t.ApprovedMS = who.ID, who.Author().Makers, "", 0
	s.life.Lock()
	defer s.life.Unlock()
	return s.setTemplate(ctx, who, t)
}

// setTemplate keeps a template; s.life is held.
func (s *Service) setTemplate(ctx context.Context, who *playlists.Principal, t *playlists.AlertTemplate) error {
	kept := *t
	kept.Digest = ""
	if err := s.keep(ctx, who, kindTemplate, t.ID, &kept); err != nil {
		return err
	}
	t.Digest = t.Sum()
	s.mu.Lock()
	s.templates[t.ID] = kept
	s.mu.Unlock()
	return nil
}

// ApproveTemplate lets one person use a template alone. who is another person
// than wrote it, and says by its digest which words they read.
func (s *Service) ApproveTemplate(ctx context.Context, who *playlists.Principal, id,
	digest string) (*playlists.AlertTemplate, error) {
	s.life.Lock()
	defer s.life.Unlock()
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

// DeleteTemplate removes one; alerts that were made of it stay as they are.
func (s *Service) DeleteTemplate(ctx context.Context, who *playlists.Principal, id string) error {
	if _, err := s.Template(id); err != nil {
		return err
	}
	s.life.Lock()
	defer s.life.Unlock()
	if err := s.o.Records.Delete(ctx, who, kindTemplate, playlists.Public, id); err != nil {
		return err
	}
	s.mu.Lock()
	delete(s.templates, id)
	s.mu.Unlock()
	return nil
}

// Drill is when the weekly drill is made.
func (s *Service) Drill() playlists.DrillPlan {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.drill
}

// SetDrill changes that.
func (s *Service) SetDrill(ctx context.Context, who *playlists.Principal, d playlists.DrillPlan) error {
	if err := d.Validate(); err != nil {
		return err
	}
	s.life.Lock()
	defer s.life.Unlock()
	if err := s.keep(ctx, who, kindSetting, "drill", d); err != nil {
		return err
	}
	s.mu.Lock()
	s.drill = d
	s.mu.Unlock()
	s.changed()
	return nil
}
