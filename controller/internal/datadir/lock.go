package datadir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"ledcast/playlists"
)

// Lock keeps a second controller off a data folder: two of them would give out
// the same sequence numbers in turn and publish over each other. Close the file
// to let go of the folder.
func Lock(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w; choose another with --data", err)
	}
	if err := flock(f); err != nil {
		_ = f.Close()
		if errors.Is(err, errLocked) {
			return nil, &playlists.Error{Code: playlists.Invalid, Field: "--data", Value: dir,
				Key: "data-folder-in-use"}
		}
		return nil, fmt.Errorf("data folder: %w", err)
	}
	return f, nil
}
