package report_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"ledcast/controller/internal/report"
	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// signDay is a day of a sign in its zone.
type signDay struct{ sign, day string }

// knownTime returns for each day the time for which a sign can have records, in ms.
func knownTime(ran map[string][]report.Span) map[signDay]int64 {
	zone := time.FixedZone("", 7*3600) // Viet Nam has no daylight saving time
	out := map[signDay]int64{}
	for sign, spans := range ran {
		for _, x := range spans {
			for at := x.FromMS; at < x.UntilMS; {
				y, m, d := time.UnixMilli(at).In(zone).Date()
				end := min(x.UntilMS, time.Date(y, m, d+1, 0, 0, 0, 0, zone).UnixMilli())
				out[signDay{sign, fmt.Sprintf("%04d-%02d-%02d", y, m, d)}] += end - at
				at = end
			}
		}
	}
	return out
}

// compare compares the reports with what the outputs counted and with the times at which each sign ran.
func (w *week) compare(from, until int64, put map[string]map[playlists.Play][2]int64, ran map[string][]report.Span) {
	q := report.Query{From: from, Until: until}
	d, err := report.MakeDelivery(w.t.Context(), w.book, q)
	if err != nil {
		w.t.Fatal(err)
	}
	q.Campaign = "bluezone"
	shares, err := report.MakeShares(w.t.Context(), w.book, q)
	if err != nil {
		w.t.Fatal(err)
	}
	if n := len(d.Straddling) + len(shares.Straddling); n > 0 {
		w.t.Errorf("%d records lie only partly in the range: %v", n, d.Straddling)
	}
	campaign := comparePlays(w.t, d, put)
	days := knownTime(ran)
	compareCoverage(w.t, d, shares, days)
	w.t.Logf("%d signs, %d days, %d kills, %.0f hours without power: %d rows with each play counted once, "+
		"coverage of %d days of signs exact to the ms",
		len(put), (until-from)/86400, w.kills, w.off.Hours(), len(d.Rows), len(days))
	var sum report.Share
	for _, x := range shares.Rows {
		plus(&sum, x)
	}
	w.t.Logf("bluezone: %s", summary(sum))
	// Over whole loops the planned time is never less than asked. The week begins and ends within a loop, hence the
	// tolerance. A sign without contact for a day shows only its company's items.
	if float64(sum.PlannedMS) < 0.995*float64(sum.AskedMS) || campaign != [2]int64{sum.Shown, sum.ShownMS} ||
		sum.UnboundMS != 0 {
		w.t.Errorf("the campaign's share: %+v; the outputs showed %v", sum, campaign)
	}
	sevenItems(w.t, d, shares, w.signs[0].sign.ID, until-from)
}

func plus(sum *report.Share, x report.Share) {
	sum.BoundMS += x.BoundMS
	sum.AskedMS += x.AskedMS
	sum.PlannedMS += x.PlannedMS
	sum.ShownMS += x.ShownMS
	sum.Shown += x.Shown
	sum.ProvenMS += x.ProvenMS
	sum.UnboundMS += x.UnboundMS
}

func summary(x report.Share) string {
	p := func(ms int64) float64 { return report.Percent(ms, x.BoundMS) }
	return fmt.Sprintf("asked %.3f %%, planned %.3f %%, shown %.3f %% (%d plays) of %.1f hours, "+
		"of which %.2f %% are proven",
		p(x.AskedMS), p(x.PlannedMS), p(x.ShownMS), x.Shown, float64(x.BoundMS)/3600_000, p(x.ProvenMS))
}

