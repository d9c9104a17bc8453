package app_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"ledcast/controller/internal/store"
	"ledcast/playlists"
	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

const letter = `"letter":{"number":"12/STTTT-TTBCXB","date":"2021-01-28"}`

// What cannot be planned is refused with field, value, numbers and remedy.
func TestWhatCannotBePlanned(t *testing.T) {
	t.Parallel()
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	many := `{"items":[` + strings.TrimSuffix(strings.Repeat(`{"message":"public/5k"},`, 10_000), ",") + `]}`
	const va = "/api/v1/owners/viet-ads/"
	c.all([]ask{
		{"viet-ads", "PUT", va + "playlists/own",
			`{"items":[{"message":"public/5k","dwell_ms":16000},{"message":"public/bluezone-install","dwell_ms":16000}]}`, nil,
			201, ""},
		{"viet-ads", "PUT", va + "playlists/own", many, nil, 413, "10000 items"},
		{"viet-ads", "PUT", va + "playlists/own", `{"items":[{"message":"public/5k","weight":-1}]}`, nil, 422, "weight"},
		{"viet-ads", "PUT", va + "playlists/own", `{"items":[{"message":"public/5k","first":"2021-02-30"}]}`, nil, 422,
			"2021-02-30"},
		{"viet-ads", "PUT", va + "playlists/own",
			`{"items":[{"message":"public/5k","weight":997},{"message":"public/bluezone-install"}]}`, nil, 413,
			"over the limit"},
		{"viet-ads", "PUT", va + "schedules/s1", `{"playlist":"nothing"}`, nil, 422, "does not exist"},
		{"viet-ads", "PUT", va + "schedules/s1", `{"playlist":"own","from":"08:00","until":"08:00"}`, nil, 422, "empty"},
		{"viet-ads", "PUT", va + "schedules/s1", `{"playlist":"own","first":"2021-02-11","last":"2021-02-10"}`, nil, 422,
			"2021-02-10"},
		{"viet-ads", "PUT", va + "schedules/s1", `{"playlist":"own","days":["funday"]}`, nil, 422, "funday"},
		{"viet-ads", "PUT", va + "schedules/s1", `{"playlist":"own","signs":["demo-320x160"]}`, nil, 422,
			"is not one of your signs"},
		{"viet-ads", "PUT", va + "schedules/s1",
			`{"playlist":"own","days":["mon"],"first":"2027-01-05","last":"2027-01-06"}`, nil, 422, ""},
		{"viet-ads", "PUT", va + "schedules/s1",
			`{"playlist":"own","from":"06:00","until":"22:00","signs":["demo-128x64"],"priority":10}`, nil, 201, ""},
		{"author", "PUT", "/api/v1/campaigns/c1",
			`{` + letter + `,"messages":["5k"],"share_percent":20,"areas":["quang-ngai"],` +
				`"first":"2026-01-01","last":"2027-12-31"}`, nil, 201, ""},
		{"viet-ads", "PUT", va + "agreements/deal", `{"share_percent":15}`, nil, 201, ""},
		{"viet-ads", "PUT", va + "agreements/deal", `{"share_percent":25}`, nil, 200, ""},
		{"author", "PUT", "/api/v1/campaigns/c1",
			`{` + letter + `,"messages":["5k"],"share_percent":30,"areas":["quang-ngai"],` +
				`"first":"2026-01-01","last":"2027-12-31"}`, nil, 422, "agreed to 25 %"},
		{"author", "PUT", "/api/v1/campaigns/c2",
			`{` + letter + `,"messages":["5k"],"share_percent":10,"areas":["quang-ngai"],` +
				`"first":"2026-01-01","last":"2027-12-31"}`, nil, 422, "5 % are left"},
		{"viet-ads", "PUT", va + "agreements/deal", `{"share_percent":10}`, nil, 422, "campaign c1 has 20 %"},
		{"viet-ads", "DELETE", va + "agreements/deal", "", nil, 422, "campaign c1"},
		{"author", "PUT", "/api/v1/campaigns/c1",
			`{"messages":["5k"],"share_percent":20,"areas":["quang-ngai"],"first":"2026-01-01","last":"2027-12-31"}`, nil, 422,
			"letter"},
		{"viet-ads", "PUT", "/api/v1/campaigns/c3",
			`{` + letter + `,"messages":["5k"],"share_percent":1,"areas":["quang-ngai"],` +
				`"first":"2026-01-01","last":"2027-12-31"}`, nil, 403, ""},
		{"author", "PUT", va + "agreements/theirs", `{"share_percent":90}`, nil, 403, ""},
		{"song-tra-ads", "GET", "/api/v1/campaigns", "", nil, 200, `"c1"`},
		{"viet-ads", "DELETE", "/api/v1/owners/public/messages/5k", "", nil, 403, ""},
		{"author", "DELETE", "/api/v1/owners/public/messages/5k", "", nil, 422, "still used by"},
		{"viet-ads", "DELETE", va + "playlists/own", "", nil, 422, "still used by schedule s1"},
	})
}

