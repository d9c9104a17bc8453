package report_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"ledcast/controller/internal/report"
	"ledcast/playlists/timeline"
	"ledcast/sign/player"
)

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// randomSteps returns still and scrolling steps with random durations in ms.
func randomSteps(r *rand.Rand, frames int) []timeline.Step {
	var out []timeline.Step
	for range 1 + r.IntN(3) {
		s := timeline.Step{Frame: r.Int64N(int64(frames)), MS: 100 + r.Int64N(pick(r, int64(900), 9000, 20000))}
		if r.IntN(3) == 0 {
			s.Scroll = &timeline.Scroll{Axis: pick(r, "x", "y"), PxS: 1 + r.Int64N(120)}
		}
		out = append(out, s)
	}
	return out
}

func randomFrames(r *rand.Rand) []timeline.Frame {
	var out []timeline.Frame
	for i := range 1 + r.IntN(4) {
		out = append(out, timeline.Frame{SHA256: fmt.Sprintf("f%d", i), W: 16 + r.Int64N(400), H: 8 + r.Int64N(40)})
	}
	return out
}

const agreeT0 = int64(1_767_200_400)

// randomProgram returns a program with segments (some of them dark), gaps, brightness, and an end.
func randomProgram(r *rand.Rand) *timeline.Program {
	p := &timeline.Program{Sign: "qn-001", Areas: []string{"quang-ngai/son-tinh"}, Frames: randomFrames(r)}
	p.Exp = agreeT0 + pick(r, int64(8*86400), 8*86400, 8*86400, r.Int64N(7200))
	for i := range 1 + r.IntN(6) {
		p.Items = append(p.Items, timeline.Item{ID: fmt.Sprintf("i%d", i), Owner: pick(r, "public", "viet-ads"),
			Campaign: pick(r, "", "", "bluezone"), Steps: randomSteps(r, len(p.Frames))})
	}
	for range 1 + r.IntN(4) {
		l := timeline.Loop{Anchor: agreeT0 - r.Int64N(10_000) + r.Int64N(5000)}
		for range 1 + r.IntN(7) {
			l.Order = append(l.Order, r.Int64N(int64(len(p.Items))))
		}
		p.Loops = append(p.Loops, l)
	}
	loop := func() int64 { return r.Int64N(int64(len(p.Loops)+1)) - 1 } // -1 is dark
	at := agreeT0 - r.Int64N(3600)
	for range r.IntN(6) {
		at += pick(r, int64(0), 0, r.Int64N(900))
		end := at + 1 + r.Int64N(pick(r, int64(60), 3600))
		p.Segments = append(p.Segments, timeline.Segment{From: at, Until: end, Loop: loop(), Why: "rule"})
		at = end
	}
	p.Fallback, p.CommLoss = max(0, loop()), timeline.CommLoss{AfterS: 60 + r.Int64N(86400), Loop: loop()}
	if r.IntN(2) == 0 {
		from := agreeT0 + r.Int64N(1800)
		p.Brightness = []timeline.Brightness{{From: from, Until: from + 1 + r.Int64N(1800), Percent: 40}}
	}
	if r.IntN(4) > 0 {
		p.Prepare()
	}
	return p
}

// randomAlerts returns alerts. Some run, exclusively or for a share of the time. Others are not for the sign, are
// drills, or lack a frame.
func randomAlerts(r *rand.Rand, prefix string) []timeline.Alert {
	var out []timeline.Alert
	for i := range r.IntN(4) {
		a := timeline.Alert{ID: fmt.Sprintf("%s%d", prefix, i), Priority: r.Int64N(3), From: agreeT0 - 600 + r.Int64N(2400),
			Drill: r.IntN(8) == 0,
			Areas: pick(r, []string{"quang-ngai"}, []string{"quang-ngai"}, []string{"quang-ngai/son-tinh"},
				[]string{"quang-ngai/son"}), Frames: randomFrames(r)}
		if r.IntN(5) == 0 {
			a.Signs = []string{"qn-001"}
		}
		a.Until = a.From + 1 + r.Int64N(1800)
		a.ExclusiveS = pick(r, 0, 0, r.Int64N(600), 3600)
		a.Steps = randomSteps(r, len(a.Frames))
		a.ShareMS = r.Int64N(4) * timeline.Length(a.Steps)
		a.CycleMS = 1 + r.Int64N(120_000)
		out = append(out, a)
	}
	return out
}

// appearance has everything that a viewer sees of a timeline.Shown, and the reason for it.
type appearance struct {
	why, rule, owner, item, campaign, frame string
	step                                    int
	tau, offset, percent                    int64
}

// shownAt returns the appearance of s later ms after its time, if only the position of scrolling text changes.
func shownAt(s timeline.Shown, later int64) appearance {
	f := appearance{why: s.Why, rule: s.Rule, owner: s.Owner, item: s.Item, campaign: s.Campaign, percent: s.Percent}
	if s.Frame != nil {
		s.TauMS += later
		f.frame, f.step, f.tau, f.offset = s.Frame.SHA256, s.Step, s.TauMS, s.Offset()
	}
	return f
}

