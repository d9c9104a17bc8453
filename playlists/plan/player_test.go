package plan

import (
	"testing"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
	"ledcast/sign/player"
)

// A sign's player plays a campaign of 20 % beside seven weighted company items
// for a day. The test compares asked, planned and shown time, play by play.
func TestShareOnAPlayer(t *testing.T) {
	content := newContent(playlist("public/default: d-8"), playlist("viet-ads/own: a-8*3 b-6 c-10*2 d-7 e~12 f-5+5 g-9*2"))
	c := campaign("bluezone", 20)
	c.Messages = []string{"blue-8", "mask-7", "5k-9"}
	s := testSign()
	planned, err := Plan(content,
		Rulebook{Campaigns: []playlists.Campaign{c}, Agreements: []playlists.Agreement{agreement(25)}}, s, testFrom,
		testFrom+8*86400)
	if err != nil {
		t.Fatal(err)
	}
	g := planned.Program
	g.Exp = testFrom + 8*86400
	g.Prepare()
	p := player.New(s.ID, s.Areas, player.StartClock(0, testFrom*1000, 0, true))
	p.SetProgram(g)

	const day = 86400_000
	plays, ms := map[string]int64{}, map[string]int64{}
	var ours int64
	on, cut := "", int64(0) // current item; part of the first play before the day
	for mono := int64(0); mono < day; {
		p.Contact(mono)
		shown, next := p.At(mono)
		if shown.Why != timeline.WhyProgram || next <= mono {
			t.Fatalf("at %d: %+v until %d", mono, shown, next)
		}
		switch {
		case shown.Step == 0 && shown.TauMS == 0:
			plays[shown.Item]++
			on = shown.Item
		case on == "":
			on, cut = shown.Item, shown.TauMS
		case on != shown.Item:
			t.Fatalf("at %d: %s goes on, and %s was on", mono, shown.Item, on)
		}
		next = min(next, day)
		ms[shown.Item] += next - mono
		if shown.Campaign == c.ID {
			ours += next - mono
		}
		mono = next
	}

	d, _ := planned.Reasons.At(testFrom)
	share := d.Campaigns[0]
	loops := int64(day/1000) / share.LoopSeconds
	t.Logf("asked %d %%, planned %.3f %% (%d slots, %d of %d s), shown %.3f %% of a day of %d loops; plays %v "+
		"(%d ms of the first were before)",
		c.SharePercent, share.PlannedPercent, share.Slots, share.Seconds, share.LoopSeconds, float64(ours)*100/day, loops,
		plays, cut)
	if share.AskedPercent != 20 || share.PlannedPercent < 20 || share.Seconds*100 < 20*share.LoopSeconds ||
		share.Seconds*100 >= 20*share.LoopSeconds+9*100 {
		t.Errorf("planned %+v", share)
	}
	// A day is a number of whole loops and part of one.
	if least := loops * share.Seconds * 1000; ours < least || ours > least+share.Seconds*1000 || float64(ours) < .2*day {
		t.Errorf("shown %d ms of a day, planned %d s in each of %d loops", ours, share.Seconds, loops)
	}
	if n := plays["blue-8"] + plays["mask-7"] + plays["5k-9"]; n < loops*share.Slots || n > (loops+1)*share.Slots {
		t.Errorf("%d slots in %d loops of %d", n, loops, share.Slots)
	}
	round := plays["b-6"] / loops // of the company's items in a loop
	for item, weight := range map[string]int64{"a-8": 3, "b-6": 1, "c-10": 2, "d-7": 1, "e~12": 1, "f-5+5": 1, "g-9": 2} {
		if n := plays[item]; round == 0 || n < weight*round*loops || n > weight*round*(loops+1) {
			t.Errorf("%s of weight %d plays %d times in %d loops of %d rounds", item, weight, n, loops, round)
		}
	}
	for item, reading := range map[string]int64{"a-8": 8000, "b-6": 6000, "c-10": 10_000, "d-7": 7000, "e~12": 12_000,
		"f-5+5": 10_000, "g-9": 9000, "blue-8": 8000, "mask-7": 7000, "5k-9": 9000} {
		if ms[item] < reading*(plays[item]-1) || ms[item] > reading*(plays[item]+1) {
			t.Errorf("%s: %d plays of %d ms are %d ms", item, plays[item], reading, ms[item])
		}
	}
}
