package store

import (
	"context"

	"ledcast/playlists"
)

// Watching in place of a sign is the controller itself: it is "online" while it
// listens to signs. No sign is called so.
const Watching = ""

// Health keeps how signs' conditions changed.
type Health interface {
	// Note keeps conditions, all or none. One of the same sign and time takes
	// the other's place.
	Note(ctx context.Context, all ...playlists.Condition) error
	// Noted lists a sign's conditions from fromMS until before untilMS, oldest
	// first, and before them the one that held at fromMS.
	Noted(ctx context.Context, sign string, fromMS, untilMS int64) ([]playlists.Condition, error)
	// Newest is the last condition of every sign that has one, sorted bytewise
	// by sign.
	Newest(ctx context.Context) ([]playlists.Condition, error)
	// Prune removes conditions that others had replaced by that time, and
	// returns how many: Noted answers as it did from then on.
	Prune(ctx context.Context, beforeMS int64) (removed int, err error)
}

// CheckCondition returns an *playlists.Error of code Invalid for a condition
// that cannot be kept.
func CheckCondition(c *playlists.Condition) error {
	if c.Sign != Watching {
		if err := checkText("health.sign", c.Sign, false); err != nil {
			return err
		}
	}
	where := "health/" + c.Sign
	for _, s := range append([]string{c.Clock}, c.Faults...) {
		if err := checkText(where, s, true); err != nil {
			return err
		}
	}
	return checkInteger(where+".at_ms", c.AtMS)
}
