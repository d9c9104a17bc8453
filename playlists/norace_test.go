//go:build !race

package playlists

const raceEnabled = false
