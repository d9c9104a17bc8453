package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

type health struct{ *DB }

// noteRows is the number of conditions per statement. After a reconnection to the broker all signs are noted at
// once.
const noteRows = 500

func (s health) Note(ctx context.Context, all ...playlists.Condition) error {
	faults := make([]string, len(all))
	for i := range all {
		if err := store.CheckCondition(&all[i]); err != nil {
			return err
		}
		text, err := json.Marshal(append([]string{}, all[i].Faults...))
		if err != nil {
			return err
		}
		faults[i] = string(text)
	}
	if len(all) == 0 {
		return nil
	}
	type key struct {
		sign string
		at   int64
	}
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for from, until := range batches(len(all), noteRows, func(i int) key { return key{all[i].Sign, all[i].AtMS} }) {
			var args []any
			for i := from; i < until; i++ {
				c, online := &all[i], 0
				if c.Online {
					online = 1
				}
				args = append(args, c.Sign, c.AtMS, online, c.Clock, faults[i])
			}
			if _, err := s.change(ctx, tx, `
				INSERT INTO health (sign, at_ms, online, clock, faults) `+values(until-from, "", "", "", "", "")+`
				ON CONFLICT (sign, at_ms) DO UPDATE
				SET online = excluded.online, clock = excluded.clock, faults = excluded.faults`, args...); err != nil {
				return err
			}
		}
		return nil
	})
}

const healthColumns = `SELECT sign, at_ms, online, clock, faults FROM health h WHERE `

func scanCondition(rows *sql.Rows, c *playlists.Condition) error {
	var online int
	var faults string
	if err := rows.Scan(&c.Sign, &c.AtMS, &online, &c.Clock, &faults); err != nil {
		return err
	}
	c.Online = online != 0
	if err := json.Unmarshal([]byte(faults), &c.Faults); err != nil {
		return fmt.Errorf("cannot parse the stored faults of %s: %w", c.Sign, err)
	}
	if len(c.Faults) == 0 {
		c.Faults = nil
	}
	return nil
}

func (s health) Noted(ctx context.Context, sign string, fromMS, untilMS int64) ([]playlists.Condition, error) {
	return collect(ctx, s.DB, scanCondition, healthColumns+`sign = $1 AND at_ms < $3
		AND at_ms >= COALESCE((SELECT MAX(at_ms) FROM health WHERE sign = $1 AND at_ms <= $2), $2) ORDER BY at_ms`,
		sign, fromMS, untilMS)
}

func (s health) Newest(ctx context.Context) ([]playlists.Condition, error) {
	return collect(ctx, s.DB, scanCondition,
		healthColumns+`at_ms = (SELECT MAX(at_ms) FROM health n WHERE n.sign = h.sign) ORDER BY sign`)
}

func (s health) Prune(ctx context.Context, beforeMS int64) (int, error) {
	n, err := s.exec(ctx, `DELETE FROM health WHERE at_ms < $1
		AND EXISTS (SELECT 1 FROM health n WHERE n.sign = health.sign AND n.at_ms > health.at_ms AND n.at_ms <= $1)`,
		beforeMS)
	return int(n), err
}
