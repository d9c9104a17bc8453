package alert

import (
	"context"
	"errors"
	"strings"
	"time"

	"ledcast/playlists"
)

// checkState returns an error unless the alert is in one of the states.
func checkState(e *entry, may ...playlists.AlertState) error {
	for _, x := range may {
		if e.State == x {
			return nil
		}
	}
	is := string(e.State)
	if e.Why != "" {
		is += " (" + e.Why + ")"
	}
	return &playlists.Error{Code: playlists.Conflict, Field: "alerts/" + e.ID + ".state", Value: is,
		Key: "state-not-allowed"}
}

// update applies edit to a copy of the alert, writes the copy, and then makes it current.
func (s *Service) update(ctx context.Context, who *playlists.Principal, e *entry, edit func(a *playlists.Alert)) error {
	s.mu.Lock()
	a := e.Alert
	s.mu.Unlock()
	edit(&a)
	if err := s.put(ctx, who, kindAlert, a.ID, &a); err != nil {
		return err
	}
	s.mu.Lock()
	e.Alert = a
	s.mu.Unlock()
	return nil
}

// Approve approves a pending alert and starts it. who must not be its author, and must give the digest of the preview
// and the number of signs in it. An error about a wrong number does not reveal the right one. The result names the
// signs that the alert gained and lost since the preview.
func (s *Service) Approve(ctx context.Context, who *playlists.Principal, id string,
	read *playlists.AlertApproval) (*playlists.AlertView, error) {
	ctx = playlists.Urgent(ctx)
	if err := s.drawPending(ctx, id); err != nil {
		return nil, err
	}
	s.lifeMu.Lock()
	defer s.lifeMu.Unlock()
	e, err := s.loadToStart(ctx, who, id, playlists.AlertPending)
	if err != nil {
		return nil, err
	}
	author := playlists.Author{ID: e.CreatedBy, Makers: e.Makers}
	if err := playlists.CheckSecond("alerts/"+id, author, who); err != nil {
		return nil, err
	}
	if err := playlists.CheckOverride("approve", read.Override, read.Reason); err != nil {
		return nil, err
	}
	targets := s.targets(&e.Alert)
	if len(targets) == 0 { // all signs were removed since the alert was created
		return nil, &playlists.Error{Code: playlists.Invalid, Field: "alerts/" + id, Key: "no-sign-reached"}
	}
	added, removed, err := s.findPreview(e, read, targets)
	if err != nil {
		return nil, err
	}
	if len(added)+len(removed) > 0 {
		s.o.Log.Info("the signs of an alert changed after its preview", "alert", id, "added", added, "removed", removed)
	}
	v, err := s.start(ctx, who, e, targets, func(a *playlists.Alert) {
		if a.Override == "" && read.Override != "" {
			a.Override, a.Reason = read.Override, strings.TrimSpace(read.Reason)
		}
	})
	if err != nil {
		return nil, err
	}
	v.Came, v.Gone = added, removed
	return v, nil
}

// loadToStart checks that who may start an alert now, and loads what start needs.
func (s *Service) loadToStart(ctx context.Context, who *playlists.Principal, id string,
	may ...playlists.AlertState) (*entry, error) {
	e, err := s.find(id)
	if err != nil {
		return nil, err
	}
	if err := s.checkAreas(&e.Alert, who); err != nil {
		return nil, err
	}
	if err := checkState(e, may...); err != nil {
		return nil, err
	}
	// Check the clock before findPreview, which would report previews as too old. start checks it again.
	if err := s.checkClock(); err != nil {
		return nil, err
	}
	if err := s.load(ctx, e); err != nil {
		return nil, err
	}
	return e, s.loadSigns(ctx)
}

