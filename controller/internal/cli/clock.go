package cli

import (
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

func newClock(e *env) *cobra.Command {
	ask := func(method, path string) func(cmd *cobra.Command, c *client) error {
		return func(cmd *cobra.Command, c *client) error {
			var s struct {
				AtMS      int64 `json:"at_ms"`
				InDoubt   bool  `json:"in_doubt"`
				Waits     bool
				Confirmed bool
				Why       struct{ EN string }
			}
			if _, err := c.do(cmd.Context(), method, path, nil, &s); err != nil {
				return err
			}
			is := "nothing speaks against it"
			switch {
			case s.InDoubt:
				is = "in doubt: " + s.Why.EN
			case s.Waits:
				is = "not confirmed yet: " + s.Why.EN
			case s.Confirmed:
				is = "confirmed"
			}
			fmt.Fprintf(e.out, "%s, %s\n", time.UnixMilli(s.AtMS).Format(time.RFC3339), is)
			return nil
		}
	}
	return e.group("clock", "Whether the controller believes its own clock",
		"clock says whether the controller believes its own clock, and why not. While the clock is in doubt nothing new is\n"+
			"issued, but cancels. accept says that the clock is right, whatever speaks against it; look at it before.",
		e.plain("show", "Print what the clock says, and what speaks against it", ask(http.MethodGet, "api/v1/clock")),
		e.plain("accept", "Say that the clock is right; the log keeps who did (department)",
			ask(http.MethodPost, "api/v1/clock/accept")))
}
