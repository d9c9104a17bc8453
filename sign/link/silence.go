package link

import (
	"context"
	"net"
	"sync/atomic"
	"time"
)

// Times of a quick link. A live broker answers a ping, which paho sends after 6 to 7.5 s without traffic; one that says
// nothing for 12 s is taken for hung, whatever it says later.
const (
	quickKeepAlive   = 6 * time.Second
	quickPingTimeout = time.Minute // paho's own is not asked: it counts no other packet as a sign of life
	quickSilence     = 12 * time.Second
	quickLook        = 500 * time.Millisecond
)

// watched is a connection that knows for how long the other end has said nothing. It counts only while somebody waits
// to read: where this end is slow to read, the broker is not to blame. A broker that is busy with thousands of signs
// may answer a ping late, and is alive as long as anything comes.
type watched struct {
	net.Conn
	since  atomic.Int64 // when the present Read began, ns since start; 0 while none waits
	start  time.Time
	silent atomic.Bool // it was given up for its silence
}

func newWatched(c net.Conn) *watched { return &watched{Conn: c, start: time.Now()} }

func (w *watched) Read(p []byte) (int, error) {
	w.since.Store(int64(time.Since(w.start)) + 1)
	n, err := w.Conn.Read(p)
	w.since.Store(0)
	if err != nil && w.silent.Load() {
		err = errNoPing
	}
	return n, err
}

// look gives a connection up that is silent, until ctx ends. It ends the Read and leaves the closing to paho, which
// says nothing of a connection that somebody else has closed.
func (w *watched) look(ctx context.Context) {
	t := time.NewTicker(quickLook)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if since := w.since.Load(); since != 0 && time.Since(w.start)-time.Duration(since) > quickSilence {
			w.silent.Store(true)
			_ = w.SetReadDeadline(time.Now())
			return
		}
	}
}
