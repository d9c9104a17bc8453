package plan

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"testing"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// pick returns a random element of list.
func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// randomMessage returns the id of a still, of pages or of a strip.
func randomMessage(r *rand.Rand, n int) string {
	switch r.IntN(6) {
	case 0:
		return fmt.Sprintf("m%d~%d", n, 6+r.IntN(20))
	case 1:
		return fmt.Sprintf("m%d-%dms", n, 2000+r.IntN(9000))
	case 2:
		return fmt.Sprintf("m%d-%d+%d", n, 2+r.IntN(6), 2+r.IntN(6))
	case 3:
		return fmt.Sprintf("m%d~%dms", n, 5000+r.IntN(9000))
	}
	return fmt.Sprintf("m%d-%d", n, 3+r.IntN(10))
}

func randomList(r *rand.Rand, owner, id string, dated bool) *playlists.Playlist {
	p := &playlists.Playlist{ID: id, Owner: owner}
	for i := range 1 + r.IntN(8) {
		it := playlists.Item{Message: randomMessage(r, i), DwellMS: pick(r, int64(0), 0, 0, r.Int64N(20000))}
		switch r.IntN(5) {
		case 0:
			it.Weight = playlists.Plays(1 + r.Int64N(5))
		case 1:
			it.Count = playlists.Plays(1 + r.Int64N(3))
		}
		if dated && r.IntN(4) == 0 {
			it.First = randomDate(r)
			if r.IntN(2) == 0 {
				it.Last = max(it.First, randomDate(r))
			}
		}
		p.Items = append(p.Items, it)
	}
	return p
}

func randomDate(r *rand.Rand) string { return playlists.Day(18664 + r.IntN(20)).String() } // from 2021-02-06

func randomWindow(r *rand.Rand) playlists.Window {
	w := playlists.Window{}
	if r.IntN(3) > 0 {
		w.From = fmt.Sprintf("%02d:%02d", r.IntN(24), pick(r, 0, 30, 15, r.IntN(60)))
		w.Until = fmt.Sprintf("%02d:%02d", r.IntN(24), pick(r, 0, 30, 15, r.IntN(60)))
		if r.IntN(8) == 0 { // sometimes too short for an item
			w.Until = w.From[:3] + fmt.Sprintf("%02d", (int(w.From[3]-'0')*10+int(w.From[4]-'0')+1)%60)
		}
		if w.From == w.Until {
			w.Until = ""
		}
	}
	for _, d := range playlists.Days {
		if r.IntN(3) == 0 {
			w.Days = append(w.Days, d)
		}
	}
	return w
}

