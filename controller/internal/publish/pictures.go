package publish

import (
	"context"
	"math"
	"time"

	"ledcast/playlists/timeline"
	"ledcast/sign/player"
	"ledcast/sign/wire"
)

// repeatPicture is how often an unchanged picture is published again. A picture
// sign goes dark after 120 s without one.
const repeatPicture = time.Minute

// recheckInDoubt is how soon a picture is checked again while the clock is in doubt.
const recheckInDoubt = 5 * time.Second

// picture runs the player of one picture sign. It is the player that signs run,
// with a topic as its output.
type picture struct {
	plan   *Plan
	cancel context.CancelFunc
	done   chan struct{}
}

// runPictures starts a player for each picture sign with a new plan, and stops
// the players of old plans.
func (p *Publisher) runPictures(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, pic := range p.pictures {
		if plan := p.plans[id]; plan != pic.plan {
			pic.cancel()
			delete(p.pictures, id)
		}
	}
	for id, plan := range p.plans {
		if !plan.Sign.Picture() || p.pictures[id] != nil {
			continue
		}
		pctx, cancel := context.WithCancel(ctx)
		pic := &picture{plan: plan, cancel: cancel, done: make(chan struct{})}
		p.pictures[id] = pic
		go func() { defer close(pic.done); p.play(pctx, id, plan) }()
	}
}

// dropPictures stops the players of signs that were removed or are no longer
// picture signs. It waits for them, because their topics are cleared next.
func (p *Publisher) dropPictures() {
	var gone []*picture
	p.mu.Lock()
	for id, pic := range p.pictures {
		if plan := p.plans[id]; plan == nil || !plan.Sign.Picture() {
			gone = append(gone, pic)
			delete(p.pictures, id)
		}
	}
	p.mu.Unlock()
	for _, pic := range gone {
		pic.cancel()
		<-pic.done
	}
}

func (p *Publisher) stopPictures() {
	p.mu.Lock()
	pics := p.pictures
	p.pictures = map[string]*picture{}
	p.mu.Unlock()
	for _, pic := range pics {
		pic.cancel()
		<-pic.done
	}
}

// play publishes the picture of a sign at every change and once a minute.
func (p *Publisher) play(ctx context.Context, id string, plan *Plan) {
	pl := player.New(id, plan.Sign.Areas, player.StartClock(0, 0, 0, true))
	g := *plan.Program // Prepare must not change the shared program
	g.Prepare()
	pl.SetProgram(&g)
	topic := wire.SignTopic(id, wire.LeafFrame)
	var last string
	var lastAt time.Time
	retry := time.Second
	t := time.NewTimer(0)
	defer t.Stop()
	class := plan.Sign.Class.String()
	var sets [2]*timeline.AlertSet
	// While the clock is in doubt, time runs on from the last trusted time by the monotonic clock.
	sure, sureAt := time.Unix(plan.iat, 0), time.Now()
	for {
		// The player's monotonic clock is the controller's clock in Unix ms.
		now := p.o.Now()
		_, doubted := p.o.doubt()
		if doubted {
			if set, _ := p.AlertSet(class, false); set != nil && set.Iat > sure.Unix() {
				sure, sureAt = time.Unix(set.Iat, 0), time.Now()
			}
			now = sure.Add(time.Since(sureAt))
		} else {
			sure, sureAt = now, time.Now()
		}
		pl.Contact(now.UnixMilli())
		set, changed := p.AlertSet(class, false)
		if set != sets[0] {
			sets[0] = set
			pl.SetAlerts(false, set, now.UnixMilli())
		}
		if plan.Sign.Test {
			if set, _ := p.AlertSet(class, true); set != sets[1] {
				sets[1] = set
				pl.SetAlerts(true, set, now.UnixMilli())
			}
		}
		shown, next := pl.At(now.UnixMilli())
		sha := ""
		if shown.Frame != nil {
			sha = shown.Frame.SHA256
		}
		wait := repeatPicture
		if f := p.Frame(sha); f != nil && (sha != last || now.Sub(lastAt) >= repeatPicture) {
			if err := p.o.Broker.Publish(ctx, topic, f.Data, true); err != nil {
				wait = retry
				last = ""
			} else {
				last, lastAt = sha, now
			}
		}
		if sha == last && shown.Why == timeline.WhyAlert {
			p.o.Alerts.Pictured(id, shown.Item)
		}
		if next != math.MaxInt64 {
			wait = min(wait, time.UnixMilli(next).Sub(now))
		}
		if doubted {
			wait = min(wait, recheckInDoubt)
		}
		t.Reset(max(wait, 0))
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-t.C:
		}
	}
}
