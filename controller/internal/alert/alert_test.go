package alert

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// Each targeted sign is counted once, at the furthest it came.
func TestCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		s := w.open(t)
		run(t, s, w.order("a1", time.Hour))
		set := &timeline.AlertSet{Header: timeline.Header{Seq: 7}, Class: "128x64-rgb", Alerts: []timeline.Alert{{ID: "a1"}}}
		s.Published(set, false)
		s.Pictured("p1", "a1")
		is := func(when string, want ...int) {
			t.Helper()
			v := view(t, s, "a1")
			got := []int{v.Targeted, v.Sent, v.Received, v.Showing, v.Rejected, len(v.Missed), len(v.OutOfService)}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s: targeted, sent, received, showing, rejected, missed, out of service are %v, want %v", when, got, want)
			}
		}
		is("published", 4, 3, 0, 0, 0, 0, 1)
		time.Sleep(200 * time.Millisecond)
		s.Heard(Ack{Sign: "s1", Seq: 7, Alert: "a1", State: rejected, Reason: "missing-frame"})
		is("a frame is missed", 4, 2, 0, 0, 1, 0, 1)
		s.Heard(Ack{Sign: "s1", Seq: 7, Alert: "a1", State: received})
		is("and came", 4, 2, 1, 0, 0, 0, 1)
		s.Heard(Ack{Sign: "s1", Seq: 7, Alert: "a1", State: showing})
		s.Heard(Ack{Sign: "s1", Seq: 7, Alert: "a1", State: received})
		is("shows", 4, 2, 0, 1, 0, 0, 1)
		s.Heard(Ack{Sign: "s2", Seq: 6, State: rejected, Reason: "stale-seq"})
		s.Heard(Ack{Sign: "p1", Seq: 7, Alert: "a1", State: showing})
		s.Heard(Ack{Sign: "s9", Seq: 7, Alert: "a1", State: showing})
		is("a replayed set, a picture sign and a stranger speak", 4, 2, 0, 1, 0, 0, 1)
		s.Heard(Ack{Sign: "s2", Seq: 7, State: rejected, Reason: "unknown-key"})
		is("a whole set is refused", 4, 1, 0, 1, 1, 0, 1)
		if v := view(t, s, "a1"); len(v.Call) != 1 ||
			v.Call[0] != (playlists.AlertCall{Sign: "s2", Owner: "Công ty Quảng cáo Việt", Phone: "0255 3822 123"}) ||
			v.Times.P99MS != 200 {
			t.Errorf("call %+v, times %+v", v.Call, v.Times)
		}
		if s.Acked("s1", "a1") != true || s.Acked("s3", "a1") != false {
			t.Error("who has something to say is mistaken")
		}
		step(t, s)
		s = w.open(t) // a restart keeps the counts
		is("restarted", 4, 1, 0, 1, 1, 0, 1)
	})
}

// Silent for a minute is missed; out-of-service and picture signs never are.
func TestMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		s := w.open(t)
		run(t, s, w.order("a1", time.Hour))
		time.Sleep(59 * time.Second)
		if v := view(t, s, "a1"); len(v.Missed) != 0 {
			t.Errorf("after 59 s missed are %v", v.Missed)
		}
		time.Sleep(time.Second)
		if v := view(t, s, "a1"); fmt.Sprint(v.Missed) != "[s1 s2]" || len(v.Call) != 2 ||
			v.Call[0].Phone != "0255 1111 111" {
			t.Errorf("after 60 s missed are %v, call %+v", v.Missed, v.Call)
		}
		s.Heard(Ack{Sign: "s1", Alert: "a1", State: showing})
		if v := view(t, s, "a1"); fmt.Sprint(v.Missed) != "[s2]" {
			t.Errorf("missed are %v", v.Missed)
		}
		time.Sleep(time.Hour)
		step(t, s)
		if v := view(t, s, "a1"); v.State != playlists.AlertEnded || v.Why != playlists.EndExpired ||
			v.EndedMS != int64(v.Until)*1000 || fmt.Sprint(v.Missed) != "[s2]" {
			t.Errorf("in the end %s %s, missed %v", v.State, v.Why, v.Missed)
		}
		r, err := s.Report(t.Context(), "a1")
		if err != nil || len(r.Signs) != 4 || len(r.GaveWay) != 2 {
			t.Fatalf("%+v, %v", r, err)
		}
		if sum := r.GaveWay[0].MS + r.GaveWay[1].MS; sum != 3540_000 || r.Signs[1].Reached != showing ||
			r.Signs[1].ProofMS != 5000 {
			t.Errorf("one sign showed it for an hour less a minute, and gave way for %d ms; %+v", sum, r.Signs)
		}
	})
}

