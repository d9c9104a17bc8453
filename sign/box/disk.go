package box

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"ledcast/sign/accept"
	"ledcast/sign/wire"
)

// state is what a box keeps over a restart, in DIR/state.json. Documents lie beside it under the digests that it names,
// so that one rename changes everything.
type state struct {
	Floors       map[string]wire.Floor `json:"floors"` // by role|subject|epoch
	Docs         map[string]string     `json:"docs"`   // digest of the accepted document, by role
	FirstRetired bool                  `json:"first_root_retired,omitempty"`
	SavedMS      int64                 `json:"saved_ms"`   // effective time when this was written
	ContactMS    int64                 `json:"contact_ms"` // last contact with the broker
	Ended        map[string]int64      `json:"ended,omitempty"`
	Ran          map[string]int64      `json:"ran_ms,omitempty"` // of alerts that run, or that ended by the clock alone
	Chain        chain                 `json:"chain"`            // of the proof of play
	N            int64                 `json:"n,omitempty"`      // counts saves
	Login        string                `json:"login,omitempty"`  // digest of the last one that a broker accepted
}

// disk is a box's folder. Every write is atomic and synced before it counts: a power cut leaves the old file or the new
// one, never half of it.
type disk struct {
	dir   string
	state state
	stamp func(*state)                              // brings the times up to date before each save
	write func(dir, name string, data []byte) error // writeSynced, but in tests
	// reserve takes what is urgent when the disk is full. It is nil where there is no room for it.
	reserve *reserve
}

func openDisk(dir string) (*disk, error) {
	d := &disk{
		dir:   dir,
		stamp: func(*state) {},
		write: writeSynced,
		state: state{Floors: map[string]wire.Floor{}, Docs: map[string]string{}, Ended: map[string]int64{}},
	}
	for _, sub := range []string{"docs", "frames"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return nil, fmt.Errorf("the sign's data folder: %w; choose another with --data", err)
		}
	}
	err := d.load()
	if r, rerr := openReserve(dir); rerr == nil {
		d.reserve = r
		d.fromReserve(r.read())
	}
	if d.state.Floors == nil {
		d.state.Floors = map[string]wire.Floor{}
	}
	if d.state.Docs == nil {
		d.state.Docs = map[string]string{}
	}
	if d.state.Ended == nil {
		d.state.Ended = map[string]int64{}
	}
	return d, err
}

// stateFiles are two copies of the state. Floors keep yesterday's program out, so one bad sector must not lose them.
var stateFiles = [...]string{"state.json", "state.copy.json"}

type stateFile struct {
	SHA256 string          `json:"sha256"` // of State's bytes
	State  json.RawMessage `json:"state"`
}

// errStateLost is openDisk's error when both copies are damaged. The box goes on without floors and reports a fault.
var errStateLost = errors.New("both copies of the state are damaged")

