// Package outage lets urgent messages be cancelled while the database cannot be reached.
//
// It wraps a store. A write that is marked playlists.Deferrable, and a signed set of alerts, go into a journal in the
// data folder when the database does not take them. The journal is synced before the write is acknowledged. When the
// database is back, its entries are written before anything else, so that no seq is used twice. Sessions that were used
// lately are known meanwhile, because whoever cancels must be signed in.
//
// Only one controller writes to a database. If another one has opened it meanwhile, the wrapped store says so, and this
// controller ends. The journal stays, and the next start on this data folder writes what is not outdated.
package outage

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

// Store is a store with a journal. It implements store.Store.
type Store struct {
	store.Store
	log *slog.Logger

	mu      sync.Mutex // held while the journal is written or read
	journal *journal
	run     string // of the controller that has opened the database last
	before  string // the run before it

	headsMu sync.Mutex
	heads   map[[2]string]playlists.Head // the latest documents of alerts, by role and subject

	sessions *sessions
}

// deferredRoles are the roles whose documents are signed without the database: sets of alerts.
var deferredRoles = []string{"alerts", "alerts-test"}

// Wrap wraps a store and writes what the journal in the data folder has for it.
func Wrap(ctx context.Context, s store.Store, data string, log *slog.Logger) (*Store, error) {
	j, err := openJournal(filepath.Join(data, FileName))
	if err != nil {
		return nil, err
	}
	w := &Store{Store: s, log: log, journal: j, heads: map[[2]string]playlists.Head{},
		sessions: &sessions{Sessions: s.Sessions(), recent: map[string]store.Session{}}}
	if w.run, err = s.Settings().Get(ctx, runSetting); err != nil && !playlists.IsNotFound(err) {
		return nil, err
	}
	if err := w.flush(ctx); err != nil {
		return nil, fmt.Errorf("%s cannot be written to the database: %w", j.path, err)
	}
	w.before, w.run = w.run, rand.Text()
	if err := s.Settings().Set(ctx, runSetting, w.run); playlists.IsAway(err) {
		return nil, err
	} else if err != nil { // a full disk, on which a controller starts all the same
		log.Warn("this run of the controller could not be noted", "err", err)
	}
	return w, nil
}

// runSetting is the setting with the run of the controller that has opened the database last.
const runSetting = "controller-run"

// Runs identifies this run of the controller and, if there was one, the one before it.
func (s *Store) Runs() []string {
	if s.before == "" {
		return []string{s.run}
	}
	return []string{s.run, s.before}
}

// Waiting is the number of writes that wait for the database.
func (s *Store) Waiting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.journal.entries)
}

// watchEvery is how often Run looks whether the database is back.
const watchEvery = time.Second

// Run writes the journal when the database is back, logs when it goes and comes, and calls back then, until ctx ends.
func (s *Store) Run(ctx context.Context, back func()) {
	t := time.NewTicker(watchEvery)
	defer t.Stop()
	away, failed := false, 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		trouble := s.Trouble()
		switch {
		case playlists.IsAway(trouble):
			if !away {
				away = true
				s.log.Warn("the database cannot be reached; urgent messages can still be cancelled")
			}
			continue
		case trouble != nil:
			continue
		}
		if err := s.flushLocked(ctx); err != nil {
			if failed++; failed%60 == 1 && ctx.Err() == nil && !playlists.IsAway(err) {
				s.log.Error("what waits for the database cannot be written", "file", s.journal.path, "err", err)
			}
			continue
		}
		failed = 0
		if away {
			away = false
			s.log.Warn("the database is back")
			back()
		}
	}
}

func (s *Store) flushLocked(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.flush(ctx)
}

// flush writes the journal's entries. s.mu must be held, once s is in use.
func (s *Store) flush(ctx context.Context) error {
	if len(s.journal.entries) == 0 {
		return nil
	}
	n := 0
	for _, e := range s.journal.entries {
		if err := s.write(ctx, &e); err != nil {
			return err
		}
		n++
	}
	if err := s.journal.written(n); err != nil {
		return err
	}
	s.log.Warn("what was kept while the database was away is written", "entries", n)
	return nil
}

// write writes one entry, unless the database has it, or something later.
func (s *Store) write(ctx context.Context, e *entry) error {
	switch {
	case e.Change != nil:
		later, err := s.isLater(ctx, e.Run, &e.Change.Object)
		if err != nil || later {
			return err
		}
		_, err = s.Store.Audit().Change(ctx, *e.Change)
		return err
	case e.Object != nil:
		later, err := s.isLater(ctx, e.Run, e.Object)
		if err != nil || later {
			return err
		}
		_, err = s.Store.Objects().Put(ctx, *e.Object, store.AnyVersion)
		return err
	}
	d := e.Issued.Draft
	last, err := s.Store.Documents().Latest(ctx, d.Role, d.Subject)
	if err != nil && !playlists.IsNotFound(err) {
		return err
	}
	if err == nil && (last.Epoch > d.Epoch || last.Epoch == d.Epoch && last.Seq >= d.Seq) {
		return nil
	}
	_, err = s.Store.Documents().Issue(ctx, []playlists.Draft{d},
		func(int, int64) ([]byte, error) { return e.Issued.JWS, nil })
	return err
}

// isLater reports whether the database has o, or a version of it that another controller has written since.
func (s *Store) isLater(ctx context.Context, run string, o *store.Object) (bool, error) {
	is, err := s.Store.Objects().Get(ctx, o.Kind, o.Owner, o.ID)
	if playlists.IsNotFound(err) {
		return false, nil
	}
	if err != nil || bytes.Equal(is.Data, o.Data) {
		return true, err
	}
	if run != s.run && is.UpdatedMS >= o.UpdatedMS {
		s.log.Warn("the database has a later version of what was kept while it was away", "object", o.Path())
		return true, nil
	}
	return false, nil
}

