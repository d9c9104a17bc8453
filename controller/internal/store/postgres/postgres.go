// Package postgres implements package store in a PostgreSQL database, for installations that do not want to depend
// on one machine's disk.
//
// Only one controller may write, because two could allocate the same seq. Three mechanisms ensure this. First, Open
// takes an advisory lock and fails if another controller has it. Second, the lock belongs to a connection, and all
// writes use this connection, one after another: a controller that loses its lock also loses its connection for
// writing, and must take the lock again. Third, Open increments a fencing number that every transaction checks. This
// covers a failover to a standby server, which does not have the lock. A controller that has lost the database to
// another one can still read. Its writes return store.ErrLost until it is restarted.
//
// A connection that breaks is replaced (see link.go). The controller goes on if the fencing number is the one that it
// set, because no other controller has written then.
//
// If a context is cancelled during a write, the driver closes the connection, and the lock is lost. So writes do
// not use the caller's context. They run to their end or to writeTimeout, and are rolled back if the caller's
// context was cancelled meanwhile.
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

	"ledcast/controller/internal/store/sqldb"
	"ledcast/playlists"
)

//go:embed migrations/*.sql
var migrations embed.FS

// lockKey is the key of the advisory lock, "ledcast" in ASCII.
const lockKey = 0x6c656463617374

// writeTimeout ends a write that hangs on a server that answers otherwise. The connection is lost, too.
const writeTimeout = 30 * time.Second

// batchRows is large because every statement costs a round trip to the server.
const batchRows = 200

// Store implements store.Store.
type Store struct {
	*sqldb.DB
	name    string
	w       *sql.DB // one connection, which pin holds
	r       *sql.DB // read only
	fence   int64
	version int64

	writing chan struct{} // semaphore of the write transaction; its holder may use the fields below
	pin     *sql.Conn     // nil while there is no connection that holds the lock
	pid     int64         // the server's process of pin, or of the last one
	unclear []int64       // transactions whose outcome is not known

	link link
}

// Open connects to the database at dsn, e.g. "postgres://user:password@host:5432/ledcast", locks it for this
// controller and migrates it. The error is Conflict if another controller has the lock, and Invalid if dsn cannot
// be parsed. No error contains the password.
//
// The address must be that of the server or of a pooler in session mode. A pooler in transaction mode cannot hold a
// session's lock.
func Open(ctx context.Context, dsn string) (*Store, error) {
	c, name, err := configOf(dsn)
	if err != nil {
		return nil, err
	}
	s := &Store{name: name, writing: make(chan struct{}, 1)}
	s.link.track(c)
	s.w, s.r = stdlib.OpenDB(*c), readers(c)
	if err := s.acquire(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	d := s.database()
	d.Link = &s.link
	s.DB = sqldb.New(d)
	s.startWatch(c)
	return s, nil
}

// OpenReader opens the database read-only, to read or dump it while a controller is running. The error is Conflict
// if the database has a different version than this program.
func OpenReader(ctx context.Context, dsn string) (*Store, error) {
	c, name, err := configOf(dsn)
	if err != nil {
		return nil, err
	}
	s := &Store{name: name, r: readers(c)}
	p, err := provider(s.r)
	if err != nil {
		return nil, errors.Join(s.wrapErr(err), s.close())
	}
	if s.version, err = sqldb.SameVersion(ctx, name, s.r, p); err != nil {
		return nil, errors.Join(err, s.close())
	}
	d := s.database()
	d.Begin = sqldb.ReadOnly
	s.DB = sqldb.New(d)
	return s, nil
}

func (s *Store) database() sqldb.Database {
	return sqldb.Database{Name: s.name, Version: s.version, Read: s.r, Begin: s.begin, Rows: batchRows, Close: s.close,
		Snapshot: sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead}}
}

