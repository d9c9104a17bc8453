package report_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"ledcast/playlists"
	"ledcast/sign/link"
	"ledcast/sign/output"
)

// network is a broker in memory. It has retained messages and exact topic filters, and stores what the signs
// publish in order.
type network struct {
	mu        sync.Mutex
	retained  map[string][]byte
	conns     map[string]*conn // by sign
	cut       map[string]chan struct{}
	published []link.Message
}

type conn struct {
	n       *network
	sign    string
	session string
	subs    map[string]bool
	in      chan link.Message
	gone    chan struct{}
}

func (c *conn) Session() string { return c.session }

func (c *conn) Publish(_ context.Context, m link.Message) error {
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	if c.n.conns[c.sign] != c {
		return link.ErrDown
	}
	c.n.published = append(c.n.published, m)
	if m.Retained {
		c.n.retained[m.Topic] = m.Payload
	}
	return nil
}

func (c *conn) Subscribe(_ context.Context, topics map[string]byte) error {
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	for _, t := range slices.Sorted(maps.Keys(topics)) {
		c.subs[t] = true
		if p := c.n.retained[t]; p != nil {
			c.in <- link.Message{Topic: t, Payload: p, Retained: true}
		}
	}
	return nil
}

func (c *conn) Unsubscribe(_ context.Context, topics ...string) error {
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	for _, t := range topics {
		delete(c.subs, t)
	}
	return nil
}

type memoryLink struct {
	n    *network
	sign string
	o    link.Options
}

func (l *memoryLink) Run(ctx context.Context) error {
	for k := 0; ; k++ {
		l.n.mu.Lock()
		cut := l.n.cut[l.sign]
		if cut != nil {
			l.n.mu.Unlock()
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-cut:
				continue
			}
		}
		c := &conn{n: l.n, sign: l.sign, session: fmt.Sprintf("%s-%d-%d", l.sign, time.Now().UnixMilli(), k),
			subs: map[string]bool{}, in: make(chan link.Message, 256), gone: make(chan struct{})}
		l.n.conns[l.sign] = c
		l.n.mu.Unlock()
		l.o.Up(c)
		for up := true; up; {
			select {
			case m := <-c.in:
				l.o.Message(m)
			case <-c.gone:
				up = false
			case <-ctx.Done():
				_ = c.Publish(ctx, *l.o.Will(c.session)) // the broker publishes the will
				l.n.mu.Lock()
				delete(l.n.conns, l.sign)
				l.n.mu.Unlock()
				return ctx.Err()
			}
		}
		l.o.Down(link.ErrDown)
	}
}

// link cuts or restores the link of a sign.
func (n *network) link(sign string, up bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case up && n.cut[sign] != nil:
		close(n.cut[sign])
		delete(n.cut, sign)
	case !up && n.cut[sign] == nil:
		n.cut[sign] = make(chan struct{})
		if c := n.conns[sign]; c != nil {
			close(c.gone)
			delete(n.conns, sign)
		}
	}
}

func (n *network) send(topic string, payload []byte, retained bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if retained {
		n.retained[topic] = payload
	}
	for _, c := range n.conns {
		if c.subs[topic] {
			c.in <- link.Message{Topic: topic, Payload: payload}
		}
	}
}

// countingOutput is an output that counts what it shows, independently of the sign's own records.
type countingOutput struct {
	mu   sync.Mutex
	last output.Picture
	put  map[playlists.Play]*[2]int64 // number of plays and ms, by what was shown
}

func (w *countingOutput) Show(p output.Picture) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p.Changed {
		w.close(p.AtMS)
		w.last = output.Picture{AtMS: p.AtMS, Item: p.Item, Frame: p.Frame, Why: p.Why}
		w.sum(&w.last)[0]++
	}
	return nil
}

func (w *countingOutput) Close() error { return nil }

func (w *countingOutput) sum(p *output.Picture) *[2]int64 {
	k := playlists.Play{Item: p.Item, Frame: p.Frame, Why: p.Why}
	if w.put[k] == nil {
		w.put[k] = &[2]int64{}
	}
	return w.put[k]
}

// close ends the current picture and returns atMS.
func (w *countingOutput) close(atMS int64) int64 {
	if w.last.AtMS > 0 {
		w.sum(&w.last)[1] += atMS - w.last.AtMS
	}
	w.last = output.Picture{}
	return atMS
}

// cut ends the current picture at a power cut. It returns the time until which the sign can have records: the time
// since the last record, at a quarter of an hour, is lost.
func (w *countingOutput) cut(nowMS int64) int64 {
	const quarter = 15 * 60_000
	return w.close(max(w.last.AtMS, nowMS/quarter*quarter))
}
