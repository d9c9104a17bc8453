//go:build clockoffset

package cli

import (
	"os"
	"time"
)

// A controller that is built with the tag clockoffset, for a test only, is off by LEDCAST_CLOCK_OFFSET, and no NTP
// holds its clock.
func init() {
	d, _ := time.ParseDuration(os.Getenv("LEDCAST_CLOCK_OFFSET")) // 0 without it
	now = func() time.Time { return time.Now().Add(d) }
}