// A schedule and a campaign at work: what the sign is given, what `at` says of
// it and why, and its day.
func TestScheduleAndWhy(t *testing.T) {
	t.Parallel()
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	zone, err := time.LoadLocation("Asia/Ho_Chi_Minh")
	if err != nil {
		t.Fatal(err)
	}
	tomorrow := d.now().In(zone).AddDate(0, 0, 1)
	date := tomorrow.Format(time.DateOnly)
	const va = "/api/v1/owners/viet-ads/"
	c.all([]ask{
		{"viet-ads", "PUT", va + "playlists/own",
			`{"items":[{"message":"public/5k","dwell_ms":16000},{"message":"public/bluezone-install","dwell_ms":16000}]}`, nil,
			201, ""},
		{"viet-ads", "PUT", va + "playlists/night", `{"items":[{"message":"public/bluezone-install"}]}`, nil, 201, ""},
		{"viet-ads", "PUT", va + "schedules/day", `{"playlist":"own","from":"06:00","until":"22:00"}`, nil, 201, ""},
		{"viet-ads", "PUT", va + "schedules/late",
			`{"playlist":"night","from":"21:00","until":"02:00","signs":["demo-128x64"],"priority":5}`, nil, 201, ""},
		{"viet-ads", "PUT", va + "agreements/deal", `{"share_percent":20}`, nil, 201, ""},
		{"author", "PUT", "/api/v1/campaigns/bluezone",
			`{` + letter + `,"messages":["bluezone-install"],"share_percent":20,"areas":["quang-ngai"],"first":"` + date +
				`","last":"` + date + `"}`, nil, 201, ""},
	})
	eventually(t, "the sign has the campaign's items", func() bool {
		p := d.publisher.Plan("demo-128x64")
		return p != nil && p.Reasons != nil && d.source.Ready() == nil && len(p.Program.Segments) > 10
	})
	type why struct {
		Rule, Item, Zone, Time string
		Lost                   []struct{ Rule string }
		Campaigns              []struct {
			ID             string
			PlannedPercent float64 `json:"planned_percent"`
			Letter         struct{ Number string }
		}
	}
	at := func(hhmm string) (w why) {
		t.Helper()
		when, err := time.ParseInLocation("2006-01-02 15:04", date+" "+hhmm, zone)
		if err != nil {
			t.Fatal(err)
		}
		status, text, _ := c.do("viet-ads", "GET", "/api/v1/signs/demo-128x64/at?time="+when.UTC().Format(time.RFC3339), "")
		if err := json.Unmarshal([]byte(text), &w); err != nil || status != 200 {
			t.Fatal(status, text)
		}
		// The answer is the function's own.
		p := d.publisher.Plan("demo-128x64").Program
		shown := timeline.At(p, nil, timeline.Conditions{Sign: "demo-128x64", ClockTrusted: true,
			LastContactMS: when.UnixMilli()}, when.UnixMilli())
		if shown.Item != w.Item || shown.Rule != w.Rule {
			t.Errorf("at %s: %s by %s; its program says %s by %s", hhmm, w.Item, w.Rule, shown.Item, shown.Rule)
		}
		return w
	}
	for hhmm, want := range map[string]string{"01:00": "schedule:late", "03:00": "default", "12:00": "schedule:day",
		"20:59": "schedule:day", "21:30": "schedule:late", "23:59": "schedule:late"} {
		if w := at(hhmm); w.Rule != want || w.Zone != "Asia/Ho_Chi_Minh" {
			t.Errorf("at %s: %s, want %s (%+v)", hhmm, w.Rule, want, w)
		}
	}
	w := at("21:30")
	lost := ""
	for _, l := range w.Lost {
		lost += l.Rule + " "
	}
	if !strings.Contains(lost, "schedule:day") || !strings.Contains(lost, "default") {
		t.Errorf("who lost: %s", lost)
	}
	if len(w.Campaigns) != 1 || w.Campaigns[0].PlannedPercent < 20 || w.Campaigns[0].Letter.Number != "12/STTTT-TTBCXB" {
		t.Errorf("campaigns: %+v", w.Campaigns)
	}
	status, text, _ := c.do("viet-ads", "GET", "/api/v1/signs/demo-128x64/day?date="+date, "")
	var day struct {
		Spans []struct {
			From, Until int64
			Rule        string
		}
	}
	if err := json.Unmarshal([]byte(text), &day); err != nil || status != 200 {
		t.Fatal(status, text)
	}
	rules := ""
	for i, s := range day.Spans {
		rules += s.Rule + " "
		if i > 0 && s.From != day.Spans[i-1].Until {
			t.Errorf("a gap before span %d", i)
		}
	}
	// At 22:00 one rule fewer loses, so a span of its own begins.
	if rules != "schedule:late default schedule:day schedule:late schedule:late " {
		t.Errorf("the day: %s", rules)
	}
	// Before the first program of all there was none, to the second: not to the
	// next full hour.
	docs, err := d.store.Documents().History(t.Context(), wire.RoleProgram, "demo-128x64", 0, 1<<40)
	if err != nil || len(docs) == 0 {
		t.Fatal(len(docs), err)
	}
	first := time.Unix(docs[0].Iat, 0).In(zone)
	status, text, _ = c.do("viet-ads", "GET", "/api/v1/signs/demo-128x64/day?date="+first.Format(time.DateOnly), "")
	day.Spans = nil
	if err := json.Unmarshal([]byte(text), &day); err != nil || status != 200 {
		t.Fatal(status, text)
	}
	if s := day.Spans; len(s) < 2 || s[0].Rule != "none" || s[0].Until != first.Unix() || s[1].From != first.Unix() ||
		s[1].Rule == "none" {
		t.Errorf("the first program is of %d: %+v", first.Unix(), day.Spans)
	}
	for _, bad := range []string{"2021-02-30", "tomorrow", "2099-01-01"} {
		if status, _, _ := c.do("viet-ads", "GET", "/api/v1/signs/demo-128x64/day?date="+bad, ""); status != 422 {
			t.Errorf("date %s: %d", bad, status)
		}
	}
	// Far ahead, it is planned as it would be.
	if status, text, _ := c.do("viet-ads", "GET", "/api/v1/signs/demo-128x64/at?time="+tomorrow.AddDate(0,
		1, 0).UTC().Format(time.RFC3339), ""); status != 200 || !strings.Contains(text, `"seq":0`) {
		t.Errorf("in a month: %d %s", status, text)
	}
}

