package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"ledcast/controller/internal/store"
)

type objects struct{ *DB }

func (s objects) Put(ctx context.Context, o store.Object, expected int64) (version int64, err error) {
	if err := o.Validate(); err != nil {
		return 0, err
	}
	defer s.stamps.bump(o.Kind)
	err = s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		version, err = s.put(ctx, tx, o, expected)
		return err
	})
	return version, err
}

// put checks the version and writes the object in one statement, so that it is atomic at any isolation level.
func (s objects) put(ctx context.Context, tx *sql.Tx, o store.Object, expected int64) (int64, error) {
	var version int64
	var err error
	switch expected {
	case store.Absent, store.AnyVersion:
		err = tx.QueryRowContext(ctx, `
			INSERT INTO objects (kind, owner, id, data, version, updated_ms) VALUES ($1, $2, $3, $4, 1, $5)
			ON CONFLICT (kind, owner, id) DO UPDATE
			SET data = excluded.data, version = objects.version + 1, updated_ms = excluded.updated_ms, deleted = 0
			WHERE objects.deleted = 1 OR CAST($6 AS BIGINT) = -1
			RETURNING version`,
			o.Kind, o.Owner, o.ID, o.Data, o.UpdatedMS, expected).Scan(&version)
	case store.Unused:
		err = tx.QueryRowContext(ctx, `
			INSERT INTO objects (kind, owner, id, data, version, updated_ms) VALUES ($1, $2, $3, $4, 1, $5)
			ON CONFLICT (kind, owner, id) DO NOTHING RETURNING version`,
			o.Kind, o.Owner, o.ID, o.Data, o.UpdatedMS).Scan(&version)
	default:
		err = tx.QueryRowContext(ctx, `
			UPDATE objects SET data = $4, version = version + 1, updated_ms = $5
			WHERE kind = $1 AND owner = $2 AND id = $3 AND version = $6 AND deleted = 0
			RETURNING version`,
			o.Kind, o.Owner, o.ID, o.Data, o.UpdatedMS, expected).Scan(&version)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return 0, s.refused(ctx, tx, o, expected)
	}
	if err != nil {
		return 0, s.wrapErr(err)
	}
	return version, nil
}

func (s objects) Delete(ctx context.Context, kind, owner, id string, expected int64) error {
	defer s.stamps.bump(kind)
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return s.remove(ctx, tx, kind, owner, id, expected)
	})
}

func (s objects) remove(ctx context.Context, tx *sql.Tx, kind, owner, id string, expected int64) error {
	o := store.Object{Kind: kind, Owner: owner, ID: id}
	var version int64
	err := tx.QueryRowContext(ctx, `
		UPDATE objects SET data = $5, version = version + 1, deleted = 1
		WHERE kind = $1 AND owner = $2 AND id = $3 AND deleted = 0 AND (version = $4 OR $4 = -1)
		RETURNING version`,
		kind, owner, id, expected, []byte{}).Scan(&version)
	if isInvalidText(err) {
		return notFound(o.Path(), "")
	}
	if errors.Is(err, sql.ErrNoRows) {
		return s.refused(ctx, tx, o, expected)
	}
	if err != nil {
		return s.wrapErr(err)
	}
	return nil
}

// refused returns the reason why put or remove changed no row. It runs in the same transaction.
func (s objects) refused(ctx context.Context, tx *sql.Tx, o store.Object, expected int64) error {
	var version, deleted int64
	err := tx.QueryRowContext(ctx, `SELECT version, deleted FROM objects WHERE kind = $1 AND owner = $2 AND id = $3`,
		o.Kind, o.Owner, o.ID).Scan(&version, &deleted)
	if err != nil {
		return s.scanErr(err, o.Path(), "")
	}
	if deleted != 0 {
		if expected == store.Unused {
			return conflict(o.Path(), "", "name-used-before")
		}
		return notFound(o.Path(), "")
	}
	if expected == store.Absent || expected == store.Unused {
		return conflict(o.Path(), "", "already-exists", version)
	}
	return conflict(o.Path()+".version", fmt.Sprint(expected), "version-conflict", version)
}

func (s objects) Get(ctx context.Context, kind, owner, id string) (store.Object, error) {
	o := store.Object{Kind: kind, Owner: owner, ID: id}
	err := s.row(ctx, `SELECT data, version, updated_ms FROM objects
		WHERE kind = $1 AND owner = $2 AND id = $3 AND deleted = 0`, []any{kind, owner, id},
		&o.Data, &o.Version, &o.UpdatedMS)
	if err != nil {
		return store.Object{}, s.scanErr(err, o.Path(), "")
	}
	return o, nil
}

func (s objects) Stamp(kinds ...string) string { return s.stamps.of(kinds) }

// stamps counts the writes of each kind of object. A write is counted when it has ended, even if it failed: it may
// have changed something, and readers must then read again.
type stamps struct {
	mu sync.Mutex
	by map[string]int64
}

func (s *stamps) bump(kinds ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range kinds {
		s.by[k]++
	}
}

func (s *stamps) of(kinds []string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []byte
	for _, k := range kinds {
		out = append(strconv.AppendInt(out, s.by[k], 10), ' ')
	}
	return string(out)
}

func (s objects) Used(ctx context.Context, kind, owner, id string) (bool, error) {
	var deleted int64
	err := s.row(ctx, `SELECT deleted FROM objects WHERE kind = $1 AND owner = $2 AND id = $3`,
		[]any{kind, owner, id}, &deleted)
	if err != nil && !errors.Is(err, sql.ErrNoRows) && !isInvalidText(err) {
		return false, s.wrapErr(err)
	}
	return deleted != 0, nil
}

func (s objects) List(ctx context.Context, kind, owner string) ([]store.Object, error) {
	return collect(ctx, s.DB, func(rows *sql.Rows, o *store.Object) error {
		o.Kind = kind
		return rows.Scan(&o.Owner, &o.ID, &o.Data, &o.Version, &o.UpdatedMS)
	}, `SELECT owner, id, data, version, updated_ms FROM objects
		WHERE kind = $1 AND (owner = $2 OR $2 = '*') AND deleted = 0 ORDER BY owner, id`, kind, owner)
}
