package report

// Given is what tests hold against the player.
var Given = given
