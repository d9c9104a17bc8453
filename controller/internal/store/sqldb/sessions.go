package sqldb

import (
	"context"
	"database/sql"
	"errors"

	"ledcast/controller/internal/store"
)

type sessions struct{ *DB }

func (s sessions) Find(ctx context.Context, token string, nowMS int64) (data []byte, found bool, err error) {
	err = s.row(ctx, `SELECT data FROM sessions WHERE token = $1 AND expiry_ms > $2`, []any{token, nowMS}, &data)
	if errors.Is(err, sql.ErrNoRows) || isInvalidText(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, s.wrapErr(err)
	}
	return data, true, nil
}

func (s sessions) Commit(ctx context.Context, x store.Session) error {
	if err := store.CheckName("sessions.token", x.Token); err != nil {
		return err
	}
	if err := store.CheckValue("sessions.who", x.Who); err != nil {
		return err
	}
	_, err := s.exec(ctx, `INSERT INTO sessions (token, who, data, expiry_ms) VALUES ($1, $2, $3, $4)
		ON CONFLICT (token) DO UPDATE SET who = excluded.who, data = excluded.data, expiry_ms = excluded.expiry_ms`,
		x.Token, x.Who, notNil(x.Data), x.ExpiryMS)
	return err
}

// notNil returns an empty slice for nil, for a column that is NOT NULL.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func (s sessions) Delete(ctx context.Context, token string) error {
	_, err := s.exec(ctx, `DELETE FROM sessions WHERE token = $1`, token)
	if isInvalidText(err) {
		return nil
	}
	return err
}

func (s sessions) DeleteOf(ctx context.Context, who string) (int, error) {
	if err := store.CheckName("sessions.who", who); err != nil {
		return 0, err
	}
	n, err := s.exec(ctx, `DELETE FROM sessions WHERE who = $1`, who)
	return int(n), err
}

func (s sessions) All(ctx context.Context, nowMS int64) ([]store.Session, error) {
	return collect(ctx, s.DB, func(rows *sql.Rows, x *store.Session) error {
		return rows.Scan(&x.Token, &x.Who, &x.Data, &x.ExpiryMS)
	}, `SELECT token, who, data, expiry_ms FROM sessions WHERE expiry_ms > $1 ORDER BY token`, nowMS)
}

func (s sessions) DeleteExpired(ctx context.Context, nowMS int64) error {
	_, err := s.exec(ctx, `DELETE FROM sessions WHERE expiry_ms <= $1`, nowMS)
	return err
}
