package app_test

import (
	"testing"
	"time"

	"ledcast/controller/internal/backup"
	"ledcast/controller/internal/datadir"
	"ledcast/playlists"
)

// What an earlier version kept without an entry is in the log after the first
// start; what somebody slips in later is not.
func TestLogAdoptsOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	slip := func(id string) {
		t.Helper()
		s, err := datadir.OpenStore(t.Context(), dir, database(t, dir))
		if err != nil {
			t.Fatal(err)
		}
		if err := keep(t.Context(), s, &playlists.Message{ID: id, Owner: "viet-ads"}, time.Now()); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	verify := func() error {
		t.Helper()
		d := startDemo(t, dir)
		defer d.stop(t)
		_, err := backup.Verify(t.Context(), d.store, nil)
		return err
	}
	slip("of-an-earlier-version")
	if err := verify(); err != nil {
		t.Error(err)
	}
	slip("slipped-in")
	if err := verify(); err == nil {
		t.Error("a message that no entry made is not found")
	}
}
