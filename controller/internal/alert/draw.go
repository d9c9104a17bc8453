package alert

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// drawTimeout is how long a request waits for drawing. The classes with the most signs come first. drawUndrawn draws
// the rest later.
const drawTimeout = 1200 * time.Millisecond

// noFrames is the rejection reason of a sign whose class cannot show any form of an alert.
const noFrames = "no-frames"

// rendering is a drawn alert, by class. The rendering of an entry is immutable; mergeDrawn replaces it.
type rendering struct {
	Message    *playlists.Message            `json:"message"`
	Shorter    []*playlists.Message          `json:"shorter,omitempty"` // forms for classes that cannot show Message
	Correction *playlists.Message            `json:"correction,omitempty"`
	Art        map[string]*playlists.Artwork `json:"art"`
	Corrected  map[string]*playlists.Artwork `json:"corrected,omitempty"`
	Form       map[string]int                `json:"form,omitempty"` // 0 is Message, n is Shorter[n-1]
	// Unable has the classes that cannot show any form, and why. Their signs count as rejected.
	Unable map[string]playlists.Finding `json:"unable,omitempty"`
}

func (r *rendering) clone() *rendering {
	c := *r
	c.Art, c.Corrected = maps.Clone(r.Art), maps.Clone(r.Corrected)
	c.Form, c.Unable = maps.Clone(r.Form), maps.Clone(r.Unable)
	if c.Art == nil {
		c.Art = map[string]*playlists.Artwork{}
	}
	if c.Corrected == nil {
		c.Corrected = map[string]*playlists.Artwork{}
	}
	if c.Form == nil {
		c.Form = map[string]int{}
	}
	if c.Unable == nil {
		c.Unable = map[string]playlists.Finding{}
	}
	return &c
}

// decided reports whether a class has frames or cannot show the alert.
func (r *rendering) decided(class string) bool {
	_, unable := r.Unable[class]
	return unable || r.Art[class] != nil
}

// messageFor returns the form of the message that a class shows.
func (r *rendering) messageFor(class string) *playlists.Message {
	if n := r.Form[class]; n > 0 {
		return r.Shorter[n-1]
	}
	return r.Message
}

// undrawn returns the undecided classes of the signs, those with the most signs first.
func (r *rendering) undrawn(signs []playlists.Sign) []classToDraw {
	count, of := map[playlists.Class]int{}, map[playlists.Class][]signKind{}
	for i := range signs {
		count[signs[i].Class]++
	}
	for _, x := range signKinds(signs) {
		of[x.sign.Class] = append(of[x.sign.Class], x)
	}
	var out []classToDraw
	for c, n := range count {
		if class := c.String(); !r.decided(class) {
			out = append(out, classToDraw{c, class, n, of[c]})
		}
	}
	slices.SortFunc(out, func(a, b classToDraw) int {
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.name, b.name))
	})
	return out
}

// classToDraw is an undecided class with its number of signs and one sign of each kind.
type classToDraw struct {
	class playlists.Class
	name  string
	count int
	kinds []signKind
}

// result is the result of drawing a class.
type result struct {
	art, corrected *playlists.Artwork
	form           int
	unable         *playlists.Error // the class cannot show the message
	noCorrection   *playlists.Error // the class cannot show the correction
	illegible      *playlists.Error // the message is legible on none of its signs
}

