package app_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"ledcast/playlists/timeline"
)

// What a sign shows at a time says when it would leave its schedules, and reckons with a sign that is offline now.
func TestAtKnowsOfCommLoss(t *testing.T) {
	slow(t)
	t.Parallel()
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	d.ready(t)
	config := c.ownSign("va-001", "quang-ngai/son-tinh")
	c.want("viet-ads", "PUT", "/api/v1/signs/va-001", map[string]any{"owner": "viet-ads", "class": "128x64-rgb",
		"areas": []string{"quang-ngai/son-tinh"}, "comm_loss_h": 2}, 200, nil)
	sign := attach(t, config, t.TempDir(), t.TempDir())
	eventually(t, "it plays", func() bool { return sign.last(t).Why == timeline.WhyProgram })
	var at struct {
		Why        string
		CommLossMS int64 `json:"comm_loss_ms"`
	}
	ask := func(when time.Time) string {
		t.Helper()
		status, text, _ := c.do("viet-ads", "GET",
			"/api/v1/signs/va-001/at?time="+url.QueryEscape(when.UTC().Format(time.RFC3339)), "")
		if err := json.Unmarshal([]byte(text), &at); status != http.StatusOK || err != nil {
			t.Fatal(status, text)
		}
		return at.Why
	}
	in3h := time.Now().Add(3 * time.Hour)
	if why := ask(in3h); why != timeline.WhyProgram || at.CommLossMS != in3h.Truncate(time.Second).UnixMilli()+2*3600_000 {
		t.Errorf("while it is connected: %s, comm loss at %d", why, at.CommLossMS)
	}
	sign.stop(t)
	eventually(t, "offline", func() bool { return !d.source.Heard("va-001").Online })
	if why := ask(in3h); why != timeline.WhyCommLoss {
		t.Errorf("while it is offline: %s", why)
	}
	if why := ask(time.Now().Add(time.Hour)); why != timeline.WhyProgram {
		t.Errorf("an hour after it went offline: %s", why)
	}
}
