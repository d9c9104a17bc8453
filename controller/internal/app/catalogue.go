package app

import (
	"context"
	"slices"
	"sync"

	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

// catalogue is the store as the publisher reads it.
type catalogue struct {
	store reader
	read  *signsRead // nil: nothing is kept
}

func (a *App) catalogue() catalogue { return catalogue{a.store, &a.signsRead} }

// reader is what commands beside a running controller may read of its store.
type reader interface {
	Objects() store.Objects
	Credentials() store.Credentials
}

// signsRead are the signs as they were read last. Ten thousand of them take a
// hundred times as long to read as to ask whether one was written since.
type signsRead struct {
	mu    sync.Mutex
	stamp string
	signs []playlists.Sign
}

// Signs are all of them, where they stand today: in what has taken their areas'
// places, too. What they point to belongs to everybody who asks.
func (c catalogue) Signs(ctx context.Context) ([]playlists.Sign, error) {
	if c.read == nil {
		return c.readSigns(ctx)
	}
	stamp, err := c.store.Objects().Stamp(ctx, kindSign, kindArea)
	if err != nil {
		return nil, err
	}
	c.read.mu.Lock()
	defer c.read.mu.Unlock()
	if c.read.signs == nil || c.read.stamp != stamp {
		signs, err := c.readSigns(ctx) // perhaps newer than the stamp, and then read again next time
		if err != nil {
			return nil, err
		}
		c.read.signs, c.read.stamp = signs, stamp
	}
	return slices.Clone(c.read.signs), nil
}

func (c catalogue) readSigns(ctx context.Context) ([]playlists.Sign, error) {
	signs, err := list[playlists.Sign](ctx, c.store, kindSign)
	if err != nil {
		return nil, err
	}
	areas, err := list[playlists.Area](ctx, c.store, kindArea)
	if err != nil {
		return nil, err
	}
	if later := playlists.NewSuccessions(areas); later != nil {
		for i := range signs {
			signs[i].Areas = later.Extend(signs[i].Areas)
		}
	}
	return signs, nil
}
