package alert

import (
	"context"
	"slices"
	"strings"

	"ledcast/playlists"
)

// Preview returns what an approver sees. It is computed on each call.
func (s *Service) Preview(ctx context.Context, id string) (*playlists.AlertPreview, error) {
	e, err := s.findLoaded(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := s.loadSigns(ctx); err != nil {
		return nil, err
	}
	areas, err := s.o.Catalogue.Areas(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	a, r, owners := e.Alert, e.rendering.clone(), s.owners
	s.mu.Unlock()
	signs := s.targets(&a)
	if err := s.drawPreview(ctx, &a, r, signs); err != nil {
		return nil, err
	}
	s.mergeDrawn(e, r)
	p := &playlists.AlertPreview{ID: id, Signs: countedSigns(signs), Override: a.Override, Reason: a.Reason,
		OutOfService: []playlists.OutOfOrder{}, Rejected: []playlists.AlertRejection{}}
	p.Says = messageLines(r.Message)
	names := map[string]string{}
	for i := range areas {
		names[areas[i].Code] = areas[i].Name
	}
	companies, places := map[string]int{}, map[string]int{}
	for i := range signs {
		x := &signs[i]
		if x.Alerts == playlists.AlertsNew {
			p.New = append(p.New, x.ID)
		} else {
			companies[x.Owner]++
			for _, area := range x.Areas {
				places[area]++
			}
		}
		if x.Picture() {
			p.Pictures++
		}
		if x.OutOfService != "" {
			p.OutOfService = append(p.OutOfService, playlists.OutOfOrder{Sign: x.ID, Reason: x.OutOfService})
		}
		s.addReach(p, x)
		if _, unable := r.Unable[x.Class.String()]; unable {
			p.Rejected = append(p.Rejected, playlists.AlertRejection{Sign: x.ID, Reason: noFrames})
		}
	}
	p.ByCompany = counts(companies, func(id string) string { return owners[id].Name })
	p.ByArea = counts(places, func(id string) string { return names[id] })
	if p.Classes, err = s.previewClasses(ctx, &a, r, false, signs); err != nil {
		return nil, err
	}
	p.Correction = []playlists.AlertOnSign{}
	if r.Correction != nil {
		if p.Correction, err = s.previewClasses(ctx, &a, r, true, signs); err != nil {
			return nil, err
		}
	}
	p.Digest = s.rememberPreview(&a, r, signs)
	return p, nil
}

// addReach names a sign that is not connected, or dark at this hour.
func (s *Service) addReach(p *playlists.AlertPreview, x *playlists.Sign) {
	if s.o.Reach != nil && !x.Picture() {
		switch s.o.Reach(x.ID) {
		case "never":
			p.Never = append(p.Never, x.ID)
		case "offline":
			p.Offline = append(p.Offline, x.ID)
		}
	}
	if x.DarkAt(s.o.Now()) {
		p.Dark = append(p.Dark, x.ID)
	}
}

// drawPreview draws undecided classes for at most drawTimeout and applies the limits, unless the alert was approved.
func (s *Service) drawPreview(ctx context.Context, a *playlists.Alert, r *rendering, signs []playlists.Sign) error {
	if err := s.draw(ctx, a, r, signs, drawTimeout); err != nil {
		return err
	}
	if a.State == playlists.AlertRunning || a.State == playlists.AlertEnded {
		return nil
	}
	return s.applyLimits(a, r, signs)
}

// messageLines returns the text of a message, one line for each language.
func messageLines(m *playlists.Message) []string {
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

// previewClasses returns the frames of an alert or its correction on each class, with a finding for each kind of sign
// on which it is illegible.
func (s *Service) previewClasses(ctx context.Context, a *playlists.Alert, r *rendering, correction bool,
	signs []playlists.Sign) ([]playlists.AlertOnSign, error) {
	out := []playlists.AlertOnSign{}
	type viewing struct{ pitch, metres float64 }
	for _, c := range classes(signs) {
		class := c.String()
		x := playlists.AlertOnSign{Class: class, Frames: []playlists.AlertFrame{}, Findings: []playlists.Finding{}}
		m, art := r.messageFor(class), r.Art[class]
		if correction {
			m, art = r.Correction, r.Corrected[class]
		} else {
			x.Form = r.Form[class]
		}
		if art == nil {
			why, unable := r.Unable[class]
			if x.Unable = unable; unable {
				x.Findings = append(x.Findings, why)
			}
			x.Late = !r.decided(class)
			x.Signs = signsOfClass(signs, c)
			out = append(out, x)
			continue
		}
		x.Findings = append(x.Findings, art.Findings...)
		for _, st := range art.Steps {
			f := &art.Frames[st.Frame]
			url := "/api/v1/alerts/" + a.ID + "/frames/" + f.SHA256
			x.Frames = append(x.Frames, playlists.AlertFrame{URL: url, MS: st.MS})
		}
		seen := map[viewing]bool{}
		for i := range signs {
			if signs[i].Class != c {
				continue
			}
			x.Signs++
			k := viewing{signs[i].Pitch, signs[i].Distance}
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

func signsOfClass(signs []playlists.Sign, c playlists.Class) (n int) {
	for i := range signs {
		if signs[i].Class == c {
			n++
		}
	}
	return n
}

// Frame returns the frame of an alert or its correction with the given digest.
func (s *Service) Frame(ctx context.Context, id, sha string) (data []byte, mime string, err error) {
	e, err := s.find(id)
	if err != nil {
		return nil, "", err
	}
	if err := s.load(ctx, e); err != nil {
		return nil, "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, arts := range []map[string]*playlists.Artwork{e.rendering.Art, e.rendering.Corrected} {
		for _, art := range arts {
			for i := range art.Frames {
				if art.Frames[i].SHA256 == sha {
					return art.Frames[i].Data, art.Frames[i].Type, nil
				}
			}
		}
	}
	return nil, "", notFound("frame", sha)
}
