package app_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"ledcast/controller/internal/api"
)

// A sign's history over HTTP: over a restart of the controller, in which nobody
// listened, and what is not asked well.
func TestHealthOverHTTP(t *testing.T) {
	slow(t)
	t.Parallel()
	dir := t.TempDir()
	d := startDemo(t, dir)
	c := newCaller(t, d)
	const path = "/api/v1/signs/demo-128x64/health"
	read := func(query string) (out api.HealthHistory) {
		t.Helper()
		status, text, _ := c.do("viet-ads", "GET", path+query, "")
		if err := json.Unmarshal([]byte(text), &out); err != nil || status != 200 {
			t.Fatal(status, text)
		}
		return out
	}
	last := func() api.HealthSpan {
		x := read("")
		return x.Spans[len(x.Spans)-1]
	}
	eventually(t, "it is online, its clock trusted",
		func() bool { x := last(); return x.State == "online" && x.Clock == "trusted" })
	if x := read(""); len(x.Days) != 7 || x.Zone != "Asia/Ho_Chi_Minh" || x.Spans[0].State != "unknown" ||
		x.Days[6].OnlineMS == 0 || x.Days[0].UnknownMS != 86_400_000 {
		t.Errorf("%+v", x)
	}
	d.stop(t)
	d = startDemo(t, dir)
	defer d.stop(t)
	c = newCaller(t, d)
	eventually(t, "it is online again", func() bool { return last().State == "online" })
	states := ""
	for _, x := range read("").Spans {
		if !strings.HasSuffix(states, x.State+" ") { // at first its clock is not trusted yet
			states += x.State + " "
		}
	}
	// Some signs still say that they leave; others are cut off with the broker.
	if !strings.HasPrefix(states, "unknown online unknown ") &&
		!strings.HasPrefix(states, "unknown online offline unknown ") {
		t.Errorf("over a restart: %s", states)
	}
	today := time.Now().In(time.FixedZone("", 7*3600)).Format(time.DateOnly)
	if x := read("?from=" + today + "&to=" + today); len(x.Days) != 1 || x.UntilMS > d.now().UnixMilli() {
		t.Errorf("today: %+v", x)
	}
	for query, want := range map[string]int{"?from=2021-02-30": 422, "?from=2020-01-01": 422, "?from=2099-01-01": 422,
		"?to=2021-01-01": 422, "?to=x": 422} {
		if status, text, _ := c.do("viet-ads", "GET", path+query, ""); status != want {
			t.Errorf("%s: %d %s", query, status, text)
		}
	}
	if status, _, _ := c.do("song-tra-ads", "GET", path, ""); status != 404 {
		t.Errorf("another company gets %d", status)
	}
}
