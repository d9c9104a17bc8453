package api

import (
	"fmt"
	"testing"

	"ledcast/playlists/plan"
)

// A day's spans begin where a rule, its reasons or another program begins, to
// the second, and leave no gap.
func TestDaySpans(t *testing.T) {
	lost := []plan.Lost{{Rule: "default"}}
	program := func(from int64, decisions []plan.Decision, spans ...plan.Span) plan.InForce {
		return plan.InForce{From: from, Notes: &plan.Notes{Reasons: &plan.Reasons{Decisions: decisions, Spans: spans}}}
	}
	alone := []plan.Decision{{Rule: "default"}, {Rule: "schedule:a", Lost: lost}}
	for name, x := range map[string]struct {
		issued []plan.InForce
		want   string
	}{
		"no program": {nil, "none 1000-2000 "},
		"the first one begins within the hour": {[]plan.InForce{program(1234, alone, plan.Span{From: 0, Until: 9000})},
			"none 1000-1234 default 1234-2000 "},
		"a rule in the middle": {
			[]plan.InForce{program(1000, alone, plan.Span{From: 0, Until: 1500},
				plan.Span{From: 1500, Until: 1600, Decision: 1}, plan.Span{From: 1600, Until: 9000})},
			"default 1000-1500 schedule:a 1500-1600 default 1600-2000 "},
		"another program in the middle of a span": {[]plan.InForce{program(1000, alone, plan.Span{From: 0, Until: 9000}),
			program(1777, alone, plan.Span{From: 0, Until: 9000, Decision: 1})},
			"default 1000-1777 schedule:a 1777-2000 "},
		"another program that says the same": {
			[]plan.InForce{program(1100, alone, plan.Span{From: 0, Until: 9000, Decision: 1}),
				program(1777, alone, plan.Span{From: 0, Until: 9000, Decision: 1})},
			"none 1000-1100 schedule:a 1100-2000 "},
		"the same rule for another reason": {
			[]plan.InForce{program(1000, []plan.Decision{{Rule: "default"}, {Rule: "default", Lost: lost}},
				plan.Span{From: 0, Until: 1300}, plan.Span{From: 1300, Until: 9000, Decision: 1})},
			"default 1000-1300 default 1300-2000 "},
		"what it says nothing of": {
			[]plan.InForce{program(1000, alone, plan.Span{From: 1100, Until: 1200}, plan.Span{From: 1300, Until: 1400})},
			"none 1000-1100 default 1100-1200 none 1200-1300 default 1300-1400 none 1400-2000 "},
		"reasons that were not kept": {[]plan.InForce{{From: 1000, Notes: &plan.Notes{}},
			program(1500, alone, plan.Span{From: 0, Until: 9000})},
			"none 1000-1500 default 1500-2000 "},
	} {
		got := ""
		for _, s := range daySpans(1000, 2000, x.issued) {
			got += fmt.Sprintf("%s %d-%d ", s.Rule, s.From, s.Until)
		}
		if got != x.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, x.want)
		}
	}
}
