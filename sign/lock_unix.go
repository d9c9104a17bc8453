//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// lockData locks a sign's data folder until the process ends: two processes on one folder would overwrite each other's
// floors and proof of play. A disk that cannot be written holds nobody up.
func lockData(dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return func() {}, nil // the sign itself says what is wrong
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return func() {}, nil
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); errors.Is(err, unix.EWOULDBLOCK) {
		return nil, errors.Join(
			fmt.Errorf("another sign runs on the data folder %s; end that one, or give another --data", dir),
			f.Close())
	}
	return func() { _ = f.Close() }, nil
}
