package sqldb

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

type audit struct{ *DB }

func (s audit) Change(ctx context.Context, c store.Change, with ...store.Change) (version int64, err error) {
	all := append([]store.Change{c}, with...)
	for i := range all {
		if err := checkChange(&all[i]); err != nil {
			return 0, err
		}
	}
	kinds := make([]string, len(all))
	for i := range all {
		kinds[i] = all[i].Object.Kind
	}
	defer s.stamps.bump(kinds...)
	err = s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for i := range all {
			v, err := s.one(ctx, tx, &all[i])
			if err != nil {
				return err
			}
			if i == 0 {
				version = v
			}
		}
		return nil
	})
	return version, err
}

func checkChange(c *store.Change) error {
	if !c.Remove {
		if err := c.Object.Validate(); err != nil {
			return err
		}
	}
	for _, by := range []string{c.By.Who, c.By.From} {
		if err := store.CheckValue("audit.by", by); err != nil {
			return err
		}
	}
	return nil
}

func (s audit) one(ctx context.Context, tx *sql.Tx, c *store.Change) (version int64, err error) {
	o := c.Object
	e := playlists.AuditEntry{By: c.By, Kind: o.Kind, Owner: cmp.Or(c.Of, o.Owner), ID: o.ID, Action: "create"}
	err = tx.QueryRowContext(ctx, `SELECT data FROM objects WHERE kind = $1 AND owner = $2 AND id = $3 AND deleted = 0`,
		o.Kind, o.Owner, o.ID).Scan(&e.Before)
	switch {
	case err == nil:
		e.Action = "replace"
	case isInvalidText(err):
		return 0, notFound(o.Path(), "")
	case !errors.Is(err, sql.ErrNoRows):
		return 0, s.wrapErr(err)
	}
	if c.Remove {
		e.Action = "delete"
		if err := objects(s).remove(ctx, tx, o.Kind, o.Owner, o.ID, c.Expected); err != nil {
			return 0, err
		}
	} else {
		e.After = o.Data
		if version, err = objects(s).put(ctx, tx, o, c.Expected); err != nil {
			return 0, err
		}
	}
	return version, s.appendTo(ctx, tx, e)
}

func (s audit) appendTo(ctx context.Context, tx *sql.Tx, e playlists.AuditEntry) error {
	var prev string
	err := tx.QueryRowContext(ctx, `SELECT n, digest FROM audit ORDER BY n DESC LIMIT 1`).Scan(&e.N, &prev)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return s.wrapErr(err)
	}
	e.N++
	_, err = tx.ExecContext(ctx, `
		INSERT INTO audit (n, at_ms, who, from_addr, action, kind, owner, id, before, after, digest)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		e.N, e.By.AtMS, e.By.Who, e.By.From, e.Action, e.Kind, e.Owner, e.ID, e.Before, e.After, store.Chain(prev, &e))
	if err != nil {
		return s.wrapErr(err)
	}
	return nil
}

const auditColumns = `n, at_ms, who, from_addr, action, kind, owner, id, before, after, digest`

func scanEntry(rows *sql.Rows, e *playlists.AuditEntry) error {
	return rows.Scan(&e.N, &e.By.AtMS, &e.By.Who, &e.By.From, &e.Action, &e.Kind, &e.Owner, &e.ID, &e.Before, &e.After,
		&e.Digest)
}

func (s audit) List(ctx context.Context, owner string, after int64, limit int) ([]playlists.AuditEntry, error) {
	return collect(ctx, s.DB, scanEntry,
		`SELECT `+auditColumns+` FROM audit WHERE n > $1 AND (owner = $2 OR $2 = '*') ORDER BY n LIMIT $3`, after, owner,
		limit)
}

func (s audit) Newest(ctx context.Context, owner string, before int64, limit int) ([]playlists.AuditEntry, error) {
	return collect(ctx, s.DB, scanEntry,
		`SELECT `+auditColumns+` FROM audit WHERE n < $1 AND (owner = $2 OR $2 = '*') ORDER BY n DESC LIMIT $3`, before,
		owner, limit)
}

// verifyBatch is the number of entries that Verify holds in memory.
const verifyBatch = 1000

func (s audit) Verify(ctx context.Context, each func(*playlists.AuditEntry)) (int64, error) {
	var n int64
	prev := ""
	for {
		batch, err := s.List(ctx, store.AllOwners, n, verifyBatch)
		if err != nil {
			return n, err
		}
		for i := range batch {
			e := &batch[i]
			if e.N != n+1 || store.Chain(prev, e) != e.Digest {
				return n, conflict("audit", fmt.Sprint(n+1), "log-differs")
			}
			n, prev = e.N, e.Digest
			if each != nil {
				each(e)
			}
		}
		if len(batch) < verifyBatch {
			return n, nil
		}
	}
}
