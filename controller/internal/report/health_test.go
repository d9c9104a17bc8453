package report

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"ledcast/playlists"
)

// TestHealthSpans checks that a sign's history has its conditions for the times at which the controller listened.
func TestHealthSpans(t *testing.T) {
	zone, err := time.LoadLocation(playlists.DefaultZone)
	if err != nil {
		t.Fatal(err)
	}
	day := time.Date(2021, 2, 11, 0, 0, 0, 0, zone)
	at := func(hours float64) int64 { return day.Add(time.Duration(hours * float64(time.Hour))).UnixMilli() }
	up := func(hours float64, clock string, faults ...string) playlists.Condition {
		return playlists.Condition{AtMS: at(hours), Online: true, Clock: clock, Faults: faults}
	}
	down := func(hours float64) playlists.Condition { return playlists.Condition{AtMS: at(hours)} }
	for _, x := range []struct {
		what         string
		own, watched []playlists.Condition
		want         string
	}{
		{"never connected", nil, []playlists.Condition{up(-9, "")}, "0-48 unknown"},
		{"controller not listening", []playlists.Condition{up(1, "trusted")}, nil, "0-48 unknown"},
		{"from the day before", []playlists.Condition{up(-30, "trusted")}, []playlists.Condition{up(-30, "")},
			"0-48 online trusted"},
		{"an outage and a fault", []playlists.Condition{up(-3, "trusted"), down(6), up(7, "untrusted"),
			up(7.5, "trusted"), up(9, "trusted", "tấm 3"), up(30, "trusted")}, []playlists.Condition{up(-9, "")},
			"0-6 online trusted, 6-7 offline, 7-7.5 online untrusted, 7.5-9 online trusted, " +
				"9-30 online trusted tấm 3, 30-48 online trusted"},
		{"the controller was away", []playlists.Condition{up(-3, "trusted"), down(20)},
			[]playlists.Condition{up(-9, ""), down(4), up(10, "")},
			"0-4 online trusted, 4-10 unknown, 10-20 online trusted, 20-48 offline"},
		{"over midnight", []playlists.Condition{down(23), up(25, "trusted")}, []playlists.Condition{up(-9, "")},
			"0-23 unknown, 23-25 offline, 25-48 online trusted"},
	} {
		spans := Spans(x.own, x.watched, at(0), at(48))
		var got []string
		for _, s := range spans {
			hour := func(ms int64) string { return fmt.Sprint(float64(ms-at(0)) / 3_600_000) }
			got = append(got, strings.TrimSpace(
				hour(s.FromMS)+"-"+hour(s.UntilMS)+" "+strings.Join(append([]string{string(s.State), s.Clock}, s.Faults...), " ")))
		}
		if text := strings.ReplaceAll(strings.Join(got, ", "), "offline ,", "offline,"); strings.ReplaceAll(text,
			"unknown ,", "unknown,") != x.want {
			t.Errorf("%s: %s, want %s", x.what, text, x.want)
		}
		days := Days(spans, zone)
		if len(days) != 2 || days[0].Day != "2021-02-11" || days[1].UntilMS != at(48) {
			t.Fatalf("%s: days %+v", x.what, days)
		}
		for _, d := range days {
			if d.OnlineMS+d.OfflineMS+d.UnknownMS != 24*3_600_000 {
				t.Errorf("%s: %+v is not a whole day", x.what, d)
			}
		}
		const hour = 3_600_000
		if x.what == "an outage and a fault" {
			want := playlists.ConditionDay{Day: "2021-02-11", FromMS: at(0), UntilMS: at(24), OnlineMS: 23 * hour,
				OfflineMS: hour, FaultyMS: 15 * hour, ClockMS: hour / 2, Outages: 1}
			if !reflect.DeepEqual(days[0], want) {
				t.Errorf("%+v, want %+v", days[0], want)
			}
			if days[1].FaultyMS != 6*hour || days[1].Outages != 0 {
				t.Errorf("%+v", days[1])
			}
		}
	}
}
