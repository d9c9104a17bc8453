// Package crowd runs thousands of light signs in one process, for `controller simulate`.
//
// Each sign has a connection of its own, kept by sign/link as a real sign's is. It subscribes as a sign does, accepts
// documents with the machine of sign/accept, checks the digests of alert frames, and acks. It has no face and no
// disk: its floors are in memory, a program's frames count as there, and an alert shows once its set is accepted and
// its frames are there. It reads no clock but the system's.
package crowd

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"ledcast/sign/accept"
	"ledcast/sign/link"
	"ledcast/sign/wire"
)

// Mark begins a payload that belongs to no document: of such a message on the
// alert set's topic the time is noted under the name that follows, up to a
// line break, and nothing else is done.
const Mark = "bare:"

// Setup holds for all signs of a crowd.
type Setup struct {
	Broker   string `json:"broker"`
	Root     string `json:"root"`
	Spare    string `json:"root_spare"`
	Software string `json:"software"`
	RampUS   int64  `json:"ramp_us"` // between the first connections of two signs
	AtOnce   bool   `json:"at_once"` // signs check and ack while others still read
}

// Sign is one sign's config.
type Sign struct {
	Sign     string   `json:"sign"`
	Class    string   `json:"class"`
	Areas    []string `json:"areas"`
	Password string   `json:"password"`
}

// A real sign has a processor of its own: what one checks does not delay what
// another reads. Here they share one, so that all that is there is read first,
// until nothing has come for settleFor or others have waited for settleMost.
const (
	settleFor  = 20 * time.Millisecond
	settleMost = 2 * time.Second
)

// Count counts the signs of a crowd by how far they are.
type Count struct {
	Subscribed int            `json:"subscribed"` // online, and every subscription granted
	Ready      int            `json:"ready"`      // of these, with keys and a program that they have accepted
	Connects   int            `json:"connects"`   // since the start
	Resyncs    int            `json:"resyncs"`    // requests to subscribe again, since the start
	Rejected   map[string]int `json:"rejected"`   // refused documents by reason, since the start
	// Of the alert, or mark, that was asked for; each sign once.
	Received int `json:"received"`
	Showing  int `json:"showing"`
	Ended    int `json:"ended"`
}

// track follows one alert or mark on every sign.
type track struct {
	at             []int64 // receipt, Unix ns; 0 is not yet
	showing, ended []bool
}

// Crowd is the signs of one process. Run does the work.
type Crowd struct {
	setup Setup
	roots wire.Roots
	signs []*sign
	log   *slog.Logger

	mu    sync.Mutex
	queue []event
	last  time.Time     // when the last of them came
	wake  chan struct{} // of capacity 1
	asks  chan func()   // between two batches

	// Of the worker alone.
	tracks   map[string]*track
	rejected map[string]int
	connects int
	resyncs  int
}

// sign is one sign. But for out and sending it belongs to the worker.
type sign struct {
	Sign
	n          int
	conn       link.Conn // nil while there is none
	subscribed bool
	machine    *accept.Machine
	frames     map[string]bool // alert frames that came with the right digest

	mu      sync.Mutex
	out     []link.Message
	over    link.Conn // what out goes over
	sending bool
}

// event is something for the worker.
type event struct {
	s    *sign
	kind int
	conn link.Conn
	m    link.Message
	at   int64 // Unix ns of its arrival
}

const (
	isMessage = iota
	isUp
	isSubscribed
	isDown
)

// New checks the setup.
func New(setup Setup, signs []Sign, log *slog.Logger) (*Crowd, error) {
	c := &Crowd{
		setup:    setup,
		log:      log,
		wake:     make(chan struct{}, 1),
		asks:     make(chan func()),
		tracks:   map[string]*track{},
		rejected: map[string]int{},
	}
	var err error
	if c.roots.Root, err = wire.DecodeKey(setup.Root); err != nil {
		return nil, fmt.Errorf("root: %w", err)
	}
	if c.roots.Spare, err = wire.DecodeKey(setup.Spare); err != nil {
		return nil, fmt.Errorf("root_spare: %w", err)
	}
	for i := range signs {
		c.signs = append(c.signs,
			&sign{Sign: signs[i], n: i, machine: c.machineOf(&signs[i]), frames: map[string]bool{}})
	}
	return c, nil
}

// Run keeps every sign connected until ctx ends.
func (c *Crowd) Run(ctx context.Context) error {
	var done sync.WaitGroup
	defer done.Wait()
	for _, s := range c.signs {
		l, err := c.link(ctx, s)
		if err != nil {
			return err
		}
		wait := time.Duration(c.setup.RampUS*int64(s.n)) * time.Microsecond
		done.Go(func() {
			select {
			case <-ctx.Done():
			case <-time.After(wait):
				_ = l.Run(ctx) // ends with ctx
			}
		})
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case f := <-c.asks:
			f()
			continue
		case <-c.wake:
		}
		if !c.setup.AtOnce {
			c.settle(ctx)
		}
		c.mu.Lock()
		batch := c.queue
		c.queue = nil
		c.mu.Unlock()
		for i := range batch {
			c.handle(ctx, &batch[i])
		}
	}
}

