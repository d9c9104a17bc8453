package plan

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// memContent is a Content in memory. A message's id determines its artwork:
// "ad-8" is a still of 8 s, "ad-8+4" two pages, "ad~12" a strip of 12 s, and
// "ad-2500ms" a still of 2.5 s.
type memContent struct {
	lists    map[string]*playlists.Playlist
	messages map[string]*playlists.Message
	drawn    map[string]*playlists.Artwork
}

func newContent(lists ...*playlists.Playlist) *memContent {
	s := &memContent{lists: map[string]*playlists.Playlist{}, messages: map[string]*playlists.Message{},
		drawn: map[string]*playlists.Artwork{}}
	for _, l := range lists {
		s.lists[l.Owner+"/"+l.ID] = l
	}
	return s
}

func (s *memContent) Playlist(owner, id string) (*playlists.Playlist, error) {
	if l := s.lists[owner+"/"+id]; l != nil {
		return l, nil
	}
	return nil, &playlists.Error{Code: playlists.NotFound, Field: "playlists/" + id, Key: "not-here"}
}

func (s *memContent) Message(owner, id string) (*playlists.Message, error) {
	k := owner + "/" + id
	if s.messages[k] == nil {
		s.messages[k] = &playlists.Message{ID: id, Owner: owner, Variants: []playlists.Variant{{Lang: "vi", Body: id}}}
	}
	return s.messages[k], nil
}

func (s *memContent) Artwork(m *playlists.Message, c playlists.Class,
	motion playlists.Motion) (*playlists.Artwork, error) {
	k := fmt.Sprint(m.Owner, "/", m.ID, c, motion)
	if s.drawn[k] != nil {
		return s.drawn[k], nil
	}
	a := &playlists.Artwork{Level: 0.2}
	add := func(ms int64, scroll bool) {
		f := playlists.FrameFile{Data: []byte("x"), Frame: timeline.Frame{SHA256: fmt.Sprintf("%s#%d", k, len(a.Frames)),
			Len: 1, Type: "image/png", W: int64(c.W), H: int64(c.H)}}
		st := timeline.Step{Frame: int64(len(a.Frames)), MS: ms}
		if scroll && motion == playlists.Scrolls {
			st.Scroll = &timeline.Scroll{Axis: "x", PxS: 60}
			f.W = ms * 60 / 1000
		}
		a.Frames = append(a.Frames, f)
		a.Steps = append(a.Steps, st)
	}
	name, scroll := m.ID, false
	rest := name[strings.LastIndexAny(name, "-~")+1:]
	scroll = strings.Contains(name, "~")
	for _, part := range strings.Split(rest, "+") {
		unit := int64(1000)
		if strings.HasSuffix(part, "ms") {
			part, unit = strings.TrimSuffix(part, "ms"), 1
		}
		var n int64
		if _, err := fmt.Sscan(part, &n); err != nil {
			n = 8
		}
		add(n*unit, scroll)
	}
	s.drawn[k] = a
	return a, nil
}

// playlist parses "owner/id: ad-8 ad-6*3 ad-6#2", with * for weight and # for count.
func playlist(text string) *playlists.Playlist {
	name, rest, _ := strings.Cut(text, ":")
	p := &playlists.Playlist{}
	p.Owner, p.ID, _ = strings.Cut(name, "/")
	for _, f := range strings.Fields(rest) {
		it := playlists.Item{Message: f}
		if m, w, ok := strings.Cut(f, "*"); ok {
			it.Message = m
			fmt.Sscan(w, &it.Weight)
		}
		if m, w, ok := strings.Cut(f, "#"); ok {
			it.Message = m
			fmt.Sscan(w, &it.Count)
		}
		p.Items = append(p.Items, it)
	}
	return p
}

var testClass = playlists.Class{W: 128, H: 64, Colour: playlists.RGB}

func testSign(change ...func(*playlists.Sign)) *playlists.Sign {
	s := &playlists.Sign{ID: "qn-001", Owner: "viet-ads", Class: testClass, Areas: []string{"quang-ngai/son-tinh"},
		Playlist: "own", Tags: []string{"centre"}}
	for _, f := range change {
		f(s)
	}
	return s
}

func local(zone, text string) int64 {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		panic(err)
	}
	t, err := time.ParseInLocation("2006-01-02 15:04:05", text, loc)
	if err != nil {
		panic(err)
	}
	return t.Unix()
}

