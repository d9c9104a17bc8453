package alert

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// Create creates an alert. It checks everything that could stop the alert later: areas, signs, limits, and whether any
// class can show the message. If only some classes cannot show it, their signs count as rejected. Errors are
// *playlists.Error.
func (s *Service) Create(ctx context.Context, who *playlists.Principal,
	o *playlists.AlertOrder) (*playlists.AlertView, error) {
	return s.create(ctx, who, o, nil)
}

// create is Create with optional messages, the longest first.
func (s *Service) create(ctx context.Context, who *playlists.Principal, o *playlists.AlertOrder,
	forms []*playlists.Message) (*playlists.AlertView, error) {
	ctx = playlists.Urgent(ctx)
	now := s.o.Now()
	a, err := o.Order(now.UnixMilli())
	if err != nil {
		return nil, err
	}
	a.CreatedBy, a.Makers, a.CreatedMS = who.ID, who.Author().Makers, now.UnixMilli()
	where := "alerts/" + a.ID
	// Draw before locking, so that a cancel does not wait for drawing.
	if err := s.o.Catalogue.KnownAreas(ctx, a.Areas, who, where); err != nil {
		return nil, err
	}
	if err := s.loadSigns(ctx); err != nil {
		return nil, err
	}
	if err := s.checkSigns(a, who, where); err != nil {
		return nil, err
	}
	r, err := s.findMessages(ctx, a, where)
	if err != nil {
		return nil, err
	}
	if len(forms) > 0 {
		r.Message, r.Shorter = forms[0], forms[1:]
	}
	r = r.clone()
	targets := s.targets(a)
	if len(targets) == 0 {
		key := playlists.TextKey("no-sign-reached")
		if a.Mode == playlists.AlertTest {
			key = "no-test-sign-reached"
		}
		return nil, &playlists.Error{Code: playlists.Invalid, Field: where, Key: key}
	}
	if err := s.draw(ctx, a, r, targets, drawTimeout); err != nil {
		return nil, err
	}
	s.lifeMu.Lock()
	defer s.lifeMu.Unlock()
	if err := s.checkName(a, where); err != nil {
		return nil, err
	}
	if draft, err := s.find(a.ID); err == nil { // the alert replaces a draft
		if err := s.checkAreas(&draft.Alert, who); err != nil {
			return nil, err
		}
	}
	if err := s.checkReplaces(a, who, where); err != nil {
		return nil, err
	}
	if err := s.applyLimits(a, r.clone(), targets); err != nil { // on a clone, because start checks the limits again
		return nil, err
	}
	if err := s.put(ctx, nil, kindRendering, a.ID, r); err != nil {
		return nil, err
	}
	if err := s.put(ctx, who, kindAlert, a.ID, a); err != nil {
		return nil, err
	}
	e := &entry{Alert: *a, rendering: r}
	s.mu.Lock()
	s.entries[a.ID] = e
	v := s.viewLocked(e)
	s.mu.Unlock()
	s.o.Log.Info("alert created", "alert", a.ID, "state", a.State, "mode", a.Mode, "signs", len(targets), "by", who.ID)
	s.changed()
	s.wakeDrawing()
	return &v, nil
}

// checkName returns an error if an alert has or had the same id, because signs do not
// show an ended id again. It also reserves the id of an alert's correction, which could
// otherwise not be shown.
func (s *Service) checkName(a *playlists.Alert, where string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := func(field, id string) error {
		return &playlists.Error{Code: playlists.Conflict, Field: field, Value: id, Key: "alert-name-taken"}
	}
	if e := s.entries[a.ID]; e != nil && e.State != playlists.AlertDraft {
		return taken(where, a.ID)
	}
	if id := playlists.CorrectionID(a.ID); a.Correction != "" && s.entries[id] != nil {
		return taken(where+".correction", id)
	}
	if of, ok := strings.CutSuffix(a.ID, playlists.CorrectionID("")); ok && s.entries[of] != nil {
		return &playlists.Error{Code: playlists.Conflict, Field: where, Value: a.ID,
			Key: "name-kept-for-correction", Args: []any{of}}
	}
	return nil
}

func (s *Service) checkSigns(a *playlists.Alert, who *playlists.Principal, where string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, id := range a.Signs {
		field := fmt.Sprintf("%s.signs[%d]", where, i)
		x, ok := s.signs[id]
		if !ok {
			return &playlists.Error{Code: playlists.Invalid, Field: field, Value: id, Key: "sign-unknown"}
		}
		for _, area := range x.Areas {
			if !playlists.Within(who.Areas, area) {
				return &playlists.Error{Code: playlists.Denied, Field: field, Value: id, Key: "sign-area-not-allowed"}
			}
		}
	}
	return nil
}

// checkAreas returns an error if the alert lies outside the areas of who.
func (s *Service) checkAreas(a *playlists.Alert, who *playlists.Principal) error {
	where := "alerts/" + a.ID
	for i, area := range a.Areas {
		if !playlists.Within(who.Areas, area) {
			return &playlists.Error{Code: playlists.Denied, Field: fmt.Sprintf("%s.areas[%d]", where, i), Value: area,
				Key: "area-not-allowed"}
		}
	}
	if len(who.Areas) == 0 {
		return nil
	}
	known := *a // without signs that were removed
	known.Signs = nil
	s.mu.Lock()
	for _, id := range a.Signs {
		if _, ok := s.signs[id]; ok {
			known.Signs = append(known.Signs, id)
		}
	}
	s.mu.Unlock()
	return s.checkSigns(&known, who, where)
}

