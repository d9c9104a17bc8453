package app

import (
	"log/slog"
	"time"

	"ledcast/controller/internal/alert"
	"ledcast/controller/internal/api"
	"ledcast/controller/internal/artwork"
	"ledcast/controller/internal/auth"
	"ledcast/controller/internal/broker"
	"ledcast/controller/internal/catalogue"
	"ledcast/controller/internal/certificate"
	"ledcast/controller/internal/enrol"
	"ledcast/controller/internal/history"
	"ledcast/controller/internal/listen"
	"ledcast/controller/internal/publish"
	"ledcast/controller/internal/store"
	"ledcast/sign/link"
)

// Parts are an App's parts, for tests that look inside.
type Parts struct {
	Store     store.Store
	Catalogue *catalogue.Reader
	Things    *catalogue.Writer
	History   history.History
	Keyring   *publish.Keyring
	Accounts  *enrol.Accounts
	Broker    *broker.Broker
	Publisher *publish.Publisher
	Alerts    *alert.Service
	Listener  *listen.Listener
	Artist    *artwork.Cache
	Auth      *auth.Service
	API       *api.Server
	Source    api.Source
	Media     *catalogue.Media
	Uploads   *artwork.Uploads
	Link      *link.Link
	Now       func() time.Time
	Log       *slog.Logger
}

// PartsOf is what App keeps to itself.
func PartsOf(a *App) Parts {
	return Parts{a.store, a.catalogue, a.things, a.history, a.keyring, a.accounts, a.broker, a.publisher, a.alerts,
		a.listener, a.artist,
		a.auth, a.api, source{a}, a.media, a.uploads, a.link, a.now, a.log}
}

// CheckAddresses rejects options that would show to a network what is not
// encrypted.
func CheckAddresses(o Options) (err error) {
	a := &App{o: o}
	if a.tls, err = certificate.Read(o.TLSCert, o.TLSKey); err != nil {
		return err
	}
	return a.checkAddresses()
}
