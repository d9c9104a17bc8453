package auth

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"ledcast/playlists"
)

// Prefix begins every token, so that secret scanners can find one.
const Prefix = "ledcast_"

// Lifetimes of a token.
const (
	TokenLife    = 90 * 24 * time.Hour // for a token that gives none
	MaxTokenLife = 366 * 24 * time.Hour
)

// Token is the record of an API token. The secret itself is not kept.
type Token struct {
	ID      string           `json:"id"`
	Owner   string           `json:"owner"`
	Role    playlists.Role   `json:"role"`
	Areas   []string         `json:"areas,omitempty"`
	Only    []playlists.Kind `json:"only,omitempty"` // kinds of objects that it may read and change; none means all
	May     []string         `json:"may,omitempty"`  // what a program may do beyond its role: "cancel"
	SHA256  string           `json:"sha256,omitempty"`
	Expires int64            `json:"expires"` // Unix seconds
	// Set by the controller: who made it, and who made what it was made with; when; and whether it stands for the
	// person who made it while signed in. Such a token ends with what that person may do.
	By      string   `json:"by,omitempty"`
	Lineage []string `json:"lineage,omitempty"`
	MadeMS  int64    `json:"made_ms,omitempty"`
	Own     bool     `json:"own,omitempty"`
}

// makersCount is how long the makers of a credential count as one person with its holder.
const makersCount = 24 * time.Hour

// makers are those of a lineage that count at now.
func makers(lineage []string, madeMS int64, now time.Time) []string {
	if now.Sub(time.UnixMilli(madeMS)) >= makersCount {
		return nil
	}
	return lineage
}

// Issue makes a token for by and returns its secret, which is shown once. It
// replaces a token with the same id, whose secret ends at once.
func (s *Service) Issue(ctx context.Context, by *playlists.Principal, t Token) (secret string, err error) {
	s.granting.Lock() // of two concurrent requests for one id the second fails
	defer s.granting.Unlock()
	if t.Expires == 0 {
		t.Expires = s.o.Now().Add(TokenLife).Unix()
		if by.Until > 0 {
			t.Expires = min(t.Expires, by.Until)
		}
	}
	if err := s.checkToken(&t); err != nil {
		return "", err
	}
	if err := by.CheckGrant("tokens/"+t.ID, t.Owner, t.Areas, t.Only); err != nil {
		return "", err
	}
	if by.Until > 0 && t.Expires > by.Until {
		return "", &playlists.Error{Code: playlists.Denied, Field: "tokens/" + t.ID + ".expires",
			Value: fmt.Sprint(t.Expires),
			Key:   "token-outlives-own"}
	}
	if old, ok := s.token(t.ID); ok {
		if old.Owner != t.Owner {
			return "", &playlists.Error{Code: playlists.Conflict, Field: "tokens/id", Value: t.ID, Key: "name-taken"}
		}
		if err := by.CheckGrant("tokens/"+t.ID, old.Owner, old.Areas, old.Only); err != nil {
			return "", err
		}
	}
	secret = Prefix + random()
	t.SHA256 = hash(secret)
	t.By, t.MadeMS = by.ID, s.o.Now().UnixMilli()
	t.Lineage = append([]string{by.ID}, by.Lineage...)
	t.Own = s.stands(&t)
	data, err := json.Marshal(t)
	if err != nil {
		return "", err
	}
	if err := s.o.Records.Put(ctx, by, kindToken, t.Owner, t.ID, data); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgetToken(t.ID)
	s.notifyRevoked()
	s.tokens[t.SHA256] = t
	return secret, nil
}

