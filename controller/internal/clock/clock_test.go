package clock

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// at is a moment t after the start of a controller whose clock then stood at noon.
func at(t time.Duration) Moment { return Moment{Wall: noon + t.Milliseconds(), Mono: t} }

// off is at with the wall clock set by so much.
func off(t, by time.Duration) Moment {
	m := at(t)
	m.Wall += by.Milliseconds()
	return m
}

func held(m Moment) Moment {
	m.Held = true
	return m
}

const (
	noon = int64(1_800_000_000_000)
	day  = 24 * time.Hour
)

// A judge is told a story, and says after each step what it thinks.
func TestJudge(t *testing.T) {
	type step struct {
		now   Moment
		heard string        // signs that say something now, untrusted ones with a ?
		says  time.Duration // by how much their clocks are ahead of at(now.Mono)
		wrote int64         // a row's time
		by    string        // "accept"
		want  Why
		sure  bool // the clock is confirmed
	}
	s := time.Second
	ago := func(d time.Duration) int64 { return noon - d.Milliseconds() }
	for name, x := range map[string]struct {
		start  Moment
		newest int64
		signs  int
		steps  []step
	}{
		"a fresh installation": {at(0), 0, 0, []step{{now: at(0)}, {now: at(s), wrote: noon}, {now: at(time.Hour)}}},
		"a restart":            {at(0), ago(s), 900, []step{{now: at(0)}, {now: at(s)}}},
		"a backup of a week ago, with a right clock": {at(0), ago(7 * day), 3, []step{{now: at(0), want: Unheard},
			{now: at(s), heard: "a b", sure: true}}},
		"a stop of a day, without signs that could speak": {at(0), ago(day), 1, []step{{now: at(0)}}},
		"a stop of a day, and signs keep silent": {at(0), ago(day), 2, []step{{now: at(0), want: Unheard},
			{now: at(29 * s), heard: "a", want: Unheard}, {now: at(30 * s)}}},
		"a stop of a day, and NTP holds": {held(at(0)), ago(day), 2, []step{{now: held(at(0)), sure: true}, {now: at(s)}}},
		"400 days behind": {off(0, -400*day), noon, 3, []step{{now: off(0, -400*day), want: Rows},
			{now: off(s, -400*day), heard: "a", want: Rows}, {now: off(2*s, -400*day), heard: "b", want: Signs},
			{now: at(3 * s), sure: true}}}, // set right: signs agree at once
		"5 minutes behind": {off(0, -5*time.Minute), noon, 3, []step{{now: off(0, -5*time.Minute)},
			{now: off(0, -5*time.Minute-time.Millisecond), want: Rows}}},
		"behind, and NTP holds": {held(off(0, -day)), noon, 3, []step{{now: held(off(0, -day)), heard: "a b", sure: true}}},
		"ahead, and signs say so": {off(0, 3*time.Hour), noon, 3, []step{{now: off(0, 3*time.Hour), want: Unheard},
			{now: off(s, 3*time.Hour), heard: "a", want: Unheard}, {now: off(2*s, 3*time.Hour), heard: "b", want: Signs},
			{now: off(time.Minute, 3*time.Hour), want: Signs}, {now: at(time.Minute + s), sure: true}}},
		"60 s from signs": {at(0), noon, 3, []step{{now: at(0), heard: "a b", says: time.Minute, sure: true},
			{now: at(s), heard: "a b", says: time.Minute + time.Millisecond, want: Signs}}},
		"one sign alone": {at(0), noon, 3, []step{{now: at(0), heard: "a", says: day}}},
		"untrusted signs": {at(0), noon, 3, []step{{now: at(0), heard: "a ?b ?c", says: day},
			{now: at(s), heard: "d", says: day, want: Signs}, {now: at(2 * s), heard: "?d", says: day}}},
		"half of the signs": {at(0), noon, 4, []step{{now: at(0), heard: "a b", says: day, want: Signs},
			{now: at(s), heard: "c d"}, {now: at(2 * s), heard: "e", sure: true}}},
		"signs that spoke long ago": {at(0), noon, 2, []step{{now: at(0), heard: "a b", says: day, want: Signs},
			{now: at(11 * time.Minute), want: Signs}, {now: at(11*time.Minute + s)}}},
		"a step": {at(0), noon, 3, []step{{now: at(s)}, {now: off(2*s, time.Minute)},
			{now: off(3*s, 3*time.Minute), want: Stepped}, {now: off(62*s, 3*time.Minute), want: Stepped},
			{now: off(63*s, 3*time.Minute)}}},
		"a step back, behind the rows": {at(0), noon, 0, []step{{now: at(s), wrote: noon},
			{now: off(2*s, -time.Hour), want: Rows}, {now: off(2*time.Minute, -time.Hour), want: Rows},
			{now: off(62*time.Minute, -time.Hour)}}},
		"a step by NTP": {held(at(0)), noon, 0, []step{{now: held(at(s)), sure: true},
			{now: held(off(2*s, day)), want: Stepped}, // the word may be from before the step
			{now: held(off(3*s, day)), sure: true}, {now: off(4*s, day)}}},
		"a person's word": {off(0, -day), noon, 3, []step{{now: off(0, -day), want: Rows},
			{now: off(s, -day), by: "accept", sure: true}, {now: off(2*s, -day), heard: "a b", sure: true},
			{now: off(3*s, -2*day), want: Signs}}}, // it went for that clock
		"a person's word, and rows from then on": {off(0, -day), noon, 0, []step{
			{now: off(s, -day), by: "accept", sure: true},
			{now: off(2*s, -day), wrote: noon - day.Milliseconds(), sure: true}, {now: off(time.Hour, -2*day), want: Rows}}},
		"a person's word ends when signs agree": {at(0), noon, 3, []step{{now: at(0), heard: "a b", says: day, want: Signs},
			{now: at(s), by: "accept", sure: true}, {now: at(2 * s), heard: "a b", sure: true},
			{now: at(3 * s), heard: "a b", says: day, want: Signs}}},
	} {
		t.Run(name, func(t *testing.T) {
			j := New(x.start, x.newest, x.signs)
			for i, st := range x.steps {
				if st.wrote != 0 {
					j.Wrote(st.wrote)
				}
				for id := range strings.FieldsSeq(st.heard) {
					id, untrusted := strings.CutPrefix(id, "?")
					j.Heard(st.now, id, at(st.now.Mono+st.says).Wall, !untrusted)
				}
				if st.by == "accept" {
					j.Accept(st.now)
				}
				s := j.Look(st.now)
				if s.Why != st.want || s.Confirmed != st.sure {
					t.Errorf("step %d: %q, confirmed %v (%+v); want %q, %v", i, s.Why, s.Confirmed, s, st.want, st.sure)
				}
				words := s.Words()
				if s.Held() != (words.EN != "") || s.Held() != (words.VI != "") || s.Held() != (s.Refusal() != nil) {
					t.Errorf("step %d: %q is told as %+v", i, s.Why, words)
				}
			}
		})
	}
}

