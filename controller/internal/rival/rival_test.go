package rival

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// broker retains the last message and delivers each to all.
type broker struct {
	mu       sync.Mutex
	all      []*Watch
	retained []byte
}

func (b *broker) publish(_ context.Context, payload []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.retained = payload
	for _, w := range b.all {
		w.Message(payload)
	}
	return nil
}

func (b *broker) connect(runs ...string) *Watch {
	b.mu.Lock()
	defer b.mu.Unlock()
	w := New(Options{Runs: runs, Publish: b.publish, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if b.retained != nil {
		w.Message(b.retained)
	}
	b.all = append(b.all, w)
	return w
}

func run(t *testing.T, w *Watch) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); w.Run(ctx) }()
	synctest.Wait()
	return func() { cancel(); <-done }
}

// Two controllers notice each other, until one is gone. A controller that starts again notices nothing of itself.
func TestTwoControllers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &broker{}
		first := b.connect("r1")
		stopFirst := run(t, first)
		if err := first.Trouble(); err != nil {
			t.Fatal(err)
		}
		stopFirst()
		again := b.connect("r2", "r1")
		stopAgain := run(t, again)
		time.Sleep(time.Minute)
		if err := again.Trouble(); err != nil {
			t.Fatalf("after a restart: %v", err)
		}
		other := b.connect("x1")
		if other.Trouble() == nil {
			t.Error("the other does not notice what is retained")
		}
		stopOther := run(t, other)
		if again.Trouble() == nil {
			t.Error("the first does not notice the other")
		}
		stopOther()
		time.Sleep(recent + beatEvery)
		synctest.Wait()
		if err := again.Trouble(); err != nil {
			t.Errorf("the other is gone: %v", err)
		}
		stopAgain()
	})
}

// A database that is copied while its controller runs knows that run as its own former one. It is another controller all
// the same.
func TestCopyOfARunningController(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &broker{}
		old := b.connect("r1")
		stopOld := run(t, old)
		time.Sleep(5 * time.Second)
		restored := b.connect("x1", "r1")
		stopRestored := run(t, restored)
		time.Sleep(beatEvery)
		synctest.Wait()
		if restored.Trouble() == nil || old.Trouble() == nil {
			t.Errorf("the copy says %v, the old one %v", restored.Trouble(), old.Trouble())
		}
		stopOld()
		stopRestored()
	})
}

// What is retained from long ago, or is no message of a controller, is none.
func TestOldMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &broker{}
		stop := run(t, b.connect("old"))
		stop()
		time.Sleep(time.Hour)
		w := b.connect("new")
		for _, x := range []string{"", "{", `{"v":1}`, `{"run":7}`, `{"v":1,"run":"x","at_ms":-1}`} {
			w.Message([]byte(x))
		}
		if err := w.Trouble(); err != nil {
			t.Error(err)
		}
	})
}
