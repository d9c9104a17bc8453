package app_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"ledcast/playlists"
)

// A controller that is killed while an alert is approved or cancelled: what it
// acknowledged holds, what it did not is one or the other, and the alert that
// runs is on its signs when the controller is back.
func TestKilledWithAnAlert(t *testing.T) {
	slow(t)
	t.Parallel()
	k := newVictim(t)
	k.start()
	k.setUp()
	second := k.enter(k.links()[1])
	second.want("PUT", "/api/v1/users/minh", `{"owner":"public","role":"approver"}`, 201)
	minh := k.enter(second.link("minh"))
	var made struct{ Secret string }
	text := minh.want("PUT", "/api/v1/tokens/second", `{"owner":"public","role":"approver"}`, 201)
	if err := json.Unmarshal([]byte(text), &made); err != nil || made.Secret == "" {
		t.Fatal(err, text)
	}
	first := k.token
	as := func(token string, f func()) {
		k.token = token
		f()
		k.token = first
	}
	random := rand.New(rand.NewPCG(3, 4))
	// step asks for a step, kills before or after its answer, and starts again.
	step := func(path, body string) (acknowledged bool) {
		t.Helper()
		answered := make(chan int, 1)
		go func() {
			status, _, err := k.try("POST", path, body)
			if err != nil {
				status = 0 // it was killed
			}
			answered <- status
		}()
		timer := time.NewTimer(time.Duration(random.IntN(4000)) * time.Microsecond) // a random moment
		<-timer.C
		k.kill()
		status := <-answered
		k.start()
		if status != 0 && status != 200 {
			t.Fatalf("%s: %d", path, status)
		}
		return status == 200
	}
	shows := func(id string) bool {
		_, text := k.do("GET", "/api/v1/signs/k-001/at", "")
		return strings.Contains(text, `"item":"`+id+`"`)
	}
	state := func(id string) (v playlists.AlertView) {
		_, text := k.do("GET", "/api/v1/alerts/"+id, "")
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err, text)
		}
		return v
	}
	kept := 0
	for i := range 5 {
		id := fmt.Sprintf("lu-%d", i)
		path := "/api/v1/alerts/" + id
		if status, text := k.do("POST", "/api/v1/alerts",
			fmt.Sprintf(`{"id":%q,"text":"Lũ","areas":["quang-ngai"],"until":%d,"correction":"Tin trước là nhầm"}`, id,
				time.Now().Unix()+3600)); status != 201 {
			t.Fatal(status, text)
		}
		var approved bool
		as(made.Secret, func() {
			var p playlists.AlertPreview
			if _, text := k.do("GET", path+"/preview", ""); json.Unmarshal([]byte(text), &p) != nil {
				t.Fatal(text)
			}
			approved = step(path+"/approve", fmt.Sprintf(`{"signs":1,"digest":%q}`, p.Digest))
		})
		v := state(id)
		if approved && v.State != playlists.AlertRunning || v.State != playlists.AlertRunning &&
			v.State != playlists.AlertPending {
			t.Fatalf("approved: %v, and after the kill it is %s", approved, v.State)
		}
		if v.State != playlists.AlertRunning {
			continue
		}
		kept++
		eventually(t, id+" is on the sign again", func() bool { return shows(id) })
		if v := state(id); v.Targeted != 1 {
			t.Errorf("%s counts %d signs", id, v.Targeted)
		}
		cancelled := step(path+"/cancel", `{"correction":true}`)
		v = state(id)
		if cancelled && v.State != playlists.AlertEnded {
			t.Fatalf("its cancel was acknowledged, and it is %s", v.State)
		}
		if v.State == playlists.AlertEnded {
			eventually(t, "its correction shows", func() bool { return shows(playlists.CorrectionID(id)) })
			if status, text := k.do("POST", "/api/v1/alerts/"+playlists.CorrectionID(id)+"/cancel", "{}"); status != 200 {
				t.Fatal(status, text)
			}
		} else if status, text := k.do("POST", path+"/cancel", "{}"); status != 200 {
			t.Fatal(status, text)
		}
		eventually(t, "nothing of it shows", func() bool { return !shows(id) && !shows(playlists.CorrectionID(id)) })
	}
	if status, text := k.do("GET", "/api/v1/audit/verify", ""); status != 200 {
		t.Errorf("the log: %d %s", status, text)
	}
	t.Logf("of 5 alerts %d ran after the kill", kept)
	k.kill()
}
