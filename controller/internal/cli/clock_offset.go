//go:build clockoffset

package cli

import (
	"os"
	"time"
)

// A controller that is built with the tag clockoffset, for a test only, is off by LEDCAST_CLOCK_OFFSET.
func init() {
	if d, err := time.ParseDuration(os.Getenv("LEDCAST_CLOCK_OFFSET")); err == nil {
		now = func() time.Time { return time.Now().Add(d) }
	}
}
