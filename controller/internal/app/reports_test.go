package app_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"ledcast/controller/internal/report"
)

// What signs proved, as the API tells it: to a company its own, to the
// department without a company's content, and right over what was since deleted.
func TestReportsOverHTTP(t *testing.T) {
	slow(t)
	t.Parallel()
	dir := t.TempDir()
	d := startDemo(t, dir)
	c := newCaller(t, d)
	const va = "/api/v1/owners/viet-ads/"
	c.all([]ask{
		{"viet-ads", "PUT", "/api/v1/signs/va-off", `{"owner":"viet-ads","class":"64x32-red","areas":["quang-ngai"]}`, nil,
			201, ""},
		{"viet-ads", "PUT", va + "messages/tet", tet, nil, 201, ""},
		{"viet-ads", "PUT", va + "playlists/own", `{"items":[{"message":"tet","dwell_ms":4000}]}`, nil, 201, ""},
		{"viet-ads", "PUT", va + "schedules/s1", `{"playlist":"own","signs":["demo-128x64"]}`, nil, 201, ""},
	})
	eventually(t, "the sign plays it", func() bool { return d.source.Heard("demo-128x64").Item == "tet" })
	// A sign that stops closes its record, and sends it when it is back.
	began := d.now()
	// The sign has it a little after the controller has heard of it, by its own clock.
	eventually(t, "it stood for a while", func() bool { return d.now().Sub(began) > 1500*time.Millisecond })
	d.stop(t)
	d = startDemo(t, dir)
	defer d.stop(t)
	c = newCaller(t, d)
	eventually(t, "the proof is there", func() bool {
		n, _, err := d.store.Proofs().End(t.Context(), "demo-128x64", chainOf(t, d, "demo-128x64"))
		return err == nil && n > 0
	})
	c.all([]ask{
		{"viet-ads", "DELETE", va + "schedules/s1", "", nil, 204, ""},
		{"viet-ads", "DELETE", va + "playlists/own", "", nil, 204, ""},
		{"viet-ads", "DELETE", va + "messages/tet", "", nil, 204, ""},
	})
	read := func(as, query string) (out report.Delivery) {
		t.Helper()
		status, text, _ := c.do(as, "GET", "/api/v1/reports/delivery"+query, "")
		if err := json.Unmarshal([]byte(text), &out); err != nil || status != 200 {
			t.Fatal(status, text)
		}
		return out
	}
	own := read("viet-ads", "?sign=demo-128x64")
	var shown *report.Delivered
	for i := range own.Rows {
		if own.Rows[i].Item == "tet" {
			shown = &own.Rows[i]
		}
	}
	if shown == nil || shown.MS < 1000 || shown.Count < 1 || shown.Title != "CHÚC MỪNG" || shown.Owner != "viet-ads" ||
		shown.Why != "program" {
		t.Fatalf("%+v of %+v", shown, own.Rows)
	}
	var covered, missing int64
	for _, x := range own.Coverage {
		covered, missing = covered+x.MS, missing+x.MissingMS
	}
	if covered < shown.MS || covered+missing < 86_000_000 || missing == 0 {
		t.Errorf("covered %d ms, missing %d ms of a day", covered, missing)
	}
	dept := read("author", "")
	if !slices.Contains(dept.Unproven, "va-off") {
		t.Errorf("unproven: %v of %+v", dept.Unproven, dept.Coverage)
	}
	for _, x := range dept.Rows {
		if x.Owner == "viet-ads" && (x.Item != "" || x.Title != "") {
			t.Errorf("the department reads a company's content: %+v", x)
		}
	}
	for query, says := range map[string]string{"?format=csv": "day,sign,sign_owner,why",
		"?format=table": "are not proven"} {
		if status, text, _ := c.do("viet-ads", "GET", "/api/v1/reports/delivery"+query, ""); status != 200 ||
			!strings.Contains(text, says) {
			t.Errorf("%s: %d %.200s", query, status, text)
		}
	}
	for query, want := range map[string]int{"?from=2021-02-30": 422, "?from=2021-01-01&to=2026-01-01": 422,
		"?from=2026-02-02&to=2026-02-01": 422, "?format=pdf": 422, "?owner=song-tra-ads": 404} {
		if status, text, _ := c.do("viet-ads", "GET", "/api/v1/reports/delivery"+query, ""); status != want {
			t.Errorf("%s: %d %s", query, status, text)
		}
	}
	// A range is widened to whole quarters, and says so; CSV names what is not proven.
	if x := read("viet-ads", "?from=2021-02-11T06:07:00%2B07:00&to=2021-02-11T06:31:00%2B07:00"); x.From != 1612998000 ||
		x.Until != 1612999800+900 {
		t.Errorf("from %d until %d", x.From, x.Until)
	}
	if _, text, _ := c.do("author", "GET", "/api/v1/reports/delivery?format=csv", ""); !strings.Contains(text,
		",va-off,viet-ads,coverage,,,,,,,0.000,") {
		t.Errorf("CSV names no sign without proof: %s", text)
	}
	uptime(t, c)
	if status, _, _ := c.do("viet-ads", "GET", "/api/v1/reports/nothing", ""); status != 404 {
		t.Errorf("an unknown report: %d", status)
	}
}

