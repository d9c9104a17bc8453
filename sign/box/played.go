package box

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

const (
	recordEvery = 15 * 60_000        // ms: records end at the quarters of an hour, which midnight is in every time zone
	spoolFor    = 30 * 24 * 3600_000 // ms that a record waits for its receipt
	resendEvery = 60_000             // the oldest record without a receipt is sent again
	journalName = "journal.jsonl"    // plays since the last record
	recordForm  = "%012d.jws"        // a record's file
)

// playLog keeps the proof of play in DIR/played: a journal of what was put out since the last record, and the signed
// records that wait for a receipt.
//
// A journal line is written when a play begins and when it ends, so that a killed process loses nothing that it had put
// out. A record is synced.
//
// A dark face is a play, too, so the plays of a record add up to its time. A record is of one run of the sign. After a
// power cut the sign first closes the record of the run before, at the last moment in the journal: what the face showed
// between is not known.
type playLog struct {
	dir     string
	chain   *chain
	spool   []int64 // numbers of the record files, rising
	journal *os.File
	totals  map[playKey]*wire.Play
	fromMS  int64
	lastMS  int64    // the last moment that was logged
	bornMS  int64    // when this run began; what is before it is of a run that was cut off
	on      *playKey // what is on now
	onMS    int64
}

// chain is the end of the chain of records. It is kept in the sign's state.
type chain struct {
	ID   string `json:"id"`
	N    int64  `json:"n"`    // of the last record
	Prev string `json:"prev"` // its digest
}

type playKey struct{ Item, Campaign, Frame, Why string }

// entry is a line of the journal: a play begun ("b"), going on from the record
// before ("c") or ended ("e") at AtMS; first of all the number of the record
// that the journal will become ("n"), so that one which did is not counted
// twice after a power cut between the two.
type entry struct {
	Kind string `json:"k"`
	AtMS int64  `json:"t,omitempty"`
	N    int64  `json:"n,omitempty"`
	playKey
}

