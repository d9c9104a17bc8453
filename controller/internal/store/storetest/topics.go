package storetest

import (
	"fmt"
	"maps"
	"testing"

	"ledcast/playlists"
)

func topics(t *testing.T, open Opener) {
	ctx, s := t.Context(), opened(t, open).Topics()
	kept := func(want map[string]int64) {
		t.Helper()
		if got, err := s.All(ctx); err != nil || !maps.Equal(got, want) {
			t.Errorf("kept are %v, %v; want %v", got, err, want)
		}
	}
	must(t, s.Put(ctx, nil))
	must(t, s.Remove(ctx))
	kept(map[string]int64{})
	must(t, s.Put(ctx, map[string]int64{"led/v1/a": 0, "led/v1/b": 7}))
	must(t, s.Put(ctx, map[string]int64{"led/v1/a": 9}))
	kept(map[string]int64{"led/v1/a": 9, "led/v1/b": 7})
	checkCode(t, "NUL", s.Put(ctx, map[string]int64{"led/v1/c": 0, "\x00": 0}), playlists.Invalid)
	checkCode(t, "before 1970", s.Put(ctx, map[string]int64{"led/v1/c": -1}), playlists.Invalid)
	must(t, s.Remove(ctx, "led/v1/a", "led/v1/never"))
	kept(map[string]int64{"led/v1/b": 7})
	must(t, s.Remove(ctx, "led/v1/b"))
	many, names := map[string]int64{}, []string{}
	for i := range 1201 { // more than one statement writes
		name := fmt.Sprint("led/v1/", i)
		many[name], names = int64(i), append(names, name)
	}
	must(t, s.Put(ctx, many))
	kept(many)
	must(t, s.Remove(ctx, names[1:]...))
	kept(map[string]int64{"led/v1/0": 0})
}
