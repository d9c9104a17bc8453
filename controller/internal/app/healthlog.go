package app

import (
	"context"
	"strconv"
	"time"

	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

// healthLog is the store's history of signs' conditions.
type healthLog struct{ store store.Store }

// aliveSetting is when the controller listened last, for one that is killed.
const aliveSetting = "health.alive_ms"

func (d healthLog) Append(ctx context.Context, all []playlists.Condition) error {
	return d.store.Health().Note(ctx, all...)
}

func (d healthLog) Latest(ctx context.Context) ([]playlists.Condition, error) {
	return d.store.Health().Newest(ctx)
}

func (d healthLog) SetHeartbeat(ctx context.Context, at time.Time) error {
	return d.store.Settings().Set(ctx, aliveSetting, strconv.FormatInt(at.UnixMilli(), 10))
}

func (d healthLog) Heartbeat(ctx context.Context) (time.Time, error) {
	text, err := d.store.Settings().Get(ctx, aliveSetting)
	if playlists.IsNotFound(err) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	ms, err := strconv.ParseInt(text, 10, 64)
	return time.UnixMilli(ms), err
}
