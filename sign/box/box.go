package box

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"image"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"path/filepath"
	"time"

	"ledcast/playlists/timeline"
	"ledcast/sign/accept"
	"ledcast/sign/link"
	"ledcast/sign/ntp"
	"ledcast/sign/output"
	"ledcast/sign/player"
	"ledcast/sign/wire"
)

// Times of a box in ms (docs/protocol.md, "What a sign says" and "Repeating and reconnecting").
const (
	statusEvery    = 5 * 60_000
	saveEvery      = 10 * 60_000 // of the clock and the last contact; a memory card wears out
	scrubEvery     = 60_000
	resubEvery     = 10 * 60_000     // what is urgent
	resubAllEvery  = 6 * 60 * 60_000 // everything: the controller asks for a resync where a program is behind
	ntpEvery       = 60_000
	timeWindow     = 5_000   // a signed time must come so soon after the status
	pictureTimeout = 120_000 // a picture sign without a picture goes dark
	identifyFor    = 10_000
	frameInterval  = 1000 / 60 // of a scroll
)

// Times is where a box reads the time from.
type Times struct {
	Mono   func() int64         // ms since some fixed moment, never set back
	System func() (int64, bool) // Unix ms, and whether NTP holds it
}

// RealTimes reads the machine's clocks.
func RealTimes() Times {
	start := time.Now()
	return Times{
		Mono:   func() int64 { return time.Since(start).Milliseconds() },
		System: func() (int64, bool) { return time.Now().UnixMilli(), ntp.Holds() },
	}
}

// Options describe a box.
type Options struct {
	Config   Config
	Dir      string // its own data folder
	Outputs  []output.Output
	Times    Times // zero: RealTimes
	Software string
	Log      *slog.Logger
	CacheCap int64 // bytes of frames on disk; 0 is 128 MiB
	// Network makes the link; nil is link.New. Tests put a broker in memory here.
	Network func(link.Options) (Runner, error)
	// Gate and Opened are link.Options' of the same names.
	Gate   func(ctx context.Context) error
	Opened func(local net.Addr)
	// Alive, if set, is called by the play loop at least every 5 s: feed a watchdog there.
	Alive func()

	write func(dir, name string, data []byte) error // in place of writeSynced: tests cut the power here
}

// Runner keeps a connection until ctx ends, as *link.Link does.
type Runner interface {
	Run(ctx context.Context) error
}

// Box is a sign.
type Box struct {
	o      Options
	cfg    Config
	w, h   int
	log    *slog.Logger
	times  Times
	disk   *disk
	key    ed25519.PrivateKey
	player *player.Player
	link   Runner
	in     chan any // events of the link and the fetches
	out    chan outgoing

	machine *accept.Machine
	fetches fetcher
	proof   *playLog
	proofAt int64 // mono of the next sending of a record
	frames  *frameCache

	conn      link.Conn
	upMS      int64 // mono of the last online status
	face      *image.RGBA
	shown     timeline.Shown
	drawn     bool // something was put out
	lastKey   string
	blank     bool // the present frame could not be drawn
	redraw    bool // put the face out again although nothing changed
	shownKey  string
	due       map[string]int64 // mono of each periodic duty
	faults    map[string]bool
	identify  int64 // mono until which the border flashes
	startMono int64

	picture     image.Image // of a picture sign
	pictureSHA  string
	pictureMono int64
}

