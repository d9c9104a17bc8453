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

// Each targeted sign counts once, at its last stage.
func TestCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		s := w.open(t)
		run(t, s, w.order("a1", time.Hour))
		set := &timeline.AlertSet{Header: timeline.Header{Seq: 7}, Class: "128x64-rgb",
			Alerts: []timeline.Alert{{ID: "a1"}}}
		s.Published(set, false)
		s.Pictured("p1", "a1")
		expect := func(when string, want ...int) {
			t.Helper()
			v := view(t, s, "a1")
			got := []int{v.Targeted, v.Sent, v.Received, v.Showing, v.Rejected, len(v.Missed), len(v.OutOfService)}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s: targeted, sent, received, showing, rejected, missed, out of service are %v, want %v",
					when, got, want)
			}
		}
		expect("published", 4, 3, 0, 0, 0, 0, 1)
		time.Sleep(200 * time.Millisecond)
		s.HandleAck(Ack{Sign: "s1", Seq: 7, Alert: "a1", State: rejected, Reason: "missing-frame"})
		expect("a frame is missing", 4, 2, 0, 0, 1, 0, 1)
		s.HandleAck(Ack{Sign: "s1", Seq: 7, Alert: "a1", State: received})
		expect("the frame arrived", 4, 2, 1, 0, 0, 0, 1)
		s.HandleAck(Ack{Sign: "s1", Seq: 7, Alert: "a1", State: showing})
		s.HandleAck(Ack{Sign: "s1", Seq: 7, Alert: "a1", State: received})
		expect("shows", 4, 2, 0, 1, 0, 0, 1)
		s.HandleAck(Ack{Sign: "s2", Seq: 6, State: rejected, Reason: "stale-seq"})
		s.HandleAck(Ack{Sign: "p1", Seq: 7, Alert: "a1", State: showing})
		s.HandleAck(Ack{Sign: "s9", Seq: 7, Alert: "a1", State: showing})
		expect("acks of an older set, a picture sign and an unknown sign", 4, 2, 0, 1, 0, 0, 1)
		s.HandleAck(Ack{Sign: "s2", Seq: 7, State: rejected, Reason: "unknown-key"})
		expect("a whole set is rejected", 4, 1, 0, 1, 1, 0, 1)
		if v := view(t, s, "a1"); len(v.Call) != 1 ||
			v.Call[0] != (playlists.AlertCall{Sign: "s2", Owner: "Công ty Quảng cáo Việt", Phone: "0255 3822 123"}) ||
			v.Times.P99MS != 200 {
			t.Errorf("call %+v, times %+v", v.Call, v.Times)
		}
		if s.Acked("s1", "a1") != true || s.Acked("s3", "a1") != false {
			t.Error("Acked is wrong")
		}
		step(t, s)
		s = w.open(t) // a restart keeps the counts
		expect("restarted", 4, 1, 0, 1, 1, 0, 1)
	})
}

// A sign misses an alert after a minute without ack, unless it is out of service or a picture sign.
func TestMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		s := w.open(t)
		run(t, s, w.order("a1", time.Hour))
		time.Sleep(59 * time.Second)
		if v := view(t, s, "a1"); len(v.Missed) != 0 {
			t.Errorf("after 59 s missed by %v", v.Missed)
		}
		time.Sleep(time.Second)
		if v := view(t, s, "a1"); fmt.Sprint(v.Missed) != "[s1 s2]" || len(v.Call) != 2 ||
			v.Call[0].Phone != "0255 1111 111" {
			t.Errorf("after 60 s missed by %v, call %+v", v.Missed, v.Call)
		}
		s.HandleAck(Ack{Sign: "s1", Alert: "a1", State: showing})
		if v := view(t, s, "a1"); fmt.Sprint(v.Missed) != "[s2]" {
			t.Errorf("missed by %v", v.Missed)
		}
		time.Sleep(time.Hour)
		step(t, s)
		if v := view(t, s, "a1"); v.State != playlists.AlertEnded || v.Why != playlists.EndExpired ||
			v.EndedMS != int64(v.Until)*1000 || fmt.Sprint(v.Missed) != "[s2]" {
			t.Errorf("in the end %s %s, missed %v", v.State, v.Why, v.Missed)
		}
		r, err := s.Report(t.Context(), "a1")
		if err != nil || len(r.Signs) != 4 || len(r.GaveWay) != 1 || r.GaveWay[0].Item != "" {
			t.Fatalf("%+v, %v", r, err)
		}
		if sum := r.GaveWay[0].MS; sum != 3540_000 || r.Signs[1].Reached != showing ||
			r.Signs[1].ProofMS != 5000 {
			t.Errorf("one sign showed it for an hour less a minute, and gave way for %d ms; %+v", sum, r.Signs)
		}
	})
}

