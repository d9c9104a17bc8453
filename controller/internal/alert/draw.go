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

// drawWithin is how long a person waits for drawing. What is not drawn by then, drawLate draws: the classes of most
// signs come first, and none is left out.
const drawWithin = 1200 * time.Millisecond

// noFrames is the reason of a sign whose class cannot show an alert in any of its forms.
const noFrames = "no-frames"

// look is how an alert was drawn, by class. A look that an entry has is not changed, but replaced: see addDrawn.
type look struct {
	Message    *playlists.Message            `json:"message"`
	Shorter    []*playlists.Message          `json:"shorter,omitempty"` // forms for signs that cannot show Message
	Correction *playlists.Message            `json:"correction,omitempty"`
	Art        map[string]*playlists.Artwork `json:"art"`
	Corrected  map[string]*playlists.Artwork `json:"corrected,omitempty"`
	Form       map[string]int                `json:"form,omitempty"` // of Shorter, from 1; 0 is Message
	// Unable are the classes that can show no form, and why. Their signs count as rejected and hold up nobody.
	Unable map[string]playlists.Finding `json:"unable,omitempty"`
}

func (l *look) clone() *look {
	c := *l
	c.Art, c.Corrected = maps.Clone(l.Art), maps.Clone(l.Corrected)
	c.Form, c.Unable = maps.Clone(l.Form), maps.Clone(l.Unable)
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

// drawn reports whether a class is decided: it has its frames, or it can show none.
func (l *look) drawn(class string) bool {
	_, unable := l.Unable[class]
	return unable || l.Art[class] != nil
}

// form is the message as a class shows it.
func (l *look) form(class string) *playlists.Message {
	if n := l.Form[class]; n > 0 {
		return l.Shorter[n-1]
	}
	return l.Message
}

// missing are the classes of the signs that are not drawn yet, those of most signs first, each with one sign of each
// kind.
func (l *look) missing(signs []playlists.Sign) []classKinds {
	count, of := map[playlists.Class]int{}, map[playlists.Class][]kind{}
	for i := range signs {
		count[signs[i].Class]++
	}
	for _, x := range kinds(signs) {
		of[x.sign.Class] = append(of[x.sign.Class], x)
	}
	var out []classKinds
	for c, n := range count {
		if class := c.String(); !l.drawn(class) {
			out = append(out, classKinds{c, class, n, of[c]})
		}
	}
	slices.SortFunc(out, func(a, b classKinds) int {
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.name, b.name))
	})
	return out
}

type classKinds struct {
	class playlists.Class
	name  string
	count int
	kinds []kind
}

// result is what drawing a class came to.
type result struct {
	art, corrected *playlists.Artwork
	form           int
	unable         *playlists.Error // of the message
	noCorrection   *playlists.Error
	far            *playlists.Error // it can be read from where people look at none of its signs
}

