package alert

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ledcast/playlists"
)

// Create rejects an alert that is legible on none of its signs, unless it has an override. A single sign on which it is
// illegible does not stop it, and the preview names that sign.
func TestIllegible(t *testing.T) {
	w := newWorld()
	far := func(i int) { w.Faces[i].Distance, w.Faces[i].Pitch = 250, 10 }
	far(2)
	s := w.open(t)
	if _, err := s.Create(t.Context(), author, w.order("one-far", time.Hour)); err != nil {
		t.Errorf("one sign stopped an alert: %v", err)
	}
	p, err := s.Preview(t.Context(), "one-far")
	if err != nil || !hasFinding(p, "signs/s3") {
		t.Errorf("the preview does not name the sign: %+v, %v", p, err)
	}
	for i := range w.Faces {
		far(i)
	}
	s.SignsChanged()
	_, err = s.Create(t.Context(), author, w.order("a1", time.Hour))
	refused(t, "one that cannot be read", err, "cannot be read on this sign", "override")
	o := w.order("a1", time.Hour)
	o.Override = "glyph"
	_, err = s.Create(t.Context(), author, o)
	refused(t, "another finding", err, "cannot be overridden")
	o.Override, o.Reason = "distance", "ok"
	_, err = s.Create(t.Context(), author, o)
	refused(t, "no reason", err, "does not say why")
	o.Reason = "màn hình ở ngã tư, người đi gần vẫn đọc được"
	if _, err := s.Create(t.Context(), author, o); err != nil {
		t.Fatal(err)
	}
	p, err = s.Preview(t.Context(), "a1")
	if err != nil || p.Override != "distance" || p.Reason != o.Reason ||
		!strings.Contains(string(w.Rows["alert/a1"]), `"override":"distance"`) {
		t.Errorf("the preview has %+v, %v", p, err)
	}
	if _, err := s.Approve(t.Context(), approver, "a1", read(t, s, "a1", 4)); err != nil {
		t.Error(err)
	}
	drill := w.order("d1", time.Hour)
	drill.Mode = playlists.AlertDrill
	run(t, s, drill) // drills need not be legible
}

func hasFinding(p *playlists.AlertPreview, field string) bool {
	for _, x := range p.Classes {
		for _, f := range x.Findings {
			if f.Field == field {
				return true
			}
		}
	}
	return false
}

// countingArtist counts the calls of Reads.
type countingArtist struct {
	*world
	checks int
}

func (c *countingArtist) Reads(ctx context.Context, m *playlists.Message,
	s *playlists.Sign) (*playlists.Finding, error) {
	c.checks++
	return c.world.Reads(ctx, m, s)
}

// Legibility is checked once for each kind of sign, not for each sign, and not again at approval.
func TestChecksEachKindOnce(t *testing.T) {
	w := newWorld()
	like := w.Faces[0]
	like.Distance, like.Pitch = 30, 10
	w.Faces = nil
	for i := range 10_000 {
		x := like
		x.ID = "s" + string(rune('a'+i%26)) + time.Duration(i).String()
		x.Distance += float64(i % 3)
		w.Faces = append(w.Faces, x)
	}
	c := &countingArtist{world: w}
	s := w.open(t)
	s.o.Artist = c
	if _, err := s.Create(t.Context(), author, w.order("a1", time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Approve(t.Context(), approver, "a1", read(t, s, "a1", 10_000)); err != nil {
		t.Fatal(err)
	}
	if c.checks > 6 { // by Create and by Preview
		t.Errorf("%d checks for 3 kinds of signs", c.checks)
	}
}

// Create rejects a message that takes longer than a minute to read.
func TestMessageTooLong(t *testing.T) {
	w := newWorld()
	w.Pages = 11
	s := w.open(t)
	_, err := s.Create(t.Context(), author, w.order("a1", time.Hour))
	refused(t, "eleven pages", err, "66 s in 11 pages", "over the limit of 60 s")
	w.Pages = 10
	if _, err := s.Create(t.Context(), author, w.order("a1", time.Hour)); err != nil {
		t.Error(err)
	}
}

// An approval must name the number of signs and the digest of the preview. The preview of
// a draft is not valid for the finished alert.
func TestApprovalNamesPreview(t *testing.T) {
	w := newWorld()
	s := w.open(t)
	o := w.order("a1", time.Hour)
	o.Draft = true
	if _, err := s.Create(t.Context(), author, o); err != nil {
		t.Fatal(err)
	}
	before, err := s.Preview(t.Context(), "a1")
	if err != nil {
		t.Fatal(err)
	}
	o.Draft, o.Text = false, "Something else"
	if _, err := s.Create(t.Context(), author, o); err != nil {
		t.Fatal(err)
	}
	n := 4
	_, err = s.Approve(t.Context(), approver, "a1", &playlists.AlertApproval{Signs: &n, Digest: before.Digest})
	refused(t, "the preview of the draft", err, "earlier version of the alert")
	_, err = s.Approve(t.Context(), approver, "a1", &playlists.AlertApproval{})
	refused(t, "no number", err, "is missing")
	_, err = s.Approve(t.Context(), approver, "a1", &playlists.AlertApproval{Signs: &n})
	refused(t, "no digest", err, "not named", "alert show")
	now, err := s.Preview(t.Context(), "a1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Approve(t.Context(), approver, "a1", &playlists.AlertApproval{Signs: &n,
		Digest: now.Digest}); err != nil {
		t.Error(err)
	}
	// An alert without signs cannot be approved.
	if _, err := s.Create(t.Context(), author, w.order("a2", time.Hour)); err != nil {
		t.Fatal(err)
	}
	last := read(t, s, "a2", 0)
	w.Faces = nil
	s.SignsChanged()
	_, err = s.Approve(t.Context(), approver, "a2", last)
	refused(t, "no sign", err, "reaches no sign")
}

// A correction takes precedence over all alerts. An alert that never started gets none.
func TestCorrectionTakesTheFace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		s := w.open(t)
		top := w.order("top", time.Hour)
		prio := int64(playlists.MaxAlertPriority)
		top.Priority = &prio
		run(t, s, top)
		for _, id := range []string{"wrong", "later"} {
			o := w.order(id, time.Hour)
			o.Correction = "sorry"
			if id == "later" {
				o.From = playlists.Moment(time.Now().Add(time.Minute).Unix())
			}
			run(t, s, o)
			time.Sleep(2 * time.Second)
			if _, err := s.Cancel(t.Context(), author, id, true); err != nil {
				t.Fatal(err)
			}
		}
		c := view(t, s, "wrong-correction")
		if c.Priority < prio || c.From <= view(t, s, "top").From {
			t.Errorf("the correction does not take precedence: %+v", c.Alert)
		}
		if _, err := s.Get(t.Context(), "later-correction"); !playlists.IsNotFound(err) {
			t.Errorf("an alert that never started is corrected: %v", err)
		}
	})
}

// Corrections of other alerts count towards the limits of a class.
func TestRoomForCorrections(t *testing.T) {
	w := newWorld()
	s := w.open(t)
	w.Pages = 10
	for _, id := range []string{"a1", "a2", "a3", "a4"} {
		run(t, s, w.order(id, time.Hour))
	}
	w.Pages = 1
	o := w.order("a5", time.Hour)
	o.Correction = "sorry"
	w.Corrected = 7
	run(t, s, o) // one frame while it runs, seven as a correction
	w.Corrected = 0
	w.Pages = 2
	_, err := s.Create(t.Context(), author, w.order("a6", time.Hour))
	refused(t, "no room for a correction", err, "would have 49 frames")
}
