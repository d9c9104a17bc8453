package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"ledcast/controller/internal/store"
	"ledcast/controller/internal/store/sqldb"
)

// How an outage is noticed and bridged.
const (
	watchEvery = time.Second
	// pingTimeout is how long the server may take to answer the watch. After it every connection is closed, so that no
	// call hangs on a server that is not there.
	pingTimeout = 3 * time.Second
	// bridge is how long a write waits for the connection to come back. A server restarts in about a second.
	bridge = 3 * time.Second
	// settleWithin is how long a commit without an answer waits until its outcome can be asked for.
	settleWithin = 10 * time.Second
	retryEvery   = 100 * time.Millisecond
)

// link knows whether the server can be reached, and all connections to it.
type link struct {
	stop context.CancelFunc
	done chan struct{}

	mu     sync.Mutex
	down   error // why the server cannot be reached; nil while it can
	missed int   // how many times in a row the watch had no answer
	open   map[*socket]struct{}
}

// socket is a connection of link.
type socket struct {
	net.Conn
	of *link
}

func (s *socket) Close() error {
	s.of.mu.Lock()
	delete(s.of.open, s)
	s.of.mu.Unlock()
	return s.Conn.Close()
}

// track has c's connections noted.
func (l *link) track(c *pgx.ConnConfig) {
	l.open = map[*socket]struct{}{}
	dial := c.DialFunc
	c.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		s := &socket{conn, l}
		l.mu.Lock()
		l.open[s] = struct{}{}
		l.mu.Unlock()
		return s, nil
	}
}

// IsDown implements sqldb.Link.
func (l *link) IsDown(err error) bool { return isDown(err) }

// Trouble implements sqldb.Link.
func (l *link) Trouble() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.down
}

// failed notes that the server did not answer the watch, and ends every call that waits for it.
func (l *link) failed(err error) {
	l.mu.Lock()
	l.down = err
	l.missed++
	var all []*socket
	for s := range l.open {
		all = append(all, s)
	}
	l.mu.Unlock()
	for _, s := range all {
		_ = s.Close() // the server is not there
	}
}

func (l *link) answered() {
	l.mu.Lock()
	l.down, l.missed = nil, 0
	l.mu.Unlock()
}

// given reports whether the server has been away for so long that no write waits for it.
func (l *link) given() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.missed >= int(bridge/watchEvery)
}

// isDown reports whether an error means that the server cannot be reached, or is starting or stopping.
func isDown(err error) bool {
	var answer *pgconn.PgError
	if errors.As(err, &answer) {
		// connection_exception, too_many_connections, admin_shutdown, crash_shutdown, cannot_connect_now
		return strings.HasPrefix(answer.Code, "08") ||
			slices.Contains([]string{"53300", "57P01", "57P02", "57P03"}, answer.Code)
	}
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, net.ErrClosed) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, context.DeadlineExceeded) || pgconn.SafeToRetry(err)
}

// startWatch asks the server every second whether it is there, and takes the lock again where it was lost.
func (s *Store) startWatch(c *pgx.ConnConfig) {
	ctx, cancel := context.WithCancel(context.Background())
	s.link.stop, s.link.done = cancel, make(chan struct{})
	probe := stdlib.OpenDB(*c)
	probe.SetMaxOpenConns(1)
	go func() {
		defer close(s.link.done)
		defer probe.Close()
		t := time.NewTicker(watchEvery)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
				s.check(ctx, probe)
			}
		}
	}()
}

func (s *Store) check(ctx context.Context, probe *sql.DB) {
	c, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	var one int
	err := probe.QueryRowContext(c, `SELECT 1`).Scan(&one)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		s.link.failed(err)
		return
	}
	select {
	case s.writing <- struct{}{}:
	default:
		return // the write that is running finds out
	}
	defer func() { <-s.writing }()
	c, cancel = context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	err = s.connected(c)
	if err == nil {
		var n int64
		err = s.pin.QueryRowContext(c, `SELECT n FROM fence WHERE id = 1`).Scan(&n)
		if err == nil && n != s.fence {
			err = s.errFence(n)
		}
	}
	switch {
	case err == nil:
		s.link.answered()
	case errors.Is(err, store.ErrLost), errors.Is(err, store.ErrStale):
		s.Lose(err)
	case ctx.Err() == nil:
		s.drop()
		s.link.failed(err)
	}
}

