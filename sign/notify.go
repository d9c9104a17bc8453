package main

import (
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

// notifier reports to systemd that the sign plays and goes on playing: sd_notify(3),
// READY=1 at the first turn of the play loop, WATCHDOG=1 at later ones. systemd
// starts a sign again whose loop hangs. nil is a process that nobody watches.
type notifier struct {
	addr  *net.UnixAddr
	every int64 // ms between two feedings at least; 0: no watchdog
	mono  func() int64
	last  atomic.Int64
	ready atomic.Bool
}

// newNotifier reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID as systemd
// sets them. mono is in ms.
func newNotifier(env func(string) string, pid int, mono func() int64) *notifier {
	path := env("NOTIFY_SOCKET")
	if path == "" {
		return nil
	}
	if path[0] == '@' {
		path = "\x00" + path[1:] // an abstract socket
	}
	n := &notifier{addr: &net.UnixAddr{Name: path, Net: "unixgram"}, mono: mono}
	if of := env("WATCHDOG_PID"); of == "" || of == strconv.Itoa(pid) {
		if us, err := strconv.ParseInt(env("WATCHDOG_USEC"), 10, 64); err == nil && us > 0 {
			n.every = us / 1000 / 4 // systemd asks for half; a quarter survives one that is late
		}
	}
	return n
}

// alive is called at every turn of the play loop.
func (n *notifier) alive() {
	if n == nil {
		return
	}
	now := n.mono()
	if !n.ready.Swap(true) {
		n.last.Store(now)
		n.send("READY=1")
		return
	}
	if n.every > 0 && now-n.last.Load() >= n.every {
		n.last.Store(now)
		n.send("WATCHDOG=1")
	}
}

// stopping reports that the process ends on purpose.
func (n *notifier) stopping() {
	if n != nil {
		n.send("STOPPING=1")
	}
}

// send ignores failures: systemd notices the silence.
func (n *notifier) send(state string) {
	c, err := net.DialUnix("unixgram", nil, n.addr)
	if err != nil {
		return
	}
	defer c.Close()
	_ = c.SetWriteDeadline(time.Now().Add(time.Second))
	_, _ = c.Write([]byte(state))
}

// watched is the notifier of this process.
func watched(mono func() int64) *notifier { return newNotifier(os.Getenv, os.Getpid(), mono) }
