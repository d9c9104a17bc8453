package app

import (
	"cmp"
	"context"
	"time"

	"ledcast/controller/internal/api"
	"ledcast/controller/internal/history"
)

// maintainEvery is how often the store is maintained.
const maintainEvery = time.Minute

// keepIssued is how long programs that were issued are kept: 13 months, so that a year can be compared with the one
// before.
const keepIssued = 396 * 24 * time.Hour

// maintain deletes expired sessions and old documents. It fails the controller when that may no longer write.
func (a *App) maintain(ctx context.Context) {
	t := time.NewTicker(maintainEvery)
	defer t.Stop()
	var pruned time.Time
	for {
		now := a.now()
		held := a.clock.Unsure() // a wrong clock would delete what is not old
		if !held && now.Sub(pruned) >= 24*time.Hour {
			pruned = now
			before := now.Add(-cmp.Or(a.o.KeepProofs, keepIssued)).UnixMilli()
			if n, err := history.PruneProofs(ctx, a.store.Proofs(), before); err != nil && ctx.Err() == nil {
				a.log.Warn("old proof of play could not be deleted", "err", err)
			} else if n > 0 {
				a.log.Info("old proof of play was deleted", "records", n)
			}
			if n, err := a.store.Documents().Prune(ctx, now.Add(-keepIssued).Unix()); err != nil && ctx.Err() == nil {
				a.log.Warn("old documents could not be deleted", "err", err)
			} else if n > 0 {
				a.log.Info("old documents were deleted", "documents", n)
			}
			if _, err := a.store.Health().Prune(ctx, now.Add(-api.KeepHealth).UnixMilli()); err != nil && ctx.Err() == nil {
				a.log.Warn("old conditions of signs could not be deleted", "err", err)
			}
		}
		expired := now.UnixMilli()
		if held {
			expired = 0
		}
		err := a.store.Sessions().DeleteExpired(ctx, expired)
		switch {
		case ctx.Err() != nil:
		case err != nil && a.store.Trouble() == nil:
			a.log.Warn("expired sessions could not be deleted", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-a.store.Lost():
			a.failed <- a.store.Trouble()
			return
		case <-t.C:
		}
	}
}

// databaseBack publishes what could not be issued while the database was away.
func (a *App) databaseBack() {
	a.publisher.Kick()
	a.alerts.ClockTrusted()
}

// Failed tells why the controller has to end, e.g. because another one has its database.
func (a *App) Failed() <-chan error { return a.failed }
