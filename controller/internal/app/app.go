// Package app is the only wiring: it opens the store, starts the broker, the
// publisher, the listener and the pages, and stops them again.
package app

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
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
	"ledcast/controller/internal/broker"
	"ledcast/controller/internal/listen"
	"ledcast/controller/internal/publish"
	"ledcast/controller/internal/store"
	"ledcast/controller/internal/web"
	"ledcast/playlists"
	"ledcast/sign/link"
	"ledcast/sign/wire"
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
	Guest      *playlists.Principal // who asks from loopback without credentials; nil: nobody
	Software   string
	Webhooks   alert.HookOptions
	Now        func() time.Time // nil: time.Now
	Log        *slog.Logger
}

// App is a running controller.
type App struct {
	o          Options
	log        *slog.Logger
	now        func() time.Time
	lock       *os.File
	store      store.Store
	keyring    *publish.Keyring
	broker     *broker.Broker
	brokerAddr string
	login      [2]string // user and password at the broker
	tap        *tap      // of the embedded broker
	link       *link.Link
	publisher  *publish.Publisher
	requester  *publish.Requester
	resync     *publish.Resync
	alerts     *alert.Service
	listener   *listen.Listener
	auditor    *listen.Auditor
	watch      *listen.Watch
	accounts   *accounts
	presence   *presence
	artist     *artist
	uploads    *artwork.Uploads
	tls        *certificate
	auth       *auth.Service
	http       *http.Server
	httpLn     net.Listener
	files      atomic.Bool // what others wait for is written
	signsRead  signsRead
	writing    sync.Mutex   // one write of what people put at a time
	writes     atomic.Int64 // how many there were

	failed chan error // of capacity 1
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// New opens the data folder and claims the ports; nothing runs before Start.
// Its errors say which folder, file or address, and what to do.
func New(ctx context.Context, o Options) (*App, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	a := &App{o: o, log: o.Log, now: o.Now, presence: newPresence(), failed: make(chan error, 1)}
	if err := a.open(ctx); err != nil {
		return nil, errors.Join(err, a.Stop())
	}
	return a, nil
}

func (a *App) open(ctx context.Context) error {
	var err error
	if a.tls, err = readCertificate(a.o.TLSCert, a.o.TLSKey); err != nil {
		return err
	}
	if err := a.checkAddresses(); err != nil {
		return err
	}
	if err := os.MkdirAll(a.o.Data, 0o700); err != nil {
		return fmt.Errorf("data folder: %w; choose another with --data", err)
	}
	if a.lock, err = lockFolder(a.o.Data); err != nil {
		return err
	}
	if a.store, err = openStore(ctx, a.o.Data, a.o.Database); err != nil {
		return err
	}
	if a.uploads, err = artwork.OpenUploads(filepath.Join(a.o.Data, "media")); err != nil {
		return err
	}
	if a.httpLn, err = claim("--listen", a.o.Listen); err != nil {
		return err
	}
	if a.keyring, err = publish.OpenKeyring(ctx, keyStore{a.store}, filepath.Join(a.o.Data, "root"), a.now()); err != nil {
		return err
	}
	if a.accounts, err = loadAccounts(ctx, a.store); err != nil {
		return err
	}
	if err := errors.Join(a.adopt(ctx), a.seed(ctx)); err != nil {
		return err
	}
	var user, pass string
	if a.o.Broker == "" {
		user, pass = broker.ControllerUser, secret()
		ln, err := claim("--mqtt-listen", a.o.MQTTListen)
		if err != nil {
			return err
		}
		a.tap = newTap()
		if a.broker, err = broker.Start(broker.Options{Message: a.tap.heard, Listener: ln, TLS: a.tls.config(), Accounts: a.accounts, ControllerPassword: pass, Log: a.log,
			Session: func(sign string, remote net.Addr, up bool) { a.presence.session(sign, remote, up, a.now()) },
			Dropped: func(sign, reason string) { a.log.Warn("broker dropped a message", "sign", sign, "reason", reason) }}); err != nil {
			return err
		}
		a.brokerAddr = a.brokerAddress(a.broker.Addr())
	} else {
		u, err := url.Parse(a.o.Broker)
		if err != nil {
			return err // checkAddresses has read it
		}
		if u.User != nil {
			user = u.User.Username()
			pass, _ = u.User.Password()
			u.User = nil
		}
		a.brokerAddr = u.String()
	}
	a.login = [2]string{user, pass}
	return a.assemble(user, pass)
}

func (a *App) assemble(user, pass string) error {
	artist, err := newArtist(pictures{a}.lookup)
	if err != nil {
		return err
	}
	a.artist = artist
	if a.auth, err = auth.Open(context.Background(), auth.Options{Records: records{a.store, a.now}, Sessions: visits{a.store.Sessions(), a.now}, Now: a.now, Guest: a.o.Guest}); err != nil {
		return err
	}
	restored, err := restoredMS(context.Background(), a.store)
	if err != nil {
		return err
	}
	if err := a.openAlerts(context.Background()); err != nil {
		return err
	}
	a.resync = a.newResync()
	opts := publish.Options{Restored: restored, Broker: toBroker{a}, Catalogue: a.catalogue(), Artist: artist, Ledger: ledger{a.store}, Keys: a.keyring, Now: a.now, Log: a.log,
		Alerts: a.alerts, Expect: a.resync.Expect, Acked: a.acked, Limits: a.limits, Topics: a.store.Topics()}
	a.publisher = publish.New(opts)
	a.requester = publish.NewRequester(opts)
	a.listener = listen.New(a.now, a.log, listen.Events{Online: func(sign string, s *wire.Status) {
		a.requester.Ask(wire.SignRequest{Sign: sign, Op: wire.OpTime, Session: s.Session})
	}, Ack: a.heardAck})
	var ours *tls.Config
	if a.broker != nil {
		ours = a.tls.own()
	}
	a.link, err = link.New(link.Options{Broker: a.brokerAddr, TLS: ours, ClientID: broker.ControllerUser + "-" + secret()[:8], Username: user, Password: pass, Log: a.log,
		Up: func(c link.Conn) {
			topics := map[string]byte{}
			for _, t := range listen.Topics() {
				topics[t] = 1
			}
			if a.tap != nil {
				a.publisher.Connected()
				return
			}
			go func() {
				ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
				defer cancel()
				if err := c.Subscribe(ctx, topics); err != nil {
					a.log.Error("the broker does not let the controller listen", "err", err)
				}
				a.publisher.Connected()
			}()
		},
		Message: func(m link.Message) { a.listener.Message(m.Topic, m.Payload, m.Retained) }})
	if err != nil {
		return err
	}
	a.auditor = listen.NewAuditor(a.listener, proofs{a.store}, func(sign, chain string, n int64) {
		a.requester.Ask(wire.SignRequest{Sign: sign, Op: wire.OpPlayedHave, Chain: chain, N: n})
	})
	a.watch = listen.NewWatch(a.listener, diary{a.store}, a.log)
	srv := api.New(api.Options{Health: diary{a.store}, Source: source{a}, Objects: objects{a}, Fleet: fleet{a}, Media: pictures{a}, Artist: artist, Reports: reports{a.store}, Log: auditLog{a}, Auth: a.auth, Alerts: a.alerts, CAPs: a.alerts,
		Version: a.o.Software, Now: a.now, Logger: a.log})
	pages, err := web.New(web.Options{Insecure: a.o.Insecure, RootsHere: a.keyring.RootsHere, KeysEnd: a.keyring.Ends, Now: a.now})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	srv.Handler(mux)
	m := a.newMetrics()
	mux.Handle("GET /metrics", m.handler())
	mux.Handle("/", pages)
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(srv.CrossOrigin))
	a.http = &http.Server{Handler: m.count(guard.Handler(mux)), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelWarn)}
	if err := a.writeServer(); err != nil {
		return err
	}
	a.start(srv)
	return nil
}

