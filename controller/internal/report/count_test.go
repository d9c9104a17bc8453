package report_test

import (
	"testing"

	"ledcast/controller/internal/report"
	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// Plays of an item are counted by its first frame. If an item shows this frame n times, n showings are one play.
func TestPlaysWithRepeatedFirstFrame(t *testing.T) {
	b := twoItems(playlists.PlayRecord{FromMS: day0 * 1000, UntilMS: day0*1000 + 15*minute, Plays: []playlists.Play{
		{Item: "install", Campaign: "bluezone", Frame: "blue", Why: "program", Count: 90, MS: 6 * minute},
		{Item: "install", Campaign: "bluezone", Frame: "red", Why: "program", Count: 45, MS: 90_000},
		{Item: "shoes", Frame: "ad", Why: "program", Count: 45, MS: 450_000}}})
	p := b.programs["qn-001"][0].Program
	p.Frames = append(p.Frames, timeline.Frame{SHA256: "red"})
	p.Items[0].Steps = []timeline.Step{{Frame: 0, MS: 4000}, {Frame: 2, MS: 2000}, {Frame: 0, MS: 4000}}
	p.Prepare()
	d, _ := delivery(t, b, hours(0, 1))
	counts := map[string]int64{}
	for _, r := range d.Rows {
		counts[r.Item] += r.Count
		if want := int64(450_000); r.MS != want {
			t.Errorf("%s: %d ms, want %d", r.Item, r.MS, want)
		}
	}
	if counts["install"] != 45 || counts["shoes"] != 45 {
		t.Errorf("plays %v", counts)
	}
}

// A record counts for the range that contains its middle, unless it crosses an edge of the range by more than a
// second.
func TestRecordAcrossRangeEdge(t *testing.T) {
	for _, c := range []struct {
		what       string
		from, till int64 // the record, in ms after day0
		counted    bool
		straddles  bool
	}{
		{"within", 70 * minute, 110 * minute, true, false},
		{"it ends a second late", 100 * minute, 120*minute + 1000, true, false},
		{"it ends later", 100 * minute, 120*minute + 1001, false, true},
		{"a third of it is later", 100 * minute, 130 * minute, false, true},
		{"it begins a second early", 60*minute - 1000, 80 * minute, true, false},
		{"it begins earlier", 60*minute - 1001, 80 * minute, false, true},
		{"a third of it is earlier", 50 * minute, 80 * minute, false, true},
		{"it begins a second before the next hour", 120*minute - 1000, 140 * minute, false, false},
		{"it begins more than a second before the next hour", 120*minute - 1001, 140 * minute, false, true},
	} {
		d, shown := delivery(t, twoItems(fullRecord(c.from, c.till)), hours(1, 2))
		ms := shown["2021-02-11 install"] + shown["2021-02-11 shoes"]
		if want := c.till - c.from; c.counted && ms != want || !c.counted && ms != 0 {
			t.Errorf("%s: %d of %d ms are counted", c.what, ms, want)
		}
		if (len(d.Straddling) == 1) != c.straddles {
			t.Errorf("%s: straddling %v", c.what, d.Straddling)
		}
	}
}

// The displaced time of an item is its planned time minus the time that the record proves.
func TestDisplacement(t *testing.T) {
	play := func(item, campaign, frame, why string, ms int64) playlists.Play {
		return playlists.Play{Item: item, Campaign: campaign, Frame: frame, Why: why, Count: 1, MS: ms}
	}
	quarter := 15 * minute
	b := twoItems(
		playlists.PlayRecord{FromMS: day0 * 1000, UntilMS: day0*1000 + quarter, Plays: []playlists.Play{
			play("storm", "", "s", "alert", 4*minute), play("flood", "", "f", "alert", minute),
			play("install", "bluezone", "blue", "program", 7*minute), // 7.5 min are planned
			play("shoes", "", "ad", "program", 3*minute)}},
		// In this record an item shows more than planned: it was not displaced.
		playlists.PlayRecord{FromMS: day0*1000 + quarter, UntilMS: day0*1000 + 2*quarter, Plays: []playlists.Play{
			play("storm", "", "s", "alert",
				5*minute), play("install", "bluezone", "blue", "program", 8*minute), play("shoes", "", "ad", "program", 2*minute)}},
		// In this record no alert is shown, so the missing time was not displaced by one.
		partialRecord(2*quarter, 3*quarter, 10*minute))
	for _, c := range []struct {
		content string
		want    []report.Displaced
	}{
		{"public", []report.Displaced{
			{Alerts: "flood storm", Owner: "public", Item: "install", Title: "BLUEZONE", MS: minute / 2},
			{Alerts: "flood storm", Owner: "viet-ads", MS: 9 * minute / 2},
			{Alerts: "storm", Owner: "viet-ads", MS: 11 * minute / 2}}},
		{"viet-ads", []report.Displaced{
			{Alerts: "flood storm", Owner: "public", Item: "install", Title: "BLUEZONE", MS: minute / 2},
			{Alerts: "flood storm", Owner: "viet-ads", Item: "shoes", Title: "GIÀY", MS: 9 * minute / 2},
			{Alerts: "storm", Owner: "viet-ads", Item: "shoes", Title: "GIÀY", MS: 11 * minute / 2}}},
	} {
		q := hours(0, 1)
		q.Content = c.content
		d, err := report.MakeDisplacement(t.Context(), b, q)
		if err != nil {
			t.Fatal(err)
		}
		if len(d.Rows) != len(c.want) {
			t.Fatalf("for %s: %+v", c.content, d.Rows)
		}
		for i, want := range c.want {
			want.Day, want.Sign, want.SignOwner = "2021-02-11", "qn-001", "viet-ads"
			if d.Rows[i] != want {
				t.Errorf("for %s: %+v\nwant %+v", c.content, d.Rows[i], want)
			}
		}
	}
}