// configOf parses a dsn. name is the database and its host, for errors. The error of the parser is not wrapped,
// because it may contain the password.
func configOf(dsn string) (c *pgx.ConnConfig, name string, err error) {
	if c, err = pgx.ParseConfig(dsn); err != nil {
		return nil, "", &playlists.Error{Code: playlists.Invalid, Field: "--database",
			Key: "database-address-unreadable"}
	}
	for key, value := range map[string]string{
		"application_name": "ledcast",
		// The server keeps the lock of a dead controller as long as it keeps the connection. With these settings it
		// closes the connection within a minute.
		"tcp_keepalives_idle": "20", "tcp_keepalives_interval": "10", "tcp_keepalives_count": "3",
	} {
		if _, set := c.RuntimeParams[key]; !set {
			c.RuntimeParams[key] = value
		}
	}
	host := c.Host
	if !strings.HasPrefix(host, "/") { // the directory of a Unix socket has no port
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

// acquire locks the database, migrates it and increments the fencing number.
func (s *Store) acquire(ctx context.Context) (err error) {
	if s.pin, err = s.w.Conn(ctx); err != nil {
		if isDown(err) {
			return &playlists.Error{Code: playlists.Away, Field: "--database", Value: s.name,
				Key: "database-unreachable", Args: []any{err.Error()}}
		}
		return fmt.Errorf("database %s cannot be opened: %w; correct --database", s.name, err)
	}
	locked, err := s.lock(ctx)
	if err != nil {
		return s.wrapErr(err)
	}
	if !locked {
		return &playlists.Error{Code: playlists.Conflict, Field: "--database", Value: s.name,
			Key: "database-in-use", Args: []any{s.holder(ctx)}}
	}
	p, err := provider(s.w)
	if err != nil {
		return s.wrapErr(err)
	}
	if s.version, err = sqldb.Migrate(ctx, s.name, p); err != nil {
		return err
	}
	s.w.SetMaxOpenConns(1) // goose needed a second connection
	if err := s.pin.QueryRowContext(ctx,
		`UPDATE fence SET n = n + 1 WHERE id = 1 RETURNING n`).Scan(&s.fence); err != nil {
		return s.wrapErr(err)
	}
	return nil
}

// lock prepares the pinned connection for writing and tries to take the lock.
func (s *Store) lock(ctx context.Context) (locked bool, err error) {
	// An acknowledged write must be durable, whatever the server's default is.
	if _, err := s.pin.ExecContext(ctx,
		`SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`,
	); err != nil {
		return false, err
	}
	var pid int64
	if err := s.pin.QueryRowContext(ctx, `SELECT pg_try_advisory_lock($1), pg_backend_pid()`, int64(lockKey)).
		Scan(&locked, &pid); err != nil {
		return false, err
	}
	if locked {
		s.pid = pid
	}
	return locked, nil
}

func provider(db *sql.DB) (*goose.Provider, error) {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	// goose uses its own connection and its own lock. It waits up to a minute for the lock of a controller that was
	// killed during a migration.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60))
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, db, sub, goose.WithDisableGlobalRegistry(true),
		goose.WithSessionLocker(locker))
}

// holder describes the client that has the lock, e.g. " (ledcast from 10.0.0.5, server process 123)". It returns ""
// if the server does not tell.
func (s *Store) holder(ctx context.Context) string {
	var who string
	err := s.pin.QueryRowContext(ctx, `
		SELECT a.application_name || ' from ' || COALESCE(host(a.client_addr), 'this machine') ||
			', server process ' || a.pid
		FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
		WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
		  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
		  AND l.classid::bigint = $1 AND l.objid::bigint = $2`,
		int64(lockKey>>32), int64(lockKey&0xffffffff)).Scan(&who)
	if err != nil {
		return ""
	}
	return " (" + who + ")"
}

func (s *Store) wrapErr(err error) error { return fmt.Errorf("database %s: %w", s.name, err) }

// close releases the lock and closes all connections.
func (s *Store) close() error {
	var errs []error
	if s.link.stop != nil {
		s.link.stop()
		<-s.link.done
	}
	if s.r != nil {
		errs = append(errs, s.r.Close())
	}
	if s.pin != nil {
		// The server releases the lock some time after the connection is closed. Release it now, so that the next
		// controller can start immediately.
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		// It fails if the connection is lost, and the lock with it.
		_, _ = s.pin.ExecContext(ctx, `SELECT pg_advisory_unlock($1)`, int64(lockKey))
		cancel()
		// ErrConnDone means that the connection was lost before, which writes have reported.
		if err := s.pin.Close(); !errors.Is(err, sql.ErrConnDone) {
			errs = append(errs, err)
		}
	}
	if s.w != nil {
		errs = append(errs, s.w.Close())
	}
	return errors.Join(errs...)
}
