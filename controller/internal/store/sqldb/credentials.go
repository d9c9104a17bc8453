package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"ledcast/controller/internal/store"
)

type credentials struct{ *DB }

func (s credentials) Set(ctx context.Context, c store.Credential) error {
	if err := store.CheckName("credentials.sign", c.Sign); err != nil {
		return err
	}
	verifiers, err := json.Marshal(c.Verifiers)
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, `INSERT INTO credentials (sign, sha256, created_ms, verifiers) VALUES ($1, $2, $3, $4)
		ON CONFLICT (sign) DO UPDATE
		SET sha256 = excluded.sha256, created_ms = excluded.created_ms, verifiers = excluded.verifiers`,
		c.Sign, c.SHA256[:], c.CreatedMS, string(verifiers))
	return err
}

// digest32 scans a column of 32 bytes. It rejects any other length: a short digest must not be padded with zeros.
type digest32 struct{ to *[32]byte }

func (d digest32) Scan(v any) error {
	b, ok := v.([]byte)
	if !ok || len(b) != len(d.to) {
		return fmt.Errorf("the digest has %d bytes, not 32", len(b))
	}
	copy(d.to[:], b)
	return nil
}

// jsonText scans a text column that holds JSON.
type jsonText struct{ to any }

func (j jsonText) Scan(v any) error {
	text, ok := v.(string)
	if !ok {
		return fmt.Errorf("a JSON column has the type %T", v)
	}
	return json.Unmarshal([]byte(text), j.to)
}

func (s credentials) Get(ctx context.Context, sign string) (store.Credential, error) {
	c := store.Credential{Sign: sign}
	err := s.row(ctx, `SELECT sha256, created_ms, verifiers FROM credentials WHERE sign = $1`, []any{sign},
		digest32{&c.SHA256}, &c.CreatedMS, jsonText{&c.Verifiers})
	if err != nil {
		return store.Credential{}, s.scanErr(err, "credentials/"+sign, "")
	}
	return c, nil
}

func (s credentials) List(ctx context.Context) ([]store.Credential, error) {
	return collect(ctx, s.DB, func(rows *sql.Rows, c *store.Credential) error {
		return rows.Scan(&c.Sign, digest32{&c.SHA256}, &c.CreatedMS, jsonText{&c.Verifiers})
	}, `SELECT sign, sha256, created_ms, verifiers FROM credentials ORDER BY sign`)
}

func (s credentials) Remove(ctx context.Context, sign string) error {
	n, err := s.exec(ctx, `DELETE FROM credentials WHERE sign = $1`, sign)
	if err == nil && n == 0 || isInvalidText(err) {
		return notFound("credentials/"+sign, "")
	}
	return err
}

type settings struct{ *DB }

func (s settings) Set(ctx context.Context, key, value string) error {
	if err := store.CheckName("settings.key", key); err != nil {
		return err
	}
	if err := store.CheckValue("settings/"+key, value); err != nil {
		return err
	}
	_, err := s.exec(ctx, `INSERT INTO settings (key, value) VALUES ($1, $2)
		ON CONFLICT (key) DO UPDATE SET value = excluded.value`, key, value)
	return err
}

func (s settings) Get(ctx context.Context, key string) (string, error) {
	var v string
	err := s.row(ctx, `SELECT value FROM settings WHERE key = $1`, []any{key}, &v)
	if err != nil {
		return "", s.scanErr(err, "settings/"+key, "")
	}
	return v, nil
}
