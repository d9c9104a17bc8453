package app

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"log/slog"
	"net/http"
	"time"

	"ledcast/assets"
	"ledcast/controller/internal/admission"
	"ledcast/controller/internal/alert"
	"ledcast/controller/internal/api"
	"ledcast/controller/internal/artwork"
	"ledcast/controller/internal/auth"
	"ledcast/controller/internal/backup"
	"ledcast/controller/internal/broker"
	"ledcast/controller/internal/capinbox"
	"ledcast/controller/internal/catalogue"
	"ledcast/controller/internal/enrol"
	"ledcast/controller/internal/history"
	"ledcast/controller/internal/listen"
	"ledcast/controller/internal/metrics"
	"ledcast/controller/internal/publish"
	"ledcast/controller/internal/report"
	"ledcast/controller/internal/rival"
	"ledcast/controller/internal/store/records"
	"ledcast/controller/internal/web"
	"ledcast/controller/internal/webhook"
	"ledcast/playlists"
	"ledcast/playlists/manifest"
	"ledcast/render"
	"ledcast/sign/link"
	"ledcast/sign/wire"
)

// artworkBytes bounds the frames kept in memory: some thousand artworks.
const artworkBytes = 256 << 20

// assemble connects everything, and starts it.
func (a *App) assemble(ctx context.Context) error {
	for _, step := range []func(context.Context) error{a.assembleThings, a.assembleAlerts, a.assemblePublisher,
		a.assembleLink, a.assemblePages} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if err := a.writeServer(); err != nil {
		return err
	}
	a.start()
	return nil
}

// assembleThings connects what people put: drawing, admission and enrolment.
func (a *App) assembleThings(ctx context.Context) error {
	r, err := render.New()
	if err != nil {
		return err
	}
	a.artist = artwork.New(r, catalogue.Lookup(a.catalogue, a.uploads), artworkBytes)
	a.auth, err = auth.Open(ctx, auth.Options{Records: records.Records{Store: a.store, Now: a.now},
		Sessions: records.Sessions{Store: a.store.Sessions(), Now: a.now}, Now: a.now, Guest: a.o.Guest,
		Demo: a.o.Demo, BuiltIn: a.o.BuiltIn, Console: enrol.Console.ID,
		Born: enrol.Born(ctx, a.store.Audit(), a.now)})
	if err != nil {
		return err
	}
	checker := &admission.Checker{Artist: a.artist, Others: others{a}}
	a.things = catalogue.NewWriter(a.catalogue, a.store, checker, a.now, a.changed)
	a.people = enrol.NewPeople(enrol.PeopleOptions{Data: a.o.Data, URL: a.URL(), Auth: a.auth, Things: a.things,
		Records: records.Records{Store: a.store, Now: a.now}, Now: a.now})
	a.media = catalogue.NewMedia(a.things, a.uploads, a.artist, a.log)
	o := enrol.Options{Store: a.store, Catalogue: a.catalogue, Changes: a.things, Accounts: a.accounts,
		Roots:  a.keyring.Roots,
		Broker: a.signsBroker(), CA: a.tls.CA, Now: a.now}
	if a.broker != nil {
		o.Disconnect = a.broker.Disconnect
	}
	a.fleet = enrol.New(o)
	return nil
}

func (a *App) assembleAlerts(ctx context.Context) error {
	templates, err := manifest.ParseTemplates("assets/templates.yaml", assets.Templates)
	if err != nil {
		return err
	}
	kept := records.Records{Store: a.store, Now: a.now}
	a.webhooks, err = webhook.Open(ctx, webhook.Options{Records: kept, Now: a.now, Log: a.log, Anywhere: a.o.Anywhere})
	if err != nil {
		return err
	}
	read := alertCatalogue{a.catalogue}
	a.alerts, err = alert.Open(ctx, alert.Options{Records: kept, Catalogue: read, Artist: artwork.Pages{Cache: a.artist},
		History: history.Played{History: a.history}, Changed: func() { a.publisher.KickAlerts() }, Now: a.now, Log: a.log,
		Hooks: a.webhooks, Reach: a.reach, Doubt: func() *playlists.Error { return a.clock.Look().Refusal() }}, templates)
	if err != nil {
		return err
	}
	a.inbox, err = capinbox.Open(ctx, capinbox.Options{Records: kept, Catalogue: read,
		Alerts: a.alerts, Fetcher: a.webhooks.Guard(), Now: a.now, Log: a.log, Doubt: a.clock.Unsure})
	return err
}

