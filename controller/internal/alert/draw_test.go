package alert

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ledcast/playlists"
)

// cannot is the error of a class that has no room for the text.
var cannot = &playlists.Error{Code: playlists.Invalid, Field: "text", Value: "Ớ", Key: "no-room"}

// A class that cannot show an alert does not stop its creation, preview, approval and correction, nor the drill. Its
// signs count as rejected and are listed with whom to call.
func TestOneClassDelaysNoOther(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 0))
			w := newWorld()
			bad := w.Faces[r.IntN(len(w.Faces))].Class
			w.Drawing = func(_ *playlists.Message, c playlists.Class) error {
				if c == bad {
					return cannot
				}
				return nil
			}
			var unable []string
			for _, x := range w.Faces {
				if x.Class == bad {
					unable = append(unable, x.ID)
				}
			}
			slices.Sort(unable)
			if len(unable) == len(w.Faces) {
				return // no class can show it
			}
			s := w.open(t)
			o := w.order("a1", time.Hour)
			o.Correction = "sorry"
			v, err := s.Create(t.Context(), author, o)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if v.Rejected != len(unable) || len(v.Call) != len(unable) {
				t.Errorf("seed %d: created, %d rejected, %d to call; want %d", seed, v.Rejected, len(v.Call), len(unable))
			}
			p, err := s.Preview(t.Context(), "a1")
			if err != nil || len(p.Rejected) != len(unable) || p.Signs != len(w.Faces) {
				t.Errorf("seed %d: the preview has %+v, %v", seed, p, err)
			}
			n := len(w.Faces)
			v, err = s.Approve(t.Context(), approver, "a1", &playlists.AlertApproval{Signs: &n, Digest: p.Digest})
			if err != nil {
				t.Fatal(err)
			}
			var refused []string
			for _, x := range v.Rejections {
				if x.Reason != noFrames {
					t.Errorf("%s is rejected as %q", x.Sign, x.Reason)
				}
				refused = append(refused, x.Sign)
			}
			if !slices.Equal(refused, unable) || v.Rejected != len(unable) {
				t.Errorf("seed %d: rejected are %v, want %v", seed, refused, unable)
			}
			for _, x := range w.Faces {
				art, err := s.Art(t.Context(), "a1", x.Class)
				if err != nil || (art == nil) != (x.Class == bad) {
					t.Errorf("%s gets %v, %v", x.ID, art, err)
				}
			}
			time.Sleep(2 * time.Second)
			if _, err := s.Cancel(t.Context(), author, "a1", true); err != nil {
				t.Fatal(err)
			}
			if _, err := s.drawUndrawn(t.Context()); err != nil {
				t.Fatal(err)
			}
			if c := view(t, s, "a1-correction"); c.State != playlists.AlertRunning || c.Rejected != len(unable) {
				t.Errorf("the correction is %s, rejected by %d", c.State, c.Rejected)
			}
			// The weekly drill starts.
			time.Sleep(time.Until(s.drill.Next(time.Now())) + time.Minute)
			step(t, s)
			isDrill := func(v playlists.AlertView) bool { return v.Mode == playlists.AlertDrill }
			if !slices.ContainsFunc(s.Recent(), isDrill) {
				t.Error("no drill started")
			}
		})
	}
}

// If no class can show an alert, Create returns the reason.
func TestNoClassCanShowIt(t *testing.T) {
	w := newWorld()
	w.Drawing = func(*playlists.Message, playlists.Class) error { return cannot }
	s := w.open(t)
	_, err := s.Create(t.Context(), author, w.order("a1", time.Hour))
	var e *playlists.Error
	if !errors.As(err, &e) || e.Key != cannot.Key || e.Value != cannot.Value {
		t.Errorf("an alert that no sign can show: %v", err)
	}
}

// A class that has no room for the text shows the short form.
func TestShortForm(t *testing.T) {
	w := newWorld()
	small := w.Faces[0].Class
	w.Drawing = func(m *playlists.Message, c playlists.Class) error {
		if c == small && m.Title() != "LŨ" {
			return cannot
		}
		return nil
	}
	s := w.open(t)
	o := w.order("a1", time.Hour)
	o.Short = "LŨ"
	v, err := s.Create(t.Context(), author, o)
	if err != nil || v.Rejected != 0 {
		t.Fatalf("%+v, %v", v, err)
	}
	art, err := s.Art(t.Context(), "a1", small)
	if err != nil || art == nil || string(art.Frames[0].Data) != fmt.Sprintf("LŨ %s", small) {
		t.Errorf("the small sign shows %v, %v", art, err)
	}
	p, err := s.Preview(t.Context(), "a1")
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range p.Classes {
		if want := x.Class == small.String(); (x.Form == 1) != want {
			t.Errorf("%s shows form %d", x.Class, x.Form)
		}
	}
	o = w.order("a2", time.Hour)
	o.Short = "ba mươi mốt ký tự thì dài quá rồi"
	_, err = s.Create(t.Context(), author, o)
	refused(t, "a long short form", err, "short")
}