// begin waits until the pinned connection is free, begins a transaction on it and checks the fencing number. It waits
// for a moment while the server is away.
func (s *Store) begin(ctx context.Context, long bool) (*sqldb.Tx, error) {
	select {
	case s.writing <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	in, cancel := ctx, func() {} // cancelling a long transaction closes the connection
	if !long {
		in, cancel = context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	}
	release := func() {
		cancel()
		<-s.writing
	}
	wait, done := context.WithTimeout(ctx, bridge)
	defer done()
	for {
		tx, xid, err := s.tryBegin(in)
		if err == nil {
			s.link.answered()
			return &sqldb.Tx{Tx: tx, Context: in, Release: release,
				Settle: func(err error) error { return s.settle(in, xid, err) }}, nil
		}
		if !isDown(err) || errors.Is(err, store.ErrLost) || s.link.given() || !pause(wait) {
			release()
			return nil, err
		}
	}
}

// tryBegin begins a transaction. FOR SHARE makes a controller that wants to increment the fencing number wait for the
// end of the transaction. xid identifies the transaction on the server.
func (s *Store) tryBegin(ctx context.Context) (tx *sql.Tx, xid int64, err error) {
	if err := s.connected(ctx); err != nil {
		return nil, 0, err
	}
	if tx, err = s.pin.BeginTx(ctx, nil); err != nil {
		s.drop()
		return nil, 0, err
	}
	var n int64
	err = tx.QueryRowContext(ctx, `SELECT n, txid_current() FROM fence WHERE id = 1 FOR SHARE`).Scan(&n, &xid)
	if err == nil && n != s.fence {
		err = s.errFence(n)
	}
	if err != nil {
		_ = tx.Rollback() // nothing was written, and the cause is err
		if isDown(err) {
			s.drop()
		}
		return nil, 0, err
	}
	return tx, xid, nil
}

func (s *Store) errFence(n int64) error {
	return fmt.Errorf("%w: its fencing number is %d, not %d: another controller has opened the database", store.ErrLost, n,
		s.fence)
}

// drop closes a pinned connection that no longer works.
func (s *Store) drop() {
	if s.pin != nil {
		_ = s.pin.Close() // it is broken already
		s.pin = nil
	}
}

// connected opens a pinned connection if there is none, and takes the lock again. The error is store.ErrLost if another
// controller has opened the database meanwhile.
func (s *Store) connected(ctx context.Context) error {
	if s.pin != nil {
		return nil
	}
	pin, err := s.w.Conn(ctx)
	if err != nil {
		return err
	}
	s.pin = pin
	if err := s.relock(ctx); err != nil {
		s.drop()
		return err
	}
	return nil
}

// relock takes the lock on a new connection. The server may still keep it for the broken one, which is ended then.
func (s *Store) relock(ctx context.Context) error {
	for {
		locked, err := s.lock(ctx)
		if err != nil {
			return err
		}
		var n int64
		if err := s.pin.QueryRowContext(ctx, `SELECT n FROM fence WHERE id = 1`).Scan(&n); err != nil {
			return err
		}
		if n != s.fence {
			return s.errFence(n)
		}
		if locked {
			return s.settled(ctx)
		}
		if _, err := s.pin.ExecContext(ctx, `SELECT pg_terminate_backend(pid::int) FROM pg_locks
			WHERE pid = $1 AND locktype = 'advisory' AND granted AND classid::bigint = $2 AND objid::bigint = $3`,
			s.pid, int64(lockKey>>32), int64(lockKey&0xffffffff)); err != nil {
			return err
		}
		if !pause(ctx) {
			return fmt.Errorf("the lock is not free: %w", ctx.Err())
		}
	}
}

// settle finds out what became of a transaction whose commit returned err.
func (s *Store) settle(ctx context.Context, xid int64, err error) error {
	if !isDown(err) {
		return err // the server's own answer
	}
	s.drop()
	c, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleWithin)
	defer cancel()
	for {
		if s.connected(c) == nil {
			if committed, asked := s.committed(c, xid); asked == nil {
				if committed {
					return nil
				}
				return err
			}
			s.drop()
		}
		if !pause(c) {
			s.unclear = append(s.unclear, xid)
			return fmt.Errorf("whether the change was made is not known: %w", err)
		}
	}
}

// settled returns store.ErrStale if a transaction was committed of which a writer was told that it failed.
func (s *Store) settled(ctx context.Context) error {
	for len(s.unclear) > 0 {
		committed, err := s.committed(ctx, s.unclear[0])
		if err != nil {
			return err
		}
		if committed {
			return store.ErrStale
		}
		s.unclear = s.unclear[1:]
	}
	return nil
}

// committed reports whether a transaction was committed. The lock must be held: then the connection of the transaction
// is closed, and its outcome is final.
func (s *Store) committed(ctx context.Context, xid int64) (bool, error) {
	var status sql.NullString
	if err := s.pin.QueryRowContext(ctx, `SELECT txid_status($1)`, xid).Scan(&status); err != nil {
		return false, err
	}
	return status.String == "committed", nil
}

// pause waits a moment before the next attempt. It reports false when ctx is done.
func pause(ctx context.Context) bool {
	t := time.NewTimer(retryEvery)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
