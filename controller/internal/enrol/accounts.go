package enrol

import (
	"context"
	"sync"

	"ledcast/controller/internal/broker"
	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

// Accounts holds the signs' broker accounts in memory. It implements broker.Accounts and is safe for concurrent
// use.
type Accounts struct {
	mu sync.RWMutex
	by map[string]broker.Account
}

// LoadAccounts returns the accounts of all signs that have a password.
func LoadAccounts(ctx context.Context, signs []playlists.Sign, credentials store.Credentials) (*Accounts, error) {
	a := &Accounts{by: map[string]broker.Account{}}
	all, err := credentials.List(ctx)
	if err != nil {
		return nil, err
	}
	hash := map[string][32]byte{}
	for _, c := range all {
		hash[c.Sign] = c.SHA256
	}
	for i := range signs {
		if h, ok := hash[signs[i].ID]; ok {
			a.Put(&signs[i], h)
		}
	}
	return a, nil
}

// Put adds or replaces a sign's account. hash is the SHA-256 of its password.
func (a *Accounts) Put(s *playlists.Sign, hash [32]byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.by[s.ID] = broker.Account{Sign: s.ID, Owner: s.Owner, Class: s.Class.String(), Test: s.Test, PasswordSHA256: hash}
}

// Remove removes a sign's account.
func (a *Accounts) Remove(sign string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.by, sign)
}

// Account implements broker.Accounts.
func (a *Accounts) Account(user string) (broker.Account, bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	acc, ok := a.by[user]
	return acc, ok
}