func dated1(list ...playlists.Schedule) (out []Dated[playlists.Schedule]) {
	for i, s := range list {
		if s.Owner == "" {
			s.Owner = "viet-ads"
		}
		out = append(out, Dated[playlists.Schedule]{s, int64(i)})
	}
	return out
}

// rulesAt returns the rule that shows at each of the times.
func rulesAt(t *testing.T, g *timeline.Program, zone string, times ...string) []string {
	t.Helper()
	var out []string
	for _, x := range times {
		at := local(zone, x) * 1000
		out = append(out, shownAt(g, at).Rule)
	}
	return out
}

func shownAt(g *timeline.Program, ms int64) timeline.Shown {
	h := *g
	h.Exp = ms/1000 + 1000
	return timeline.At(&h, nil, timeline.Conditions{ClockTrusted: true, LastContactMS: ms}, ms)
}

// testLists returns the playlists that most tests use.
func testLists() []*playlists.Playlist {
	return []*playlists.Playlist{playlist("public/default: d-8 e-6"), playlist("viet-ads/own: a-8 b-6"),
		playlist("viet-ads/day: day-10 day2-7"),
		playlist("viet-ads/night: night-9"), playlist("viet-ads/tet: tet-12 tet2-8+4")}
}

func TestWhichScheduleShows(t *testing.T) {
	night := playlists.Window{From: "22:00", Until: "02:00"}
	for _, c := range []struct {
		name  string
		zone  string
		sign  func(*playlists.Sign)
		rules []playlists.Schedule
		from  string
		want  string // "time rule" lines
	}{
		{name: "own playlist", from: "2021-02-11 00:00:00", want: `2021-02-11 12:00:00 playlist:own`},
		{name: "default rotation", sign: func(s *playlists.Sign) { s.Playlist = "" }, from: "2021-02-11 00:00:00",
			want: `2021-02-11 12:00:00 default`},
		{name: "past midnight belongs to its day",
			rules: []playlists.Schedule{
				{ID: "night", Playlist: "night", Window: playlists.Window{Days: []string{"fri"}, From: "22:00", Until: "02:00"}}},
			from: "2021-02-11 00:00:00", want: `
2021-02-12 21:59:59 playlist:own
2021-02-12 22:00:00 schedule:night
2021-02-13 01:59:59 schedule:night
2021-02-13 02:00:00 playlist:own
2021-02-13 22:00:00 playlist:own
2021-02-12 01:00:00 playlist:own`},
		{name: "Tết, first and last inclusive",
			rules: []playlists.Schedule{{ID: "tet", Playlist: "tet", First: "2021-02-11", Last: "2021-02-16"}},
			from:  "2021-02-10 00:00:00", want: `
2021-02-10 23:59:59 playlist:own
2021-02-11 00:00:00 schedule:tet
2021-02-16 23:59:59 schedule:tet
2021-02-17 00:00:00 playlist:own`},
		{name: "a last night ends in the next day",
			rules: []playlists.Schedule{{ID: "tet", Playlist: "tet", Window: night, First: "2021-02-11", Last: "2021-02-11"}},
			from:  "2021-02-10 00:00:00", want: `
2021-02-11 01:00:00 playlist:own
2021-02-12 01:59:59 schedule:tet
2021-02-12 22:30:00 playlist:own`},
		{name: "excepted is the day on which it begins",
			rules: []playlists.Schedule{{ID: "night", Playlist: "night", Window: night, Except: []string{"2021-02-12"}}},
			from:  "2021-02-11 00:00:00", want: `
2021-02-12 01:00:00 schedule:night
2021-02-12 23:00:00 playlist:own
2021-02-13 01:00:00 playlist:own
2021-02-13 23:00:00 schedule:night`},
		{name: "priority over narrower", rules: []playlists.Schedule{{ID: "aa", Playlist: "day", Priority: 1},
			{ID: "bb", Playlist: "night", Signs: []string{"qn-001"}}},
			from: "2021-02-11 00:00:00", want: `2021-02-11 12:00:00 schedule:aa`},
		{name: "named over tagged over all",
			rules: []playlists.Schedule{{ID: "all", Playlist: "day", Window: playlists.Window{From: "10:00", Until: "11:00"}},
				{ID: "tag", Playlist: "tet", Tags: []string{"centre"}}, {ID: "name", Playlist: "night",
					Signs: []string{"qn-001"}, First: "2021-02-12"}},
			from: "2021-02-11 00:00:00", want: `
2021-02-11 10:30:00 schedule:tag
2021-02-12 10:30:00 schedule:name`},
		{name: "not the sign's", rules: []playlists.Schedule{{ID: "tag", Playlist: "tet", Tags: []string{"harbour"}},
			{ID: "name", Playlist: "night", Signs: []string{"qn-002"}}, {ID: "other", Owner: "song-tra", Playlist: "x"}},
			from: "2021-02-11 00:00:00", want: `2021-02-11 10:30:00 playlist:own`},
		{name: "shorter hours", rules: []playlists.Schedule{{ID: "aa", Playlist: "day",
			Window: playlists.Window{From: "08:00", Until: "18:00"}},
			{ID: "bb", Playlist: "night", Window: playlists.Window{From: "09:00", Until: "10:00"}}},
			from: "2021-02-11 00:00:00", want: `
2021-02-11 08:30:00 schedule:aa
2021-02-11 09:30:00 schedule:bb
2021-02-11 10:00:00 schedule:aa`},
		{name: "fewer days", rules: []playlists.Schedule{
			{ID: "aa", Playlist: "day", Window: playlists.Window{Days: []string{"thu", "fri"}}},
			{ID: "bb", Playlist: "night", Window: playlists.Window{Days: []string{"thu"}}}},
			from: "2021-02-11 00:00:00", want: "2021-02-11 12:00:00 schedule:bb\n2021-02-12 12:00:00 schedule:aa"},
		{name: "shorter validity",
			rules: []playlists.Schedule{{ID: "aa", Playlist: "day", First: "2021-01-01", Last: "2021-12-31"},
				{ID: "bb", Playlist: "night", First: "2021-02-01", Last: "2021-02-28"}, {ID: "cc", Playlist: "tet"}},
			from: "2021-02-11 00:00:00", want: "2021-02-11 12:00:00 schedule:bb"},
		{name: "the newer", rules: []playlists.Schedule{{ID: "aa", Playlist: "day"}, {ID: "bb", Playlist: "night"}},
			from: "2021-02-11 00:00:00", want: "2021-02-11 12:00:00 schedule:bb"},
		{name: "off is dark", sign: func(s *playlists.Sign) {
			s.Rules = &playlists.Rules{Off: []playlists.Window{{From: "23:00", Until: "05:00"}}}
		}, rules: []playlists.Schedule{{ID: "aa", Playlist: "day", Priority: 100}},
			from: "2021-02-11 00:00:00",
			want: `
2021-02-11 22:59:59 schedule:aa
2021-02-11 23:00:00 off
2021-02-12 04:59:59 off
2021-02-12 05:00:00 schedule:aa`},
		{name: "a day of 23 hours", zone: "America/New_York",
			rules: []playlists.Schedule{{ID: "gap", Playlist: "day", Window: playlists.Window{From: "02:30", Until: "04:00"}}},
			from:  "2021-03-13 12:00:00", want: `
2021-03-14 01:59:59 playlist:own
2021-03-14 03:00:00 schedule:gap
2021-03-14 03:59:59 schedule:gap
2021-03-14 04:00:00 playlist:own
2021-03-15 02:29:59 playlist:own
2021-03-15 02:30:00 schedule:gap`},
		{name: "a day of 25 hours", zone: "Europe/Berlin",
			rules: []playlists.Schedule{{ID: "two", Playlist: "day", Window: playlists.Window{From: "01:00", Until: "02:30"}}},
			from:  "2021-10-30 12:00:00", want: `
2021-10-31 00:59:59 playlist:own
2021-10-31 01:00:00 schedule:two
2021-10-31 03:00:00 playlist:own
2021-11-01 02:29:59 schedule:two
2021-11-01 02:30:00 playlist:own`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := testSign()
			s.TimeZone = c.zone
			if c.sign != nil {
				c.sign(s)
			}
			zone := c.zone
			if zone == "" {
				zone = playlists.DefaultZone
			}
			from := local(zone, c.from)
			p, err := Plan(newContent(testLists()...), Rulebook{Schedules: dated1(c.rules...)}, s, from, from+8*86400)
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range strings.Split(strings.TrimSpace(c.want), "\n") {
				at, want := line[:19], line[20:]
				if got := rulesAt(t, p.Program, zone, at)[0]; got != want {
					t.Errorf("at %s %s, want %s", at, got, want)
				}
				if d, _ := p.Reasons.At(local(zone, at)); d == nil || d.Rule != want {
					t.Errorf("at %s the reasons say %+v", at, d)
				}
			}
		})
	}
}

