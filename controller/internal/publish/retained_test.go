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

// An outside broker keeps retained messages over reconnects and restarts.
// Unreferenced frames are still cleared after a day, topics of removed signs at
// once, and frames that a sign may still need stay.
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
		// Two signs are removed.
		w.signs = slices.DeleteFunc(w.signs, func(s playlists.Sign) bool { return s.ID == "two" || s.ID == "pic" })
		w.mu.Unlock()
		later(p, time.Minute)
		for _, topic := range []string{wire.SignTopic("two", wire.LeafProgram), wire.SignTopic("pic", wire.LeafFrame)} {
			if w.got(topic) != "" {
				t.Errorf("%s of a removed sign is still retained", topic)
			}
		}
		later(p, time.Hour) // the frame is unreferenced, but the sign has not acked its new program
		p.Connected()
		later(p, 30*time.Hour)
		if w.got(ours) == "" {
			t.Error("the frame was cleared, and a sign has acked only the program that references it")
		}
		stop()

		p, stop = run() // an earlier run issued these programs
		later(p, 30*time.Hour)
		if w.got(ours) == "" {
			t.Error("after a restart the frame was cleared, and a sign has acked only the program that references it")
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
		// Topics in use stay.
		for _, topic := range []string{wire.SignTopic("one", wire.LeafProgram), wire.SignTopic("three", wire.LeafProgram),
			wire.FrameTopic("public", p.Plan("one").Program.Frames[0].SHA256)} {
			if w.got(topic) == "" {
				t.Errorf("%s is gone", topic)
			}
		}
		stop()
		for topic := range w.kept {
			if w.got(topic) == "" || strings.Contains(topic, "two") {
				t.Errorf("%s is stored, and nothing is retained there", topic)
			}
		}
	})
}