// The guess of a clock that signs contradict is what they say; a cancel carries it.
func TestGuess(t *testing.T) {
	j := New(off(0, 10*day), noon, 3)
	for i, id := range []string{"a", "b", "c"} {
		j.Heard(off(0, 10*day), id, noon+int64(i)*100, true)
	}
	if s := j.Look(off(5*time.Second, 10*day)); s.GuessMS != noon+5100 || s.OffMS != (10*day).Milliseconds()-100 {
		t.Errorf("%+v", s)
	}
}

// Whatever happens in whatever order: NTP ends every doubt but that of a step at this moment; a majority that agrees
// does, and one that does not agree is a doubt unless a person or NTP stands for the clock; without signs, rows and
// steps there is none.
func TestRandomStories(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 1))
		now, by := time.Duration(0), time.Duration(0)
		newest := noon - r.Int64N((20 * time.Minute).Milliseconds())
		j := New(at(0), newest, r.IntN(4))
		said := map[string]vote{}
		lastStep, accepted := time.Duration(-1<<62), false
		for range 200 {
			now += time.Duration(r.Int64N(int64(20 * time.Second)))
			jumped := false
			switch r.IntN(12) {
			case 0:
				d := time.Duration(r.Int64N(int64(4*time.Hour))) - 2*time.Hour
				if jumped = d > Apart || d < -Apart; jumped {
					lastStep, accepted = now, false
				}
				by += d
			case 1, 2, 3:
				id := fmt.Sprint(r.IntN(4))
				says := now + time.Duration(r.IntN(3)-1)*time.Hour
				said[id] = vote{at(says).Wall, now}
				j.Heard(off(now, by), id, at(says).Wall, true)
			case 4:
				j.Accept(off(now, by))
				accepted, jumped, lastStep = true, false, -1<<62
				newest = min(newest, off(now, by).Wall)
			case 5:
				newest = max(newest, off(now, by).Wall)
				j.Wrote(off(now, by).Wall)
			}
			m := off(now, by)
			m.Held = r.IntN(20) == 0
			s := j.Look(m)
			all, agree := 0, 0
			for _, v := range said {
				if now-v.mono <= Fresh {
					all++
					if d := m.Wall - v.atMS - (now - v.mono).Milliseconds(); d <= 60_000 && d >= -60_000 {
						agree++
					}
				}
			}
			most := all >= 2 && 2*agree > all
			differ := all >= 2 && 2*(all-agree) > all
			switch {
			case m.Held && !jumped || most:
				if s.Held() || !s.Confirmed {
					t.Fatalf("seed %d at %v: held %v, %d of %d agree: %+v", seed, now, m.Held, agree, all, s)
				}
				lastStep = -1 << 62
				accepted = accepted && !most
			case accepted:
				if s.Held() {
					t.Fatalf("seed %d at %v: accepted: %+v", seed, now, s)
				}
			case differ || newest-m.Wall > Behind.Milliseconds() || now-lastStep < AfterStep:
				if !s.Doubt() || s.Confirmed {
					t.Fatalf("seed %d at %v: %d of %d agree, newest %d, stepped %v ago: %+v", seed, now, agree, all,
						newest-m.Wall, now-lastStep, s)
				}
			default:
				if s.Doubt() || s.Why == Unheard && now >= Hear {
					t.Fatalf("seed %d at %v: no reason for %+v", seed, now, s)
				}
			}
		}
	}
}

