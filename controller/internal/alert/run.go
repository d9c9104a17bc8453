package alert

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"ledcast/playlists"
)

// Intervals of Step.
const (
	saveEvery        = time.Second // changed counts
	reloadSignsEvery = time.Minute // signs and owners
	retryAfter       = 5 * time.Second
	drillLife        = 30 * 60          // seconds
	drillWindow      = 10 * time.Minute // how late a drill may start if the controller was down
)

// Run calls Step whenever something is due, until ctx is done. It saves the counts
// before it returns.
func (s *Service) Run(ctx context.Context) {
	var late sync.WaitGroup
	late.Go(func() { s.runDrawing(ctx) })
	defer late.Wait()
	s.wakeDrawing()
	t := time.NewTimer(0)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			if err := s.save(last); err != nil {
				s.o.Log.Warn("failed to save the last counts of alerts", "err", err)
			}
			return
		case <-s.wake:
		case <-t.C:
		}
		wait, err := s.Step(ctx)
		if err != nil && ctx.Err() == nil {
			s.o.Log.Log(ctx, playlists.RetryLevel(err), "alert step failed, will retry", "err", err)
			wait = retryAfter
		}
		t.Reset(wait)
	}
}

// Step does what is due and returns the time until something else is.
func (s *Service) Step(ctx context.Context) (time.Duration, error) {
	now := s.o.Now()
	s.mu.Lock()
	stale := now.Sub(s.signsReadAt) >= reloadSignsEvery || s.signsReadVersion != s.signsVersion
	s.mu.Unlock()
	if stale {
		if err := s.loadSigns(ctx); err != nil {
			return 0, err
		}
	}
	s.lifeMu.Lock()
	if stale {
		s.retargetAll()
	}
	// An error in one part must not stop the others.
	err := errors.Join(s.reconcile(ctx, now), s.startDrill(ctx, now))
	s.lifeMu.Unlock()
	err = errors.Join(err, s.sendEvents(ctx, now))
	// Do not save on every wake, because publishing an approved alert must not wait.
	if now.Sub(s.savedAt) >= saveEvery || now.Before(s.savedAt) {
		if e := s.save(ctx); e != nil {
			err = errors.Join(err, e)
		} else {
			s.savedAt = now
		}
	}
	return s.untilNext(now), err
}

// reconcile derives the consequences of what is written: it ends expired alerts, ends
// replaced alerts when the new ones start, and starts corrections of cancelled alerts.
// The caller holds s.lifeMu.
func (s *Service) reconcile(ctx context.Context, now time.Time) error {
	if ctx = playlists.Urgent(ctx); playlists.DeferralOf(ctx) == nil {
		ctx, _ = playlists.Deferrable(ctx)
	}
	s.mu.Lock()
	all := make([]*entry, 0, len(s.entries))
	replacedBy := map[string]*entry{} // replaced alert → the alert that replaces it
	for _, e := range s.entries {
		all = append(all, e)
		if e.State == playlists.AlertRunning && e.Replaces != "" && int64(e.From) <= now.Unix() {
			replacedBy[e.Replaces] = e
		}
	}
	s.mu.Unlock()
	doubted := s.checkClock() != nil // read after now, in case the clock jumps in between
	changed := false
	var errs []error
	for _, e := range all {
		if e.State == playlists.AlertRunning && e.delivery != nil && len(e.delivery.Signs) == 0 {
			// The controller crashed after the approval and before it saved the delivery.
			s.retarget(e)
		}
		switch {
		case doubted: // everything below depends on the clock
		case e.State == playlists.AlertRunning && replacedBy[e.ID] != nil:
			by := replacedBy[e.ID]
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
			started, err := s.startCorrection(ctx, e)
			errs = append(errs, err)
			changed = changed || started
		}
	}
	if changed && s.o.Changed != nil {
		s.o.Changed()
	}
	return errors.Join(errs...)
}

// startCorrection starts the correction of a cancelled alert, unless it exists.
func (s *Service) startCorrection(ctx context.Context, e *entry) (bool, error) {
	id := playlists.CorrectionID(e.ID)
	s.mu.Lock()
	exists := s.entries[id] != nil
	s.mu.Unlock()
	if exists {
		return false, nil
	}
	if err := s.load(ctx, e); err != nil {
		return false, err
	}
	begin := playlists.Moment(e.EndedMS / 1000)
	a := playlists.Alert{ID: id, Corrects: e.ID, Text: e.Correction, Priority: playlists.MaxAlertPriority,
		Areas: e.Areas, Signs: e.Signs, Mode: e.Mode, State: playlists.AlertRunning,
		From: begin, Until: begin + playlists.CorrectionLife, FromGiven: true,
		CreatedBy: e.CreatedBy, CreatedMS: e.EndedMS, ApprovedBy: e.ApprovedBy, ApprovedMS: e.EndedMS}
	targets := s.targets(&a)
	r := (&rendering{Message: e.rendering.Correction, Art: e.rendering.Corrected}).clone()
	d := newDelivery(targets, r)
	if err := s.put(ctx, nil, kindRendering, id, r); err != nil {
		return false, err
	}
	if err := s.put(ctx, nil, kindDelivery, id, d); err != nil {
		return false, err
	}
	who := &playlists.Principal{ID: e.EndedBy, Owner: playlists.Public}
	if err := s.put(ctx, who, kindAlert, id, &a); err != nil {
		return false, err
	}
	s.mu.Lock()
	s.entries[id] = &entry{Alert: a, rendering: r, delivery: d}
	s.mu.Unlock()
	s.wakeDrawing() // for classes that are new since the alert was drawn
	return true, nil
}

