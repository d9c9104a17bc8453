// Package alert manages emergency alerts. One person creates an alert. Another person
// approves it and enters the number of signs that it reaches. The signs show it until
// it ends. The package records which signs showed it, and lists whom to call about the
// others.
//
// The package draws an alert once and stores the rendering. Signs show what the
// approver saw even if the message or its pictures change later. Each state change is
// one audited write. Service.Step derives the consequences, such as the end of a
// replaced alert or the correction of a cancelled one, so that a controller that
// crashed between two writes recovers.
//
// The package sends nothing to signs. Package publish reads the active alerts, and
// package listen receives the acks of signs.
package alert

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// Kinds of records. Records that people do not write are not audited.
const (
	kindAlert     = "alert"
	kindTemplate  = "alert-template"
	kindSetting   = "alert-setting"
	kindRendering = "alert-look"     // not audited
	kindDelivery  = "alert-delivery" // not audited
)

// Records stores this package's state as JSON by kind and id. Writes are audited,
// unless by is nil.
type Records interface {
	List(ctx context.Context, kind string) (map[string][]byte, error)
	// Get returns an error of code NotFound if there is no record.
	Get(ctx context.Context, kind, id string) ([]byte, error)
	Put(ctx context.Context, by *playlists.Principal, kind, owner, id string, data []byte) error
	Delete(ctx context.Context, by *playlists.Principal, kind, owner, id string) error
}

// Catalogue provides signs, owners, areas and messages.
type Catalogue interface {
	Signs(ctx context.Context) ([]playlists.Sign, error)
	Owners(ctx context.Context) ([]playlists.Owner, error)
	Areas(ctx context.Context) ([]playlists.Area, error)
	// Message returns a message of the department.
	Message(ctx context.Context, id string) (*playlists.Message, error)
	// KnownAreas rejects areas that do not exist or that who may not use.
	KnownAreas(ctx context.Context, areas []string, who *playlists.Principal, where string) error
}

// Artist draws messages.
type Artist interface {
	// Artwork draws a message for all signs of a class. It divides the message into
	// pages, because some of these signs may not scroll.
	Artwork(ctx context.Context, m *playlists.Message, c playlists.Class) (*playlists.Artwork, error)
	// Reads returns a finding if people cannot read the message at the sign's viewing
	// distance, and otherwise nil.
	Reads(ctx context.Context, m *playlists.Message, s *playlists.Sign) (*playlists.Finding, error)
}

// History provides the programs and the proof of play of signs.
type History interface {
	// Programs returns the programs of a sign between fromMS and untilMS, in order.
	Programs(ctx context.Context, sign string, fromMS, untilMS int64) ([]*timeline.Program, error)
	// Proved returns how long the sign showed an item according to its proof of play.
	Proved(ctx context.Context, sign, item string, fromMS, untilMS int64) (ms int64, err error)
}

// Hooks sends events of alerts to webhooks.
type Hooks interface {
	// Send queues an event of an alert. missed is the number of signs that missed the
	// alert. If Send returns an error, it has queued nothing.
	Send(ctx context.Context, event string, v *playlists.AlertView, missed int, at time.Time) error
}

// Options configures a Service.
type Options struct {
	Records   Records
	Catalogue Catalogue
	Artist    Artist
	History   History
	Changed   func() // called when the active alerts change; must not block
	Now       func() time.Time
	Log       *slog.Logger
	Hooks     Hooks
	// Doubt, if set, returns an error while the clock is in doubt. Then no alert starts or expires, but people can
	// cancel alerts.
	Doubt func() *playlists.Error
	// Reach, if given, returns "" for a sign that is connected, and otherwise "offline" or "never". The preview names
	// such signs.
	Reach func(sign string) string
}

// Controller is the principal that ends expired alerts and starts the weekly drill.
var Controller = &playlists.Principal{ID: "controller", Owner: playlists.Public, Role: playlists.RoleAdmin}

// Service manages all alerts. It is safe for concurrent use. Run must be running.
type Service struct {
	o        Options
	wake     chan struct{}
	drawWake chan struct{} // wakes runDrawing
	openedAt time.Time
	events   []event   // not sent yet; only Step uses it
	savedAt  time.Time // when Step last saved the counts; only Step uses it

	lifeMu      sync.Mutex // serializes state changes; held during writes
	renderingMu sync.Mutex // held while a rendering is written

	mu               sync.Mutex // guards the fields below; never held during writes
	entries          map[string]*entry
	templates        map[string]playlists.AlertTemplate
	templatesVersion int                                    // number of changes of templates
	unable           map[playlists.Class]*playlists.Finding // what Unable has found out
	drill            playlists.DrillPlan
	signs            map[string]playlists.Sign
	owners           map[string]playlists.Owner
	signsReadAt      time.Time
	signsVersion     int                     // number of SignsChanged calls
	signsReadVersion int                     // the signsVersion of signs and owners
	published        map[setKey]publishedSet // the sets that were published last
	previews         map[string]preview      // previews that people requested, by digest
}

type setKey struct {
	class string
	test  bool
}

