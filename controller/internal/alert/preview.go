package alert

import (
	"context"
	"slices"
	"strings"

	"ledcast/playlists"
)

// Preview is what an approver sees, computed now.
func (s *Service) Preview(ctx context.Context, id string) (*playlists.AlertPreview, error) {
	e, err := s.find(id)
	if err != nil {
		return nil, err
	}
	if err := s.read(ctx, e); err != nil {
		return nil, err
	}
	if err := s.learn(ctx); err != nil {
		return nil, err
	}
	areas, err := s.o.Catalogue.Areas(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	a, l, owners := e.Alert, e.look.clone(), s.owners
	s.mu.Unlock()
	signs := s.targets(&a)
	if err := s.drawFor(ctx, &a, l, signs); err != nil {
		return nil, err
	}
	s.addDrawn(e, l)
	p := &playlists.AlertPreview{ID: id, Signs: len(signs), Override: a.Override, Reason: a.Reason,
		OutOfService: []playlists.OutOfOrder{}, Rejected: []playlists.AlertRejection{}}
	p.Says = saying(l.Message)
	names := map[string]string{}
	for i := range areas {
		names[areas[i].Code] = areas[i].Name
	}
	companies, places := map[string]int{}, map[string]int{}
	for i := range signs {
		x := &signs[i]
		companies[x.Owner]++
		for _, area := range x.Areas {
			places[area]++
		}
		if x.Picture() {
			p.Pictures++
		}
		if x.OutOfService != "" {
			p.OutOfService = append(p.OutOfService, playlists.OutOfOrder{Sign: x.ID, Reason: x.OutOfService})
		}
		if _, unable := l.Unable[x.Class.String()]; unable {
			p.Rejected = append(p.Rejected, playlists.AlertRejection{Sign: x.ID, Reason: noFrames})
		}
	}
	p.ByCompany = counts(companies, func(id string) string { return owners[id].Name })
	p.ByArea = counts(places, func(id string) string { return names[id] })
	if p.Classes, err = s.onClasses(ctx, &a, l, false, signs); err != nil {
		return nil, err
	}
	p.Correction = []playlists.AlertOnSign{}
	if l.Correction != nil {
		if p.Correction, err = s.onClasses(ctx, &a, l, true, signs); err != nil {
			return nil, err
		}
	}
	p.Digest = s.remember(&a, l, signs)
	return p, nil
}

// drawFor draws what is missing for a preview, within the time that a person waits, and takes out what would go over
// the wire's limits.
func (s *Service) drawFor(ctx context.Context, a *playlists.Alert, l *look, signs []playlists.Sign) error {
	if err := s.draw(ctx, a, l, signs, drawWithin); err != nil {
		return err
	}
	if a.State == playlists.AlertRunning || a.State == playlists.AlertEnded {
		return nil
	}
	return s.fits(a, l, signs)
}

// saying is a message's words, a line for each language.
func saying(m *playlists.Message) []string {
	out := []string{}
	for _, v := range m.Variants {
		var parts []string
		for _, x := range []string{v.Headline, v.Body, v.Caption} {
			if x != "" {
				parts = append(parts, x)
			}
		}
		out = append(out, v.Lang+": "+strings.Join(parts, " – "))
	}
	return out
}

func counts(of map[string]int, name func(string) string) []playlists.SignCount {
	out := make([]playlists.SignCount, 0, len(of))
	for id, n := range of {
		out = append(out, playlists.SignCount{ID: id, Name: name(id), Signs: n})
	}
	slices.SortFunc(out, func(a, b playlists.SignCount) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// onClasses is how an alert, or its correction, looks on each class of the signs, with what cannot be read from where
// each kind of them is looked at.
func (s *Service) onClasses(ctx context.Context, a *playlists.Alert, l *look, correction bool,
	signs []playlists.Sign) ([]playlists.AlertOnSign, error) {
	out := []playlists.AlertOnSign{}
	type stand struct{ pitch, metres float64 }
	for _, c := range classes(signs) {
		class := c.String()
		x := playlists.AlertOnSign{Class: class, Frames: []playlists.AlertFrame{}, Findings: []playlists.Finding{}}
		m, art := l.form(class), l.Art[class]
		if correction {
			m, art = l.Correction, l.Corrected[class]
		} else {
			x.Form = l.Form[class]
		}
		if art == nil {
			why, unable := l.Unable[class]
			if x.Unable = unable; unable {
				x.Findings = append(x.Findings, why)
			}
			x.Late = !l.drawn(class)
			x.Signs = countOf(signs, c)
			out = append(out, x)
			continue
		}
		x.Findings = append(x.Findings, art.Findings...)
		for _, st := range art.Steps {
			f := &art.Frames[st.Frame]
			x.Frames = append(x.Frames, playlists.AlertFrame{URL: "/api/v1/alerts/" + a.ID + "/frames/" + f.SHA256, MS: st.MS})
		}
		seen := map[stand]bool{}
		for i := range signs {
			if signs[i].Class != c {
				continue
			}
			x.Signs++
			k := stand{signs[i].Pitch, signs[i].Distance}
			if seen[k] {
				continue
			}
			seen[k] = true
			f, err := s.o.Artist.Reads(ctx, m, &signs[i])
			if err != nil {
				return nil, onClass(err, c)
			}
			if f != nil {
				n := *f
				n.Field = "signs/" + signs[i].ID
				x.Findings = append(x.Findings, n)
			}
		}
		out = append(out, x)
	}
	return out, nil
}

func countOf(signs []playlists.Sign, c playlists.Class) (n int) {
	for i := range signs {
		if signs[i].Class == c {
			n++
		}
	}
	return n
}

// Frame is a frame of an alert or its correction, found by its digest.
func (s *Service) Frame(ctx context.Context, id, sha string) (data []byte, mime string, err error) {
	e, err := s.find(id)
	if err != nil {
		return nil, "", err
	}
	if err := s.read(ctx, e); err != nil {
		return nil, "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, arts := range []map[string]*playlists.Artwork{e.look.Art, e.look.Corrected} {
		for _, art := range arts {
			for i := range art.Frames {
				if art.Frames[i].SHA256 == sha {
					return art.Frames[i].Data, art.Frames[i].Type, nil
				}
			}
		}
	}
	return nil, "", notHere("frame", sha)
}
