package alert

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"ledcast/playlists"
)

// Rhythm of what nobody asks for.
const (
	saveEvery   = time.Second // of counts that changed
	learnEvery  = time.Minute // of signs and owners; new ones are counted, too
	retryAfter  = 5 * time.Second
	drillLife   = 30 * 60          // seconds that a drill runs
	drillWindow = 10 * time.Minute // after its time, for a controller that was down then
)

// Run lets alerts end, counts be kept and drills begin when they are due, until
// ctx ends; what was counted is kept before it returns.
func (s *Service) Run(ctx context.Context) {
	var late sync.WaitGroup
	late.Go(func() { s.runLate(ctx) })
	defer late.Wait()
	s.askLate()
	t := time.NewTimer(0)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			if err := s.save(last); err != nil {
				s.o.Log.Warn("the last counts of alerts could not be kept", "err", err)
			}
			return
		case <-s.wake:
		case <-t.C:
		}
		wait, err := s.Step(ctx)
		if err != nil && ctx.Err() == nil {
			s.o.Log.Warn("alerts are behind and are tried again", "err", err)
			wait = retryAfter
		}
		t.Reset(wait)
	}
}

// Step does all that is due and returns how long nothing else is.
func (s *Service) Step(ctx context.Context) (time.Duration, error) {
	now := s.o.Now()
	s.mu.Lock()
	stale := now.Sub(s.learnt) >= learnEvery || s.known != s.changes
	s.mu.Unlock()
	if stale {
		if err := s.learn(ctx); err != nil {
			return 0, err
		}
	}
	s.life.Lock()
	if stale {
		s.retargetAll()
	}
	// Each part is tried whatever became of the others: a drill that cannot be drawn holds up no webhook and no count.
	err := errors.Join(s.heal(ctx, now), s.runDrill(ctx, now))
	s.life.Unlock()
	err = errors.Join(err, s.sendEvents(ctx, now))
	// Not at every wake: an approval's publishing waits for no counts.
	if now.Sub(s.saved) >= saveEvery || now.Before(s.saved) {
		if e := s.save(ctx); e != nil {
			err = errors.Join(err, e)
		} else {
			s.saved = now
		}
	}
	return s.wait(now), err
}

// heal makes true what follows from what is written: alerts that are over end,
// a replaced one ends when the new one begins, and the correction of a
// cancelled one runs. s.life is held.
func (s *Service) heal(ctx context.Context, now time.Time) error {
	ctx = playlists.Urgent(ctx)
	s.mu.Lock()
	all := make([]*entry, 0, len(s.entries))
	begun := map[string]*entry{} // replaced → by
	for _, e := range s.entries {
		all = append(all, e)
		if e.State == playlists.AlertRunning && e.Replaces != "" && int64(e.From) <= now.Unix() {
			begun[e.Replaces] = e
		}
	}
	s.mu.Unlock()
	doubted := s.doubt() != nil // asked behind now: a clock that jumps in between ends nothing
	changed := false
	var errs []error
	for _, e := range all {
		if e.State == playlists.AlertRunning && e.way != nil && len(e.way.Signs) == 0 {
			// It was approved, and the controller died before counts were kept.
			s.retarget(e)
		}
		switch {
		case doubted: // what follows by the clock waits: an end that is written stays
		case e.State == playlists.AlertRunning && begun[e.ID] != nil:
			by := begun[e.ID]
			who := &playlists.Principal{ID: by.ApprovedBy, Owner: playlists.Public}
			at := max(by.ApprovedMS, int64(by.From)*1000)
			if err := s.end(ctx, who, e, playlists.EndReplaced, at,
				func(a *playlists.Alert) { a.ReplacedBy = by.ID }); err != nil {
				errs = append(errs, err)
				continue
			}
			changed = true
		case e.State != playlists.AlertEnded && int64(e.Until) <= now.Unix():
			if err := s.end(ctx, Controller, e, playlists.EndExpired, int64(e.Until)*1000, nil); err != nil {
				errs = append(errs, err)
				continue
			}
			changed = true
		case e.Corrected && e.EndedMS/1000+playlists.CorrectionLife > now.Unix():
			did, err := s.correct(ctx, e)
			errs = append(errs, err)
			changed = changed || did
		}
	}
	if changed && s.o.Changed != nil {
		s.o.Changed()
	}
	return errors.Join(errs...)
}

