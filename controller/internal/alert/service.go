// Package alert is the life of an urgent message: written by one person,
// approved by another who types the number of signs that it will reach, on the
// signs until it ends, and then counted: which sign showed it, and whom to call
// about the others.
//
// How an alert looks is drawn once, when it is made, and kept with it: what the
// approver saw is what signs show, whatever becomes of the message, its pictures
// or the controller meanwhile. Every step of a life is one audited write, and
// what follows from it (the end of a replaced alert, the correction of a
// cancelled one) is made true again at each turn, so that a controller that was
// killed between two writes goes on where it stood.
//
// It sends nothing: package publish asks what is wanted, and signs' acks come in
// from package listen.
package alert

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// Kinds of records. Those that only machines write are not audited.
const (
	kindAlert    = "alert"
	kindTemplate = "alert-template"
	kindSetting  = "alert-setting"
	kindLook     = "alert-look"     // not audited
	kindDelivery = "alert-delivery" // not audited
)

// Records keeps what this package remembers, as JSON by kind and id. A write of
// by is audited; by is nil for what only machines write.
type Records interface {
	List(ctx context.Context, kind string) (map[string][]byte, error)
	// Get is NotFound for what is not there.
	Get(ctx context.Context, kind, id string) ([]byte, error)
	Put(ctx context.Context, by *playlists.Principal, kind, owner, id string, data []byte) error
	Delete(ctx context.Context, by *playlists.Principal, kind, owner, id string) error
}

// Catalogue is what alerts are meant for and made of.
type Catalogue interface {
	Signs(ctx context.Context) ([]playlists.Sign, error)
	Owners(ctx context.Context) ([]playlists.Owner, error)
	Areas(ctx context.Context) ([]playlists.Area, error)
	// Message is one of the department's.
	Message(ctx context.Context, id string) (*playlists.Message, error)
	// KnownAreas refuses areas that are not known, or outside an officer's.
	KnownAreas(ctx context.Context, areas []string, who *playlists.Principal, where string) error
}

// Artist draws.
type Artist interface {
	// Artwork is a message as every sign of the class gets it: in pages, for a
	// sign that may not scroll gets the same frames as the others.
	Artwork(ctx context.Context, m *playlists.Message, c playlists.Class) (*playlists.Artwork, error)
	// Reads says why it cannot be read from where people look at a sign; nil
	// when it can.
	Reads(ctx context.Context, m *playlists.Message, s *playlists.Sign) (*playlists.Finding, error)
}

// History is what signs were told and what they proved.
type History interface {
	// Programs were in force from fromMS until untilMS, in their order.
	Programs(ctx context.Context, sign string, fromMS, untilMS int64) ([]*timeline.Program, error)
	// Proved is how long the sign's proof of play says that it put out an item.
	Proved(ctx context.Context, sign, item string, fromMS, untilMS int64) (ms int64, err error)
}

// Hooks sends events of alerts to others.
type Hooks interface {
	// Send queues an event of an alert that so many signs have missed. After an
	// error nothing is queued.
	Send(ctx context.Context, event string, v *playlists.AlertView, missed int, at time.Time) error
}

// Options are a Service's surroundings.
type Options struct {
	Records   Records
	Catalogue Catalogue
	Artist    Artist
	History   History
	Changed   func() // what is wanted on signs changed; must not block
	Now       func() time.Time
	Log       *slog.Logger
	Hooks     Hooks
	// Doubt, if given, refuses what needs a right clock, while the clock is in doubt: what begins, and what ends by
	// itself. A cancel needs none.
	Doubt func() *playlists.Error
}

// Controller is who acts when nobody does: alerts that end by themselves, and
// the weekly drill.
var Controller = &playlists.Principal{ID: "controller", Owner: playlists.Public, Role: playlists.RoleAdmin}

// Service is every alert. It is safe for concurrent use; Run must run.
type Service struct {
	o      Options
	wake   chan struct{}
	late   chan struct{} // something is not drawn yet
	began  time.Time
	events []event   // made, and not sent yet; Step's own
	saved  time.Time // when counts were kept last; Step's own

	life  sync.Mutex // one step of any life at a time; held while writing
	looks sync.Mutex // held while a look is written

	mu        sync.Mutex // the rest, never held while writing
	entries   map[string]*entry
	templates map[string]playlists.AlertTemplate
	drill     playlists.DrillPlan
	signs     map[string]playlists.Sign
	owners    map[string]playlists.Owner
	learnt    time.Time
	changes   int                // how often signs or owners may have become others
	known     int                // of these, those that signs and owners have
	sets      map[setKey]sent    // as they were published last
	previews  map[string]preview // that somebody read, by digest
}

type setKey struct {
	class string
	test  bool
}

type sent struct {
	seq    int64
	alerts []string
}

// entry is an alert and what goes with it.
type entry struct {
	playlists.Alert
	look *look     // nil: not read yet
	way  *delivery // nil: not read yet, or never sent
}

