package sqldb

import (
	"context"
	"database/sql"
	"maps"
	"slices"

	"ledcast/controller/internal/store"
)

type topics struct{ *DB }

// topicRows is the number of topics per statement.
const topicRows = 500

func (s topics) All(ctx context.Context) (map[string]int64, error) {
	type row struct {
		topic string
		since int64
	}
	rows, err := collect(ctx, s.DB, func(r *sql.Rows, x *row) error { return r.Scan(&x.topic, &x.since) },
		`SELECT topic, unwanted_ms FROM topics`)
	if err != nil {
		return nil, err
	}
	all := make(map[string]int64, len(rows))
	for _, x := range rows {
		all[x.topic] = x.since
	}
	return all, nil
}

func (s topics) Put(ctx context.Context, all map[string]int64) error {
	names := slices.Sorted(maps.Keys(all))
	for _, t := range names {
		if err := store.CheckTopic(t, all[t]); err != nil {
			return err
		}
	}
	if len(names) == 0 {
		return nil
	}
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for some := range slices.Chunk(names, topicRows) {
			var args []any
			for _, t := range some {
				args = append(args, t, all[t])
			}
			if _, err := s.change(ctx, tx, `INSERT INTO topics (topic, unwanted_ms) `+values(len(some), "", "")+`
				ON CONFLICT (topic) DO UPDATE SET unwanted_ms = excluded.unwanted_ms`, args...); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s topics) Remove(ctx context.Context, names ...string) error {
	if len(names) == 0 {
		return nil
	}
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for some := range slices.Chunk(names, topicRows) {
			var args []any
			for _, t := range some {
				args = append(args, t)
			}
			if _, err := s.change(ctx, tx, `DELETE FROM topics WHERE topic IN (`+values(len(some), "TEXT")+`)`,
				args...); err != nil {
				return err
			}
		}
		return nil
	})
}
