package alert

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ledcast/playlists"
)

var another = &playlists.Principal{ID: "user:hoa", Owner: playlists.Public, Role: playlists.RoleApprover}

// approveTemplate puts the template "flood" and has another person approve it.
func approveTemplate(t *testing.T, s *Service) {
	t.Helper()
	flood := playlists.AlertTemplate{ID: "flood", Name: playlists.Text{VI: "Lũ", EN: "Flood"}, Theme: "urgent",
		Variants: []playlists.Variant{{Lang: "vi", Headline: "LŨ", Body: "{place}: lên chỗ cao đến {until}. Gọi {phone}"}}}
	if err := s.PutTemplate(t.Context(), approver, &flood); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ApproveTemplate(t.Context(), another, "flood", flood.Digest); err != nil {
		t.Fatal(err)
	}
}

// Break-glass is limited to once an hour, to the default priority, and to names and
// numbers as values of the template.
func TestBreakGlassBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		s := w.open(t)
		approveTemplate(t, s)
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

// A second person, who has read the preview, lets a break-glass alert run longer under the same id. After that it no
// longer counts against the district's next one.
func TestExtend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		s := w.open(t)
		approveTemplate(t, s)
		o := w.order("b1", 10*time.Minute)
		o.Text, o.Template, o.Values = "", "flood", map[string]string{"place": "Trà Khúc", "phone": "114"}
		o.Areas = []string{"quang-ngai/son-tinh"}
		if _, err := s.Create(t.Context(), author, o); err != nil {
			t.Fatal(err)
		}
		extend := func(who *playlists.Principal, life time.Duration, signs int) error {
			t.Helper()
			p, err := s.Preview(t.Context(), "b1")
			if err != nil {
				t.Fatal(err)
			}
			signs += p.Signs
			_, err = s.Extend(t.Context(), who, "b1", &playlists.AlertExtension{
				AlertApproval: playlists.AlertApproval{Signs: &signs, Digest: p.Digest},
				Until:         playlists.Moment(time.Now().Add(life).Unix())})
			return err
		}
		refused(t, "one that waits", extend(approver, time.Hour, 0), "pending")
		if _, err := s.BreakGlass(t.Context(), author, "b1"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(9 * time.Minute)
		step(t, s)
		refused(t, "who wrote it", extend(author, time.Hour, 0), "")
		refused(t, "a wrong number", extend(approver, time.Hour, 1), "is not the number of signs")
		refused(t, "no later", extend(approver, time.Minute, 0), "is not after its end")
		refused(t, "too long", extend(approver, playlists.MaxAlertLife*time.Second, 0), "hours after its beginning")
		words := func() string {
			t.Helper()
			p, err := s.Preview(t.Context(), "b1")
			if err != nil {
				t.Fatal(err)
			}
			return strings.Join(p.Says, "\n")
		}
		if !strings.Contains(words(), "07:10 01/01") {
			t.Errorf("the words are %s", words())
		}
		if err := extend(approver, 3*time.Hour, 0); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(words(), "10:09 01/01") {
			t.Errorf("after it was extended the words are %s", words())
		}
		time.Sleep(2 * time.Hour)
		step(t, s)
		if v := view(t, s, "b1"); v.State != playlists.AlertRunning || v.ExtendedBy != approver.ID {
			t.Errorf("it is %s, extended by %q", v.State, v.ExtendedBy)
		}
		o.ID, o.Until = "b2", playlists.Moment(time.Now().Add(10*time.Minute).Unix())
		if _, err := s.Create(t.Context(), author, o); err != nil {
			t.Fatal(err)
		}
		if _, err := s.BreakGlass(t.Context(), author, "b2"); err != nil {
			t.Errorf("the next one there: %v", err)
		}
		time.Sleep(time.Hour + time.Minute)
		step(t, s)
		if v := view(t, s, "b1"); v.Why != playlists.EndExpired {
			t.Errorf("after its time it is %s (%s)", v.State, v.Why)
		}
	})
}

// What waits for approval, and a cancel, are events. A restart repeats none that is old.
func TestPendingAndCancelledAreEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		s := w.open(t)
		if _, err := s.Create(t.Context(), author, w.order("a1", time.Hour)); err != nil {
			t.Fatal(err)
		}
		step(t, s)
		step(t, s)
		time.Sleep(2 * time.Minute)
		s = w.open(t)
		step(t, s)
		if _, err := s.Approve(t.Context(), approver, "a1", read(t, s, "a1", 4)); err != nil {
			t.Fatal(err)
		}
		step(t, s)
		if _, err := s.Cancel(t.Context(), author, "a1", false); err != nil {
			t.Fatal(err)
		}
		step(t, s)
		step(t, s)
		if got := strings.Join(w.hooks.Sent(), ", "); got != "pending a1, started a1, missed a1, cancelled a1, ended a1" {
			t.Errorf("events: %s", got)
		}
	})
}

// The preview names signs that the alert reaches late or not at all, and those that it lights.
func TestPreviewNamesSignsThatAreAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		// The test begins on a Saturday at midnight UTC: 07:00 in the signs' zone.
		w.Faces[2].Rules = &playlists.Rules{Off: []playlists.Window{{Days: []string{"fri"}, From: "22:00", Until: "07:30"}}}
		w.Faces[3].Rules = &playlists.Rules{Off: []playlists.Window{{Days: []string{"sat"}, From: "22:00", Until: "07:30"}}}
		s := w.open(t)
		s.o.Reach = func(sign string) string {
			return map[string]string{w.Faces[0].ID: "never", w.Faces[1].ID: "offline"}[sign]
		}
		if _, err := s.Create(t.Context(), author, w.order("a1", time.Hour)); err != nil {
			t.Fatal(err)
		}
		p, err := s.Preview(t.Context(), "a1")
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(p.Never, " ") + "|" + strings.Join(p.Offline, " ") + "|" + strings.Join(p.Dark, " ")
		if want := w.Faces[0].ID + "|" + w.Faces[1].ID + "|" + w.Faces[2].ID; got != want {
			t.Errorf("never|offline|dark: %s, want %s", got, want)
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
