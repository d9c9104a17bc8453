package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ledcast/sign/wire"
)

// heard is stderr, which tells when something was written.
type heard struct {
	mu  sync.Mutex
	buf bytes.Buffer
	new chan struct{}
}

func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.buf.Write(p)
	select {
	case h.new <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.buf.String()
}

// listening answers each connection with some bytes until the test ends.
func listening(t *testing.T, answer []byte) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = c.Read(make([]byte, 1024))
				_, _ = c.Write(answer)
				_, _ = io.Copy(io.Discard, c)
			}()
		}
	}()
	return l
}

// `sign run` says at once, in one line, why it is not connected (B8).
func TestRunSaysWhyItIsNotConnected(t *testing.T) {
	shut := listening(t, nil)
	refused := shut.Addr().String()
	_ = shut.Close()
	for name, x := range map[string]struct{ broker, want string }{
		"nobody there": {"mqtt://" + refused, "connection refused"},
		"a wrong password": {"mqtt://" + listening(t, []byte{0x20, 2, 0, 5}).Addr().String(),
			"the broker refuses user name or password: not Authorized"},
		"no TLS": {"mqtts://" + listening(t, []byte("HTTP/1.1 400 Bad Request\r\n\r\n")).Addr().String(), "TLS: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "sign.json")
			text, err := json.Marshal(map[string]any{"sign": "qn-001", "class": "16x8-rgb",
				"areas": []string{"quang-ngai"}, "broker": x.broker, "username": "qn-001", "password": "secret-word",
				"root": wire.EncodeKey(pubOf(rootKey)), "root_spare": wire.EncodeKey(pubOf(spareKey))})
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			stderr := &heard{new: make(chan struct{}, 1)}
			done := make(chan int, 1)
			go func() {
				done <- run(ctx, []string{"run", "--config", path, "--data", t.TempDir(),
					"--output", "png:" + t.TempDir()}, io.Discard, stderr)
			}()
			for !strings.Contains(stderr.String(), x.want) {
				select {
				case <-stderr.new:
				case code := <-done:
					t.Fatalf("ended with %d: %s", code, stderr)
				}
			}
			cancel()
			if code := <-done; code != 0 {
				t.Errorf("code %d: %s", code, stderr)
			}
			said := stderr.String()
			if n := strings.Count(said, "level=WARN"); n != 1 ||
				!strings.Contains(said, "not connected to the broker") || !strings.Contains(said, x.broker) ||
				strings.Contains(said, "secret-word") {
				t.Errorf("%d warnings: %s", n, said)
			}
		})
	}
}