// draw draws the undecided classes of the signs in parallel and adds them to r. It starts no class after the timeout.
// It returns an error if drawing fails, if no class can show the message, or if the message is legible on no sign and
// there is no override.
func (s *Service) draw(ctx context.Context, a *playlists.Alert, r *rendering, signs []playlists.Sign,
	timeout time.Duration) error {
	undrawn := r.undrawn(signs)
	if len(undrawn) == 0 {
		return nil
	}
	var timedOut atomic.Bool
	defer time.AfterFunc(timeout, func() { timedOut.Store(true) }).Stop()
	var mu sync.Mutex
	results := make([]*result, len(undrawn))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range undrawn {
		if timedOut.Load() {
			break
		}
		g.Go(func() error {
			if timedOut.Load() {
				return nil
			}
			res, err := s.drawClass(gctx, a, r, &undrawn[i])
			mu.Lock()
			results[i] = res
			mu.Unlock()
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return r.addResults(a, undrawn, results, len(r.Art) > 0)
}

// addResults adds results to r. Unless r was partially drawn before, it returns an error as described for draw.
func (r *rendering) addResults(a *playlists.Alert, undrawn []classToDraw, results []*result, partial bool) error {
	var first, noCorrection, illegible error
	anyShown, anyCorrected := false, r.Correction == nil
	anyLegible := a.Mode == playlists.AlertDrill || a.Override != ""
	for i, res := range results {
		class := undrawn[i].name
		switch {
		case res == nil: // left to drawUndrawn, and may succeed
			anyShown, anyCorrected, anyLegible = true, true, true
			continue
		case res.unable != nil:
			r.Unable[class] = asFinding(res.unable)
			first = cmp.Or(first, error(res.unable))
			continue
		}
		anyShown, r.Art[class] = true, res.art
		if res.form > 0 {
			r.Form[class] = res.form
		}
		if res.corrected != nil {
			r.Corrected[class], anyCorrected = res.corrected, true
		} else if res.noCorrection != nil {
			noCorrection = cmp.Or(noCorrection, error(res.noCorrection))
		}
		if res.illegible == nil {
			anyLegible = true
		} else {
			illegible = cmp.Or(illegible, error(res.illegible))
		}
	}
	switch {
	case partial:
		return nil
	case !anyShown:
		return first
	case !anyCorrected:
		return noCorrection
	case !anyLegible:
		return illegible
	}
	return nil
}

// asFinding converts an error to a finding for the approver.
func asFinding(e *playlists.Error) playlists.Finding {
	vi, en := e.Vietnamese(), e.English()
	return playlists.Finding{Level: playlists.Refuse, Code: noFrames, Text: playlists.Text{VI: vi.Title, EN: en.Title},
		Remedy: playlists.Text{VI: vi.Remedy, EN: en.Remedy}}
}

// drawClass draws the first form that the class can show and that is legible on most of its signs, or else the last
// form that it can show. A single sign with an unusual viewing distance does not decide the form for the others.
func (s *Service) drawClass(ctx context.Context, a *playlists.Alert, r *rendering, c *classToDraw) (*result, error) {
	res := &result{}
	where := "alerts/" + a.ID
	for form, m := range append([]*playlists.Message{r.Message}, r.Shorter...) {
		art, cannot, err := s.drawForm(ctx, where, m, c.class)
		if err != nil {
			return nil, err
		}
		if cannot != nil {
			if res.unable == nil {
				res.unable = cannot
			}
			continue
		}
		mostSigns, illegible, err := s.checkLegible(ctx, where, m, c)
		if err != nil {
			return nil, err
		}
		res.art, res.form, res.illegible = art, form, illegible
		if mostSigns {
			break
		}
	}
	if res.art == nil {
		return res, nil
	}
	res.unable = nil
	if r.Correction == nil {
		return res, nil
	}
	var err error
	res.corrected, res.noCorrection, err = s.drawForm(ctx, where+".correction", r.Correction, c.class)
	if err != nil || res.corrected == nil || res.illegible != nil {
		return res, err
	}
	_, res.illegible, err = s.checkLegible(ctx, where+".correction", r.Correction, c)
	return res, err
}

// drawForm draws a message for a class. cannot is the reason why the class cannot show it.
func (s *Service) drawForm(ctx context.Context, where string, m *playlists.Message,
	c playlists.Class) (art *playlists.Artwork, cannot *playlists.Error, err error) {
	art, err = s.o.Artist.Artwork(ctx, m, c)
	if errors.As(err, &cannot) {
		return nil, cannot.In("on-class", c), nil
	}
	if err != nil {
		return nil, nil, err
	}
	if ms := timeline.Length(art.Steps); ms > playlists.MaxAlertLoop {
		return nil, &playlists.Error{Code: playlists.TooLarge, Field: where, Value: c.String(),
			Key:  "alert-text-too-long",
			Args: []any{ms / 1000, len(art.Steps), int64(playlists.MaxAlertLoop / 1000)}}, nil
	}
	return art, nil, nil
}

// checkLegible reports whether a message is legible on most signs of the class, and returns an error in illegible if it
// is legible on none. The preview names each sign on which it is illegible.
func (s *Service) checkLegible(ctx context.Context, where string, m *playlists.Message,
	c *classToDraw) (mostSigns bool, illegible *playlists.Error, err error) {
	legible := 0
	for i := range c.kinds {
		k := &c.kinds[i]
		f, err := s.o.Artist.Reads(ctx, m, &k.sign)
		if err != nil {
			return false, nil, onClass(err, c.class)
		}
		if f == nil {
			legible += k.count
		} else if illegible == nil {
			illegible = &playlists.Error{Code: playlists.Invalid, Field: where, Value: k.sign.ID, Key: "unreadable",
				Args: []any{f.Text, f.Remedy, playlists.Phrase{Key: "override-in-body"}}}
		}
	}
	if legible > 0 {
		illegible = nil
	}
	return 2*legible >= c.count, illegible, nil
}

// onClass adds the class to an error.
func onClass(err error, c playlists.Class) error {
	var e *playlists.Error
	if !errors.As(err, &e) {
		return err
	}
	return e.In("on-class", c)
}

// signKind represents signs of equal class, pixel pitch and viewing distance by one of them.
type signKind struct {
	sign  playlists.Sign
	count int
}

// signKinds returns the kinds of the signs, in their order. Ten thousand signs have only a handful.
func signKinds(signs []playlists.Sign) []signKind {
	type viewing struct {
		class         playlists.Class
		pitch, metres float64
	}
	at := map[viewing]int{}
	var out []signKind
	for i := range signs {
		s := &signs[i]
		k := viewing{s.Class, s.Pitch, s.Distance}
		n, seen := at[k]
		if !seen {
			n = len(out)
			at[k], out = n, append(out, signKind{sign: *s})
		}
		out[n].count++
	}
	return out
}

// mergeDrawn adds classes that only fresh has to the rendering of an entry, and counts signs that cannot show it.
func (s *Service) mergeDrawn(e *entry, fresh *rendering) (added bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := e.rendering.clone()
	for class, art := range fresh.Art {
		if r.decided(class) {
			continue
		}
		r.Art[class], added = art, true
		if c := fresh.Corrected[class]; c != nil {
			r.Corrected[class] = c
		}
		if n := fresh.Form[class]; n > 0 {
			r.Form[class] = n
		}
	}
	for class, why := range fresh.Unable {
		if !r.decided(class) {
			r.Unable[class], added = why, true
		}
	}
	if added {
		e.rendering = r
		e.delivery.noteUnable(r)
	}
	return added
}

// saveRendering writes the current rendering of an entry, so that the last write is the most complete.
func (s *Service) saveRendering(ctx context.Context, e *entry) error {
	s.renderingMu.Lock()
	defer s.renderingMu.Unlock()
	s.mu.Lock()
	r := e.rendering
	s.mu.Unlock()
	return s.put(ctx, nil, kindRendering, e.ID, r)
}

// wakeDrawing wakes runDrawing.
func (s *Service) wakeDrawing() {
	select {
	case s.drawWake <- struct{}{}:
	default:
	}
}

// runDrawing draws the classes that Create and Approve left undrawn, and new classes, until ctx is done.
func (s *Service) runDrawing(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.drawWake:
		}
		for {
			drew, err := s.drawUndrawn(ctx)
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				s.o.Log.Warn("failed to draw an alert for a class, will retry", "err", err)
				select {
				case <-ctx.Done():
					return
				case <-time.After(retryAfter):
				}
				continue
			}
			if !drew {
				break
			}
		}
	}
}