// What follows from a step is made true again after a death between two writes.
func TestDeathBetweenWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		s := w.open(t)
		o := w.order("a1", time.Hour)
		o.Correction = "sorry"
		run(t, s, o)
		o2 := w.order("a2", time.Hour)
		o2.Replaces, o2.Correction = "a1", "Đừng lo"
		if _, err := s.Create(t.Context(), author, o2); err != nil {
			t.Fatal(err)
		}
		// The end of the replaced one cannot be written.
		w.Fail = "alert/a1"
		if _, err := s.Approve(t.Context(), approver, "a2", read(t, s, "a2", 4)); err != nil {
			t.Fatal(err)
		}
		if got := wanted(s); got != "-a1:replaced a2 " {
			t.Errorf("wanted is %q", got)
		}
		s = w.open(t)
		if got := wanted(s); got != "-a1:replaced a2 " {
			t.Errorf("after the restart wanted is %q", got)
		}
		step(t, s)
		if v := view(t, s, "a1"); v.Why != playlists.EndReplaced || v.ReplacedBy != "a2" || v.EndedBy != approver.ID {
			t.Errorf("%+v", v.Alert)
		}
		// The correction cannot be written.
		time.Sleep(time.Minute)
		w.Fail = "alert/a2-correction"
		if _, err := s.Cancel(t.Context(), author, "a2", true); err != nil {
			t.Fatal(err)
		}
		s = w.open(t)
		step(t, s)
		if got := wanted(s); got != "-a1:replaced -a2:cancelled a2-correction " {
			t.Errorf("wanted is %q", got)
		}
		v := view(t, s, "a2-correction")
		if v.Corrects != "a2" || v.Until-v.From != playlists.CorrectionLife || v.Takeover != nil || v.Targeted != 4 {
			t.Errorf("the correction is %+v", v.Alert)
		}
		time.Sleep(11 * time.Minute)
		step(t, s)
		if got := wanted(s); got != "-a1:replaced -a2:cancelled " {
			t.Errorf("ten minutes later wanted is %q", got)
		}
		time.Sleep(time.Hour)
		if got := wanted(s); got != "" {
			t.Errorf("in the end wanted is %q", got)
		}
	})
}

// Nothing is wanted before it begins; one that replaces another later lets it
// run until then.
func TestBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		s := w.open(t)
		run(t, s, w.order("now", time.Hour))
		o := w.order("later", time.Hour)
		o.From, o.Replaces = playlists.Moment(time.Now().Add(time.Minute).Unix()), "now"
		run(t, s, o)
		step(t, s)
		if got := wanted(s); got != "now " {
			t.Errorf("wanted is %q", got)
		}
		if _, _, next := s.Wanted(time.Now()); next.Unix() != int64(o.From) {
			t.Errorf("the next change is at %v", next)
		}
		time.Sleep(time.Minute)
		if got := wanted(s); got != "-now:replaced later " {
			t.Errorf("wanted is %q", got)
		}
		// A wait before approval shortens no takeover.
		o = w.order("slow", time.Hour)
		if _, err := s.Create(t.Context(), author, o); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Minute)
		v, err := s.Approve(t.Context(), approver, "slow", read(t, s, "slow", 4))
		if err != nil || int64(v.From) != time.Now().Unix() {
			t.Errorf("from %d, now %d, %v", v.From, time.Now().Unix(), err)
		}
	})
}