func (a *App) assemblePublisher(ctx context.Context) error {
	restored, err := backup.RestoredMS(ctx, a.store)
	if err != nil {
		return err
	}
	a.resync = publish.NewResync(acknowledged{a}, func(sign string) {
		a.requester.Ask(wire.SignRequest{Sign: sign, Op: wire.OpResync})
	}, a.now)
	o := publish.Options{Restored: restored, Broker: toBroker{a}, Catalogue: a.catalogue, Artist: a.artist,
		Ledger: ledger{a.store, a.history, a.clock},
		Keys:   a.keyring, Now: a.now, Log: a.log, Alerts: a.alerts, Expect: a.resync.Expect, Acked: a.acked,
		Limits: a.limits, Doubt: a.clock.Guess,
		Topics: a.store.Topics()}
	o.Lacking = acknowledged{a}
	a.publisher = publish.New(o)
	a.resync.Repair = a.publisher.Repair
	a.requester = publish.NewRequester(o)
	a.listener = listen.New(a.now, a.log, listen.Events{Ack: a.countAck, Class: a.classOf, Clock: a.clock.Heard,
		Online: func(sign string, s *wire.Status) {
			if a.resync.Renew(sign) {
				a.publisher.WakeAlerts()
			}
			if s.Challenge != "" { // other statuses do not ask
				a.requester.Ask(wire.SignRequest{Sign: sign, Op: wire.OpTime, Session: s.Session, Challenge: s.Challenge})
			}
		}})
	a.auditor = listen.NewAuditor(a.listener, proofs{a.store}, func(sign, chain string, n int64) {
		a.requester.Ask(wire.SignRequest{Sign: sign, Op: wire.OpPlayedHave, Chain: chain, N: n})
	})
	a.watch = listen.NewWatch(a.listener, records.Health{Store: a.store}, a.log)
	return nil
}

// assembleLink connects to the broker. What signs send comes over the link from an outside broker, and from the feed
// of the embedded one.
func (a *App) assembleLink(context.Context) error {
	var own *tls.Config
	if a.broker != nil {
		own = a.tls.Own()
	}
	if a.feed == nil {
		a.listener.Linked(false, true)
	}
	a.rival = rival.New(rival.Options{Runs: a.outage.Runs(), Now: a.now, Log: a.log,
		Publish: func(ctx context.Context, payload []byte) error {
			return toBroker{a}.Publish(ctx, wire.TopicController, payload, true)
		}})
	var err error
	a.link, err = link.New(link.Options{Broker: a.brokerAddr, TLS: own,
		ClientID: broker.ControllerUser + "-" + rand.Text()[:8],
		Username: a.login.User, Password: a.login.Password, Log: a.log,
		// A controller that starts again with the login of before must not wait for minutes; somebody looks at it.
		Quick: true, Accepted: true, Now: a.now, State: a.said, Up: a.linkUp, Down: a.linkDown,
		Message: a.received})
	return err
}

func (a *App) assemblePages(context.Context) error {
	a.api = api.New(api.Options{Health: a.history, Source: source{a},
		Documents: history.Documents{Past: a.history, Planner: a.publisher, Now: a.now}, Objects: a.things, Fleet: a.fleet,
		Media: a.media, Artist: a.artist, Reports: reports{a.history}, ReportTypes: report.Types(),
		Log: backup.Log{Store: a.store}, Auth: a.auth, Alerts: a.alerts, Webhooks: a.webhooks, CAPs: a.inbox,
		Clock: a.clock, Version: a.o.Software, Now: a.now, Logger: a.log})
	pages, err := web.New(web.Options{Insecure: a.o.Insecure, RootsHere: a.keyring.RootsHere, KeysEnd: a.keyring.Ends,
		Now: a.now})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	a.api.Handler(mux)
	m := metrics.New(metrics.Sources{Data: a.o.Data, Ready: a.Ready, Linked: func() bool { return a.link.Down() == nil },
		Rival:    a.rival.Trouble,
		Deferred: a.outage.Waiting, WebhooksFailed: a.webhooks.Failed,
		Doubt: func() bool { return a.clock.Look().Doubt() }, Now: a.now, Listener: a.listener,
		Alerts: a.alerts, Plans: a.publisher, Keys: a.keyring, Artworks: a.artist})
	mux.Handle("GET /metrics", m.Handler())
	mux.Handle("/", pages)
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(a.api.CrossOrigin))
	a.http = &http.Server{Handler: m.Count(guard.Handler(mux)), ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout: 2 * time.Minute,
		ErrorLog:    slog.NewLogLogger(a.log.Handler(), slog.LevelWarn)}
	return nil
}

// changed lets a written change take effect.
func (a *App) changed(ctx context.Context, c catalogue.Changed) {
	var err error
	switch c.Key.Kind {
	case playlists.KindSign:
		if s, ok := c.New.(*playlists.Sign); ok {
			err = a.fleet.Changed(ctx, s)
		} else {
			err = a.fleet.Dismiss(ctx, c.Key.ID)
		}
	case playlists.KindUser:
		if u, ok := c.New.(*playlists.User); ok {
			a.auth.SetUser(u.ID, u)
		} else {
			err = a.people.Revoke(ctx, c.By, c.Key.ID)
		}
	case playlists.KindMedia:
		old, _ := c.Old.(*playlists.Medium)
		if m, ok := c.New.(*playlists.Medium); old != nil && (!ok || m.SHA256 != old.SHA256) {
			a.media.DropFile(ctx, old.Owner, old.SHA256)
		}
	}
	if err != nil {
		a.log.Error("a change was written and has not taken effect everywhere; restart the controller", "thing",
			c.Key.String(), "err", err)
	}
	if c.Key.Kind == playlists.KindSign || c.Key.Kind == playlists.KindOwner {
		a.alerts.SignsChanged()
	}
	a.publisher.KickOwner(c.Of)
}
