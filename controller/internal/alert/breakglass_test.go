package alert

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ledcast/playlists"
)

// Break-glass is limited to once an hour, to the default priority, and to names and
// numbers as values of the template.
func TestBreakGlassBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		flood := playlists.AlertTemplate{ID: "flood", Name: playlists.Text{VI: "Lũ", EN: "Flood"}, Theme: "urgent",
			Variants: []playlists.Variant{{Lang: "vi", Headline: "LŨ", Body: "{place}: lên chỗ cao. Gọi {phone}"}}}
		s := w.open(t)
		if err := s.PutTemplate(t.Context(), approver, &flood); err != nil {
			t.Fatal(err)
		}
		another := &playlists.Principal{ID: "user:hoa", Owner: playlists.Public, Role: playlists.RoleApprover}
		if _, err := s.ApproveTemplate(t.Context(), another, "flood", flood.Digest); err != nil {
			t.Fatal(err)
		}
		n := 0
		breakGlass := func(who *playlists.Principal, change func(*playlists.AlertOrder)) error {
			t.Helper()
			n++
			o := w.order("g"+string(rune('a'+n)), 10*time.Minute)
			o.Text, o.Template, o.Areas = "", "flood", []string{"quang-ngai/son-tinh"}
			o.Values = map[string]string{"place": "thị trấn Sơn Tịnh, tổ 3/5", "phone": "+84 255-382.2123"}
			if change != nil {
				change(o)
			}
			if _, err := s.Create(t.Context(), who, o); err != nil {
				t.Fatal(err)
			}
			_, err := s.BreakGlass(t.Context(), who, o.ID)
			return err
		}
		value := func(v string) func(*playlists.AlertOrder) {
			return func(o *playlists.AlertOrder) { o.Values["place"] = v }
		}
		refused(t, "capitals", breakGlass(author, value("CHẠY NGAY!")), "not for names and numbers")
		refused(t, "a message", breakGlass(author, value(strings.Repeat("đập vỡ rồi ", 4))), "over the 30")
		high := int64(101)
		err := breakGlass(author, func(o *playlists.AlertOrder) { o.Priority = &high })
		refused(t, "a priority", err, "over the 100")
		err = breakGlass(author, func(o *playlists.AlertOrder) { o.Mode = playlists.AlertDrill })
		refused(t, "a drill", err, "can wait")
		// A former approver of the template must not use it alone.
		both := &playlists.Principal{ID: another.ID, Owner: playlists.Public, Role: playlists.RoleAuthor}
		refused(t, "the approver of the template", breakGlass(both, nil), "was approved by you")
		if err := breakGlass(author, nil); err != nil {
			t.Fatal(err)
		}
		for range 2 { // sends one event
			step(t, s)
		}
		sent := slices.DeleteFunc(w.hooks.Sent(), func(x string) bool { return !strings.HasPrefix(x, "break-glass ") })
		if len(sent) != 1 {
			t.Errorf("webhooks received %v", sent)
		}
		other := &playlists.Principal{ID: "user:tam", Owner: playlists.Public, Role: playlists.RoleAuthor}
		elsewhere := func(o *playlists.AlertOrder) { o.Areas = []string{"quang-ngai/duc-pho"} }
		err = breakGlass(author, elsewhere)
		refused(t, "a second one by the same person", err, "is a break-glass alert that still runs")
		refused(t, "a second one there", breakGlass(other, nil), "is a break-glass alert that still runs")
		if err := breakGlass(other, elsewhere); err != nil {
			t.Errorf("another person, another district: %v", err)
		}
		time.Sleep(10 * time.Minute)
		step(t, s)
		s = w.open(t) // the limits survive a restart
		time.Sleep(30 * time.Minute)
		refused(t, "half an hour later", breakGlass(author, nil), "30 minutes ago", "in 30 minutes")
		time.Sleep(30 * time.Minute)
		if err := breakGlass(author, nil); err != nil {
			t.Error(err)
		}
		for i, bad := range []string{"xem abc.vn", "a//b", "lan@x", "bit.ly/x", "Gọi lan.vn"} {
			want := []string{"address", "address", "character", "address", "address"}[i]
			refused(t, bad, breakGlass(other, value(bad)), want)
		}
	})
}

// An approver can undo a cancel within 15 minutes. The alert has the same frames and a new id, and its correction ends.
func TestResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		s := w.open(t)
		o := w.order("a1", 2*time.Hour)
		o.Correction = "sorry"
		run(t, s, o)
		art, err := s.Art(t.Context(), "a1", w.Faces[0].Class)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Resume(t.Context(), approver, "a1")
		refused(t, "one that runs", err, "running")
		time.Sleep(time.Minute)
		if _, err := s.Cancel(t.Context(), author, "a1", true); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Minute)
		v, err := s.Resume(t.Context(), approver, "a1")
		if err != nil || v.ID != "a1-resumed" || v.State != playlists.AlertRunning ||
			v.Until != view(t, s, "a1").Until || v.ApprovedBy != approver.ID || v.Resumes != "a1" {
			t.Fatalf("%+v, %v", v, err)
		}
		again, err := s.Art(t.Context(), "a1-resumed", w.Faces[0].Class)
		if err != nil || again.Frames[0].SHA256 != art.Frames[0].SHA256 {
			t.Errorf("it shows other frames: %v", err)
		}
		if c := view(t, s, "a1-correction"); c.State != playlists.AlertEnded {
			t.Errorf("the correction is %s", c.State)
		}
		_, err = s.Resume(t.Context(), approver, "a1")
		refused(t, "a second time", err, "")
		run(t, s, w.order("b1", time.Hour))
		if _, err := s.Cancel(t.Context(), author, "b1", false); err != nil {
			t.Fatal(err)
		}
		_, err = s.Resume(t.Context(), &playlists.Principal{ID: "token:x", Owner: playlists.Public,
			Role: playlists.RoleApprover, Program: true}, "b1")
		refused(t, "a program", err, "by a person")
		time.Sleep(playlists.ResumeWithin*time.Second + time.Second)
		_, err = s.Resume(t.Context(), approver, "b1")
		refused(t, "too late", err, "15 minutes ago")
	})
}
