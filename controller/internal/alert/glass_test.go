package alert

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ledcast/playlists"
)

// The glass is broken once in an hour by anybody, with an ordinary priority, and
// with names and numbers alone in the gaps of a template.
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
		glass := func(who *playlists.Principal, change func(*playlists.AlertOrder)) error {
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
		refused(t, "a shout", glass(author, value("CHẠY NGAY!")), "not for names and numbers")
		refused(t, "a message", glass(author, value(strings.Repeat("đập vỡ rồi ", 4))), "over the 30")
		high := int64(101)
		refused(t, "a priority", glass(author, func(o *playlists.AlertOrder) { o.Priority = &high }), "over the 100")
		refused(t, "a drill", glass(author, func(o *playlists.AlertOrder) { o.Mode = playlists.AlertDrill }), "can wait")
		// Two persons read what a template says. One who approved it and is an author since does not count for both.
		both := &playlists.Principal{ID: another.ID, Owner: playlists.Public, Role: playlists.RoleAuthor}
		refused(t, "who approved the template", glass(both, nil), "was approved by you")
		if err := glass(author, nil); err != nil {
			t.Fatal(err)
		}
		for range 2 { // told once
			step(t, s)
		}
		told := slices.DeleteFunc(w.hooks.Sent(), func(x string) bool { return !strings.HasPrefix(x, "break-glass ") })
		if len(told) != 1 {
			t.Errorf("webhooks are told %v", told)
		}
		other := &playlists.Principal{ID: "user:tam", Owner: playlists.Public, Role: playlists.RoleAuthor}
		elsewhere := func(o *playlists.AlertOrder) { o.Areas = []string{"quang-ngai/duc-pho"} }
		refused(t, "a second one by the same person", glass(author, elsewhere), "is a break-glass alert that still runs")
		refused(t, "a second one there", glass(other, nil), "is a break-glass alert that still runs")
		if err := glass(other, elsewhere); err != nil {
			t.Errorf("another person, another district: %v", err)
		}
		time.Sleep(10 * time.Minute)
		step(t, s)
		s = w.open(t) // a restart forgets nothing
		time.Sleep(30 * time.Minute)
		refused(t, "half an hour later", glass(author, nil), "30 minutes ago", "in 30 minutes")
		time.Sleep(30 * time.Minute)
		if err := glass(author, nil); err != nil {
			t.Error(err)
		}
		for i, bad := range []string{"xem abc.vn", "a//b", "lan@x", "bit.ly/x", "Gọi lan.vn"} {
			refused(t, bad, glass(other, value(bad)), []string{"address", "address", "character", "address", "address"}[i])
		}
	})
}

// A cancel is taken back within 15 minutes by an approver: the same bytes under another id, and its correction gives
// way.
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
		if err != nil || v.ID != "a1-resumed" || v.State != playlists.AlertRunning || v.Until != view(t, s, "a1").Until ||
			v.ApprovedBy != approver.ID || v.Resumes != "a1" {
			t.Fatalf("%+v, %v", v, err)
		}
		again, err := s.Art(t.Context(), "a1-resumed", w.Faces[0].Class)
		if err != nil || again.Frames[0].SHA256 != art.Frames[0].SHA256 {
			t.Errorf("it shows other bytes: %v", err)
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