// TestPlayerAtAndReportAgree checks that the player, timeline.At and the report's planned times agree to the
// millisecond. It uses 10,000 random programs and times, with alerts, scrolling, fallback, loss of contact and
// darkness.
func TestPlayerAtAndReportAgree(t *testing.T) {
	rounds := 10_000
	if raceEnabled {
		rounds = 1000
	}
	r := rand.New(rand.NewPCG(6, 4))
	seen := map[string]int{}
	for n := range rounds {
		p := randomProgram(r)
		playerAgrees(t, r, n, p, seen)
		reportAgrees(t, r, n, p, seen)
		if t.Failed() {
			t.Fatalf("%d: %+v", n, p)
		}
	}
	t.Logf("%d programs: %v", rounds, seen)
	for _, what := range []string{timeline.WhyProgram, timeline.WhyAlert, timeline.WhyFallback, timeline.WhyCommLoss,
		timeline.WhyDark, "strip", "exclusive", "share", "untrusted", "over", "planned", "planned rounds"} {
		if seen[what] < rounds/50 {
			t.Errorf("%s occurred only %d times, which is too few for a test", what, seen[what])
		}
	}
}

// playerAgrees plays some minutes from change to change, and compares with timeline.At at random times in between.
func playerAgrees(t *testing.T, r *rand.Rand, n int, p *timeline.Program, seen map[string]int) {
	t.Helper()
	began := agreeT0*1000 + r.Int64N(3600_000)
	trusted := r.IntN(5) > 0
	c := timeline.Conditions{Sign: "qn-001", ClockTrusted: trusted,
		LastContactMS: began - pick(r, 0, r.Int64N(100_000_000)), NotReady: map[string]bool{}}
	sign := player.New("qn-001", nil, player.StartClock(0, began, 0, trusted))
	sign.SetProgram(p)
	sign.SetContact(c.LastContactMS)
	var alerts []timeline.Alert
	for _, test := range []bool{false, true} {
		set := &timeline.AlertSet{Alerts: randomAlerts(r, fmt.Sprint(test))}
		set.Iat = began/1000 - r.Int64N(600)
		for _, a := range set.Alerts {
			if r.IntN(8) == 0 {
				c.NotReady[a.ID] = true
				sign.SetReady(a.ID, false)
			}
			if !trusted { // it runs from its arrival, minus the time that had passed when it was issued
				passed := max(0, set.Iat-a.From)
				if set.Iat >= a.Until {
					passed = 0 // a wrong clock issued it
				}
				from := began/1000 - passed
				a.From, a.Until = from, from+a.Until-a.From
				seen["untrusted"]++
			}
			alerts = append(alerts, a)
		}
		sign.SetAlerts(test, set, 0)
	}
	end := 1 + r.Int64N(600_000)
	for mono, k := int64(0), 0; mono < end && k < 60; k++ {
		s, next := sign.At(mono)
		if next <= mono {
			t.Errorf("%d: at %d the next change is at %d, which is not later", n, mono, next)
			return
		}
		seen[s.Why]++
		if s.Scroll != nil {
			seen["strip"]++
		}
		if s.Why == timeline.WhyAlert {
			for i := range alerts {
				if alerts[i].ID == s.Item {
					seen[map[bool]string{true: "exclusive", false: "share"}[(began+mono)/1000 < alerts[i].From+alerts[i].ExclusiveS]]++
				}
			}
		} else if len(alerts) > 0 && alerts[0].Until*1000 < began+mono {
			seen["over"]++
		}
		last := min(next, end) - 1
		for _, at := range []int64{mono, mono + r.Int64N(last-mono+1), last} {
			got, want := shownAt(s, at-mono), shownAt(timeline.At(p, alerts, c, began+at), 0)
			if got != want {
				t.Errorf("%d: %d ms after %d the player shows %+v, timeline.At %+v\n%+v %+v", n, at, began, got, want, c, alerts)
				return
			}
		}
		mono = next
	}
}

// reportAgrees compares the planned times of the report with a player that plays the program.
func reportAgrees(t *testing.T, r *rand.Rand, n int, p *timeline.Program, seen map[string]int) {
	t.Helper()
	from := agreeT0*1000 - 600_000 + r.Int64N(3600_000)
	until := from + r.Int64N(pick(r, int64(1000), 60_000, 1200_000))
	sign := player.New("qn-001", nil, player.StartClock(0, from, 0, true))
	sign.SetProgram(p)
	type part struct {
		why, owner, item, campaign, frame string
		step                              int
	}
	sum := func(to map[part]int64, s *timeline.Shown, ms int64) {
		k := part{why: s.Why, owner: s.Owner, item: s.Item, campaign: s.Campaign, step: s.Step}
		if s.Frame != nil {
			k.frame = s.Frame.SHA256
		}
		to[k] += ms
	}
	played, planned := map[part]int64{}, map[part]int64{}
	changes := 0
	for mono := int64(0); mono < until-from; changes++ {
		sign.Contact(mono)
		s, next := sign.At(mono)
		next = min(next, until-from)
		sum(played, &s, next-mono)
		mono = next
	}
	walked := 0
	report.EachPlanned(p, from, until, func(s *timeline.Shown, ms int64) { walked++; sum(planned, s, ms) })
	if fmt.Sprint(played) != fmt.Sprint(planned) {
		t.Errorf("%d: from %d until %d the player shows %v, planned are %v", n, from, until, played, planned)
	}
	if len(played) > 1 {
		seen["planned"]++
	}
	if walked < changes {
		seen["planned rounds"]++
	}
}