// A time that occurs twice means the first, and a time that a clock change skips
// means the instant after the gap.
func TestHoursOfLongAndShortDays(t *testing.T) {
	for _, c := range []struct {
		zone, day string
		minutes   int
		want      string // UTC
	}{
		{"Europe/Berlin", "2021-10-31", 2*60 + 30, "2021-10-31T00:30:00Z"},
		{"Europe/Berlin", "2021-10-31", 3 * 60, "2021-10-31T02:00:00Z"},
		{"Europe/Berlin", "2021-03-28", 2*60 + 30, "2021-03-28T01:00:00Z"},
		{"America/New_York", "2021-11-07", 90, "2021-11-07T05:30:00Z"},
		{"America/New_York", "2021-03-14", 150, "2021-03-14T07:00:00Z"},
		{"America/Sao_Paulo", "2018-11-04", 0, "2018-11-04T03:00:00Z"},
		{"Australia/Lord_Howe", "2021-10-03", 135, "2021-10-02T15:30:00Z"},
		{"Asia/Ho_Chi_Minh", "2021-02-11", 24 * 60, "2021-02-11T17:00:00Z"},
		{"Asia/Ho_Chi_Minh", "2021-02-11", 26 * 60, "2021-02-11T19:00:00Z"},
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		d, _ := playlists.ParseDay(c.day)
		if got := time.Unix(newCalendar(zone).at(d, c.minutes), 0).UTC().Format(time.RFC3339); got != c.want {
			t.Errorf("%s %s %d min: %s, want %s", c.zone, c.day, c.minutes, got, c.want)
		}
	}
}

