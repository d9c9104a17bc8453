package alert

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ledcast/playlists"
)

// What cannot be read on a sign that it reaches is refused when it is made, and
// again for signs that came since, unless somebody lets it through by name.
func TestCannotBeRead(t *testing.T) {
	w := newWorld()
	w.Faces[2].Distance, w.Faces[2].Pitch = 250, 10
	s := w.open(t)
	_, err := s.Create(t.Context(), author, w.order("a1", time.Hour))
	refused(t, "one that cannot be read", err, "s3", "cannot be read on this sign", "override")
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
	p, err := s.Preview(t.Context(), "a1")
	if err != nil || p.Override != "distance" || p.Reason != o.Reason ||
		!strings.Contains(string(w.Rows["alert/a1"]), `"override":"distance"`) {
		t.Errorf("the preview has %+v, %v", p, err)
	}
	if _, err := s.Approve(t.Context(), approver, "a1", signs(4)); err != nil {
		t.Error(err)
	}
	drill := w.order("d1", time.Hour)
	drill.Mode = playlists.AlertDrill
	run(t, s, drill) // nobody has to read it

	// A sign that came since, or moved.
	near := w.order("a2", time.Hour)
	near.Areas = []string{"quang-ngai/duc-pho"}
	if _, err := s.Create(t.Context(), author, near); err != nil {
		t.Fatal(err)
	}
	w.Faces[1].Distance, w.Faces[1].Pitch = 300, 10
	s.SignsChanged()
	_, err = s.Approve(t.Context(), approver, "a2", signs(1))
	refused(t, "a sign moved", err, "s2", "cannot be read")
	n := 1
	v, err := s.Approve(t.Context(), approver, "a2", &playlists.AlertApproval{Signs: &n,
		Override: "distance", Reason: "người đi gần vẫn đọc được"})
	if err != nil || v.Override != "distance" || v.State != playlists.AlertRunning {
		t.Errorf("let through: %+v, %v", v, err)
	}
}

// counted counts how often signs are looked at.
type counted struct {
	*world
	looked int
}

func (c *counted) Reads(ctx context.Context, m *playlists.Message, s *playlists.Sign) (*playlists.Finding, error) {
	c.looked++
	return c.world.Reads(ctx, m, s)
}

// Of ten thousand signs each kind is looked at once, and not again at approval.
func TestLooksOnceAtEachKind(t *testing.T) {
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
	c := &counted{world: w}
	s := w.open(t)
	s.o.Artist = c
	if _, err := s.Create(t.Context(), author, w.order("a1", time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Approve(t.Context(), approver, "a1", signs(10_000)); err != nil {
		t.Fatal(err)
	}
	if c.looked != 3 {
		t.Errorf("looked %d times at 3 kinds of signs", c.looked)
	}
}

// What takes longer than a minute to read is refused, with the numbers.
func TestTooLongToRead(t *testing.T) {
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

// An approval says what was read: the number of signs, and of a draft that was
// finished since nothing.
func TestApprovalNamesWhatWasRead(t *testing.T) {
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
	refused(t, "the draft was read", err, "earlier version of the alert")
	_, err = s.Approve(t.Context(), approver, "a1", &playlists.AlertApproval{})
	refused(t, "no number", err, "is missing")
	now, err := s.Preview(t.Context(), "a1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Approve(t.Context(), approver, "a1", &playlists.AlertApproval{Signs: &n,
		Digest: now.Digest}); err != nil {
		t.Error(err)
	}
	// Its signs are gone: nothing is approved for nobody.
	if _, err := s.Create(t.Context(), author, w.order("a2", time.Hour)); err != nil {
		t.Fatal(err)
	}
	w.Faces = nil
	s.SignsChanged()
	_, err = s.Approve(t.Context(), approver, "a2", signs(0))
	refused(t, "no sign", err, "reaches no sign")
}

// A correction takes the face whatever runs there, and corrects nothing that
// nobody saw.
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
			t.Errorf("the correction does not take the face: %+v", c.Alert)
		}
		if _, err := s.Get(t.Context(), "later-correction"); !missing(err) {
			t.Errorf("one that never began is corrected: %v", err)
		}
	})
}

// The corrections of others count against the limits of a class.
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
	run(t, s, o) // one frame now, seven when it is cancelled
	w.Corrected = 0
	w.Pages = 2
	_, err := s.Create(t.Context(), author, w.order("a6", time.Hour))
	refused(t, "no room for a correction", err, "would have 49 frames")
}