func (d *disk) load() error {
	found := false
	for _, name := range stateFiles {
		data, err := os.ReadFile(filepath.Join(d.dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		found = true
		var f stateFile
		var s state
		if err == nil && json.Unmarshal(data, &f) == nil && wire.Digest(f.State) == f.SHA256 &&
			json.Unmarshal(f.State, &s) == nil {
			d.state = s
			return nil
		}
	}
	if found {
		return errStateLost
	}
	return nil
}

// fromReserve takes over what was kept in the reserve after the state could be written last.
func (d *disk) fromReserve(u *urgent) {
	if u == nil || u.N <= d.state.N {
		return
	}
	d.state.N = u.N
	d.state.Floors, d.state.Ended, d.state.Ran, d.state.Docs = u.Floors, u.Ended, u.Ran, u.Docs
}

// save writes both copies of the state and syncs them. On a full disk it keeps what is urgent in the reserve: its error
// is then of kind errReserved.
func (d *disk) save() error {
	err := d.saveState()
	if err == nil || d.reserve == nil {
		return err
	}
	u := urgent{N: d.state.N, Floors: d.state.Floors, Ended: d.state.Ended, Ran: d.state.Ran, Docs: d.state.Docs}
	if rerr := d.reserve.write(&u); rerr != nil {
		return errors.Join(err, rerr)
	}
	return &reservedError{err}
}

// reservedError says that only the urgent part of the state could be written.
type reservedError struct{ error }

// isReserved reports whether what is urgent was kept although a write failed.
func isReserved(err error) bool {
	var r *reservedError
	return errors.As(err, &r)
}

func (d *disk) saveState() error {
	d.stamp(&d.state)
	d.state.N++
	text, err := json.Marshal(&d.state)
	if err != nil {
		return err
	}
	data, err := json.Marshal(stateFile{SHA256: wire.Digest(text), State: text})
	if err != nil {
		return err
	}
	for _, name := range stateFiles {
		if err := d.write(d.dir, name, data); err != nil {
			return err
		}
	}
	return nil
}

// accept stores a document and its floor, synced, before anything of it shows. Where an alert set cannot be written,
// its floor is kept and the set before is forgotten: what was cancelled must not come back at a restart.
func (d *disk) accept(e *accept.Store) error {
	err := d.write(filepath.Join(d.dir, "docs"), docFile(e.Role, e.Digest), e.Doc)
	if err != nil && (e.Role == wire.RoleAlerts || e.Role == wire.RoleAlertsTest) {
		return d.forgetAlerts(e, err)
	}
	if err != nil {
		return err
	}
	key := accept.FloorKey(e.Role, e.Subject, e.Epoch)
	oldFloor, hadFloor := d.state.Floors[key]
	oldDoc := d.state.Docs[e.Role]
	d.state.Floors[key] = wire.Floor{Seq: e.Seq, Digest: e.Digest}
	d.state.Docs[e.Role] = e.Digest
	if err := d.save(); isReserved(err) {
		d.tidyDocs()
		return nil // the reserve names it
	} else if err != nil {
		d.state.Docs[e.Role] = oldDoc
		if hadFloor {
			d.state.Floors[key] = oldFloor
		} else {
			delete(d.state.Floors, key)
		}
		return err
	}
	d.tidyDocs()
	return nil
}

// forgetAlerts keeps the floor of a set that could not be written because of why.
func (d *disk) forgetAlerts(e *accept.Store, why error) error {
	d.state.Floors[accept.FloorKey(e.Role, e.Subject, e.Epoch)] = wire.Floor{Seq: e.Seq, Digest: e.Digest}
	delete(d.state.Docs, e.Role)
	err := d.save()
	d.tidyDocs() // deleting needs no room
	if err == nil || isReserved(err) {
		return &reservedError{why}
	}
	return errors.Join(why, err)
}

// drop forgets the accepted document of a role and keeps its floor.
func (d *disk) drop(role string) error {
	delete(d.state.Docs, role)
	if err := d.save(); err != nil && !isReserved(err) {
		return err
	}
	d.tidyDocs()
	return nil
}

func docFile(role, digest string) string { return role + "." + digest[:16] + ".jws" }

// doc reads the accepted document of a role. It returns nil when there is none, and an error when its bytes are not
// those that were accepted.
func (d *disk) doc(role string) ([]byte, error) {
	digest := d.state.Docs[role]
	if digest == "" {
		return nil, nil
	}
	if !wire.IsDigest(digest) {
		return nil, fmt.Errorf("the state names %q as the digest of the %s document", digest, role)
	}
	data, err := os.ReadFile(filepath.Join(d.dir, "docs", docFile(role, digest)))
	if err != nil {
		return nil, err
	}
	if wire.Digest(data) != digest {
		return nil, fmt.Errorf("the stored %s document is not what was accepted", role)
	}
	return data, nil
}

// tidyDocs removes documents that the state no longer names. A failure leaves
// a file behind that nothing reads.
func (d *disk) tidyDocs() {
	entries, err := os.ReadDir(filepath.Join(d.dir, "docs"))
	if err != nil {
		return
	}
	keep := map[string]bool{}
	for role, digest := range d.state.Docs {
		if wire.IsDigest(digest) {
			keep[docFile(role, digest)] = true
		}
	}
	for _, e := range entries {
		if !keep[e.Name()] {
			_ = os.Remove(filepath.Join(d.dir, "docs", e.Name()))
		}
	}
}

func (d *disk) framePath(sha string) string { return filepath.Join(d.dir, "frames", sha) }

func (d *disk) frame(sha string) ([]byte, error) { return os.ReadFile(d.framePath(sha)) }

func (d *disk) putFrame(sha string, data []byte) error {
	return d.write(filepath.Join(d.dir, "frames"), sha, data)
}

func (d *disk) removeFrame(sha string) { _ = os.Remove(d.framePath(sha)) }

// frames lists the cache by digest with sizes in bytes.
func (d *disk) frames() (map[string]int64, error) {
	entries, err := os.ReadDir(filepath.Join(d.dir, "frames"))
	if err != nil {
		return nil, err
	}
	sizes := map[string]int64{}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			continue
		}
		if !wire.IsDigest(e.Name()) {
			_ = os.Remove(filepath.Join(d.dir, "frames", e.Name())) // a write that a power cut ended
			continue
		}
		sizes[e.Name()] = info.Size()
	}
	return sizes, nil
}

// key returns the sign's own signing key. It makes the key at the first start, and another where the file is damaged: a
// person confirms that one at the controller, and the face goes on meanwhile. The error says what is wrong; there is a
// key all the same.
func (d *disk) key() (ed25519.PrivateKey, error) {
	path := filepath.Join(d.dir, "sign.key")
	text, err := os.ReadFile(path)
	if err == nil {
		var seed []byte
		if seed, err = wire.DecodeKey(strings.TrimSpace(string(text))); err == nil {
			return ed25519.NewKeyFromSeed(seed), nil
		}
		err = fmt.Errorf("%s is damaged: it holds no key of 32 bytes; confirm the sign's new key at the controller", path)
		err = errors.Join(err, os.Rename(path, path+".damaged"))
	}
	_, key, gerr := ed25519.GenerateKey(rand.Reader)
	if gerr != nil {
		panic(gerr) // crypto/rand never fails
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return key, errors.Join(err, d.write(d.dir, "sign.key", []byte(wire.EncodeKey(key.Seed())+"\n")))
}

// writeSynced replaces dir/name: a temporary file, its sync, a rename, and the
// folder's sync.
func writeSynced(dir, name string, data []byte) error {
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return err
	}
	tmp := f.Name()
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp, filepath.Join(dir, name))
	}
	if err != nil {
		_ = os.Remove(tmp)
		return err
	}
	df, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer df.Close()
	return df.Sync()
}

// writeUnsynced replaces dir/name without syncs. It is for trials and tests, whose process lives on: there a write
// that a power cut would lose cannot be told from one that was synced.
func writeUnsynced(dir, name string, data []byte) error {
	tmp := filepath.Join(dir, ".new-"+name)
	if err := os.WriteFile(tmp, data, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, filepath.Join(dir, name))
}
