package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"ledcast/controller/internal/store"
)

type documents struct{ *DB }

const nextSeq = `
	INSERT INTO seqs (role, subject, epoch, last) VALUES ($1, $2, $3, $4)
	ON CONFLICT (role, subject, epoch) DO UPDATE
	SET last = CASE WHEN seqs.last >= excluded.last THEN seqs.last + 1 ELSE excluded.last END
	RETURNING last`

// take takes a seq with a prepared nextSeq.
func (s documents) take(ctx context.Context, next *sql.Stmt, role, subject string, epoch, iatMS int64) (int64, error) {
	var seq int64
	if err := next.QueryRowContext(ctx, role, subject, epoch, max(iatMS, 1)).Scan(&seq); err != nil {
		return 0, s.trouble(err)
	}
	if seq > store.MaxInteger {
		return 0, conflict(role+"/"+subject+".seq", fmt.Sprint(seq), "is beyond 2^53-1", "begin a new epoch")
	}
	return seq, nil
}

func (s documents) NextSeq(ctx context.Context, role, subject string, epoch, iatMS int64) (int64, error) {
	seqs, err := s.NextSeqs(ctx, role, []string{subject}, epoch, iatMS)
	if err != nil {
		return 0, err
	}
	return seqs[0], nil
}

func (s documents) NextSeqs(ctx context.Context, role string, subjects []string, epoch, iatMS int64) ([]int64, error) {
	for _, subject := range subjects {
		if err := store.CheckSubject(role, subject, epoch, iatMS); err != nil {
			return nil, err
		}
	}
	seqs := make([]int64, len(subjects))
	err := s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		next, err := tx.PrepareContext(ctx, nextSeq)
		if err != nil {
			return s.trouble(err)
		}
		defer next.Close()
		for i, subject := range subjects {
			if seqs[i], err = s.take(ctx, next, role, subject, epoch, iatMS); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return seqs, nil
}

// issuing is the statements of one Issue, prepared once for all its drafts.
type issuing struct {
	next, last, insert, point, drop *sql.Stmt

	parts *partBook
}

func (s documents) prepareIssue(ctx context.Context, tx *sql.Tx) (*issuing, error) {
	is := &issuing{parts: s.partBook(tx)}
	for _, p := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&is.next, nextSeq},
		{&is.last, `SELECT epoch, seq FROM latest WHERE role = $1 AND subject = $2`},
		{&is.insert, `INSERT INTO documents (role, subject, epoch, seq, iat, exp, digest, kept, compact, jws, notes, frames, items, loops, notes_part)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`},
		{&is.point, `INSERT INTO latest (role, subject, epoch, seq) VALUES ($1, $2, $3, $4)
			ON CONFLICT (role, subject) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq`},
		{&is.drop, `DELETE FROM documents WHERE role = $1 AND subject = $2 AND epoch = $3 AND seq = $4 AND kept = 0`},
	} {
		var err error
		if *p.stmt, err = tx.PrepareContext(ctx, p.text); err != nil {
			return nil, s.trouble(err) // the transaction's end closes those that were made
		}
	}
	return is, nil
}

func (s documents) Issue(ctx context.Context, drafts []store.Draft, seal func(i int, seq int64) ([]byte, error)) ([]store.Document, error) {
	for i := range drafts {
		if err := drafts[i].Validate(); err != nil {
			return nil, err
		}
	}
	docs := make([]store.Document, len(drafts))
	err := s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		is, err := s.prepareIssue(ctx, tx)
		if err != nil {
			return err
		}
		for i, d := range drafts {
			if docs[i], err = s.issue(ctx, is, d, func(seq int64) ([]byte, error) { return seal(i, seq) }); err != nil {
				return err
			}
		}
		return is.parts.settle(ctx)
	})
	if err != nil {
		return nil, err
	}
	return docs, nil
}

