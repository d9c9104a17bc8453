package datadir

import (
	"os"
	"path/filepath"
)

// DatabaseBytes is the size of the database's files in a data folder; 0 where it is not there.
func DatabaseBytes(data string) (n int64) {
	for _, more := range []string{"", "-wal"} {
		if info, err := os.Stat(filepath.Join(data, databaseFile+more)); err == nil {
			n += info.Size()
		}
	}
	return n
}
