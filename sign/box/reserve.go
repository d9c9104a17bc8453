package box

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"

	"ledcast/sign/wire"
)

// reserve is room on disk that is kept for what must not be lost when the disk is full: cancels, ends and floors. It is
// a file of fixed size, written once in full and then rewritten in place, which needs no room. Two slots take turns, so
// that a power cut leaves one whole.
type reserve struct {
	f    *os.File
	next int64 // slot of the next write
}

const (
	reserveName = "reserve"
	reserveSlot = 128 << 10 // bytes: floors and ends of far more alerts than a day has
	slotHead    = 4 + 32    // length and SHA-256
)

// urgent is what a slot holds.
type urgent struct {
	N      int64                 `json:"n"` // of the save; the newest wins, also against the state's file
	Floors map[string]wire.Floor `json:"floors"`
	Ended  map[string]int64      `json:"ended"`
	Ran    map[string]int64      `json:"ran_ms,omitempty"`
	Docs   map[string]string     `json:"docs"`
}

// openReserve opens the reserve in dir, and makes it where there is none. After an error there is none: a disk that is
// full at the first start, or read-only.
func openReserve(dir string) (*reserve, error) {
	f, err := os.OpenFile(filepath.Join(dir, reserveName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Size() < 2*reserveSlot {
		// Bytes that are written, not only a size: a file with holes has no room of its own.
		_, err = f.WriteAt(make([]byte, 2*reserveSlot), 0)
		if err == nil {
			err = f.Sync()
		}
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &reserve{f: f}, nil
}

// read returns the newest whole slot, or nil.
func (r *reserve) read() (newest *urgent) {
	for slot := range int64(2) {
		head := make([]byte, slotHead)
		if _, err := r.f.ReadAt(head, slot*reserveSlot); err != nil {
			continue
		}
		n := int64(binary.BigEndian.Uint32(head))
		if n == 0 || n > reserveSlot-slotHead {
			continue
		}
		text := make([]byte, n)
		if _, err := r.f.ReadAt(text, slot*reserveSlot+slotHead); err != nil && !errors.Is(err, io.EOF) {
			continue
		}
		var u urgent
		if sha256.Sum256(text) != [32]byte(head[4:]) || json.Unmarshal(text, &u) != nil {
			continue
		}
		if newest == nil || u.N > newest.N {
			newest, r.next = &u, 1-slot
		}
	}
	return newest
}

// write puts u in the slot that does not hold the newest, and syncs it.
func (r *reserve) write(u *urgent) error {
	text, err := json.Marshal(u)
	if err != nil {
		return err
	}
	if len(text) > reserveSlot-slotHead {
		return errors.New("more ends of alerts than the reserve has room for")
	}
	data := make([]byte, 4, slotHead+len(text))
	binary.BigEndian.PutUint32(data, uint32(len(text)))
	sum := sha256.Sum256(text)
	data = append(data, sum[:]...)
	data = append(data, text...)
	if _, err := r.f.WriteAt(data, r.next*reserveSlot); err != nil {
		return err
	}
	r.next = 1 - r.next
	return r.f.Sync()
}