func (s *Service) retargetAll() {
	var running []*entry
	s.mu.Lock()
	for _, e := range s.entries {
		if e.State == playlists.AlertRunning && e.delivery != nil {
			running = append(running, e)
		}
	}
	s.mu.Unlock()
	for _, e := range running {
		s.retarget(e)
	}
}

// retarget adds signs that an alert reaches only since it started.
func (s *Service) retarget(e *entry) {
	for _, x := range s.targets(&e.Alert) {
		s.mu.Lock()
		e.delivery.add(&x, e.rendering)
		s.mu.Unlock()
	}
}

// startDrill starts the weekly drill when it is due. A new installation skips a drill
// that was due before it started.
func (s *Service) startDrill(ctx context.Context, now time.Time) error {
	s.mu.Lock()
	plan := s.drill
	due := plan.Due(now)
	id := "drill-" + due.UTC().Format("2006-01-02")
	hadDrill := false
	for _, e := range s.entries {
		hadDrill = hadDrill || e.Mode == playlists.AlertDrill && e.CreatedBy == Controller.ID
	}
	exists := s.entries[id] != nil
	s.mu.Unlock()
	if s.checkClock() != nil {
		return nil
	}
	if due.IsZero() || exists || now.Sub(due) >= drillWindow || due.Before(s.openedAt) && !hadDrill {
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
	r := (&rendering{Message: plainMessage(id, a.Text)}).clone() // drawUndrawn draws it, so that a cancel does not wait
	d := newDelivery(targets, r)
	if err := s.put(ctx, nil, kindRendering, id, r); err != nil {
		return err
	}
	if err := s.put(ctx, nil, kindDelivery, id, d); err != nil {
		return err
	}
	if err := s.put(ctx, Controller, kindAlert, id, &a); err != nil {
		return err
	}
	s.mu.Lock()
	s.entries[id] = &entry{Alert: a, rendering: r, delivery: d}
	s.mu.Unlock()
	s.wakeDrawing()
	if s.o.Changed != nil {
		s.o.Changed()
	}
	return nil
}

// event is an event of an alert for webhooks.
type event struct {
	name   string
	view   playlists.AlertView
	missed int // number of signs
	at     time.Time
}

// sendEvents sends the events since the last step.
func (s *Service) sendEvents(ctx context.Context, now time.Time) error {
	s.events = append(s.events, s.newEvents(now)...)
	for len(s.events) > 0 { // after an error, the next step retries
		x := &s.events[0]
		if err := s.o.Hooks.Send(ctx, x.name, &x.view, x.missed, x.at); err != nil {
			return err
		}
		s.events = s.events[1:]
	}
	return nil
}

func (s *Service) newEvents(now time.Time) (out []event) {
	doubted := s.checkClock() != nil // then starts and missed signs are not certain
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.entries {
		if e.State == playlists.AlertPending && !e.announced {
			e.announced = true
			out = append(out, event{"pending", s.viewLocked(e), 0, now})
		}
		d := e.delivery
		if d == nil || d.EndedSent {
			continue
		}
		emit := func(name string) {
			d.dirty = true
			out = append(out, event{name, s.viewLocked(e), d.MissedSent, now})
		}
		if e.usedBreakGlass() && !d.BreakGlassSent { // at once, even if the alert starts later
			d.BreakGlassSent = true
			emit("break-glass")
		}
		if !doubted && !d.StartedSent && e.startMS() <= now.UnixMilli() &&
			(e.State != playlists.AlertEnded || e.EndedMS > e.startMS()) {
			d.StartedSent = true
			emit("started")
		}
		missed := 0
		for _, p := range d.Signs {
			if e.missed(p, now.UnixMilli()) {
				missed++
			}
		}
		if missed > d.MissedSent && !doubted {
			d.MissedSent = missed
			emit("missed")
		}
		if e.State == playlists.AlertEnded {
			d.EndedSent = true
			if e.Why == playlists.EndCancelled {
				emit("cancelled")
			}
			emit("ended")
		}
	}
	return out
}

// save writes the deliveries that changed.
func (s *Service) save(ctx context.Context) error {
	type row struct {
		e    *entry
		data delivery
	}
	var rows []row
	s.mu.Lock()
	for _, e := range s.entries {
		if e.delivery == nil || !e.delivery.dirty {
			continue
		}
		d := *e.delivery
		d.Signs = make(map[string]*progress, len(e.delivery.Signs))
		for id, p := range e.delivery.Signs {
			c := *p
			d.Signs[id] = &c
		}
		e.delivery.dirty = false
		rows = append(rows, row{e, d})
	}
	s.mu.Unlock()
	for i := range rows {
		if err := s.put(ctx, nil, kindDelivery, rows[i].e.ID, &rows[i].data); err != nil {
			s.mu.Lock()
			for _, r := range rows[i:] {
				r.e.delivery.dirty = true
			}
			s.mu.Unlock()
			return err
		}
	}
	return nil
}

// untilNext returns the time until something is due.
func (s *Service) untilNext(now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := now.Add(reloadSignsEvery)
	consider := func(t time.Time) {
		if t.After(now) && t.Before(next) {
			next = t
		}
	}
	consider(s.drill.Next(now))
	for _, e := range s.entries {
		if e.State == playlists.AlertEnded {
			if now.UnixMilli()-e.EndedMS < AckTimeoutMS { // signs still acknowledge the end
				consider(now.Add(saveEvery))
			}
			continue
		}
		consider(time.Unix(int64(e.From), 0))
		consider(time.Unix(int64(e.Until), 0))
		if e.State == playlists.AlertRunning {
			consider(now.Add(saveEvery))
		}
	}
	return next.Sub(now)
}
