package outage

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ledcast/controller/internal/store"
	"ledcast/controller/internal/store/sqlite"
	"ledcast/playlists"
)

// server is a database that can be away.
type server struct {
	store.Store
	away bool
	full bool // the disk is full
}

func (s *server) Trouble() error {
	if s.away {
		return errAway()
	}
	return nil
}

func errAway() error {
	return &playlists.Error{Code: playlists.Away, Field: "database", Key: "database-away"}
}

type (
	serverObjects struct {
		store.Objects
		s *server
	}
	serverAudit struct {
		store.Audit
		s *server
	}
	serverDocuments struct {
		store.Documents
		s *server
	}
	serverSessions struct {
		store.Sessions
		s *server
	}
)

type serverSettings struct {
	store.Settings
	s *server
}

func (s *server) Settings() store.Settings { return serverSettings{s.Store.Settings(), s} }

func (x serverSettings) Set(ctx context.Context, key, value string) error {
	if x.s.full {
		return &playlists.Error{Code: playlists.Full, Field: "database", Key: "disk-full"}
	}
	return x.Settings.Set(ctx, key, value)
}

func (s *server) Objects() store.Objects     { return serverObjects{s.Store.Objects(), s} }
func (s *server) Audit() store.Audit         { return serverAudit{s.Store.Audit(), s} }
func (s *server) Documents() store.Documents { return serverDocuments{s.Store.Documents(), s} }
func (s *server) Sessions() store.Sessions   { return serverSessions{s.Store.Sessions(), s} }

func (o serverObjects) Put(ctx context.Context, x store.Object, expected int64) (int64, error) {
	if o.s.away {
		return 0, errAway()
	}
	return o.Objects.Put(ctx, x, expected)
}

func (a serverAudit) Change(ctx context.Context, c store.Change, with ...store.Change) (int64, error) {
	if a.s.away {
		return 0, errAway()
	}
	return a.Audit.Change(ctx, c, with...)
}

func (d serverDocuments) Issue(ctx context.Context, drafts []playlists.Draft,
	seal func(int, int64) ([]byte, error)) ([]playlists.Issued, error) {
	if d.s.away {
		return nil, errAway()
	}
	return d.Documents.Issue(ctx, drafts, seal)
}

func (x serverSessions) Find(ctx context.Context, token string, nowMS int64) ([]byte, bool, error) {
	if x.s.away {
		return nil, false, errAway()
	}
	return x.Sessions.Find(ctx, token, nowMS)
}

