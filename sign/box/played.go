package box

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
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

// book keeps the proof of play in DIR/played: a journal of what was put out
// since the last record, and the signed records that wait for a receipt.
//
// A journal line is written when a play begins and when it ends, so that a
// killed process loses nothing that it had put out; a record is synced.
type book struct {
	dir     string
	chain   *chain
	journal *os.File
	totals  map[playKey]*wire.Play
	fromMS  int64
	on      *playKey // what is on now
	onMS    int64
}

// chain is the end of the chain of records, kept in the sign's state.
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

// openBook reads the journal of the run before. state.Chain is made anew where
// there is none: a lost disk begins another chain.
func openBook(dir string, c *chain, nowMS int64) (*book, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if c.ID == "" {
		var b [16]byte
		_, _ = rand.Read(b[:]) // never fails: crypto/rand.Read panics instead
		*c = chain{ID: hex.EncodeToString(b[:])}
	}
	k := &book{dir: dir, chain: c, totals: map[playKey]*wire.Play{}, fromMS: nowMS}
	k.replay()
	var err error
	k.journal, err = os.OpenFile(filepath.Join(dir, journalName), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil && len(k.totals) == 0 {
		err = k.restart()
	}
	return k, err
}

// restart empties the journal for the next record.
func (k *book) restart() error {
	return errors.Join(k.journal.Truncate(0), k.line(entry{Kind: "n", N: k.chain.N + 1}))
}

// replay adds up the journal. A play that never ended counts, with no time: how
// long it stood nobody knows. A line that was cut short ends the reading.
func (k *book) replay() {
	data, err := os.ReadFile(filepath.Join(k.dir, journalName))
	if err != nil {
		return
	}
	var begun entry
	first := true
	for s := bufio.NewScanner(bytes.NewReader(data)); s.Scan(); {
		var e entry
		if json.Unmarshal(s.Bytes(), &e) != nil {
			return
		}
		if first && (e.Kind != "n" || e.N != k.chain.N+1) {
			return // it is in the record already
		}
		first = false
		if e.AtMS > 0 {
			k.fromMS = min(k.fromMS, e.AtMS)
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
}

func (k *book) add(key playKey, count, ms int64) {
	t := k.totals[key]
	if t == nil {
		t = &wire.Play{Item: key.Item, Campaign: key.Campaign, Frame: key.Frame, Why: key.Why}
		k.totals[key] = t
	}
	t.Count += count
	t.MS += ms
}

func (k *book) write(kind string, key playKey, atMS int64) error {
	return k.line(entry{Kind: kind, AtMS: atMS, playKey: key})
}

func (k *book) line(e entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = k.journal.Write(append(line, '\n'))
	return err
}

// begin notes that something else is on the output since atMS.
func (k *book) begin(shown *timeline.Shown, atMS int64) error {
	key := playKey{Item: shown.Item, Campaign: shown.Campaign, Why: shown.Why}
	if shown.Frame != nil {
		key.Frame = shown.Frame.SHA256
	}
	err := k.end(atMS)
	k.on, k.onMS = &key, atMS
	k.add(key, 1, 0)
	return errors.Join(err, k.write("b", key, atMS))
}

// end notes that what was on is no longer.
func (k *book) end(atMS int64) error {
	if k.on == nil {
		return nil
	}
	key := *k.on
	k.on = nil
	k.add(key, 0, max(0, atMS-k.onMS))
	return k.write("e", key, atMS)
}

// quarter is when the record that is being written ends at the latest.
func (k *book) quarter() int64 {
	return (k.fromMS/recordEvery + 1) * recordEvery
}

// due reports whether a record should be made.
func (k *book) due(nowMS int64) bool {
	return len(k.totals) > 0 && (nowMS >= k.quarter() || len(k.totals) >= wire.MaxPlays-2)
}

// record closes the period at nowMS, and gives the payload of the record and
// what becomes of the chain once it is stored.
func (k *book) record(sign string, nowMS int64) (*wire.Played, error) {
	var again *playKey
	if k.on != nil {
		again = k.on
		if err := k.end(nowMS); err != nil {
			return nil, err
		}
	}
	p := &wire.Played{V: 1, Sign: sign, Chain: k.chain.ID, N: k.chain.N + 1, Prev: k.chain.Prev, FromMS: min(k.fromMS, nowMS), UntilMS: nowMS}
	var ms int64
	for _, t := range k.totals {
		ms += t.MS
		p.Plays = append(p.Plays, *t)
	}
	// A clock that was set back would make more time than there was.
	p.FromMS = min(p.FromMS, nowMS-ms)
	slices.SortFunc(p.Plays, func(a, b wire.Play) int {
		return cmp.Or(cmp.Compare(a.Item, b.Item), cmp.Compare(a.Frame, b.Frame), cmp.Compare(a.Why, b.Why), cmp.Compare(a.Campaign, b.Campaign))
	})
	k.on = again // goes on in the next period, and is not counted again
	k.onMS = nowMS
	return p, nil
}

// stored begins the next period after a record is on disk and in the chain.
func (k *book) stored(nowMS int64) error {
	k.totals = map[playKey]*wire.Play{}
	k.fromMS = nowMS
	if err := k.restart(); err != nil {
		return err
	}
	if k.on == nil {
		return nil
	}
	// What goes on was counted when it began.
	k.add(*k.on, 0, 0)
	return k.write("c", *k.on, nowMS)
}

// oldest is the first record that waits for its receipt, and its bytes. A file
// beyond the chain's end is of a record that a power cut ended: not yet one.
func (k *book) oldest() (n int64, doc []byte) {
	names := k.spooled()
	if len(names) == 0 || names[0] > k.chain.N {
		return 0, nil
	}
	doc, err := os.ReadFile(filepath.Join(k.dir, fmt.Sprintf(recordForm, names[0])))
	if err != nil {
		return 0, nil
	}
	return names[0], doc
}

func (k *book) spooled() []int64 {
	entries, err := os.ReadDir(k.dir)
	if err != nil {
		return nil
	}
	var out []int64
	for _, e := range entries {
		num, ok := strings.CutSuffix(e.Name(), ".jws")
		if n, err := strconv.ParseInt(num, 10, 64); ok && err == nil {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out
}

// have deletes what the controller says it has, and reports whether there was
// anything of it: a receipt that comes twice must not send the next one twice.
func (k *book) have(id string, n int64) (news bool) {
	if id != k.chain.ID {
		return false
	}
	for _, m := range k.spooled() {
		if m <= min(n, k.chain.N) && os.Remove(filepath.Join(k.dir, fmt.Sprintf(recordForm, m))) == nil {
			news = true
		}
	}
	return news
}

// expire deletes records that waited for 30 days.
func (k *book) expire(nowMS int64) {
	for _, n := range k.spooled() {
		path := filepath.Join(k.dir, fmt.Sprintf(recordForm, n))
		doc, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		if p, err := wire.StoredPlayed(doc); err == nil && nowMS-p.UntilMS < spoolFor {
			return
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return
		}
	}
}

// note tells the book what was put out. A full disk costs the proof, never
// the face.
func (b *Box) note(shown *timeline.Shown, mono int64) {
	if err := b.book.begin(shown, b.player.Clock.Now(mono)); err != nil {
		b.fault("disk", err)
	}
}

// prove makes a record when one is due, sends the oldest again every 60 s, and
// returns when to look again.
func (b *Box) prove(mono int64, force bool) int64 {
	now := b.player.Clock.Now(mono)
	if b.book.due(now) || force && len(b.book.totals) > 0 {
		if err := b.record(now); err != nil {
			b.fault("disk", err)
			return mono + resendEvery
		}
		b.proofAt = min(b.proofAt, mono)
	}
	if b.conn != nil && mono >= b.proofAt {
		if n, doc := b.book.oldest(); n > 0 {
			b.publish(wire.PlayedOf, doc, false)
			b.proofAt = mono + resendEvery
		} else {
			b.proofAt = math.MaxInt64
		}
	}
	next := mono + max(0, b.book.quarter()-now)
	if b.conn != nil {
		next = min(next, b.proofAt)
	}
	return max(next, mono+1)
}

// record stores a record: its file, then the chain's end in the state, then
// the journal begins anew. Cut short before the state it is made again.
func (b *Box) record(now int64) error {
	p, err := b.book.record(b.cfg.Sign, now)
	if err != nil {
		return err
	}
	doc, err := wire.Seal(b.key, wire.TypPlayed, p)
	if err != nil {
		return err
	}
	if err := b.disk.write(b.book.dir, fmt.Sprintf(recordForm, p.N), doc); err != nil {
		return err
	}
	before := b.disk.state.Chain
	b.disk.state.Chain = chain{ID: p.Chain, N: p.N, Prev: wire.Digest(doc)}
	if err := b.disk.save(); err != nil {
		b.disk.state.Chain = before
		return err
	}
	b.book.expire(now)
	return b.book.stored(now)
}