// openPlayLog reads the journal of the run before. It begins another chain where there is none: after a lost disk.
// After an error the log is there, and takes nothing until a restart: its plays are lost, and their time is not
// proven.
func openPlayLog(dir string, c *chain, nowMS int64) (*playLog, error) {
	err := os.MkdirAll(dir, 0o700)
	if c.ID == "" {
		*c = chain{ID: rand.Text()}
	}
	k := &playLog{dir: dir, chain: c, totals: map[playKey]*wire.Play{}, fromMS: nowMS, bornMS: nowMS}
	k.replay()
	k.spool = spooled(dir)
	if err != nil {
		return k, err
	}
	k.journal, err = os.OpenFile(filepath.Join(dir, journalName), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil && len(k.totals) == 0 {
		err = k.restart()
	}
	return k, err
}

// errNoJournal says that plays cannot be logged since the start.
var errNoJournal = errors.New("the journal of plays could not be opened at the start")

func (k *playLog) close() error {
	if k.journal == nil {
		return nil
	}
	return k.journal.Close()
}

// restart empties the journal for the next record.
func (k *playLog) restart() error {
	if k.journal == nil {
		return errNoJournal
	}
	return errors.Join(k.journal.Truncate(0), k.line(entry{Kind: "n", N: k.chain.N + 1}))
}

// replay adds up the journal of a run that was cut off. A play that never ended counts with no time, because its end is
// not known. A line that was cut short ends the reading.
func (k *playLog) replay() {
	data, err := os.ReadFile(filepath.Join(k.dir, journalName))
	if err != nil {
		return
	}
	var begun entry
	var fromMS int64
	first := true
	for s := bufio.NewScanner(bytes.NewReader(data)); s.Scan(); {
		var e entry
		if json.Unmarshal(s.Bytes(), &e) != nil {
			break
		}
		if first && (e.Kind != "n" || e.N != k.chain.N+1) {
			return // it is in the record already
		}
		first = false
		if e.AtMS > 0 {
			if fromMS == 0 {
				fromMS = e.AtMS
			}
			fromMS, k.lastMS = min(fromMS, e.AtMS), max(k.lastMS, e.AtMS)
		}
		switch e.Kind {
		case "c":
			k.add(e.playKey, 0, 0)
			begun = e
		case "b":
			k.add(e.playKey, 1, 0)
			begun = e
		case "e":
			if begun.Kind != "" && begun.playKey == e.playKey {
				k.add(e.playKey, 0, max(0, e.AtMS-begun.AtMS))
			}
			begun = entry{}
		}
	}
	if len(k.list()) == 0 { // a clean stop leaves only what went on
		clear(k.totals)
		return
	}
	k.fromMS = fromMS
}

// cutOff reports whether a run before this one needs a record before anything of this run is logged, and until when.
func (k *playLog) cutOff() (untilMS int64, ok bool) {
	return k.lastMS, len(k.totals) > 0 && k.on == nil
}

// list returns the plays of the period, without those that went on in it for no time.
func (k *playLog) list() []wire.Play {
	var out []wire.Play
	for _, t := range k.totals {
		if t.Count > 0 || t.MS > 0 {
			p := *t
			p.Count = min(p.Count, wire.MostShowings(p.MS)) // several of no time, by power cuts in a row
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b wire.Play) int {
		return cmp.Or(cmp.Compare(a.Item, b.Item), cmp.Compare(a.Frame, b.Frame), cmp.Compare(a.Why, b.Why),
			cmp.Compare(a.Campaign, b.Campaign))
	})
	return out
}

func (k *playLog) add(key playKey, count, ms int64) {
	t := k.totals[key]
	if t == nil {
		t = &wire.Play{Item: key.Item, Campaign: key.Campaign, Frame: key.Frame, Why: key.Why}
		k.totals[key] = t
	}
	t.Count += count
	t.MS += ms
}

func (k *playLog) write(kind string, key playKey, atMS int64) error {
	return k.line(entry{Kind: kind, AtMS: atMS, playKey: key})
}

func (k *playLog) line(e entry) error {
	if k.journal == nil {
		return errNoJournal
	}
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = k.journal.Write(append(line, '\n'))
	return err
}

// begin logs that something else is on the output since atMS.
func (k *playLog) begin(shown *timeline.Shown, atMS int64) error {
	key := playKey{Item: shown.Item, Campaign: shown.Campaign, Why: shown.Why}
	if shown.Frame != nil {
		key.Frame = shown.Frame.SHA256
	}
	err := k.end(atMS)
	if len(k.totals) == 0 {
		k.fromMS = atMS // nothing was on before
	}
	k.on, k.onMS, k.lastMS = &key, atMS, atMS
	k.add(key, 1, 0)
	return errors.Join(err, k.write("b", key, atMS))
}

// end logs that nothing is on any more.
func (k *playLog) end(atMS int64) error {
	if k.on == nil {
		return nil
	}
	key := *k.on
	k.on, k.lastMS = nil, atMS
	k.add(key, 0, max(0, atMS-k.onMS))
	return k.write("e", key, atMS)
}

// goOn logs that key goes on at atMS, without counting it again.
func (k *playLog) goOn(key playKey, atMS int64) error {
	k.on, k.onMS, k.lastMS = &key, atMS, atMS
	k.add(key, 0, 0)
	return k.write("c", key, atMS)
}

// moved logs that the clock was set from beforeMS to nowMS. What is on ends at the one and goes on at the other. The
// time between them does not exist.
func (k *playLog) moved(beforeMS, nowMS int64) error {
	if k.on == nil {
		return nil
	}
	key := *k.on
	return errors.Join(k.end(beforeMS), k.goOn(key, nowMS))
}

// quarter returns when the present record ends at the latest.
func (k *playLog) quarter() int64 {
	return (k.fromMS/recordEvery + 1) * recordEvery
}

// due reports whether a record should be made, and until when: to the quarter exactly, unless it holds something later
// already, because the disk was full meanwhile.
func (k *playLog) due(nowMS int64) (untilMS int64, ok bool) {
	if len(k.totals) == 0 || nowMS < k.quarter() && len(k.totals) < wire.MaxPlays-2 {
		return 0, false
	}
	return max(min(nowMS, k.quarter()), k.lastMS), true
}

// record closes the period at untilMS and returns the payload of its record, or nil if nothing was on. What is on goes
// on in the next period.
func (k *playLog) record(sign string, untilMS int64) (*wire.Played, error) {
	if k.on != nil {
		key, onMS := *k.on, k.onMS
		if err := errors.Join(k.end(untilMS), k.goOn(key, max(untilMS, onMS))); err != nil {
			return nil, err
		}
	}
	p := &wire.Played{
		V:       1,
		Sign:    sign,
		Chain:   k.chain.ID,
		N:       k.chain.N + 1,
		Prev:    k.chain.Prev,
		FromMS:  min(k.fromMS, untilMS),
		UntilMS: untilMS,
		Plays:   k.list(),
	}
	if len(p.Plays) == 0 {
		return nil, nil
	}
	var ms int64
	for _, t := range p.Plays {
		ms += t.MS
	}
	// A clock that was set back would make more time than there was.
	p.FromMS = min(p.FromMS, untilMS-ms)
	return p, nil
}

// stored begins the next period after a record is on disk and in the chain.
func (k *playLog) stored(fromMS int64) error {
	k.totals = map[playKey]*wire.Play{}
	k.fromMS, k.lastMS = fromMS, fromMS
	if err := k.restart(); err != nil || k.on == nil {
		return err
	}
	return k.goOn(*k.on, max(fromMS, k.onMS))
}

// oldest returns the first record that waits for its receipt, and its bytes. A file beyond the chain's end is not a
// record yet: a power cut came before the state that names it.
func (k *playLog) oldest() (n int64, doc []byte) {
	if len(k.spool) == 0 || k.spool[0] > k.chain.N {
		return 0, nil
	}
	doc, err := os.ReadFile(k.file(k.spool[0]))
	if err != nil {
		return 0, nil
	}
	return k.spool[0], doc
}

func recordName(n int64) string { return fmt.Sprintf(recordForm, n) }

func (k *playLog) file(n int64) string { return filepath.Join(k.dir, recordName(n)) }

// spooled lists the record files of a folder.
func spooled(dir string) (out []int64) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		num, ok := strings.CutSuffix(e.Name(), ".jws")
		if n, err := strconv.ParseInt(num, 10, 64); ok && err == nil {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out
}

// keep notes that the file of a record was written.
func (k *playLog) keep(n int64) {
	if i, there := slices.BinarySearch(k.spool, n); !there {
		k.spool = slices.Insert(k.spool, i, n)
	}
}

// have deletes the records for which a receipt came. It reports whether there were any: a receipt that comes twice
// must not send the next record twice.
func (k *playLog) have(id string, n int64) (news bool) {
	if id != k.chain.ID {
		return false
	}
	k.spool = slices.DeleteFunc(k.spool, func(m int64) bool {
		gone := m <= min(n, k.chain.N) && os.Remove(k.file(m)) == nil
		news = news || gone
		return gone
	})
	return news
}

// expire deletes records that waited for 30 days.
func (k *playLog) expire(nowMS int64) {
	for len(k.spool) > 0 {
		n := k.spool[0]
		doc, err := os.ReadFile(k.file(n))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return
		}
		if p, err := wire.StoredPlayed(doc); err == nil && nowMS-p.UntilMS < spoolFor {
			return
		}
		if err := os.Remove(k.file(n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return
		}
		k.spool = k.spool[1:]
	}
}