// draw draws l for the classes of the signs that are not drawn yet, in parallel, as far as within allows. Its error is
// one of the surroundings, or it says that no class at all can show the words, or that they can be read on no sign and
// nobody let that through.
func (s *Service) draw(ctx context.Context, a *playlists.Alert, l *look, signs []playlists.Sign,
	within time.Duration) error {
	todo := l.missing(signs)
	if len(todo) == 0 {
		return nil
	}
	var late atomic.Bool
	defer time.AfterFunc(within, func() { late.Store(true) }).Stop()
	var mu sync.Mutex
	results := make([]*result, len(todo))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range todo {
		if late.Load() {
			break
		}
		g.Go(func() error {
			if late.Load() {
				return nil
			}
			r, err := s.drawClass(gctx, a, l, &todo[i])
			mu.Lock()
			results[i] = r
			mu.Unlock()
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return l.take(a, todo, results, len(l.Art) > 0)
}

// take adds results to l. It refuses what no class can show, unless another class was drawn before.
func (l *look) take(a *playlists.Alert, todo []classKinds, results []*result, before bool) error {
	var first, noCorrection, far error
	shown, corrected, read := false, l.Correction == nil, a.Mode == playlists.AlertDrill || a.Override != ""
	for i, r := range results {
		class := todo[i].name
		switch {
		case r == nil: // drawLate's
			shown, corrected, read = true, true, true
			continue
		case r.unable != nil:
			l.Unable[class] = asFinding(r.unable)
			first = cmp.Or(first, error(r.unable))
			continue
		}
		shown, l.Art[class] = true, r.art
		if r.form > 0 {
			l.Form[class] = r.form
		}
		if r.corrected != nil {
			l.Corrected[class], corrected = r.corrected, true
		} else if r.noCorrection != nil {
			noCorrection = cmp.Or(noCorrection, error(r.noCorrection))
		}
		if r.far == nil {
			read = true
		} else {
			far = cmp.Or(far, error(r.far))
		}
	}
	switch {
	case before:
		return nil
	case !shown:
		return first
	case !corrected:
		return noCorrection
	case !read:
		return far
	}
	return nil
}

// asFinding turns the refusal of a class into what an approver reads.
func asFinding(e *playlists.Error) playlists.Finding {
	vi, en := e.Vietnamese(), e.English()
	return playlists.Finding{Level: playlists.Refuse, Code: noFrames, Text: playlists.Text{VI: vi.Title, EN: en.Title},
		Remedy: playlists.Text{VI: vi.Remedy, EN: en.Remedy}}
}

// drawClass draws the first form that the class can show and that can be read from where people look at most of its
// signs; where there is none, the last that it can show. One company's sign with an odd distance does not choose the
// words of the others.
func (s *Service) drawClass(ctx context.Context, a *playlists.Alert, l *look, c *classKinds) (*result, error) {
	r := &result{}
	where := "alerts/" + a.ID
	for form, m := range append([]*playlists.Message{l.Message}, l.Shorter...) {
		art, bad, err := s.drawForm(ctx, where, m, c.class)
		if err != nil {
			return nil, err
		}
		if bad != nil {
			if r.unable == nil {
				r.unable = bad
			}
			continue
		}
		most, far, err := s.far(ctx, where, m, c)
		if err != nil {
			return nil, err
		}
		r.art, r.form, r.far = art, form, far
		if most {
			break
		}
	}
	if r.art == nil {
		return r, nil
	}
	r.unable = nil
	if l.Correction == nil {
		return r, nil
	}
	var err error
	r.corrected, r.noCorrection, err = s.drawForm(ctx, where+".correction", l.Correction, c.class)
	if err != nil || r.corrected == nil || r.far != nil {
		return r, err
	}
	_, r.far, err = s.far(ctx, where+".correction", l.Correction, c)
	return r, err
}

// drawForm draws a message on a class. bad says why the class cannot show it.
func (s *Service) drawForm(ctx context.Context, where string, m *playlists.Message,
	c playlists.Class) (art *playlists.Artwork, bad *playlists.Error, err error) {
	art, err = s.o.Artist.Artwork(ctx, m, c)
	if errors.As(err, &bad) {
		return nil, bad.In("on-class", c), nil
	}
	if err != nil {
		return nil, nil, err
	}
	if ms := timeline.Length(art.Steps); ms > playlists.MaxAlertLoop {
		return nil, &playlists.Error{Code: playlists.TooLarge, Field: where, Value: c.String(), Key: "alert-text-too-long",
			Args: []any{ms / 1000, len(art.Steps), int64(playlists.MaxAlertLoop / 1000)}}, nil
	}
	return art, nil, nil
}

// far reports whether a message can be read from where people look at most signs of the class, and why it can be read
// on none. A sign on which it cannot be read is named in the preview; it does not hold up the others.
func (s *Service) far(ctx context.Context, where string, m *playlists.Message, c *classKinds) (most bool,
	none *playlists.Error, err error) {
	reads := 0
	for i := range c.kinds {
		k := &c.kinds[i]
		f, err := s.o.Artist.Reads(ctx, m, &k.sign)
		if err != nil {
			return false, nil, onClass(err, c.class)
		}
		if f == nil {
			reads += k.count
		} else if none == nil {
			none = &playlists.Error{Code: playlists.Invalid, Field: where, Value: k.sign.ID, Key: "unreadable",
				Args: []any{f.Text, f.Remedy, playlists.Phrase{Key: "override-in-body"}}}
		}
	}
	if reads > 0 {
		none = nil
	}
	return 2*reads >= c.count, none, nil
}

// onClass names the class in an error of drawing.
func onClass(err error, c playlists.Class) error {
	var e *playlists.Error
	if !errors.As(err, &e) {
		return err
	}
	return e.In("on-class", c)
}

// kind is a sign that stands for all on which an alert looks alike and is read from alike.
type kind struct {
	sign  playlists.Sign
	count int
}

// kinds are one sign of each kind, in the order of the signs: of ten thousand signs a handful.
func kinds(signs []playlists.Sign) []kind {
	type like struct {
		class         playlists.Class
		pitch, metres float64
	}
	at := map[like]int{}
	var out []kind
	for i := range signs {
		s := &signs[i]
		k := like{s.Class, s.Pitch, s.Distance}
		n, seen := at[k]
		if !seen {
			n = len(out)
			at[k], out = n, append(out, kind{sign: *s})
		}
		out[n].count++
	}
	return out
}

// addDrawn gives an entry the classes that fresh has and it has not, and counts the signs that can show nothing.
func (s *Service) addDrawn(e *entry, fresh *look) (added bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := e.look.clone()
	for class, art := range fresh.Art {
		if l.drawn(class) {
			continue
		}
		l.Art[class], added = art, true
		if c := fresh.Corrected[class]; c != nil {
			l.Corrected[class] = c
		}
		if n := fresh.Form[class]; n > 0 {
			l.Form[class] = n
		}
	}
	for class, why := range fresh.Unable {
		if !l.drawn(class) {
			l.Unable[class], added = why, true
		}
	}
	if added {
		e.look = l
		e.way.noteUnable(l)
	}
	return added
}

// keepLook writes an entry's look as it is then: the last write has the most.
func (s *Service) keepLook(ctx context.Context, e *entry) error {
	s.looks.Lock()
	defer s.looks.Unlock()
	s.mu.Lock()
	l := e.look
	s.mu.Unlock()
	return s.keep(ctx, nil, kindLook, e.ID, l)
}

// askLate wakes drawLate.
func (s *Service) askLate() {
	select {
	case s.late <- struct{}{}:
	default:
	}
}

// runLate draws what Create and Approve had no time for, and classes that came later, until ctx ends.
func (s *Service) runLate(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.late:
		}
		for {
			more, err := s.drawLate(ctx)
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				s.o.Log.Warn("a class of signs is not drawn yet and is tried again", "err", err)
				select {
				case <-ctx.Done():
					return
				case <-time.After(retryAfter):
				}
				continue
			}
			if !more {
				break
			}
		}
	}
}

// drawLate draws, for a while, what is missing of every alert that is not over. more says that it drew something.
func (s *Service) drawLate(ctx context.Context) (more bool, err error) {
	s.mu.Lock()
	var open []*entry
	for _, e := range s.entries {
		if e.State != playlists.AlertEnded && e.look != nil {
			open = append(open, e)
		}
	}
	s.mu.Unlock()
	slices.SortFunc(open, func(a, b *entry) int { return cmp.Compare(b.ApprovedMS, a.ApprovedMS) }) // those that run first
	for _, e := range open {
		s.mu.Lock()
		a, l := e.Alert, e.look.clone()
		s.mu.Unlock()
		targets := s.targets(&a)
		if len(l.missing(targets)) == 0 {
			continue
		}
		a.Override = cmp.Or(a.Override, "late") // whether it may run is decided already
		var refused *playlists.Error
		if e := s.draw(ctx, &a, l, targets, drawWithin); e != nil && !errors.As(e, &refused) {
			err = errors.Join(err, e)
			continue
		}
		if s.addDrawn(e, l) {
			more = true
			err = errors.Join(err, s.keepLook(ctx, e))
			s.changed()
		}
	}
	return more, err
}
