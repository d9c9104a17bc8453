package sqldb

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"

	"ledcast/playlists"
)

// partIDs are the IDs of the rows of table parts that a document uses: the shared members of its payload, then its
// notes.
type partIDs [len(shared) + 1]sql.NullInt64

// partRefs counts the references to parts in one transaction. Many documents use the same part, so its reference
// count is updated once at the end and not once for each document.
type partRefs struct {
	*DB
	tx   *sql.Tx
	ids  map[[sha256.Size]byte]int64
	uses map[int64]int64
}

func (s *DB) partRefs(tx *sql.Tx) *partRefs {
	return &partRefs{DB: s, tx: tx, ids: map[[sha256.Size]byte]int64{}, uses: map[int64]int64{}}
}

// use adds a reference to the part with this text and returns its ID. It inserts the part if it does not exist.
func (b *partRefs) use(ctx context.Context, text []byte) (id sql.NullInt64, err error) {
	if text == nil {
		return id, nil
	}
	digest := sha256.Sum256(text)
	n, known := b.ids[digest]
	if !known {
		err := b.tx.QueryRowContext(ctx, `SELECT id FROM parts WHERE digest = $1`, digest[:]).Scan(&n)
		if errors.Is(err, sql.ErrNoRows) {
			err = b.tx.QueryRowContext(ctx, `INSERT INTO parts (id, digest, uses, data)
				SELECT COALESCE(MAX(id), 0) + 1, $1, 0, $2 FROM parts RETURNING id`,
				digest[:], deflate(nil, text)).Scan(&n)
		}
		if err != nil {
			return id, b.wrapErr(err)
		}
		b.ids[digest] = n
	}
	b.uses[n]++
	return sql.NullInt64{Int64: n, Valid: true}, nil
}

// release removes one reference from each part.
func (b *partRefs) release(ids partIDs) {
	for _, id := range ids {
		if id.Valid {
			b.uses[id.Int64]--
		}
	}
}

// flush writes the reference counts and deletes the parts without references.
func (b *partRefs) flush(ctx context.Context) error {
	for id, n := range b.uses {
		if _, err := b.change(ctx, b.tx, `UPDATE parts SET uses = uses + $2 WHERE id = $1`, id, n); err != nil {
			return err
		}
		if n < 0 {
			if _, err := b.change(ctx, b.tx, `DELETE FROM parts WHERE id = $1 AND uses <= 0`, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// documentColumns and documentParts select a document d and its parts.
const (
	documentColumns = headColumns + `, d.compact, d.jws, d.notes, pf.data, pi.data, pl.data, pn.data`
	documentParts   = `
		LEFT JOIN parts pf ON pf.id = d.frames
		LEFT JOIN parts pi ON pi.id = d.items
		LEFT JOIN parts pl ON pl.id = d.loops
		LEFT JOIN parts pn ON pn.id = d.notes_part`
)

// scanDocument scans documentColumns.
func scanDocument(scan func(...any) error, d *playlists.Issued) error {
	var compact int64
	var stored [len(shared)][]byte
	var notes []byte
	into := append(headFields(&d.Head), &compact, &d.JWS, &d.Notes, &stored[0], &stored[1], &stored[2], &notes)
	if err := scan(into...); err != nil || compact == 0 {
		return err
	}
	var cut parts
	for i, b := range stored {
		if b == nil {
			continue
		}
		var err error
		if cut[i], err = inflate(b); err != nil {
			return err
		}
	}
	var err error
	if d.JWS, err = restore(d.JWS, cut); err != nil {
		return err
	}
	if notes != nil {
		d.Notes, err = inflate(notes)
	}
	return err
}

// pruneBatch is the number of documents per transaction, so that Prune does not block other writes for long.
const pruneBatch = 1000

func (s documents) Prune(ctx context.Context, before int64) (removed int, err error) {
	for {
		n, err := s.pruneSome(ctx, before)
		removed += n
		if err != nil || n < pruneBatch {
			return removed, err
		}
	}
}

func (s documents) pruneSome(ctx context.Context, before int64) (n int, err error) {
	err = s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		book := s.partRefs(tx)
		// Select the kept documents that were replaced before that time. (epoch, seq) is the order of issue.
		rows, err := tx.QueryContext(ctx, `
			DELETE FROM documents WHERE (role, subject, epoch, seq) IN (
				SELECT d.role, d.subject, d.epoch, d.seq FROM documents d
				WHERE d.kept = 1 AND d.iat < $1
				  AND EXISTS (SELECT 1 FROM documents p
					WHERE p.role = d.role AND p.subject = d.subject AND p.kept = 1 AND p.iat < $1
					  AND (p.epoch, p.seq) > (d.epoch, d.seq))
				  AND NOT EXISTS (SELECT 1 FROM latest l
					WHERE l.role = d.role AND l.subject = d.subject AND l.epoch = d.epoch AND l.seq = d.seq)
				LIMIT $2)
			RETURNING frames, items, loops, notes_part`, before, pruneBatch)
		if err != nil {
			return s.wrapErr(err)
		}
		defer rows.Close()
		for n = 0; rows.Next(); n++ {
			var ids partIDs
			if err := rows.Scan(&ids[0], &ids[1], &ids[2], &ids[3]); err != nil {
				return s.wrapErr(err)
			}
			book.release(ids)
		}
		if err := rows.Err(); err != nil {
			return s.wrapErr(err)
		}
		if err := rows.Close(); err != nil {
			return s.wrapErr(err)
		}
		return book.flush(ctx)
	})
	if err != nil {
		n = 0
	}
	return n, err
}
