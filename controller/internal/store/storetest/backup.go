package storetest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

// fill writes values of every shape into every table of a store.
func fill(t *testing.T, s store.Store) {
	t.Helper()
	ctx := t.Context()
	for _, id := range []string{"a", "Z", "đèn", "a-1", "a1"} { // bytewise order differs from that of a dictionary
		_, err := s.Objects().Put(ctx, object("message", "viet-ads", id, `{"text": "<5K> & Bluezone  "}`), store.Absent)
		must(t, err)
	}
	must(t, s.Objects().Delete(ctx, "message", "viet-ads", "a1", 1))
	for i := range 3 {
		_, err := s.Audit().Change(ctx, store.Change{Object: object("playlist", "viet-ads", "p", `[]`),
			Expected: store.AnyVersion, Remove: i == 2,
			By: playlists.Actor{Who: "user:lan", From: "[::1]:5", AtMS: 7}})
		must(t, err)
	}
	must(t, s.Keys().Add(ctx, key("k1", "program", 0), key("k2", "alerts", 5)))
	must(t, s.Keys().PutSet(ctx,
		store.KeySet{Epoch: 0, Seq: 1, JWS: []byte("set"), Roots: [][]byte{make([]byte, 32),
			bytes.Repeat([]byte{0xff}, 32)}}))
	for iat := int64(1e9); iat < 1e9+3*day; iat += day {
		notes, alert := draft("qn-002", iat*1000), draft("128x64-rgb", iat*1000)
		notes.Notes, alert.Notes = []byte(`{"why": ["é"]}`), []byte(`"short"`)
		alert.Role, alert.Keep = "alerts", false
		_, err := s.Documents().Issue(ctx, []playlists.Draft{draft("qn-001", iat*1000), notes, alert},
			func(i int, seq int64) ([]byte, error) {
				return Sealed(Program(1, i, iat, seq)), nil
			})
		must(t, err)
	}
	_, err := nextSeq(ctx, s.Documents(), "request", "qn-001", 0, store.MaxInteger) // the largest seq
	must(t, err)
	must(t, s.Credentials().Set(ctx, store.Credential{Sign: "qn-001", SHA256: [32]byte{1, 0xff}, CreatedMS: 5}))
	must(t, s.Settings().Set(ctx, "note", "line\nfeed \u2028 \"quoted\" \x7f"))
	_, err = s.Proofs().Pin(ctx, "qn-001", [32]byte{9}, 3)
	must(t, err)
	for n := range int64(3) {
		must(t, s.Proofs().Add(ctx, playlists.PlayRecord{Sign: "qn-001", Chain: "c", N: n + 1,
			Digest: "d", FromMS: n, UntilMS: n + 1, JWS: []byte{0, 1},
			Plays: []playlists.Play{{Item: "a", Count: 2}, {Item: "a", Count: 2}, {Item: "B", Why: "dark"}}}))
	}
	must(t, s.Health().Note(ctx, playlists.Condition{AtMS: 1, Online: true},
		playlists.Condition{Sign: "qn-001", AtMS: 2, Online: true, Clock: "trusted", Faults: []string{"đèn <1>"}}))
	must(t, s.Sessions().Commit(ctx, store.Session{Token: "t", Who: "lan", Data: []byte("x"), ExpiryMS: 1e15}))
}

func dumped(t *testing.T, s store.Store) []byte {
	t.Helper()
	var b bytes.Buffer
	must(t, s.Dump(t.Context(), &b, 1767200400000))
	return b.Bytes()
}

