package sqlite

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"ledcast/controller/internal/store"
	"ledcast/controller/internal/store/storetest"
)

func TestMain(m *testing.M) {
	storetest.CrashWriter(func(ctx context.Context, path string) (store.Store, error) { return Open(ctx, path) })
	os.Exit(m.Run())
}

// TestKilled kills a writing process ten times at random moments. No acknowledged write may be lost, and no seq may
// be used twice.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledcast.db")
	c := storetest.NewCrashed()
	c.Kill(t, path, 10, func() {})
	s := open(t, path)
	var integrity string
	if err := s.r.QueryRow("PRAGMA integrity_check").Scan(&integrity); err != nil || integrity != "ok" {
		t.Errorf("integrity_check says %q, %v", integrity, err)
	}
	c.Check(t, s)
}