// Two people rule by who they are, not by which of their keys they use.
func TestTwoPeople(t *testing.T) {
	w := newWorld()
	s := w.open(t)
	if _, err := s.Create(t.Context(), author, w.order("a1", time.Hour)); err != nil {
		t.Fatal(err)
	}
	denied := func(id string, areas ...string) {
		t.Helper()
		who := &playlists.Principal{ID: id, Owner: playlists.Public, Role: playlists.RoleApprover, Areas: areas}
		var e *playlists.Error
		if _, err := s.Approve(t.Context(), who, "a1", read(t, s, "a1", 4)); !errors.As(err, &e) || e.Code != playlists.Denied {
			t.Errorf("%s %v: %v", id, areas, err)
		}
	}
	denied("user:lan")
	denied("token:lan")
	denied("user:tam", "quang-ngai/son-tinh")
	w.Fail = "alert/a1"
	if _, err := s.Approve(t.Context(), approver, "a1", read(t, s, "a1", 4)); err == nil {
		t.Error("an approval that could not be written is one")
	}
	if v := view(t, s, "a1"); v.State != playlists.AlertPending || wanted(s) != "" {
		t.Errorf("it is %s", v.State)
	}
	if _, err := s.Approve(t.Context(), approver, "a1", read(t, s, "a1", 4)); err != nil {
		t.Fatal(err)
	}
	if last := w.Log[len(w.Log)-1]; last != "user:minh alert/a1" {
		t.Errorf("the log says %q", last)
	}
}

// What was approved is what is shown, whatever becomes of the message.
func TestLookIsKept(t *testing.T) {
	w := newWorld()
	s := w.open(t)
	o := w.order("a1", time.Hour)
	o.Text, o.Message = "", "sorry"
	run(t, s, o)
	before, drawn := w.Rows["alert-look/a1"], w.Drawn
	w.Words["sorry"] = "Something that nobody approved"
	s = w.open(t)
	c := w.Faces[0].Class
	art, err := s.Art(t.Context(), "a1", c)
	if err != nil || !strings.HasPrefix(string(art.Frames[0].Data), "Tin trước") || w.Drawn != drawn {
		t.Errorf("%v, drawn %d times more", err, w.Drawn-drawn)
	}
	if string(w.Rows["alert-look/a1"]) != string(before) {
		t.Error("the look was written again")
	}
}

// The drill is made when it is due, once, and not by a new installation.
func TestWeeklyDrill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // its clock begins on a Saturday, 2000-01-01 00:00 UTC
		w := newWorld()
		s := w.open(t)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); s.Run(ctx) }()
		drills := func() (ids []string) {
			list, err := s.List(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range list {
				ids = append(ids, v.ID+" "+string(v.State))
			}
			return ids
		}
		time.Sleep(2*24*time.Hour + 2*time.Hour - time.Second) // Monday 09:00 in Quảng Ngãi, less a second
		synctest.Wait()
		if got := drills(); len(got) != 0 {
			t.Errorf("before its time: %v", got)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := drills(); fmt.Sprint(got) != "[drill-2000-01-03 running]" {
			t.Fatalf("at its time: %v", got)
		}
		v := view(t, s, "drill-2000-01-03")
		if v.Targeted != 4 || v.Mode != playlists.AlertDrill || v.ApprovedBy != Controller.ID {
			t.Errorf("%+v", v)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		v = view(t, s, "drill-2000-01-03")
		if v.State != playlists.AlertEnded || fmt.Sprint(v.Missed) != "[s1 s2]" || v.Call[1].Phone == "" {
			t.Errorf("signs that failed: %v, call %+v", v.Missed, v.Call)
		}
		if err := s.SetDrill(t.Context(), author, playlists.DrillPlan{Day: "tue", At: "09:00"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(9 * 24 * time.Hour)
		synctest.Wait()
		if got := drills(); len(got) != 1 {
			t.Errorf("off, and yet %v", got)
		}
		if err := s.SetDrill(t.Context(), author, playlists.DrillPlan{On: true, Day: "funday", At: "09:00"}); err == nil {
			t.Error("a day that does not exist")
		}
		cancel()
		<-done
		var kept playlists.DrillPlan
		if err := json.Unmarshal(w.Rows["alert-setting/drill"], &kept); err != nil || kept.Day != "tue" {
			t.Errorf("%+v, %v", kept, err)
		}
	})
}
