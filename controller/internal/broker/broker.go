// Package broker is the MQTT broker within the controller.
//
// It is a cache: it keeps nothing on disk, and the controller publishes again at start. It serves the protocol of
// led/v1 and nothing else. Rules decide what a sign may read and write, by its Account. A message that a sign may not
// send is acknowledged and dropped, and Options.Dropped is called: a client repeats for ever what is not
// acknowledged. A session ends with its connection, and every subscription is granted at QoS 0. The server underneath
// is mochi-mqtt; its types do not leave this package.
package broker

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"

	"ledcast/playlists"
)

// ControllerUser is the user name of the controller's own connections. Their client ids begin with it.
const ControllerUser = "controller"

// Reserved reports whether a sign cannot have this name: its client id could be
// taken for the controller's.
func Reserved(sign string) bool { return strings.HasPrefix(sign, ControllerUser) }

// maxPacket is the largest MQTT packet, above every limit of the protocol.
const maxPacket = 1 << 20

// connectWithin bounds the time from a connection to the end of its CONNECT, including the TLS handshake. The server
// itself would wait for ever.
const connectWithin = 10 * time.Second

// Options configure a broker.
type Options struct {
	Listen   string       // TCP address, e.g. "127.0.0.1:1883"; not looked at if Listener is set
	Listener net.Listener // open already; Stop closes it
	TLS      *tls.Config  // nil for none, which is for loopback only
	Accounts Accounts
	// ControllerPassword lets in the user "controller", from loopback only: it
	// may do everything under led/v1/. Make it anew, at random, at each start.
	ControllerPassword string
	Log                *slog.Logger // nil for none
	// Dropped, if set, is called when messages from a sign or to it were dropped, with the reason: "not allowed: …",
	// "too large: …", "flood: …", "slow: …", "subscriptions: …". It is called at most once in 10 s for each sign and
	// kind; "slow" also for the controller's own connection, under its user name. It runs in a connection's goroutine
	// and must not block.
	Dropped func(sign, reason string)
	// Message, if set, is called with each message and will of a sign that Rules allow, before it is delivered. It runs
	// in the goroutine of the sign's connection: while it blocks, nothing more is read from that sign. It must not
	// change the payload.
	Message func(topic string, payload []byte)
	// Session, if set, is called when a user's session begins (up) and ends, with the address it comes from. It must
	// not block and must not call the broker.
	Session func(user string, remote net.Addr, up bool)
	Now     func() time.Time // for the limits by time; nil for time.Now
}

// Broker is a running broker.
type Broker struct {
	listener net.Listener
	tls      *tls.Config
	server   *mqtt.Server
	sessions *sessions
	log      *slog.Logger
	running  sync.WaitGroup // the accept loop and every connection
	closing  chan struct{}
	once     sync.Once
	closed   chan struct{}
	failed   error // of closing; read after closed
}

// Start runs a broker until Stop. For an address that is in use the error is a
// *playlists.Error of code Conflict.
func Start(o Options) (*Broker, error) {
	if o.Accounts == nil || o.ControllerPassword == "" {
		return nil, errors.New("broker: Options needs Accounts and a ControllerPassword")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	listener := o.Listener
	if listener == nil {
		var err error
		if listener, err = listen(o.Listen); err != nil {
			return nil, err
		}
	}
	b := &Broker{listener: listener, tls: o.TLS, log: o.Log,
		sessions: &sessions{all: map[*conn]struct{}{}, byID: map[string]*conn{}, changed: o.Session},
		closing:  make(chan struct{}), closed: make(chan struct{})}
	b.server = mqtt.New(&mqtt.Options{Capabilities: capabilities(), Logger: slog.New(quiet{o.Log.Handler()}),
		SysTopicResendInterval: 3600}) // each stops the world to count memory, and no client may read them
	err := b.server.AddHook(&hook{accounts: o.Accounts, controller: sha256.Sum256([]byte(o.ControllerPassword)),
		sessions: b.sessions,
		meter:    &meter{now: o.Now, by: map[string]*usage{}},
		refusals: &refusals{now: o.Now, last: map[[2]string]time.Time{}}, dropped: o.Dropped, message: o.Message, log: o.Log,
		server: b.server}, nil)
	if err == nil {
		err = b.server.Serve()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("broker: %w", err), listener.Close())
	}
	b.running.Go(b.accept)
	return b, nil
}

