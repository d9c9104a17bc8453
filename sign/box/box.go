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
	fillFirst      = 5_000           // a sign that has nothing subscribes again, twice as late each time
	fillLast       = 5 * 60_000
	ntpEvery       = 60_000
	askEvery       = 60 * 60_000 // for the time
	askFirst       = 5_000       // until it is asked for again without an answer; doubled each time
	askMost        = 5 * 60_000
	doubtEvery     = 60_000  // it is asked for at most so often because a document was refused by the clock
	runningEvery   = 60_000  // how long alerts have run is kept so often
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
	// Quiet keeps out of the log whether the connection stands.
	Quiet bool
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

	conn       link.Conn
	timekeeper player.Timekeeper
	takeover   takeover
	challenge  string    // that the next status carries; "" for none
	asking     link.Conn // the connection on which it has asked
	askWait    int64     // ms until the time is asked for again without an answer
	doubtMS    int64     // mono before which a refused document does not ask for the time again
	listening  bool      // this connection has subscribed
	fillGap    int64     // ms from one subscription of a sign that has nothing to the next
	face       *image.RGBA
	shown      timeline.Shown
	drawn      bool // something was put out
	lastKey    string
	blank      bool // the present frame could not be drawn
	redraw     bool // put the face out again although nothing changed
	shownKey   string
	due        map[string]int64 // mono of each periodic duty
	faults     map[string]bool
	identify   int64 // mono until which the border flashes
	startMono  int64

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
		b.fault("key", err)
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
		s.Ran = b.player.Ran(b.times.Mono())
	}
	if b.frames, err = newFrameCache(b.disk, b.cfg.Class, w, h, o.CacheCap); err != nil {
		return nil, err
	}
	if b.proof, err = openPlayLog(filepath.Join(o.Dir, "played"), &b.disk.state.Chain,
		b.player.Clock.Now(mono)); err != nil {
		b.fault("disk", fmt.Errorf("the proof of play: %w", err)) // it costs the proof, never the face
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
		Accepted: b.disk.state.Login == b.cfg.login(),
		State: func(s link.State) {
			b.said(s)
			b.in <- eventState{s}
		},
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
	eventState   struct{ link.State }
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
	err := b.proof.close()
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
		b.takeover.connected(mono)
		b.player.Contact(mono)
		if b.faults[faultRefused] {
			b.due["refused"] = mono + statusEvery
		}
		if login := b.cfg.login(); b.disk.state.Login != login {
			b.disk.state.Login = login
			b.due["save"] = mono
		}
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
		b.listening = true
		if b.asking != ev.conn { // the first subscription of this connection
			b.asking, b.askWait = ev.conn, askFirst
			b.ask(mono, true)
		} else {
			b.sendStatus(mono)
		}
		b.fetches.resume(ctx, mono)
		b.proofAt = mono
	case eventState:
		if link.Refused(ev.Err) {
			b.faults[faultRefused] = true // the statuses of the next 5 min with a connection tell it
			delete(b.due, "refused")
		}
	case eventDown:
		if link.Closed(ev.err) && b.takeover.closed(mono) && !b.faults[faultTakenOver] {
			b.faults[faultTakenOver] = true
			b.log.Warn("fault", "code", faultTakenOver, "why",
				"the broker ended several connections soon after they stood; perhaps another box runs with this sign's config")
		}
		b.player.Contact(mono)
		b.conn = nil
		b.listening = false
		delete(b.due, "resub")
		delete(b.due, "resub-all")
		delete(b.due, "ask")
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
		if !b.takeover.fault(mono) {
			delete(b.faults, faultTakenOver)
		}
		b.sendStatus(mono)
	}
	if take("ask", askMost) {
		b.ask(mono, false)
	}
	if take("refused", statusEvery) {
		delete(b.faults, faultRefused)
		delete(b.due, "refused")
	}
	if take("save", b.saveInterval()) {
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
	if take("ntp", ntpEvery) {
		b.followSystem(ctx, mono)
	}
	b.fill(ctx, mono)
	next := b.fetches.expire(ctx, mono)
	for _, at := range b.due {
		next = min(next, at)
	}
	return next
}

// fill subscribes again while the sign has no key set or nothing to show: the broker may have lost what it retained,
// and without keys the sign cannot even read a request to subscribe again.
func (b *Box) fill(ctx context.Context, mono int64) {
	if !b.listening || !b.bare() {
		delete(b.due, "fill")
		b.fillGap = fillFirst
		return
	}
	at, waiting := b.due["fill"]
	switch {
	case !waiting:
	case mono < at:
		return
	default:
		b.log.Info("no key set or no program has come; the sign subscribes again", "keys", b.machine.Keys() != nil)
		go b.subscribe(ctx, b.conn, true)
		b.fillGap = min(2*b.fillGap, fillLast)
	}
	b.due["fill"] = mono + b.fillGap
}

// bare reports whether the sign lacks what it cannot do without. A program that waits for its frames is there.
func (b *Box) bare() bool {
	if b.machine.Keys() == nil {
		return true
	}
	if b.cfg.picture() {
		return b.pictureSHA == ""
	}
	return b.player.Program() == nil && b.machine.Pending() == nil
}

// said logs how the connection changed. A person at the sign has nothing else to tell a wrong password from a dead
// router.
func (b *Box) said(s link.State) {
	switch {
	case b.o.Quiet:
	case s.Up:
		b.log.Info("connected to the broker", "broker", b.cfg.brokerName())
	default:
		b.log.Warn("not connected to the broker; the sign goes on trying and shows what it has",
			"broker", b.cfg.brokerName(), "why", s.Reason)
	}
}

// faultRefused says that the broker refused the sign's user name or password.
const faultRefused = "login-refused"

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
