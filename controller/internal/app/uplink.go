package app

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"ledcast/controller/internal/listen"
	"ledcast/controller/internal/publish"
	"ledcast/sign/link"
	"ledcast/sign/wire"
)

// uplink is the controller's own connection to the broker, and whether signs are heard over it.
type uplink struct {
	mu   sync.Mutex
	stop context.CancelFunc // ends what goes on over the present connection
	deaf error              // the broker does not let the controller listen
	lost time.Time          // when the connection was lost that stood; zero while one stands and before the first
	warn bool               // that no connection stands was said as a warning
}

// linkUp subscribes to what signs say, and has everything published. An embedded broker hands over itself what signs
// say.
func (a *App) linkUp(c link.Conn) {
	ctx, cancel := context.WithCancel(context.Background())
	a.uplink.mu.Lock()
	a.uplink.stop, a.uplink.deaf = cancel, nil
	a.uplink.mu.Unlock()
	if a.feed != nil {
		a.listener.Linked(true, false)
		a.publisher.Connected()
		return
	}
	a.listener.Linked(true, true) // before: what is retained comes with the answer
	go a.hear(ctx, c)
	go a.watchRival(ctx, c)
}

func (a *App) linkDown(error) {
	a.uplink.mu.Lock()
	a.uplink.stop()
	a.uplink.mu.Unlock()
	a.listener.Linked(false, a.feed == nil)
}

// watchRival announces this controller at an outside broker and notices others there. Where the broker's rules are from
// before this was known, it does neither: NATS ends a connection that publishes what it may not.
func (a *App) watchRival(ctx context.Context, c link.Conn) {
	try, cancel := context.WithTimeout(ctx, 30*time.Second)
	err := c.Subscribe(try, map[string]byte{wire.TopicController: 1})
	cancel()
	if err != nil {
		if ctx.Err() == nil && !errors.Is(err, link.ErrDown) {
			a.log.Info("a second controller would not be noticed: the broker refuses the topic; write its rules again",
				"topic", wire.TopicController)
		}
		return
	}
	a.rival.Run(ctx)
}

// received passes on what comes over the link.
func (a *App) received(m link.Message) {
	if m.Topic == wire.TopicController {
		a.rival.Message(m.Payload)
		return
	}
	a.listener.Message(m.Topic, m.Payload, m.Retained)
}

// hear subscribes, again and again where the broker refuses it, until ctx ends.
func (a *App) hear(ctx context.Context, c link.Conn) {
	topics := map[string]byte{}
	for _, t := range listen.Topics() {
		topics[t] = 1
	}
	for gap := 5 * time.Second; ; gap = min(2*gap, 5*time.Minute) {
		try, cancel := context.WithTimeout(ctx, 30*time.Second)
		err := c.Subscribe(try, topics)
		cancel()
		a.uplink.mu.Lock()
		if ctx.Err() != nil || errors.Is(err, link.ErrDown) {
			a.uplink.mu.Unlock()
			return
		}
		first := a.uplink.deaf == nil
		a.uplink.deaf = err
		if err != nil {
			a.listener.Linked(false, true)
		}
		a.uplink.mu.Unlock()
		if first { // publishing needs no ears
			a.publisher.Connected()
		}
		if err == nil {
			return
		}
		if first {
			a.log.Error("the broker does not let the controller listen; it is asked again and again", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(gap):
		}
		a.uplink.mu.Lock()
		if ctx.Err() == nil {
			a.listener.Linked(true, true)
		}
		a.uplink.mu.Unlock()
	}
}

// said logs how the connection changed: a loss and its end are warnings, the first connection is none.
func (a *App) said(s link.State) {
	u := &a.uplink
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case !s.Up:
		a.log.Warn("not connected to the broker; signs are unknown until it is back", "broker", a.brokerAddr, "why",
			s.Reason)
		if u.warn = true; u.lost.IsZero() {
			u.lost = a.now()
		}
	case u.warn:
		a.log.Warn("connected to the broker again", "broker", a.brokerAddr, "after",
			a.now().Sub(u.lost).Round(100*time.Millisecond).String())
		u.warn, u.lost = false, time.Time{}
	default:
		a.log.Info("connected to the broker", "broker", a.brokerAddr)
	}
}

// linked is nil while a connection stands over which signs are heard, and else says why not.
func (a *App) linked() error {
	if err := a.link.Down(); err != nil {
		return errors.New("not connected to the broker: " + link.Reason(err))
	}
	a.uplink.mu.Lock()
	defer a.uplink.mu.Unlock()
	if a.uplink.deaf != nil {
		return errors.New("the broker does not let the controller listen to signs")
	}
	return a.rival.Trouble()
}

// toBroker publishes over the link.
type toBroker struct{ a *App }

func (b toBroker) Publish(ctx context.Context, topic string, payload []byte, retained bool) error {
	err := b.a.link.Publish(ctx, link.Message{Topic: topic, Payload: payload, QoS: 1, Retained: retained})
	if err != nil && b.a.link.Down() != nil {
		return fmt.Errorf("%w (%w)", publish.ErrNoBroker, err)
	}
	return err
}