// start runs everything that runs until Stop.
func (a *App) start(srv *api.Server) {
	ctx, cancel := context.WithCancel(context.Background())
	a.cancel = cancel
	run := func(f func()) {
		a.done.Add(1)
		go func() { defer a.done.Done(); f() }()
	}
	if a.tap != nil {
		run(func() { a.tap.run(ctx, func(m said) { a.listener.Message(m.topic, m.payload, false) }) })
	}
	run(func() { _ = a.link.Run(ctx) })
	run(func() { a.publisher.Run(ctx) })
	run(func() { a.requester.Run(ctx) })
	run(func() { a.auditor.Run(ctx) })
	run(func() { a.watch.Run(ctx) })
	a.startAlerts(func(f func(context.Context)) { run(func() { f(ctx) }) })
	run(func() { a.promoteKeys(ctx) })
	run(func() { a.tend(ctx) })
	run(func() { srv.Run(ctx) })
	a.http.BaseContext = func(net.Listener) context.Context { return ctx } // events end with it
	run(func() {
		serve := a.http.Serve
		if a.http.TLSConfig = a.tls.config(); a.tls.given() {
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

// ServerCA is the file in the data folder with the authority behind the pages'
// certificate, where the system does not know it.
const ServerCA = "server.ca"

// writeServer tells other commands on this machine where the pages are, and whom
// to trust there.
func (a *App) writeServer() error {
	ca := filepath.Join(a.o.Data, ServerCA)
	var err error
	if a.tls.ca == "" {
		if err = os.Remove(ca); errors.Is(err, os.ErrNotExist) {
			err = nil
		}
	} else {
		err = os.WriteFile(ca, []byte(a.tls.ca), 0o600)
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

// Stop ends everything, in the order in which it needs each other. It may be
// called once, also after a failed New.
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
		return nil, &playlists.Error{Code: playlists.Conflict, Field: flag, Value: addr, Problem: "cannot be used: " + cause(err),
			Remedy: "stop what uses it, or choose another address with " + flag}
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

func secret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand.Read panics instead
	return hex.EncodeToString(b[:])
}