func (s *Service) checkReplaces(a *playlists.Alert, who *playlists.Principal, where string) error {
	if a.Replaces == "" {
		return nil
	}
	old, err := s.find(a.Replaces)
	if err != nil || old.State != playlists.AlertRunning {
		return &playlists.Error{Code: playlists.Invalid, Field: where + ".replaces", Value: a.Replaces,
			Key: "replaces-not-running"}
	}
	if old.Mode != a.Mode {
		return &playlists.Error{Code: playlists.Invalid, Field: where + ".replaces", Value: a.Replaces,
			Key: "modes-differ", Args: []any{playlists.Word(old.Mode), playlists.Word(a.Mode)}}
	}
	return s.checkAreas(&old.Alert, who)
}

// findMessages returns a rendering with the messages of the alert and its correction, not drawn yet.
func (s *Service) findMessages(ctx context.Context, a *playlists.Alert, where string) (*rendering, error) {
	r := &rendering{}
	var err error
	switch {
	case a.Message != "":
		id := strings.TrimPrefix(a.Message, playlists.Public+"/")
		if r.Message, err = s.message(ctx, id, where+".message"); err != nil {
			return nil, err
		}
	case a.Template != "":
		s.mu.Lock()
		t, ok := s.templates[a.Template]
		s.mu.Unlock()
		if !ok {
			return nil, &playlists.Error{Code: playlists.Invalid, Field: where + ".template", Value: a.Template,
				Key: "template-unknown"}
		}
		var short *playlists.Message
		if r.Message, short, err = t.Fill(where, a.Values, a.Until); err != nil {
			return nil, err
		}
		if short != nil {
			r.Shorter = append(r.Shorter, short)
		}
		a.TemplateDigest = t.Sum()
	default:
		r.Message = plainMessage(a.ID, a.Text)
	}
	if a.Short != "" {
		r.Shorter = append(r.Shorter, plainMessage(a.ID, a.Short))
	}
	if a.Correction == "" {
		return r, nil
	}
	id := strings.TrimPrefix(a.Correction, playlists.Public+"/")
	if playlists.CheckSlug("", id) == nil {
		m, err := s.o.Catalogue.Message(ctx, id)
		if err == nil {
			r.Correction = m
			return r, nil
		}
		if !playlists.IsNotFound(err) {
			return nil, err
		}
	}
	r.Correction = plainMessage(playlists.CorrectionID(a.ID), a.Correction)
	return r, nil
}

func (s *Service) message(ctx context.Context, id, field string) (*playlists.Message, error) {
	m, err := s.o.Catalogue.Message(ctx, id)
	if playlists.IsNotFound(err) {
		return nil, &playlists.Error{Code: playlists.Invalid, Field: field, Value: id, Key: "message-not-public"}
	}
	return m, err
}

// plainMessage returns a message of one text in the urgent theme.
func plainMessage(id, text string) *playlists.Message {
	return &playlists.Message{ID: id, Owner: playlists.Public, Theme: "urgent",
		Variants: []playlists.Variant{{Lang: "vi", Body: text}}}
}

// applyLimits marks classes as unable whose alert set would exceed the wire limits with this alert and those approved
// for the same time. It counts each alert or its correction, whichever is larger, because a cancel must not push a
// running alert out of the set. It returns the first error if no class is left.
func (s *Service) applyLimits(a *playlists.Alert, r *rendering, signs []playlists.Sign) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var first error
	for _, c := range classes(signs) {
		class := c.String()
		if r.Art[class] == nil {
			continue
		}
		for _, heavier := range []func(a, b *playlists.Artwork) bool{moreFrames, moreBytes} {
			set := []timeline.Alert{heaviest(a, r, class, heavier)}
			for _, e := range s.entries {
				if e.overlaps(a) && e.rendering != nil && e.rendering.Art[class] != nil {
					set = append(set, heaviest(&e.Alert, e.rendering, class, heavier))
				}
			}
			err := playlists.CheckClass(class, set)
			var full *playlists.Error
			if err == nil {
				continue
			}
			if first = cmp.Or(first, err); !errors.As(err, &full) {
				return err
			}
			r.Unable[class] = asFinding(full)
			delete(r.Art, class)
			delete(r.Corrected, class)
			break
		}
	}
	if len(r.Art) == 0 && len(r.undrawn(signs)) == 0 {
		return first
	}
	return nil
}

// overlaps reports whether e runs and e or its correction may be in the same set as a at the same time.
func (e *entry) overlaps(a *playlists.Alert) bool {
	until := func(a *playlists.Alert) playlists.Moment {
		if a.Correction == "" {
			return a.Until
		}
		return a.Until + playlists.CorrectionLife
	}
	return e.State == playlists.AlertRunning && e.Test() == a.Test() && e.ID != a.Replaces && e.ID != a.ID &&
		e.From < until(a) && a.From < until(&e.Alert)
}

// heaviest returns the alert with its own frames or those of its correction, whichever are heavier.
func heaviest(a *playlists.Alert, r *rendering, class string,
	heavier func(a, b *playlists.Artwork) bool) timeline.Alert {
	art := r.Art[class]
	if c := r.Corrected[class]; c != nil && heavier(c, art) {
		art = c
	}
	return a.OnWire(art, func(string) bool { return true })
}

func moreFrames(a, b *playlists.Artwork) bool { return len(a.Frames) > len(b.Frames) }

func moreBytes(a, b *playlists.Artwork) bool {
	sum := func(x *playlists.Artwork) (n int64) {
		for i := range x.Frames {
			n += x.Frames[i].Len
		}
		return n
	}
	return sum(a) > sum(b)
}
