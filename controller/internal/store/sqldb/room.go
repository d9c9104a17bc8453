package sqldb

import (
	"context"
	"sync"

	"ledcast/playlists"
)

// Room is what a database on a disk that can be full offers. All its methods are safe for concurrent use.
type Room interface {
	// IsFull reports whether an error says that the disk is full.
	IsFull(err error) bool
	// Give frees the reserve. It reports false where there is none.
	Give() bool
	// Refill makes the reserve again. It reports false where there is no room for it.
	Refill() bool
	// Trouble says why nothing may be written; nil where writes are safe.
	Trouble() error
}

// room follows whether there is room for writes. After the reserve was given up, only urgent writes are let through:
// others would take its room.
type room struct {
	Room
	mu    sync.Mutex
	full  bool // the last write failed for want of room
	given bool // the reserve is given up
}

// enter refuses an ordinary write while the reserve is given up and cannot be made again.
func (r *room) enter(ctx context.Context) error {
	if r.Room == nil {
		return nil
	}
	if err := r.Trouble(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.given || playlists.IsUrgent(ctx) {
		return nil
	}
	if !r.Refill() {
		return errFull()
	}
	r.given = false
	return nil
}

// left notes how a write ended and reports whether it is to be tried once more, with the room of the reserve.
func (r *room) left(ctx context.Context, err error) (again bool) {
	if r.Room == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.full = r.given
		return false
	}
	if !r.IsFull(err) {
		return false
	}
	r.full = true
	if !playlists.IsUrgent(ctx) || r.given {
		return false
	}
	r.given = r.Give()
	return r.given
}

// Trouble says why writes fail; nil where they do not, as far as is known.
func (s *DB) Trouble() error {
	select {
	case <-s.lost.done:
		return s.lost.err
	default:
	}
	if s.link != nil && s.link.Trouble() != nil {
		return &playlists.Error{Code: playlists.Away, Field: "database", Key: "database-away"}
	}
	if s.room.Room == nil {
		return nil
	}
	if err := s.room.Trouble(); err != nil {
		return err
	}
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	if s.room.full {
		return errFull()
	}
	return nil
}

func errFull() error {
	return &playlists.Error{Code: playlists.Full, Field: "database", Key: "disk-full"}
}