// drawPending draws a pending alert for classes that are new since it was created. The caller must not hold s.lifeMu,
// because a cancel must not wait for drawing. drawUndrawn draws what takes too long here.
func (s *Service) drawPending(ctx context.Context, id string) error {
	e, err := s.find(id)
	if err != nil {
		return err
	}
	if err := s.load(ctx, e); err != nil {
		return err
	}
	if err := s.loadSigns(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	a, r := e.Alert, e.rendering.clone()
	s.mu.Unlock()
	if a.State != playlists.AlertPending {
		return nil
	}
	if err := s.draw(ctx, &a, r, s.targets(&a), drawTimeout); err != nil {
		return err
	}
	if s.mergeDrawn(e, r) {
		return s.saveRendering(ctx, e)
	}
	return nil
}

// replaceLead is how many seconds before its approval a replacing alert starts, so that
// a sign whose clock is slow does not show the program in between.
const replaceLead = 2

// replaceGrace is how long after its expiry an alert can still be replaced.
const replaceGrace = 10 * time.Minute

// start approves e on behalf of who. e runs from now or from its From time. If edit is
// not nil, start applies it to the alert.
func (s *Service) start(ctx context.Context, who *playlists.Principal, e *entry, targets []playlists.Sign,
	edit func(*playlists.Alert)) (*playlists.AlertView, error) {
	now := s.o.Now()
	if err := s.checkClock(); err != nil {
		return nil, err
	}
	a := e.Alert
	if edit != nil {
		edit(&a)
	}
	if !a.FromGiven {
		a.From = playlists.Moment(now.Unix())
		if a.Replaces != "" {
			// Signs reject an alert that is longer than MaxAlertLife.
			a.From = max(a.From-replaceLead, a.Until-playlists.MaxAlertLife)
		}
	}
	if int64(a.Until) <= now.Unix() {
		return nil, &playlists.Error{Code: playlists.Invalid, Field: "alerts/" + a.ID + ".until", Key: "alert-over"}
	}
	if err := s.checkReplacedRuns(&a, now); err != nil {
		return nil, err
	}
	s.mu.Lock()
	old := e.rendering
	s.mu.Unlock()
	r := old.clone()
	if err := s.applyLimits(&a, r, targets); err != nil {
		return nil, err
	}
	if len(r.Art) != len(old.Art) || len(r.Unable) != len(old.Unable) {
		if err := s.put(ctx, nil, kindRendering, a.ID, r); err != nil {
			return nil, err
		}
	}
	d := newDelivery(targets, r) // the next Step saves it, to start the alert with a single write
	if err := s.update(ctx, who, e, func(x *playlists.Alert) {
		*x = a
		x.State, x.ApprovedBy, x.ApprovedMS = playlists.AlertRunning, who.ID, now.UnixMilli()
	}); err != nil {
		return nil, err
	}
	s.mu.Lock()
	e.rendering, e.delivery = r, d
	s.mu.Unlock()
	s.o.Log.Info("alert approved", "alert", a.ID, "mode", a.Mode, "signs", len(targets), "by", who.ID)
	if err := s.reconcile(ctx, now); err != nil {
		s.o.Log.Error("failed to write the consequences of an approval, will retry", "alert", a.ID, "err", err)
	}
	s.changed()
	s.wakeDrawing()
	return s.view(e), nil
}

// checkReplacedRuns returns an error if the alert that a replaces has ended. The
// approver must know that a starts anew, perhaps after a cancel. It allows an alert
// that expired less than replaceGrace ago, because then the approval is only late.
func (s *Service) checkReplacedRuns(a *playlists.Alert, now time.Time) error {
	if a.Replaces == "" {
		return nil
	}
	is := "gone"
	if old, err := s.find(a.Replaces); err == nil {
		if old.State == playlists.AlertRunning || old.Why == playlists.EndExpired &&
			now.UnixMilli()-old.EndedMS < replaceGrace.Milliseconds() {
			return nil
		}
		if is = string(old.State); old.Why != "" {
			is = old.Why
		}
	}
	return &playlists.Error{Code: playlists.Conflict, Field: "alerts/" + a.ID + ".replaces", Value: a.Replaces,
		Key: "replaced-alert-ended", Args: []any{playlists.Word(is)}}
}

// Cancel ends an alert at once, without approval by a second person. If correction is
// true, signs show the approved correction of the alert for ten minutes.
func (s *Service) Cancel(ctx context.Context, who *playlists.Principal, id string,
	correction bool) (*playlists.AlertView, error) {
	ctx, deferral := playlists.Deferrable(playlists.Urgent(ctx))
	s.lifeMu.Lock()
	defer s.lifeMu.Unlock()
	e, err := s.find(id)
	if err != nil {
		return nil, err
	}
	if err := s.checkAreas(&e.Alert, who); err != nil {
		return nil, err
	}
	if err := checkState(e, playlists.AlertDraft, playlists.AlertPending, playlists.AlertRunning); err != nil {
		return nil, err
	}
	if correction && (e.Correction == "" || e.State != playlists.AlertRunning) {
		return nil, &playlists.Error{Code: playlists.Invalid, Field: "correction", Key: "correction-not-approved"}
	}
	now := s.o.Now()
	doubted := s.checkClock() != nil
	if doubted && correction {
		s.o.Log.Warn("the clock is in doubt, cancelling without the correction", "alert", id)
	}
	at := cancelTimeMS(&e.Alert, now, doubted)
	if err := s.end(ctx, who, e, playlists.EndCancelled, at, func(a *playlists.Alert) {
		// An alert that never started needs no correction.
		a.Corrected = correction && !doubted && int64(a.From) <= now.Unix()
	}); err != nil {
		return nil, err
	}
	if err := s.reconcile(ctx, now); err != nil {
		s.o.Log.Error("failed to write a correction, will retry", "alert", id, "err", err)
	}
	s.changed()
	v := s.view(e)
	if v.Unsaved = deferral.Used(); v.Unsaved {
		s.o.Log.Warn("the database cannot be reached; a cancel is kept in the data folder", "alert", id, "by", who.ID)
	}
	return v, nil
}

// Resume undoes a cancel within 15 minutes. It needs one approver and starts the approved rendering under a new id,
// because signs do not show an ended id again. It ends the correction of the alert.
func (s *Service) Resume(ctx context.Context, who *playlists.Principal, id string) (*playlists.AlertView, error) {
	ctx = playlists.Urgent(ctx)
	s.lifeMu.Lock()
	defer s.lifeMu.Unlock()
	old, err := s.loadToStart(ctx, who, id, playlists.AlertEnded)
	if err != nil {
		return nil, err
	}
	now := s.o.Now()
	where := "alerts/" + id
	switch {
	case who.Program:
		return nil, &playlists.Error{Code: playlists.Denied, Field: where, Key: "approval-by-program"}
	case who.Fresh:
		return nil, &playlists.Error{Code: playlists.Denied, Field: where, Key: "approver-too-new"}
	case old.Why != playlists.EndCancelled || old.ApprovedMS == 0:
		return nil, &playlists.Error{Code: playlists.Conflict, Field: where + ".state", Value: old.Why,
			Key: "resume-not-cancelled"}
	case now.Unix()-old.EndedMS/1000 > playlists.ResumeWithin:
		return nil, &playlists.Error{Code: playlists.Conflict, Field: where, Key: "resume-too-late",
			Args: []any{playlists.ResumeWithin / 60}}
	case int64(old.Until) <= now.Unix():
		return nil, &playlists.Error{Code: playlists.Invalid, Field: where + ".until", Key: "alert-over"}
	}
	s.mu.Lock()
	a, r := old.Alert, old.rendering.clone()
	s.mu.Unlock()
	a.ID, a.Resumes = playlists.ResumedID(id), id
	if err := playlists.CheckSlug("alerts/id", a.ID); err != nil {
		return nil, err
	}
	if err := s.checkName(&a, "alerts/"+a.ID); err != nil {
		return nil, err
	}
	a.State, a.Why, a.EndedBy, a.EndedMS, a.Corrected, a.Correction, a.Replaces, a.ReplacedBy =
		playlists.AlertRunning, "", "", 0, false, "", "", ""
	a.From, a.FromGiven = playlists.Moment(now.Unix()), true
	a.ApprovedBy, a.ApprovedMS = who.ID, now.UnixMilli()
	if err := s.applyLimits(&a, r, s.targets(&a)); err != nil {
		return nil, err
	}
	d := newDelivery(s.targets(&a), r)
	if err := errors.Join(s.put(ctx, nil, kindRendering, a.ID, r), s.put(ctx, nil, kindDelivery, a.ID, d)); err != nil {
		return nil, err
	}
	if err := s.put(ctx, who, kindAlert, a.ID, &a); err != nil {
		return nil, err
	}
	e := &entry{Alert: a, rendering: r, delivery: d}
	s.mu.Lock()
	s.entries[a.ID] = e
	correction := s.entries[playlists.CorrectionID(id)]
	s.mu.Unlock()
	if correction != nil && correction.State == playlists.AlertRunning {
		if err := s.end(ctx, who, correction, playlists.EndCancelled, now.UnixMilli(), nil); err != nil {
			s.o.Log.Error("failed to end the correction of a resumed alert", "alert", id, "err", err)
		}
	}
	s.o.Log.Warn("a cancelled alert was resumed", "alert", id, "as", a.ID, "who", who.ID)
	s.changed()
	return s.view(e), nil
}

// Refuse ends a pending alert.
func (s *Service) Refuse(ctx context.Context, who *playlists.Principal, id string) (*playlists.AlertView, error) {
	ctx = playlists.Urgent(ctx)
	s.lifeMu.Lock()
	defer s.lifeMu.Unlock()
	e, err := s.find(id)
	if err != nil {
		return nil, err
	}
	if err := s.checkAreas(&e.Alert, who); err != nil {
		return nil, err
	}
	if err := checkState(e, playlists.AlertPending); err != nil {
		return nil, err
	}
	if err := s.end(ctx, who, e, playlists.EndRefused, s.o.Now().UnixMilli(), nil); err != nil {
		return nil, err
	}
	s.changed()
	return s.view(e), nil
}

// cancelTimeMS returns the end of an alert that is cancelled now. If the clock is in doubt, it is within the alert's
// lifetime.
func cancelTimeMS(a *playlists.Alert, now time.Time, doubted bool) int64 {
	if !doubted {
		return now.UnixMilli()
	}
	began := max(a.CreatedMS, a.ApprovedMS)
	if a.ApprovedMS > 0 && a.Until > a.From {
		began = max(began, min(int64(a.From), int64(a.Until)-1)*1000)
	}
	return max(began, min(now.UnixMilli(), int64(a.Until)*1000-1))
}

func (s *Service) end(ctx context.Context, who *playlists.Principal, e *entry, why string, atMS int64,
	more func(*playlists.Alert)) error {
	err := s.update(ctx, who, e, func(a *playlists.Alert) {
		a.State, a.Why, a.EndedBy, a.EndedMS = playlists.AlertEnded, why, who.ID, atMS
		if more != nil {
			more(a)
		}
	})
	if err == nil {
		s.o.Log.Info("alert ended", "alert", e.ID, "why", why, "by", who.ID)
	}
	return err
}
