// Package sqlite implements package store in one SQLite file.
//
// With SQLite's defaults a power cut could lose acknowledged writes, and two writers could deadlock. So the data
// source name contains pragmas, which apply to every connection. A PRAGMA statement on a pool would apply to one
// connection only. One connection writes. The connections of a second pool only read.
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

// Open opens the database file at path, creates it with mode 0600 if it does not exist, because it contains signing
// keys, and migrates it.
func Open(ctx context.Context, path string) (*Store, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("database %s: %w", path, err)
	}
	if err := makePrivate(abs); err != nil {
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
	file, err := os.Stat(abs)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("database %s: %w", abs, err), s.r.Close(), s.w.Close())
	}
	room := &diskRoom{path: abs, file: file}
	room.Refill() // without room for it there is none, and the first write that fails says so
	s.DB = sqldb.New(sqldb.Database{Name: abs, Version: version, Read: s.r, Begin: s.begin, Rows: batchRows, Room: room,
		Snapshot: sql.TxOptions{ReadOnly: true}, Close: s.close})
	return s, nil
}

// batchRows is small because SQLite searches numbered parameters linearly: the time to parse a statement is
// quadratic in their number.
const batchRows = 8

// begin waits until the writing connection is free.
func (s *Store) begin(ctx context.Context, _ bool) (*sqldb.Tx, error) {
	tx, err := s.w.BeginTx(ctx, nil)
	return &sqldb.Tx{Tx: tx, Context: ctx}, err
}

// close closes all connections. Closing the last one moves the write-ahead log into the database file.
func (s *Store) close() error {
	// The readers are closed first, because only a connection that can write can checkpoint the log.
	return errors.Join(s.r.Close(), s.w.Close())
}

// OpenReader opens the database read-only, to read or dump it while a controller is running. The error is Conflict
// if the database has a different version than this program.
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

// address returns the data source name of path. It is a URL, so that "?" and "#" in a path are escaped.
func address(path string, more ...string) string {
	q := url.Values{"_txlock": {"immediate"}}
	for _, p := range append([]string{"busy_timeout(5000)", "synchronous(FULL)", "foreign_keys(1)"}, more...) {
		q.Add("_pragma", p)
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}
	return u.String()
}

// makePrivate creates the file if it does not exist, and sets its mode to 0600. SQLite gives its -wal and -shm
// files the same mode.
func makePrivate(path string) error {
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

// prepare checks that the file is a database in WAL mode, and migrates it.
func (s *Store) prepare(ctx context.Context) (version int64, err error) {
	var mode string
	if err := s.w.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return 0, fmt.Errorf("database %s cannot be read: %w; restore it from a backup, or choose another file", s.path,
			err)
	}
	if mode != "wal" {
		return 0, fmt.Errorf("database %s: its file system supports only journal mode %q, not wal; "+
			"move it to a local disk",
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
