//go:build race

package plan

// raceEnabled shortens random tests to a tenth, because the race detector slows
// them down tenfold.
const raceEnabled = true
