package plan

import (
	"errors"
	"strings"
	"testing"

	"ledcast/playlists"
)

func campaign(id string, percent int64, change ...func(*playlists.Campaign)) playlists.Campaign {
	c := playlists.Campaign{ID: id, Letter: playlists.Letter{Number: id, Date: "2021-01-29"},
		Messages: []string{"blue-8"}, SharePercent: percent, Areas: []string{"quang-ngai"}, First: "2021-01-30",
		Last: "2021-03-31"}
	for _, f := range change {
		f(&c)
	}
	return c
}

func agreement(percent int64, change ...func(*playlists.Agreement)) playlists.Agreement {
	a := playlists.Agreement{ID: "ag", Owner: "viet-ads", SharePercent: percent}
	for _, f := range change {
		f(&a)
	}
	return a
}

// Check refuses changes that break a plan, and says the numbers.
func TestCheck(t *testing.T) {
	content := newContent(append(testLists(), playlist("viet-ads/long: "+strings.Repeat("long-90 x-20 ", 9)),
		playlist("viet-ads/half: h-100 i-100 j-100 k-100 l-100"))...)
	newCheck := func(change ...func(*Check)) *Check {
		d := &Check{Content: content,
			Signs: []playlists.Sign{*testSign(), *testSign(func(s *playlists.Sign) { s.ID, s.Tags = "qn-002", nil }),
				*testSign(func(s *playlists.Sign) { s.ID, s.Owner, s.Playlist = "other", "song-tra", "" })},
			Rulebook: Rulebook{Agreements: []playlists.Agreement{agreement(25)}}}
		for _, f := range change {
			f(d)
		}
		return d
	}
	running := func(d *Check) { d.Rulebook.Campaigns = []playlists.Campaign{campaign("bluezone", 20)} }
	now := testFrom
	c := func(d *Check, c playlists.Campaign) error { _, err := d.Campaign(&c, now); return err }
	a := func(d *Check, a playlists.Agreement) error { return d.Agreement(&a, now) }
	s := func(d *Check, s playlists.Schedule) error { s.Owner = "viet-ads"; return d.Schedule(&s, now) }
	for name, k := range map[string]struct {
		err  error
		want []string // parts of the error; nil if the change is allowed
	}{
		"within the agreement": {c(newCheck(), campaign("new", 25)), nil},
		"beyond the agreement": {c(newCheck(), campaign("new", 30)), []string{"campaigns/new.share_percent",
			"30 %", "sign qn-001", "agreed to 25 %", "25 % are left"}},
		"together beyond it": {c(newCheck(running), campaign("new", 10)),
			[]string{"10 %", "other campaigns have 20 %", "5 % are left"}},
		"again itself": {c(newCheck(running), campaign("bluezone", 25)), nil},
		"at other hours": {c(newCheck(func(d *Check) {
			running(d)
			d.Rulebook.Campaigns[0].Window = playlists.Window{From: "06:00", Until: "12:00"}
		}), campaign("new", 10, func(c *playlists.Campaign) { c.Window = playlists.Window{From: "12:00", Until: "18:00"} })),
			nil},
		"on one weekday too much": {
			c(newCheck(func(d *Check) { running(d); d.Rulebook.Campaigns[0].Days = []string{"sun"} }), campaign("new", 10)),
			[]string{"2021-02-14", "5 % are left"}},
		"over 100 % in all": {c(newCheck(func(d *Check) { running(d); d.Rulebook.Agreements[0].SharePercent = 100 }),
			campaign("new", 90)), []string{"100 %", "80 % are left"}},
		"no agreement, so not bound": {c(newCheck(func(d *Check) { d.Rulebook.Agreements = nil }), campaign("new", 90)), nil},
		"too many messages": {
			c(newCheck(), campaign("new", 1, func(c *playlists.Campaign) { c.Messages = []string{"p-8", "q-8", "r-8"} })),
			[]string{"campaigns/new.messages", "3 messages of 24 s", "1 % of a loop", "900 s"}},
		"the rest is too small": {
			c(newCheck(func(d *Check) { d.Signs[0].Playlist = "half"; d.Rulebook.Agreements[0].SharePercent = 60 }),
				campaign("new", 50)), []string{"500 s", "450 s", "50 %"}},
		"campaign on no day": {
			c(newCheck(), campaign("new", 5, func(c *playlists.Campaign) {
				c.First, c.Last, c.Days = "2021-02-11",
					"2021-02-12", []string{"sun"}
			})), []string{"campaigns/new.days"}},
		"agreement raised": {a(newCheck(running), agreement(30)), nil},
		"agreement lowered": {a(newCheck(running), agreement(10)),
			[]string{"agreements/ag.share_percent", "leaves 10 %", "qn-001", "bluezone has 20 %", "2021-03-31"}},
		"lowered, but not below": {a(newCheck(running), agreement(20)), nil},
		"agreement at fewer hours": {
			a(newCheck(running), agreement(25,
				func(a *playlists.Agreement) { a.Window = playlists.Window{From: "06:00", Until: "22:00"} })),
			[]string{"leaves 0 %", "20 %"}},
		"agreement of fewer signs": {
			a(newCheck(running), agreement(25, func(a *playlists.Agreement) { a.Tags = []string{"centre"} })),
			[]string{"leaves 0 %", "qn-002"}},
		"agreement that ends too soon": {
			a(newCheck(running), agreement(25, func(a *playlists.Agreement) { a.Last = "2021-03-01" })),
			[]string{"2021-03-02 00:00", "leaves 0 %"}},
		"schedule": {s(newCheck(), playlists.Schedule{ID: "ok", Playlist: "day"}), nil},
		"schedule on no day": {
			s(newCheck(), playlists.Schedule{ID: "no", Playlist: "day", First: "2021-02-11", Last: "2021-02-11",
				Except: []string{"2021-02-11"}}), []string{"schedules/no.days", "2021-02-11"}},
		"round over 15 minutes": {s(newCheck(), playlists.Schedule{ID: "no", Playlist: "long"}),
			[]string{"990 s", "900 s", "qn-001"}},
		"overlap of equal rank": {
			s(newCheck(func(d *Check) { d.Rulebook.Schedules = dated1(playlists.Schedule{ID: "a1", Playlist: "day"}) }),
				playlists.Schedule{ID: "a2", Playlist: "night"}), nil},
		"item longer than the loop": {newCheck().Playlist(playlist("viet-ads/own: huge-901"), now),
			[]string{"huge-901", "901 s", "900 s"}},
		"playlist beside campaigns": {newCheck(running).Playlist(playlist("viet-ads/own: a-250 b-250 c-250"), now),
			[]string{"750 s", "720 s", "20 %"}},
		"playlist": {newCheck(running).Playlist(playlist("viet-ads/own: a-250 b-250"), now), nil},
		"playlist that nobody shows": {newCheck().Playlist(playlist("viet-ads/spare: a-250*7 b-250"), now),
			[]string{"8 plays", "2000 s"}},
		"sign": {newCheck(running).Sign(testSign(), now), nil},
		"sign with a long least dwell": {
			newCheck(running).Sign(testSign(
				func(s *playlists.Sign) { s.Rules = &playlists.Rules{LeastDwellMS: 300_000}; s.Playlist = "half" }), now),
			[]string{"1500 s", "qn-001"}},
	} {
		t.Run(name, func(t *testing.T) {
			if k.want == nil {
				if k.err != nil {
					t.Fatalf("refused: %v", k.err)
				}
				return
			}
			var e *playlists.Error
			if !errors.As(k.err, &e) || e.English().Remedy == "" || (e.Code != playlists.Invalid &&
				e.Code != playlists.TooLarge) {
				t.Fatalf("got %v", k.err)
			}
			for _, w := range k.want {
				if !strings.Contains(e.Error(), w) {
					t.Errorf("%q does not say %q", e, w)
				}
			}
		})
	}
	x := campaign("new", 25)
	b, err := newCheck().Campaign(&x, now)
	if err != nil || strings.Join(b.Bound, " ") != "qn-001 qn-002" || strings.Join(b.Unbound, " ") != "other" {
		t.Errorf("binds %+v (%v)", b, err)
	}
}