// randomWorld returns random rules for one sign. If many is true, there are
// schedules, and rules have dates and hours.
func randomWorld(r *rand.Rand, many bool) (*memContent, Rulebook, *playlists.Sign) {
	s := testSign()
	s.TimeZone = pick(r, "", "", "Europe/Berlin", "America/New_York")
	var b Rulebook
	lists := []*playlists.Playlist{randomList(r, playlists.Public, "default", false),
		randomList(r, "viet-ads", "own", many)}
	if r.IntN(3) == 0 {
		s.Playlist = ""
	}
	if r.IntN(4) == 0 {
		s.Rules = &playlists.Rules{NoScroll: r.IntN(2) == 0, LeastDwellMS: r.Int64N(12000)}
		for range r.IntN(3) {
			w := randomWindow(r)
			if w.From != "" {
				s.Rules.Off = append(s.Rules.Off, w)
			}
		}
	}
	if many {
		for i := range r.IntN(5) {
			x := playlists.Schedule{ID: fmt.Sprintf("s%d", i), Owner: "viet-ads", Playlist: fmt.Sprintf("l%d", i),
				Window: randomWindow(r), Priority: r.Int64N(3)}
			if r.IntN(2) == 0 {
				x.Signs = []string{s.ID}
			}
			if r.IntN(3) == 0 {
				x.First = randomDate(r)
				x.Last = max(x.First, randomDate(r))
			}
			if r.IntN(4) == 0 {
				x.Except = []string{randomDate(r), randomDate(r)}
			}
			b.Schedules = append(b.Schedules, Dated[playlists.Schedule]{x, r.Int64N(3)})
			lists = append(lists, randomList(r, "viet-ads", x.Playlist, true))
		}
	}
	for i := range r.IntN(4) {
		c := playlists.Campaign{ID: fmt.Sprintf("c%d", i), Letter: playlists.Letter{Number: fmt.Sprint(i),
			Date: randomDate(r)}, SharePercent: 1 + r.Int64N(pick(r, int64(15), 40)), Areas: []string{"quang-ngai"},
			First: "2021-02-01", Last: "2021-03-31"}
		if many {
			c.Window = randomWindow(r)
			c.First = randomDate(r)
			c.Last = max(c.First, randomDate(r))
		}
		for k := range 1 + r.IntN(4) {
			c.Messages = append(c.Messages, randomMessage(r, 100+10*i+k))
		}
		b.Campaigns = append(b.Campaigns, c)
	}
	for i := range 1 + r.IntN(2) {
		a := playlists.Agreement{ID: fmt.Sprintf("a%d", i), Owner: "viet-ads", SharePercent: pick(r, int64(10), 25, 60, 100)}
		if many {
			a.Window = randomWindow(r)
		}
		b.Agreements = append(b.Agreements, a)
	}
	return newContent(lists...), b, s
}

const testFrom = int64(1612976400) // 2021-02-11 00:00 in Viet Nam

// In every whole loop a campaign gets at least its share and less than one slot
// more, company items play in the exact ratio of their weights, nothing shows for
// less than its reading time, no message shows twice in a row if that can be
// avoided, and slots and plays are evenly distributed.
func TestSharesOfRandomLoops(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 1))
	planned, refused := 0, 0
	var even evenness
	for n := range 10_000 {
		content, book, s := randomWorld(r, false)
		p := NewPlanner(content, book)
		rs, _, err := p.rules(s, testFrom, testFrom)
		if err != nil {
			t.Fatal(err)
		}
		s.Rules = nil
		iv := interval{from: always, until: never, state: rs.at(testFrom)}
		if iv.dark {
			continue
		}
		l, err := p.loopFor(lookOf(s), &iv)
		if err != nil {
			var e *playlists.Error
			if !errors.As(err, &e) || e.English().Remedy == "" {
				t.Fatalf("%d: %v", n, err)
			}
			refused++
			continue
		}
		planned++
		checkLoop(t, n, p, s, l, &iv)
		even.check(t, n, l, &iv)
		if t.Failed() {
			t.Fatalf("%+v\n%+v", book, content.lists)
		}
	}
	if planned < 5000 {
		t.Errorf("only %d of 10,000 planned, %d refused", planned, refused)
	}
	even.usual(t)
	t.Logf("%d loops, %d refused with the numbers", planned, refused)
}

