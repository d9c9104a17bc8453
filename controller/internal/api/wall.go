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
	asking   map[string]asking // by sign
	wake     chan struct{}
}

// asking is how a sign is asked for snapshots.
type asking struct {
	since time.Time // when it was first asked of those who watch it now; zero: nobody does
	last  time.Time
}

// watcher is one who listens: who it is, and what it was told last, by sign.
type watcher struct {
	who  *playlists.Principal
	sign string // the one that it asks about; "" for all, and for alerts
	only bool   // alerts, and no sign: every page of the department listens for these
	told map[string]string
}

func (x *watcher) watches(v *SignView) bool {
	return !x.only && (x.sign == "" || x.sign == v.ID) && x.who.MayRead(playlists.KindSign, v.Owner)
}

// quiet reports whether a sign that was heard at that time has been silent
// although it was asked: signs are asked for snapshots only while somebody
// watches them, and say little by themselves.
func (w *wall) quiet(sign string, heard, now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	since := w.asking[sign].since
	return !since.IsZero() && now.Sub(since) > Quiet && now.Sub(heard) > Quiet
}

// ask returns the signs that are to be asked for a snapshot now: those that are
// there, are watched by somebody who may see them, and were not asked lately.
func (w *wall) ask(views []SignView, now time.Time) (signs []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	next := map[string]asking{}
	for id, a := range w.asking { // also of signs that nobody watches now
		if now.Sub(a.last) < snapshotEvery {
			next[id] = asking{last: a.last}
		}
	}
	for i := range views {
		v := &views[i]
		a := w.asking[v.ID]
		watched := false
		for _, x := range w.watchers {
			watched = watched || x.watches(v)
		}
		lately := now.Sub(a.last) < snapshotEvery
		if !watched || v.State != "online" && v.State != "stale" {
			continue
		}
		if a.since.IsZero() {
			a.since = now
		}
		if !lately {
			a.last = now
			signs = append(signs, v.ID)
		}
		next[v.ID] = a
	}
	w.asking = next
	return signs
}

func newWall(s *Server) *wall {
	return &wall{s: s, watchers: map[chan []byte]*watcher{}, wake: make(chan struct{}, 1)}
}

func (w *wall) run(ctx context.Context) {
	t := time.NewTicker(wallEvery)
	defer t.Stop()
	for {
		w.mu.Lock()
		idle := len(w.watchers) == 0
		if idle {
			for id, a := range w.asking {
				w.asking[id] = asking{last: a.last}
			}
		}
		w.mu.Unlock()
		if idle {
			select {
			case <-ctx.Done():
				return
			case <-w.wake:
			}
		}
		views, err := w.watched(ctx)
		if err == nil {
			w.tell(views)
			for _, sign := range w.ask(views, w.s.now()) {
				w.s.src.Snapshot(sign)
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

// watched are the views of the signs that somebody watches.
func (w *wall) watched(ctx context.Context) ([]SignView, error) {
	all, some := false, map[string]bool{}
	w.mu.Lock()
	for _, x := range w.watchers {
		switch {
		case x.only:
		case x.sign != "":
			some[x.sign] = true
		default:
			all = true
		}
	}
	w.mu.Unlock()
	switch {
	case all:
		return w.s.views(ctx, nil)
	case len(some) > 0:
		return w.s.views(ctx, func(id string) bool { return some[id] })
	}
	return nil, nil
}

// viewKey is equal for views that differ in the clock alone.
func viewKey(v SignView) (string, error) {
	if v.Showing != nil {
		c := *v.Showing
		c.AtMS, c.TauMS = 0, 0
		v.Showing = &c
	}
	key, err := json.Marshal(v)
	return string(key), err
}

// tell sends each watcher the views that changed since it was last sent them.
func (w *wall) tell(views []SignView) {
	now := w.s.now().UnixMilli()
	keys := make([]string, len(views))
	for i := range views {
		keys[i], _ = viewKey(views[i]) // plain fields always marshal
	}
	alerts := w.s.alerts.Recent()
	w.mu.Lock()
	defer w.mu.Unlock()
	for ch, x := range w.watchers {
		w.tellAlerts(ch, x, alerts, now)
		for i := range views {
			if x.told[views[i].ID] == keys[i] || !x.watches(&views[i]) {
				continue
			}
			text, err := json.Marshal(views[i])
			if err != nil {
				continue
			}
			event := fmt.Appendf(nil, "event: sign\ndata: {\"now_ms\":%d,\"sign\":%s}\n\n", now, text)
			select {
			case ch <- event:
				x.told[views[i].ID] = keys[i]
			default: // it reads too slowly; it is sent them next time
			}
		}
	}
}

// tellAlerts sends a watcher the alerts that changed. w.mu is held.
func (w *wall) tellAlerts(ch chan []byte, x *watcher, alerts []playlists.AlertView, now int64) {
	if x.sign != "" {
		return
	}
	events, told := alertEvents(x.who, alerts, now, x.told)
	if len(events) == 0 {
		return
	}
	select {
	case ch <- bytes.Join(events, nil):
		told()
	default: // it reads too slowly; it is sent them next time
	}
}

// events is a stream of server-sent events: "sign" with a SignView, at once
// for every sign and then at every change; with the query `sign`, of that one
// and nothing else; with `only=alerts`, of alerts and no sign.
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
	s.wall.watchers[ch] = &watcher{who: who, sign: only, only: r.URL.Query().Get("only") == "alerts",
		told: map[string]string{}}
	s.wall.mu.Unlock()
	defer func() {
		s.wall.mu.Lock()
		delete(s.wall.watchers, ch)
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
		changed := s.auth.Changed()
		if err := s.auth.Still(r); err != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-changed:
		case event = <-ch:
		case <-alive.C:
			event = []byte("event: alive\ndata: {}\n\n")
		}
		// Who was revoked meanwhile is out at once, and told nothing more.
		if err := s.auth.Still(r); err != nil {
			return
		}
		_ = out.SetWriteDeadline(time.Now().Add(aliveEvery))
		if _, err := w.Write(event); err != nil {
			return
		}
	}
}
