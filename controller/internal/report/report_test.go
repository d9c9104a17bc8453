package report_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ledcast/controller/internal/report"
	"ledcast/playlists"
	"ledcast/playlists/plan"
	"ledcast/playlists/timeline"
)

// day0 is 2021-02-11 00:00 in Viet Nam, as Unix seconds.
const day0, minute, hour = int64(1612976400), int64(60_000), int64(3600_000)

// twoItems returns a book with one sign. For two days its program alternates between an item of the department and
// one of the company, 10 s each.
func twoItems(records ...playlists.PlayRecord) *book {
	p := &timeline.Program{Sign: "qn-001", Frames: []timeline.Frame{{SHA256: "blue"}, {SHA256: "ad"}},
		Items: []timeline.Item{{ID: "install", Owner: "public", Campaign: "bluezone",
			Steps: []timeline.Step{{Frame: 0, MS: 10_000}}},
			{ID: "shoes", Owner: "viet-ads", Steps: []timeline.Step{{Frame: 1, MS: 10_000}}}},
		Loops:    []timeline.Loop{{Anchor: day0, Order: []int64{0, 1}}},
		Segments: []timeline.Segment{{From: day0, Until: day0 + 2*86400, Loop: 0}}}
	p.Exp = day0 + 8*86400
	p.Prepare()
	reasons := &plan.Reasons{
		Decisions: []plan.Decision{
			{Campaigns: []plan.Share{
				{ID: "bluezone", AskedPercent: 50, Letter: playlists.Letter{Number: "12", Date: "2021-01-28"}}}}},
		Spans: []plan.Span{{From: day0, Until: day0 + 86400, Decision: 0}}} // the campaign has a share on the first day
	return &book{map[string][]plan.InForce{"qn-001": {{From: day0, Until: day0 + 2*86400, Program: p,
		Notes: &plan.Notes{Owner: "viet-ads", Titles: map[string]string{"viet-ads/shoes": "GIÀY",
			"public/install": "BLUEZONE"}, Reasons: reasons}}}},
		map[string][]playlists.PlayRecord{"qn-001": records}}
}

// fullRecord returns a record from a until b (ms after day0) with plays of both items for the whole time.
func fullRecord(a, b int64) playlists.PlayRecord { return partialRecord(a, b, b-a) }

// partialRecord returns a record whose plays add up to ms.
func partialRecord(a, b, ms int64) playlists.PlayRecord {
	return playlists.PlayRecord{FromMS: day0*1000 + a, UntilMS: day0*1000 + b, Plays: []playlists.Play{
		{Item: "install", Campaign: "bluezone", Frame: "blue", Why: "program", Count: ms / 20_000, MS: ms / 2},
		{Item: "shoes", Frame: "ad", Why: "program", Count: ms / 20_000, MS: ms - ms/2}}}
}

func delivery(t *testing.T, b *book, q report.Query) (d *report.Delivery, shown map[string]int64) {
	t.Helper()
	d, err := report.MakeDelivery(t.Context(), b, q)
	if err != nil {
		t.Fatal(err)
	}
	shown = map[string]int64{}
	for _, r := range d.Rows {
		shown[r.Day+" "+r.Item] += r.MS
	}
	return d, shown
}

func hours(from, until int64) report.Query {
	return report.Query{From: day0 + from*3600, Until: day0 + until*3600}
}

