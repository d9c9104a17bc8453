// Package auth knows who is asking: API tokens of people and programs, and the
// sessions of the pages, which a one-time link opens.
//
// A token is 256 random bits behind a prefix that secret scanners can find.
// Only its SHA-256 is kept, so that a stolen database opens no door.
package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"ledcast/playlists"
)

// Prefix begins every token.
const Prefix = "ledcast_"

// Token is what is kept of an API token.
type Token struct {
	ID      string         `json:"id"`
	Owner   string         `json:"owner"`
	Role    playlists.Role `json:"role"`
	Areas   []string       `json:"areas,omitempty"`
	SHA256  string         `json:"sha256"`
	Expires int64          `json:"expires"` // Unix seconds
}

// Tokens keeps them, as JSON by id.
type Tokens interface {
	List(ctx context.Context) ([][]byte, error)
	Put(ctx context.Context, id string, data []byte) error
	Delete(ctx context.Context, id string) error
}

// Service answers who is asking. It is safe for concurrent use.
type Service struct {
	store Tokens
	now   func() time.Time
	guest *playlists.Principal

	mu       sync.RWMutex
	byHash   map[string]Token
	links    map[string]session
	sessions map[string]session
}

// Open reads the tokens. guest, if given, is who asks from loopback without
// any credentials: the demo's wall is open on its own machine.
func Open(ctx context.Context, store Tokens, now func() time.Time, guest *playlists.Principal) (*Service, error) {
	s := &Service{store: store, now: now, guest: guest, byHash: map[string]Token{}, links: map[string]session{}, sessions: map[string]session{}}
	rows, err := store.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		var t Token
		if err := json.Unmarshal(row, &t); err != nil {
			return nil, err
		}
		s.byHash[t.SHA256] = t
	}
	return s, nil
}

// Issue makes a token and returns its secret, which is shown once. An id that
// is there is replaced: its old secret ends at once.
func (s *Service) Issue(ctx context.Context, t Token) (secret string, err error) {
	if err := playlists.CheckSlug("tokens/id", t.ID); err != nil {
		return "", err
	}
	if err := playlists.CheckSlug("tokens/"+t.ID+".owner", t.Owner); err != nil {
		return "", err
	}
	if !slices.Contains(playlists.Roles(t.Owner), t.Role) {
		return "", &playlists.Error{Code: playlists.Invalid, Field: "tokens/" + t.ID + ".role", Value: string(t.Role),
			Problem: "is no role of " + t.Owner, Remedy: "use one of " + roles(t.Owner)}
	}
	secret = Prefix + random()
	t.SHA256 = hash(secret)
	data, err := json.Marshal(t)
	if err != nil {
		return "", err
	}
	if err := s.store.Put(ctx, t.ID, data); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(t.ID)
	s.byHash[t.SHA256] = t
	return secret, nil
}

// Revoke ends a token at once.
func (s *Service) Revoke(ctx context.Context, id string) error {
	if err := s.store.Delete(ctx, id); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(id)
	return nil
}

func (s *Service) forget(id string) {
	for h, t := range s.byHash {
		if t.ID == id {
			delete(s.byHash, h)
		}
	}
}

// Principal is who sent the request, by its bearer token or session. A token in the
// query is never looked at: queries end up in logs.
func (s *Service) Principal(r *http.Request) (*playlists.Principal, error) {
	head := r.Header.Get("Authorization")
	if head == "" {
		if who := s.fromCookie(r); who != nil {
			return who, nil
		}
		if s.guest != nil && loopback(r.RemoteAddr) {
			g := *s.guest
			g.From = r.RemoteAddr
			return &g, nil
		}
		return nil, denied("is missing", "send Authorization: Bearer "+Prefix+"…")
	}
	secret, ok := strings.CutPrefix(head, "Bearer ")
	if !ok || !strings.HasPrefix(secret, Prefix) {
		return nil, denied("is not a bearer token of ledcast", "send Authorization: Bearer "+Prefix+"…")
	}
	h := hash(secret)
	s.mu.RLock()
	t, ok := s.byHash[h]
	s.mu.RUnlock()
	if !ok || subtle.ConstantTimeCompare([]byte(t.SHA256), []byte(h)) != 1 {
		return nil, denied("is not known, or was revoked", "ask for a new token")
	}
	if s.now().Unix() >= t.Expires {
		return nil, denied("has expired", "ask for a new token")
	}
	return &playlists.Principal{ID: "token:" + t.ID, Owner: t.Owner, Role: t.Role, Areas: t.Areas, From: r.RemoteAddr}, nil
}

func denied(problem, remedy string) error {
	return &playlists.Error{Code: playlists.Denied, Field: "Authorization", Problem: problem, Remedy: remedy}
}

func hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

func roles(owner string) string {
	var out []string
	for _, r := range playlists.Roles(owner) {
		out = append(out, string(r))
	}
	return strings.Join(out, ", ")
}

func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback()
}