// A clock that runs raises no doubt, also where nobody looks at it for hours.
func TestRunningClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		moment := func() Moment {
			now := time.Now()
			return Moment{Wall: now.Round(0).UnixMilli(), Mono: now.Sub(began)}
		}
		j := New(moment(), began.UnixMilli(), 3)
		for i := range 50 {
			time.Sleep(time.Duration(i) * 7 * time.Minute)
			j.Wrote(time.Now().UnixMilli())
			for _, id := range []string{"a", "b"} {
				j.Heard(moment(), id, time.Now().UnixMilli(), true)
			}
			if s := j.Look(moment()); s.Held() {
				t.Fatalf("after %v: %+v", time.Since(began), s)
			}
		}
	})
}

// Marked rows are no witnesses, and those that come after them are.
func TestMark(t *testing.T) {
	k := Mark{AtMS: 1000, Entry: 7, UntilMS: 5000}
	for _, x := range []struct {
		what string
		got  bool
		want bool
	}{
		{"a document from before", k.Document(1000), true}, {"a marked document", k.Document(5000), false},
		{"a document from behind the marked ones", k.Document(5001), true},
		{"an entry from before", k.Logged(7, 1000), true}, {"a marked entry", k.Logged(7, 1001), false},
		{"a new entry", k.Logged(8, 1001), true}, {"no mark, document", Mark{}.Document(9), true},
		{"no mark, entry", Mark{}.Logged(1, 9), true},
	} {
		if x.got != x.want {
			t.Errorf("%s: witness %v", x.what, x.got)
		}
	}
}

// Ten thousand signs are not counted at each question, and a jump is seen at once nevertheless.
func TestManySigns(t *testing.T) {
	j := New(at(0), noon, 10_000)
	for i := range 10_000 {
		j.Heard(at(time.Second), fmt.Sprint(i), at(time.Second).Wall, true)
	}
	if s := j.Look(at(time.Second)); !s.Confirmed {
		t.Fatalf("%+v", s)
	}
	for i := range 10_000 {
		j.Heard(at(time.Second), fmt.Sprint(i), at(time.Hour).Wall, true)
	}
	if s := j.Look(at(time.Second + 100*time.Millisecond)); !s.Confirmed {
		t.Errorf("they were counted again at once: %+v", s)
	}
	if s := j.Look(at(2 * time.Second)); s.Why != Signs {
		t.Errorf("they were not counted again: %+v", s)
	}
	if s := j.Look(off(2*time.Second+time.Millisecond, time.Hour)); !s.Confirmed {
		t.Errorf("a jump was not seen: %+v", s)
	}
}