// A range counts the records in it. Adjacent ranges count each record once.
func TestRangeEdges(t *testing.T) {
	quarter := 15 * minute
	var records []playlists.PlayRecord
	for at := int64(0); at < 4*hour; at += quarter {
		late := at % (3 * quarter) / quarter * 7 // a timer that is up to 14 ms late
		records = append(records, fullRecord(at+late, at+quarter+(at+quarter)%(3*quarter)/quarter*7))
	}
	b := twoItems(records...)
	all, whole := delivery(t, b, hours(0, 4))
	var sum, plays int64
	for h := range int64(4) {
		d, shown := delivery(t, b, hours(h, h+1))
		sum += shown["2021-02-11 install"]
		for _, r := range d.Rows {
			plays += r.Count
		}
		if ms := shown["2021-02-11 install"] + shown["2021-02-11 shoes"]; ms < hour-20 || ms > hour+20 ||
			d.Coverage[0].MissingMS > 20 || len(d.Straddling) > 0 {
			t.Errorf("hour %d: %v %+v %+v", h, shown, d.Coverage, d.Straddling)
		}
	}
	if sum != whole["2021-02-11 install"] || plays != all.Rows[0].Count+all.Rows[1].Count {
		t.Errorf("the sum of four hours is %d ms, %d plays; the whole range has %v", sum, plays, all.Rows)
	}

	// A record that crosses an edge by more than a second is counted on neither side, but listed.
	b = twoItems(fullRecord(0, 50*minute), fullRecord(50*minute, 70*minute), fullRecord(70*minute, 2*hour))
	for _, q := range []report.Query{hours(0, 1), hours(1, 2)} {
		d, shown := delivery(t, b, q)
		if ms := shown["2021-02-11 install"] + shown["2021-02-11 shoes"]; ms != 50*minute || d.Coverage[0].MS != 50*minute ||
			d.Coverage[0].MissingMS != 10*minute ||
			len(d.Straddling) != 1 || d.Straddling[0].FromMS != day0*1000+50*minute {
			t.Errorf("%v: %v %+v %+v", q, shown, d.Coverage, d.Straddling)
		}
		var text bytes.Buffer
		if err := d.Table().WriteText(&text); err != nil || !strings.Contains(text.String(),
			"qn-001: the record from 2021-02-10T17:50:00Z until 2021-02-10T18:10:00Z is not counted") {
			t.Errorf("%v %s", err, text.String())
		}
	}
	if d, shown := delivery(t, b, hours(0, 2)); shown["2021-02-11 install"] != hour || len(d.Straddling) != 0 ||
		d.Coverage[0].MissingMS != 0 {
		t.Errorf("both hours: %v %+v", shown, d.Coverage)
	}

	// Future time is not missing.
	q := hours(0, 24)
	q.Now = day0 + 2*3600
	if d, _ := delivery(t, b, q); d.Coverage[0].MissingMS != 0 || d.Coverage[0].MS != 2*hour {
		t.Errorf("at two o'clock: %+v", d.Coverage)
	}
}

// A record counts for its day. A record that was not closed at midnight counts for the day that contains most of
// it.
func TestDaysOfRecords(t *testing.T) {
	b := twoItems(fullRecord(24*hour-15*minute, 24*hour), fullRecord(24*hour, 24*hour+15*minute))
	d, shown := delivery(t, b, hours(0, 48))
	if shown["2021-02-11 install"] != 15*minute/2 || shown["2021-02-12 install"] != 15*minute/2 ||
		d.Coverage[0].MS != 15*minute || d.Coverage[1].MS != 15*minute {
		t.Errorf("%v %+v", shown, d.Coverage)
	}
	b = twoItems(fullRecord(23*hour, 24*hour+20*minute))
	d, shown = delivery(t, b, hours(0, 48))
	if shown["2021-02-11 install"] != 40*minute || len(shown) != 2 || d.Coverage[0].MS != hour ||
		d.Coverage[1].MS != 20*minute {
		t.Errorf("%v %+v", shown, d.Coverage)
	}
}

// The proven time is never more than the sum of the plays, and overlapping records do not count twice.
func TestCoverage(t *testing.T) {
	for _, c := range []struct {
		name    string
		records []playlists.PlayRecord
		covered int64
		missing string // from-until:proven, in minutes from the beginning
	}{
		{"nothing", nil, 0, "0-240:0"},
		{"whole", []playlists.PlayRecord{fullRecord(0, 4*hour)}, 240, ""},
		{"20 minutes of plays in three hours", []playlists.PlayRecord{partialRecord(0, 3*hour, 20*minute),
			fullRecord(3*hour, 4*hour)}, 80, "0-180:20"},
		{"two chains cover the same time", []playlists.PlayRecord{fullRecord(0, hour), fullRecord(0, hour),
			fullRecord(30*minute, 2*hour)}, 120, "120-240:0"},
		// All of the partial record's proven time may be within the full record.
		{"partial and full", []playlists.PlayRecord{partialRecord(0, 2*hour, 60*minute),
			fullRecord(30*minute, 60*minute)}, 30, "0-30:0 60-240:0"},
		{"out of order", []playlists.PlayRecord{fullRecord(2*hour, 3*hour), fullRecord(0, hour)}, 120,
			"60-120:0 180-240:0"},
		{"no time at all", []playlists.PlayRecord{{FromMS: day0 * 1000, UntilMS: day0 * 1000}}, 0, "0-240:0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, _ := delivery(t, twoItems(c.records...), hours(0, 4))
			x := d.Coverage[0]
			var missing []string
			for _, m := range x.Missing {
				missing = append(missing, fmt.Sprintf("%d-%d:%d", (m.FromMS-day0*1000)/minute,
					(m.UntilMS-day0*1000)/minute, m.ProvenMS/minute))
			}
			if x.MS != c.covered*minute || x.MissingMS != (240-c.covered)*minute || strings.Join(missing, " ") != c.missing {
				t.Errorf("covered %d min, missing %d min in %v; want %d in %s", x.MS/minute, x.MissingMS/minute, missing,
					c.covered, c.missing)
			}
			s, err := report.MakeShares(t.Context(), twoItems(c.records...), hours(0, 4))
			if err != nil || s.Rows[0].ProvenMS != c.covered*minute || s.Rows[0].BoundMS != 4*hour ||
				s.Rows[0].PlannedMS != 2*hour {
				t.Errorf("%+v %v", s.Rows, err)
			}
		})
	}
}

