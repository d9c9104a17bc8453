package outage

import (
	"context"
	"sync"

	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

// mostSessions bounds the sessions that are known without the database.
const mostSessions = 10_000

// sessions are the store's, and those that were used lately.
type sessions struct {
	store.Sessions
	mu     sync.Mutex
	recent map[string]store.Session
}

func (s *sessions) Find(ctx context.Context, token string, nowMS int64) ([]byte, bool, error) {
	data, found, err := s.Sessions.Find(ctx, token, nowMS)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil && found:
		if x, known := s.recent[token]; !known || string(x.Data) != string(data) {
			s.keep(store.Session{Token: token, Data: data})
		}
	case err == nil:
		delete(s.recent, token)
	case playlists.IsAway(err):
		// Whether it has been revoked is checked in memory. Its end may be unknown; the outage is shorter than that.
		if x, known := s.recent[token]; known && (x.ExpiryMS == 0 || x.ExpiryMS > nowMS) {
			return x.Data, true, nil
		}
	}
	return data, found, err
}

func (s *sessions) Commit(ctx context.Context, x store.Session) error {
	err := s.Sessions.Commit(ctx, x)
	if err == nil {
		s.mu.Lock()
		s.keep(x)
		s.mu.Unlock()
	}
	return err
}

func (s *sessions) Delete(ctx context.Context, token string) error {
	s.mu.Lock()
	delete(s.recent, token)
	s.mu.Unlock()
	return s.Sessions.Delete(ctx, token)
}

// keep remembers a session. s.mu must be held.
func (s *sessions) keep(x store.Session) {
	if len(s.recent) >= mostSessions {
		for token := range s.recent { // any: they are many more than people
			delete(s.recent, token)
			break
		}
	}
	s.recent[x.Token] = x
}
