package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// The test compares asked, planned and shown time over a day for a campaign of
// 20 % beside seven weighted company items.
func TestShareAtWork(t *testing.T) {
	content := newContent(playlist("public/default: d-8"), playlist("viet-ads/own: a-8*3 b-6 c-10*2 d-7 e~12 f-5+5 g-9*2"))
	c := campaign("bluezone", 20)
	c.Messages = []string{"blue-8", "mask-7", "5k-9"}
	p, err := Plan(content, Rulebook{Campaigns: []playlists.Campaign{c},
		Agreements: []playlists.Agreement{agreement(25)}}, testSign(), testFrom, testFrom+8*86400)
	if err != nil {
		t.Fatal(err)
	}
	g := p.Program
	shown, plays := map[string]int64{}, map[string]int64{}
	end := (testFrom + 86400) * 1000
	for at := testFrom * 1000; at < end; {
		s := shownAt(g, at)
		until := min(s.UntilMS, end)
		shown[s.Campaign] += until - at
		if s.Step == 0 && s.TauMS == 0 {
			plays[s.Item]++
		}
		at = until
	}
	d, _ := p.Reasons.At(testFrom)
	got := float64(shown["bluezone"]) * 100 / 86400_000
	t.Logf("asked %d %%, planned %.3f %% (%d slots, %d of %d s), shown %.3f %% of a day; plays %v",
		c.SharePercent, d.Campaigns[0].PlannedPercent, d.Campaigns[0].Slots, d.Campaigns[0].Seconds,
		d.Campaigns[0].LoopSeconds, got, plays)
	loop := float64(d.Campaigns[0].LoopSeconds)
	if got < 20-100*9/86400. || got > 20+100*9/loop || d.Campaigns[0].PlannedPercent < 20 {
		t.Errorf("shown %.3f %%", got)
	}
	if n := plays["a-8"] - 3*plays["b-6"]; n < -3 || n > 3 {
		t.Errorf("weights 3 and 1 play %d and %d times in a day", plays["a-8"], plays["b-6"])
	}
	var gaps []int64 // from one slot of the campaign to the next
	var last int64 = -1
	for i, at := 0, int64(0); i < 2*len(g.Loops[0].Order); i++ {
		it := &g.Items[g.Loops[g.Segments[0].Loop].Order[i%len(g.Loops[g.Segments[0].Loop].Order)]]
		if it.Campaign == "bluezone" {
			if last >= 0 {
				gaps = append(gaps, at-last)
			}
			last = at
		}
		at += timeline.Length(it.Steps) / 1000
	}
	if least, most := slices.Min(gaps), slices.Max(gaps); most-least > 2*12+9 {
		t.Errorf("slots are %d to %d s apart", least, most)
	}
}

