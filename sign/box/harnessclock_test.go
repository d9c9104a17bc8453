package box

import (
	"testing"
	"testing/synctest"
	"time"

	"ledcast/sign/wire"
)

// lastChallenge is what the sign asked for the time with last; "" for never.
func (n *memNet) lastChallenge(t *testing.T, sign string) (challenge string) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, m := range n.said {
		if m.Topic != wire.SignTopic(sign, wire.LeafStatus) {
			continue
		}
		s, err := wire.ParseStatus(m.Payload)
		if err != nil {
			t.Fatal(err)
		}
		if s.Challenge != "" {
			challenge = s.Challenge
		}
	}
	return challenge
}

// giveTime answers the last question with a signed time.
func (w *world) giveTime(at time.Time) {
	w.t.Helper()
	w.answerTime(at, w.n.lastChallenge(w.t, w.conf.Sign))
}

func (w *world) answerTime(at time.Time, challenge string) {
	w.t.Helper()
	w.request(wire.OpTime, func(q *wire.SignRequest) {
		q.Header = wire.NewHeader(wire.RoleRequest, q.Epoch, q.Seq, at.Unix(), wire.LifeRequest)
		q.Challenge, q.AtMS = challenge, at.UnixMilli()
	})
}

// moveTime tells a sign whose clock is trusted a time that is ahead of the real one, until it believes that: its
// question on a new connection is answered, and the one 30 s later.
func (w *world) moveTime(ahead time.Duration) {
	w.t.Helper()
	before := w.n.lastChallenge(w.t, w.conf.Sign)
	w.n.power(false)
	synctest.Wait()
	w.n.power(true)
	for range 2 {
		for w.n.lastChallenge(w.t, w.conf.Sign) == before {
			time.Sleep(time.Second)
			synctest.Wait()
		}
		before = w.n.lastChallenge(w.t, w.conf.Sign)
		w.answerTime(time.Now().Add(ahead), before)
	}
}