// Backup checks that a backup of one store can be restored into another, and that an invalid backup changes
// nothing. The stores may be of different kinds.
func Backup(t *testing.T, from, to Opener) {
	ctx := t.Context()
	source := opened(t, from)
	empty := dumped(t, source)
	fill(t, source)
	backup := dumped(t, source)
	if again := dumped(t, source); !bytes.Equal(again, backup) {
		t.Error("two dumps of one store differ")
	}
	target := opened(t, to)
	if got := dumped(t, target); !bytes.Equal(got, empty) {
		t.Errorf("dump of an empty store is %s, want %s", got, empty)
	}

	lines := bytes.SplitAfter(backup, []byte("\n"))
	refused := func(what string, bad []byte) {
		t.Helper()
		checkCode(t, what, target.Restore(ctx, bytes.NewReader(bad)), playlists.Invalid)
	}
	for n := 0; n < len(backup); n += 1 + len(backup)/50 {
		refused(fmt.Sprintf("the first %d of %d bytes", n, len(backup)), backup[:n])
		changed := bytes.Clone(backup)
		changed[n] ^= 1
		refused(fmt.Sprintf("byte %d changed", n), changed)
	}
	refused("a line feed too few", backup[:len(backup)-1])
	refused("a line too many", append(bytes.Clone(backup), "[]\n"...))
	refused("no last line", bytes.Join(lines[:len(lines)-2], nil))
	refused("a later version with a valid digest",
		reseal(bytes.Replace(backup, []byte(`"schema":`), []byte(`"schema":9`), 1)))
	refused("text with NUL and a valid digest",
		reseal(bytes.Replace(backup, []byte("viet-ads"), []byte(`viet\u0000`), 1)))
	refused("a null where none is allowed, with a valid digest",
		reseal(bytes.Replace(backup, []byte(`["message","viet-ads"`), []byte(`["message",null`), 1)))
	refused("a long line with a valid digest",
		reseal(bytes.Replace(backup, []byte("viet-ads"), bytes.Repeat([]byte("x"), 17<<20), 1)))
	// A row that only the database can reject causes a rollback of all others.
	twice := bytes.Replace(backup, []byte(`["message","viet-ads","a",`), []byte(`["message","viet-ads","Z",`), 1)
	if err := target.Restore(ctx, bytes.NewReader(reseal(twice))); err == nil {
		t.Error("two objects with the same name were restored")
	}
	if got := dumped(t, target); !bytes.Equal(got, empty) {
		t.Errorf("refused backups changed the store: %s", got)
	}

	must(t, target.Restore(ctx, bytes.NewReader(backup)))
	if got := dumped(t, target); !bytes.Equal(got, backup) {
		t.Errorf("dump after restore:\n%s\nwant\n%s", got, backup)
	}
	checkCode(t, "restore into a full store", target.Restore(ctx, bytes.NewReader(backup)), playlists.Conflict)
	if n, err := target.Audit().Verify(ctx, nil); n != 3 || err != nil {
		t.Errorf("%d entries in the audit log, %v", n, err)
	}
	if _, found, err := target.Sessions().Find(ctx, "t", 0); found || err != nil {
		t.Errorf("a session was restored: %v", err)
	}
	was, err := source.Documents().History(ctx, "program", "qn-002", 0, 2e9)
	must(t, err)
	is, err := target.Documents().History(ctx, "program", "qn-002", 0, 2e9)
	must(t, err)
	if len(is) != 3 || fmt.Sprint(is) != fmt.Sprint(was) {
		t.Error("the history differs")
	}
	// The restored store continues the sequence of seqs and shares parts.
	_, err = target.Documents().Issue(ctx, []playlists.Draft{draft("qn-001", 1)}, func(i int, seq int64) ([]byte, error) {
		if seq <= was[2].Seq {
			t.Errorf("seq %d is not above %d", seq, was[2].Seq)
		}
		return Sealed(Program(2, i, 5e9, seq)), nil
	})
	must(t, err)
	if n, err := target.Documents().Prune(ctx, 6e9); n != 5 || err != nil {
		t.Errorf("%d pruned, %v", n, err)
	}
}

// reseal replaces the last line with a correct one for the changed backup.
func reseal(backup []byte) []byte {
	end := bytes.LastIndexByte(backup[:len(backup)-1], '\n') + 1
	head := backup[:end]
	rows := 0
	for line := range strings.Lines(string(head)) {
		if line[0] == '[' {
			rows++
		}
	}
	sum := sha256.Sum256(head)
	return fmt.Appendf(bytes.Clone(head), `{"rows":%d,"sha256":"%s"}`+"\n", rows, hex.EncodeToString(sum[:]))
}

// DumpsAll fails the test unless a dump contains all columns, so that a table that is added later is not forgotten
// in backups. columns are the database's own list of "table.column".
func DumpsAll(t *testing.T, s store.Store, columns []string) {
	t.Helper()
	left := []string{"sessions", "fence", "goose_db_version"} // for the reasons see sqldb.tables
	var want, got []string
	for _, c := range columns {
		if table, _, _ := strings.Cut(c, "."); !slices.Contains(left, table) {
			want = append(want, c)
		}
	}
	for line := range bytes.Lines(dumped(t, s)) {
		var head struct {
			Table   string
			Columns []string
		}
		must(t, json.Unmarshal(line, &head))
		for _, c := range head.Columns {
			got = append(got, head.Table+"."+c)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if len(want) < 50 || !slices.Equal(got, want) {
		t.Errorf("a dump has the columns %v, the database %v", got, want)
	}
}
