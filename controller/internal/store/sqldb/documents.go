package sqldb

import (
	"context"
	"database/sql"
	"fmt"

	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

type documents struct{ *DB }

// subject identifies a sequence of seqs. iatMS is the issue time of the document that needs the next one.
type subject struct {
	role, name   string
	epoch, iatMS int64
}

// takeSeqs allocates one seq for each subject of a batch.
func (s documents) takeSeqs(ctx context.Context, tx *sql.Tx, batch []subject) ([]int64, error) {
	var args []any
	at := map[[2]string]int{}
	for i, x := range batch {
		args = append(args, x.role, x.name, x.epoch, max(x.iatMS, 1))
		at[[2]string{x.role, x.name}] = i
	}
	rows, err := tx.QueryContext(ctx, `
		INSERT INTO seqs (role, subject, epoch, last) `+values(len(batch), "", "", "", "")+`
		ON CONFLICT (role, subject, epoch) DO UPDATE
		SET last = CASE WHEN seqs.last >= excluded.last THEN seqs.last + 1 ELSE excluded.last END
		RETURNING role, subject, last`, args...)
	if err != nil {
		return nil, s.wrapErr(err)
	}
	defer rows.Close()
	seqs := make([]int64, len(batch))
	for rows.Next() {
		var of [2]string
		var seq int64
		if err := rows.Scan(&of[0], &of[1], &seq); err != nil {
			return nil, s.wrapErr(err)
		}
		if seq > store.MaxInteger {
			return nil, conflict(of[0]+"/"+of[1]+".seq", fmt.Sprint(seq), "seq-exhausted")
		}
		seqs[at[of]] = seq
	}
	if err := rows.Err(); err != nil {
		return nil, s.wrapErr(err)
	}
	return seqs, nil
}

func (s documents) NextSeqs(ctx context.Context, role string, subjects []string, epoch, iatMS int64) ([]int64, error) {
	of := make([]subject, len(subjects))
	for i, name := range subjects {
		if err := store.CheckSubject(role, name, epoch, iatMS); err != nil {
			return nil, err
		}
		of[i] = subject{role, name, epoch, iatMS}
	}
	seqs := make([]int64, 0, len(subjects))
	err := s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for from, until := range batches(len(of), s.rows, func(i int) string { return of[i].name }) {
			taken, err := s.takeSeqs(ctx, tx, of[from:until])
			if err != nil {
				return err
			}
			seqs = append(seqs, taken...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return seqs, nil
}

func (s documents) Issue(ctx context.Context, drafts []playlists.Draft,
	seal func(i int, seq int64) ([]byte, error)) ([]playlists.Issued, error) {
	for i := range drafts {
		if err := store.CheckDraft(&drafts[i]); err != nil {
			return nil, err
		}
	}
	docs := make([]playlists.Issued, 0, len(drafts))
	err := s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		is := &issuer{documents: s, tx: tx, parts: s.partRefs(tx)}
		for from, until := range batches(len(drafts), s.rows,
			func(i int) [2]string { return [2]string{drafts[i].Role, drafts[i].Subject} }) {
			issued, err := is.issueBatch(ctx, drafts[from:until],
				func(i int, seq int64) ([]byte, error) { return seal(from+i, seq) })
			if err != nil {
				return err
			}
			docs = append(docs, issued...)
		}
		return is.parts.flush(ctx)
	})
	if err != nil {
		return nil, err
	}
	return docs, nil
}

const headColumns = `d.role, d.subject, d.epoch, d.seq, d.iat, d.exp, d.digest`

func headFields(h *playlists.Head) []any {
	return []any{&h.Role, &h.Subject, &h.Epoch, &h.Seq, &h.Iat, &h.Exp, &h.Digest}
}

const latestJoin = ` FROM latest l JOIN documents d
	ON d.role = l.role AND d.subject = l.subject AND d.epoch = l.epoch AND d.seq = l.seq`

func (s documents) Latest(ctx context.Context, role, subject string) (playlists.Issued, error) {
	var d playlists.Issued
	scan := func(into ...any) error {
		return s.row(ctx, `SELECT `+documentColumns+latestJoin+documentParts+` WHERE l.role = $1 AND l.subject = $2`,
			[]any{role, subject}, into...)
	}
	if err := scanDocument(scan, &d); err != nil {
		return playlists.Issued{}, s.scanErr(err, "documents/"+role+"/"+subject, "")
	}
	return d, nil
}

func (s documents) Heads(ctx context.Context, role string) ([]playlists.Head, error) {
	return collect(ctx, s.DB, func(rows *sql.Rows, h *playlists.Head) error { return rows.Scan(headFields(h)...) },
		`SELECT `+headColumns+latestJoin+` WHERE l.role = $1 ORDER BY l.subject`, role)
}

func (s documents) History(ctx context.Context, role, subject string, from, until int64) ([]playlists.Issued, error) {
	scan := func(rows *sql.Rows, d *playlists.Issued) error { return scanDocument(rows.Scan, d) }
	// The order is that of (epoch, seq) and not of iat: after a clock was set back, a later document has an earlier
	// iat.
	return collect(ctx, s.DB, scan, `
		SELECT `+documentColumns+` FROM documents d`+documentParts+`
		WHERE d.role = $1 AND d.subject = $2 AND d.kept = 1 AND d.iat < $4
		  AND (d.iat >= $3 OR (d.epoch, d.seq) = (
			SELECT p.epoch, p.seq FROM documents p
			WHERE p.role = $1 AND p.subject = $2 AND p.kept = 1 AND p.iat < $3
			ORDER BY p.epoch DESC, p.seq DESC LIMIT 1))
		ORDER BY d.epoch, d.seq`, role, subject, from, until)
}