// Step recovers the consequences of a state change after a crash between two writes.
func TestCrashBetweenWrites(t *testing.T) {
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
		if got := active(s); got != "-a1:replaced a2 " {
			t.Errorf("active: %q", got)
		}
		s = w.open(t)
		if got := active(s); got != "-a1:replaced a2 " {
			t.Errorf("active after the restart: %q", got)
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
		if got := active(s); got != "-a1:replaced -a2:cancelled a2-correction " {
			t.Errorf("active: %q", got)
		}
		v := view(t, s, "a2-correction")
		if v.Corrects != "a2" || v.Until-v.From != playlists.CorrectionLife || v.Takeover != nil || v.Targeted != 4 {
			t.Errorf("the correction is %+v", v.Alert)
		}
		time.Sleep(11 * time.Minute)
		step(t, s)
		if got := active(s); got != "-a1:replaced -a2:cancelled " {
			t.Errorf("active ten minutes later: %q", got)
		}
		time.Sleep(time.Hour)
		if got := active(s); got != "" {
			t.Errorf("active in the end: %q", got)
		}
	})
}

// An alert is not active before it starts. An alert that replaces another ends it only then.
func TestBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		s := w.open(t)
		run(t, s, w.order("now", time.Hour))
		o := w.order("later", time.Hour)
		o.From, o.Replaces = playlists.Moment(time.Now().Add(time.Minute).Unix()), "now"
		run(t, s, o)
		step(t, s)
		if got := active(s); got != "now " {
			t.Errorf("active: %q", got)
		}
		if _, _, next := s.Wanted(time.Now()); next.Unix() != int64(o.From) {
			t.Errorf("the next change is at %v", next)
		}
		time.Sleep(time.Minute)
		if got := active(s); got != "-now:replaced later " {
			t.Errorf("active: %q", got)
		}
		// An alert without From starts at its approval.
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

// The approver must be another person than the author, not only another credential.
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
		_, err := s.Approve(t.Context(), who, "a1", read(t, s, "a1", 4))
		if !errors.As(err, &e) || e.Code != playlists.Denied {
			t.Errorf("%s %v: %v", id, areas, err)
		}
	}
	denied("user:lan")
	denied("token:lan")
	denied("user:tam", "quang-ngai/son-tinh")
	w.Fail = "alert/a1"
	if _, err := s.Approve(t.Context(), approver, "a1", read(t, s, "a1", 4)); err == nil {
		t.Error("an approval succeeded without being written")
	}
	if v := view(t, s, "a1"); v.State != playlists.AlertPending || active(s) != "" {
		t.Errorf("it is %s", v.State)
	}
	if _, err := s.Approve(t.Context(), approver, "a1", read(t, s, "a1", 4)); err != nil {
		t.Fatal(err)
	}
	if last := w.Log[len(w.Log)-1]; last != "user:minh alert/a1" {
		t.Errorf("the log says %q", last)
	}
}

// Signs show what was approved even if the message changes.
func TestRenderingIsStored(t *testing.T) {
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
		t.Error("the rendering was written again")
	}
}

// The weekly drill starts once when it is due, but not before a new installation.
func TestWeeklyDrill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the clock starts on a Saturday, 2000-01-01 00:00 UTC
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
			t.Errorf("the drill is off, but there are %v", got)
		}
		bad := playlists.DrillPlan{On: true, Day: "funday", At: "09:00"}
		if err := s.SetDrill(t.Context(), author, bad); err == nil {
			t.Error("SetDrill accepted an unknown day")
		}
		cancel()
		<-done
		var kept playlists.DrillPlan
		if err := json.Unmarshal(w.Rows["alert-setting/drill"], &kept); err != nil || kept.Day != "tue" {
			t.Errorf("%+v, %v", kept, err)
		}
	})
}
