//go:build race

package report_test

// raceEnabled makes the simulated week a day and a quarter of fewer signs: the
// race detector slows it down tenfold.
const raceEnabled = true
