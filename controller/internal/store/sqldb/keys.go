package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"ledcast/controller/internal/store"
)

type keys struct{ *DB }

func (s keys) Add(ctx context.Context, ks ...store.Key) error {
	for i := range ks {
		if err := ks[i].Validate(); err != nil {
			return err
		}
	}
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, k := range ks {
			n, err := s.change(ctx, tx, `INSERT INTO signing_keys (kid, role, seed, nbf, exp, state)
				VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (kid) DO NOTHING`,
				k.KID, k.Role, k.Seed, k.Nbf, k.Exp, string(k.State))
			if err != nil {
				return err
			}
			if n == 0 {
				return conflict("keys/"+k.KID, "", "key-known-already")
			}
		}
		return nil
	})
}

func (s keys) List(ctx context.Context) ([]store.Key, error) {
	return collect(ctx, s.DB, func(rows *sql.Rows, k *store.Key) error {
		return rows.Scan(&k.KID, &k.Role, &k.Seed, &k.Nbf, &k.Exp, &k.State)
	}, `SELECT kid, role, seed, nbf, exp, state FROM signing_keys ORDER BY role, nbf, kid`)
}

func (s keys) SetState(ctx context.Context, kid string, state store.KeyState) error {
	if err := state.Validate(); err != nil {
		return err
	}
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		n, err := s.change(ctx, tx,
			`UPDATE signing_keys SET state = $2 WHERE kid = $1 AND (state <> 'revoked' OR $2 = 'revoked')`,
			kid, string(state))
		if err != nil || n > 0 {
			return err
		}
		var now string
		if err := tx.QueryRowContext(ctx, `SELECT state FROM signing_keys WHERE kid = $1`, kid).Scan(&now); err != nil {
			return s.scanErr(err, "keys/"+kid, "")
		}
		return conflict("keys/"+kid+".state", string(state), "key-after-revoked")
	})
}

func (s keys) Remove(ctx context.Context, kid string) error {
	n, err := s.exec(ctx, `DELETE FROM signing_keys WHERE kid = $1 AND state = 'retired'`, kid)
	if err == nil && n == 0 {
		err = notFound("keys/"+kid, "")
	}
	return err
}

func (s keys) PutSet(ctx context.Context, set store.KeySet) error {
	if err := set.Validate(); err != nil {
		return err
	}
	roots, err := json.Marshal(set.Roots)
	if err != nil {
		return err
	}
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var id int64
		err := tx.QueryRowContext(ctx, `
			INSERT INTO key_set (id, epoch, seq, jws, roots) VALUES (1, $1, $2, $3, $4)
			ON CONFLICT (id) DO UPDATE
			SET epoch = excluded.epoch, seq = excluded.seq, jws = excluded.jws, roots = excluded.roots
			WHERE excluded.epoch > key_set.epoch
			   OR (excluded.epoch = key_set.epoch AND excluded.seq > key_set.seq)
			   OR (excluded.epoch = key_set.epoch AND excluded.seq = key_set.seq AND excluded.jws = key_set.jws)
			RETURNING id`, set.Epoch, set.Seq, set.JWS, string(roots)).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return conflict("key-set", fmt.Sprintf("%d/%d", set.Epoch, set.Seq), "key-set-not-newer")
		}
		if err != nil {
			return s.wrapErr(err)
		}
		return nil
	})
}

func (s keys) Set(ctx context.Context) (store.KeySet, error) {
	var set store.KeySet
	var roots string
	err := s.row(ctx, `SELECT epoch, seq, jws, roots FROM key_set WHERE id = 1`, nil,
		&set.Epoch, &set.Seq, &set.JWS, &roots)
	if err != nil {
		return store.KeySet{}, s.scanErr(err, "key-set", "")
	}
	if err := json.Unmarshal([]byte(roots), &set.Roots); err != nil {
		return store.KeySet{}, s.wrapErr(fmt.Errorf("cannot parse the roots of the key set: %w", err))
	}
	return set, nil
}