// Classes that take long to draw delay neither Create nor other classes, and are drawn later.
func TestSlowClasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		usual := w.Faces[0].Class
		for i := range 60 {
			x := w.Faces[0]
			x.ID, x.Class = fmt.Sprintf("z%02d", i), playlists.Class{W: 8000 + i, H: 500, Colour: usual.Colour}
			w.Faces = append(w.Faces, x)
		}
		w.Drawing = func(_ *playlists.Message, c playlists.Class) error {
			if c.W >= 8000 {
				time.Sleep(500 * time.Millisecond)
			}
			return nil
		}
		s := w.open(t)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); s.Run(ctx) }()
		defer func() { cancel(); <-done }()
		began := time.Now()
		if _, err := s.Create(t.Context(), author, w.order("a1", time.Hour)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("Create took %v", took)
		}
		if art, err := s.Art(t.Context(), "a1", usual); art == nil || err != nil {
			t.Errorf("the usual class is not drawn first: %v", err)
		}
		began = time.Now()
		if _, err := s.Approve(t.Context(), approver, "a1", read(t, s, "a1", len(w.Faces))); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("preview and approval took %v", took)
		}
		time.Sleep(time.Minute)
		for _, x := range w.Faces {
			if art, err := s.Art(t.Context(), "a1", x.Class); art == nil || err != nil {
				t.Fatalf("%s was left out: %v", x.ID, err)
			}
		}
		// The drawn classes survive a restart.
		s = w.open(t)
		if art, err := s.Art(t.Context(), "a1", w.Faces[len(w.Faces)-1].Class); art == nil || err != nil {
			t.Errorf("after a restart the last class is not drawn: %v", err)
		}
	})
}

// Signs can change after a preview. The preview is valid for half an hour, and the approval names the changed signs.
func TestSignsChangeDuringApproval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		s := w.open(t)
		for _, id := range []string{"a1", "a2", "a3"} {
			if _, err := s.Create(t.Context(), author, w.order(id, 2*time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
		n := len(w.Faces)
		p, late := read(t, s, "a1", n), read(t, s, "a2", n)
		gone := w.Faces[0].ID
		x := w.Faces[1]
		x.ID = "new-1"
		w.Faces = append(w.Faces[1:], x)
		s.SignsChanged()
		v, err := s.Approve(t.Context(), approver, "a1", p)
		if err != nil || !slices.Equal(v.Came, []string{"new-1"}) || !slices.Equal(v.Gone, []string{gone}) {
			t.Errorf("came %v, gone %v, %v", v.Came, v.Gone, err)
		}
		if v.Targeted != n {
			t.Errorf("it runs on %d signs, want %d", v.Targeted, n)
		}
		time.Sleep(previewLife + time.Second)
		_, err = s.Approve(t.Context(), approver, "a2", late)
		refused(t, "an old preview", err, "30 minutes")
		// After a restart, the digest of the current preview is valid.
		now := read(t, s, "a3", n)
		s = w.open(t)
		if _, err := s.Approve(t.Context(), approver, "a3", now); err != nil {
			t.Errorf("after a restart: %v", err)
		}
	})
}

// New signs show an alert and are counted apart; excluded and waiting ones are neither targets nor drawn for.
func TestHowSignsCount(t *testing.T) {
	w := newWorld()
	w.Faces[0].Alerts = playlists.AlertsNew
	w.Faces[1].Alerts = playlists.AlertsExcluded
	w.Faces[2].Alerts = playlists.AlertsWaiting
	w.Faces[1].Class.W, w.Faces[2].Class.W = 8000, 8001
	s := w.open(t)
	if _, err := s.Create(t.Context(), author, w.order("a1", time.Hour)); err != nil {
		t.Fatal(err)
	}
	p, err := s.Preview(t.Context(), "a1")
	if err != nil {
		t.Fatal(err)
	}
	if p.Signs != len(w.Faces)-3 || len(p.New) != 1 || p.New[0] != w.Faces[0].ID {
		t.Errorf("%d signs, new %v", p.Signs, p.New)
	}
	for _, c := range p.Classes {
		if strings.HasPrefix(c.Class, "800") {
			t.Errorf("%s was drawn", c.Class)
		}
	}
	all := len(w.Faces) - 2
	_, err = s.Approve(t.Context(), approver, "a1", &playlists.AlertApproval{Signs: &all, Digest: p.Digest})
	refused(t, "the number with new signs", err, "is not the number of signs")
	v, err := s.Approve(t.Context(), approver, "a1", &playlists.AlertApproval{Signs: &p.Signs, Digest: p.Digest})
	if err != nil || v.Targeted != all {
		t.Errorf("targeted %d, %v", v.Targeted, err)
	}
}

// A class on which no form of any template can be drawn is named, until a template fits it.
func TestUnable(t *testing.T) {
	w := newWorld()
	s := w.open(t)
	approveTemplate(t, s)
	c := w.Faces[0].Class
	if f, err := s.Unable(t.Context(), c); f != nil || err != nil {
		t.Errorf("%+v, %v", f, err)
	}
	w.Drawing = func(m *playlists.Message, c playlists.Class) error {
		if c.W == 8 && m.Variants[0].Headline != "" {
			return &playlists.Error{Code: playlists.Invalid, Field: "messages/x", Key: "text-too-long", Args: []any{1, 2}}
		}
		return nil
	}
	small := c
	small.W = 8
	f, err := s.Unable(t.Context(), small)
	if err != nil || f == nil || f.Code != noFrames {
		t.Fatalf("%+v, %v", f, err)
	}
	short := playlists.AlertTemplate{ID: "short", Name: playlists.Text{VI: "Lũ", EN: "Flood"}, Theme: "urgent",
		Short: "LŨ", Variants: []playlists.Variant{{Lang: "vi", Headline: "LŨ", Body: "lên chỗ cao"}}}
	if err := s.PutTemplate(t.Context(), approver, &short); err != nil {
		t.Fatal(err)
	}
	if f, err := s.Unable(t.Context(), small); f != nil || err != nil {
		t.Errorf("with a short form: %+v, %v", f, err)
	}
}