// world is a database and the data folder of a controller.
type world struct {
	t    *testing.T
	dir  string
	db   *server
	s    *Store
	atMS int64
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	db, err := sqlite.Open(t.Context(), filepath.Join(dir, "elsewhere.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	w := &world{t: t, dir: dir, db: &server{Store: db}, atMS: 1_000_000}
	w.restart()
	return w
}

// restart is a crash of the controller and its next start, for which it waits until the database is there.
func (w *world) restart() {
	w.t.Helper()
	away := w.db.away
	w.db.away = false
	var err error
	if w.s, err = Wrap(w.t.Context(), w.db, w.dir, slog.New(slog.DiscardHandler)); err != nil {
		w.t.Fatal(err)
	}
	// As the publisher does when it starts.
	if _, err := w.s.Documents().Latest(w.t.Context(), "alerts", "mono"); err != nil && !playlists.IsNotFound(err) {
		w.t.Fatal(err)
	}
	w.db.away = away
}

func (w *world) change(ctx context.Context, id, data string) error {
	w.atMS++
	_, err := w.s.Audit().Change(ctx, store.Change{Object: store.Object{Kind: "alert", ID: id, Data: []byte(data),
		UpdatedMS: w.atMS}, Of: "public", Expected: store.AnyVersion, By: playlists.Actor{Who: "lan", AtMS: w.atMS}})
	return err
}

func (w *world) issue(role, subject string) (int64, error) {
	w.atMS++
	docs, err := w.s.Documents().Issue(w.t.Context(), []playlists.Draft{{Role: role, Subject: subject, Epoch: 1,
		IatMS: w.atMS, Exp: w.atMS/1000 + 60, Keep: true}},
		func(_ int, seq int64) ([]byte, error) { return fmt.Appendf(nil, "%s %d", subject, seq), nil })
	if err != nil {
		return 0, err
	}
	return docs[0].Seq, nil
}

func (w *world) data(id string) string {
	w.t.Helper()
	o, err := w.db.Store.Objects().Get(w.t.Context(), "alert", "", id)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(o.Data)
}

// What may not be deferred fails while the database is away; a cancel and its set of alerts succeed, and are in the
// database when it is back, under their own times and seqs.
func TestCancelOutlastsTheDatabase(t *testing.T) {
	w := newWorld(t)
	ctx, deferral := playlists.Deferrable(t.Context())
	if err := w.change(ctx, "storm", `"running"`); err != nil || deferral.Used() {
		t.Fatal(err, deferral.Used())
	}
	first, err := w.issue("alerts", "mono")
	if err != nil {
		t.Fatal(err)
	}
	w.db.away = true
	if err := w.change(t.Context(), "storm", `"changed"`); !playlists.IsAway(err) {
		t.Errorf("a write that may not be deferred: %v", err)
	}
	if _, err := w.issue("program", "qn-001"); !playlists.IsAway(err) {
		t.Errorf("a program: %v", err)
	}
	if _, err := w.issue("alerts", "never-issued"); !playlists.IsAway(err) {
		t.Errorf("a set whose last seq is not known: %v", err)
	}
	if err := w.change(ctx, "storm", `"ended"`); err != nil || !deferral.Used() {
		t.Fatal(err, deferral.Used())
	}
	cancelled := w.atMS
	second, err := w.issue("alerts", "mono")
	if err != nil || second <= first {
		t.Fatal(second, err)
	}
	w.restart() // the controller is killed meanwhile
	if w.s.Waiting() != 0 || w.data("storm") != `"ended"` {
		t.Errorf("%d writes wait; the alert is %s", w.s.Waiting(), w.data("storm"))
	}
	log, err := w.s.Audit().Newest(t.Context(), store.AllOwners, 1<<40, 1)
	if err != nil || len(log) != 1 || log[0].By.AtMS != cancelled || log[0].By.Who != "lan" {
		t.Errorf("the log says %+v, %v", log, err)
	}
	last, err := w.s.Documents().Latest(t.Context(), "alerts", "mono")
	if err != nil || last.Seq != second || string(last.JWS) != fmt.Sprintf("mono %d", second) {
		t.Errorf("the last document is %+v, %v", last, err)
	}
	w.db.away = false
	if third, err := w.issue("alerts", "mono"); err != nil || third <= second {
		t.Errorf("the next seq is %d after %d, %v", third, second, err)
	}
	if _, err := os.Stat(filepath.Join(w.dir, FileName)); !os.IsNotExist(err) {
		t.Errorf("the journal is still there: %v", err)
	}
}

// Whatever the order of outages, kills, cancels and sets: no seq is given twice, and what was acknowledged is in the
// database in the end.
func TestRandomOutages(t *testing.T) {
	seeds := uint64(40)
	if testing.Short() {
		seeds = 5
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			w := newWorld(t)
			acknowledged, seqs := map[string]string{}, map[string]int64{}
			for i := range 60 {
				switch r.IntN(5) {
				case 0:
					w.db.away = !w.db.away
				case 1:
					w.restart()
				case 2:
					id, data := fmt.Sprint("a", r.IntN(3)), fmt.Sprint(i)
					ctx, _ := playlists.Deferrable(t.Context())
					if err := w.change(ctx, id, data); err != nil {
						t.Fatal(err)
					}
					acknowledged[id] = data
				case 3:
					if err := w.change(t.Context(), "other", fmt.Sprint(i)); err == nil {
						acknowledged["other"] = fmt.Sprint(i)
					} else if !w.db.away {
						t.Fatal(err)
					}
				case 4:
					subject := []string{"mono", "full"}[r.IntN(2)]
					w.atMS -= r.Int64N(100) // the clock is set back now and then
					seq, err := w.issue("alerts", subject)
					if err != nil && (!w.db.away || !playlists.IsAway(err)) {
						t.Fatal(err)
					}
					if err == nil && seq <= seqs[subject] {
						t.Fatalf("seq %d of %s after %d", seq, subject, seqs[subject])
					}
					if err == nil {
						seqs[subject] = seq
					}
				}
			}
			w.db.away = false
			w.restart()
			for id, data := range acknowledged {
				if got := w.data(id); got != data {
					t.Errorf("%s is %s, and %s was acknowledged", id, got, data)
				}
			}
			for subject, seq := range seqs {
				if last, err := w.s.Documents().Latest(t.Context(), "alerts", subject); err != nil || last.Seq != seq {
					t.Errorf("the last of %s is %d, %v; %d was issued", subject, last.Seq, err, seq)
				}
			}
		})
	}
}

