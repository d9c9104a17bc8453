package broker

import (
	"sync"
	"time"
)

// How often refused connections are logged: one user name for one reason once in a while, and no more lines than a
// reader can take in, whatever names a stranger tries.
const (
	refusedAgain = 10 * time.Minute
	refusedMost  = 30 // a minute
)

// refusals decides which refused connections are logged.
type refusals struct {
	now func() time.Time

	mu     sync.Mutex
	last   map[[2]string]time.Time // user name and reason
	minute time.Time
	lines  int
}

func (r *refusals) worth(user, why string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if gone := now.Sub(r.minute); gone >= time.Minute || gone < 0 {
		r.minute, r.lines = now, 0
		for k, at := range r.last {
			if gone := now.Sub(at); gone >= refusedAgain || gone < 0 {
				delete(r.last, k)
			}
		}
	}
	k := [2]string{user, why}
	if at, known := r.last[k]; known && now.Sub(at) < refusedAgain || r.lines >= refusedMost {
		return false
	}
	r.last[k] = now
	r.lines++
	return true
}
