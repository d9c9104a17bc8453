// Package sqlite keeps what a controller remembers in one SQLite file.
//
// SQLite's defaults would lose acknowledged writes at a power cut and let two
// writers deadlock, so every connection is opened with the settings of pragmas,
// which are part of its address: set once on a pool, they would hold for the
// first connection only. One connection writes; a pool of others reads, and
// cannot write.
//
// The statements are the part of SQL that PostgreSQL shares, numbered parameters
// among it.
package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store implements store.Store.
type Store struct {
	path string
	w    *sql.DB // one connection
	r    *sql.DB // query only
}

var _ store.Store = (*Store)(nil)

// Open opens the database file at path, makes it (mode 0600, for it holds
// signing keys) where there is none, and brings its tables up to date.
func Open(ctx context.Context, path string) (*Store, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("database %s: %w", path, err)
	}
	if err := private(abs); err != nil {
		return nil, err
	}
	s := &Store{path: abs}
	if s.w, err = sql.Open("sqlite", address(abs, "journal_mode(WAL)", "journal_size_limit(67108864)")); err != nil {
		return nil, fmt.Errorf("database %s: %w", abs, err)
	}
	s.w.SetMaxOpenConns(1)
	if err := s.prepare(ctx); err != nil {
		_ = s.w.Close()
		return nil, err
	}
	if s.r, err = sql.Open("sqlite", address(abs, "query_only(1)")); err != nil {
		_ = s.w.Close()
		return nil, fmt.Errorf("database %s: %w", abs, err)
	}
	n := max(4, runtime.NumCPU())
	s.r.SetMaxOpenConns(n)
	s.r.SetMaxIdleConns(n)
	return s, nil
}

// address is the data source name of path. As a URL, so that a path with ? or
// # in it stays a path.
func address(path string, more ...string) string {
	q := url.Values{"_txlock": {"immediate"}}
	for _, p := range append([]string{"busy_timeout(5000)", "synchronous(FULL)", "foreign_keys(1)"}, more...) {
		q.Add("_pragma", p)
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}
	return u.String()
}

// private makes the file if it is missing and takes it from everybody else.
// SQLite gives its -wal and -shm files the same mode.
func private(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("database %s: %w; its folder must exist and be writable", path, err)
	}
	defer f.Close()
	if err := f.Chmod(0o600); err != nil {
		return fmt.Errorf("database %s: %w; it must belong to the user that runs the controller", path, err)
	}
	return nil
}

// prepare checks that the file is what Open promises, and migrates it.
func (s *Store) prepare(ctx context.Context) error {
	var mode string
	if err := s.w.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return fmt.Errorf("database %s cannot be read: %w; restore it from a backup, or name another file", s.path, err)
	}
	if mode != "wal" {
		return fmt.Errorf("database %s: its file system allows journal mode %q only, not wal; put it on a local disk", s.path, mode)
	}
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("database %s: %w", s.path, err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, s.w, sub, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("database %s: %w", s.path, err)
	}
	have, know, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("database %s: %w", s.path, err)
	}
	if have > know {
		return fmt.Errorf("database %s has version %d and this program knows %d; run the newer program, or restore an older backup", s.path, have, know)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("database %s: %w; the change was rolled back, the older program can still use it", s.path, err)
	}
	return nil
}

// Close closes all connections; the last one folds the log into the file.
func (s *Store) Close() error {
	// The readers first: only a connection that may write can fold the log.
	return errors.Join(s.r.Close(), s.w.Close())
}

func (s *Store) Objects() store.Objects         { return objects{s} }
func (s *Store) Keys() store.Keys               { return keys{s} }
func (s *Store) Documents() store.Documents     { return documents{s} }
func (s *Store) Credentials() store.Credentials { return credentials{s} }
func (s *Store) Settings() store.Settings       { return settings{s} }
func (s *Store) Proofs() store.Proofs           { return proofs{s} }
func (s *Store) Audit() store.Audit             { return audit{s} }

// write runs do in one transaction, which is on disk when write returns nil.
func (s *Store) write(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := s.w.BeginTx(ctx, nil)
	if err != nil {
		return s.trouble(err)
	}
	if err := do(tx); err != nil {
		return errors.Join(err, rolledBack(tx.Rollback()))
	}
	if err := tx.Commit(); err != nil {
		return s.trouble(err)
	}
	return nil
}

// rolledBack drops the error of a rollback that a cancelled context has
// already made.
func rolledBack(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// trouble says which database failed.
func (s *Store) trouble(err error) error {
	return fmt.Errorf("database %s: %w", s.path, err)
}

// found turns "no rows" into a NotFound that names the thing.
func (s *Store) found(err error, field, value string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return notFound(field, value)
	}
	if err != nil {
		return s.trouble(err)
	}
	return nil
}

func notFound(field, value string) error {
	return &playlists.Error{Code: playlists.NotFound, Field: field, Value: value,
		Problem: "does not exist", Remedy: "check the name"}
}

func conflict(field, value, problem, remedy string) error {
	return &playlists.Error{Code: playlists.Conflict, Field: field, Value: value, Problem: problem, Remedy: remedy}
}

// collect reads all rows of a query.
func collect[T any](ctx context.Context, s *Store, scan func(*sql.Rows, *T) error, query string, args ...any) ([]T, error) {
	rows, err := s.r.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, s.trouble(err)
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		var v T
		if err := scan(rows, &v); err != nil {
			return nil, s.trouble(err)
		}
		all = append(all, v)
	}
	if err := rows.Err(); err != nil {
		return nil, s.trouble(err)
	}
	return all, nil
}