// comparePlays compares the plays and ms of each item with what the outputs showed. It returns the plays and ms of
// the campaign.
func comparePlays(t *testing.T, d *report.Delivery, put map[string]map[playlists.Play][2]int64) (campaign [2]int64) {
	t.Helper()
	type row struct{ sign, item, why string }
	reported, seen := map[row][2]int64{}, map[row][2]int64{}
	for _, x := range d.Rows {
		k := row{x.Sign, x.Item, x.Why}
		reported[k] = [2]int64{reported[k][0] + x.Count, reported[k][1] + x.MS}
		if x.Why == timeline.WhyProgram && x.Owner != x.SignOwner && x.Owner != playlists.Public {
			t.Errorf("%s has an item of %q", x.Sign, x.Owner)
		}
	}
	for sign, sums := range put {
		for p, v := range sums {
			if p.Item == "install" {
				campaign = [2]int64{campaign[0] + v[0], campaign[1] + v[1]}
			}
			k := row{sign, p.Item, p.Why}
			seen[k] = [2]int64{seen[k][0] + v[0], seen[k][1] + v[1]}
		}
	}
	wrong := 0
	for _, k := range slices.SortedFunc(maps.Keys(seen),
		func(a, b row) int { return cmp.Or(cmp.Compare(a.sign, b.sign), cmp.Compare(a.item, b.item)) }) {
		if reported[k] != seen[k] {
			if wrong++; wrong < 10 {
				t.Errorf("%v: the report has %d plays, %d ms; the output showed %d, %d ms", k, reported[k][0],
					reported[k][1], seen[k][0], seen[k][1])
			}
		}
		delete(reported, k)
	}
	for k, v := range reported {
		if v != [2]int64{} {
			t.Errorf("%v: %v were reported but never shown", k, v)
		}
	}
	return campaign
}

// compareCoverage compares the proven time of the reports with the times at which the signs ran.
func compareCoverage(t *testing.T, d *report.Delivery, shares *report.Shares, days map[signDay]int64) {
	t.Helper()
	wrong := 0
	check := func(what string, k signDay, got int64) {
		if got != days[k] {
			if wrong++; wrong < 10 {
				t.Errorf("%s of %s on %s: %d ms, want %d", what, k.sign, k.day, got, days[k])
			}
		}
	}
	seen := map[signDay]bool{}
	for _, x := range d.Coverage {
		k := signDay{x.Sign, x.Day}
		seen[k] = true
		check("covered", k, x.MS)
		var missing int64
		for _, m := range x.Missing {
			missing += m.UntilMS - m.FromMS - m.ProvenMS
		}
		if missing != x.MissingMS || x.MS+x.MissingMS > 86_400_000 {
			t.Errorf("%v: %d ms covered, %d missing, in spans of %d", k, x.MS, x.MissingMS, missing)
		}
	}
	for k := range days {
		if !seen[k] {
			t.Errorf("%v is missing", k)
		}
	}
	for _, x := range shares.Rows { // the campaign always has a share
		check("proven", signDay{x.Sign, x.Day}, x.ProvenMS)
	}
}

// sevenItems checks a sign without outages against what was asked: seven items of weights 1 and 2 and a campaign of
// 20 %, in slots of 50 s.
func sevenItems(t *testing.T, d *report.Delivery, shares *report.Shares, sign string, seconds int64) {
	t.Helper()
	const slot = 50_000
	var sum report.Share
	rows := 0
	for _, x := range shares.Rows {
		if x.Sign != sign {
			continue
		}
		rows++
		plus(&sum, x)
		if x.ShownMS != x.PlannedMS || x.ProvenMS != x.BoundMS || x.AskedMS*5 != x.BoundMS {
			t.Errorf("%s on %s: %s", sign, x.Day, summary(x))
		}
	}
	if want := int(seconds / 86400); rows < want || sum.BoundMS != seconds*1000 {
		t.Errorf("%s has %d rows of %d ms in all, want %d days or more, %d s", sign, rows, sum.BoundMS, want, seconds)
	}
	if sum.PlannedMS < sum.AskedMS-slot || sum.PlannedMS > sum.AskedMS+sum.BoundMS/100+slot ||
		sum.Shown < sum.ShownMS/slot-1 || sum.Shown > sum.ShownMS/slot+1 {
		t.Errorf("seven weighted items on %s: %s", sign, summary(sum))
	}
	plays := map[string]int64{}
	for _, x := range d.Rows {
		if x.Sign == sign && x.Why == timeline.WhyProgram {
			plays[x.Item] += x.Count
		}
	}
	for i := range 7 {
		id, one := fmt.Sprintf("m%d", i), plays["m0"]
		if off := plays[id] - one*int64(1+i%2); one == 0 || off < -3 || off > 3 {
			t.Errorf("%s of weight %d plays %d times, one of weight 1 %d times", id, 1+i%2, plays[id], one)
		}
	}
	t.Logf("seven weighted items on %s, %d plays of the least: %s", sign, plays["m0"], summary(sum))
}