// correct lets the correction of a cancelled alert run, unless it does or did.
func (s *Service) correct(ctx context.Context, e *entry) (bool, error) {
	id := playlists.CorrectionID(e.ID)
	s.mu.Lock()
	there := s.entries[id] != nil
	s.mu.Unlock()
	if there {
		return false, nil
	}
	if err := s.read(ctx, e); err != nil {
		return false, err
	}
	begin := playlists.Moment(e.EndedMS / 1000)
	a := playlists.Alert{ID: id, Corrects: e.ID, Text: e.Correction, Priority: playlists.MaxAlertPriority, Areas: e.Areas,
		Signs: e.Signs, Mode: e.Mode, State: playlists.AlertRunning,
		From: begin, Until: begin + playlists.CorrectionLife, FromGiven: true, CreatedBy: e.CreatedBy, CreatedMS: e.EndedMS,
		ApprovedBy: e.ApprovedBy, ApprovedMS: e.EndedMS}
	// It takes the face, whatever else runs there: it came later than all of the
	// same priority.
	targets := s.targets(&a)
	l := (&look{Message: e.look.Correction, Art: e.look.Corrected}).clone()
	way := newDelivery(targets, l)
	if err := s.keep(ctx, nil, kindLook, id, l); err != nil {
		return false, err
	}
	if err := s.keep(ctx, nil, kindDelivery, id, way); err != nil {
		return false, err
	}
	who := &playlists.Principal{ID: e.EndedBy, Owner: playlists.Public}
	if err := s.keep(ctx, who, kindAlert, id, &a); err != nil {
		return false, err
	}
	s.mu.Lock()
	s.entries[id] = &entry{Alert: a, look: l, way: way}
	s.mu.Unlock()
	s.askLate() // for classes that came since its alert was made
	return true, nil
}

func (s *Service) retargetAll() {
	var running []*entry
	s.mu.Lock()
	for _, e := range s.entries {
		if e.State == playlists.AlertRunning && e.way != nil {
			running = append(running, e)
		}
	}
	s.mu.Unlock()
	for _, e := range running {
		s.retarget(e)
	}
}

// retarget counts signs that came into an alert's reach after it began.
func (s *Service) retarget(e *entry) {
	for _, x := range s.targets(&e.Alert) {
		s.mu.Lock()
		e.way.add(&x, e.look)
		s.mu.Unlock()
	}
}

// runDrill begins the weekly drill when it is due. A new installation does not
// begin with one that was due before it was there.
func (s *Service) runDrill(ctx context.Context, now time.Time) error {
	s.mu.Lock()
	plan := s.drill
	due := plan.Due(now)
	id := "drill-" + due.UTC().Format("2006-01-02")
	before := false
	for _, e := range s.entries {
		before = before || e.Mode == playlists.AlertDrill && e.CreatedBy == Controller.ID
	}
	there := s.entries[id] != nil
	s.mu.Unlock()
	if s.doubt() != nil {
		return nil
	}
	if due.IsZero() || there || now.Sub(due) >= drillWindow || due.Before(s.began) && !before {
		return nil
	}
	areas, err := s.o.Catalogue.Areas(ctx)
	if err != nil {
		return err
	}
	a := playlists.Alert{ID: id, Text: "Diễn tập", Areas: []string{}, Signs: []string{}, Mode: playlists.AlertDrill,
		State: playlists.AlertRunning, FromGiven: true,
		From: playlists.Moment(now.Unix()), Until: playlists.Moment(now.Unix() + drillLife),
		CreatedBy: Controller.ID, CreatedMS: now.UnixMilli(), ApprovedBy: Controller.ID, ApprovedMS: now.UnixMilli()}
	for i := range areas {
		if !strings.Contains(areas[i].Code, "/") && len(a.Areas) < playlists.MaxAlertAreas {
			a.Areas = append(a.Areas, areas[i].Code)
		}
	}
	targets := s.targets(&a)
	if len(targets) == 0 {
		return nil
	}
	l := (&look{Message: plain(id, a.Text)}).clone() // drawLate draws it: no cancel waits for a drill
	way := newDelivery(targets, l)
	if err := s.keep(ctx, nil, kindLook, id, l); err != nil {
		return err
	}
	if err := s.keep(ctx, nil, kindDelivery, id, way); err != nil {
		return err
	}
	if err := s.keep(ctx, Controller, kindAlert, id, &a); err != nil {
		return err
	}
	s.mu.Lock()
	s.entries[id] = &entry{Alert: a, look: l, way: way}
	s.mu.Unlock()
	s.askLate()
	if s.o.Changed != nil {
		s.o.Changed()
	}
	return nil
}