// uptime is told of one's own signs, and to the department of all.
func uptime(t *testing.T, c *caller) {
	t.Helper()
	read := func(as string) (out report.Uptimes) {
		t.Helper()
		status, text, _ := c.do(as, "GET", "/api/v1/reports/uptime", "")
		if err := json.Unmarshal([]byte(text), &out); err != nil || status != 200 {
			t.Fatal(status, text)
		}
		return out
	}
	eventually(t, "signs are written down as online", func() bool {
		for _, as := range []string{"viet-ads", "song-tra-ads"} {
			if !slices.ContainsFunc(read(as).Rows, func(x report.Uptime) bool { return x.OnlineMS > 0 }) {
				return false
			}
		}
		return true
	})
	for as, signs := range map[string]int{"viet-ads": 3, "song-tra-ads": 2, "author": 5} {
		out := read(as)
		sums := map[string]int64{}
		var online int64
		for _, x := range out.Rows {
			if as != "author" && x.SignOwner != as {
				t.Errorf("%s reads of %s of %s", as, x.Sign, x.SignOwner)
			}
			sums[x.Sign] += x.OnlineMS + x.OfflineMS + x.UnknownMS
			online += x.OnlineMS
		}
		for sign, ms := range sums {
			if ms < 86_400_000 || ms > 86_400_000+15*60_000 {
				t.Errorf("%s: %d ms of a day are told of", sign, ms)
			}
		}
		if len(sums) != signs || online == 0 {
			t.Errorf("%s reads of %d signs, want %d; online for %d ms", as, len(sums), signs, online)
		}
	}
	for query, says := range map[string]string{"?format=csv": "day,sign,sign_owner,online_seconds",
		"?format=table": "OFFLINE_SECONDS"} {
		if status, text, _ := c.do("viet-ads", "GET", "/api/v1/reports/uptime"+query, ""); status != 200 ||
			!strings.Contains(text, says) {
			t.Errorf("%s: %d %.200s", query, status, text)
		}
	}
	if status, _, _ := c.do("viet-ads", "GET", "/api/v1/reports/uptime?owner=song-tra-ads", ""); status != 404 {
		t.Errorf("another company's: %d", status)
	}
}

// chainOf is the chain of a sign's records, as its records show it.
func chainOf(t *testing.T, d *installation, sign string) string {
	t.Helper()
	list, err := d.store.Proofs().Records(t.Context(), recordsOf(sign))
	if err != nil || len(list) == 0 {
		return "none yet"
	}
	return list[0].Chain
}