func checkLoop(t *testing.T, n int, p *Planner, s *playlists.Sign, l *loop, iv *interval) {
	t.Helper()
	if l.s > MaxLoopS {
		t.Errorf("%d: a loop of %d s", n, l.s)
	}
	seconds := map[string]int64{}
	plays := map[string]int64{}
	var total int64
	for i, e := range l.places {
		total += e.s
		if timeline.Length(e.steps) != e.s*1000 || e.s*1000 < e.art.MS() || e.s*1000 < lookOf(s).least {
			t.Errorf("%d: place %d lasts %d ms, said to be %d s; reading takes %d", n, i, timeline.Length(e.steps), e.s,
				e.art.MS())
		}
		checkPasses(t, e.art, e.steps)
		campaign := ""
		for _, b := range iv.bounds {
			if e.campaign == b.campaign.ID {
				campaign = e.campaign
			}
		}
		seconds[campaign] += e.s
		plays[campaign+"/"+e.message.ID]++
	}
	if total != l.s {
		t.Errorf("%d: the loop lasts %d s, said to be %d", n, total, l.s)
	}
	for _, b := range iv.bounds {
		var slot int64
		least, most := int64(1<<40), int64(0)
		for _, id := range b.campaign.Messages {
			e, _ := p.entry(lookOf(s), playlists.Public, id, b.campaign.ID, 0)
			slot = max(slot, e.s)
			k := plays[b.campaign.ID+"/"+id]
			least, most = min(least, k), max(most, k)
		}
		got := seconds[b.campaign.ID]
		if got*100 < b.percent*l.s || got*100 >= b.percent*l.s+slot*100 {
			t.Errorf("%d: campaign %s has %d of %d s, asked for %d %% in slots of %d s", n, b.campaign.ID, got, l.s, b.percent,
				slot)
		}
		if least == 0 || most > least+1 {
			t.Errorf("%d: messages of %s show %d to %d times", n, b.campaign.ID, least, most)
		}
	}
	if iv.dated != nil && seconds[""] > 0 {
		var num, den int64 // plays per weight
		for _, i := range iv.items.index {
			it := iv.dated.list.playlist.Items[i]
			if k := plays["/"+it.Message]; it.Count == 0 && sole(iv.dated.list.playlist, it.Message) {
				w := max(1, int64(it.Weight))
				if den == 0 {
					num, den = k, w
				} else if k*den != num*w {
					t.Errorf("%d: weight %d plays %d times, weight %d %d times", n, den, num, w, k)
				}
			}
		}
	}
	for i, e := range l.places {
		next := l.places[(i+1)%len(l.places)]
		if len(l.places) > 2 && e.same(next) {
			k := 0
			for _, x := range l.places {
				if x.same(e) {
					k++
				}
			}
			if 2*k <= len(l.places) {
				t.Errorf("%d: %s shows twice in a row, %d times of %d", n, e.message.ID, k, len(l.places))
			}
		}
	}
}

func sole(p *playlists.Playlist, message string) bool {
	n := 0
	for _, it := range p.Items {
		if it.Message == message {
			n++
		}
	}
	return n == 1
}

// checkPasses checks that no strip is cut: each step scrolls at least as far as
// in the artwork, and each still stands at least as long.
func checkPasses(t *testing.T, art *playlists.Artwork, steps []timeline.Step) {
	t.Helper()
	if len(steps)%len(art.Steps) != 0 {
		t.Errorf("%d steps of an artwork of %d", len(steps), len(art.Steps))
		return
	}
	for i, st := range steps {
		want := art.Steps[i%len(art.Steps)]
		if st.MS < want.MS {
			t.Errorf("step %d lasts %d of %d ms", i, st.MS, want.MS)
		}
		if want.Scroll != nil && st.MS*st.Scroll.PxS < want.MS*want.Scroll.PxS {
			t.Errorf("step %d runs %d px/s for %d ms, and was %d for %d", i, st.Scroll.PxS, st.MS, want.Scroll.PxS, want.MS)
		}
	}
}

// play is one item on the face, with its start and end.
type play struct {
	item, rule  string
	from, until int64 // ms
}

// walk plays a program as a sign does and returns each item that shows.
func walk(g *timeline.Program, from, until int64) []play {
	var out []play
	for at := from; at < until; {
		s := shownAt(g, at)
		begin := at - s.TauMS // only for an item's first step; later steps extend the previous play
		if n := len(out); n > 0 && out[n-1].item == s.Owner+"/"+s.Item && (s.Step > 0 || s.TauMS > 0) {
			out[n-1].until = s.UntilMS
		} else {
			out = append(out, play{s.Owner + "/" + s.Item, s.Rule, begin, s.UntilMS})
		}
		at = s.UntilMS
	}
	return out
}

