package alert

import (
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"ledcast/controller/internal/alert/alerttest"
	"ledcast/playlists"
)

// world provides the dependencies of a service in memory.
type world struct {
	*alerttest.World
	hooks alerttest.Hooks
}

func newWorld() *world { return &world{World: alerttest.New()} }

var (
	author, approver = alerttest.Author, alerttest.Approver
	refused          = alerttest.Refused
	read             = alerttest.Read
)

func (w *world) open(t *testing.T) *Service {
	t.Helper()
	s, err := Open(t.Context(), Options{Records: w, Catalogue: w, Artist: w, History: w,
		Now: time.Now, Log: slog.New(slog.DiscardHandler), Hooks: &w.hooks}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (w *world) order(id string, life time.Duration) *playlists.AlertOrder {
	return alerttest.Order(id, life)
}

func run(t *testing.T, s *Service, o *playlists.AlertOrder) *playlists.AlertView {
	t.Helper()
	return alerttest.Run(t, s, o)
}

func view(t *testing.T, s *Service, id string) *playlists.AlertView {
	t.Helper()
	v, err := s.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func step(t *testing.T, s *Service) time.Duration {
	t.Helper()
	d, err := s.Step(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// active describes the active and the ended alerts.
func active(s *Service) (out string) {
	alerts, ended, _ := s.Wanted(time.Now())
	ids := map[string]bool{}
	for _, a := range alerts {
		ids[a.ID] = true
	}
	for _, e := range ended {
		ids["-"+e.ID+":"+e.Why] = true
	}
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		out += id + " "
	}
	return out
}
