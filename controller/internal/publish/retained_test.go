package publish

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// An outside broker keeps what is retained over reconnects and restarts: frames
// that nothing names go a day later all the same, what is gone goes at once, and
// what a sign may still have stays.
func TestRetainedIsCleared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := newWorld()
		w.history, w.kept = map[string][]*timeline.Program{}, memoryTopics{}
		acked := map[string]int64{}
		run := func() (*Publisher, func()) {
			p := New(Options{Broker: w, Catalogue: w, Artist: w, Ledger: w, Keys: w, Now: time.Now,
				Log: slog.New(slog.DiscardHandler), Topics: w.kept,
				Acked: func(sign string) int64 {
					w.mu.Lock()
					defer w.mu.Unlock()
					return acked[sign]
				}})
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() { defer close(done); p.Run(ctx) }()
			p.Connected()
			synctest.Wait()
			return p, func() { cancel(); <-done }
		}
		ack := func(p *Publisher, signs ...string) {
			for _, s := range signs {
				seq := p.Plan(s).Program.Seq
				w.mu.Lock()
				acked[s] = seq
				w.mu.Unlock()
			}
		}
		later := func(p *Publisher, d time.Duration) {
			time.Sleep(d)
			p.Kick()
			synctest.Wait()
		}
		p, stop := run()
		ack(p, "one", "two", "three")
		ours := wire.FrameTopic("viet-ads", p.Plan("three").Program.Frames[0].SHA256)
		if w.got(ours) == "" || w.got(wire.SignTopic("pic", wire.LeafFrame)) == "" {
			t.Fatal("nothing is retained")
		}
		w.mu.Lock()
		w.lists["viet-ads/own"] = &playlists.Playlist{ID: "own", Owner: "viet-ads",
			Items: []playlists.Item{{Message: "public/hello"}}}
		// A sign goes, and another one draws pictures from now on.
		w.signs = slices.DeleteFunc(w.signs, func(s playlists.Sign) bool { return s.ID == "two" || s.ID == "pic" })
		w.mu.Unlock()
		later(p, time.Minute)
		for _, topic := range []string{wire.SignTopic("two", wire.LeafProgram), wire.SignTopic("pic", wire.LeafFrame)} {
			if w.got(topic) != "" {
				t.Errorf("%s is retained, and its sign is gone", topic)
			}
		}
		later(p, time.Hour) // nobody names the frame; the sign has not acked what it should have
		p.Connected()
		later(p, 30*time.Hour)
		if w.got(ours) == "" {
			t.Error("the frame went while a sign has acked only the program that names it")
		}
		stop()

		p, stop = run() // this run has issued none of it
		later(p, 30*time.Hour)
		if w.got(ours) == "" {
			t.Error("after a restart the frame went while a sign has acked only the program that names it")
		}
		ack(p, "one", "three")
		later(p, time.Hour)
		stop()
		p, stop = run()
		ack(p, "one", "three")
		later(p, 23*time.Hour)
		later(p, 30*time.Hour)
		if w.got(ours) != "" {
			t.Error("the frame is still there days after the sign acked another program")
		}
		// What is wanted was not touched.
		for _, topic := range []string{wire.SignTopic("one", wire.LeafProgram), wire.SignTopic("three", wire.LeafProgram),
			wire.FrameTopic("public", p.Plan("one").Program.Frames[0].SHA256)} {
			if w.got(topic) == "" {
				t.Errorf("%s is gone", topic)
			}
		}
		stop()
		for topic := range w.kept {
			if w.got(topic) == "" || strings.Contains(topic, "two") {
				t.Errorf("%s is remembered, and nothing is retained there", topic)
			}
		}
	})
}
