package listen

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"ledcast/playlists"
)

// condition is the state of a sign from a moment on.
type condition struct {
	Sign   string // "" is the controller itself, which is online while it hears signs
	At     time.Time
	Online bool
	Clock  string // "trusted" or "untrusted"; "" where that is not known
	Faults []string
}

func (c *condition) same(x *condition) bool {
	return c.Online == x.Online && c.Clock == x.Clock && slices.Equal(c.Faults, x.Faults)
}

func conditionOf(c *playlists.Condition) condition {
	return condition{c.Sign, time.UnixMilli(c.AtMS), c.Online, c.Clock, c.Faults}
}

// HealthLog keeps how the conditions of signs changed.
type HealthLog interface {
	// Append adds conditions.
	Append(ctx context.Context, all []playlists.Condition) error
	// Latest returns the last condition of every sign.
	Latest(ctx context.Context) ([]playlists.Condition, error)
	// SetHeartbeat keeps that the controller listened at that time, in place of the time before.
	SetHeartbeat(ctx context.Context, at time.Time) error
	// Heartbeat returns the last such time, zero before the first.
	Heartbeat(ctx context.Context) (time.Time, error)
}

// Rhythm and bounds of the health log. A sign whose condition changes all the time, or that wants to fill the database,
// is logged less often.
const (
	updateEvery    = 5 * time.Second
	heartbeatEvery = time.Minute
	mostPerHour    = 60 // changes of one sign; then one a minute
	mostFaults     = 10
	longFault      = 200 // bytes
)

// Watch logs how the conditions of signs change.
type Watch struct {
	l      *Listener
	health HealthLog
	log    *slog.Logger

	ready     bool      // the log was read
	began     time.Time // since when signs are heard
	deaf      bool      // they are not, and the log says so
	heartbeat time.Time
	last      map[string]*logged
	known     sync.Map // the signs of last, for Known
}

// logged is the last condition of a sign in the health log.
type logged struct {
	condition
	hour  int64 // since 1970, in which its changes are counted
	count int
}

// NewWatch makes a watch over a listener's signs. Run does the work.
func NewWatch(l *Listener, health HealthLog, log *slog.Logger) *Watch {
	return &Watch{l: l, health: health, log: log, last: map[string]*logged{}}
}

// Run logs changes until ctx ends, and then that the controller no longer listens.
func (w *Watch) Run(ctx context.Context) {
	t := time.NewTicker(updateEvery)
	defer t.Stop()
	for {
		if err := w.update(ctx, w.l.now()); err != nil && ctx.Err() == nil {
			w.log.Log(ctx, playlists.RetryLevel(err), "health of signs not logged", "err", err)
		}
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			if err := w.end(last, w.l.now()); err != nil {
				w.log.Warn("end of listening not logged", "err", err)
			}
			return
		case <-t.C:
		}
	}
}

// Known reports whether the sign was ever connected.
func (w *Watch) Known(sign string) bool {
	_, known := w.known.Load(sign)
	return known
}

// begin reads the log. Between the heartbeat of the last controller and now nobody listened. It goes on so where there
// is no connection to the broker yet.
func (w *Watch) begin(ctx context.Context, now time.Time) error {
	kept, err := w.health.Latest(ctx)
	if err != nil {
		return err
	}
	heartbeat, err := w.health.Heartbeat(ctx)
	if err != nil {
		return err
	}
	var own []condition
	for i := range kept {
		c := conditionOf(&kept[i])
		w.last[c.Sign] = &logged{condition: c}
		w.known.Store(c.Sign, true)
		if c.Sign == "" && c.Online && heartbeat.After(c.At) {
			own = append(own, condition{At: heartbeat})
		}
	}
	deaf, _, _ := w.l.hearing()
	if !deaf {
		own = append(own, condition{At: now, Online: true})
	}
	if len(own) > 0 {
		if err := w.append(ctx, own); err != nil {
			return err
		}
	}
	w.ready, w.began, w.deaf = true, now, deaf
	return nil
}

// follow logs since when signs are not heard, and since when they are again.
func (w *Watch) follow(ctx context.Context) error {
	deaf, lost, back := w.l.hearing()
	var own []condition
	if (deaf || back.After(w.began)) && !w.deaf {
		own = append(own, condition{At: latest(lost, w.began.Add(time.Millisecond))})
	}
	if !deaf && (w.deaf || len(own) > 0) {
		if len(own) > 0 {
			back = latest(back, own[0].At.Add(time.Millisecond))
		}
		own = append(own, condition{At: back, Online: true})
	}
	if len(own) == 0 {
		return nil
	}
	if err := w.append(ctx, own); err != nil {
		return err
	}
	if w.deaf = deaf; !deaf {
		w.began = back
	}
	return nil
}

