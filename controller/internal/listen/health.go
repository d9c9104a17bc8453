package listen

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"time"
	"unicode/utf8"
)

// Condition is how a sign was from a time on.
type Condition struct {
	Sign   string // "" is the controller itself, which is online while it listens
	At     time.Time
	Online bool
	Clock  string // "trusted" or "untrusted"; "" where that is not known
	Faults []string
}

func (c *Condition) same(x *Condition) bool {
	return c.Online == x.Online && c.Clock == x.Clock && slices.Equal(c.Faults, x.Faults)
}

// Diary keeps conditions.
type Diary interface {
	Note(ctx context.Context, all []Condition) error
	// Newest is the last condition of every sign.
	Newest(ctx context.Context) ([]Condition, error)
	// Alive keeps that the controller listened at that time, in place of what
	// was kept before; Lived is the last such time, zero before the first.
	Alive(ctx context.Context, at time.Time) error
	Lived(ctx context.Context) (time.Time, error)
}

// Rhythm and bounds of a health history. A sign whose condition changes all the
// time, or that wants to fill the database, is looked at less often.
const (
	lookEvery   = 5 * time.Second
	aliveEvery  = time.Minute
	mostPerHour = 60 // changes of one sign; then one a minute
	mostFaults  = 10
	longFault   = 200 // bytes
)

// Watch writes down how the conditions of signs change.
type Watch struct {
	l     *Listener
	diary Diary
	log   *slog.Logger

	began time.Time
	alive time.Time
	last  map[string]*noted
}

// noted is what the diary holds of a sign.
type noted struct {
	Condition
	hour  int64 // since 1970, in which its changes are counted
	count int
}

// NewWatch makes one beside a listener; Run does the work.
func NewWatch(l *Listener, d Diary, log *slog.Logger) *Watch {
	return &Watch{l: l, diary: d, log: log, last: map[string]*noted{}}
}

// Run writes until ctx ends, and then that nobody listens any more.
func (w *Watch) Run(ctx context.Context) {
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	for {
		if err := w.look(ctx, w.l.now()); err != nil && ctx.Err() == nil {
			w.log.Warn("how signs are was not written down", "err", err)
		}
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			if err := w.end(last, w.l.now()); err != nil {
				w.log.Warn("the end of listening was not written down", "err", err)
			}
			return
		case <-t.C:
		}
	}
}

// begin reads what the diary holds. Between the end of the last controller and
// now nobody listened.
func (w *Watch) begin(ctx context.Context, now time.Time) error {
	all, err := w.diary.Newest(ctx)
	if err != nil {
		return err
	}
	lived, err := w.diary.Lived(ctx)
	if err != nil {
		return err
	}
	var own []Condition
	for _, c := range all {
		w.last[c.Sign] = &noted{Condition: c}
		if c.Sign == "" && c.Online && lived.After(c.At) {
			own = append(own, Condition{At: lived})
		}
	}
	if err := w.diary.Note(ctx, append(own, Condition{At: now, Online: true})); err != nil {
		return err
	}
	w.began = now
	return nil
}

func (w *Watch) end(ctx context.Context, now time.Time) error {
	if w.began.IsZero() {
		return nil
	}
	return w.diary.Note(ctx, []Condition{{At: now}})
}

// look writes down what has changed since the last look.
func (w *Watch) look(ctx context.Context, now time.Time) error {
	if w.began.IsZero() {
		if err := w.begin(ctx, now); err != nil {
			return err
		}
	}
	var all []Condition
	for _, h := range w.l.conditions(now, w.began) {
		last := w.last[h.now.Sign]
		if h.now.Online && h.back.After(w.began) && (last == nil || !last.Online && h.back.After(last.At)) {
			h.now.At = h.back // and not when it was seen
		}
		if last == nil {
			all = append(all, h.now)
			continue
		}
		if last.hour == now.Unix()/3600 && last.count >= mostPerHour && now.Sub(last.At) < time.Minute {
			continue
		}
		// It was away and came back between two looks.
		if last.Online && h.now.Online && h.left.After(last.At) && h.back.After(h.left) {
			all = append(all, Condition{Sign: h.now.Sign, At: h.left})
			h.now.At = h.back
		} else if last.same(&h.now) {
			continue
		}
		if !h.now.At.After(last.At) {
			h.now.At = last.At.Add(time.Millisecond)
		}
		all = append(all, h.now)
	}
	// A sign that was there when the controller ended, and has not been heard
	// since it is back.
	for id, last := range w.last {
		if id != "" && last.Online && now.Sub(w.began) > Silence && !w.l.heardSince(id) {
			all = append(all, Condition{Sign: id, At: w.began})
		}
	}
	if len(all) > 0 {
		if err := w.diary.Note(ctx, all); err != nil {
			return err
		}
		for _, c := range all {
			n := cmp.Or(w.last[c.Sign], &noted{})
			if hour := now.Unix() / 3600; n.hour != hour {
				n.hour, n.count = hour, 0
			}
			n.Condition = c
			n.count++
			w.last[c.Sign] = n
		}
	}
	if now.Sub(w.alive) < aliveEvery {
		return nil
	}
	w.alive = now
	return w.diary.Alive(ctx, now)
}

// seen is a sign's condition, and when it last went and came.
type seen struct {
	now        Condition
	left, back time.Time
}

// conditions are those of every sign that was heard, sorted. What the broker
// had kept is no sign of life.
func (l *Listener) conditions(now, began time.Time) []seen {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]seen, 0, len(l.signs))
	for id, h := range l.signs {
		if h.HeardAt.IsZero() {
			continue
		}
		s := seen{now: Condition{Sign: id, At: now}, left: h.left, back: h.back}
		switch {
		case !h.Online:
			s.now.At = latest(h.left, began)
		case now.Sub(h.HeardAt) > Silence:
			s.now.At = h.HeardAt.Add(Silence)
		default:
			s.now.Online = true
			if h.Proof != "" {
				s.now.Faults = append(s.now.Faults, short(h.Proof))
			}
			if h.Status != nil {
				s.now.Clock = h.Status.Clock
				for _, f := range h.Status.Faults[:min(len(h.Status.Faults), mostFaults)] {
					s.now.Faults = append(s.now.Faults, short(f))
				}
			}
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b seen) int { return cmp.Compare(a.now.Sign, b.now.Sign) })
	return out
}

func (l *Listener) heardSince(sign string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.signs[sign]
	return h != nil && !h.HeardAt.IsZero()
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// short cuts a text where a character ends.
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
