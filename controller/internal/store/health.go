package store

import (
	"context"

	"ledcast/playlists"
)

// ControllerID stands for the controller itself in place of a sign's ID. The controller is "online" while it
// listens to signs. No sign has an empty ID.
const ControllerID = ""

// Health stores the changes of the signs' conditions.
type Health interface {
	// Note stores conditions, all or none. A condition replaces a stored one of the same sign and time.
	Note(ctx context.Context, all ...playlists.Condition) error
	// Noted returns a sign's conditions in [fromMS, untilMS), oldest first. The first is the condition that held at
	// fromMS, if there is one.
	Noted(ctx context.Context, sign string, fromMS, untilMS int64) ([]playlists.Condition, error)
	// Newest returns the latest condition of every sign that has one, sorted bytewise by sign.
	Newest(ctx context.Context) ([]playlists.Condition, error)
	// Prune removes the conditions that had been replaced by beforeMS and returns their number. For times from
	// beforeMS on, Noted returns the same as before.
	Prune(ctx context.Context, beforeMS int64) (removed int, err error)
}

// CheckCondition returns a *playlists.Error with code Invalid if the condition cannot be stored.
func CheckCondition(c *playlists.Condition) error {
	if c.Sign != ControllerID {
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
