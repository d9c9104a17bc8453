// Package postgres keeps what a controller remembers in a PostgreSQL database,
// where one machine's disk is not enough.
//
// Only one controller may write: two would give out one seq twice. Three things
// see to it. Open takes an advisory lock, which a second controller is refused.
// The lock belongs to a connection, and all writes go through that very
// connection, one after another: a controller that lost its lock has lost its
// way to write with it. And Open raises a fencing number that every transaction
// checks, for the day when a server was replaced by its stand-by, which knows of
// no lock. A controller that lost the database reads on and has to be restarted
// to write again: errors are store.ErrLost.
//
// A context that is cancelled in the middle of a write would make the driver
// cut the connection, and the lock with it. So writes run to their end or to
// writeTimeout, and are taken back if the context was cancelled meanwhile.
package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"ledcast/controller/internal/store"
	"ledcast/controller/internal/store/sqldb"
	"ledcast/playlists"
)

//go:embed migrations/*.sql
var migrations embed.FS

// lockKey is the advisory lock of the controller that writes: "ledcast" in
// ASCII.
const lockKey = 0x6c656463617374

// writeTimeout ends a write that hangs. It is long: the connection ends with it.
const writeTimeout = 2 * time.Minute

// rowsAtOnce: a statement costs a way to the server and back.
const rowsAtOnce = 200

// Store implements store.Store.
type Store struct {
	*sqldb.DB
	name   string
	w      *sql.DB // one connection, pinned
	r      *sql.DB // read only
	pin    *sql.Conn
	fence  int64
	tables int64         // their version
	turn   chan struct{} // holds one token while a transaction runs
}

// Open connects to the database at dsn, e.g.
// "postgres://user:password@host:5432/ledcast", takes it for this controller
// and brings its tables up to date. Conflict where another controller has it,
// Invalid for a dsn that is none. No error names the password.
//
// The address must be the server's own, or that of a pooler in session mode:
// one that hands connections around by transaction cannot hold a lock.
func Open(ctx context.Context, dsn string) (*Store, error) {
	c, name, err := configOf(dsn)
	if err != nil {
		return nil, err
	}
	s := &Store{name: name, turn: make(chan struct{}, 1)}
	s.w, s.r = stdlib.OpenDB(*c), readers(c)
	if err := s.take(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	s.DB = sqldb.New(s.database())
	return s, nil
}

// OpenReader opens the database beside a controller that is running, to read
// and dump it; every write is refused. Conflict where the tables are not those
// of this program.
func OpenReader(ctx context.Context, dsn string) (*Store, error) {
	c, name, err := configOf(dsn)
	if err != nil {
		return nil, err
	}
	s := &Store{name: name, r: readers(c)}
	p, err := provider(s.r)
	if err != nil {
		return nil, errors.Join(s.trouble(err), s.close())
	}
	if s.tables, err = sqldb.SameVersion(ctx, name, s.r, p); err != nil {
		return nil, errors.Join(err, s.close())
	}
	d := s.database()
	d.Begin = sqldb.ReadOnly
	s.DB = sqldb.New(d)
	return s, nil
}

func (s *Store) database() sqldb.Database {
	return sqldb.Database{Name: s.name, Version: s.tables, Read: s.r, Begin: s.begin, Rows: rowsAtOnce, Close: s.close,
		Snapshot: sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead}}
}

// configOf reads a dsn and names its database for people: everything but the
// password and the options. The cause of a bad one is not told: it may quote it.
func configOf(dsn string) (c *pgx.ConnConfig, name string, err error) {
	if c, err = pgx.ParseConfig(dsn); err != nil {
		return nil, "", &playlists.Error{Code: playlists.Invalid, Field: "--database",
			Key: "database-address-unreadable"}
	}
	for key, value := range map[string]string{
		"application_name": "ledcast",
		// A server that keeps a dead controller's connection keeps its lock: let
		// it notice within a minute.
		"tcp_keepalives_idle": "20", "tcp_keepalives_interval": "10", "tcp_keepalives_count": "3",
	} {
		if _, set := c.RuntimeParams[key]; !set {
			c.RuntimeParams[key] = value
		}
	}
	host := c.Host
	if !strings.HasPrefix(host, "/") { // a folder of sockets stays as it is
		host = net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port)))
	}
	return c, fmt.Sprintf("%s at %s", c.Database, host), nil
}

