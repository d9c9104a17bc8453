package app_test

import (
	"path/filepath"
	"testing"
	"time"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
	"ledcast/sign/box"
)

// What else an alert can be, on the demo with two signs of our own: a test that
// only a test sign shows, a share of the face, a correction after a cancel.
func TestAlertKinds(t *testing.T) {
	slow(t)
	t.Parallel() // most of it waits
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	d.ready(t)
	live := attach(t, c.ownSign("va-001", "quang-ngai/son-tinh"), t.TempDir(), t.TempDir())
	defer live.stop(t)

	// A company proposes a test sign, the department approves it, and its file says so.
	c.want("viet-ads", "PUT", "/api/v1/signs/va-test", map[string]any{"owner": "viet-ads",
		"class": "128x64-rgb", "areas": []string{"quang-ngai/son-tinh"}, "test": true}, 202, nil)
	c.want("viet-ads", "POST", "/api/v1/signs/va-test/pending/approve", nil, 403, nil)
	c.want("admin", "POST", "/api/v1/signs/va-test/pending/approve", nil, 200, nil)
	config := filepath.Join(t.TempDir(), "va-test.json")
	writeFile(t, config, c.want("viet-ads", "POST", "/api/v1/signs/va-test/credentials", struct{}{}, 200, nil))
	if conf, err := box.LoadConfig(config); err != nil || !conf.Test {
		t.Fatalf("the config file of a test sign: %v", err)
	}
	tests := attach(t, config, t.TempDir(), t.TempDir())
	defer tests.stop(t)
	for _, a := range []*attached{live, tests} {
		eventually(t, "it plays", func() bool { return a.last(t).Why == timeline.WhyProgram })
	}

	c.want("author", "POST", "/api/v1/alerts", order("thu", time.Now().Add(time.Hour), map[string]any{"mode": "test"}),
		201, nil)
	if v := c.approve("thu"); v.Targeted != 1 {
		t.Errorf("a test is meant for %d signs", v.Targeted)
	}
	c.shows("thu", 1, 0)
	eventually(t, "the test sign shows it",
		func() bool { return tests.last(t).Item == "thu" && tests.last(t).Why == timeline.WhyAlert })
	c.want("author", "POST", "/api/v1/alerts/thu/cancel", nil, 200, nil)
	eventually(t, "the test sign has its program back", func() bool { return tests.last(t).Why == timeline.WhyProgram })

	// Half of the face's time, from the beginning.
	c.approved(order("nua", time.Now().Add(time.Hour), map[string]any{"signs": []string{"va-001"},
		"areas": []string{}, "takeover": map[string]int{"exclusive_s": 0, "share_percent": 50}}))
	c.shows("nua", 1, 0)
	eventually(t, "the alert has its turn", func() bool { return live.last(t).Item == "nua" })
	eventually(t, "the program has its turn", func() bool { return live.last(t).Why == timeline.WhyProgram })
	if v := c.alert("nua"); v.State != playlists.AlertRunning {
		t.Errorf("the alert is %s", v.State)
	}
	begin, end := turn(t, live, "nua")
	// Turns are by the clock, the same on every sign (docs/protocol.md, What is on the face at time t).
	set, _ := d.publisher.AlertSet("128x64-rgb", false)
	share, cycle := set.Alerts[0].ShareMS, set.Alerts[0].CycleMS
	if share <= 0 || cycle != 2*share {
		t.Fatalf("a share of half is %d of %d ms", share, cycle)
	}
	// a busy machine is late
	if from, until := begin%cycle, end%cycle; from >= share || until < share ||
		until > share+(cycle-share)/2 {
		t.Errorf("of a cycle of %d ms its turn was from %d to %d ms", cycle, from, until)
	}
	c.want("author", "POST", "/api/v1/alerts/nua/cancel", nil, 200, nil)

	// The correction that was approved with it, for ten minutes or until it is
	// cancelled itself.
	c.approved(order("nham", time.Now().Add(time.Hour), map[string]any{"correction": "Tin trước là nhầm"}))
	c.shows("nham", 5, 1)
	asked := time.Now()
	c.want("author", "POST", "/api/v1/alerts/nham/cancel", map[string]bool{"correction": true}, 200, nil)
	id := playlists.CorrectionID("nham")
	eventually(t, "the correction shows", func() bool { return live.last(t).Item == id && tests.last(t).Item == id })
	t.Logf("the correction showed after %v", time.Since(asked))
	v := c.shows(id, 5, 1)
	if v.Corrects != "nham" || v.Until-v.From != playlists.CorrectionLife || v.State != playlists.AlertRunning {
		t.Errorf("the correction is %+v", v.Alert)
	}
	c.want("author", "POST", "/api/v1/alerts/"+id+"/cancel", nil, 200, nil)
	for _, a := range []*attached{live, tests} {
		eventually(t, "the program is back", func() bool { return a.last(t).Why == timeline.WhyProgram })
	}
	for _, x := range live.changes(t) {
		if x.Item == "thu" {
			t.Error("a sign that is no test sign showed a test")
		}
	}
}

// turn is from when until when an item first showed for a second or more. The first turn may be shorter: the sign got
// the alert in the middle of it, or a signed time set its clock back by some milliseconds.
func turn(t *testing.T, a *attached, item string) (fromMS, untilMS int64) {
	t.Helper()
	eventually(t, item+" has a turn", func() bool {
		all := a.changes(t)
		for i, x := range all[:max(0, len(all)-1)] {
			if next := all[i+1]; x.Item == item && next.Item != item && next.AtMS-x.AtMS >= 1000 {
				fromMS, untilMS = x.AtMS, next.AtMS
				return true
			}
		}
		return false
	})
	return fromMS, untilMS
}