// With 10,000 random rulebooks, some planned for 8 days and most for some hours, no
// item is cut or shows for less than its reading time, a plan made later shows the
// same, and planning twice gives equal plans.
func TestRandomWeeks(t *testing.T) {
	rounds, weeks := 3000, 20
	switch {
	case testing.Short():
		rounds, weeks = 300, 2
	case raceEnabled:
		rounds, weeks = 1000, 6
	case os.Getenv("LEDCAST_FULL") != "":
		rounds, weeks = 10_000, 60
	}
	r := rand.New(rand.NewPCG(6, 2))
	planned, bridges, absorbed := 0, 0, 0
	for n := range rounds {
		content, book, s := randomWorld(r, true)
		from, span, later := testFrom+r.Int64N(5*86400), int64(8*86400), int64(86400)
		if n >= weeks {
			span = 3600 + r.Int64N(6*3600)
			later = r.Int64N(span)
		}
		a, err := Plan(content, book, s, from, from+span)
		if err != nil {
			var e *playlists.Error
			if !errors.As(err, &e) {
				t.Fatalf("%d: %v", n, err)
			}
			continue
		}
		planned++
		again, err := Plan(content, book, s, from, from+span)
		if err != nil || !reflect.DeepEqual(a, again) {
			t.Fatalf("%d: planned twice, two plans (%v)", n, err)
		}
		g := a.Program
		checkSegments(t, g, from, from+span)
		b, err := Plan(content, book, s, from+later, from+later+span)
		if err != nil {
			continue // the time after the first plan's end cannot be planned
		}
		least := map[string]int64{}
		for _, art := range content.drawn {
			owner, id := "", ""
			for _, m := range content.messages {
				if x, _ := content.Artwork(m, s.Class, lookOf(s).motion); x == art {
					owner, id = m.Owner, m.ID
				}
			}
			least[owner+"/"+id] = max(art.MS(), lookOf(s).least)
		}
		for i, p := range walk(g, from*1000, (from+span)*1000) {
			if p.item == "/" || i == 0 {
				continue
			}
			if p.until-p.from < least[p.item] && p.until < (from+span)*1000 {
				t.Errorf("%d: %s shows for %d ms from %d, and is read in %d (%s)", n, p.item, p.until-p.from, p.from,
					least[p.item], p.rule)
			}
		}
		for _, p := range walk(b.Program, (from+later)*1000, (from+span)*1000) {
			for _, at := range []int64{p.from, p.until - 1, p.from + (p.until-p.from)/2} {
				if at < (from+later)*1000 || at >= (from+span)*1000 {
					continue
				}
				x, y := shownAt(g, at), shownAt(b.Program, at)
				if x.Item != y.Item || x.Owner != y.Owner || x.Rule != y.Rule || x.Step != y.Step || x.TauMS != y.TauMS ||
					x.Offset() != y.Offset() || (x.Frame == nil) != (y.Frame == nil) ||
					x.Frame != nil && x.Frame.SHA256 != y.Frame.SHA256 {
					t.Fatalf("%d: at %d the first plan shows %s %s step %d +%d, the later one's %s %s step %d +%d", n, at, x.Rule,
						x.Item, x.Step, x.TauMS, y.Rule, y.Item, y.Step, y.TauMS)
				}
			}
		}
		for _, d := range a.Reasons.Decisions {
			absorbed += len(d.Notes)
		}
		for _, it := range g.Items {
			if slices.ContainsFunc(it.Steps, func(st timeline.Step) bool { return st.Scroll != nil && st.Scroll.PxS < 60 }) {
				bridges++
			}
		}
		if t.Failed() {
			t.Fatalf("sign %+v %+v\n%+v", s, s.Rules, book)
		}
	}
	if planned < rounds/3 || bridges == 0 || absorbed == 0 {
		t.Errorf("%d of %d planned, %d slowed strips, %d notes: too few to prove anything", planned, rounds, bridges,
			absorbed)
	}
	t.Logf("%d times of %d, %d slowed strips, %d notes", planned, rounds, bridges, absorbed)
}