// Time that a campaign is shown while it has no share is reported separately.
func TestUnboundTime(t *testing.T) {
	b := twoItems(fullRecord(23*hour, 24*hour), fullRecord(24*hour, 25*hour))
	s, err := report.MakeShares(t.Context(), b, hours(0, 48))
	if err != nil || len(s.Rows) != 2 {
		t.Fatalf("%+v %v", s, err)
	}
	if x := s.Rows[0]; x.ShownMS != 30*minute || x.UnboundMS != 0 || x.Shown != 180 || x.BoundMS != 24*hour ||
		x.ProvenMS != hour {
		t.Errorf("with a share: %+v", x)
	}
	if x := s.Rows[1]; x.ShownMS != 0 || x.UnboundMS != 30*minute || x.Shown != 0 || x.BoundMS != 0 ||
		x.Letter.Number != "12" {
		t.Errorf("without a share: %+v", x)
	}
}

// A sign that was without contact plays an older program. The report finds its items there.
func TestOlderProgram(t *testing.T) {
	b := twoItems(fullRecord(30*hour, 31*hour))
	older := b.programs["qn-001"][0]
	older.Until = day0 + 24*3600
	newer := older
	newer.From, newer.Until = older.Until, older.Until+86400
	p := *older.Program
	p.Items = []timeline.Item{{ID: "hats", Owner: "viet-ads", Steps: []timeline.Step{{Frame: 1, MS: 10_000}}}}
	p.Loops = []timeline.Loop{{Anchor: day0, Order: []int64{0}}}
	p.Prepare()
	newer.Program = &p
	b.programs["qn-001"] = []plan.InForce{older, newer}
	d, _ := delivery(t, b, hours(24, 48))
	if len(d.Rows) != 2 || d.Rows[0].Owner != "public" || d.Rows[0].Title != "BLUEZONE" || d.Rows[1].Owner != "viet-ads" {
		t.Errorf("%+v", d.Rows)
	}
}

// The CSV has the coverage of every sign and day, including signs without any record.
func TestCSVCoverage(t *testing.T) {
	b := twoItems(fullRecord(0, 4*hour))
	b.programs["qn-002"] = b.programs["qn-001"]
	d, _ := delivery(t, b, hours(0, 26))
	var out bytes.Buffer
	if err := d.Table().WriteCSV(&out); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	var covered, shown float64
	for _, r := range rows[1:] {
		if r[3] == "coverage" {
			got = append(got, strings.Join([]string{r[0], r[1], r[10], r[11]}, " "))
		}
		var a, b float64
		_, _ = fmt.Sscan(r[9], &a)
		_, _ = fmt.Sscan(r[10], &b)
		shown, covered = shown+a, covered+b
	}
	want := []string{"2021-02-11 qn-001 14400.000 72000.000", "2021-02-12 qn-001 0.000 7200.000",
		"2021-02-11 qn-002 0.000 86400.000", "2021-02-12 qn-002 0.000 7200.000"}
	if !slices.Equal(got, want) || shown != 14400 || covered != 14400 {
		t.Errorf("%v, want %v; %f s shown, %f covered", got, want, shown, covered)
	}
	if head := strings.Join(rows[0],
		","); head != "day,sign,sign_owner,why,owner,item,title,campaign,plays,seconds,covered_seconds,missing_seconds" {
		t.Error(head)
	}
}