// A program that is exactly as large as a limit is allowed.
func TestLimitsOfProgram(t *testing.T) {
	of := func(frames, bytes, json int64) error {
		b := &body{program: &timeline.Program{Frames: make([]timeline.Frame, frames)}, bytes: bytes, json: json}
		return b.checkLimits(Limits{})
	}
	if err := of(maxFrames, maxFrameBytes, MaxProgram); err != nil {
		t.Error(err)
	}
	for key, err := range map[playlists.TextKey]error{"program-frames-over-limit": of(maxFrames+1, 0, 0),
		"program-bytes-over-limit": of(0, maxFrameBytes+1, 0), "program-json-over-limit": of(0, 0, MaxProgram+1)} {
		var e *playlists.Error
		if !errors.As(err, &e) || e.Key != key {
			t.Errorf("%s: %v", key, err)
		}
	}
	if err := (&body{program: &timeline.Program{Frames: make([]timeline.Frame, 9)}}).checkLimits(
		Limits{Frames: 8}); err == nil {
		t.Error("a sign's own limit of 8 frames allows 9")
	}
}

// Without contact a sign plays by its schedules to the end of its program, or for the hours that its owner set.
func TestCommLoss(t *testing.T) {
	lists := testLists()
	const day = 24 * 3600
	for _, c := range []struct {
		hours int64
		last  int64 // the last hour without contact in which the schedules hold
	}{{0, 8*24 - 1}, {1, 0}, {24, 23}, {100, 99}, {192, 8*24 - 1}} {
		s := testSign(func(s *playlists.Sign) { s.CommLossH = c.hours })
		p, err := Plan(newContent(lists...), Rulebook{}, s, testFrom, testFrom+8*day)
		if err != nil {
			t.Fatal(err)
		}
		g := p.Program
		g.Exp = testFrom + 8*day
		g.Prepare()
		why := func(hour int64) string {
			return timeline.At(g, nil, timeline.Conditions{Sign: s.ID, ClockTrusted: true, LastContactMS: testFrom * 1000},
				(testFrom+hour*3600)*1000).Why
		}
		if got := why(c.last); got != timeline.WhyProgram {
			t.Errorf("%d h: after %d h it shows by %s", c.hours, c.last, got)
		}
		if got := why(c.last + 1); got != timeline.WhyCommLoss {
			t.Errorf("%d h: after %d h it shows by %s", c.hours, c.last+1, got)
		}
		other := testSign()
		d1, err1 := NewPlanner(newContent(lists...), Rulebook{}).Digest(s)
		d2, err2 := NewPlanner(newContent(lists...), Rulebook{}).Digest(other)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		if (d1 == d2) != (c.hours == 0) {
			t.Errorf("%d h: the digest does not tell", c.hours)
		}
	}
}
