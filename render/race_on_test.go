//go:build race

package render

// underRace: the race detector slows drawing many times over.
const underRace = true
