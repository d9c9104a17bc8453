package sqlite

import (
	"errors"
	"os"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"ledcast/playlists"
)

// reserveBytes is room for some hundred approvals, cancels and alert sets.
const reserveBytes = 4 << 20

// diskRoom is the room of a database file. Beside it lies a reserve, a file of zeros that is removed when an urgent
// write finds the disk full.
type diskRoom struct {
	path string
	file os.FileInfo // of the database as it was opened
}

func (r *diskRoom) reserve() string { return r.path + ".reserve" }

// IsFull reports whether SQLite found no room.
func (r *diskRoom) IsFull(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_FULL
}

// Give removes the reserve.
func (r *diskRoom) Give() bool { return os.Remove(r.reserve()) == nil }

// Refill writes the reserve, if it is not there, and syncs it.
func (r *diskRoom) Refill() bool {
	if info, err := os.Stat(r.reserve()); err == nil && info.Size() == reserveBytes {
		return true
	}
	f, err := os.OpenFile(r.reserve(), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return false
	}
	_, err = f.Write(make([]byte, reserveBytes))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(r.reserve())
	}
	return err == nil
}

// Trouble reports that the file is no longer the one that was opened: what is written then is gone at the next start.
func (r *diskRoom) Trouble() error {
	info, err := os.Stat(r.path)
	if err == nil && os.SameFile(info, r.file) && info.Size() > 0 {
		return nil
	}
	return &playlists.Error{Code: playlists.Conflict, Field: "database", Value: r.path, Key: "database-replaced"}
}
