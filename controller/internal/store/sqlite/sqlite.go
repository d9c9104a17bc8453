// Package sqlite keeps what a controller remembers in one SQLite file.
//
// SQLite's defaults would lose acknowledged writes at a power cut and let two
// writers deadlock, so every connection is opened with the settings of pragmas,
// which are part of its address: set once on a pool, they would hold for the
// first connection only. One connection writes; a pool of others reads, and
// cannot write.
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

	"ledcast/controller/internal/store/sqldb"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store implements store.Store.
type Store struct {
	*sqldb.DB
	path string
	w    *sql.DB // one connection
	r    *sql.DB // query only
}

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
	version, err := s.prepare(ctx)
	if err != nil {
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
	s.DB = sqldb.New(sqldb.Database{Name: abs, Version: version, Read: s.r, Begin: s.begin, Rows: rowsAtOnce,
		Snapshot: sql.TxOptions{ReadOnly: true}, Close: s.close})
	return s, nil
}

// rowsAtOnce: SQLite looks numbered parameters up one by one, so that a
// statement of twice as many takes four times as long to read.
const rowsAtOnce = 8

// begin waits for the one connection that writes.
func (s *Store) begin(ctx context.Context, _ bool) (*sql.Tx, context.Context, func(), error) {
	tx, err := s.w.BeginTx(ctx, nil)
	return tx, ctx, func() {}, err
}

// close closes all connections; the last one folds the log into the file.
func (s *Store) close() error {
	// The readers first: only a connection that may write can fold the log.
	return errors.Join(s.r.Close(), s.w.Close())
}

// OpenReader opens the database beside a controller that is running, to read
// and dump it; every write is refused. Conflict where the tables are not those
// of this program.
func OpenReader(ctx context.Context, path string) (*Store, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("database %s: %w", path, err)
	}
	if _, err := os.Stat(abs); err != nil {
		return nil, fmt.Errorf("database %s: %w", abs, err)
	}
	s := &Store{path: abs}
	if s.r, err = sql.Open("sqlite", address(abs, "query_only(1)")); err != nil {
		return nil, fmt.Errorf("database %s: %w", abs, err)
	}
	p, err := provider(s.r)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("database %s: %w", abs, err), s.r.Close())
	}
	version, err := sqldb.SameVersion(ctx, abs, s.r, p)
	if err != nil {
		return nil, errors.Join(err, s.r.Close())
	}
	s.DB = sqldb.New(sqldb.Database{Name: abs, Version: version, Read: s.r, Begin: sqldb.ReadOnly,
		Snapshot: sql.TxOptions{ReadOnly: true}, Close: s.r.Close})
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
func (s *Store) prepare(ctx context.Context) (version int64, err error) {
	var mode string
	if err := s.w.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return 0, fmt.Errorf("database %s cannot be read: %w; restore it from a backup, or name another file", s.path, err)
	}
	if mode != "wal" {
		return 0, fmt.Errorf("database %s: its file system allows journal mode %q only, not wal; put it on a local disk",
			s.path, mode)
	}
	p, err := provider(s.w)
	if err != nil {
		return 0, fmt.Errorf("database %s: %w", s.path, err)
	}
	return sqldb.Migrate(ctx, s.path, p)
}

func provider(db *sql.DB) (*goose.Provider, error) {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectSQLite3, db, sub, goose.WithDisableGlobalRegistry(true))
}
