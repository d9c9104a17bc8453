package manifest

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"ledcast/playlists"
)

const plannedManifest = `kind: Schedule
id: tet
owner: viet-ads
name: Tết Tân Sửu
playlist: tet
signs: [qn-001]
tags: [centre]
days: [sat, sun]
from: "22:00"
until: "02:00"
first: 2021-02-11
last: 2021-02-16
except: [2021-02-12]
priority: 10
---
kind: Campaign
id: bluezone
letter: {number: 123/STTTT-TTBCXB, date: 2021-01-29, url: "https://example.vn/123"}
messages: [bluezone, 5k]
share_percent: 20
areas: [quang-ngai]
from: "06:00"
until: "22:00"
first: 2021-01-30
last: 2021-03-31
---
kind: Agreement
id: viet-ads-2021
owner: viet-ads
share_percent: 25
tags: [centre]
first: 2021-01-01
---
kind: Playlist
id: tet
owner: viet-ads
items:
  - {message: ours, weight: 3}
  - {message: public/5k, count: 2, first: 2021-02-11, last: 2021-02-16}
`

func TestManifestOfSchedules(t *testing.T) {
	m, err := Parse("a.yaml", []byte(plannedManifest))
	if err != nil {
		t.Fatal(err)
	}
	s, c, a := All[*playlists.Schedule](m)[0], All[*playlists.Campaign](m)[0], All[*playlists.Agreement](m)[0]
	if s.Window.From != "22:00" || s.Window.Until != "02:00" || !reflect.DeepEqual(s.Days, []string{"sat", "sun"}) ||
		s.Except[0] != "2021-02-12" || s.Priority != 10 {
		t.Errorf("schedule is %+v", s)
	}
	if c.SharePercent != 20 || c.Letter.Number != "123/STTTT-TTBCXB" || c.Window.From != "06:00" ||
		c.First != "2021-01-30" {
		t.Errorf("campaign is %+v", c)
	}
	if a.SharePercent != 25 || a.Tags[0] != "centre" || a.First != "2021-01-01" || a.Last != "" {
		t.Errorf("agreement is %+v", a)
	}
	if p := All[*playlists.Playlist](m)[0]; p.Items[0].Weight != 3 || p.Items[1].Count != 2 ||
		p.Items[1].Last != "2021-02-16" {
		t.Errorf("playlist is %+v", p)
	}
	// JSON has the same field names on the same level.
	data, _ := json.Marshal(s)
	var back playlists.Schedule
	if err := json.Unmarshal(data, &back); err != nil || !reflect.DeepEqual(&back, s) ||
		!strings.Contains(string(data), `"from":"22:00"`) {
		t.Errorf("%s\n%v", data, err)
	}
}

func TestBadSchedules(t *testing.T) {
	many := func(n int) (out string) {
		for i := range n {
			out += fmt.Sprintf("  - {message: m-%d}\n", i)
		}
		return out
	}
	change := func(old, new string) string {
		if !strings.Contains(plannedManifest, old) {
			t.Fatalf("%q is not in the manifest", old)
		}
		return strings.Replace(plannedManifest, old, new, 1)
	}
	for name, k := range map[string]struct {
		yaml string
		code playlists.Code
		want []string
	}{
		"end before start": {change("last: 2021-02-16", "last: 2021-02-10"), playlists.Invalid,
			[]string{"schedules/tet.last", "2021-02-10", "2021-02-11"}},
		"no such date": {change("first: 2021-02-11", "first: 2021-02-30"), playlists.Invalid,
			[]string{"schedules/tet.first", "2021-02-30", "YYYY-MM-DD"}},
		"no such except": {change("except: [2021-02-12]", "except: [2021-13-01]"), playlists.Invalid,
			[]string{"schedules/tet.except[0]", "2021-13-01"}},
		"no such hour": {change(`until: "02:00"`, `until: "25:00"`), playlists.Invalid,
			[]string{"schedules/tet.until", "25:00"}},
		"no such weekday": {change("[sat, sun]", "[sat, sunday]"), playlists.Invalid,
			[]string{"schedules/tet.days[1]", "sunday"}},
		"empty window": {change(`until: "02:00"`, `until: "22:00"`), playlists.Invalid,
			[]string{"schedules/tet.until", "empty"}},
		"priority": {change("priority: 10", "priority: 101"), playlists.Invalid,
			[]string{"schedules/tet.priority", "101", "100"}},
		"no playlist": {change("playlist: tet\n", ""), playlists.Invalid,
			[]string{"schedules/tet.playlist", "missing"}},
		"sign twice": {change("[qn-001]", "[qn-001, qn-001]"), playlists.Invalid,
			[]string{"schedules/tet.signs[1]", "twice"}},
		"share of 0": {change("share_percent: 20\n", ""), playlists.Invalid,
			[]string{"campaigns/bluezone.share_percent", "1 to 100"}},
		"share over 100": {change("share_percent: 25", "share_percent: 101"), playlists.Invalid,
			[]string{"agreements/viet-ads-2021.share_percent", "101"}},
		"letter without number": {change("number: 123/STTTT-TTBCXB, ", ""), playlists.Invalid,
			[]string{"campaigns/bluezone.letter.number"}},
		"letter without date": {change("date: 2021-01-29, ", ""), playlists.Invalid,
			[]string{"campaigns/bluezone.letter.date"}},
		"no messages": {change("[bluezone, 5k]", "[]"), playlists.Invalid,
			[]string{"campaigns/bluezone.messages", "empty"}},
		"no areas or signs": {change("areas: [quang-ngai]\n", ""), playlists.Invalid,
			[]string{"campaigns/bluezone.areas"}},
		"campaign without end": {change("last: 2021-03-31\n", ""), playlists.Invalid,
			[]string{"campaigns/bluezone.last", "missing"}},
		"weight -1": {change("weight: 3", "weight: -1"), playlists.Invalid, []string{"items[0].weight", "-1"}},
		"count -1":  {change("count: 2", "count: -1"), playlists.Invalid, []string{"items[1].count", "-1"}},
		"weight and count": {change("weight: 3", "weight: 3, count: 1"), playlists.Invalid,
			[]string{"items[0].count", "weight 3"}},
		"item ends before begin": {change("last: 2021-02-16}", "last: 2021-02-10}"), playlists.Invalid,
			[]string{"items[1].last"}},
		"201 items":    {plannedManifest + many(199), playlists.TooLarge, []string{"items", "201", "200"}},
		"10,000 items": {plannedManifest + many(9998), playlists.TooLarge, []string{"items", "10000", "200"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("a.yaml", []byte(k.yaml))
			var e *playlists.Error
			if !errors.As(err, &e) || e.Code != k.code || e.English().Remedy == "" || e.Line == 0 {
				t.Fatalf("got %v", err)
			}
			for _, w := range k.want {
				if !strings.Contains(e.Error(), w) {
					t.Errorf("%q does not contain %q", e, w)
				}
			}
		})
	}
}
