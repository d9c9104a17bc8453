// Package app wires the controller together: it opens the store, starts the broker, the publisher, the listener and
// the pages, and stops them again. What may be put, and what follows from it, is decided elsewhere.
package app

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"ledcast/controller/internal/alert"
	"ledcast/controller/internal/api"
	"ledcast/controller/internal/artwork"
	"ledcast/controller/internal/auth"
	"ledcast/controller/internal/backup"
	"ledcast/controller/internal/broker"
	"ledcast/controller/internal/capinbox"
	"ledcast/controller/internal/catalogue"
	"ledcast/controller/internal/certificate"
	"ledcast/controller/internal/clock/keeper"
	"ledcast/controller/internal/datadir"
	"ledcast/controller/internal/enrol"
	"ledcast/controller/internal/history"
	"ledcast/controller/internal/keys"
	"ledcast/controller/internal/listen"
	"ledcast/controller/internal/publish"
	"ledcast/controller/internal/rival"
	"ledcast/controller/internal/store"
	"ledcast/controller/internal/store/outage"
	"ledcast/controller/internal/webhook"
	"ledcast/playlists"
	"ledcast/sign/link"
	"ledcast/sign/ntp"
)

// Options are what `serve` and `demo` set.
type Options struct {
	Data       string // folder
	Database   string // "" for SQLite in Data, or postgres://…; it may hold a password
	Listen     string // of the pages, e.g. "127.0.0.1:8080"
	MQTTListen string // of the embedded broker
	Broker     string // an outside broker instead, mqtt://user:password@host:port or mqtts://
	Advertise  string // the broker's address as signs reach it; "" is where it listens
	TLSCert    string // PEM files of pages and embedded broker; "" for none
	TLSKey     string
	Insecure   bool                 // pages and broker on any address without a certificate
	Demo       bool                 // the tokens that are made at its start stand for people
	BuiltIn    []string             // the demo's people
	Guest      *playlists.Principal // who asks from loopback without credentials; nil: nobody
	Software   string
	Anywhere   bool             // webhooks and feeds on private addresses, without TLS: for tests
	Now        func() time.Time // nil: time.Now
	KeepProofs time.Duration    // how long proof of play is kept; 0: 13 months
	Held       func() bool      // whether NTP holds Now; nil: what the kernel says of time.Now, and no for another
	Log        *slog.Logger
}

