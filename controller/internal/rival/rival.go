// Package rival detects a second controller of the same installation on one outside broker: an old machine that comes
// back after its backup was restored elsewhere. Both would publish programs and alerts under the same topics.
//
// Every controller publishes on one topic, each 10 s, which run of which controller it is, and subscribes to it. The
// message is retained, because two controllers with one client id push each other off the broker and are never
// connected at the same time.
package rival

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"time"

	"ledcast/playlists"
)

const (
	// beatEvery is how often a controller says that it is there.
	beatEvery = 10 * time.Second
	// recent is how long after its last message another controller counts as there.
	recent = 35 * time.Second
)

// beat is the message.
type beat struct {
	V    int    `json:"v"`
	Run  string `json:"run"`
	AtMS int64  `json:"at_ms"`
}

// Options are the dependencies of a Watch.
type Options struct {
	// Runs identify this run of the controller, first, and its former ones: what they left before this start is no other
	// controller. What comes of them later is one: the database was copied while its controller ran.
	Runs    []string
	Publish func(ctx context.Context, payload []byte) error
	Now     func() time.Time
	Log     *slog.Logger
}

// Watch announces this controller and notices others. It is safe for concurrent use.
type Watch struct {
	o       Options
	started int64 // Unix milliseconds

	mu   sync.Mutex
	seen time.Time // when another controller was there last
	told bool
}

// New returns a Watch. It does nothing before Run.
func New(o Options) *Watch { return &Watch{o: o, started: o.Now().UnixMilli()} }

// Run announces the controller until ctx is done. Call it while a connection stands on which Message is called.
func (w *Watch) Run(ctx context.Context) {
	t := time.NewTicker(beatEvery)
	defer t.Stop()
	for {
		w.report()
		payload, err := json.Marshal(beat{1, w.o.Runs[0], w.o.Now().UnixMilli()})
		if err == nil {
			err = w.o.Publish(ctx, payload)
		}
		if err != nil && ctx.Err() == nil {
			w.o.Log.Debug("cannot announce this controller", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// Message takes a message of the topic. It ignores its own, and what is too old to say that another controller runs
// now.
func (w *Watch) Message(payload []byte) {
	var b beat
	if len(payload) > 1024 || json.Unmarshal(payload, &b) != nil || b.Run == "" || b.Run == w.o.Runs[0] ||
		b.AtMS <= w.started && slices.Contains(w.o.Runs, b.Run) {
		return
	}
	now := w.o.Now()
	if age := now.Sub(time.UnixMilli(b.AtMS)).Abs(); age > recent {
		return
	}
	w.mu.Lock()
	w.seen = now
	w.mu.Unlock()
	w.report()
}

// Trouble returns an error while another controller is there.
func (w *Watch) Trouble() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.there() {
		return nil
	}
	return &playlists.Error{Code: playlists.Conflict, Field: "broker", Key: "second-controller"}
}

func (w *Watch) there() bool {
	return !w.seen.IsZero() && w.o.Now().Sub(w.seen).Abs() <= recent
}

// report logs when another controller comes, and when it is gone.
func (w *Watch) report() {
	w.mu.Lock()
	defer w.mu.Unlock()
	there := w.there()
	if there == w.told {
		return
	}
	w.told = there
	if there {
		w.o.Log.Error("another controller publishes at this broker; stop one of them: signs follow both in turn")
	} else {
		w.o.Log.Warn("the other controller is gone from the broker")
	}
}
