//go:build !unix

package datadir

import (
	"errors"
	"os"
)

var errLocked = errors.New("locked")

// flock: there is no such lock here; SQLite's own still keeps writers apart.
func flock(*os.File) error { return nil }