// New opens the data folder and everything accepted before. Its errors name
// what is wrong with the config or the folder.
func New(o Options) (*Box, error) {
	if err := o.Config.Validate(); err != nil {
		return nil, err
	}
	if o.Times.Mono == nil {
		o.Times = RealTimes()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if o.CacheCap == 0 {
		o.CacheCap = 128 << 20
	}
	w, h, _ := o.Config.size()
	roots, _ := o.Config.roots()
	b := &Box{
		o: o, cfg: o.Config, w: w, h: h, log: o.Log.With("sign", o.Config.Sign), times: o.Times,
		in: make(chan any, 256), out: make(chan outgoing, 256),
		due: map[string]int64{}, faults: map[string]bool{},
		face: image.NewRGBA(image.Rect(0, 0, w, h)),
	}
	player.Darken(b.face)
	var err error
	if b.disk, err = openDisk(o.Dir); errors.Is(err, errStateLost) {
		b.faults["state-lost"] = true
	} else if err != nil {
		return nil, err
	}
	if o.write != nil {
		b.disk.write = o.write
	}
	if b.key, err = b.disk.key(); err != nil {
		return nil, err
	}
	roots.FirstRetired = b.disk.state.FirstRetired
	b.machine = accept.New(accept.Config{Sign: b.cfg.Sign, Class: b.cfg.Class, Areas: b.cfg.Areas, Test: b.cfg.Test,
		Picture: b.cfg.picture(), Roots: roots})
	mono := b.times.Mono()
	b.startMono = mono
	system, trusted := b.times.System()
	b.player = player.New(b.cfg.Sign, b.cfg.Areas, player.StartClock(mono, system, b.disk.state.SavedMS, trusted))
	b.player.SetContact(b.disk.state.ContactMS)
	b.disk.stamp = func(s *state) {
		s.SavedMS, s.ContactMS = b.player.Clock.Now(b.times.Mono()), b.player.LastContact()
		s.Ended = b.machine.Ended()
	}
	if b.frames, err = newFrameCache(b.disk, b.cfg.Class, w, h, o.CacheCap); err != nil {
		return nil, err
	}
	if b.proof, err = openPlayLog(filepath.Join(o.Dir, "played"), &b.disk.state.Chain,
		b.player.Clock.Now(mono)); err != nil {
		return nil, fmt.Errorf("the proof of play: %w", err)
	}
	b.closeCutOff(mono)
	b.fetches.init(b)
	b.restore(mono)
	b.link, err = b.newLink()
	return b, err
}

func (b *Box) newLink() (Runner, error) {
	tlsConf, err := b.cfg.tls()
	if err != nil {
		return nil, err
	}
	o := link.Options{
		Broker: b.cfg.Broker, ClientID: b.cfg.Sign, Username: b.cfg.Username, Password: b.cfg.Password,
		TLS: tlsConf, Gate: b.o.Gate, Opened: b.o.Opened, Log: b.log,
		Will: func(session string) *link.Message {
			return &link.Message{
				Topic:    wire.SignTopic(b.cfg.Sign, wire.LeafStatus),
				Payload:  b.will(session),
				QoS:      1,
				Retained: true,
			}
		},
		Up:      func(c link.Conn) { b.in <- eventUp{c} },
		Down:    func(err error) { b.in <- eventDown{err} },
		Message: func(m link.Message) { b.in <- eventMessage{m} },
	}
	if b.o.Network != nil {
		return b.o.Network(o)
	}
	return link.New(o)
}

type (
	eventUp         struct{ conn link.Conn }
	eventSubscribed struct {
		conn link.Conn
		err  error
	}
	eventDown    struct{ err error }
	eventMessage struct{ m link.Message }
)

// Run plays until ctx ends. It begins with what is on disk, before there is a
// network. It returns nil after a clean stop.
func (b *Box) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	mono := b.times.Mono()
	for duty, every := range map[string]int64{"status": statusEvery, "save": saveEvery, "scrub": scrubEvery,
		"ntp": ntpEvery} {
		b.due[duty] = mono + every
	}
	b.present()

	linkDone := make(chan struct{})
	go func() { defer close(linkDone); _ = b.link.Run(ctx) }()
	senderDone := make(chan struct{})
	go func() { defer close(senderDone); b.send(ctx) }()

	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		next := min(b.present(), b.duties(ctx), b.prove(b.times.Mono(), false), b.beat())
		mono := b.times.Mono()
		timer.Reset(time.Duration(min(max(next-mono, 0), 3_600_000)) * time.Millisecond)
		select {
		case <-ctx.Done():
		case ev := <-b.in:
			b.handle(ctx, ev)
		case <-timer.C:
		}
	}
	// The link ends first; its last events still need a reader.
	for running := true; running; {
		select {
		case <-b.in:
		case <-linkDone:
			running = false
		}
	}
	<-senderDone
	b.conn = nil
	b.prove(b.times.Mono(), true)
	b.save()
	err := b.proof.journal.Close()
	for _, o := range b.o.Outputs {
		err = errors.Join(err, o.Close())
	}
	return err
}

