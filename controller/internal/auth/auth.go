// Package auth knows who is asking: people with a name and a password, their
// sessions, and the API tokens of people and programs.
//
// Nothing has a default password: the first person, and everybody whom an
// administrator adds, comes in by a link that works once and sets a password.
// A token, a link's code and a session's key are 256 random bits, of which only
// a SHA-256 is kept; of passwords, argon2id. So a stolen database opens no door.
//
// Everything is answered from memory, so that a token or a person that is
// revoked is out at once.
package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/alexedwards/scs/v2"

	"ledcast/playlists"
)

// Kinds of records.
const (
	kindUser     = "user"
	kindToken    = "token"
	kindSignin   = "signin"   // when somebody's password was set and sessions ended
	kindInvite   = "invite"   // a link that works once
	kindPassword = "password" // its hash
)

// Records keeps what auth remembers, as JSON by kind and id. A write of by is
// audited; by is nil for a password's hash, which no log should hold.
type Records interface {
	List(ctx context.Context, kind string) (map[string][]byte, error)
	Put(ctx context.Context, by *playlists.Principal, kind, owner, id string, data []byte) error
	Delete(ctx context.Context, by *playlists.Principal, kind, owner, id string) error
}

// Options are a Service's surroundings.
type Options struct {
	Records  Records
	Sessions scs.CtxStore
	Now      func() time.Time
	// Guest, if given, is who asks from loopback without any credentials: the
	// demo's wall is open on its own machine.
	Guest *playlists.Principal
}

// Service answers who is asking. It is safe for concurrent use.
type Service struct {
	o        Options
	sessions *scs.SessionManager
	limits   *limits
	hashing  chan struct{} // bounds the memory of password hashing
	granting sync.Mutex    // one change of a token at a time

	mu      sync.RWMutex
	turn    chan struct{}    // closed when somebody may be out
	tokens  map[string]Token // by hash
	users   map[string]playlists.User
	signins map[string]signin
	invites map[string]invite // by the hash of the code
	hashes  map[string]string // password hashes by user
}

// Open reads what is remembered.
func Open(ctx context.Context, o Options) (*Service, error) {
	s := &Service{turn: make(chan struct{}), o: o, limits: newLimits(o.Now), hashing: make(chan struct{}, 2),
		tokens: map[string]Token{}, users: map[string]playlists.User{}, signins: map[string]signin{}, invites: map[string]invite{}, hashes: map[string]string{}}
	s.sessions = scs.New()
	s.sessions.Store, s.sessions.HashTokenInStore, s.sessions.Lifetime = o.Sessions, true, sessionLife
	for _, err := range []error{
		load(ctx, o.Records, kindToken, func(_ string, t Token) { s.tokens[t.SHA256] = t }),
		load(ctx, o.Records, kindUser, func(id string, u playlists.User) { s.users[id] = u }),
		load(ctx, o.Records, kindSignin, func(id string, x signin) { s.signins[id] = x }),
		load(ctx, o.Records, kindInvite, func(_ string, x invite) { s.invites[x.SHA256] = x }),
		load(ctx, o.Records, kindPassword, func(id, h string) { s.hashes[id] = h }),
	} {
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

func load[T any](ctx context.Context, r Records, kind string, each func(id string, v T)) error {
	rows, err := r.List(ctx, kind)
	if err != nil {
		return err
	}
	for id, row := range rows {
		var v T
		if err := json.Unmarshal(row, &v); err != nil {
			return err
		}
		each(id, v)
	}
	return nil
}

// Principal is who sent the request, by its bearer token or session. A token in
// the query is never looked at: queries end up in logs. Its error is an *Error
// of code Denied; Busy where somebody asks too often.
func (s *Service) Principal(r *http.Request) (*playlists.Principal, error) {
	p, err := s.known(r)
	if err != nil {
		return nil, err
	}
	p.From = r.RemoteAddr
	if !s.limits.api(p.ID) {
		return nil, busy("too-many-requests")
	}
	return p, nil
}

// Changed is closed when somebody, or a token, may be out: who goes on serving
// them asks Still then, and for the next channel before.
func (s *Service) Changed() <-chan struct{} {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.turn
}

// turned tells it; s.mu is held.
func (s *Service) turned() {
	close(s.turn)
	s.turn = make(chan struct{})
}

// Still is Principal for a stream that goes on: whether who began it may stay.
func (s *Service) Still(r *http.Request) error {
	_, err := s.known(r)
	return err
}

// Attempt is asked before a code that somebody sends is looked at. Its error is
// of code Busy.
func (s *Service) Attempt(r *http.Request) error {
	if !s.limits.login("", address(r.RemoteAddr)) {
		return busy("too-many-attempts")
	}
	return nil
}

func (s *Service) known(r *http.Request) (*playlists.Principal, error) {
	head := r.Header.Get("Authorization")
	if head != "" {
		return s.byToken(head)
	}
	if who := s.bySession(r); who != nil {
		return who, nil
	}
	if s.o.Guest != nil && loopback(r.RemoteAddr) && local(r.Host) {
		g := *s.o.Guest
		return &g, nil
	}
	return nil, denied("token-missing")
}

func denied(key playlists.TextKey, args ...any) error {
	return &playlists.Error{Code: playlists.Denied, Field: "Authorization", Key: key, Args: args}
}

func busy(key playlists.TextKey, args ...any) error {
	return &playlists.Error{Code: playlists.Busy, Key: key, Args: args}
}

func hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

func random() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand.Read panics instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func loopback(addr string) bool {
	host := address(addr)
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// local reports whether a request was made to this machine by a name of its own:
// a page whose name somebody has led here must not be the guest.
func local(host string) bool {
	name := address(host)
	ip := net.ParseIP(strings.Trim(name, "[]"))
	return strings.EqualFold(name, "localhost") || ip != nil && ip.IsLoopback()
}

// address is the host of a remote address.
func address(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return remote
	}
	return strings.TrimSuffix(host, "%")
}
