package sqlite

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ledcast/controller/internal/store"
	"ledcast/controller/internal/store/storetest"
	"ledcast/playlists"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Opener {
		path := filepath.Join(t.TempDir(), "ledcast.db")
		return func() store.Store {
			s, err := Open(context.Background(), path)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
	})
}

func open(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// TestPrivate checks the mode of all files: they contain signing keys, so other users must not read them.
func TestPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "odd ? name#%41")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "a?b#c.db")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	if err := s.Settings().Set(t.Context(), "a", "b"); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", e.Name(), info.Mode())
		}
	}
	if got := strings.Join(names, " "); got != "a?b#c.db a?b#c.db-shm a?b#c.db-wal a?b#c.db.reserve" {
		t.Errorf("the folder holds %q", got)
	}
}

// TestPragmas checks that every connection has the settings, not only the first.
func TestPragmas(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "ledcast.db"))
	ctx := t.Context()
	want := map[string]string{"synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000", "journal_mode": "wal"}
	for i := range 3 { // not released before the end, so that each is a new connection
		c, err := s.r.Conn(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for name, value := range want {
			var got string
			if err := c.QueryRowContext(ctx, "PRAGMA "+name).Scan(&got); err != nil || got != value {
				t.Errorf("reader %d: %s is %q (%v), want %q", i, name, got, err, value)
			}
		}
		if _, err := c.ExecContext(ctx, `DELETE FROM settings`); err == nil {
			t.Errorf("reader %d can write", i)
		}
	}
	c, err := s.w.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for name, value := range want {
		var got string
		if err := c.QueryRowContext(ctx, "PRAGMA "+name).Scan(&got); err != nil || got != value {
			t.Errorf("writer: %s is %q (%v), want %q", name, got, err, value)
		}
	}
	if n := s.w.Stats().MaxOpenConnections; n != 1 {
		t.Errorf("%d writers, want 1", n)
	}
}

// TestUnkeptDocumentsDeleted checks that a document that is not kept is deleted when the next is issued.
func TestUnkeptDocumentsDeleted(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "ledcast.db"))
	for i := range int64(5) {
		d := playlists.Draft{Role: "alerts", Subject: "128x64-rgb", IatMS: i, Exp: 100, Keep: i == 1}
		if _, err := s.Documents().Issue(t.Context(), []playlists.Draft{d},
			func(int, int64) ([]byte, error) { return []byte("x"), nil }); err != nil {
			t.Fatal(err)
		}
	}
	var n int
	if err := s.r.QueryRow(`SELECT count(*) FROM documents`).Scan(&n); err != nil || n != 2 {
		t.Errorf("%d documents (%v), want the kept one and the latest", n, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("not a database\n", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	newer := filepath.Join(dir, "newer.db")
	s, err := Open(t.Context(), newer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.w.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)`); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ path, want string }{
		{garbage, "restore it from a backup"},
		{filepath.Join(dir, "none", "ledcast.db"), "must exist"},
		{newer, "run the newer program"},
		{dir, "is a directory"},
	} {
		s, err := Open(t.Context(), test.path)
		if err == nil {
			_ = s.Close()
			t.Errorf("%s was opened", test.path)
			continue
		}
		if !strings.Contains(err.Error(), test.path) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("error %q names neither %q nor %q", err, test.path, test.want)
		}
	}
}

func BenchmarkNextSeqs10000(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "ledcast.db"))
	signs := make([]string, 10_000)
	for i := range signs {
		signs[i] = fmt.Sprintf("qn-%05d", i)
	}
	for b.Loop() {
		if _, err := s.Documents().NextSeqs(b.Context(), "program", signs, 0, 1); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkIssue10000x8KB(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "ledcast.db"))
	drafts := make([]playlists.Draft, 10_000)
	for i := range drafts {
		drafts[i] = playlists.Draft{Role: "program", Subject: fmt.Sprintf("qn-%05d", i), IatMS: 1, Exp: 100,
			Digest: strings.Repeat("d", 64)}
	}
	jws := make([]byte, 8192)
	for b.Loop() {
		if _, err := s.Documents().Issue(b.Context(), drafts, func(int, int64) ([]byte,
			error) {
			return jws, nil
		}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPut(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "ledcast.db"))
	o := store.Object{Kind: "message", Owner: "viet-ads", ID: "bluezone-1", Data: []byte(`{"id":"bluezone-1"}`)}
	for b.Loop() {
		if _, err := s.Objects().Put(b.Context(), o, store.AnyVersion); err != nil {
			b.Fatal(err)
		}
	}
}

// TestAuditTampering checks that Verify names the first entry that was changed, removed or inserted.
func TestAuditTampering(t *testing.T) {
	for name, c := range map[string]struct {
		sql  string
		want string // number of the first wrong entry
	}{
		"changed": {`UPDATE audit SET after = X'7B2276223A397D' WHERE n = 3`, `"3"`},
		"who":     {`UPDATE audit SET who = 'somebody else' WHERE n = 2`, `"2"`},
		"removed": {`DELETE FROM audit WHERE n = 4`, `"4"`},
		"inserted": {`INSERT INTO audit SELECT 6, at_ms, who, from_addr, action, kind, owner, id, before, after, digest
			FROM audit WHERE n = 5`, `"6"`},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, filepath.Join(t.TempDir(), "ledcast.db"))
			for i := range 5 {
				if _, err := s.Audit().Change(t.Context(),
					store.Change{Object: store.Object{Kind: "message", Owner: "a-co", ID: fmt.Sprint("m", i), Data: []byte(`{"v":1}`)},
						By: playlists.Actor{Who: "x", AtMS: 1}}); err != nil {
					t.Fatal(err)
				}
			}
			if n, err := s.Audit().Verify(t.Context(), nil); n != 5 || err != nil {
				t.Fatalf("before tampering: %d entries, %v", n, err)
			}
			if _, err := s.w.Exec(c.sql); name != "inserted" && (err == nil || !strings.Contains(err.Error(), "appended only")) {
				t.Errorf("the trigger does not prevent the change: %v", err)
			}
			if _, err := s.w.Exec(`DROP TRIGGER audit_keeps_entries; DROP TRIGGER audit_loses_none`); err != nil {
				t.Fatal(err)
			}
			if _, err := s.w.Exec(c.sql); err != nil && name != "inserted" {
				t.Fatal(err)
			}
			if _, err := s.Audit().Verify(t.Context(), nil); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Verify returns %v, want entry %s", err, c.want)
			}
		})
	}
}
