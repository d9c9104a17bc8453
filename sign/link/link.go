// Package link keeps one outbound MQTT connection, for signs and the controller. It reconnects by itself, with a new
// session each time.
//
// It does not use paho's own reconnecting, which resends for ever what a broker refused, doubles its delay without
// jitter, and completes tokens without error for messages that were never delivered. Here each connection is a new
// paho client. What was in flight when it broke fails for its caller, who knows whether it is still wanted.
package link

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	mrand "math/rand/v2"
	"net"
	"net/url"
	"os"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// Times of a connection. With paho's defaults a stuck write blocks the pings for ever.
const (
	keepAlive      = 30 * time.Second
	pingTimeout    = 10 * time.Second
	writeTimeout   = 15 * time.Second
	connectTimeout = 15 * time.Second
	firstBackoff   = time.Second
	lastBackoff    = 30 * time.Second
	// newBackoff is the most for a login that was never accepted: it is most likely wrong, and stays so until somebody
	// comes.
	newBackoff = 5 * time.Minute
)

// MaxInflight is how many QoS 1 publishes may wait for their PUBACK at once.
const MaxInflight = 16

// ErrDown is returned for what is asked of a link that has no connection.
var ErrDown = errors.New("not connected to the broker")

// Message is one MQTT message.
type Message struct {
	Topic    string
	Payload  []byte
	QoS      byte
	Retained bool
}

// Options describe one end. Its callbacks are called from the link's own
// goroutines, one connection at a time; Up and Down alternate.
type Options struct {
	Broker   string // mqtt://host:port or mqtts://host:port
	ClientID string
	Username string
	Password string
	TLS      *tls.Config // for mqtts; nil is the system's roots

	// Will returns the will of a new connection, or nil for none.
	Will func(session string) *Message
	// Up is called when a connection is made; subscribe there.
	Up func(c Conn)
	// Down is called when the connection ended, with the reason.
	Down func(err error)
	// Message is called for each message that arrives. It must not block.
	Message func(m Message)
	// Quick notices a broker that hangs within 14 s. It costs a ping every 6 s, which a sign's traffic does not bear.
	Quick bool
	// Accepted says that a broker took this login before. One that refuses it then is most likely in passing trouble.
	Accepted bool
	// State, if set, is told when the connection stands or falls, and when the reason changes for which it does not
	// stand: once each, and one reason not again and again.
	State func(s State)
	// Now is for State; nil is time.Now.
	Now func() time.Time

	// Gate, if set, is called before every attempt to connect, which waits until it returns.
	Gate func(ctx context.Context) error
	// Wait sleeps for a backoff; nil waits for real.
	Wait func(ctx context.Context, d time.Duration) error
	// Opened, if set, is called with the local address of each connection before CONNECT is sent.
	Opened func(local net.Addr)
	Log    *slog.Logger
}

// Link keeps a connection. Run does the work.
type Link struct {
	o Options

	tell teller

	mu   sync.Mutex
	conn *conn
	err  error // why the last connection or try ended; nil before the first
}

// New checks the options and returns a link. Its error says how to write the address.
func New(o Options) (*Link, error) {
	u, err := url.Parse(o.Broker)
	if err != nil || u.Host == "" || (u.Scheme != "mqtt" && u.Scheme != "mqtts") {
		return nil, fmt.Errorf("broker %q is not an address; write mqtt://host:port or mqtts://host:port", o.Broker)
	}
	if o.Wait == nil {
		o.Wait = sleep
	}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Link{o: o, tell: teller{tell: o.State, now: o.Now, said: map[string]*said{}}}, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Down is nil while a connection stands, and else why none does.
func (l *Link) Down() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.conn != nil:
		return nil
	case l.err == nil:
		return ErrDown
	}
	return l.err
}

