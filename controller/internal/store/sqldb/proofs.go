package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

type proofs struct{ *DB }

func (s proofs) Pin(ctx context.Context, sign string, x [32]byte, nowMS int64) (pinned [32]byte, err error) {
	if err := store.CheckName("proofs.sign", sign); err != nil {
		return pinned, err
	}
	err = s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := s.change(ctx, tx,
			`INSERT INTO sign_keys (sign, x, pinned_ms) VALUES ($1, $2, $3) ON CONFLICT (sign) DO NOTHING`, sign, x[:],
			nowMS); err != nil {
			return err
		}
		err := tx.QueryRowContext(ctx, `SELECT x FROM sign_keys WHERE sign = $1`, sign).Scan(digest32{&pinned})
		return s.scanErr(err, "sign_keys/"+sign, "")
	})
	return pinned, err
}

func (s proofs) Unpin(ctx context.Context, sign string) error {
	_, err := s.exec(ctx, `DELETE FROM sign_keys WHERE sign = $1`, sign)
	return err
}

func (s proofs) End(ctx context.Context, sign, chain string) (n int64, digest string, err error) {
	err = s.row(ctx,
		`SELECT n, digest FROM play_records WHERE sign = $1 AND chain = $2 ORDER BY n DESC LIMIT 1`,
		[]any{sign, chain}, &n, &digest)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, "", nil
	}
	if err != nil {
		return 0, "", s.wrapErr(err)
	}
	return n, digest, nil
}

func (s proofs) Digest(ctx context.Context, sign, chain string, n int64) (digest string, err error) {
	err = s.row(ctx, `SELECT digest FROM play_records WHERE sign = $1 AND chain = $2 AND n = $3`,
		[]any{sign, chain, n}, &digest)
	return digest, s.scanErr(err, "play_records/"+sign, fmt.Sprintf("%s/%d", chain, n))
}

func (s proofs) Add(ctx context.Context, r playlists.PlayRecord) error {
	if err := store.CheckRecord(&r); err != nil {
		return err
	}
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		n, err := s.change(ctx, tx, `
			INSERT INTO play_records (sign, chain, n, digest, from_ms, until_ms, jws) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (sign, chain, n) DO NOTHING`,
			r.Sign, r.Chain, r.N, r.Digest, r.FromMS, r.UntilMS, notNil(r.JWS))
		if err != nil {
			return err
		}
		if n == 0 {
			return conflict("play_records/"+r.Sign, fmt.Sprintf("%s/%d", r.Chain, r.N), "record-kept-already")
		}
		for _, p := range r.Plays {
			if _, err := tx.ExecContext(ctx,
				`INSERT INTO plays (sign, chain, n, item, campaign, frame, why, count, ms)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
				r.Sign, r.Chain, r.N, p.Item, p.Campaign, p.Frame, p.Why, p.Count, p.MS); err != nil {
				return s.wrapErr(err)
			}
		}
		return nil
	})
}

func (s proofs) Prune(ctx context.Context, beforeMS int64, limit int) (int, error) {
	deleted := 0
	err := s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `
			SELECT r.sign, r.chain, r.n FROM play_records r
			WHERE r.from_ms < $1 AND r.until_ms < $1 AND EXISTS (
				SELECT 1 FROM play_records l WHERE l.sign = r.sign AND l.chain = r.chain AND l.n > r.n)
			ORDER BY r.from_ms LIMIT $2`, beforeMS, limit)
		if err != nil {
			return s.wrapErr(err)
		}
		var old []store.RecordCursor
		for rows.Next() {
			var c store.RecordCursor
			if err := rows.Scan(&c.Sign, &c.Chain, &c.N); err != nil {
				return errors.Join(s.wrapErr(err), rows.Close())
			}
			old = append(old, c)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return s.wrapErr(err)
		}
		for _, c := range old {
			for _, table := range []string{"plays", "play_records"} {
				if _, err := s.change(ctx, tx, `DELETE FROM `+table+` WHERE sign = $1 AND chain = $2 AND n = $3`, c.Sign, c.Chain,
					c.N); err != nil {
					return err
				}
			}
		}
		deleted = len(old)
		return nil
	})
	return deleted, err
}

// These queries select a page of records of one sign, by the index on (sign, from_ms), or of all signs.
const (
	recordColumns = `SELECT sign, chain, n, digest, from_ms, until_ms FROM play_records
		WHERE from_ms >= $1 AND from_ms < $2 AND `
	recordsOfSign = recordColumns + `sign = $4 AND (from_ms, chain, n) > ($3, $5, $6)
		ORDER BY from_ms, chain, n LIMIT $7`
	recordsOfAll = recordColumns +
		`(from_ms, sign, chain, n) > ($3, $4, $5, $6) ORDER BY from_ms, sign, chain, n LIMIT $7`
)

func (s proofs) Records(ctx context.Context, q store.RecordQuery) ([]playlists.PlayRecord, error) {
	if q.Limit < 1 {
		return nil, &playlists.Error{Code: playlists.Invalid, Field: "records.most", Value: fmt.Sprint(q.Limit),
			Key: "no-records-asked"}
	}
	a, query := q.After, recordsOfAll
	if q.Sign != "" {
		a.Sign, query = q.Sign, recordsOfSign
	}
	rows, err := s.read.QueryContext(ctx, `
		SELECT r.sign, r.chain, r.n, r.digest, r.from_ms, r.until_ms,
			p.item, p.campaign, p.frame, p.why, p.count, p.ms
		FROM (`+query+`) r LEFT JOIN plays p ON p.sign = r.sign AND p.chain = r.chain AND p.n = r.n
		ORDER BY r.from_ms, r.sign, r.chain, r.n, p.item, p.campaign, p.frame, p.why, p.count, p.ms`,
		max(q.FromMS, a.FromMS), q.UntilMS, a.FromMS, a.Sign, a.Chain, a.N, q.Limit)
	if err != nil {
		return nil, s.wrapErr(err)
	}
	defer rows.Close()
	var all []playlists.PlayRecord
	for rows.Next() {
		var r playlists.PlayRecord
		var item, campaign, frame, why sql.NullString
		var count, ms sql.NullInt64
		if err := rows.Scan(&r.Sign, &r.Chain, &r.N, &r.Digest, &r.FromMS, &r.UntilMS, &item, &campaign, &frame, &why,
			&count, &ms); err != nil {
			return nil, s.wrapErr(err)
		}
		if len(all) == 0 || store.CursorOf(&all[len(all)-1]) != store.CursorOf(&r) {
			all = append(all, r)
		}
		if item.Valid { // NULL for a record without plays
			last := &all[len(all)-1]
			last.Plays = append(last.Plays, playlists.Play{Item: item.String, Campaign: campaign.String,
				Frame: frame.String, Why: why.String, Count: count.Int64, MS: ms.Int64})
		}
	}
	if err := rows.Err(); err != nil {
		return nil, s.wrapErr(err)
	}
	return all, nil
}