// event is what happened to an alert.
type event struct {
	name   string
	view   playlists.AlertView
	missed int // signs
	at     time.Time
}

// sendEvents sends what happened since the last step.
func (s *Service) sendEvents(ctx context.Context, now time.Time) error {
	s.events = append(s.events, s.newEvents(now)...)
	for len(s.events) > 0 { // what cannot be kept now stays for the next step
		x := &s.events[0]
		if err := s.o.Hooks.Send(ctx, x.name, &x.view, x.missed, x.at); err != nil {
			return err
		}
		s.events = s.events[1:]
	}
	return nil
}

func (s *Service) newEvents(now time.Time) (out []event) {
	doubted := s.doubt() != nil // nobody is told that an alert began, or was missed, by such a clock
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.entries {
		d := e.way
		if d == nil || d.Over {
			continue
		}
		say := func(name string) {
			d.dirty = true
			out = append(out, event{name, s.view(e), d.Missed, now})
		}
		if e.BreakGlass && !d.Glass { // at once, also of one that begins later
			d.Glass = true
			say("break-glass")
		}
		if !doubted && !d.Started && e.start() <= now.UnixMilli() &&
			(e.State != playlists.AlertEnded || e.EndedMS > e.start()) {
			d.Started = true
			say("started")
		}
		missed := 0
		for _, w := range d.Signs {
			if e.missed(w, now.UnixMilli()) {
				missed++
			}
		}
		if missed > d.Missed && !doubted {
			d.Missed = missed
			say("missed")
		}
		if e.State == playlists.AlertEnded {
			d.Over = true
			say("ended")
		}
	}
	return out
}

// save keeps the counts that changed.
func (s *Service) save(ctx context.Context) error {
	type row struct {
		e    *entry
		data delivery
	}
	var rows []row
	s.mu.Lock()
	for _, e := range s.entries {
		if e.way == nil || !e.way.dirty {
			continue
		}
		d := *e.way
		d.Signs = make(map[string]*way, len(e.way.Signs))
		for id, w := range e.way.Signs {
			c := *w
			d.Signs[id] = &c
		}
		e.way.dirty = false
		rows = append(rows, row{e, d})
	}
	s.mu.Unlock()
	for i := range rows {
		if err := s.keep(ctx, nil, kindDelivery, rows[i].e.ID, &rows[i].data); err != nil {
			s.mu.Lock()
			for _, r := range rows[i:] {
				r.e.way.dirty = true
			}
			s.mu.Unlock()
			return err
		}
	}
	return nil
}

// wait is how long nothing is due after now.
func (s *Service) wait(now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := now.Add(learnEvery)
	soon := func(t time.Time) {
		if t.After(now) && t.Before(next) {
			next = t
		}
	}
	soon(s.drill.Next(now))
	for _, e := range s.entries {
		if e.State == playlists.AlertEnded {
			if now.UnixMilli()-e.EndedMS < Patience { // signs say that they have ended it
				soon(now.Add(saveEvery))
			}
			continue
		}
		soon(time.Unix(int64(e.From), 0))
		soon(time.Unix(int64(e.Until), 0))
		if e.State == playlists.AlertRunning {
			soon(now.Add(saveEvery))
		}
	}
	return next.Sub(now)
}
