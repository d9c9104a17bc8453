//go:build unix

package datadir

import "golang.org/x/sys/unix"

// FreeBytes is how many bytes are free where a folder is; 0 where that is not known.
func FreeBytes(dir string) int64 {
	var s unix.Statfs_t
	if unix.Statfs(dir, &s) != nil {
		return 0
	}
	return int64(s.Bavail) * int64(s.Bsize)
}
