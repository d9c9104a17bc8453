package link

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// A broker that says nothing while this end waits is given up within 14 s; one that says anything is not, and neither
// is one whose words this end is slow to read.
func TestASilentBrokerIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		w := newWatched(near)
		ctx, cancel := context.WithCancel(t.Context())
		looked := make(chan struct{})
		go func() { defer close(looked); w.look(ctx) }()
		read := make(chan error)
		next := func() {
			go func() { _, err := w.Read(make([]byte, 1)); read <- err }()
		}
		for range 10 {
			next()
			time.Sleep(quickSilence - time.Second)
			if _, err := far.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
			if err := <-read; err != nil {
				t.Fatalf("given up although it spoke: %v", err)
			}
		}
		time.Sleep(time.Hour) // nobody reads
		if w.silent.Load() {
			t.Fatal("given up although nobody waited for it")
		}
		began := time.Now()
		next()
		if err := <-read; !errors.Is(err, errNoPing) || !w.silent.Load() || time.Since(began) > 14*time.Second {
			t.Errorf("%v after %v, silent %v", err, time.Since(began), w.silent.Load())
		}
		cancel()
		<-looked
	})
}
