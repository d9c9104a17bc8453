//go:build race

package report_test

// raceEnabled shortens the simulated week to 30 hours with fewer signs, because the race detector makes it ten
// times slower.
const raceEnabled = true
