//go:build race

package app_test

import "time"

// aSecond is five of them: under the race detector all runs many times slower,
// and what is looked for there is races.
const aSecond = 5 * time.Second

// raceEnabled says whether the race detector watches.
const raceEnabled = true