// drawUndrawn draws undecided classes of open alerts, each alert for at most drawTimeout. drew reports progress.
func (s *Service) drawUndrawn(ctx context.Context) (drew bool, err error) {
	s.mu.Lock()
	var open []*entry
	for _, e := range s.entries {
		if e.State != playlists.AlertEnded && e.rendering != nil {
			open = append(open, e)
		}
	}
	s.mu.Unlock()
	// Running alerts come first.
	slices.SortFunc(open, func(a, b *entry) int { return cmp.Compare(b.ApprovedMS, a.ApprovedMS) })
	for _, e := range open {
		s.mu.Lock()
		a, r := e.Alert, e.rendering.clone()
		s.mu.Unlock()
		targets := s.targets(&a)
		if len(r.undrawn(targets)) == 0 {
			continue
		}
		a.Override = cmp.Or(a.Override, "late") // the alert exists, so skip the check for legibility
		var refused *playlists.Error
		if e := s.draw(ctx, &a, r, targets, drawTimeout); e != nil && !errors.As(e, &refused) {
			err = errors.Join(err, e)
			continue
		}
		if e := s.applyLimits(&a, r, targets); e != nil && !errors.As(e, &refused) {
			err = errors.Join(err, e)
			continue
		}
		if s.mergeDrawn(e, r) {
			drew = true
			err = errors.Join(err, s.saveRendering(ctx, e))
			s.changed()
		}
	}
	return drew, err
}
