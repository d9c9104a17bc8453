package report

// EachPlanned is exported for the comparison with the player.
var EachPlanned = eachPlanned