// Run connects and reconnects until ctx ends: full jitter, from 1 s, doubling,
// at most 30 s, begun anew after a connection that stood. A login that is refused
// and was never accepted is tried every 5 min in the end. When ctx ends it
// publishes the will itself and ends the connection cleanly.
func (l *Link) Run(ctx context.Context) error {
	backoff, accepted := firstBackoff, l.o.Accepted
	for {
		if l.o.Gate != nil {
			if err := l.o.Gate(ctx); err != nil {
				return err
			}
		}
		up, err := l.once(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if up {
			backoff, accepted = firstBackoff, true
		}
		l.o.Log.Debug("mqtt connection lost", "broker", l.o.Broker, "client", l.o.ClientID, "err", err)
		l.tell.down(err)
		most := lastBackoff
		if Refused(err) && !accepted {
			most = newBackoff
		}
		backoff = min(backoff, most) // what kept it longer may be over
		if err := l.o.Wait(ctx, mrand.N(backoff)); err != nil {
			return err
		}
		backoff = min(2*backoff, most)
	}
}

// once makes one connection and waits for its end.
func (l *Link) once(ctx context.Context) (up bool, err error) {
	c := &conn{session: rand.Text(), slots: make(chan struct{}, MaxInflight), gone: make(chan struct{})}
	lost := make(chan error, 1)
	o := mqtt.NewClientOptions()
	o.AddBroker(l.o.Broker)
	o.SetClientID(l.o.ClientID).SetUsername(l.o.Username).SetPassword(l.o.Password)
	o.SetProtocolVersion(4).SetCleanSession(true).SetOrderMatters(true)
	o.SetStore(mqtt.NewMemoryStore())
	o.SetAutoReconnect(false).SetConnectRetry(false)
	o.SetKeepAlive(keepAlive).
		SetPingTimeout(pingTimeout).
		SetWriteTimeout(writeTimeout).
		SetConnectTimeout(connectTimeout)
	if l.o.Quick {
		o.SetKeepAlive(quickKeepAlive).SetPingTimeout(quickPingTimeout)
	}
	if l.o.TLS != nil {
		o.SetTLSConfig(l.o.TLS)
	}
	if l.o.Will != nil {
		if w := l.o.Will(c.session); w != nil {
			o.SetBinaryWill(w.Topic, w.Payload, w.QoS, w.Retained)
		}
	}
	o.SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) {
		if l.o.Message != nil {
			l.o.Message(Message{Topic: m.Topic(), Payload: m.Payload(), QoS: m.Qos(), Retained: m.Retained()})
		}
	})
	o.SetConnectionLostHandler(func(_ mqtt.Client, err error) { lost <- lostWith(err) })
	var silent func() bool
	if l.o.Opened != nil || l.o.Quick {
		looking, stop := context.WithCancel(ctx)
		defer stop()
		o.SetDialer(&net.Dialer{Timeout: connectTimeout})
		o.SetCustomOpenConnectionFn(func(u *url.URL, opts mqtt.ClientOptions) (net.Conn, error) {
			n, err := (&net.Dialer{Timeout: connectTimeout}).DialContext(ctx, "tcp", u.Host)
			if err != nil {
				return nil, err
			}
			if l.o.Opened != nil {
				l.o.Opened(n.LocalAddr())
			}
			if l.o.Quick {
				w := newWatched(n)
				silent = w.silent.Load
				go w.look(looking)
				n = w
			}
			if u.Scheme == "mqtts" {
				conf := opts.TLSConfig.Clone()
				if conf == nil {
					conf = &tls.Config{MinVersion: tls.VersionTLS12}
				}
				if conf.ServerName == "" {
					conf.ServerName = u.Hostname()
				}
				return tls.Client(n, conf), nil
			}
			return n, nil
		})
	}
	c.client = mqtt.NewClient(o)
	if err := wait(ctx, c.client.Connect()); err != nil {
		c.client.Disconnect(0)
		if ctx.Err() == nil && silent != nil && silent() {
			err = fmt.Errorf("CONNECT: %w", os.ErrDeadlineExceeded)
		}
		l.set(nil, err)
		return false, err
	}
	l.set(c, nil)
	l.tell.up()
	if l.o.Up != nil {
		l.o.Up(c)
	}
	select {
	case err = <-lost:
		if silent != nil && silent() {
			err = errNoPing
		}
	case <-ctx.Done():
		err = ctx.Err()
		l.farewell(c)
	}
	l.set(nil, err)
	close(c.gone)
	c.client.Disconnect(250)
	if l.o.Down != nil {
		l.o.Down(err)
	}
	return true, err
}

