package outage

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

// FileName is the journal's file in the data folder. It exists only while something waits for the database.
const FileName = "deferred.journal"

// entry is one write that waits. Exactly one of the other fields than Run is set.
type entry struct {
	Run    string        // identifies the run of the controller
	Change *store.Change `json:",omitempty"` // of a user; audited
	Object *store.Object `json:",omitempty"` // by the controller itself
	Issued *issued       `json:",omitempty"`
}

// issued is a document that was signed without the database.
type issued struct {
	Draft playlists.Draft
	JWS   []byte
}

// journal is a file with one entry a line, synced before append returns.
type journal struct {
	path    string
	entries []entry
}

// openJournal reads what an earlier run has left. The last line may be cut short: it was never acknowledged.
func openJournal(path string) (*journal, error) {
	j := &journal{path: path}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return j, nil
	}
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, len(data)+1)
	whole := bytes.Count(data, []byte("\n"))
	for n := 1; lines.Scan(); n++ {
		if n > whole {
			break
		}
		var e entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, fmt.Errorf("%s:%d: %w; it holds cancelled alerts that the database does not know yet: "+
				"move the file away only after cancelling them again", path, n, err)
		}
		j.entries = append(j.entries, e)
	}
	return j, lines.Err()
}

// append keeps entries, all or none.
func (j *journal) append(entries ...entry) error {
	var lines bytes.Buffer
	for i := range entries {
		line, err := json.Marshal(&entries[i])
		if err != nil {
			return err
		}
		lines.Write(append(line, '\n'))
	}
	f, err := os.OpenFile(j.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	at, err := f.Seek(0, 2)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	if _, err = f.Write(lines.Bytes()); err == nil {
		err = f.Sync()
	}
	if err != nil { // what was written in part must not lie before the next entry
		return errors.Join(err, f.Truncate(at), f.Close())
	}
	if err := f.Close(); err != nil {
		return err
	}
	j.entries = append(j.entries, entries...)
	return nil
}

// written removes the first n entries: they are in the database. A crash in between writes them again, which changes
// nothing.
func (j *journal) written(n int) error {
	j.entries = j.entries[n:]
	if len(j.entries) > 0 {
		return nil
	}
	j.entries = nil
	return os.Remove(j.path)
}
