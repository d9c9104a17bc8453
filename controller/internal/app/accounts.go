package app

import (
	"context"
	"crypto/sha256"
	"net"
	"sync"
	"time"

	"ledcast/controller/internal/broker"
	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

// accounts answers the broker's question who a sign is, from memory.
type accounts struct {
	mu sync.RWMutex
	by map[string]broker.Account
}

func loadAccounts(ctx context.Context, s reader) (*accounts, error) {
	a := &accounts{by: map[string]broker.Account{}}
	signs, err := catalogue{store: s}.Signs(ctx)
	if err != nil {
		return nil, err
	}
	creds, err := s.Credentials().List(ctx)
	if err != nil {
		return nil, err
	}
	hash := map[string][32]byte{}
	for _, c := range creds {
		hash[c.Sign] = c.SHA256
	}
	for i := range signs {
		if h, ok := hash[signs[i].ID]; ok {
			a.put(&signs[i], h)
		}
	}
	return a, nil
}

func (a *accounts) put(s *playlists.Sign, hash [32]byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.by[s.ID] = broker.Account{Sign: s.ID, Owner: s.Owner, Class: s.Class.String(), Test: s.Test, PasswordSHA256: hash}
}

func (a *accounts) remove(sign string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.by, sign)
}

// Account implements broker.Accounts.
func (a *accounts) Account(user string) (broker.Account, bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	acc, ok := a.by[user]
	return acc, ok
}

// Enrol gives a sign its password. Only its hash is kept.
func (a *App) Enrol(ctx context.Context, s *playlists.Sign, password string) error {
	hash := sha256.Sum256([]byte(password))
	verifiers, err := broker.Verifiers(password)
	if err != nil {
		return err
	}
	if err := a.store.Credentials().Set(ctx, store.Credential{Sign: s.ID, SHA256: hash, CreatedMS: a.now().UnixMilli(), Verifiers: verifiers}); err != nil {
		return err
	}
	a.accounts.put(s, hash)
	return nil
}

// Enrolled reports whether password is the sign's.
func (a *App) Enrolled(sign, password string) bool {
	acc, ok := a.accounts.Account(sign)
	return ok && acc.PasswordSHA256 == sha256.Sum256([]byte(password))
}

// presence knows, of the embedded broker, who holds each sign's session: one
// of our virtual signs, or somebody outside.
type presence struct {
	mu    sync.Mutex
	ours  map[string]bool // local addresses of our own connections
	holds map[string]hold // by sign
}

type hold struct {
	foreign int       // connections from outside
	left    time.Time // when the last of them went
}

func newPresence() *presence {
	return &presence{ours: map[string]bool{}, holds: map[string]hold{}}
}

// opened notes that a connection from this local address is ours.
func (p *presence) opened(local net.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ours[local.String()] = true
}

// session is called by the broker when a sign's session begins or ends.
func (p *presence) session(sign string, remote net.Addr, up bool, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ours[remote.String()] {
		if !up {
			delete(p.ours, remote.String())
		}
		return
	}
	h := p.holds[sign]
	if up {
		h.foreign++
	} else {
		h.foreign--
		h.left = at
	}
	p.holds[sign] = h
}

// free reports whether a virtual sign may connect: nobody from outside holds
// its session, and the last one has been gone for a while.
func (p *presence) free(sign string, now time.Time, after time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.holds[sign]
	return h.foreign == 0 && (h.left.IsZero() || now.Sub(h.left) >= after)
}