// farewell publishes the will: a broker does so for a connection that breaks, but not for one that ends cleanly.
func (l *Link) farewell(c *conn) {
	if l.o.Will == nil {
		return
	}
	if w := l.o.Will(c.session); w != nil {
		c.last.Lock() // nothing may follow: an "online" after it would stay retained for ever
		c.left = true
		t := c.client.Publish(w.Topic, w.QoS, w.Retained, w.Payload)
		c.last.Unlock()
		t.WaitTimeout(time.Second)
	}
}

func (l *Link) set(c *conn, err error) {
	l.mu.Lock()
	l.conn, l.err = c, err
	l.mu.Unlock()
}

// Publish sends over the present connection, or returns ErrDown.
func (l *Link) Publish(ctx context.Context, m Message) error {
	l.mu.Lock()
	c := l.conn
	l.mu.Unlock()
	if c == nil {
		return ErrDown
	}
	return c.Publish(ctx, m)
}

// Conn is one connection. Its methods return ErrDown once it is gone.
type Conn interface {
	// Session is random; wills and statuses carry it.
	Session() string
	// Publish sends one message. At QoS 1 it returns when the broker has
	// acknowledged it; that the broker has it is no proof that anyone got it.
	Publish(ctx context.Context, m Message) error
	// Subscribe asks for topics, each at its QoS, in one packet.
	Subscribe(ctx context.Context, topics map[string]byte) error
	// Unsubscribe ends subscriptions.
	Unsubscribe(ctx context.Context, topics ...string) error
}

// conn is a Conn by paho.
type conn struct {
	session string
	client  mqtt.Client
	slots   chan struct{}
	gone    chan struct{}

	last sync.Mutex // orders publishes before the farewell
	left bool       // the farewell was published
}

func (c *conn) Session() string { return c.session }

func (c *conn) Publish(ctx context.Context, m Message) error {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-c.gone:
		return ErrDown
	case <-ctx.Done():
		return ctx.Err()
	}
	t, err := c.hand(m)
	if err != nil {
		return err
	}
	return c.wait(ctx, t)
}

// hand gives a message to the client unless the farewell was published.
func (c *conn) hand(m Message) (mqtt.Token, error) {
	c.last.Lock()
	defer c.last.Unlock()
	if c.left {
		return nil, ErrDown
	}
	return c.client.Publish(m.Topic, m.QoS, m.Retained, m.Payload), nil
}

func (c *conn) Subscribe(ctx context.Context, topics map[string]byte) error {
	t := c.client.SubscribeMultiple(topics, nil)
	if err := c.wait(ctx, t); err != nil {
		return err
	}
	if s, ok := t.(*mqtt.SubscribeToken); ok {
		for topic, code := range s.Result() {
			if code == 0x80 {
				return fmt.Errorf("the broker refuses the subscription to %s", topic)
			}
		}
	}
	return nil
}

func (c *conn) Unsubscribe(ctx context.Context, topics ...string) error {
	return c.wait(ctx, c.client.Unsubscribe(topics...))
}

func (c *conn) wait(ctx context.Context, t mqtt.Token) error {
	select {
	case <-c.gone: // the client's own error is of no use to the caller
		return ErrDown
	default:
	}
	select {
	case <-t.Done():
		return t.Error()
	case <-c.gone:
		return ErrDown
	case <-ctx.Done():
		return ctx.Err()
	}
}

func wait(ctx context.Context, t mqtt.Token) error {
	select {
	case <-t.Done():
		return t.Error()
	case <-ctx.Done():
		return ctx.Err()
	}
}