func (s documents) issue(ctx context.Context, is *issuing, d store.Draft, seal func(seq int64) ([]byte, error)) (store.Document, error) {
	var doc store.Document
	seq, err := s.take(ctx, is.next, d.Role, d.Subject, d.Epoch, d.IatMS)
	if err != nil {
		return doc, err
	}
	var lastEpoch, lastSeq int64
	err = is.last.QueryRowContext(ctx, d.Role, d.Subject).Scan(&lastEpoch, &lastSeq)
	first := errors.Is(err, sql.ErrNoRows)
	if err != nil && !first {
		return doc, s.trouble(err)
	}
	if !first && d.Epoch < lastEpoch {
		return doc, conflict(d.Role+"/"+d.Subject+".epoch", fmt.Sprint(d.Epoch), fmt.Sprintf("is below the latest document's %d", lastEpoch),
			"sign with the present key set's epoch")
	}
	jws, err := seal(seq)
	if err != nil {
		return doc, fmt.Errorf("sign %s of %s: %w", d.Role, d.Subject, err)
	}
	if len(jws) == 0 {
		return doc, fmt.Errorf("sign %s of %s: the document came out empty", d.Role, d.Subject)
	}
	doc = store.Document{Head: store.Head{Role: d.Role, Subject: d.Subject, Epoch: d.Epoch, Seq: seq,
		Iat: d.IatMS / 1000, Exp: d.Exp, Digest: d.Digest}, JWS: jws, Notes: d.Notes}
	if err := s.insert(ctx, is, &doc, d.Keep); err != nil {
		return doc, err
	}
	if _, err := is.point.ExecContext(ctx, doc.Role, doc.Subject, doc.Epoch, doc.Seq); err != nil {
		return doc, s.trouble(err)
	}
	if !first {
		if _, err := is.drop.ExecContext(ctx, doc.Role, doc.Subject, lastEpoch, lastSeq); err != nil {
			return doc, s.trouble(err)
		}
	}
	return doc, nil
}

// insert writes a document's row: compact if it is to be kept, as it is if the
// next one takes its place.
func (s documents) insert(ctx context.Context, is *issuing, doc *store.Document, keep bool) error {
	kept, jws, notes := 0, doc.JWS, doc.Notes
	var ids partIDs
	if keep {
		var cut parts
		kept, notes = 1, nil
		jws, cut = archive(doc.JWS)
		for i, text := range append(cut[:], doc.Notes) {
			var err error
			if ids[i], err = is.parts.use(ctx, text); err != nil {
				return err
			}
		}
	}
	if _, err := is.insert.ExecContext(ctx, doc.Role, doc.Subject, doc.Epoch, doc.Seq, doc.Iat, doc.Exp, doc.Digest, kept, kept, jws, notes,
		ids[0], ids[1], ids[2], ids[3]); err != nil {
		return s.trouble(err)
	}
	return nil
}

const headColumns = `d.role, d.subject, d.epoch, d.seq, d.iat, d.exp, d.digest`

func headInto(h *store.Head) []any {
	return []any{&h.Role, &h.Subject, &h.Epoch, &h.Seq, &h.Iat, &h.Exp, &h.Digest}
}

const latestJoin = ` FROM latest l JOIN documents d
	ON d.role = l.role AND d.subject = l.subject AND d.epoch = l.epoch AND d.seq = l.seq`

func (s documents) Latest(ctx context.Context, role, subject string) (store.Document, error) {
	var d store.Document
	row := s.read.QueryRowContext(ctx, `SELECT `+documentColumns+latestJoin+documentParts+` WHERE l.role = $1 AND l.subject = $2`, role, subject)
	if err := scanDocument(row.Scan, &d); err != nil {
		return store.Document{}, s.found(err, "documents/"+role+"/"+subject, "")
	}
	return d, nil
}

func (s documents) Heads(ctx context.Context, role string) ([]store.Head, error) {
	return collect(ctx, s.DB, func(rows *sql.Rows, h *store.Head) error { return rows.Scan(headInto(h)...) },
		`SELECT `+headColumns+latestJoin+` WHERE l.role = $1 ORDER BY l.subject`, role)
}

func (s documents) History(ctx context.Context, role, subject string, from, until int64) ([]store.Document, error) {
	scan := func(rows *sql.Rows, d *store.Document) error { return scanDocument(rows.Scan, d) }
	// By (epoch, seq), not by iat: a clock that was set back makes a later
	// document look earlier.
	return collect(ctx, s.DB, scan, `
		SELECT `+documentColumns+` FROM documents d`+documentParts+`
		WHERE d.role = $1 AND d.subject = $2 AND d.kept = 1 AND d.iat < $4
		  AND (d.iat >= $3 OR (d.epoch, d.seq) = (
			SELECT p.epoch, p.seq FROM documents p
			WHERE p.role = $1 AND p.subject = $2 AND p.kept = 1 AND p.iat < $3
			ORDER BY p.epoch DESC, p.seq DESC LIMIT 1))
		ORDER BY d.epoch, d.seq`, role, subject, from, until)
}
