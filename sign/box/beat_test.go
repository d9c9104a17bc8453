package box

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ledcast/sign/output"
)

// balky is an output that fails a few times, and counts what it is asked.
type balky struct {
	fails, shown, kept int
}

func (o *balky) Show(output.Picture) error {
	o.shown++
	if o.shown <= o.fails {
		return errors.New("nobody there")
	}
	return nil
}

func (o *balky) Keep()        { o.kept++ }
func (o *balky) Close() error { return nil }

// A dark face does not change, so nothing but the beat brings it to an output
// that failed, and nothing else tells a watchdog that the loop turns.
func TestBeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, alive := &balky{fails: 3}, 0
		b, err := New(Options{
			Config: Config{Sign: "qn-001", Class: "16x8-rgb", Broker: "mqtt://127.0.0.1:1",
				Root: strings.Repeat("A", 43), RootSpare: strings.Repeat("A", 43)},
			Dir: t.TempDir(), Outputs: []output.Output{out}, Alive: func() { alive++ },
			Gate: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, // no network
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- b.Run(ctx) }()
		time.Sleep(20_500 * time.Millisecond)
		synctest.Wait()
		if out.shown != 4 {
			t.Errorf("shown %d times in 20 s, want 3 failures and then once", out.shown)
		}
		if b.faults["output"] {
			t.Error("the fault stands although the output is back")
		}
		if alive < 4 || out.kept != alive {
			t.Errorf("alive %d times and kept %d times in 20 s, want both every 5 s", alive, out.kept)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