// App is a running controller.
type App struct {
	o   Options
	log *slog.Logger
	now func() time.Time

	clock     *keeper.Keeper
	renewing  sync.Mutex // of the key set
	lock      *os.File
	store     store.Store
	outage    *outage.Store // the same
	catalogue *catalogue.Reader
	things    *catalogue.Writer
	history   history.History
	uploads   *artwork.Uploads
	media     *catalogue.Media
	artist    *artwork.Cache

	keyring    *publish.Keyring
	accounts   *enrol.Accounts
	presence   *enrol.Presence
	fleet      *enrol.Fleet
	people     *enrol.People
	broker     *broker.Broker // nil with an outside one
	brokerAddr string
	login      Login // ours at the broker
	feed       *feed // of the embedded broker
	link       *link.Link
	uplink     uplink
	rival      *rival.Watch

	publisher *publish.Publisher
	requester *publish.Requester
	resync    *publish.Resync
	alerts    *alert.Service
	webhooks  *webhook.Service
	inbox     *capinbox.Inbox
	listener  *listen.Listener
	auditor   *listen.Auditor
	watch     *listen.Watch

	auth   *auth.Service
	api    *api.Server
	tls    *certificate.Certificate
	http   *http.Server
	httpLn net.Listener
	files  atomic.Bool // what others wait for is written

	failed chan error // of capacity 1
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// Login is a name and a password at the broker.
type Login struct{ User, Password string }

// New opens the data folder and claims the ports; nothing runs before Start. Its errors say which folder, file or
// address, and what to do.
func New(ctx context.Context, o Options) (*App, error) {
	if o.Now == nil {
		o.Now = time.Now
		if o.Held == nil {
			o.Held = ntp.Holds
		}
	}
	if o.Held == nil {
		o.Held = func() bool { return false }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	a := &App{o: o, log: o.Log, now: o.Now, presence: enrol.NewPresence(), failed: make(chan error, 1)}
	if err := a.open(ctx); err != nil {
		return nil, errors.Join(err, a.Stop())
	}
	return a, nil
}

func (a *App) open(ctx context.Context) error {
	if err := a.openFolder(ctx); err != nil {
		return err
	}
	if err := a.openBroker(); err != nil {
		return err
	}
	return a.assemble(ctx)
}

// openFolder claims the data folder and the pages' port, and opens what is kept.
func (a *App) openFolder(ctx context.Context) error {
	var err error
	if a.tls, err = certificate.Read(a.o.TLSCert, a.o.TLSKey); err != nil {
		return err
	}
	if err := a.checkAddresses(); err != nil {
		return err
	}
	if err := os.MkdirAll(a.o.Data, 0o700); err != nil {
		return fmt.Errorf("data folder: %w; choose another with --data", err)
	}
	if a.lock, err = datadir.Lock(a.o.Data); err != nil {
		return err
	}
	if a.store, err = datadir.WaitStore(ctx, a.o.Data, a.o.Database, a.log); err != nil {
		return err
	}
	if a.outage, err = outage.Wrap(ctx, a.store, a.o.Data, a.log); err != nil {
		return err
	}
	a.store = a.outage
	a.catalogue = catalogue.NewReader(a.store.Objects())
	if err := a.openClock(ctx); err != nil {
		return err
	}
	a.history = history.New(a.store)
	if a.uploads, err = artwork.OpenUploads(filepath.Join(a.o.Data, "media")); err != nil {
		return err
	}
	if a.httpLn, err = claim("--listen", a.o.Listen); err != nil {
		return err
	}
	a.keyring, err = publish.OpenKeyring(ctx, keys.Store{Keeper: a.store.Keys()}, filepath.Join(a.o.Data, "root"), a.now())
	if err != nil {
		return err
	}
	if err := backup.Adopt(ctx, a.store, enrol.Console.Actor(a.now().UnixMilli()), a.log); err != nil {
		return err
	}
	if err := a.seed(ctx); err != nil {
		return err
	}
	signs, err := a.catalogue.Signs(ctx)
	if err != nil {
		return err
	}
	a.accounts, err = enrol.LoadAccounts(ctx, signs, a.store.Credentials())
	return err
}

// openBroker starts the embedded broker, or reads the outside one's address.
func (a *App) openBroker() error {
	if a.o.Broker != "" {
		u, err := url.Parse(a.o.Broker)
		if err != nil {
			return err // checkAddresses has read it
		}
		if u.User != nil {
			a.login.User = u.User.Username()
			a.login.Password, _ = u.User.Password()
			u.User = nil
		}
		a.brokerAddr = u.String()
		return nil
	}
	a.login = Login{broker.ControllerUser, enrol.Password()}
	ln, err := claim("--mqtt-listen", a.o.MQTTListen)
	if err != nil {
		return err
	}
	a.feed = newFeed()
	a.broker, err = broker.Start(broker.Options{Message: a.feed.add, Listener: ln, TLS: a.tls.Config(),
		Accounts:           a.accounts,
		ControllerPassword: a.login.Password, Log: a.log,
		Session: func(sign string, remote net.Addr, up bool) { a.presence.Session(sign, remote, up, a.now()) }})
	if err != nil {
		return err
	}
	a.brokerAddr = a.brokerAddress(a.broker.Addr())
	return nil
}

// start runs everything that runs until Stop.
func (a *App) start() {
	ctx, cancel := context.WithCancel(context.Background())
	a.cancel = cancel
	run := func(f func()) {
		a.done.Add(1)
		go func() { defer a.done.Done(); f() }()
	}
	if a.feed != nil {
		run(func() { a.feed.run(ctx, func(m message) { a.listener.Message(m.topic, m.payload, false) }) })
	}
	run(func() { _ = a.link.Run(ctx) })
	run(func() { a.publisher.Run(ctx) })
	run(func() { a.requester.Run(ctx) })
	run(func() { a.listener.Run(ctx) })
	run(func() { a.auditor.Run(ctx) })
	run(func() { a.watch.Run(ctx) })
	for _, f := range []func(context.Context){a.alerts.Run, a.webhooks.Run, a.inbox.RunFeeds, a.publisher.RunAlerts,
		a.resync.Run, a.promoteKeys, a.maintain, func(ctx context.Context) { a.clock.Run(ctx, a.clockSettled) },
		func(ctx context.Context) { a.outage.Run(ctx, a.databaseBack) }} {
		run(func() { f(ctx) })
	}
	run(func() { a.api.Run(ctx) })
	a.http.BaseContext = func(net.Listener) context.Context { return ctx } // events end with it
	run(func() {
		serve := a.http.Serve
		if a.http.TLSConfig = a.tls.Config(); a.tls.Given() {
			serve = func(l net.Listener) error { return a.http.ServeTLS(l, "", "") }
		}
		if err := serve(a.httpLn); !errors.Is(err, http.ErrServerClosed) {
			a.log.Error("the pages stopped", "err", err)
		}
	})
}

// Addr is the pages' address, e.g. "127.0.0.1:8080".
func (a *App) Addr() string { return a.httpLn.Addr().String() }

// BrokerAddr is what signs connect to, e.g. "mqtt://127.0.0.1:1883".
func (a *App) BrokerAddr() string { return a.brokerAddr }

// ServerCA is the file in the data folder with the authority behind the pages' certificate, where the system does not
// know it.
const ServerCA = "server.ca"

// writeServer tells other commands on this machine where the pages are, and whom to trust there.
func (a *App) writeServer() error {
	ca := filepath.Join(a.o.Data, ServerCA)
	var err error
	if a.tls.CA == "" {
		if err = os.Remove(ca); errors.Is(err, os.ErrNotExist) {
			err = nil
		}
	} else {
		err = os.WriteFile(ca, []byte(a.tls.CA), 0o600)
	}
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(a.o.Data, "server"), []byte(a.URL()+"\n"), 0o600)
}

// FilesWritten says that everything that others wait for lies in the folder.
func (a *App) FilesWritten() { a.files.Store(true) }

// Kick asks for publishing soon, after a change in the store.
func (a *App) Kick() { a.publisher.Kick() }

// Ready is nil when the files are written and the broker holds what every sign should have.
func (a *App) Ready() error { return source{a}.Ready() }

// Sign is a sign as it was put; NotFound where there is none.
func (a *App) Sign(ctx context.Context, id string) (*playlists.Sign, error) {
	s, err := a.catalogue.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	sign, ok := playlists.Find[*playlists.Sign](s, playlists.Key{Kind: playlists.KindSign, ID: id})
	if !ok {
		return nil, &playlists.Error{Code: playlists.NotFound, Field: "sign/" + id, Key: "not-found"}
	}
	out := *sign
	return &out, nil
}

// Store is everything that the controller remembers.
func (a *App) Store() store.Store { return a.store }

// Publisher makes the broker hold what it should hold.
func (a *App) Publisher() *publish.Publisher { return a.publisher }

// Fleet lets signs in and keeps them out.
func (a *App) Fleet() *enrol.Fleet { return a.fleet }

// People lets the first people in.
func (a *App) People() *enrol.People { return a.people }

// Presence knows who holds each sign's session at the embedded broker.
func (a *App) Presence() *enrol.Presence { return a.presence }

// Broker is the embedded broker; nil with an outside one.
func (a *App) Broker() *broker.Broker { return a.broker }

// BrokerLogin is the controller's own at the broker.
func (a *App) BrokerLogin() Login { return a.login }

// Roots are the public keys of the root and its spare.
func (a *App) Roots() (root, spare ed25519.PublicKey) { return a.keyring.Roots() }

// Stop ends everything, in the order in which it needs each other. It may be called once, also after a failed New.
func (a *App) Stop() error {
	var errs []error
	if a.cancel != nil {
		a.cancel()
	}
	if a.http != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		errs = append(errs, a.http.Shutdown(ctx))
		cancel()
	} else if a.httpLn != nil {
		errs = append(errs, a.httpLn.Close())
	}
	a.done.Wait()
	if a.broker != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		errs = append(errs, a.broker.Stop(ctx))
		cancel()
	}
	if a.uploads != nil {
		errs = append(errs, a.uploads.Close())
	}
	if a.store != nil {
		errs = append(errs, a.store.Close())
	}
	if a.lock != nil {
		errs = append(errs, a.lock.Close())
	}
	return errors.Join(errs...)
}

// claim opens a port. A port that is in use is the commonest trouble of all.
func claim(flag, addr string) (net.Listener, error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, &playlists.Error{Code: playlists.Conflict, Field: flag, Value: addr,
			Key: "address-unusable", Args: []any{cause(err), flag}}
	}
	return ln, nil
}

func cause(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}
