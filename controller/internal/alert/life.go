package alert

import (
	"context"
	"errors"
	"strings"
	"time"

	"ledcast/playlists"
)

// state refuses a step that an alert's state does not allow.
func state(e *entry, may ...playlists.AlertState) error {
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

// write makes one step of a life: audited, then in force. edit changes a copy.
func (s *Service) write(ctx context.Context, who *playlists.Principal, e *entry, edit func(a *playlists.Alert)) error {
	s.mu.Lock()
	a := e.Alert
	s.mu.Unlock()
	edit(&a)
	if err := s.keep(ctx, who, kindAlert, a.ID, &a); err != nil {
		return err
	}
	s.mu.Lock()
	e.Alert = a
	s.mu.Unlock()
	return nil
}

// Approve lets an alert run. who is another person than wrote it, and gives the digest of the preview that they read
// and the number of signs in it; a wrong one is refused without telling the right one. The answer names the signs
// that came and left since.
func (s *Service) Approve(ctx context.Context, who *playlists.Principal, id string,
	read *playlists.AlertApproval) (*playlists.AlertView, error) {
	ctx = playlists.Urgent(ctx)
	if err := s.prepare(ctx, id); err != nil {
		return nil, err
	}
	s.life.Lock()
	defer s.life.Unlock()
	e, err := s.ready(ctx, who, id, playlists.AlertPending)
	if err != nil {
		return nil, err
	}
	author := playlists.Author{ID: e.CreatedBy, Makers: e.Makers}
	if err := playlists.CheckSecond("alerts/"+id, author, who); err != nil {
		return nil, err
	}
	if read.Signs == nil {
		return nil, &playlists.Error{Code: playlists.Invalid, Field: "signs", Key: "signs-count-missing"}
	}
	if err := playlists.CheckOverride("approve", read.Override, read.Reason); err != nil {
		return nil, err
	}
	if read.Digest == "" {
		return nil, &playlists.Error{Code: playlists.Invalid, Field: "digest", Key: "preview-digest-missing"}
	}
	targets := s.targets(&e.Alert)
	if len(targets) == 0 { // they are gone since it was made
		return nil, &playlists.Error{Code: playlists.Invalid, Field: "alerts/" + id, Key: "no-sign-reached"}
	}
	came, gone, err := s.seen(e, read, targets)
	if err != nil {
		return nil, err
	}
	if len(came)+len(gone) > 0 {
		s.o.Log.Info("signs came or left while an alert was approved", "alert", id, "came", came, "left", gone)
	}
	v, err := s.begin(ctx, who, e, targets, func(a *playlists.Alert) {
		if a.Override == "" && read.Override != "" {
			a.Override, a.Reason = read.Override, strings.TrimSpace(read.Reason)
		}
	})
	if err != nil {
		return nil, err
	}
	v.Came, v.Gone = came, gone
	return v, nil
}

// ready reads all that a step needs with which an alert begins. By a clock in doubt none does.
func (s *Service) ready(ctx context.Context, who *playlists.Principal, id string,
	may ...playlists.AlertState) (*entry, error) {
	e, err := s.find(id)
	if err != nil {
		return nil, err
	}
	if err := s.within(&e.Alert, who); err != nil {
		return nil, err
	}
	if err := state(e, may...); err != nil {
		return nil, err
	}
	if err := s.doubt(); err != nil { // begin asks again; what the clock makes of previews must not be told first
		return nil, err
	}
	if err := s.read(ctx, e); err != nil {
		return nil, err
	}
	return e, s.learn(ctx)
}

// prepare draws an alert that waits for the classes that came since it was made. It is called before s.life is taken:
// nobody's cancel waits for a drawing. What it has no time for, drawLate draws.
func (s *Service) prepare(ctx context.Context, id string) error {
	e, err := s.find(id)
	if err != nil {
		return err
	}
	if err := s.read(ctx, e); err != nil {
		return err
	}
	if err := s.learn(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	a, l := e.Alert, e.look.clone()
	s.mu.Unlock()
	if a.State != playlists.AlertPending {
		return nil
	}
	if err := s.draw(ctx, &a, l, s.targets(&a), drawWithin); err != nil {
		return err
	}
	if s.addDrawn(e, l) {
		return s.keepLook(ctx, e)
	}
	return nil
}

// replaceEarly is how many seconds before its approval an alert that replaces
// another counts as begun: a sign whose clock is behind must not show the
// program in between.
const replaceEarly = 2

// lateReplacing is how long after its end by itself an alert may still be
// replaced.
const lateReplacing = 10 * time.Minute

// begin lets e run from now, or from when it says, on its targets. edit, where
// given, says what else its approval changes.
func (s *Service) begin(ctx context.Context, who *playlists.Principal, e *entry, targets []playlists.Sign,
	edit func(*playlists.Alert)) (*playlists.AlertView, error) {
	now := s.o.Now()
	if err := s.doubt(); err != nil { // it would begin at a wrong time
		return nil, err
	}
	a := e.Alert
	if edit != nil {
		edit(&a)
	}
	if !a.FromGiven {
		a.From = playlists.Moment(now.Unix())
		if a.Replaces != "" {
			// Never so early that its life is longer than signs take.
			a.From = max(a.From-replaceEarly, a.Until-playlists.MaxAlertLife)
		}
	}
	if int64(a.Until) <= now.Unix() {
		return nil, &playlists.Error{Code: playlists.Invalid, Field: "alerts/" + a.ID + ".until", Key: "alert-over"}
	}
	if err := s.stillThere(&a, now); err != nil {
		return nil, err
	}
	s.mu.Lock()
	old := e.look
	s.mu.Unlock()
	l := old.clone()
	if err := s.fits(&a, l, targets); err != nil {
		return nil, err
	}
	if len(l.Art) != len(old.Art) || len(l.Unable) != len(old.Unable) {
		if err := s.keep(ctx, nil, kindLook, a.ID, l); err != nil {
			return nil, err
		}
	}
	way := newDelivery(targets, l) // kept by the next Step: signs wait for the one write that makes it run
	if err := s.write(ctx, who, e, func(x *playlists.Alert) {
		*x = a
		x.State, x.ApprovedBy, x.ApprovedMS = playlists.AlertRunning, who.ID, now.UnixMilli()
	}); err != nil {
		return nil, err
	}
	s.mu.Lock()
	e.look, e.way = l, way
	s.mu.Unlock()
	s.o.Log.Info("alert approved", "alert", a.ID, "mode", a.Mode, "signs", len(targets), "by", who.ID)
	if err := s.heal(ctx, now); err != nil {
		s.o.Log.Error("what follows from an approval is not written yet and is tried again", "alert", a.ID, "err", err)
	}
	s.changed()
	s.askLate()
	return s.shown(e), nil
}

// stillThere refuses an alert that was meant to take another's place where that
// one is gone: who approves it must know that it begins anew, and perhaps what
// somebody cancelled. One that ended by itself a moment ago is no reason: the
// approval came a little late.
func (s *Service) stillThere(a *playlists.Alert, now time.Time) error {
	if a.Replaces == "" {
		return nil
	}
	is := "gone"
	if old, err := s.find(a.Replaces); err == nil {
		if old.State == playlists.AlertRunning || old.Why == playlists.EndExpired &&
			now.UnixMilli()-old.EndedMS < lateReplacing.Milliseconds() {
			return nil
		}
		if is = string(old.State); old.Why != "" {
			is = old.Why
		}
	}
	return &playlists.Error{Code: playlists.Conflict, Field: "alerts/" + a.ID + ".replaces", Value: a.Replaces,
		Key: "replaced-alert-ended", Args: []any{playlists.Word(is)}}
}

// Cancel ends an alert at once: one person, one step. With correction, the one
// that was approved with it takes the face for ten minutes.
func (s *Service) Cancel(ctx context.Context, who *playlists.Principal, id string,
	correction bool) (*playlists.AlertView, error) {
	ctx = playlists.Urgent(ctx)
	s.life.Lock()
	defer s.life.Unlock()
	e, err := s.find(id)
	if err != nil {
		return nil, err
	}
	if err := s.within(&e.Alert, who); err != nil {
		return nil, err
	}
	if err := state(e, playlists.AlertDraft, playlists.AlertPending, playlists.AlertRunning); err != nil {
		return nil, err
	}
	if correction && (e.Correction == "" || e.State != playlists.AlertRunning) {
		return nil, &playlists.Error{Code: playlists.Invalid, Field: "correction", Key: "correction-not-approved"}
	}
	now := s.o.Now()
	doubted := s.doubt() != nil
	if doubted && correction {
		s.o.Log.Warn("the clock is in doubt, so an alert is cancelled without its correction", "alert", id)
	}
	if err := s.end(ctx, who, e, playlists.EndCancelled, endedMS(&e.Alert, now, doubted), func(a *playlists.Alert) {
		a.Corrected = correction && !doubted && int64(a.From) <= now.Unix() // of what nobody saw there is nothing to correct
	}); err != nil {
		return nil, err
	}
	if err := s.heal(ctx, now); err != nil {
		s.o.Log.Error("a correction is not written yet and is tried again", "alert", id, "err", err)
	}
	s.changed()
	return s.shown(e), nil
}

// Resume takes a cancel back within 15 minutes: one approver, and the bytes that were approved, under a new id, because
// signs remember what ended. Its correction, if one runs, gives way.
func (s *Service) Resume(ctx context.Context, who *playlists.Principal, id string) (*playlists.AlertView, error) {
	ctx = playlists.Urgent(ctx)
	s.life.Lock()
	defer s.life.Unlock()
	old, err := s.ready(ctx, who, id, playlists.AlertEnded)
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
		return nil, &playlists.Error{Code: playlists.Conflict, Field: where + ".state", Value: old.Why, Key: "resume-not-cancelled"}
	case now.Unix()-old.EndedMS/1000 > playlists.ResumeWithin:
		return nil, &playlists.Error{Code: playlists.Conflict, Field: where, Key: "resume-too-late",
			Args: []any{playlists.ResumeWithin / 60}}
	case int64(old.Until) <= now.Unix():
		return nil, &playlists.Error{Code: playlists.Invalid, Field: where + ".until", Key: "alert-over"}
	}
	s.mu.Lock()
	a, l := old.Alert, old.look
	s.mu.Unlock()
	a.ID, a.Resumes = playlists.ResumedID(id), id
	if err := playlists.CheckSlug("alerts/id", a.ID); err != nil {
		return nil, err
	}
	if err := s.free(&a, "alerts/"+a.ID); err != nil {
		return nil, err
	}
	a.State, a.Why, a.EndedBy, a.EndedMS, a.Corrected, a.Correction, a.Replaces, a.ReplacedBy =
		playlists.AlertRunning, "", "", 0, false, "", "", ""
	a.From, a.FromGiven = playlists.Moment(now.Unix()), true
	a.ApprovedBy, a.ApprovedMS = who.ID, now.UnixMilli()
	if err := s.fits(&a, l.clone(), s.targets(&a)); err != nil {
		return nil, err
	}
	way := newDelivery(s.targets(&a), l)
	if err := errors.Join(s.keep(ctx, nil, kindLook, a.ID, l), s.keep(ctx, nil, kindDelivery, a.ID, way)); err != nil {
		return nil, err
	}
	if err := s.keep(ctx, who, kindAlert, a.ID, &a); err != nil {
		return nil, err
	}
	e := &entry{Alert: a, look: l, way: way}
	s.mu.Lock()
	s.entries[a.ID] = e
	correction := s.entries[playlists.CorrectionID(id)]
	s.mu.Unlock()
	if correction != nil && correction.State == playlists.AlertRunning {
		if err := s.end(ctx, who, correction, playlists.EndCancelled, now.UnixMilli(), nil); err != nil {
			s.o.Log.Error("a correction goes on beside the alert that was resumed", "alert", id, "err", err)
		}
	}
	s.o.Log.Warn("a cancel was taken back", "alert", id, "as", a.ID, "who", who.ID)
	s.changed()
	return s.shown(e), nil
}

// Refuse ends an alert that waits.
func (s *Service) Refuse(ctx context.Context, who *playlists.Principal, id string) (*playlists.AlertView, error) {
	ctx = playlists.Urgent(ctx)
	s.life.Lock()
	defer s.life.Unlock()
	e, err := s.find(id)
	if err != nil {
		return nil, err
	}
	if err := s.within(&e.Alert, who); err != nil {
		return nil, err
	}
	if err := state(e, playlists.AlertPending); err != nil {
		return nil, err
	}
	if err := s.end(ctx, who, e, playlists.EndRefused, s.o.Now().UnixMilli(), nil); err != nil {
		return nil, err
	}
	s.changed()
	return s.shown(e), nil
}

// endedMS is when an alert ends that ends now. By a clock in doubt it is at least within the alert's life.
func endedMS(a *playlists.Alert, now time.Time, doubted bool) int64 {
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
	err := s.write(ctx, who, e, func(a *playlists.Alert) {
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