// Weights of 200 and 20 play exactly 10 to 1, and campaigns with 100 % leave no
// company item.
func TestLoopsAsAsked(t *testing.T) {
	for _, c := range []struct {
		name      string
		own       string
		campaigns []playlists.Campaign
		want      string // items in the loop's order
		err       []string
	}{
		{name: "in order", own: "a-8 b-6 c-5", want: "a-8 b-6 c-5"},
		{name: "10 to 1", own: "a-8*200 b-6*20", want: "a-8 a-8 a-8 a-8 a-8 a-8 a-8 a-8 b-6 a-8 a-8"},
		{name: "counted", own: "a-8#3 b-6 c-6 d-6", want: "a-8 b-6 a-8 c-6 a-8 d-6"},
		{name: "half and half", own: "a-10 b-10",
			campaigns: []playlists.Campaign{
				campaign("half", 50, func(c *playlists.Campaign) { c.Messages = []string{"x-10"} })}, want: "x-10 a-10 x-10 b-10"},
		{name: "the whole face", own: "a-10",
			campaigns: []playlists.Campaign{
				campaign("all", 100, func(c *playlists.Campaign) { c.Messages = []string{"x-10", "y-5"} })}, want: "x-10 y-5"},
		{name: "the whole face for two", own: "a-10",
			campaigns: []playlists.Campaign{campaign("aa", 60, func(c *playlists.Campaign) { c.Messages = []string{"x-10"} }),
				campaign("bb", 40, func(c *playlists.Campaign) { c.Messages = []string{"y-5"} })}, want: "x-10 y-5"},
		{name: "a round too long", own: "a-300 b-300 c-301", err: []string{"901 s", "900 s", "playlists/viet-ads/own.items"}},
		{name: "weights without a common measure", own: "a-8*199 b-8*200", err: []string{"399 plays", "3192 s"}},
		{name: "no room beside the campaign", own: "a-200 b-200", campaigns: []playlists.Campaign{campaign("most", 99)},
			err: []string{"400 s", "99 %", "9 s"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			content := newContent(playlist("public/default: d-8"), playlist("viet-ads/own: "+c.own))
			p, err := Plan(content, Rulebook{Campaigns: c.campaigns, Agreements: []playlists.Agreement{agreement(100)}},
				testSign(), testFrom, testFrom+86400)
			if c.err != nil {
				for _, w := range append(c.err, "signs/qn-001") {
					if err == nil || !strings.Contains(err.Error(), w) {
						t.Errorf("%v does not say %q", err, w)
					}
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, i := range p.Program.Loops[p.Program.Segments[0].Loop].Order {
				got = append(got, p.Program.Items[i].ID)
			}
			if c.name == "the whole face for two" {
				d, _ := p.Reasons.At(testFrom)
				if d.Campaigns[0].PlannedPercent != 60 || d.Campaigns[1].PlannedPercent != 40 {
					t.Errorf("planned %+v", d.Campaigns)
				}
			} else if strings.Join(got, " ") != c.want {
				t.Errorf("loop %v, want %s", got, c.want)
			}
		})
	}
}

// Campaigns that ask for more than was agreed are reduced, the newest letter
// first, and the reasons say so. Without an agreement no campaign is binding.
func TestSharesAreReduced(t *testing.T) {
	content := newContent(testLists()...)
	first, second := campaign("first", 15), campaign("second", 15)
	third := campaign("third", 5)
	second.Letter.Date, third.Letter.Date = "2021-01-30", "2021-02-01"
	book := Rulebook{Campaigns: []playlists.Campaign{third, second, first},
		Agreements: []playlists.Agreement{agreement(20), agreement(5, func(a *playlists.Agreement) { a.ID = "small" })}}
	p, err := Plan(content, book, testSign(), testFrom, testFrom+86400)
	if err != nil {
		t.Fatal(err)
	}
	d, _ := p.Reasons.At(testFrom)
	if len(d.Campaigns) != 2 || d.Campaigns[0].ID != "first" || d.Campaigns[0].PlannedPercent < 15 ||
		d.Campaigns[1].PlannedPercent < 5 || d.Campaigns[1].PlannedPercent+d.Campaigns[0].PlannedPercent > 21 {
		t.Errorf("campaigns %+v", d.Campaigns)
	}
	if len(d.Notes) != 1 || !strings.Contains(d.Notes[0].EN, "second gets 5 % instead of 15 %") {
		t.Errorf("notes %+v", d.Notes)
	}
	if len(d.Lost) != 2 || d.Lost[1].Rule != "campaign:third" || !strings.Contains(d.Lost[1].Because.EN, "20 %") {
		t.Errorf("lost %+v", d.Lost)
	}
	book.Agreements = nil
	if p, err = Plan(content, book, testSign(), testFrom, testFrom+86400); err != nil {
		t.Fatal(err)
	}
	if d, _ = p.Reasons.At(testFrom); len(d.Campaigns) != 0 || len(d.Lost) != 4 || d.Lost[1].Because != noConsent {
		t.Errorf("without an agreement %+v", d)
	}
}

// At a boundary no item is cut: the item before it is stretched, or the nearest
// still before a strip, and a strip without a still scrolls more slowly.
func TestBridges(t *testing.T) {
	for _, c := range []struct{ name, own, want string }{
		{"comes out even", "a-10 b-20", "b-20 20"},
		{"the last is stretched", "a-70 b-90", "a-70 140"}, // 3600 = 22*160 + 70 + 10 left: a of 80
		{"a strip is not, a still before it is", "a-70 b~77", ""},
		{"a strip alone", "s~77", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			content := newContent(playlist("public/default: d-8"), playlist("viet-ads/own: "+c.own),
				playlist("viet-ads/day: day-10"))
			book := Rulebook{Schedules: dated1(playlists.Schedule{ID: "hour", Playlist: "own",
				Window: playlists.Window{From: "10:00", Until: "11:00"}, Priority: 1},
				playlists.Schedule{ID: "rest", Playlist: "day"})}
			p, err := Plan(content, book, testSign(), testFrom, testFrom+86400)
			if err != nil {
				t.Fatal(err)
			}
			begin, end := (testFrom+10*3600)*1000, (testFrom+11*3600)*1000
			for _, x := range walk(p.Program, begin, end) {
				if x.rule != "schedule:hour" || x.until > end {
					t.Fatalf("%+v", x)
				}
			}
			last := shownAt(p.Program, end-1)
			first := shownAt(p.Program, end)
			if first.TauMS != 0 || first.Item != "day-10" {
				t.Errorf("at the boundary %+v", first)
			}
			t.Logf("ends with %s step of %d ms", last.Item, last.TauMS+1)
			if last.Scroll != nil && last.TauMS < 76_999 {
				t.Errorf("a strip of 77 s is cut at %d ms", last.TauMS)
			}
		})
	}
}

func TestTooShortForOneItem(t *testing.T) {
	content := newContent(playlist("public/default: d-8"), playlist("viet-ads/own: a-20"),
		playlist("viet-ads/long: long-90"))
	short := playlists.Schedule{ID: "short", Playlist: "long", Window: playlists.Window{From: "10:00", Until: "10:01"}}
	for name, off := range map[string][]playlists.Window{"": nil, "after the dark": {{From: "05:00", Until: "10:00"}},
		"before the dark": {{From: "10:01", Until: "12:00"}}, "between": {{From: "05:00", Until: "10:00"},
			{From: "10:01", Until: "12:00"}}} {
		s := testSign(func(s *playlists.Sign) { s.Rules = &playlists.Rules{Off: off} })
		p, err := Plan(content, Rulebook{Schedules: dated1(short)}, s, testFrom, testFrom+86400)
		if err != nil {
			t.Fatal(err)
		}
		at := testFrom + 10*3600
		want := "playlist:own"
		if name == "between" {
			want = "off"
		}
		if got := shownAt(p.Program, (at+30)*1000).Rule; got != want {
			t.Errorf("%s: %q shows", name, got)
		}
		if d, _ := p.Reasons.At(at + 30); d == nil || len(d.Notes) == 0 ||
			!strings.Contains(d.Notes[0].EN, "schedule:short from 10:00:00 to 10:01:00 is too short") {
			t.Errorf("%s: %+v", name, d)
		}
		for _, w := range off {
			for _, text := range []string{w.From, w.Until} {
				at, err := time.Parse("15:04", text)
				if err != nil {
					t.Fatal(err)
				}
				edge := (testFrom + int64(at.Hour()*60+at.Minute())*60) * 1000
				before, after := shownAt(p.Program, edge-1), shownAt(p.Program, edge)
				if (before.Frame == nil) == (after.Frame == nil) && name != "between" {
					t.Errorf("%s: the face does not change at %s", name, text)
				}
			}
		}
	}
}

// An interval that is exactly as long as an item is not too short for it.
func TestLongEnoughForOneItem(t *testing.T) {
	content := newContent(playlist("public/default: d-8"), playlist("viet-ads/own: a-20"),
		playlist("viet-ads/minute: m-60"))
	minute := playlists.Schedule{ID: "minute", Playlist: "minute", Window: playlists.Window{From: "10:00", Until: "10:01"}}
	p, err := Plan(content, Rulebook{Schedules: dated1(minute)}, testSign(), testFrom, testFrom+86400)
	if err != nil {
		t.Fatal(err)
	}
	at := (testFrom + 10*3600) * 1000
	for ms, want := range map[int64]string{at - 1: "playlist:own", at: "schedule:minute", at + 59_999: "schedule:minute",
		at + 60_000: "playlist:own"} {
		if got := shownAt(p.Program, ms).Rule; got != want {
			t.Errorf("%d ms after ten: %q shows, want %q", ms-at, got, want)
		}
	}
}

// bench returns n signs of 40 classes, and 500 playlists, schedules, campaigns
// and agreements of 100 companies.
func bench(n int) (*memContent, Rulebook, []playlists.Sign) {
	lists := []*playlists.Playlist{playlist("public/default: d-8 e-6")}
	var b Rulebook
	for c := range 100 {
		owner := fmt.Sprintf("owner-%d", c)
		for l := range 5 {
			lists = append(lists, playlist(fmt.Sprintf("%s/list-%d: a%d-8*3 b%d-6 c%d-10*2 d%d-7 e%d-12 f%d-5+5 g%d-9",
				owner, l, l, l, l, l, l, l, l)))
		}
		b.Schedules = append(b.Schedules,
			Dated[playlists.Schedule]{Thing: playlists.Schedule{ID: "day", Owner: owner, Playlist: "list-3",
				Window: playlists.Window{From: "07:00", Until: "19:00"}}},
			Dated[playlists.Schedule]{Thing: playlists.Schedule{ID: "tet", Owner: owner, Playlist: "list-4",
				First: "2021-02-11", Last: "2021-02-16", Priority: 5}})
		b.Agreements = append(b.Agreements, playlists.Agreement{ID: "ag", Owner: owner,
			SharePercent: 25, Window: playlists.Window{From: "06:00", Until: "22:00"}})
	}
	b.Campaigns = []playlists.Campaign{campaign("bluezone", 10), campaign("masks", 10)}
	var signs []playlists.Sign
	for i := range n {
		signs = append(signs, playlists.Sign{ID: fmt.Sprintf("sign-%d", i), Owner: fmt.Sprintf("owner-%d", i%100),
			Class: playlists.Class{W: 64 + 8*(i/100%40), H: 64, Colour: playlists.RGB}, Areas: []string{"quang-ngai/son-tinh"},
			Playlist: fmt.Sprintf("list-%d", i/7%3), Position: &playlists.Place{Lat: 15.1, Lon: 108.8}})
	}
	return newContent(lists...), b, signs
}

func BenchmarkPlan(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("signs=%d", n), func(b *testing.B) {
			content, book, signs := bench(n)
			b.ReportAllocs()
			for b.Loop() {
				p := NewPlanner(content, book)
				for i := range signs {
					if _, err := p.Digest(&signs[i]); err != nil {
						b.Fatal(err)
					}
					if _, err := p.Plan(&signs[i], testFrom, testFrom+8*86400, Limits{}); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(n), "µs/sign")
		})
	}
}
