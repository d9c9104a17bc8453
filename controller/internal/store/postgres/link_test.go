package postgres

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"ledcast/controller/internal/store"
	"ledcast/controller/internal/store/postgres/pgtest"
	"ledcast/playlists"
)

const killHolder = `SELECT pg_terminate_backend(l.pid) FROM pg_locks l WHERE l.locktype = 'advisory'
	AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`

// wait waits until the store's trouble is as it should be.
func wait(t *testing.T, s *Store, what string, ok func(error) bool) {
	t.Helper()
	end := time.After(time.Minute)
	for !ok(s.Trouble()) {
		select {
		case <-end:
			t.Fatalf("%s: the trouble is %v", what, s.Trouble())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func isNil(err error) bool { return err == nil }

// TestConnectionKilled checks that a controller whose connection the server has ended writes again at once, unless
// another controller has opened the database meanwhile.
func TestConnectionKilled(t *testing.T) {
	dsn := pgtest.Database(t)
	s := open(t, dsn)
	checkReadWrite(t, s)
	for range 3 {
		pgtest.Exec(t, dsn, killHolder)
		checkReadWrite(t, s)
	}
	if _, err := Open(t.Context(), dsn); err == nil {
		t.Fatal("the lock is free")
	}
	s.writing <- struct{}{} // the watch does not come first
	pgtest.Exec(t, dsn, killHolder)
	next := open(t, dsn)
	<-s.writing
	checkReadWrite(t, next)
	checkLost(t, s)
	<-s.Lost()
	if !errors.Is(s.Trouble(), store.ErrLost) {
		t.Errorf("the trouble is %v", s.Trouble())
	}
}

// TestKilledInTransaction checks that an interrupted transaction leaves nothing, and that no seq is skipped or used
// twice.
func TestKilledInTransaction(t *testing.T) {
	dsn := pgtest.Database(t)
	s := open(t, dsn)
	checkReadWrite(t, s)
	drafts := []playlists.Draft{{Role: "program", Subject: "qn-001", IatMS: 5, Exp: 9, Keep: true},
		{Role: "program", Subject: "qn-002", IatMS: 5, Exp: 9, Keep: true}}
	_, err := s.Documents().Issue(t.Context(), drafts, func(i int, seq int64) ([]byte, error) {
		if i == 1 {
			pgtest.Exec(t, dsn, killHolder)
		}
		return []byte("signed"), nil
	})
	if !playlists.IsAway(err) {
		t.Fatalf("a document was issued on a dead connection, or not for that reason: %v", err)
	}
	if heads, err := s.Documents().Heads(t.Context(), "program"); len(heads) != 0 || err != nil {
		t.Errorf("heads %v, %v", heads, err)
	}
	seqs, err := s.Documents().NextSeqs(t.Context(), "program", []string{"qn-001"}, 0, 5)
	if !slices.Equal(seqs, []int64{5}) || err != nil {
		t.Errorf("seqs %d, %v", seqs, err)
	}
}

// TestRestart checks that a write waits while the server restarts, and fails with a reason while it is away for longer.
func TestRestart(t *testing.T) {
	server := pgtest.NewServer(t)
	s := open(t, server.DSN)
	for range 3 {
		server.Stop()
		server.Start()
		checkReadWrite(t, s)
	}
	server.Stop()
	wait(t, s, "the server is stopped", playlists.IsAway)
	if err := s.Settings().Set(t.Context(), "a", "c"); !playlists.IsAway(err) {
		t.Errorf("a write while the server is stopped: %v", err)
	}
	if _, err := s.Settings().Get(t.Context(), "a"); !playlists.IsAway(err) {
		t.Errorf("a read while the server is stopped: %v", err)
	}
	if _, err := Open(t.Context(), server.DSN); !playlists.IsAway(err) {
		t.Errorf("a start while the server is stopped: %v", err)
	}
	server.Start()
	wait(t, s, "the server is back", isNil)
	checkReadWrite(t, s)
}

// TestBlackHole checks that every call ends soon when the server no longer answers, and that the lock is taken again
// although the server still keeps it for the connection that is gone.
func TestBlackHole(t *testing.T) {
	dsn := pgtest.Database(t)
	proxy := pgtest.NewProxy(t, dsn)
	s := open(t, proxy.DSN)
	checkReadWrite(t, s)
	proxy.Freeze()
	ended := make(chan error, 2)
	go func() { ended <- s.Settings().Set(context.Background(), "a", "c") }()
	go func() {
		_, err := s.Settings().Get(context.Background(), "a")
		ended <- err
	}()
	for range 2 {
		select {
		case err := <-ended:
			if !playlists.IsAway(err) {
				t.Errorf("a call into a black hole: %v", err)
			}
		case <-time.After(soon):
			t.Fatal("a call hangs")
		}
	}
	proxy.Pass()
	wait(t, s, "the server answers again", isNil)
	checkReadWrite(t, s)
}

// soon is far above the 5 s that an outage takes to be noticed, and below the 30 s of a hanging write.
const soon = 25 * time.Second

// TestCommitWithoutAnswer checks that a commit whose answer is lost is reported as what it was: made, or not made. A
// controller that had to report it as failed, and learns that it was made, ends.
func TestCommitWithoutAnswer(t *testing.T) {
	for _, c := range []struct {
		name  string
		lose  func(*pgtest.Proxy)
		long  bool // the outage is longer than the commit waits
		made  bool
		fails func(error) bool
	}{
		{"made", (*pgtest.Proxy).LoseAnswer, false, true, isNil},
		{"not-made", (*pgtest.Proxy).LoseCommit, false, false, playlists.IsAway},
		{"made-and-reported-too-early", (*pgtest.Proxy).LoseAnswer, true, true, playlists.IsAway},
		{"not-made-for-long", (*pgtest.Proxy).LoseCommit, true, false, playlists.IsAway},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			proxy := pgtest.NewProxy(t, pgtest.Database(t))
			s := open(t, proxy.DSN)
			c.lose(proxy)
			ended := make(chan error, 1)
			go func() {
				_, err := s.Documents().Issue(context.Background(), []playlists.Draft{{Role: "program", Subject: "qn-001",
					IatMS: 5, Exp: 9, Keep: true}}, func(int, int64) ([]byte, error) { return []byte("signed"), nil })
				ended <- err
			}()
			wait(t, s, "the answer is lost", playlists.IsAway)
			var err error
			if c.long {
				err = <-ended
			}
			proxy.Close() // what the server still has of the connection
			proxy.Pass()
			if !c.long {
				err = <-ended
			}
			if !c.fails(err) {
				t.Errorf("reported as %v", err)
			}
			if c.long && c.made {
				<-s.Lost()
				if !errors.Is(s.Trouble(), store.ErrStale) {
					t.Errorf("the trouble is %v", s.Trouble())
				}
			} else {
				wait(t, s, "the server is back", isNil)
				checkReadWrite(t, s)
			}
			heads, err := s.Documents().Heads(t.Context(), "program")
			if err != nil || (len(heads) == 1) != c.made {
				t.Errorf("documents %v, %v", heads, err)
			}
		})
	}
}
