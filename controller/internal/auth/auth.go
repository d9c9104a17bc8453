// Package auth authenticates requests: people with a name and a password, their
// sessions, and the API tokens of people and programs.
//
// There is no default password. The first administrator, and each user whom an
// administrator adds, signs in once with a link and sets a password. Tokens, the
// codes of links and session keys are 256 random bits; the database keeps their
// SHA-256 only, and the argon2id hash of passwords. A stolen database therefore
// lets nobody sign in.
//
// Every check is answered from memory, so a revocation takes effect at once.
package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
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
	kindSignin   = "signin"   // when a user's password was set, and when the sessions ended
	kindInvite   = "invite"   // a link that works once
	kindPassword = "password" // its hash
)

// Records stores the records of auth as JSON, by kind and id. The log names by as
// the author of a write; by is nil for the hash of a password, which is not logged.
type Records interface {
	List(ctx context.Context, kind string) (map[string][]byte, error)
	Put(ctx context.Context, by *playlists.Principal, kind, owner, id string, data []byte) error
	Delete(ctx context.Context, by *playlists.Principal, kind, owner, id string) error
}

// Options are the dependencies of a Service.
type Options struct {
	Records  Records
	Sessions scs.CtxStore
	Now      func() time.Time
	// Guest, if given, is the principal of requests from loopback without
	// credentials. The demo uses it: its wall is open on its own machine.
	Guest *playlists.Principal
	// Demo lets the tokens that Console makes stand for people. Elsewhere a token approves nothing unless it stands for
	// a person who made it.
	Demo bool
	// Born is when the installation began. On its first day nobody is too new to approve. nil: long ago.
	Born    func() time.Time
	BuiltIn []string // people of the demo, whose links make nobody one person with another
	Console string   // id of who started the controller: it makes the first people, and counts as nobody's maker
}

// Service authenticates requests. It is safe for concurrent use.
type Service struct {
	o        Options
	sessions *scs.SessionManager
	limits   *limits
	hashing  chan struct{} // bounds the memory of password hashing
	granting sync.Mutex    // one change of a token at a time

	mu      sync.RWMutex
	revoked chan struct{}    // closed at the next revocation
	tokens  map[string]Token // by hash
	users   map[string]playlists.User
	signins map[string]signin
	invites map[string]invite // by the hash of the code
	hashes  map[string]string // password hashes by user
}

// Open loads the records.
func Open(ctx context.Context, o Options) (*Service, error) {
	s := &Service{revoked: make(chan struct{}), o: o, limits: newLimits(o.Now), hashing: make(chan struct{}, 2),
		tokens: map[string]Token{}, users: map[string]playlists.User{}, signins: map[string]signin{},
		invites: map[string]invite{}, hashes: map[string]string{}}
	s.sessions = scs.New()
	s.sessions.Store, s.sessions.HashTokenInStore, s.sessions.Lifetime = o.Sessions, true, sessionLife
	for _, err := range []error{
		playlists.LoadRecords(ctx, o.Records, kindToken, func(_ string, t Token) { s.tokens[t.SHA256] = t }),
		playlists.LoadRecords(ctx, o.Records, kindUser, func(id string, u playlists.User) { s.users[id] = u }),
		playlists.LoadRecords(ctx, o.Records, kindSignin, func(id string, x signin) { s.signins[id] = x }),
		playlists.LoadRecords(ctx, o.Records, kindInvite, func(_ string, x invite) { s.invites[x.SHA256] = x }),
		playlists.LoadRecords(ctx, o.Records, kindPassword, func(id, h string) { s.hashes[id] = h }),
	} {
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Principal returns the sender of a request, by its bearer token or session. It
// ignores a token in the query, because queries end up in logs. Its error is an
// *Error of code Denied, or Busy above the rate limits.
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

// Changed returns a channel that is closed at the next revocation. Call it before
// Still, so that none is missed.
func (s *Service) Changed() <-chan struct{} {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.revoked
}

// notifyRevoked closes the channel of Changed. s.mu must be held.
func (s *Service) notifyRevoked() {
	close(s.revoked)
	s.revoked = make(chan struct{})
}

// Still reports whether the sender of a request that is still being answered, such
// as a stream of events, may go on. It counts toward no rate limit.
func (s *Service) Still(r *http.Request) error {
	_, err := s.known(r)
	return err
}

// Attempt counts an attempt to use a code, before the code is checked. Its error
// is of code Busy.
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

// local reports whether a request names this machine as its host. A foreign page
// whose DNS name was pointed at loopback must not become the guest.
func local(host string) bool {
	name := address(host)
	ip := net.ParseIP(strings.Trim(name, "[]"))
	return strings.EqualFold(name, "localhost") || ip != nil && ip.IsLoopback()
}

// address returns the host of a remote address.
func address(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return remote
	}
	return strings.TrimSuffix(host, "%")
}
