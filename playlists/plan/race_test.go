//go:build race

package plan

// raceEnabled makes random tests a tenth as long: the race detector slows them
// down tenfold.
const raceEnabled = true
