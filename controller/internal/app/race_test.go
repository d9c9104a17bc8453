//go:build race

package app_test

// raceEnabled says whether the race detector watches.
const raceEnabled = true
