// Package api is the HTTP API: one route table, JSON, problem documents.
//
// It knows the rest of the controller only through the interfaces declared
// here; app connects them.
package api

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"ledcast/controller/internal/auth"
	"ledcast/playlists"
	"ledcast/playlists/plan"
	"ledcast/playlists/timeline"
)

// Heard is what a sign said of itself. The zero value is a sign never heard.
type Heard struct {
	Online      bool
	Unknown     bool      // nobody hears it now, or it has not spoken since somebody does again
	At          time.Time // of anything it said; zero for never
	Why         string    // as in its last status
	Item, Frame string
	ProgramSeq  int64
	Trusted     bool // its clock
	Software    string
	Faults      []string
	Snapshot    []byte // PNG of what is on its output
	ShotAt      time.Time
	Dropped     int
}

// Source is what the pages and the API read.
type Source interface {
	Signs(ctx context.Context) ([]playlists.Sign, error)
	// Sign is one of Signs; nil where there is none.
	Sign(ctx context.Context, id string) (*playlists.Sign, error)
	Owners(ctx context.Context) ([]playlists.Owner, error)
	Heard(sign string) Heard
	// Program is the sign's present program, and why a newer one could not be
	// made, if so; nil before the first.
	Program(sign string) (p *timeline.Program, problem playlists.Text)
	// Title is what people call an item of the sign's present program.
	Title(sign, owner, item string) string
	// Has are those that the sign has now, by its own word.
	Has(sign *playlists.Sign) []timeline.Alert
	// Frame is the bytes of a frame file: of the sign's program or one that it replaced lately, or, with sign "", of any
	// program or alert; nil where there is none.
	Frame(sign, sha string) (data []byte, mime string)
	// Snapshot asks the sign for a picture of its output.
	Snapshot(sign string)
	// Ready is nil when the broker holds what every sign should have.
	Ready() error
}

// Documents are what signs had, have and will have.
type Documents interface {
	// InForce lists the programs that were in force from `from` until before
	// `until`, or are planned to be, in their order.
	InForce(ctx context.Context, sign string, from, until time.Time) ([]plan.InForce, error)
	// Alerts are those that a sign should know at t, of every set that it reads.
	Alerts(ctx context.Context, sign *playlists.Sign, t time.Time) ([]timeline.Alert, error)
}

// Options are a Server's surroundings.
type Options struct {
	Source    Source
	Documents Documents
	Health    Health
	Objects   Objects
	Fleet     Fleet
	Media     Media
	Artist    Artist
	Reports   Reports
	Log       Log
	Alerts    Alerts
	Webhooks  Webhooks
	CAPs      CAPs
	Clock     Clock
	Auth      *auth.Service
	Version   string // of the software, for the OpenAPI document
	Now       func() time.Time
	Logger    *slog.Logger

	// ReportTypes are values of the types that Reports answers, for the document.
	ReportTypes []any
}

// Server answers requests.
type Server struct {
	src       Source
	documents Documents
	health    Health
	objects   Objects
	fleet     Fleet
	media     Media
	artist    Artist
	reports   Reports
	audit     Log
	alerts    Alerts
	webhooks  Webhooks
	caps      CAPs
	clock     Clock
	auth      *auth.Service
	version   string
	now       func() time.Time
	log       *slog.Logger
	wall      *wall
	// verdicts say of each sign's last snapshot whether it agrees with its program.
	verdicts verdicts

	reportTypes anyOf
}

// New makes a server. Run must be running for events.
func New(o Options) *Server {
	s := &Server{src: o.Source, documents: o.Documents, health: o.Health, objects: o.Objects, fleet: o.Fleet,
		media: o.Media, artist: o.Artist, reports: o.Reports, audit: o.Log, alerts: o.Alerts, webhooks: o.Webhooks,
		caps: o.CAPs, clock: o.Clock, auth: o.Auth, version: o.Version, now: o.Now, log: o.Logger,
		reportTypes: o.ReportTypes}
	s.wall = newWall(s)
	return s
}

// Run watches the wall for those who listen to events, until ctx ends.
func (s *Server) Run(ctx context.Context) { s.wall.run(ctx) }

// problem is an RFC 9457 problem document.
type problem struct {
	Type   string            `json:"type"`
	Code   playlists.TextKey `json:"code" jsonschema_description:"what is wrong, for programs; it stays the same in later versions"`
	Title  string            `json:"title"`
	Status int               `json:"status"`
	Detail string            `json:"detail,omitempty"`
	Field  string            `json:"field,omitempty"`
	Value  string            `json:"value,omitempty"`
	Remedy string            `json:"remedy,omitempty"`

	VI *playlists.Reason `json:"vi,omitempty" jsonschema_description:"title and remedy in Vietnamese, and what people call the field"`
}

// problemOf is the document of an error that is the caller's.
func problemOf(e *playlists.Error) problem {
	en, vi := e.English(), e.Vietnamese()
	return problem{Type: "urn:ledcast:" + string(e.Code), Code: e.Key, Title: en.Title, Status: statuses[e.Code],
		Detail: e.Error(), Field: e.Field, Value: e.Value, Remedy: en.Remedy, VI: &vi}
}

var statuses = map[playlists.Code]int{
	playlists.Invalid:  http.StatusUnprocessableEntity,
	playlists.NotFound: http.StatusNotFound,
	playlists.Conflict: http.StatusPreconditionFailed,
	playlists.TooLarge: http.StatusRequestEntityTooLarge,
	playlists.Denied:   http.StatusForbidden,
	playlists.Busy:     http.StatusTooManyRequests,
	playlists.Full:     http.StatusInsufficientStorage,
	playlists.Away:     http.StatusServiceUnavailable,
}

// fail answers with err as a problem document: the one place where codes
// become statuses. What is not the caller's fault is logged, not told.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	var p problem
	var e *playlists.Error
	if errors.As(err, &e) {
		p = problemOf(e)
	} else {
		p = problemOf(&playlists.Error{Key: "controller-failed"})
		p.Type, p.Status, p.Detail = "about:blank", http.StatusInternalServerError, ""
		s.log.Error("request failed", "path", r.URL.Path, "err", err)
	}
	if p.Status == http.StatusPreconditionFailed && r.Header.Get("If-Match") == "" && r.Header.Get("If-None-Match") == "" {
		p.Status = http.StatusConflict // nobody asked for a precondition
	}
	if p.Status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "60")
	}
	if p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	writeProblem(w, p)
}

func writeProblem(w http.ResponseWriter, p problem) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client went away
}

// deny answers a request of nobody known.
func (s *Server) deny(w http.ResponseWriter, r *http.Request, err error) {
	var known *playlists.Error
	if !errors.As(err, &known) || known.Code != playlists.Denied {
		s.fail(w, r, err)
		return
	}
	p := problemOf(known)
	p.Status, p.Value = http.StatusUnauthorized, "" // a token's value is a secret
	w.Header().Set("WWW-Authenticate", `Bearer realm="ledcast"`)
	writeProblem(w, p)
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(v) // the client went away
}

func answerStatus(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client went away
}

// read reads a small JSON body strictly into v.
func (s *Server) read(w http.ResponseWriter, r *http.Request, v any, where string) error {
	data, err := body(w, r)
	if err != nil {
		return err
	}
	return parse(data, v, where, func() error { return nil }, func() error { return nil })
}

func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain")
	_, _ = w.Write([]byte("ok\n"))
}

func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain")
	if err := s.src.Ready(); err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(err.Error() + "\n"))
		return
	}
	_, _ = w.Write([]byte("ready\n"))
}
