package app

import (
	"context"
	"time"

	"ledcast/controller/internal/keys"
)

// promoteEvery is how often a rotation is looked at.
const promoteEvery = time.Minute

// renewKeys renews a key set that is past half its life, if the root is here and the clock is certain.
func (a *App) renewKeys(ctx context.Context) {
	now := a.now()
	if a.clock.Unsure() {
		return
	}
	a.renewing.Lock()
	defer a.renewing.Unlock()
	did, err := a.keyring.RenewDue(ctx, keys.Store{Keeper: a.store.Keys()}, now)
	if err != nil && ctx.Err() == nil {
		a.log.Error("the key set could not be renewed", "err", err)
	}
	if did {
		a.log.Info("the key set was renewed")
		a.Kick()
	}
}

// promoteKeys goes on with a rotation: the new keys sign once every sign that is online has said that it has the set.
// A sign that is away gets the set before anything that the new keys signed, for both are retained and it keeps a
// document until its key comes.
func (a *App) promoteKeys(ctx context.Context) {
	t := time.NewTicker(promoteEvery)
	defer t.Stop()
	a.renewKeys(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		a.renewKeys(ctx)
		did, err := a.keyring.Promote(ctx, keys.Store{Keeper: a.store.Keys()}, func(epoch, seq int64) bool {
			for _, sign := range a.listener.Signs() {
				s := a.listener.State(sign)
				if s.Online && (s.Status == nil || s.Status.Keys == nil || s.Status.Keys.Epoch < epoch ||
					s.Status.Keys.Epoch == epoch && s.Status.Keys.Seq < seq) {
					return false
				}
			}
			return true
		})
		if err != nil {
			a.log.Error("the new keys could not be taken into use", "err", err)
		}
		if did {
			a.log.Info("the new keys sign")
			a.Kick()
		}
	}
}