// Open reads what is remembered, and seeds templates that are not there.
func Open(ctx context.Context, o Options, seed []playlists.AlertTemplate) (*Service, error) {
	s := &Service{o: o, wake: make(chan struct{}, 1), late: make(chan struct{}, 1), began: o.Now(), entries: map[string]*entry{},
		templates: map[string]playlists.AlertTemplate{},
		drill:     playlists.DrillPlan{On: true, Day: "mon", At: "09:00"}, sets: map[setKey]sent{}, previews: map[string]preview{}}
	for _, err := range []error{
		playlists.LoadRecords(ctx, o.Records, kindAlert, func(id string, a playlists.Alert) { s.entries[id] = &entry{Alert: a} }),
		playlists.LoadRecords(ctx, o.Records, kindTemplate, func(id string, t playlists.AlertTemplate) { s.templates[id] = t }),
		playlists.LoadRecords(ctx, o.Records, kindSetting, func(_ string, d playlists.DrillPlan) { s.drill = d }),
	} {
		if err != nil {
			return nil, err
		}
	}
	for _, t := range seed {
		if _, there := s.templates[t.ID]; there {
			continue
		}
		t.By = Controller.ID
		if err := s.keep(ctx, Controller, kindTemplate, t.ID, t); err != nil {
			return nil, err
		}
		s.templates[t.ID] = t
	}
	if err := s.learn(ctx); err != nil {
		return nil, err
	}
	for _, e := range s.entries {
		if e.State == playlists.AlertEnded && int64(e.Until)*1000 < o.Now().UnixMilli() {
			continue
		}
		if err := s.read(ctx, e); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// read fills in an entry's look and delivery from the store.
func (s *Service) read(ctx context.Context, e *entry) error {
	s.mu.Lock()
	l, d, approved := e.look, e.way, e.ApprovedMS > 0
	s.mu.Unlock()
	if l == nil {
		l = &look{}
		if err := s.get(ctx, kindLook, e.ID, l); err != nil {
			return err
		}
	}
	if d == nil && approved {
		d = &delivery{Signs: map[string]*way{}}
		if err := s.get(ctx, kindDelivery, e.ID, d); err != nil {
			var known *playlists.Error
			if !errors.As(err, &known) || known.Code != playlists.NotFound {
				return err
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.look == nil {
		e.look = l
	}
	if e.way == nil {
		e.way = d
	}
	return nil
}

func (s *Service) get(ctx context.Context, kind, id string, v any) error {
	data, err := s.o.Records.Get(ctx, kind, id)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}

func (s *Service) keep(ctx context.Context, by *playlists.Principal, kind, id string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return s.o.Records.Put(ctx, by, kind, playlists.Public, id, data)
}

// SignsChanged says that signs or owners are others than they were. Who reaches
// for them next reads them again.
func (s *Service) SignsChanged() {
	s.mu.Lock()
	s.changes++
	s.mu.Unlock()
}

// learn reads signs and owners, unless nothing has changed since.
func (s *Service) learn(ctx context.Context) error {
	s.mu.Lock()
	changes, same := s.changes, s.signs != nil && s.known == s.changes && s.o.Now().Sub(s.learnt) < learnEvery
	s.mu.Unlock()
	if same { // ten thousand signs take as long to read as the broker takes to send to them
		return nil
	}
	signs, err := s.o.Catalogue.Signs(ctx)
	if err != nil {
		return err
	}
	owners, err := s.o.Catalogue.Owners(ctx)
	if err != nil {
		return err
	}
	bySign, byOwner := make(map[string]playlists.Sign, len(signs)), make(map[string]playlists.Owner, len(owners))
	for i := range signs {
		bySign[signs[i].ID] = signs[i]
	}
	for i := range owners {
		byOwner[owners[i].ID] = owners[i]
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signs, s.owners, s.learnt, s.known = bySign, byOwner, s.o.Now(), changes
	return nil
}

// targets are the signs that an alert reaches now, sorted by id.
func (s *Service) targets(a *playlists.Alert) []playlists.Sign {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []playlists.Sign
	for _, x := range s.signs {
		if a.Reaches(&x) {
			out = append(out, x)
		}
	}
	slices.SortFunc(out, func(a, b playlists.Sign) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// classes are those of the signs, sorted.
func classes(signs []playlists.Sign) []playlists.Class {
	seen := map[playlists.Class]bool{}
	var out []playlists.Class
	for i := range signs {
		if !seen[signs[i].Class] {
			seen[signs[i].Class] = true
			out = append(out, signs[i].Class)
		}
	}
	slices.SortFunc(out, func(a, b playlists.Class) int { return strings.Compare(a.String(), b.String()) })
	return out
}

func (s *Service) find(id string) (*entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[id]
	if e == nil {
		return nil, notHere("alert", id)
	}
	return e, nil
}

func notHere(what, id string) error {
	return &playlists.Error{Code: playlists.NotFound, Field: what, Value: id, Key: "not-here"}
}

// doubt refuses what needs a right clock, while it is in doubt.
func (s *Service) doubt() *playlists.Error {
	if s.o.Doubt == nil {
		return nil
	}
	return s.o.Doubt()
}

// Settled says that the clock is in doubt no more: what is due by it happens now.
func (s *Service) Settled() { s.changed() }

// changed lets what was written take effect.
func (s *Service) changed() {
	if s.o.Changed != nil {
		s.o.Changed()
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