// A crash between the database's commit and the removal of the journal writes its entries again, which changes nothing.
// What another controller has written since is kept.
func TestJournalIsWrittenTwice(t *testing.T) {
	w := newWorld(t)
	if _, err := w.issue("alerts", "mono"); err != nil {
		t.Fatal(err)
	}
	w.db.away = true
	ctx, _ := playlists.Deferrable(t.Context())
	if err := w.change(ctx, "storm", `"ended"`); err != nil {
		t.Fatal(err)
	}
	seq, err := w.issue("alerts", "mono")
	if err != nil {
		t.Fatal(err)
	}
	journal, err := os.ReadFile(filepath.Join(w.dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	w.db.away = false
	w.restart() // a crash before the journal was removed
	here := w.dir
	w.dir = t.TempDir()
	w.restart() // another controller, elsewhere
	if err := w.change(t.Context(), "storm", `"resumed elsewhere"`); err != nil {
		t.Fatal(err)
	}
	w.dir = here
	before, err := w.s.Audit().List(t.Context(), store.AllOwners, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	// The last line was being written when the power was cut.
	if err := os.WriteFile(filepath.Join(w.dir, FileName),
		append(slices.Clone(journal), journal[:20]...), 0o600); err != nil {
		t.Fatal(err)
	}
	w.restart()
	after, err := w.s.Audit().List(t.Context(), store.AllOwners, 0, 100)
	if err != nil || len(after) != len(before) || w.data("storm") != `"resumed elsewhere"` {
		t.Errorf("%d entries in the log, and %d before; the alert is %s, %v", len(after), len(before), w.data("storm"), err)
	}
	if last, err := w.s.Documents().Latest(t.Context(), "alerts", "mono"); err != nil || last.Seq != seq {
		t.Errorf("the last document is %d, %v", last.Seq, err)
	}
	if err := os.WriteFile(filepath.Join(w.dir, FileName), []byte("{}\nnonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Wrap(t.Context(), w.db, w.dir, slog.New(slog.DiscardHandler)); err == nil ||
		!strings.Contains(err.Error(), FileName+":2") {
		t.Errorf("a damaged journal: %v", err)
	}
}

// Who is signed in stays so while the database is away, unless they sign out.
func TestSessionsOutlastTheDatabase(t *testing.T) {
	w := newWorld(t)
	for _, token := range []string{"lan", "binh"} {
		if err := w.s.Sessions().Commit(t.Context(), store.Session{Token: token, Who: token, Data: []byte(token),
			ExpiryMS: 5000}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.s.Sessions().Delete(t.Context(), "binh"); err != nil {
		t.Fatal(err)
	}
	w.db.away = true
	for _, c := range []struct {
		token string
		nowMS int64
		found bool
	}{{"lan", 4999, true}, {"lan", 5000, false}, {"binh", 1, false}, {"other", 1, false}} {
		data, found, err := w.s.Sessions().Find(t.Context(), c.token, c.nowMS)
		if found != c.found || found && (err != nil || string(data) != c.token) || !found && !playlists.IsAway(err) {
			t.Errorf("%s at %d: %q, %v, %v", c.token, c.nowMS, data, found, err)
		}
	}
}

// A controller starts on a full disk.
func TestStartOnAFullDisk(t *testing.T) {
	w := newWorld(t)
	w.db.full = true
	w.restart()
	if runs := w.s.Runs(); len(runs) != 2 {
		t.Errorf("runs %v", runs)
	}
}
