package sqldb

import (
	"context"
	"database/sql"
	"fmt"

	"ledcast/playlists"
)

// issuer is the state of one call of Issue, which handles its drafts in batches.
type issuer struct {
	documents
	tx    *sql.Tx
	parts *partRefs
}

// docVersion identifies a document of a subject.
type docVersion struct{ epoch, seq int64 }

func (is *issuer) issueBatch(ctx context.Context, drafts []playlists.Draft,
	seal func(i int, seq int64) ([]byte, error)) ([]playlists.Issued, error) {
	of := make([]subject, len(drafts))
	for i, d := range drafts {
		of[i] = subject{d.Role, d.Subject, d.Epoch, max(d.IatMS, d.Seq)}
	}
	seqs, err := is.takeSeqs(ctx, is.tx, of)
	if err != nil {
		return nil, err
	}
	last, err := is.last(ctx, of)
	if err != nil {
		return nil, err
	}
	docs := make([]playlists.Issued, len(drafts))
	for i, d := range drafts {
		if d.Seq != 0 && d.Seq != seqs[i] {
			return nil, conflict(d.Role+"/"+d.Subject+".seq", fmt.Sprint(d.Seq), "seq-in-use", seqs[i])
		}
		if l, any := last[[2]string{d.Role, d.Subject}]; any && d.Epoch < l.epoch {
			return nil, conflict(d.Role+"/"+d.Subject+".epoch", fmt.Sprint(d.Epoch), "epoch-too-low", l.epoch)
		}
		jws, err := seal(i, seqs[i])
		if err != nil {
			return nil, fmt.Errorf("sign %s of %s: %w", d.Role, d.Subject, err)
		}
		if len(jws) == 0 {
			return nil, fmt.Errorf("sign %s of %s: the signed document is empty", d.Role, d.Subject)
		}
		docs[i] = playlists.Issued{Head: playlists.Head{Role: d.Role, Subject: d.Subject, Epoch: d.Epoch, Seq: seqs[i],
			Iat: d.IatMS / 1000, Exp: d.Exp, Digest: d.Digest}, JWS: jws, Notes: d.Notes}
	}
	if err := is.insert(ctx, drafts, docs); err != nil {
		return nil, err
	}
	return docs, is.setLatest(ctx, docs, last)
}

// last returns the latest document of each subject that has one, by role and subject.
func (is *issuer) last(ctx context.Context, of []subject) (map[[2]string]docVersion, error) {
	var args []any
	for _, x := range of {
		args = append(args, x.role, x.name)
	}
	rows, err := is.tx.QueryContext(ctx,
		`SELECT role, subject, epoch, seq FROM latest WHERE (role, subject) IN (`+values(len(of), "TEXT", "TEXT")+`)`,
		args...)
	if err != nil {
		return nil, is.wrapErr(err)
	}
	defer rows.Close()
	last := map[[2]string]docVersion{}
	for rows.Next() {
		var of [2]string
		var at docVersion
		if err := rows.Scan(&of[0], &of[1], &at.epoch, &at.seq); err != nil {
			return nil, is.wrapErr(err)
		}
		last[of] = at
	}
	if err := rows.Err(); err != nil {
		return nil, is.wrapErr(err)
	}
	return last, nil
}

// insert writes the documents' rows. It archives only the kept documents: the next document of the subject replaces
// the others.
func (is *issuer) insert(ctx context.Context, drafts []playlists.Draft, docs []playlists.Issued) error {
	var args []any
	for i, d := range docs {
		kept, jws, notes := 0, d.JWS, d.Notes
		var ids partIDs
		if drafts[i].Keep {
			var cut parts
			kept, notes = 1, nil
			jws, cut = archive(d.JWS)
			for i, text := range append(cut[:], d.Notes) {
				var err error
				if ids[i], err = is.parts.use(ctx, text); err != nil {
					return err
				}
			}
		}
		args = append(args, d.Role, d.Subject, d.Epoch, d.Seq, d.Iat, d.Exp, d.Digest, kept, kept, jws, notes, ids[0],
			ids[1], ids[2], ids[3])
	}
	_, err := is.change(ctx, is.tx, `INSERT INTO documents
		(role, subject, epoch, seq, iat, exp, digest, kept, compact, jws, notes, frames, items, loops, notes_part) `+
		values(len(docs), "", "", "", "", "", "", "", "", "", "", "", "", "", "", ""), args...)
	return err
}

// setLatest records the documents as the latest and deletes the previous latest ones, except those that are kept.
func (is *issuer) setLatest(ctx context.Context, docs []playlists.Issued, last map[[2]string]docVersion) error {
	var args, before []any
	for _, d := range docs {
		args = append(args, d.Role, d.Subject, d.Epoch, d.Seq)
		if l, any := last[[2]string{d.Role, d.Subject}]; any {
			before = append(before, d.Role, d.Subject, l.epoch, l.seq)
		}
	}
	_, err := is.change(ctx, is.tx, `
		INSERT INTO latest (role, subject, epoch, seq) `+values(len(docs), "", "", "", "")+`
		ON CONFLICT (role, subject) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq`, args...)
	if err != nil || len(before) == 0 {
		return err
	}
	_, err = is.change(ctx, is.tx, `DELETE FROM documents WHERE kept = 0 AND (role, subject, epoch, seq) IN (`+
		values(len(before)/4, "TEXT", "TEXT", "BIGINT", "BIGINT")+`)`, before...)
	return err
}
