package publish

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ledcast/sign/wire"
)

// doubtedClock is a clock that a test can put in doubt.
type doubtedClock struct{ by atomic.Int64 } // error of the clock; 0: right and not in doubt

func (u *doubtedClock) now() time.Time           { return time.Now().Add(time.Duration(u.by.Load())) }
func (u *doubtedClock) doubt() (time.Time, bool) { return u.now(), u.by.Load() != 0 }
func (u *doubtedClock) set(by time.Duration)     { u.by.Store(int64(by)) }
func (u *doubtedClock) into(o *Options) (p *Publisher) {
	o.Now, o.Doubt = u.now, u.doubt
	return New(*o)
}

// While the clock is in doubt, sets and programs stay as they were issued, also after a reconnect and a restart, and
// a cancel is issued with an iat that signs accept. Afterwards everything is issued again.
func TestDoubt(t *testing.T) {
	for name, by := range map[string]time.Duration{"400 days behind": -400 * 24 * time.Hour,
		"an hour behind": -time.Hour, "3 hours ahead": 3 * time.Hour, "10 days ahead": 240 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := &doubtedClock{}
				b, p := newBook()
				p = u.into(&p.o)
				sync := func(p *Publisher) {
					t.Helper()
					if err := p.Reconcile(t.Context()); err != nil {
						t.Fatal(err)
					}
					if _, err := p.SyncAlerts(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				now := time.Now()
				b.put("flood", now, now.Add(2*time.Hour))
				b.put("storm", now, now.Add(2*time.Hour))
				b.put("later", now.Add(time.Hour), now.Add(2*time.Hour))
				sync(p)
				if got := b.set(t); got != "flood storm" {
					t.Fatal(got)
				}
				program, alerts := b.got("led/v1/signs/one/program"), b.got(alertTopic)
				if program == "" {
					t.Fatal("no program")
				}
				frames := b.frames()

				u.set(by)
				again := u.into(&p.o)
				for _, p := range []*Publisher{p, again} {
					b.world.mu.Lock()
					clear(b.retained) // an embedded broker begins empty
					b.world.mu.Unlock()
					p.Connected()
					sync(p)
					if b.got(alertTopic) != alerts || b.got("led/v1/signs/one/program") != program || b.frames() != frames {
						t.Errorf("what was issued is not retained as it was: %q, %d frames", b.set(t), b.frames())
					}
				}
				time.Sleep(time.Minute) // by the monotonic clock the picture sign's alerts are not over
				synctest.Wait()
				picture := b.got("led/v1/signs/pic/frame")
				b.world.mu.Lock()
				ours := false
				for topic, data := range b.retained {
					ours = ours || strings.HasPrefix(topic, alertTopic+"/frames/") && data == picture
				}
				b.world.mu.Unlock()
				if picture == "" || !ours {
					t.Errorf("the picture sign shows no alert: %q", picture)
				}
				b.cancel("storm", u.now())
				sync(again)
				if got := b.set(t); got != "flood -storm:cancelled" {
					t.Errorf("after a cancel: %q", got)
				}
				s, err := wire.StoredAlerts([]byte(b.got(alertTopic)), false)
				if err != nil {
					t.Fatal(err)
				}
				if want := max(now.Unix(), u.now().Unix()); s.Iat != want {
					t.Errorf("the cancel's iat is %d, want %d", s.Iat, want)
				}

				u.set(0)
				time.Sleep(time.Second)
				again.Kick()
				sync(again)
				if got := b.set(t); got != "flood -storm:cancelled" {
					t.Errorf("with the right clock: %q", got)
				}
				if s, err = wire.StoredAlerts([]byte(b.got(alertTopic)), false); err != nil || s.Iat > time.Now().Unix() {
					t.Errorf("iat %d, %v", s.Iat, err)
				}
				time.Sleep(time.Hour)
				sync(again)
				if got := b.set(t); got != "flood later -storm:cancelled" {
					t.Errorf("an hour later: %q", got)
				}
				p.stopPictures()
				again.stopPictures()
			})
		})
	}
}

// No request is signed while the clock is in doubt.
func TestNoRequestsInDoubt(t *testing.T) {
	w, p := newWorld()
	u := &doubtedClock{}
	p.o.Now, p.o.Doubt = u.now, u.doubt
	r := NewRequester(p.o)
	for _, x := range []struct {
		by   time.Duration
		want int
	}{{-time.Hour, 0}, {0, 1}} {
		u.set(x.by)
		if err := r.send(t.Context(), []wire.SignRequest{{Sign: "one", Op: wire.OpTime, Session: "s"}}); err != nil {
			t.Fatal(err)
		}
		if got := len(w.topics()); got != x.want {
			t.Errorf("%v off: %d requests, want %d", x.by, got, x.want)
		}
	}
}
