package main

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// systemd listens as systemd does and gives what was said since it was asked
// last.
func systemd(t *testing.T, name string) func() string {
	t.Helper()
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return func() string {
		var said []string
		buf := make([]byte, 100)
		for {
			// What was sent lies in the socket already.
			if err := c.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
				t.Fatal(err)
			}
			n, err := c.Read(buf)
			if err != nil {
				return strings.Join(said, " ")
			}
			said = append(said, string(buf[:n]))
		}
	}
}

func TestWatchdogIsFedByTheLoop(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	said := systemd(t, path)
	env := map[string]string{"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "42"}
	var mono int64
	n := newNotifier(func(k string) string { return env[k] }, 42, func() int64 { return mono })
	if got := said(); got != "" {
		t.Fatalf("said %q before the loop turned", got)
	}
	for _, c := range []struct {
		mono int64
		want string
	}{{0, "READY=1"}, {16, ""}, {4999, ""}, {5000, "WATCHDOG=1"}, {5016, ""}, {9999, ""}, {10_000, "WATCHDOG=1"}} {
		mono = c.mono
		n.alive()
		if got := said(); got != c.want {
			t.Errorf("at %d ms said %q, want %q", c.mono, got, c.want)
		}
	}
	// A loop that hangs says nothing, whatever the time.
	mono = 60_000
	if got := said(); got != "" {
		t.Errorf("said %q without a turn of the loop", got)
	}
	n.stopping()
	if got := said(); got != "STOPPING=1" {
		t.Errorf("at the end said %q", got)
	}
}

func TestWatchdogOfAnother(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	said := systemd(t, path)
	env := map[string]string{"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "7"}
	var mono int64
	n := newNotifier(func(k string) string { return env[k] }, 42, func() int64 { mono += 1000; return mono })
	n.alive()
	n.alive()
	if got := said(); got != "READY=1" {
		t.Errorf("said %q, want READY=1 and no more: the watchdog is another process's", got)
	}
	newNotifier(func(string) string { return "" }, 42, nil).alive() // nobody watches
}

func TestAbstractSocket(t *testing.T) {
	name := "ledcast-test-" + filepath.Base(t.TempDir()) + t.Name()
	said := systemd(t, "\x00"+name)
	newNotifier(func(k string) string {
		return map[string]string{"NOTIFY_SOCKET": "@" + name}[k]
	}, 1, func() int64 { return 0 }).alive()
	if got := said(); got != "READY=1" {
		t.Errorf("said %q", got)
	}
}