func (s *Service) checkToken(t *Token) error {
	if err := playlists.CheckSlug("tokens/id", t.ID); err != nil {
		return err
	}
	where := "tokens/" + t.ID
	if err := playlists.CheckSlug(where+".owner", t.Owner); err != nil {
		return err
	}
	if err := playlists.CheckRole(where+".role", t.Owner, t.Role); err != nil {
		return err
	}
	if err := playlists.CheckOfficer(where, t.Owner, t.Areas); err != nil {
		return err
	}
	for i, m := range t.May {
		if m != playlists.MayCancelAlerts {
			return &playlists.Error{Code: playlists.Invalid, Field: fmt.Sprintf("%s.may[%d]", where, i), Value: m,
				Key: "token-may-unknown"}
		}
	}
	for i, k := range t.Only {
		if playlists.InfoOf(k) == nil {
			return &playlists.Error{Code: playlists.Invalid, Field: fmt.Sprintf("%s.only[%d]", where, i),
				Value: string(k),
				Key:   "token-kind-unknown"}
		}
	}
	now := s.o.Now()
	if t.Expires <= now.Unix() || t.Expires > now.Add(MaxTokenLife).Unix() {
		return &playlists.Error{Code: playlists.Invalid, Field: where + ".expires", Value: fmt.Sprint(t.Expires),
			Key: "token-expiry-out-of-range"}
	}
	return nil
}

// Revoke ends a token at once.
func (s *Service) Revoke(ctx context.Context, by *playlists.Principal, id string) error {
	s.granting.Lock()
	defer s.granting.Unlock()
	t, ok := s.token(id)
	if !ok {
		return &playlists.Error{Code: playlists.NotFound, Field: "tokens/id", Value: id, Key: "token-unknown"}
	}
	if err := by.CheckGrant("tokens/"+id, t.Owner, t.Areas, t.Only); err != nil {
		return err
	}
	if err := s.o.Records.Delete(ctx, by, kindToken, t.Owner, id); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgetToken(id)
	s.notifyRevoked()
	return nil
}

// Tokens returns the tokens by id, without their hashes.
func (s *Service) Tokens() []Token {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]Token, 0, len(s.tokens))
	for _, t := range s.tokens {
		t.SHA256 = ""
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b Token) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

func (s *Service) token(id string) (Token, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, t := range s.tokens {
		if t.ID == id {
			return t, true
		}
	}
	return Token{}, false
}

func (s *Service) forgetToken(id string) {
	for h, t := range s.tokens {
		if t.ID == id {
			delete(s.tokens, h)
		}
	}
}

// byToken returns the principal of the request's bearer token.
func (s *Service) byToken(head string) (*playlists.Principal, error) {
	secret, ok := strings.CutPrefix(head, "Bearer ")
	if !ok || !strings.HasPrefix(secret, Prefix) {
		return nil, denied("not-bearer-token")
	}
	// The map's key is the hash of 256 random bits. The time of the lookup may
	// reveal a part of the hash, which does not help to find the secret.
	s.mu.RLock()
	t, ok := s.tokens[hash(secret)]
	s.mu.RUnlock()
	if !ok {
		return nil, denied("token-revoked")
	}
	if s.o.Now().Unix() >= t.Expires {
		return nil, denied("token-expired")
	}
	p := &playlists.Principal{ID: "token:" + t.ID, Owner: t.Owner, Role: t.Role, Areas: t.Areas, Only: t.Only,
		Until: t.Expires, May: t.May, Program: true}
	if s.builtIn(&t) {
		p.Program = false // a person of the demo
		return p, nil
	}
	if t.Own {
		if !s.stands(&t) {
			return nil, denied("token-person-changed")
		}
		p.Program, p.Stands = false, t.By
		if u, known := s.User(strings.TrimPrefix(t.By, "user:")); known {
			p.Fresh = s.principal(&u).Fresh
		}
	}
	p.Lineage = s.people(t.Lineage)
	p.Makers = makers(p.Lineage, t.MadeMS, s.o.Now())
	return p, nil
}

// stands reports whether a token stands for the person who made it: made while signed in, with what that person may do,
// as long as they may.
func (s *Service) stands(t *Token) bool {
	id, ok := strings.CutPrefix(t.By, "user:")
	if !ok || len(t.Only) > 0 {
		return false
	}
	u, known := s.User(id)
	return known && !u.Disabled && u.Owner == t.Owner && u.Role == t.Role && slices.Equal(u.Areas, t.Areas)
}

// people is a lineage without who started the controller.
func (s *Service) people(lineage []string) []string {
	return slices.DeleteFunc(slices.Clone(lineage), func(id string) bool { return id == s.o.Console })
}

// builtIn reports whether a token is that of a person of the demo.
func (s *Service) builtIn(t *Token) bool {
	return s.o.Demo && (t.By == "" || t.By == s.o.Console)
}
