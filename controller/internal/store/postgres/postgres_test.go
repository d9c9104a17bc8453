package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ledcast/controller/internal/store"
	"ledcast/controller/internal/store/postgres/pgtest"
	"ledcast/controller/internal/store/sqlite"
	"ledcast/controller/internal/store/storetest"
	"ledcast/playlists"
)

func TestMain(m *testing.M) {
	storetest.CrashWriter(func(ctx context.Context, dsn string) (store.Store, error) { return Open(ctx, dsn) })
	os.Exit(pgtest.Main(m))
}

// TestKilled is like the test of package sqlite. The next controller can start when the server has released the
// lock of the killed one.
func TestKilled(t *testing.T) {
	dsn := pgtest.Database(t)
	free := func() {
		pgtest.Exec(t, dsn, fmt.Sprintf(`SELECT pg_advisory_lock(%d), pg_advisory_unlock(%[1]d)`, lockKey))
	}
	c := storetest.NewCrashed()
	c.Kill(t, dsn, 10, free)
	free()
	c.Check(t, open(t, dsn))
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Opener {
		dsn := pgtest.Database(t)
		return func() store.Store { return reopen(t, dsn) }
	})
}

// TestMove restores a backup of SQLite into PostgreSQL, and the other way round.
func TestMove(t *testing.T) {
	file := func(t *testing.T) storetest.Opener {
		path := filepath.Join(t.TempDir(), "ledcast.db")
		return func() store.Store {
			s, err := sqlite.Open(context.Background(), path)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
	}
	server := func(t *testing.T) storetest.Opener {
		dsn := pgtest.Database(t)
		return func() store.Store { return reopen(t, dsn) }
	}
	t.Run("to-postgresql", func(t *testing.T) { storetest.Backup(t, file(t), server(t)) })
	t.Run("to-sqlite", func(t *testing.T) { storetest.Backup(t, server(t), file(t)) })
}

func reopen(t testing.TB, dsn string) *Store {
	t.Helper()
	s, err := Open(context.Background(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func open(t testing.TB, dsn string) *Store {
	t.Helper()
	s := reopen(t, dsn)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// checkReadWrite fails the test unless s can write and read back a setting.
func checkReadWrite(t *testing.T, s *Store) {
	t.Helper()
	if err := s.Settings().Set(t.Context(), "a", "b"); err != nil {
		t.Fatal(err)
	}
	checkRead(t, s)
}

func checkRead(t *testing.T, s *Store) {
	t.Helper()
	if v, err := s.Settings().Get(t.Context(), "a"); v != "b" || err != nil {
		t.Fatalf("read %q, %v", v, err)
	}
}

// checkLost fails the test unless all writes fail with ErrLost and reads succeed.
func checkLost(t *testing.T, s *Store) {
	t.Helper()
	for range 3 {
		if err := s.Settings().Set(t.Context(), "a", "c"); !errors.Is(err, store.ErrLost) {
			t.Fatalf("a setting was written: %v", err)
		}
		seqs, err := s.Documents().NextSeqs(t.Context(), "program", []string{"qn-001"}, 0, 1)
		if !errors.Is(err, store.ErrLost) {
			t.Fatalf("seqs %d were allocated: %v", seqs, err)
		}
	}
	checkRead(t, s)
}

func TestSecondControllerRefused(t *testing.T) {
	dsn := pgtest.Database(t)
	s := open(t, dsn)
	second, err := Open(t.Context(), dsn)
	if err == nil {
		_ = second.Close()
		t.Fatal("a second controller opened the database")
	}
	var e *playlists.Error
	if !errors.As(err, &e) || e.Code != playlists.Conflict {
		t.Fatalf("got %v, want a conflict", err)
	}
	for _, part := range []string{"ledcast_test_", "another controller (ledcast from", "stop that one"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not contain %q", err, part)
		}
	}
	checkReadWrite(t, s) // the first controller still works
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = reopen(t, dsn)
	checkReadWrite(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, dsn)
}

// TestFenceRaised checks that a controller does not write after another has raised the fencing number, even if its
// own connection is open. This happens at a failover to another server.
func TestFenceRaised(t *testing.T) {
	dsn := pgtest.Database(t)
	s := open(t, dsn)
	checkReadWrite(t, s)
	pgtest.Exec(t, dsn, `UPDATE fence SET n = n + 1`)
	checkLost(t, s)
}

// TestReader checks that OpenReader works beside a running controller, for reading only.
func TestReader(t *testing.T) {
	dsn := pgtest.Database(t)
	s := open(t, dsn)
	checkReadWrite(t, s)
	r, err := OpenReader(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	checkRead(t, r)
	if err := r.Settings().Set(t.Context(), "a", "c"); err == nil || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("a write through a reader: got %v, want an error", err)
	}
	if _, err := s.r.ExecContext(t.Context(), `DELETE FROM settings`); err == nil {
		t.Error("a connection of the read pool can write")
	}
}

// TestNoPasswordInErrors checks the errors of invalid and unreachable addresses.
func TestNoPasswordInErrors(t *testing.T) {
	for _, dsn := range []string{
		"postgres://u:s3cret-word@127.0.0.1:1/db",
		"postgres://u:s3cret-word@127.0.0.1:notaport/db",
		"postgres://u:s3cret-word%zz@127.0.0.1/db",
		"postgres://127.0.0.1:1/db?user=u&password=s3cret-word",
		"host=127.0.0.1 port=1 user=u password='s3cret-word' dbname=db",
		"host=127.0.0.1 port=x user=u password = 's3cret-word",
		"s3cret-word",
		"postgres://u:s3cret-word@127.0.0.1/db?sslmode=odd",
	} {
		s, err := Open(t.Context(), dsn)
		if err == nil {
			_ = s.Close()
			t.Errorf("%s was opened", dsn)
			continue
		}
		if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the error contains the password: %v", err)
		}
		if !strings.Contains(err.Error(), "--database") {
			t.Errorf("%v does not name the option --database", err)
		}
	}
}

func TestDumpsAll(t *testing.T) {
	s := open(t, pgtest.Database(t))
	var columns string
	if err := s.r.QueryRow(`SELECT string_agg(table_name || '.' || column_name, ' ')
		FROM information_schema.columns WHERE table_schema = 'public'`).Scan(&columns); err != nil {
		t.Fatal(err)
	}
	storetest.DumpsAll(t, s, strings.Fields(columns))
}

// TestTablesAlike checks that the columns have types that accept the same values as SQLite, and sort bytewise.
func TestTablesAlike(t *testing.T) {
	s := open(t, pgtest.Database(t))
	var wrong sql.NullString
	if err := s.r.QueryRow(`SELECT string_agg(table_name || '.' || column_name || ' ' || data_type || ' ' ||
		COALESCE(collation_name, ''), ', ')
		FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'goose_db_version'
		AND NOT (data_type = 'text' AND collation_name = 'C')
		AND data_type NOT IN ('bigint', 'bytea')`).Scan(&wrong); err != nil {
		t.Fatal(err)
	}
	if wrong.Valid {
		t.Errorf("columns with another type or collation: %s", wrong.String)
	}
}

func BenchmarkIssue10000(b *testing.B) {
	s := open(b, pgtest.Database(b))
	drafts := make([]playlists.Draft, 10_000)
	iat := int64(0)
	for b.Loop() {
		iat += 86400
		for i := range drafts {
			drafts[i] = playlists.Draft{Role: "program", Subject: storetest.Program(i/10, i, iat, 1).Sign, IatMS: iat * 1000,
				Exp: iat + 8*86400, Keep: true}
		}
		if _, err := s.Documents().Issue(b.Context(), drafts, func(i int, seq int64) ([]byte, error) {
			return storetest.Sealed(storetest.Program(i/10, i, iat, seq)), nil
		}); err != nil {
			b.Fatal(err)
		}
	}
}