type publishedSet struct {
	seq    int64
	alerts []string
}

// entry is an alert with its rendering and delivery.
type entry struct {
	playlists.Alert
	rendering *rendering // nil: not loaded yet
	delivery  *delivery  // nil: not loaded yet, or never approved
	announced bool       // approvers were told that it is pending
}

// Open loads the stored records and adds those templates of seed that do not exist.
func Open(ctx context.Context, o Options, seed []playlists.AlertTemplate) (*Service, error) {
	s := &Service{o: o, wake: make(chan struct{}, 1), drawWake: make(chan struct{}, 1), openedAt: o.Now(),
		entries:   map[string]*entry{},
		templates: map[string]playlists.AlertTemplate{}, unable: map[playlists.Class]*playlists.Finding{},
		drill:     playlists.DrillPlan{On: true, Day: "mon", At: "09:00"},
		published: map[setKey]publishedSet{}, previews: map[string]preview{}}
	for _, err := range []error{
		playlists.LoadRecords(ctx, o.Records, kindAlert,
			func(id string, a playlists.Alert) {
				// A controller that was killed may not have told of what was made in its last minute.
				old := a.CreatedMS < s.openedAt.Add(-time.Minute).UnixMilli()
				s.entries[id] = &entry{Alert: a, announced: old}
			}),
		playlists.LoadRecords(ctx, o.Records, kindTemplate,
			func(id string, t playlists.AlertTemplate) { s.templates[id] = t }),
		playlists.LoadRecords(ctx, o.Records, kindSetting,
			func(_ string, d playlists.DrillPlan) { s.drill = d }),
	} {
		if err != nil {
			return nil, err
		}
	}
	for _, t := range seed {
		if _, exists := s.templates[t.ID]; exists {
			continue
		}
		t.By = Controller.ID
		if err := s.put(ctx, Controller, kindTemplate, t.ID, t); err != nil {
			return nil, err
		}
		s.templates[t.ID] = t
	}
	if err := s.loadSigns(ctx); err != nil {
		return nil, err
	}
	for _, e := range s.entries {
		if e.State == playlists.AlertEnded && int64(e.Until)*1000 < o.Now().UnixMilli() {
			continue
		}
		if err := s.load(ctx, e); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// load loads the rendering and the delivery of an entry, unless they are loaded.
func (s *Service) load(ctx context.Context, e *entry) error {
	s.mu.Lock()
	r, d, approved := e.rendering, e.delivery, e.ApprovedMS > 0
	s.mu.Unlock()
	if r == nil {
		r = &rendering{}
		if err := s.getRecord(ctx, kindRendering, e.ID, r); err != nil {
			return err
		}
	}
	if d == nil && approved {
		d = &delivery{Signs: map[string]*progress{}}
		if err := s.getRecord(ctx, kindDelivery, e.ID, d); err != nil && !playlists.IsNotFound(err) {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.rendering == nil {
		e.rendering = r
	}
	if e.delivery == nil {
		e.delivery = d
	}
	return nil
}

func (s *Service) getRecord(ctx context.Context, kind, id string, v any) error {
	data, err := s.o.Records.Get(ctx, kind, id)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}

func (s *Service) put(ctx context.Context, by *playlists.Principal, kind, id string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return s.o.Records.Put(ctx, by, kind, playlists.Public, id, data)
}

// SignsChanged invalidates the cached signs and owners.
func (s *Service) SignsChanged() {
	s.mu.Lock()
	s.signsVersion++
	s.mu.Unlock()
}

// loadSigns loads the signs and owners, unless the cached ones are current.
func (s *Service) loadSigns(ctx context.Context) error {
	s.mu.Lock()
	version := s.signsVersion
	same := s.signs != nil && s.signsReadVersion == version && s.o.Now().Sub(s.signsReadAt) < reloadSignsEvery
	s.mu.Unlock()
	if same { // loading ten thousand signs takes as long as publishing to them
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
	s.signs, s.owners, s.signsReadAt, s.signsReadVersion = bySign, byOwner, s.o.Now(), version
	return nil
}

// targets returns the signs that an alert reaches now, sorted by id.
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

// classes returns the classes of the signs, sorted.
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
		return nil, notFound("alert", id)
	}
	return e, nil
}

// findLoaded is find, with the entry's rendering and delivery.
func (s *Service) findLoaded(ctx context.Context, id string) (*entry, error) {
	e, err := s.find(id)
	if err != nil {
		return nil, err
	}
	return e, s.load(ctx, e)
}

func notFound(what, id string) error {
	return &playlists.Error{Code: playlists.NotFound, Field: what, Value: id, Key: "not-here"}
}

// checkClock returns an error while the clock is in doubt.
func (s *Service) checkClock() *playlists.Error {
	if s.o.Doubt == nil {
		return nil
	}
	return s.o.Doubt()
}

// ClockTrusted tells the service that the clock is no longer in doubt, so that it does what is due.
func (s *Service) ClockTrusted() { s.changed() }

// changed triggers publishing and the next Step.
func (s *Service) changed() {
	if s.o.Changed != nil {
		s.o.Changed()
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
