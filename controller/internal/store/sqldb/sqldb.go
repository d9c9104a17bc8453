// Package sqldb is the store in SQL that SQLite and PostgreSQL share: every
// statement of the controller stands here, once. Packages sqlite and postgres
// open a database, bring its tables up to date and hand it over as a Database;
// what differs between the two (how a transaction begins, how a snapshot is
// taken, what keeps a second writer out) is in there.
//
// The statements use numbered parameters, ON CONFLICT and RETURNING, and types
// that both know. PostgreSQL's text columns are COLLATE "C", so that ORDER BY
// is bytewise in both.
package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

// Database is an open database as New takes it.
type Database struct {
	// Name is how errors call it; it holds no password.
	Name string
	// Read is a pool of connections that need not be able to write.
	Read *sql.DB
	// Begin begins a transaction that writes, when no other is running in this
	// process. Statements run under the context that it returns, and release is
	// called when the transaction has ended.
	Begin Begin
	// Version is that of its tables: the last migration.
	Version int64
	// Rows is how many rows a statement writes at once: many for a database that
	// is far away, few for one whose parser is slower than the way to it.
	Rows int
	// Snapshot are the options of a transaction on Read whose statements all
	// see one state.
	Snapshot sql.TxOptions
	// Close closes everything.
	Close func() error
}

// Begin is Database.Begin. A long transaction may take hours; of any other an
// end can be expected within a minute.
type Begin func(ctx context.Context, long bool) (tx *sql.Tx, in context.Context, release func(), err error)

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
}

var _ store.Store = (*DB)(nil)

// New returns the store on d, whose tables are up to date.
func New(d Database) *DB {
	return &DB{name: d.Name, version: d.Version, read: d.Read, rows: d.Rows, begin: d.Begin, snapshot: d.Snapshot,
		closeAll: d.Close, stamps: &stamps{by: map[string]int64{}}}
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

// write runs do in one transaction, which is on disk when write returns nil.
// Writes run one after another, so a statement may rely on what the one before
// it read.
func (s *DB) write(ctx context.Context, do func(context.Context, *sql.Tx) error) error {
	return s.transact(ctx, false, do)
}

func (s *DB) transact(ctx context.Context, long bool, do func(context.Context, *sql.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return s.trouble(err)
	}
	tx, in, release, err := s.begin(ctx, long)
	if err != nil {
		return s.trouble(err)
	}
	defer release()
	if err := do(in, tx); err != nil {
		if cause := ctx.Err(); cause != nil {
			err = s.trouble(cause) // whatever it looked like from within
		}
		return errors.Join(err, rolledBack(tx.Rollback()))
	}
	if err := ctx.Err(); err != nil { // in may outlive ctx
		return errors.Join(s.trouble(err), rolledBack(tx.Rollback()))
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

// exec runs one statement in a transaction of its own and returns how many rows
// it changed.
func (s *DB) exec(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		n, err = s.change(ctx, tx, query, args...)
		return err
	})
	return n, err
}

// change is exec within a transaction.
func (s *DB) change(ctx context.Context, tx *sql.Tx, query string, args ...any) (int64, error) {
	res, err := tx.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, s.trouble(err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return 0, s.trouble(err)
	}
	return n, nil
}

// trouble says which database failed.
func (s *DB) trouble(err error) error {
	return fmt.Errorf("database %s: %w", s.name, err)
}

// found turns "no rows" into a NotFound that names the thing.
func (s *DB) found(err error, field, value string) error {
	if errors.Is(err, sql.ErrNoRows) || unkeepable(err) {
		return notFound(field, value)
	}
	if err != nil {
		return s.trouble(err)
	}
	return nil
}

// unkeepable says that a name was asked for that PostgreSQL cannot even compare,
// with NUL or broken UTF-8 in it. No such thing was ever kept: it is not there.
func unkeepable(err error) bool {
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

// collect reads all rows of a query.
func collect[T any](ctx context.Context, s *DB, scan func(*sql.Rows, *T) error, query string,
	args ...any) ([]T, error) {
	rows, err := s.read.QueryContext(ctx, query, args...)
	if unkeepable(err) {
		return nil, nil
	}
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
	if err := rows.Err(); unkeepable(err) {
		return nil, nil
	} else if err != nil {
		return nil, s.trouble(err)
	}
	return all, nil
}