func readers(c *pgx.ConnConfig) *sql.DB {
	c = c.Copy()
	c.RuntimeParams["default_transaction_read_only"] = "on"
	r := stdlib.OpenDB(*c)
	n := max(4, runtime.NumCPU())
	r.SetMaxOpenConns(n)
	r.SetMaxIdleConns(n)
	return r
}

// take locks the database, migrates it and raises the fence.
func (s *Store) take(ctx context.Context) (err error) {
	if s.pin, err = s.w.Conn(ctx); err != nil {
		return fmt.Errorf("database %s cannot be reached: %w; start PostgreSQL, or correct --database", s.name, err)
	}
	var mine bool
	if err := s.pin.QueryRowContext(ctx, `SELECT pg_try_advisory_lock($1)`, int64(lockKey)).Scan(&mine); err != nil {
		return s.trouble(err)
	}
	if !mine {
		return &playlists.Error{Code: playlists.Conflict, Field: "--database", Value: s.name,
			Key: "database-in-use", Args: []any{s.holder(ctx)}}
	}
	p, err := provider(s.w)
	if err != nil {
		return s.trouble(err)
	}
	if s.tables, err = sqldb.Migrate(ctx, s.name, p); err != nil {
		return err
	}
	s.w.SetMaxOpenConns(1) // the migrations had a second one
	// An acknowledged write is on disk, whatever the server's default.
	if _, err := s.pin.ExecContext(ctx,
		`SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`); err != nil {
		return s.trouble(err)
	}
	if err := s.pin.QueryRowContext(ctx,
		`UPDATE fence SET n = n + 1 WHERE id = 1 RETURNING n`).Scan(&s.fence); err != nil {
		return s.trouble(err)
	}
	return nil
}

func provider(db *sql.DB) (*goose.Provider, error) {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	// goose works on a connection of its own. Its lock waits for that of a
	// controller that was killed in the middle, should the server still be at it.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60))
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, db, sub, goose.WithDisableGlobalRegistry(true),
		goose.WithSessionLocker(locker))
}

// holder says who has the lock, as far as the server tells.
func (s *Store) holder(ctx context.Context) string {
	var who string
	err := s.pin.QueryRowContext(ctx, `
		SELECT a.application_name || ' from ' || COALESCE(host(a.client_addr), 'this machine') || ', server process ' || a.pid
		FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
		WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
		  AND l.classid::bigint = $1 AND l.objid::bigint = $2`, int64(lockKey>>32), int64(lockKey&0xffffffff)).Scan(&who)
	if err != nil {
		return ""
	}
	return " (" + who + ")"
}

// begin begins a transaction on the pinned connection, when it is free, and
// checks the fence in it. FOR SHARE: a controller that would raise the fence
// waits until the transaction has ended.
func (s *Store) begin(ctx context.Context, long bool) (*sql.Tx, context.Context, func(), error) {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, nil, ctx.Err()
	}
	in, cancel := ctx, func() {} // a long one can be cancelled, at the connection's cost
	if !long {
		in, cancel = context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	}
	release := func() {
		cancel()
		<-s.turn
	}
	tx, err := s.pin.BeginTx(in, nil)
	if err != nil {
		release()
		return nil, nil, nil, fmt.Errorf("%w: the connection with its lock is gone (%w)", store.ErrLost, err)
	}
	var n int64
	if err = tx.QueryRowContext(in, `SELECT n FROM fence WHERE id = 1 FOR SHARE`).Scan(&n); err == nil && n == s.fence {
		return tx, in, release, nil
	}
	if err == nil {
		err = fmt.Errorf("its fence is at %d, this controller's at %d: another has opened it", n, s.fence)
	}
	_ = tx.Rollback() // nothing was written, and err is what matters
	release()
	return nil, nil, nil, fmt.Errorf("%w: %w", store.ErrLost, err)
}

func (s *Store) trouble(err error) error { return fmt.Errorf("database %s: %w", s.name, err) }

// close gives the lock back and closes all connections.
func (s *Store) close() error {
	var errs []error
	if s.r != nil {
		errs = append(errs, s.r.Close())
	}
	if s.pin != nil {
		// With a connection's end the server gives the lock back, but not at
		// once: the next controller would find it taken.
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		_, _ = s.pin.ExecContext(ctx, `SELECT pg_advisory_unlock($1)`, int64(lockKey)) // what was lost has none
		cancel()
		// A connection that was lost says so again: the lock is gone with it.
		if err := s.pin.Close(); !errors.Is(err, sql.ErrConnDone) {
			errs = append(errs, err)
		}
	}
	if s.w != nil {
		errs = append(errs, s.w.Close())
	}
	return errors.Join(errs...)
}
