package alert

import (
	"context"

	"ledcast/playlists"
)

// Unable returns why a class can show no template of the department in any form, or nil if it can show one. A sign of
// such a class counts as rejected in most alerts.
func (s *Service) Unable(ctx context.Context, c playlists.Class) (*playlists.Finding, error) {
	s.mu.Lock()
	known, decided := s.unable[c]
	templates := make([]playlists.AlertTemplate, 0, len(s.templates))
	for _, t := range s.templates {
		templates = append(templates, t)
	}
	version := s.templatesVersion
	s.mu.Unlock()
	if decided || len(templates) == 0 {
		return known, nil
	}
	var why *playlists.Finding
	for i := range templates {
		f, err := s.unableTemplate(ctx, &templates[i], c)
		if err != nil {
			return nil, err
		}
		if why = f; f == nil {
			break
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if version == s.templatesVersion {
		s.unable[c] = why
	}
	return why, nil
}

// unableTemplate returns why a class can show no form of a template whose placeholders have one digit each.
func (s *Service) unableTemplate(ctx context.Context, t *playlists.AlertTemplate,
	c playlists.Class) (*playlists.Finding, error) {
	values := map[string]string{}
	for _, name := range t.Placeholders() {
		values[name] = "1"
	}
	m, short, err := t.Fill("templates/"+t.ID, values, playlists.Moment(s.o.Now().Unix()))
	if err != nil {
		return nil, err
	}
	var why *playlists.Error
	for _, form := range []*playlists.Message{short, m} {
		if form == nil {
			continue
		}
		art, cannot, err := s.drawForm(ctx, "templates/"+t.ID, form, c)
		if err != nil {
			return nil, err
		}
		if art != nil {
			return nil, nil
		}
		if why == nil {
			why = cannot
		}
	}
	f := asFinding(why)
	return &f, nil
}
