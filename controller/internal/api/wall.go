package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"ledcast/playlists"
)

// Rhythm of the wall while somebody watches it.
const (
	wallEvery     = 200 * time.Millisecond
	snapshotEvery = 5 * time.Second
	aliveEvery    = 10 * time.Second
)

// wall tells those who listen to events how the signs' views change. While
// nobody listens it does nothing, and asks no sign for anything.
type wall struct {
	s *Server

	mu       sync.Mutex
	watchers map[chan []byte]*watcher
	since    time.Time // when the first of them came; zero while there is none
	wake     chan struct{}
}

// watcher is one who listens: who it is, and what it was told last, by sign.
type watcher struct {
	who  *playlists.Principal
	sign string // the one that it asks about; "" for all, and for alerts
	told map[string]string
}

// quiet reports whether a sign that was heard at that time has been silent
// although it was asked: signs are asked for snapshots only while somebody
// watches, and say little by themselves.
func (w *wall) quiet(heard, now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.since.IsZero() && now.Sub(w.since) > Quiet && now.Sub(heard) > Quiet
}

func newWall(s *Server) *wall {
	return &wall{s: s, watchers: map[chan []byte]*watcher{}, wake: make(chan struct{}, 1)}
}

func (w *wall) run(ctx context.Context) {
	t := time.NewTicker(wallEvery)
	defer t.Stop()
	var asked time.Time
	for {
		w.mu.Lock()
		idle := len(w.watchers) == 0
		w.mu.Unlock()
		if idle {
			select {
			case <-ctx.Done():
				return
			case <-w.wake:
			}
		}
		views, err := w.s.views(ctx)
		if err == nil {
			w.tell(views)
			if now := w.s.now(); now.Sub(asked) >= snapshotEvery {
				asked = now
				for i := range views {
					if views[i].State == "online" || views[i].State == "stale" {
						w.s.src.Snapshot(views[i].ID)
					}
				}
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		case <-w.wake:
		}
	}
}

// tell sends each watcher the views that are not as it was told.
func (w *wall) tell(views []SignView) {
	now := w.s.now().UnixMilli()
	texts := make([]string, len(views))
	keys := make([]string, len(views))
	for i := range views {
		v := views[i]
		text, err := json.Marshal(v)
		if err != nil {
			continue
		}
		texts[i] = string(text)
		if v.Showing != nil { // the clock alone is no change
			c := *v.Showing
			c.AtMS, c.TauMS = 0, 0
			v.Showing = &c
		}
		key, err := json.Marshal(v)
		if err != nil {
			continue
		}
		keys[i] = string(key)
	}
	alerts := w.s.alerts.Recent()
	w.mu.Lock()
	defer w.mu.Unlock()
	for ch, x := range w.watchers {
		var events [][]byte
		var told func()
		if x.sign == "" {
			events, told = alertEvents(x.who, alerts, now, x.told)
		}
		if len(events) > 0 {
			select {
			case ch <- bytes.Join(events, nil):
				told()
			default: // it reads too slowly; told next time
			}
		}
		for i := range views {
			if x.sign != "" && x.sign != views[i].ID {
				continue
			}
			if x.told[views[i].ID] == keys[i] || !x.who.MayRead(playlists.KindSign, views[i].Owner) {
				continue
			}
			event := fmt.Appendf(nil, "event: sign\ndata: {\"now_ms\":%d,\"sign\":%s}\n\n", now, texts[i])
			select {
			case ch <- event:
				x.told[views[i].ID] = keys[i]
			default: // it reads too slowly; told next time
			}
		}
	}
}

// events is a stream of server-sent events: "sign" with a SignView, at once
// for every sign and then at every change; with the query `sign`, of that one
// and nothing else.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	only := r.URL.Query().Get("sign")
	var who *playlists.Principal
	if only == "" {
		who = s.who(w, r)
	} else {
		who, _ = s.seen(w, r, only)
	}
	if who == nil {
		return
	}
	out := http.NewResponseController(w)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	ch := make(chan []byte, 256)
	s.wall.mu.Lock()
	if len(s.wall.watchers) == 0 {
		s.wall.since = s.now()
	}
	s.wall.watchers[ch] = &watcher{who, only, map[string]string{}}
	s.wall.mu.Unlock()
	defer func() {
		s.wall.mu.Lock()
		delete(s.wall.watchers, ch)
		if len(s.wall.watchers) == 0 {
			s.wall.since = time.Time{}
		}
		s.wall.mu.Unlock()
	}()
	select {
	case s.wall.wake <- struct{}{}:
	default:
	}
	alive := time.NewTicker(aliveEvery)
	defer alive.Stop()
	if _, err := w.Write([]byte(": ledcast\n\n")); err != nil {
		return
	}
	for {
		if err := out.Flush(); err != nil {
			return
		}
		var event []byte
		select {
		case <-r.Context().Done():
			return
		case event = <-ch:
		case <-alive.C:
			event = []byte("event: alive\ndata: {}\n\n")
		}
		// Who was revoked meanwhile is out at once.
		if err := s.auth.Still(r); err != nil {
			return
		}
		_ = out.SetWriteDeadline(time.Now().Add(aliveEvery))
		if _, err := w.Write(event); err != nil {
			return
		}
	}
}
