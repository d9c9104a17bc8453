package app

import (
	"context"
	"strconv"
	"time"

	"ledcast/controller/internal/api"
	"ledcast/controller/internal/listen"
	"ledcast/controller/internal/store"
)

// diary is the store's health history, as the listener writes and the API
// reads it.
type diary struct{ store store.Store }

// aliveSetting is when the controller listened last, for one that is killed.
const aliveSetting = "health.alive_ms"

func (d diary) Append(ctx context.Context, all []listen.Condition) error {
	in := make([]store.Condition, len(all))
	for i, c := range all {
		in[i] = store.Condition{Sign: c.Sign, AtMS: c.At.UnixMilli(), Online: c.Online, Clock: c.Clock, Faults: c.Faults}
	}
	return d.store.Health().Note(ctx, in...)
}

func (d diary) Latest(ctx context.Context) ([]listen.Condition, error) {
	all, err := d.store.Health().Newest(ctx)
	out := make([]listen.Condition, len(all))
	for i, c := range all {
		out[i] = listen.Condition{Sign: c.Sign, At: time.UnixMilli(c.AtMS), Online: c.Online, Clock: c.Clock, Faults: c.Faults}
	}
	return out, err
}

func (d diary) SetHeartbeat(ctx context.Context, at time.Time) error {
	return d.store.Settings().Set(ctx, aliveSetting, strconv.FormatInt(at.UnixMilli(), 10))
}

func (d diary) Heartbeat(ctx context.Context) (time.Time, error) {
	text, err := d.store.Settings().Get(ctx, aliveSetting)
	if missing(err) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	ms, err := strconv.ParseInt(text, 10, 64)
	return time.UnixMilli(ms), err
}

// Noted implements api.Health.
func (d diary) Noted(ctx context.Context, sign string, from, until time.Time) (own, watched []api.Condition, err error) {
	for _, x := range []struct {
		of string
		to *[]api.Condition
	}{{sign, &own}, {store.Watching, &watched}} {
		all, err := d.store.Health().Noted(ctx, x.of, from.UnixMilli(), until.UnixMilli())
		if err != nil {
			return nil, nil, err
		}
		for _, c := range all {
			*x.to = append(*x.to, api.Condition{AtMS: c.AtMS, Online: c.Online, Clock: c.Clock, Faults: c.Faults})
		}
	}
	return own, watched, nil
}
