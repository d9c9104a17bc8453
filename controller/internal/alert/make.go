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

// Create makes an alert. Whatever could stop it later stops it here: a place that is not known, no sign, words that no
// class can show, a limit of the wire. A class that cannot show the words while others can stops nothing: its signs
// count as rejected. Errors are *playlists.Error.
func (s *Service) Create(ctx context.Context, who *playlists.Principal,
	o *playlists.AlertOrder) (*playlists.AlertView, error) {
	return s.create(ctx, who, o, nil)
}

// create is Create with messages at hand, where there are any: the longest form first.
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
	// Drawing takes a while, and nobody's cancel waits for it.
	if err := s.o.Catalogue.KnownAreas(ctx, a.Areas, who, where); err != nil {
		return nil, err
	}
	if err := s.learn(ctx); err != nil {
		return nil, err
	}
	if err := s.knownSigns(a, who, where); err != nil {
		return nil, err
	}
	l, err := s.words(ctx, a, where)
	if err != nil {
		return nil, err
	}
	if len(forms) > 0 {
		l.Message, l.Shorter = forms[0], forms[1:]
	}
	l = l.clone()
	targets := s.targets(a)
	if len(targets) == 0 {
		key := playlists.TextKey("no-sign-reached")
		if a.Mode == playlists.AlertTest {
			key = "no-test-sign-reached"
		}
		return nil, &playlists.Error{Code: playlists.Invalid, Field: where, Key: key}
	}
	if err := s.draw(ctx, a, l, targets, drawWithin); err != nil {
		return nil, err
	}
	s.life.Lock()
	defer s.life.Unlock()
	if err := s.free(a, where); err != nil {
		return nil, err
	}
	if draft, err := s.find(a.ID); err == nil { // it takes the place of somebody's draft
		if err := s.within(&draft.Alert, who); err != nil {
			return nil, err
		}
	}
	if err := s.mayReplace(a, who, where); err != nil {
		return nil, err
	}
	if err := s.fits(a, l.clone(), targets); err != nil { // what it is beside may have ended at its approval
		return nil, err
	}
	if err := s.keep(ctx, nil, kindLook, a.ID, l); err != nil {
		return nil, err
	}
	if err := s.keep(ctx, who, kindAlert, a.ID, a); err != nil {
		return nil, err
	}
	e := &entry{Alert: *a, look: l}
	s.mu.Lock()
	s.entries[a.ID] = e
	v := s.view(e)
	s.mu.Unlock()
	s.o.Log.Info("alert made", "alert", a.ID, "state", a.State, "mode", a.Mode, "signs", len(targets), "by", who.ID)
	s.changed()
	s.askLate()
	return &v, nil
}

// free refuses a name that an alert has or had: signs remember what ended. The
// name of a correction is its alert's, whether there is one yet or not: the
// correction would silently not show.
func (s *Service) free(a *playlists.Alert, where string) error {
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

func (s *Service) knownSigns(a *playlists.Alert, who *playlists.Principal, where string) error {
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

// within refuses an officer who acts elsewhere.
func (s *Service) within(a *playlists.Alert, who *playlists.Principal) error {
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
	known := *a // signs that are gone stop nobody
	known.Signs = nil
	s.mu.Lock()
	for _, id := range a.Signs {
		if _, ok := s.signs[id]; ok {
			known.Signs = append(known.Signs, id)
		}
	}
	s.mu.Unlock()
	return s.knownSigns(&known, who, where)
}

func (s *Service) mayReplace(a *playlists.Alert, who *playlists.Principal, where string) error {
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
	return s.within(&old.Alert, who)
}

// words finds what the alert and its correction say.
func (s *Service) words(ctx context.Context, a *playlists.Alert, where string) (*look, error) {
	l := &look{}
	var err error
	switch {
	case a.Message != "":
		id := strings.TrimPrefix(a.Message, playlists.Public+"/")
		if l.Message, err = s.message(ctx, id, where+".message"); err != nil {
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
		if l.Message, short, err = t.Fill(where, a.Values, a.Until); err != nil {
			return nil, err
		}
		if short != nil {
			l.Shorter = append(l.Shorter, short)
		}
		a.TemplateDigest = t.Sum()
	default:
		l.Message = plain(a.ID, a.Text)
	}
	if a.Short != "" {
		l.Shorter = append(l.Shorter, plain(a.ID, a.Short))
	}
	if a.Correction == "" {
		return l, nil
	}
	id := strings.TrimPrefix(a.Correction, playlists.Public+"/")
	if playlists.CheckSlug("", id) == nil {
		m, err := s.o.Catalogue.Message(ctx, id)
		if err == nil {
			l.Correction = m
			return l, nil
		}
		if !missing(err) {
			return nil, err
		}
	}
	l.Correction = plain(playlists.CorrectionID(a.ID), a.Correction)
	return l, nil
}

func (s *Service) message(ctx context.Context, id, field string) (*playlists.Message, error) {
	m, err := s.o.Catalogue.Message(ctx, id)
	if missing(err) {
		return nil, &playlists.Error{Code: playlists.Invalid, Field: field, Value: id, Key: "message-not-public"}
	}
	return m, err
}

func missing(err error) bool {
	var e *playlists.Error
	return errors.As(err, &e) && e.Code == playlists.NotFound
}

// plain is a message of nothing but words, in the colours of urgency.
func plain(id, text string) *playlists.Message {
	return &playlists.Message{ID: id, Owner: playlists.Public, Theme: "urgent",
		Variants: []playlists.Variant{{Lang: "vi", Body: text}}}
}

// fits takes the alert from classes that it would take over the wire's limits beside the alerts that are approved for
// the same time. Each of them may be cancelled for its correction, which may be larger than it: no alert that runs may
// vanish from a set then. Where no class is left, it returns the error of the first.
func (s *Service) fits(a *playlists.Alert, l *look, signs []playlists.Sign) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var first error
	for _, c := range classes(signs) {
		class := c.String()
		if l.Art[class] == nil {
			continue
		}
		for _, heavier := range []func(a, b *playlists.Artwork) bool{moreFrames, moreBytes} {
			set := []timeline.Alert{heaviest(a, l, class, heavier)}
			for _, e := range s.entries {
				if e.beside(a) && e.look != nil && e.look.Art[class] != nil {
					set = append(set, heaviest(&e.Alert, e.look, class, heavier))
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
			l.Unable[class] = asFinding(full)
			delete(l.Art, class)
			delete(l.Corrected, class)
			break
		}
	}
	if len(l.Art) == 0 && len(l.missing(signs)) == 0 {
		return first
	}
	return nil
}

// beside reports whether an alert that runs, or its correction, may run at the same time as a and in the same set.
func (e *entry) beside(a *playlists.Alert) bool {
	until := func(a *playlists.Alert) playlists.Moment {
		if a.Correction == "" {
			return a.Until
		}
		return a.Until + playlists.CorrectionLife
	}
	return e.State == playlists.AlertRunning && e.Test() == a.Test() && e.ID != a.Replaces && e.ID != a.ID &&
		e.From < until(a) && a.From < until(&e.Alert)
}

// heaviest is an alert on a class, or its correction, whichever is heavier.
func heaviest(a *playlists.Alert, l *look, class string, heavier func(a, b *playlists.Artwork) bool) timeline.Alert {
	art := l.Art[class]
	if c := l.Corrected[class]; c != nil && heavier(c, art) {
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
