package output

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

// aliveFor is how many repeats a stream makes without a picture or Keep. Then it stops, and its receivers go dark: a
// sign whose play loop hangs must not hold an ended alert on the face for ever.
const aliveFor = 30

// resolveTimeout bounds one look-up of a receiver's name.
const resolveTimeout = 5 * time.Second

// Keeper is an output that repeats a still by itself, because its receivers go dark without data. Call Keep at least
// every 10 s, from the play loop: it proves that the loop is alive.
type Keeper interface {
	Output
	Keep()
}

// sender puts packets on a network. to counts the packets of a frame from 0.
type sender interface {
	send(to int, packet []byte) error
	close() error
}

// packer turns a frame of LEDs into packets.
type packer interface {
	frame(to sender, leds []byte) error
	end(to sender) // ends the stream
}

// stream sends faces over a network and repeats the last one. Names are looked
// up beside the play loop: a face must not wait for a DNS server, and a sign
// starts without a network.
type stream struct {
	spec   string
	layout *layout
	pack   packer
	every  time.Duration
	early  int // so many repeats follow a picture at once
	host   string
	open   func(to net.IP) (sender, error)
	stop   context.CancelFunc
	done   chan struct{}

	mu     sync.Mutex
	to     sender // nil until the receiver's address is known
	why    error  // while to is nil
	leds   []byte
	shown  bool
	left   int // repeats that may still be made without a sign of life
	early0 int // early repeats that are still to be made
	timer  *time.Timer
}

// earlyEvery is the distance of early repeats.
const earlyEvery = 50 * time.Millisecond

func newStream(spec string, l *layout, every time.Duration, early int, host string, open func(net.IP) (sender, error),
	pack packer) *stream {
	ctx, stop := context.WithCancel(context.Background())
	s := &stream{spec: spec, layout: l, pack: pack, every: every, early: early, host: host, open: open,
		stop: stop, done: make(chan struct{}), leds: make([]byte, 3*len(l.from)), left: aliveFor,
		why: fmt.Errorf("the address of %q is not known yet; check the network and the name",
			host), timer: time.NewTimer(every)}
	if ip := net.ParseIP(host); ip != nil {
		s.connect(ip)
	}
	go s.run(ctx)
	return s
}

// Show sends a picture. It returns nil once every packet was handed to the network.
func (s *stream) Show(p Picture) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.layout.leds(s.leds, p); err != nil {
		return fmt.Errorf("output %s: %w", s.spec, err)
	}
	s.shown, s.left, s.early0 = true, aliveFor, s.early
	s.timer.Reset(s.pause())
	return s.put()
}

// put sends what is in leds. s.mu is held.
func (s *stream) put() error {
	if s.to == nil {
		return fmt.Errorf("output %s: %w", s.spec, s.why)
	}
	if err := s.pack.frame(s.to, s.leds); err != nil {
		return fmt.Errorf("output %s: %w", s.spec, err)
	}
	return nil
}

func (s *stream) pause() time.Duration {
	if s.early0 > 0 {
		s.early0--
		return earlyEvery
	}
	return s.every
}

// Keep is Keeper's.
func (s *stream) Keep() {
	s.mu.Lock()
	s.left = aliveFor
	s.mu.Unlock()
}

func (s *stream) connect(ip net.IP) {
	to, err := s.open(ip)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.why = err
		return
	}
	s.to = to
}

func (s *stream) run(ctx context.Context) {
	defer close(s.done)
	for {
		if s.missing() {
			s.resolve(ctx)
		}
		select {
		case <-ctx.Done():
			return
		case <-s.timer.C:
			s.repeat()
		}
	}
}

func (s *stream) missing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.to == nil
}

func (s *stream) resolve(ctx context.Context) {
	if ip := net.ParseIP(s.host); ip != nil {
		s.connect(ip)
		return
	}
	c, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	ips, err := net.DefaultResolver.LookupIP(c, "ip", s.host)
	if err != nil || len(ips) == 0 {
		s.mu.Lock()
		s.why = fmt.Errorf("the address of %q is not known: %w", s.host, err)
		s.mu.Unlock()
		return
	}
	s.connect(ips[0])
}

func (s *stream) repeat() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timer.Reset(s.pause())
	if !s.shown || s.left <= 0 {
		return
	}
	s.left--
	// Ignore a failure: the next picture reports it.
	_ = s.put()
}

// Close ends the stream: receivers go dark.
func (s *stream) Close() error {
	s.stop()
	<-s.done
	s.timer.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.to == nil {
		return nil
	}
	if s.shown {
		s.pack.end(s.to)
	}
	return s.to.close()
}

// localAddr is where a stream sends from, or nil for the system's choice.
func (m Map) localAddr() (*net.UDPAddr, error) {
	if m.From == "" {
		return nil, nil
	}
	ip := net.ParseIP(m.From)
	if ip == nil {
		return nil, fmt.Errorf("from %q is not an IP address of this machine, e.g. 192.168.7.2", m.From)
	}
	return &net.UDPAddr{IP: ip}, nil
}
