package capinbox

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"ledcast/controller/internal/alert"
	"ledcast/controller/internal/alert/alerttest"
	"ledcast/controller/internal/webhook"
	"ledcast/playlists"
)

// world provides the dependencies of an inbox in memory.
type world struct{ *alerttest.World }

func newWorld() *world { return &world{alerttest.New()} }

var (
	author, approver = alerttest.Author, alerttest.Approver
	refused          = alerttest.Refused
	read             = alerttest.Read
)

func run(t *testing.T, s *service, o *playlists.AlertOrder) *playlists.AlertView {
	t.Helper()
	return alerttest.Run(t, s, o)
}

// service is an inbox and the alert service that it uses.
type service struct {
	*alert.Service
	*Inbox
}

// open opens a service that may fetch feeds from any address.
func open(w *world, now func() time.Time) (*service, error) {
	return openWith(w, now, webhook.NewGuard(true))
}

func openWith(w *world, now func() time.Time, guard *webhook.Guard) (*service, error) {
	log := slog.New(slog.DiscardHandler)
	a, err := alert.Open(context.Background(), alert.Options{Records: w, Catalogue: w,
		Artist: w, History: w, Now: now, Log: log, Hooks: &alerttest.Hooks{}}, nil)
	if err != nil {
		return nil, err
	}
	i, err := Open(context.Background(), Options{Records: w, Catalogue: w, Alerts: a, Fetcher: guard, Now: now, Log: log})
	return &service{a, i}, err
}

func (w *world) open(t *testing.T) *service {
	t.Helper()
	s, err := openWith(w, time.Now, webhook.NewGuard(false))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (w *world) order(id string, life time.Duration) *playlists.AlertOrder {
	return alerttest.Order(id, life)
}

func view(t *testing.T, s *service, id string) *playlists.AlertView {
	t.Helper()
	v, err := s.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// policyDigest returns the digest that an approver of the policy sends.
func policyDigest(s *service) string {
	p, _, _ := s.CAPPolicy()
	return p.Digest()
}
