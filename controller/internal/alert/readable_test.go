package alert

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ledcast/playlists"
)

// What can be read on no sign that it reaches is refused when it is made, unless somebody lets it through by name. One
// sign on which it cannot be read holds up nobody, and is named to the approver.
func TestCannotBeRead(t *testing.T) {
	w := newWorld()
	far := func(i int) { w.Faces[i].Distance, w.Faces[i].Pitch = 250, 10 }
	far(2)
	s := w.open(t)
	if _, err := s.Create(t.Context(), author, w.order("one-far", time.Hour)); err != nil {
		t.Errorf("one sign of a company held up an alert: %v", err)
	}
	p, err := s.Preview(t.Context(), "one-far")
	if err != nil || !named(p, "signs/s3") {
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
	run(t, s, drill) // nobody has to read it
}

func named(p *playlists.AlertPreview, field string) bool {
	for _, x := range p.Classes {
		for _, f := range x.Findings {
			if f.Field == field {
				return true
			}
		}
	}
	return false
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

// Of ten thousand signs each kind is looked at, and not each sign; and not again at approval.
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
	if _, err := s.Approve(t.Context(), approver, "a1", read(t, s, "a1", 10_000)); err != nil {
		t.Fatal(err)
	}
	if c.looked > 6 { // when it is made and for the preview
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
	// Its signs are gone: nothing is approved for nobody.
	if _, err := s.Create(t.Context(), author, w.order("a2", time.Hour)); err != nil {
		t.Fatal(err)
	}
	last := read(t, s, "a2", 0)
	w.Faces = nil
	s.SignsChanged()
	_, err = s.Approve(t.Context(), approver, "a2", last)
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
