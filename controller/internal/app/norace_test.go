//go:build !race

package app_test

import "time"

// aSecond is the time within which signs are back after a cancel, and a revoked
// one is out.
const aSecond = time.Second

// raceEnabled says whether the race detector watches.
const raceEnabled = false
