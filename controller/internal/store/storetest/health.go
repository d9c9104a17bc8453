package storetest

import (
	"reflect"
	"testing"

	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

func health(t *testing.T, open Opener) {
	ctx, h := t.Context(), opened(t, open).Health()
	noted := func(sign string, from, until int64, want ...playlists.Condition) {
		t.Helper()
		got, err := h.Noted(ctx, sign, from, until)
		must(t, err)
		if len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
			t.Errorf("%q from %d until %d: %+v, want %+v", sign, from, until, got, want)
		}
	}
	must(t, h.Note(ctx))
	noted("qn-001", 0, 100)
	up := playlists.Condition{Sign: "qn-001", AtMS: 10, Online: true, Clock: "trusted"}
	bad := playlists.Condition{Sign: "qn-001", AtMS: 20, Online: true, Clock: "untrusted",
		Faults: []string{"đèn", "nguồn \"2\""}}
	down := playlists.Condition{Sign: "qn-001", AtMS: 30}
	other := playlists.Condition{Sign: "qn-002", AtMS: 15, Online: true}
	ours := playlists.Condition{Sign: store.ControllerID, AtMS: 5, Online: true}
	// The later of two conditions of the same time counts.
	must(t, h.Note(ctx, down, up, playlists.Condition{Sign: "qn-001", AtMS: 20}, other, ours, bad))
	noted("qn-001", 0, 100, up, bad, down)
	noted("qn-001", 10, 30, up, bad)
	noted("qn-001", 25, 30, bad) // it was in force at 25
	noted("qn-001", 40, 50, down)
	noted("qn-001", 0, 10)
	noted("no-such-sign", 0, 100)
	noted(store.ControllerID, 5, 6, ours)
	newest := func(want ...playlists.Condition) {
		t.Helper()
		if got, err := h.Newest(ctx); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("the newest are %+v, %v; want %+v", got, err, want)
		}
	}
	newest(ours, down, other)

	checkCode(t, "NUL", h.Note(ctx, playlists.Condition{Sign: "qn-003", AtMS: 1, Faults: []string{"\x00"}}),
		playlists.Invalid)
	checkCode(t, "before 1970", h.Note(ctx, other, playlists.Condition{Sign: "qn-003", AtMS: -1}), playlists.Invalid)
	noted("qn-003", 0, 100)

	if n, err := h.Prune(ctx, 25); n != 1 || err != nil { // only the condition that bad had replaced
		t.Errorf("pruned %d, %v", n, err)
	}
	noted("qn-001", 25, 100, bad, down)
	noted("qn-001", 0, 100, bad, down)
	if n, err := h.Prune(ctx, 1000); n != 1 || err != nil {
		t.Errorf("pruned %d, %v", n, err)
	}
	newest(ours, down, other)

	many := make([]playlists.Condition, 1201) // more than one statement writes
	for i := range many {
		many[i] = playlists.Condition{Sign: "qn-009", AtMS: int64(i), Online: i%2 == 0}
	}
	must(t, h.Note(ctx, many...))
	noted("qn-009", 0, 2000, many...)
}