// capabilities returns what the server offers. Numbers that are not the default come from measurements.
func capabilities() *mqtt.Capabilities {
	c := mqtt.NewDefaultServerCapabilities()
	c.MaximumMessageExpiryInterval = 0 // else retained messages vanish after a day
	c.MaximumPacketSize = maxPacket
	c.MaximumClientWritesPending = 128 // 8,192 cost 1.2 GB at 10,000 clients
	c.MaximumInflight = 256
	c.ReceiveMaximum = 256
	c.MinimumProtocolVersion = 4 // MQTT 3.1.1
	c.SharedSubAvailable = 0
	c.TopicAliasMaximum = 0
	return c
}

func listen(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, &playlists.Error{Code: playlists.Conflict, Field: "MQTT address", Value: address,
			Key: "port-in-use"}
	}
	if err != nil {
		return nil, fmt.Errorf("MQTT address %q: %w; choose one of this machine's with --mqtt-listen, e.g. 127.0.0.1:1883",
			address, err)
	}
	return l, nil
}

// Addr is the address that the broker listens on.
func (b *Broker) Addr() net.Addr { return b.listener.Addr() }

// Disconnect closes a sign's connection at once, if it has one. Call it after
// the sign's account was changed or removed: a connection that was being made
// with the old one is closed as well.
func (b *Broker) Disconnect(sign string) { b.sessions.disconnect(sign) }

// Connected lists the signs that are connected now, sorted.
func (b *Broker) Connected() []string { return b.sessions.signs() }

// Stop closes the listener and all connections, and returns when everything has
// ended or ctx has. It may be called again.
func (b *Broker) Stop(ctx context.Context) error {
	b.once.Do(func() {
		close(b.closing)
		err := b.listener.Close()
		b.sessions.close()
		go func() {
			defer close(b.closed)
			b.running.Wait()
			b.failed = errors.Join(err, b.server.Close())
		}()
	})
	select {
	case <-b.closed:
		return b.failed
	case <-ctx.Done():
		return fmt.Errorf("broker: stopping: %w", ctx.Err())
	}
}

// accept takes connections until the listener is closed. An error that will
// pass, such as too many open files, must not end the broker.
func (b *Broker) accept() {
	const first, most = 5 * time.Millisecond, time.Second
	wait := first
	for {
		raw, err := b.listener.Accept()
		if err == nil {
			wait = first
			b.running.Go(func() { b.serve(raw) })
			continue
		}
		select {
		case <-b.closing:
			return
		default:
		}
		b.log.Error("MQTT connection could not be taken", "error", err, "again_in", wait)
		select {
		case <-b.closing:
			return
		case <-time.After(wait):
		}
		wait = min(2*wait, most)
	}
}

// serve runs one connection to its end.
func (b *Broker) serve(raw net.Conn) {
	c := &conn{Conn: raw, raw: raw, done: make(chan struct{})}
	if b.tls != nil {
		c.Conn = tls.Server(raw, b.tls)
	}
	defer raw.Close()
	if !b.sessions.add(c) {
		return
	}
	defer b.leave(c)
	// A packet that the parser under us does not survive ends its connection,
	// not the controller.
	defer func() {
		if p := recover(); p != nil {
			b.log.Error("MQTT connection failed", "remote", raw.RemoteAddr(), "user", c.user, "panic", p)
		}
	}()
	_ = c.SetDeadline(time.Now().Add(connectWithin)) // a socket's deadline; the server sets the next after CONNECT
	if err := b.server.EstablishConnection("mqtt", c); err != nil {
		b.log.Debug("MQTT connection ended", "remote", raw.RemoteAddr(), "user", c.user, "why", err)
	}
}

// leave takes out of the server's tables what it leaves there when a CONNACK
// could not be sent, then lets the next connection with this id in.
func (b *Broker) leave(c *conn) {
	if c.client != nil && c.id != "" {
		if cl, ok := b.server.Clients.Get(c.id); ok && cl == c.client {
			b.server.UnsubscribeClient(cl)
			b.server.Clients.Delete(c.id)
		}
	}
	b.sessions.leave(c)
}

// quiet passes on the server's warnings without the packets in them: a log is no
// place for what strangers send, let alone 900 KiB of it.
type quiet struct{ slog.Handler }

func (q quiet) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && q.Handler.Enabled(ctx, l)
}

func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		if a.Key != "pk" && a.Key != "packet" && a.Key != "will" {
			clean.AddAttrs(a)
		}
		return true
	})
	return q.Handler.Handle(ctx, clean)
}

func (q quiet) WithAttrs(as []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(as)} }
func (q quiet) WithGroup(name string) slog.Handler    { return quiet{q.Handler.WithGroup(name)} }