// hearing says whether signs are not heard, and when that began and ended last.
func (l *Listener) hearing() (deaf bool, lost, back time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.deaf, l.lost, l.back
}

func (w *Watch) append(ctx context.Context, all []condition) error {
	out := make([]playlists.Condition, len(all))
	for i, c := range all {
		out[i] = playlists.Condition{Sign: c.Sign, AtMS: c.At.UnixMilli(), Online: c.Online, Clock: c.Clock,
			Faults: c.Faults}
	}
	return w.health.Append(ctx, out)
}

func (w *Watch) end(ctx context.Context, now time.Time) error {
	if !w.ready || w.deaf {
		return nil
	}
	return w.append(ctx, []condition{{At: now}})
}

// update logs what has changed since the last update.
func (w *Watch) update(ctx context.Context, now time.Time) error {
	if !w.ready {
		if err := w.begin(ctx, now); err != nil {
			return err
		}
	}
	if err := w.follow(ctx); err != nil {
		return err
	}
	if w.deaf { // what a sign was last is no longer what it is
		return nil
	}
	var all []condition
	for _, h := range w.l.conditions(now, w.began) {
		last := w.last[h.now.Sign]
		if h.now.Online && h.back.After(w.began) && (last == nil || !last.Online && h.back.After(last.At)) {
			h.now.At = h.back // and not the time of this update
		}
		if last == nil {
			all = append(all, h.now)
			continue
		}
		if last.hour == now.Unix()/3600 && last.count >= mostPerHour && now.Sub(last.At) < time.Minute {
			continue
		}
		// It went and came back between two updates.
		if last.Online && h.now.Online && h.left.After(last.At) && h.back.After(h.left) {
			all = append(all, condition{Sign: h.now.Sign, At: h.left})
			h.now.At = h.back
		} else if last.same(&h.now) {
			continue
		}
		if !h.now.At.After(last.At) {
			h.now.At = last.At.Add(time.Millisecond)
		}
		all = append(all, h.now)
	}
	// A sign that was online when the controller ended, and has sent nothing since it is back.
	for id, last := range w.last {
		if id != "" && last.Online && now.Sub(w.began) > Silence && !w.l.active(id) {
			all = append(all, condition{Sign: id, At: w.began})
		}
	}
	if len(all) > 0 {
		if err := w.append(ctx, all); err != nil {
			return err
		}
		for _, c := range all {
			n := cmp.Or(w.last[c.Sign], &logged{})
			if n.Online != c.Online {
				w.log.Info(map[bool]string{true: "sign online", false: "sign offline"}[c.Online], "sign", c.Sign,
					"since", c.At)
			}
			if hour := now.Unix() / 3600; n.hour != hour {
				n.hour, n.count = hour, 0
			}
			n.condition = c
			n.count++
			w.last[c.Sign] = n
			w.known.Store(c.Sign, true)
		}
	}
	if now.Sub(w.heartbeat) < heartbeatEvery {
		return nil
	}
	w.heartbeat = now
	return w.health.SetHeartbeat(ctx, now)
}

// observed is a sign's condition now, and when it last went and came.
type observed struct {
	now        condition
	left, back time.Time
}

// conditions returns the condition of every sign that sent something, sorted by sign. What the broker had retained does
// not count.
func (l *Listener) conditions(now, began time.Time) []observed {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]observed, 0, len(l.signs))
	for id, h := range l.signs {
		if h.HeardAt.IsZero() || h.known.Before(l.missed) || h.Online && h.HeardAt.Before(l.missed) {
			continue
		}
		s := observed{now: condition{Sign: id, At: now}, left: h.left, back: h.back}
		switch {
		case !h.Online:
			s.now.At = latest(h.left, began)
		case now.Sub(h.HeardAt) > Silence:
			s.now.At = h.HeardAt.Add(Silence)
		default:
			s.now.Online = true
			if h.Status != nil {
				s.now.Clock = h.Status.Clock
			}
			faults := h.Faults(now)
			for _, f := range faults[:min(len(faults), mostFaults)] {
				s.now.Faults = append(s.now.Faults, short(f))
			}
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b observed) int { return cmp.Compare(a.now.Sign, b.now.Sign) })
	return out
}

// active reports whether a sign has sent anything since it is heard.
func (l *Listener) active(sign string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.signs[sign]
	return h != nil && !h.HeardAt.IsZero() && !h.HeardAt.Before(l.missed)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// short cuts a text to longFault bytes, at the end of a character.
func short(s string) string {
	if len(s) <= longFault {
		return s
	}
	n := longFault
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
