//go:build !unix

package simulate

import "time"

func Usage() (cpu time.Duration, peak int64) { return 0, 0 }

func openFiles() int { return 0 }
