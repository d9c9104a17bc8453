//go:build !unix

package datadir

// FreeBytes is not known on this system.
func FreeBytes(string) int64 { return 0 }
