package auth

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Rate limits. A person types a password a few times a minute; a program that
// sends 200 requests a second is broken or hostile.
const (
	apiRate    = 200 // requests a second of one token, user or guest
	apiBurst   = 1000
	perSecond  = "200"
	loginEvery = 10 * time.Second // between attempts on one account, from any address
	loginBurst = 6
	addrEvery  = 2 * time.Second // between attempts from one address, on any account
	addrBurst  = 20
	maxBuckets = 10_000
)

// limits holds token buckets by name. A full bucket is dropped.
type limits struct {
	now func() time.Time

	mu      sync.Mutex
	buckets map[string]*rate.Limiter
}

func newLimits(now func() time.Time) *limits {
	return &limits{now: now, buckets: map[string]*rate.Limiter{}}
}

func (l *limits) allow(name string, every rate.Limit, burst int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	b := l.buckets[name]
	if b == nil {
		if len(l.buckets) >= maxBuckets {
			for k, x := range l.buckets {
				if x.TokensAt(now) >= float64(x.Burst()) {
					delete(l.buckets, k)
				}
			}
			if len(l.buckets) >= maxBuckets {
				return false // an attacker tries ten thousand names at once
			}
		}
		b = rate.NewLimiter(every, burst)
		l.buckets[name] = b
	}
	return b.AllowN(now, 1)
}

func (l *limits) api(who string) bool { return l.allow("api "+who, apiRate, apiBurst) }

// login counts an attempt before the password or code is checked.
func (l *limits) login(account, addr string) bool {
	byAddr := l.allow("addr "+addr, rate.Every(addrEvery), addrBurst)
	return byAddr && (account == "" || l.allow("login "+account, rate.Every(loginEvery), loginBurst))
}
