package box

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"

	"ledcast/playlists/timeline"
	"ledcast/sign/accept"
	"ledcast/sign/link"
	"ledcast/sign/wire"
)

const (
	fetchAtOnce  = 4
	fetchTimeout = 30_000  // ms, then missing-frame
	fetchFirst   = 5_000   // ms before the second try, doubling
	fetchLast    = 300_000 // at most
)

// fetcher gets frames by subscribing to their exact topics, four at once.
type fetcher struct {
	b      *Box
	wanted map[string]*fetch // by topic
	queue  []string          // topics that wait for a turn
	active int
}

type fetch struct {
	frame   timeline.Frame
	running bool
	at      int64 // mono: a running one's deadline, a waiting one's next try
	backoff int64
	queued  bool
}

func (f *fetcher) init(b *Box) { f.b, f.wanted = b, map[string]*fetch{} }

// want asks for a frame unless it is being asked for already.
func (f *fetcher) want(ctx context.Context, topic string, frame timeline.Frame, mono int64) {
	if f.wanted[topic] != nil {
		return
	}
	f.wanted[topic] = &fetch{frame: frame, backoff: fetchFirst, queued: true}
	f.queue = append(f.queue, topic)
	f.fill(ctx, mono)
}

func (f *fetcher) fill(ctx context.Context, mono int64) {
	c := f.b.conn
	if c == nil {
		return
	}
	for f.active < fetchAtOnce && len(f.queue) > 0 {
		topic := f.queue[0]
		f.queue = f.queue[1:]
		w := f.wanted[topic]
		if w == nil || !w.queued {
			continue
		}
		w.queued, w.running, w.at = false, true, mono+fetchTimeout
		f.active++
		// The answer is a message on the topic. After a refused or lost subscription none comes, and the try
		// times out.
		go func() { _ = c.Subscribe(ctx, map[string]byte{topic: byte(f.b.cfg.QoS)}) }()
	}
}

// arrived takes a frame from its topic. It ignores topics that were not asked for.
func (f *fetcher) arrived(ctx context.Context, topic string, data []byte, mono int64) {
	w := f.wanted[topic]
	if w == nil {
		return
	}
	if _, err := wire.OpenFrame(data, &w.frame, f.b.cfg.Class); err != nil {
		f.b.log.Warn("frame refused", "frame", w.frame.SHA256, "err", err)
		f.b.step(ctx, accept.FrameFailed{SHA256: w.frame.SHA256, Reason: wire.BadFrame}, mono)
		f.later(ctx, topic, mono)
		return
	}
	if err := f.b.frames.put(&w.frame, data, f.b.needed); err != nil {
		f.b.fault("disk", err)
		if !strings.Contains(topic, "/alerts") || !f.b.frames.hold(w.frame.SHA256, data, f.b.needed) {
			f.later(ctx, topic, mono)
			return
		}
	}
	f.done(ctx, topic)
	f.b.frames.forget(w.frame.SHA256)
	f.fill(ctx, mono)
	f.b.advance(ctx, mono)
	f.b.step(ctx, accept.FramesChanged{}, mono)
	f.b.redraw = f.b.redraw || f.b.blank // what could not be drawn may be drawable now
	f.b.due["scrub"] = min(f.b.due["scrub"], mono+1000)
}

// done ends a fetch.
func (f *fetcher) done(ctx context.Context, topic string) {
	w := f.wanted[topic]
	if w == nil {
		return
	}
	delete(f.wanted, topic)
	f.stop(ctx, topic, w)
}

func (f *fetcher) stop(ctx context.Context, topic string, w *fetch) {
	if !w.running {
		return
	}
	w.running = false
	f.active--
	if c := f.b.conn; c != nil {
		go func(c link.Conn) { _ = c.Unsubscribe(ctx, topic) }(c)
	}
}

// later ends a try and schedules the next one, or forgets a frame that no document names any more.
func (f *fetcher) later(ctx context.Context, topic string, mono int64) {
	w := f.wanted[topic]
	f.stop(ctx, topic, w)
	if !f.b.needed(w.frame.SHA256) {
		delete(f.wanted, topic)
	}
	w.at = mono + w.backoff/2 + rand.Int64N(w.backoff/2)
	w.backoff = min(2*w.backoff, fetchLast)
	f.fill(ctx, mono)
}

// expire ends tries that took too long and begins those that are due. It returns the mono of its next call.
func (f *fetcher) expire(ctx context.Context, mono int64) int64 {
	next := int64(math.MaxInt64)
	if f.b.conn == nil {
		return next
	}
	for topic, w := range f.wanted {
		switch {
		case w.queued:
			continue
		case w.running && mono >= w.at:
			f.b.step(ctx, accept.FrameFailed{SHA256: w.frame.SHA256, Reason: wire.MissingFrame}, mono)
			f.later(ctx, topic, mono)
		case !w.running && mono >= w.at:
			w.queued = true
			f.queue = append(f.queue, topic)
			f.fill(ctx, mono)
		}
		if w.at > mono {
			next = min(next, w.at)
		}
	}
	return next
}

// down queues every running fetch again, because the connection is gone.
func (f *fetcher) down() {
	f.active = 0
	for topic, w := range f.wanted {
		w.running = false
		if !w.queued {
			w.queued = true
			f.queue = append(f.queue, topic)
		}
	}
}

// resume goes on after a reconnect.
func (f *fetcher) resume(ctx context.Context, mono int64) { f.fill(ctx, mono) }
