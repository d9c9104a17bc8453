// Package sqldb implements package store in SQL that both SQLite and PostgreSQL understand. Packages sqlite and
// postgres open a database, migrate it and pass it to New as a Database. They contain the differences: how a
// transaction begins, how a snapshot is taken, and how a second writer is kept out.
//
// The statements use numbered parameters, ON CONFLICT and RETURNING, and column types that both support.
// PostgreSQL's text columns are COLLATE "C", so that ORDER BY is bytewise in both.
package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

// Database is an open database, the argument of New.
type Database struct {
	// Name is the database's name in errors, without a password.
	Name string
	// Read is a pool of connections for reading.
	Read *sql.DB
	// Begin begins a transaction that writes.
	Begin Begin
	// Version is the number of the last applied migration.
	Version int64
	// Rows is the number of rows per statement in batch writes. It should be large where a round trip is expensive,
	// and small where parsing is.
	Rows int
	// Snapshot has the options of a read transaction on Read that sees a consistent snapshot.
	Snapshot sql.TxOptions
	// Close closes everything.
	Close func() error
	// Room is nil for a database whose disk is not this machine's.
	Room Room
	// Link is nil for a database on this machine's disk.
	Link Link
}

// Link is the connection to a database server. All its methods are safe for concurrent use.
type Link interface {
	// IsDown reports whether an error says that the server cannot be reached.
	IsDown(err error) bool
	// Trouble returns why the server cannot be reached, and nil while it can.
	Trouble() error
}

// Begin begins a transaction that writes, and waits until no other is running in this process. A long transaction may
// take hours. Any other ends within a minute.
type Begin func(ctx context.Context, long bool) (*Tx, error)

// Tx is a transaction that writes.
type Tx struct {
	*sql.Tx
	// Context is the context of the statements.
	Context context.Context
	// Release must be called when the transaction has ended. nil: nothing is to be released.
	Release func()
	// Settle finds out whether a transaction was committed whose Commit has returned err, and returns nil if it was.
	// nil: a Commit that returned an error has not committed.
	Settle func(err error) error
}

// DB implements store.Store on a Database.
type DB struct {
	name     string
	version  int64
	read     *sql.DB
	rows     int
	begin    Begin
	snapshot sql.TxOptions
	closeAll func() error
	stamps   *stamps
	room     *room
	link     Link
	lost     *loss
}

// loss is the end of this controller's right to write.
type loss struct {
	once sync.Once
	done chan struct{}
	err  error
}

var _ store.Store = (*DB)(nil)

// New returns the store on d. The database must be migrated.
func New(d Database) *DB {
	return &DB{name: d.Name, version: d.Version, read: d.Read, rows: d.Rows, begin: d.Begin, snapshot: d.Snapshot,
		closeAll: d.Close, stamps: &stamps{by: map[string]int64{}}, room: &room{Room: d.Room}, link: d.Link,
		lost: &loss{done: make(chan struct{})}}
}

// Close closes the database.
func (s *DB) Close() error { return s.closeAll() }

func (s *DB) Objects() store.Objects         { return objects{s} }
func (s *DB) Keys() store.Keys               { return keys{s} }
func (s *DB) Documents() store.Documents     { return documents{s} }
func (s *DB) Credentials() store.Credentials { return credentials{s} }
func (s *DB) Settings() store.Settings       { return settings{s} }
func (s *DB) Proofs() store.Proofs           { return proofs{s} }
func (s *DB) Audit() store.Audit             { return audit{s} }
func (s *DB) Sessions() store.Sessions       { return sessions{s} }
func (s *DB) Health() store.Health           { return health{s} }
func (s *DB) Topics() store.Topics           { return topics{s} }

// write runs do in one transaction. When write returns nil, the transaction is durable. Write transactions run one
// after another, so what a transaction has read stays true until it ends.
func (s *DB) write(ctx context.Context, do func(context.Context, *sql.Tx) error) error {
	return s.transact(ctx, false, do)
}

func (s *DB) transact(ctx context.Context, long bool, do func(context.Context, *sql.Tx) error) error {
	if err := s.room.enter(ctx); err != nil {
		return err
	}
	err := s.transactOnce(ctx, long, do)
	if s.room.left(ctx, err) {
		err = s.transactOnce(ctx, long, do)
		s.room.left(ctx, err)
	}
	if errors.Is(err, store.ErrLost) {
		s.Lose(err)
	}
	if err != nil && s.room.Room != nil && s.room.IsFull(err) {
		return errors.Join(errFull(), err)
	}
	return err
}