// try writes to the database, and before that what waits for it. What can be deferred does not wait for a database that
// is known to be away.
func (s *Store) try(ctx context.Context, deferrable bool, write func() error) error {
	if trouble := s.Trouble(); deferrable && playlists.IsAway(trouble) {
		return trouble
	}
	if err := s.flushLocked(ctx); err != nil {
		return err
	}
	return write()
}

// later keeps entries if err says that the database cannot be reached and ctx allows it. Otherwise it returns err.
func (s *Store) later(ctx context.Context, err error, entries ...entry) error {
	d := playlists.DeferralOf(ctx)
	if d == nil || !playlists.IsAway(err) {
		return err
	}
	for i := range entries {
		entries[i].Run = s.run
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if kept := s.journal.append(entries...); kept != nil {
		s.log.Error("neither the database nor the journal takes a cancel", "err", kept)
		return err
	}
	d.Use()
	return nil
}

// Objects returns objects whose Put can be deferred.
func (s *Store) Objects() store.Objects { return objects{s.Store.Objects(), s} }

// Audit returns an audit log whose Change can be deferred.
func (s *Store) Audit() store.Audit { return audit{s.Store.Audit(), s} }

// Documents returns documents whose sets of alerts can be issued without the database.
func (s *Store) Documents() store.Documents { return documents{s.Store.Documents(), s} }

// Sessions returns sessions that are found without the database if they were used lately.
func (s *Store) Sessions() store.Sessions { return s.sessions }

type objects struct {
	store.Objects
	s *Store
}

func (o objects) Put(ctx context.Context, x store.Object, expected int64) (int64, error) {
	var version int64
	err := o.s.try(ctx, playlists.DeferralOf(ctx) != nil, func() (err error) {
		version, err = o.Objects.Put(ctx, x, expected)
		return err
	})
	if err == nil {
		return version, nil
	}
	if expected != store.AnyVersion {
		return 0, err
	}
	return 0, o.s.later(ctx, err, entry{Object: &x})
}

type audit struct {
	store.Audit
	s *Store
}

func (a audit) Change(ctx context.Context, c store.Change, with ...store.Change) (int64, error) {
	var version int64
	err := a.s.try(ctx, playlists.DeferralOf(ctx) != nil, func() (err error) {
		version, err = a.Audit.Change(ctx, c, with...)
		return err
	})
	if err == nil {
		return version, nil
	}
	if c.Expected != store.AnyVersion || c.Remove || len(with) > 0 {
		return 0, err
	}
	return 0, a.s.later(ctx, err, entry{Change: &c})
}

type documents struct {
	store.Documents
	s *Store
}

func (d documents) Latest(ctx context.Context, role, subject string) (playlists.Issued, error) {
	doc, err := d.Documents.Latest(ctx, role, subject)
	if err == nil {
		d.s.noteHeads(doc)
	}
	return doc, err
}

func (d documents) Issue(ctx context.Context, drafts []playlists.Draft,
	seal func(i int, seq int64) ([]byte, error)) ([]playlists.Issued, error) {
	may := !slices.ContainsFunc(drafts, func(x playlists.Draft) bool { return !slices.Contains(deferredRoles, x.Role) })
	var docs []playlists.Issued
	err := d.s.try(ctx, may, func() (err error) {
		docs, err = d.Documents.Issue(ctx, drafts, seal)
		return err
	})
	switch {
	case err == nil:
		d.s.noteHeads(docs...)
		return docs, nil
	case may && playlists.IsAway(err):
		return d.s.issue(drafts, seal, err)
	}
	return nil, err
}

// noteHeads remembers the latest documents of alerts: the next seq follows theirs.
func (s *Store) noteHeads(docs ...playlists.Issued) {
	s.headsMu.Lock()
	defer s.headsMu.Unlock()
	for i := range docs {
		h := docs[i].Head
		k := [2]string{h.Role, h.Subject}
		old := s.heads[k]
		if slices.Contains(deferredRoles, h.Role) &&
			cmp.Or(cmp.Compare(old.Epoch, h.Epoch), cmp.Compare(old.Seq, h.Seq)) < 0 {
			s.heads[k] = h
		}
	}
}

// issue signs documents without the database. why is the database's error.
func (s *Store) issue(drafts []playlists.Draft, seal func(i int, seq int64) ([]byte, error),
	why error) ([]playlists.Issued, error) {
	var docs []playlists.Issued
	var entries []entry
	for i, d := range drafts {
		s.headsMu.Lock()
		last, known := s.heads[[2]string{d.Role, d.Subject}]
		s.headsMu.Unlock()
		if !known || last.Epoch != d.Epoch {
			return nil, why // what seq it may have is not known
		}
		// The rule of store.Documents.
		d.Seq = max(last.Seq+1, d.IatMS)
		jws, err := seal(i, d.Seq)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry{Run: s.run, Issued: &issued{Draft: d, JWS: jws}})
		docs = append(docs, playlists.Issued{Head: playlists.Head{Role: d.Role, Subject: d.Subject, Epoch: d.Epoch,
			Seq: d.Seq, Iat: d.IatMS / 1000, Exp: d.Exp, Digest: d.Digest}, JWS: jws, Notes: d.Notes})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.journal.append(entries...); err != nil {
		s.log.Error("neither the database nor the journal takes a set of alerts", "err", err)
		return nil, why
	}
	s.noteHeads(docs...)
	return docs, nil
}
