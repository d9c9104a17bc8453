package app_test

import (
	"slices"
	"testing"

	"ledcast/controller/internal/listen"
	"ledcast/playlists/timeline"
)

// Two boxes run with one config file: the controller and each box say so, and when one is gone the fault ends.
func TestTwoBoxesWithOneIdentity(t *testing.T) {
	slow(t)
	t.Parallel()
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	c := newCaller(t, d)
	d.ready(t)
	config := c.ownSign("va-001", "quang-ngai/son-tinh")
	first := attach(t, config, t.TempDir(), t.TempDir())
	eventually(t, "it plays", func() bool { return first.last(t).Why == timeline.WhyProgram })
	second := attach(t, config, t.TempDir(), t.TempDir())
	has := func(fault string) func() bool {
		return func() bool { return slices.Contains(d.source.Heard("va-001").Faults, fault) }
	}
	eventually(t, "the controller says it", has(listen.FaultTwin))
	eventually(t, "a box says it", has("taken-over"))
	second.stop(t)
	first.stop(t)
}