// A spreadsheet must not interpret a title as a formula: companies choose the titles.
func TestCSVEscapesFormulas(t *testing.T) {
	titles := []string{`=HYPERLINK("http://x","BLUEZONE")`, "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1",
		"＠x", "a,b\"c\"\nd=1", "5 % = 5K", "", "'=1"}
	table := &report.Table{Head: []string{"title", "plays"}}
	for _, x := range titles {
		table.Rows = append(table.Rows, []string{x, "1"})
	}
	var out bytes.Buffer
	if err := table.WriteCSV(&out); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil || len(rows) != len(titles)+1 {
		t.Fatal(len(rows), err)
	}
	for i, r := range rows[1:] {
		runs := r[0] != "" && strings.ContainsAny(string([]rune(r[0])[:1]), "=+-@\t\r\n＝＋－＠")
		if words := strings.ReplaceAll(strings.ReplaceAll(titles[i], "\r", ""), "\n", ""); runs ||
			!strings.HasSuffix(strings.ReplaceAll(strings.ReplaceAll(r[0], "\r", ""), "\n", ""), words) {
			t.Errorf("%q is written as %q", titles[i], r[0])
		}
	}
	// The same holds for a title in a whole report.
	b := twoItems(fullRecord(0, hour))
	b.programs["qn-001"][0].Notes.Titles["viet-ads/shoes"] = "=cmd|' /C calc'!A0"
	d, _ := delivery(t, b, hours(0, 1))
	out.Reset()
	if err := d.Table().WriteCSV(&out); err != nil || !strings.Contains(out.String(), ",'=cmd|' /C calc'!A0,") {
		t.Errorf("%v %s", err, out.String())
	}
}

// history returns conditions of signs that were online, offline and unknown for a third of the first day each, and
// unknown after that.
type history struct{ from, until time.Time }

func (h *history) Conditions(_ context.Context, _ string, from, until time.Time) (own, watched []playlists.Condition,
	err error) {
	h.from, h.until = from, until
	at := func(ms int64) int64 { return from.UnixMilli() + ms }
	return []playlists.Condition{{AtMS: at(0), Online: true, Clock: "untrusted"},
			{AtMS: at(minute), Online: true, Clock: "trusted"},
			{AtMS: at(2 * hour), Online: true, Clock: "trusted", Faults: []string{"panel 3"}},
			{AtMS: at(3 * hour), Online: true, Clock: "trusted"},
			{AtMS: at(4 * hour)}, {AtMS: at(8 * hour), Online: true, Clock: "trusted"}, {AtMS: at(12 * hour)}},
		[]playlists.Condition{{AtMS: at(0), Online: true}, {AtMS: at(16 * hour)}}, nil
}

func TestUptime(t *testing.T) {
	b := twoItems()
	b.programs["qn-002"] = b.programs["qn-001"]
	d := &history{}
	q := hours(0, 48)
	q.Owner, q.Now = "viet-ads", day0+30*3600
	u, err := report.MakeUptime(t.Context(), b, d, q)
	if err != nil || len(u.Rows) != 4 || !d.until.Equal(time.Unix(q.Now, 0)) {
		t.Fatalf("%+v %v until %v", u, err, d.until)
	}
	if x := u.Rows[1]; x.Sign != "qn-002" || x.SignOwner != "viet-ads" || x.Day != "2021-02-11" || x.Outages != 2 {
		t.Errorf("%+v", u.Rows)
	}
	var out bytes.Buffer
	if err := u.Table().WriteCSV(&out); err != nil {
		t.Fatal(err)
	}
	want := "day,sign,sign_owner,online_seconds,offline_seconds,unknown_seconds,online_percent," +
		"outages,clock_untrusted_seconds,faulty_seconds\r\n" +
		"2021-02-11,qn-001,viet-ads,28800.000,28800.000,28800.000,50.00,2,60.000,3600.000\r\n"
	if !strings.HasPrefix(out.String(), want) ||
		!strings.Contains(out.String(), "2021-02-12,qn-002,viet-ads,0.000,0.000,21600.000,,0,0.000,0.000\r\n") {
		t.Error(out.String())
	}
	q.Owner = "song-tra-ads"
	if u, err = report.MakeUptime(t.Context(), b, d, q); err != nil || len(u.Rows) != 0 {
		t.Errorf("the report of another company has %+v %v", u, err)
	}
}