func (s *DB) transactOnce(ctx context.Context, long bool, do func(context.Context, *sql.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return s.wrapErr(err)
	}
	tx, err := s.begin(ctx, long)
	if err != nil {
		return s.wrapErr(err)
	}
	if tx.Release != nil {
		defer tx.Release()
	}
	if err := do(tx.Context, tx.Tx); err != nil {
		if cause := ctx.Err(); cause != nil {
			err = s.wrapErr(cause) // err may be a consequence of the cancellation
		}
		return errors.Join(err, ignoreTxDone(tx.Rollback()))
	}
	if err := ctx.Err(); err != nil { // tx.Context may outlive ctx
		return errors.Join(s.wrapErr(err), ignoreTxDone(tx.Rollback()))
	}
	err = tx.Commit()
	if err != nil && tx.Settle != nil {
		err = tx.Settle(err)
	}
	if err != nil {
		return s.wrapErr(err)
	}
	return nil
}

// Lost is closed when this controller may no longer write: another one has opened the database, or what this one has
// in memory is not what is in the database. Trouble returns the reason then.
func (s *DB) Lost() <-chan struct{} { return s.lost.done }

// Lose closes Lost.
func (s *DB) Lose(err error) {
	s.lost.once.Do(func() {
		s.lost.err = err
		close(s.lost.done)
	})
}

// ignoreTxDone returns nil for the error of a rollback after the context's cancellation has rolled back already.
func ignoreTxDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// exec runs one statement in its own transaction and returns the number of changed rows.
func (s *DB) exec(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		n, err = s.change(ctx, tx, query, args...)
		return err
	})
	return n, err
}

// change runs one statement in tx and returns the number of changed rows.
func (s *DB) change(ctx context.Context, tx *sql.Tx, query string, args ...any) (int64, error) {
	res, err := tx.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, s.wrapErr(err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return 0, s.wrapErr(err)
	}
	return n, nil
}

// wrapErr adds the name of the database to an error. The error of a server that cannot be reached has the code Away.
func (s *DB) wrapErr(err error) error {
	named := fmt.Errorf("database %s: %w", s.name, err)
	var known *playlists.Error
	if s.link == nil || errors.Is(err, store.ErrLost) || errors.As(err, &known) || !s.link.IsDown(err) {
		return named
	}
	return errors.Join(&playlists.Error{Code: playlists.Away, Field: "database", Key: "database-away"}, named)
}

// readTimeout ends a read of a server that does not answer.
const readTimeout = 30 * time.Second

// row reads one row.
func (s *DB) row(ctx context.Context, query string, args []any, into ...any) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	return s.read.QueryRowContext(ctx, query, args...).Scan(into...)
}

// scanErr maps an error of Scan: no rows become a NotFound error with this field and value.
func (s *DB) scanErr(err error, field, value string) error {
	if errors.Is(err, sql.ErrNoRows) || isInvalidText(err) {
		return notFound(field, value)
	}
	if err != nil {
		return s.wrapErr(err)
	}
	return nil
}

// isInvalidText reports whether PostgreSQL rejected a query because an argument has NUL or invalid UTF-8. Such a
// name cannot have been stored, so callers treat it as not found.
func isInvalidText(err error) bool {
	var e interface{ SQLState() string }
	return errors.As(err, &e) && e.SQLState() == "22021" // character_not_in_repertoire
}

func notFound(field, value string) error {
	return &playlists.Error{Code: playlists.NotFound, Field: field, Value: value,
		Key: "not-found"}
}

func conflict(field, value string, key playlists.TextKey, args ...any) error {
	return &playlists.Error{Code: playlists.Conflict, Field: field, Value: value, Key: key, Args: args}
}

// collect returns all rows of a query.
func collect[T any](ctx context.Context, s *DB, scan func(*sql.Rows, *T) error, query string,
	args ...any) ([]T, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	rows, err := s.read.QueryContext(ctx, query, args...)
	if isInvalidText(err) {
		return nil, nil
	}
	if err != nil {
		return nil, s.wrapErr(err)
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		var v T
		if err := scan(rows, &v); err != nil {
			return nil, s.wrapErr(err)
		}
		all = append(all, v)
	}
	if err := rows.Err(); isInvalidText(err) {
		return nil, nil
	} else if err != nil {
		return nil, s.wrapErr(err)
	}
	return all, nil
}
