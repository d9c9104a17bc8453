package enrol

import (
	"context"
	"sync"
	"time"

	"ledcast/controller/internal/store"
)

// Born returns a function that says when the installation began: when the first entry of its log was written, and now
// before there is one.
func Born(ctx context.Context, log store.Audit, now func() time.Time) func() time.Time {
	var mu sync.Mutex
	var at time.Time
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		if at.IsZero() {
			entries, err := log.List(context.WithoutCancel(ctx), store.AllOwners, 0, 1)
			if err != nil || len(entries) == 0 {
				return now()
			}
			at = time.UnixMilli(entries[0].By.AtMS)
		}
		return at
	}
}