// settle lets all that is there be read.
func (c *Crowd) settle(ctx context.Context) {
	most := time.NewTimer(settleMost)
	defer most.Stop()
	for {
		c.mu.Lock()
		wait := settleFor - time.Since(c.last)
		c.mu.Unlock()
		if wait <= 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case f := <-c.asks:
			f()
		case <-most.C:
			return
		case <-time.After(wait):
		}
	}
}

func (c *Crowd) link(ctx context.Context, s *sign) (*link.Link, error) {
	status := wire.SignTopic(s.Sign.Sign, wire.LeafStatus)
	return link.New(link.Options{
		Broker:   c.setup.Broker,
		ClientID: s.Sign.Sign,
		Username: s.Sign.Sign,
		Password: s.Password,
		Log:      c.log,
		Will: func(session string) *link.Message {
			data, _ := json.Marshal(
				wire.Status{V: 1, State: wire.Offline, Session: session, AtMS: time.Now().UnixMilli()},
			)
			return &link.Message{Topic: status, Payload: data, QoS: 1, Retained: true}
		},
		Up: func(conn link.Conn) {
			c.put(event{s: s, kind: isUp, conn: conn})
			go c.subscribe(ctx, s, conn)
		},
		Down:    func(error) { c.put(event{s: s, kind: isDown}) },
		Message: func(m link.Message) { c.put(event{s: s, kind: isMessage, m: m, at: time.Now().UnixNano()}) },
	})
}

// put queues an event. It never blocks: a connection's time of receipt must not
// depend on how long other signs' checks take.
func (c *Crowd) put(e event) {
	c.mu.Lock()
	c.queue = append(c.queue, e)
	c.last = time.Now()
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *Crowd) subscribe(ctx context.Context, s *sign, conn link.Conn) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	err := conn.Subscribe(
		ctx,
		map[string]byte{
			wire.TopicKeys: 0,
			wire.SignTopic(s.Sign.Sign, wire.LeafRequest): 0,
			wire.SignTopic(s.Sign.Sign, wire.LeafProgram): 0,
			wire.AlertsTopic(s.Class, false):              0,
			wire.AlertFrameTopic(s.Class, false, "+"):     0,
		},
	)
	if err != nil {
		c.log.Warn("not subscribed", "sign", s.Sign.Sign, "err", err)
		return
	}
	c.put(event{s: s, kind: isSubscribed, conn: conn})
}

func (c *Crowd) handle(ctx context.Context, e *event) {
	s := e.s
	switch e.kind {
	case isUp:
		s.conn, s.subscribed = e.conn, false
		c.connects++
	case isDown:
		s.conn, s.subscribed = nil, false
	case isSubscribed:
		if s.conn == e.conn {
			if !s.subscribed {
				s.subscribed = true
				c.sendStatus(ctx, s)
			}
		}
	case isMessage:
		c.message(ctx, s, e.m, e.at)
	}
}

// ask runs f in the worker and waits for it.
func (c *Crowd) ask(ctx context.Context, f func()) error {
	done := make(chan struct{})
	select {
	case c.asks <- func() { f(); close(done) }:
	case <-ctx.Done():
		return ctx.Err()
	}
	<-done
	return nil
}

// Count counts how far the crowd is, and how far it is with an alert or mark; "" for none.
func (c *Crowd) Count(ctx context.Context, of string) (n Count, err error) {
	err = c.ask(ctx, func() {
		n = Count{Connects: c.connects, Resyncs: c.resyncs, Rejected: map[string]int{}}
		for reason, k := range c.rejected {
			n.Rejected[reason] = k
		}
		for _, s := range c.signs {
			if s.subscribed {
				n.Subscribed++
				if s.machine.Keys() != nil && s.machine.Program() != nil {
					n.Ready++
				}
			}
		}
		t := c.tracks[of]
		if t == nil {
			return
		}
		for i := range c.signs {
			if t.at[i] != 0 {
				n.Received++
			}
			if t.showing[i] {
				n.Showing++
			}
			if t.ended[i] {
				n.Ended++
			}
		}
	})
	return n, err
}

// Times returns when each sign received an alert's first set, or a mark, in Unix ns; 0 is never. It forgets the alert
// or mark.
func (c *Crowd) Times(ctx context.Context, of string) (at []int64, err error) {
	err = c.ask(ctx, func() {
		if t := c.tracks[of]; t != nil {
			at = t.at
			delete(c.tracks, of)
			return
		}
		at = make([]int64, len(c.signs))
	})
	return at, err
}

func (c *Crowd) track(of string) *track {
	t := c.tracks[of]
	if t == nil {
		n := len(c.signs)
		t = &track{at: make([]int64, n), showing: make([]bool, n), ended: make([]bool, n)}
		c.tracks[of] = t
	}
	return t
}

// marked returns the name of a mark, and false for other payloads.
func marked(payload []byte) (name string, ok bool) {
	rest, ok := bytes.CutPrefix(payload, []byte(Mark))
	if !ok {
		return "", false
	}
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	return string(line), true
}
