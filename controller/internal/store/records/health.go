package records

import (
	"context"
	"strconv"
	"time"

	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

// Health stores the conditions of signs, and when the controller last observed them.
type Health struct {
	Store interface {
		Health() store.Health
		Settings() store.Settings
	}
}

// heartbeatSetting is the time of the last heartbeat, in Unix milliseconds. It tells when a killed controller stopped.
const heartbeatSetting = "health.alive_ms"

// Append adds conditions to the history.
func (h Health) Append(ctx context.Context, all []playlists.Condition) error {
	return h.Store.Health().Note(ctx, all...)
}

// Latest returns the latest condition of every sign.
func (h Health) Latest(ctx context.Context) ([]playlists.Condition, error) {
	return h.Store.Health().Newest(ctx)
}

// SetHeartbeat notes that signs were observed until at.
func (h Health) SetHeartbeat(ctx context.Context, at time.Time) error {
	return h.Store.Settings().Set(ctx, heartbeatSetting, strconv.FormatInt(at.UnixMilli(), 10))
}

// Heartbeat returns the time of the last SetHeartbeat, and the zero time if there was none.
func (h Health) Heartbeat(ctx context.Context) (time.Time, error) {
	text, err := h.Store.Settings().Get(ctx, heartbeatSetting)
	if playlists.IsNotFound(err) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	ms, err := strconv.ParseInt(text, 10, 64)
	return time.UnixMilli(ms), err
}
