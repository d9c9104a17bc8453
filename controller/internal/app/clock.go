package app

import (
	"context"

	"ledcast/controller/internal/clock/keeper"
)

// openClock reads what the controller wrote before, ahead of whatever this start writes.
func (a *App) openClock(ctx context.Context) error {
	signs, err := a.catalogue.Signs(ctx)
	if err != nil {
		return err
	}
	speak := 0
	for i := range signs {
		if !signs[i].Picture() {
			speak++
		}
	}
	a.clock, err = keeper.Open(ctx, keeper.Options{Store: a.store, Now: a.now, Held: a.o.Held, Log: a.log, Signs: speak})
	return err
}

// clockSettled lets go on what was held back by a clock in doubt.
func (a *App) clockSettled(ctx context.Context) {
	a.renewKeys(ctx)
	a.Kick()
	a.publisher.KickAlerts()
	a.alerts.ClockTrusted()
}