// A controller that starts again still says why, also of a sign whose plan
// cannot be made any more: the reasons are kept with the program in force.
func TestDayAfterRestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	day := func(d *installation) string {
		t.Helper()
		date := d.now().In(time.FixedZone("", 7*3600)).AddDate(0, 0, 2).Format(time.DateOnly)
		status, text, _ := newCaller(t, d).do("viet-ads", "GET", "/api/v1/signs/demo-128x64/day?date="+date, "")
		if status != 200 || !strings.Contains(text, `"rule":"schedule:own"`) || strings.Contains(text, `"rule":"none"`) {
			t.Errorf("the day: %d %s", status, text)
		}
		return text
	}
	d := startDemo(t, dir)
	newCaller(t, d).all([]ask{
		{"viet-ads", "PUT", "/api/v1/owners/viet-ads/messages/tet", tet, nil, 201, ""},
		{"viet-ads", "PUT", "/api/v1/owners/viet-ads/playlists/own", `{"items":[{"message":"tet"}]}`, nil, 201, ""},
		{"viet-ads", "PUT", "/api/v1/owners/viet-ads/schedules/own", `{"playlist":"own"}`, nil, 201, ""},
	})
	eventually(t, "the schedule is in force", func() bool {
		p := d.publisher.Plan("demo-128x64")
		return p != nil && p.Titles["viet-ads/tet"] != "" && d.source.Ready() == nil
	})
	before := day(d)
	// Behind the API's back, which refuses to delete what is used.
	if err := d.store.Objects().Delete(t.Context(), string(playlists.KindMessage), "viet-ads", "tet",
		store.AnyVersion); err != nil {
		t.Fatal(err)
	}
	d.stop(t)
	d = startDemo(t, dir)
	defer d.stop(t)
	eventually(t, "its plan cannot be made", func() bool {
		p, problem := d.source.Program("demo-128x64")
		return p != nil && problem.EN != ""
	})
	if after := day(d); before != after {
		t.Errorf("before the restart %s, after it %s", before, after)
	}
}
