package app

import "runtime/debug"

// SaveMemory lets the collector run twice as often as by itself. Nearly all that a controller holds is programs, for
// as long as it runs: a heap may be half as large again as what lives in it, not twice, and planning takes a few
// percent longer. An operator's GOGC stands above it.
func SaveMemory() {
	const percent = 50
	if old := debug.SetGCPercent(percent); old != 100 {
		debug.SetGCPercent(old)
	}
}