func (b *Box) handle(ctx context.Context, ev any) {
	mono := b.times.Mono()
	switch ev := ev.(type) {
	case eventUp:
		b.conn = ev.conn
		b.player.Contact(mono)
		go b.subscribe(ctx, ev.conn, true)
	case eventSubscribed:
		if ev.conn != b.conn {
			return
		}
		if ev.err != nil {
			b.log.Warn("subscribing failed", "err", ev.err)
			b.due["resub-all"] = mono + 5_000 + rand.Int64N(5_000)
			return
		}
		b.due["resub"] = mono + resubEvery*9/10 + rand.Int64N(resubEvery/5)
		if _, ok := b.due["resub-all"]; !ok || b.due["resub-all"] <= mono {
			b.due["resub-all"] = mono + resubAllEvery*9/10 + rand.Int64N(resubAllEvery/5)
		}
		b.sendStatus(mono)
		b.fetches.resume(ctx, mono)
		b.proofAt = mono
	case eventDown:
		b.player.Contact(mono)
		b.conn = nil
		delete(b.due, "resub")
		delete(b.due, "resub-all")
		b.fetches.down()
	case eventMessage:
		if b.conn != nil {
			b.player.Contact(mono)
		}
		b.message(ctx, ev.m, mono)
	}
}

// duties does what is due and returns when the next duty is.
func (b *Box) duties(ctx context.Context) int64 {
	mono := b.times.Mono()
	if b.conn != nil {
		b.player.Contact(mono)
	}
	take := func(duty string, every int64) bool {
		at, ok := b.due[duty]
		if !ok || mono < at {
			return false
		}
		b.due[duty] = mono + every
		return true
	}
	if take("status", statusEvery) {
		b.sendStatus(mono)
	}
	if take("save", saveEvery) {
		b.save()
	}
	if take("scrub", scrubEvery) {
		b.scrub(ctx, mono)
	}
	if take("resub", resubEvery*9/10+rand.Int64N(resubEvery/5)) && b.conn != nil {
		go b.subscribe(ctx, b.conn, false)
	}
	if take("resub-all", resubAllEvery*9/10+rand.Int64N(resubAllEvery/5)) && b.conn != nil {
		go b.subscribe(ctx, b.conn, true)
	}
	if take("ntp", ntpEvery) && !b.player.Clock.Trusted() {
		if ms, ok := b.times.System(); ok {
			b.setTime(ctx, mono, ms)
		}
	}
	next := b.fetches.expire(ctx, mono)
	for _, at := range b.due {
		next = min(next, at)
	}
	return next
}

func (b *Box) save() {
	if err := b.disk.save(); err != nil {
		b.fault("disk", err)
		return
	}
	delete(b.faults, "disk")
}

func (b *Box) fault(code string, err error) {
	if !b.faults[code] {
		b.log.Warn("fault", "code", code, "err", err)
	}
	b.faults[code] = true
}

func (b *Box) setTime(ctx context.Context, mono, atMS int64) {
	before, trusted := b.player.Clock.Now(mono), b.player.Clock.Trusted()
	b.player.SetTime(mono, atMS)
	b.clockSet(before, atMS, trusted)
	b.step(ctx, accept.ClockSet{}, mono)
}
