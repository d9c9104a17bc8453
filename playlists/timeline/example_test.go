package timeline_test

import (
	"fmt"
	"time"

	"ledcast/playlists/timeline"
)

// morning is a program of two messages, 8 s and 4 s, which repeat from 8:00 until 9:00.
func morning() (*timeline.Program, time.Time) {
	eight := time.Date(2027, 2, 11, 8, 0, 0, 0, time.UTC)
	return &timeline.Program{
		Header: timeline.Header{Exp: eight.Add(7 * 24 * time.Hour).Unix()},
		Areas:  []string{"quang-ngai/son-tinh"},
		Frames: []timeline.Frame{{SHA256: "…", W: 128, H: 64}},
		Items: []timeline.Item{
			{ID: "wash-hands", Owner: "public", Steps: []timeline.Step{{Frame: 0, MS: 8000}}},
			{ID: "coffee", Owner: "viet-ads", Steps: []timeline.Step{{Frame: 0, MS: 4000}}},
		},
		Loops: []timeline.Loop{{Anchor: eight.Unix(), Order: []int64{0, 1}}},
		Segments: []timeline.Segment{
			{From: eight.Unix(), Until: eight.Add(time.Hour).Unix(), Loop: 0, Why: "schedule:morning"},
		},
		Fallback: timeline.Dark,
		CommLoss: timeline.CommLoss{AfterS: 86400, Loop: 0},
	}, eight
}

// A player asks At what is on the face, draws it, and asks again at UntilMS.
func ExampleAt() {
	program, eight := morning()
	now := eight.Add(10 * time.Second).UnixMilli()
	shown := timeline.At(program, nil, timeline.Conditions{Sign: "qn-001", ClockTrusted: true, LastContactMS: now}, now)
	fmt.Printf("%s, for %d ms more, by %s\n", shown.Item, shown.UntilMS-now, shown.Rule)
	// Output: coffee, for 2000 ms more, by schedule:morning
}

// A report asks for all of a time.
func ExampleWalk() {
	program, eight := morning()
	from, until := eight.Add(-time.Minute).UnixMilli(), eight.Add(20*time.Second).UnixMilli()
	conditions := timeline.Conditions{Sign: "qn-001", ClockTrusted: true, LastContactMS: until}
	for span := range timeline.Walk(program, nil, conditions, from, until) {
		fmt.Printf("%d s: %s %q\n", (span.UntilMS-span.FromMS)/1000, span.Why, span.Item)
	}
	// Output:
	// 60 s: dark ""
	// 8 s: program "wash-hands"
	// 4 s: program "coffee"
	// 8 s: program "wash-hands"
}

func ExampleAlert_Reaches() {
	alert := timeline.Alert{Areas: []string{"quang-ngai"}, Signs: []string{"dn-007"}}
	fmt.Println(alert.Reaches("qn-001", []string{"quang-ngai/son-tinh"}))
	fmt.Println(alert.Reaches("dn-007", []string{"da-nang"}))
	fmt.Println(alert.Reaches("dn-008", []string{"da-nang"}))
	// Output:
	// true
	// true
	// false
}
