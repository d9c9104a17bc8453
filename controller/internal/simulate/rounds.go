package simulate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"ledcast/playlists"
	"ledcast/sign/crowd"
	"ledcast/sign/link"
	"ledcast/sign/wire"
)

// pace is the least time between two alerts: each makes a sign say five
// messages, and 20 in 10 s are the limit.
const pace = 3 * time.Second

// alertPatience is how long a round waits for the last sign; a resync comes
// after 5 s, and again after 10, 20 and 40 s.
const alertPatience = 75 * time.Second

// packet is one message as the controller published it.
type packet struct {
	class, topic string
	size         int
}

// measure runs the rounds, alerts and the bare broker in turn, then the storm
// and a forged set.
func (w *world) measure(ctx context.Context) (*Report, error) {
	r := &Report{Signs: w.o.Signs, Classes: w.classes, Children: len(w.crowds), Broker: w.o.Broker, Notes: notes,
		ReadyS: w.readyS, ConnectS: w.connectS, PaceS: pace.Seconds()}
	order := "each process's signs read all that is there before they check and ack it, " +
		"as signs with processors of their own would; --at-once for the other way"
	if w.o.AtOnce {
		order = "signs check and ack while others of their process still read: real ones have a processor each"
	}
	r.Notes = append(slices.Clone(r.Notes), order)
	plain, err := w.plainClient(ctx)
	if err != nil {
		return r, err
	}
	defer plain.end()
	if err := w.settle(ctx); err != nil {
		return r, err
	}
	// One of each beforehand: what is first of its kind is slower.
	for i := -1; i < w.o.Rounds; i++ {
		began := time.Now()
		a, sent, err := w.alertRound(ctx, fmt.Sprintf("sim-%d", i+1), nil)
		if err != nil {
			return r, err
		}
		b, err := w.bareRound(ctx, plain, fmt.Sprintf("bare-%d", i+1), sent)
		if err != nil {
			return r, err
		}
		if i >= 0 {
			r.Alerts, r.Bare = append(r.Alerts, *a), append(r.Bare, *b)
			w.say("round %d: alert p50 %.0f p99 %.0f ms, showing p99 %.0f ms, last %.0f ms; "+
				"bare p50 %.0f p99 %.0f ms; %d of %d show it", i+1,
				a.Receipt.P50, a.Receipt.P99, a.Showing.P99, a.LastMS, b.Receipt.P50, b.Receipt.P99, a.ShowedBy, w.o.Signs)
		}
		if err := sleep(ctx, pace-time.Since(began)); err != nil {
			return r, err
		}
	}
	if w.o.Storm {
		if r.Storm, err = w.storm(ctx); err != nil {
			return r, err
		}
	}
	if r.Forged, err = w.forge(ctx, plain); err != nil {
		return r, err
	}
	n, err := w.count(ctx, "")
	if err != nil {
		return r, err
	}
	r.Resyncs, r.Rejected, r.Dropped = n.Resyncs, n.Rejected, int(w.log.drops.Load())
	cpu, peak := Usage()
	r.CPU, r.PeakRSS = cpu.Seconds(), peak
	r.conclude()
	return r, nil
}

// settle waits until no sign has been asked anything for a while: longer than
// the 5 s of a resync, but where a few signs were all connected at once.
func (w *world) settle(ctx context.Context) error {
	quiet, last := 7*time.Second, -1
	if w.o.Signs < 1000 {
		quiet = time.Second
	}
	return waitUntil(ctx, 2*time.Minute, "the signs are quiet", func() (bool, error) {
		n, err := w.count(ctx, "")
		if err != nil || n.Resyncs == last {
			return err == nil, err
		}
		last = n.Resyncs
		return false, sleep(ctx, quiet)
	})
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// call makes a request to the API as one of the people.
func (w *world) call(ctx context.Context, as, method, path string, body, answer any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	q, err := http.NewRequestWithContext(ctx, method, "http://"+w.app.Addr()+"/api/v1/alerts"+path, bytes.NewReader(data))
	if err != nil {
		return err
	}
	q.Header.Set("Authorization", "Bearer "+w.tokens[as])
	q.Header.Set("Content-Type", "application/json")
	p, err := http.DefaultClient.Do(q)
	if err != nil {
		return err
	}
	defer p.Body.Close()
	text, err := io.ReadAll(p.Body)
	if err != nil {
		return err
	}
	if p.StatusCode >= 300 {
		return fmt.Errorf("%s alerts%s: %s: %s", method, path, p.Status, text)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}

// alertRound makes an alert, has it approved, waits until all show it, and
// cancels it. before, if given, runs just before the approval.
func (w *world) alertRound(ctx context.Context, id string, before func() error) (*AlertRound, []packet, error) {
	order := playlists.AlertOrder{ID: id, Text: "NƯỚC SÔNG LÊN NHANH " + id, Areas: []string{"quang-ngai"},
		Until: playlists.Moment(time.Now().Add(time.Hour).Unix())}
	if err := w.call(ctx, "author", "POST", "", order, nil); err != nil {
		return nil, nil, err
	}
	var p playlists.AlertPreview
	if err := w.call(ctx, "approver", "GET", "/"+id+"/preview", nil, &p); err != nil {
		return nil, nil, err
	}
	earlier, err := w.count(ctx, "")
	if err != nil {
		return nil, nil, err
	}
	if before != nil {
		if err := before(); err != nil {
			return nil, nil, err
		}
	}
	cpu, _ := Usage()
	t0 := time.Now()
	if err := w.call(ctx, "approver", "POST", "/"+id+"/approve",
		playlists.AlertApproval{Signs: &p.Signs, Digest: p.Digest}, nil); err != nil {
		return nil, nil, err
	}
	r := &AlertRound{}
	var v playlists.AlertView
	err = waitUntil(ctx, alertPatience, "all signs show "+id, func() (bool, error) {
		if err := w.call(ctx, "author", "GET", "/"+id, nil, &v); err != nil {
			return false, err
		}
		r.LastMS, r.ShowedBy = ms(time.Since(t0)), v.Showing
		return v.Showing == w.o.Signs, sleep(ctx, 150*time.Millisecond)
	})
	if err != nil && !errors.Is(err, errWaited) {
		return nil, nil, err
	}
	used, _ := Usage()
	r.CPU = (used - cpu).Seconds()
	if v.Times != nil {
		r.Showing = Spread{P50: float64(v.Times.P50MS), P95: float64(v.Times.P95MS), P99: float64(v.Times.P99MS)}
		if len(v.Times.Slowest) > 0 {
			r.Showing.Max = float64(v.Times.Slowest[0].MS)
		}
	}
	sent, err := w.packets(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	r.Messages, r.Bytes = w.delivered(sent)
	if err := w.call(ctx, "author", "POST", "/"+id+"/cancel", map[string]bool{}, nil); err != nil {
		return nil, nil, err
	}
	err = waitUntil(ctx, alertPatience, "all signs have ended "+id, func() (bool, error) {
		n, err := w.count(ctx, id)
		r.Ended, r.Resyncs = n.Ended, n.Resyncs-earlier.Resyncs
		return n.Ended == w.o.Signs, err
	})
	if err != nil && !errors.Is(err, errWaited) {
		return nil, nil, err
	}
	at, err := w.times(id)
	r.Receipt, r.Received = spread(at, t0.UnixNano())
	return r, sent, err
}

// packets is what the controller published for an alert: each class's frames,
// then its set.
func (w *world) packets(ctx context.Context, id string) (out []packet, err error) {
	for _, class := range w.classes {
		set, _ := w.app.Publisher().AlertSet(class, false)
		if set == nil {
			return nil, fmt.Errorf("class %s has no alert set", class)
		}
		for i := range set.Alerts {
			if set.Alerts[i].ID != id {
				continue
			}
			for _, f := range set.Alerts[i].Frames {
				out = append(out, packet{class, wire.AlertFrameTopic(class, false, f.SHA256), int(f.Len)})
			}
		}
		doc, err := w.app.Store().Documents().Latest(ctx, wire.RoleAlerts, class)
		if err != nil {
			return nil, err
		}
		out = append(out, packet{class, wire.AlertsTopic(class, false), len(doc.JWS)})
	}
	return out, nil
}

// delivered is how many messages and bytes reach all signs.
func (w *world) delivered(sent []packet) (messages int, size int64) {
	of := map[string]int{}
	for _, s := range w.signs {
		of[s.Class]++
	}
	for _, p := range sent {
		messages += of[p.class]
		size += int64(of[p.class]) * int64(p.size)
	}
	return messages, size
}

// plainClient is an MQTT client of the controller's rights that is not the
// controller's.
type plainClient struct {
	*link.Link
	end func()
}

func (w *world) plainClient(ctx context.Context) (*plainClient, error) {
	up := make(chan struct{}, 1)
	l, err := link.New(link.Options{Broker: w.app.BrokerAddr(), ClientID: plainUser, Username: w.plain[0],
		Password: w.plain[1], Log: slog.New(w.log),
		Up: func(link.Conn) {
			select {
			case up <- struct{}{}:
			default:
			}
		}})
	if err != nil {
		return nil, err
	}
	run, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); _ = l.Run(run) }()
	c := &plainClient{l, func() { cancel(); <-done }}
	select {
	case <-up:
		return c, nil
	case <-ctx.Done():
		c.end()
		return nil, ctx.Err()
	case <-time.After(30 * time.Second):
		c.end()
		return nil, errors.New("the broker lets no plain client in")
	}
}

// bareRound publishes as many bytes on the same topics, none of them retained.
func (w *world) bareRound(ctx context.Context, c *plainClient, mark string, sent []packet) (*BareRound, error) {
	head := []byte(crowd.Mark + mark + "\n")
	payloads := make([][]byte, len(sent))
	for i, p := range sent {
		payloads[i] = make([]byte, max(p.size, len(head)))
		copy(payloads[i], head)
	}
	t0 := time.Now()
	for _, sets := range []bool{false, true} { // in the controller's order, and as many at once
		g, ctx := errgroup.WithContext(ctx)
		for i, p := range sent {
			if sets == (p.topic == wire.AlertsTopic(p.class, false)) {
				g.Go(func() error { return c.Publish(ctx, link.Message{Topic: p.topic, Payload: payloads[i], QoS: 1}) })
			}
		}
		if err := g.Wait(); err != nil {
			return nil, fmt.Errorf("plain client: %w", err)
		}
	}
	err := waitUntil(ctx, 15*time.Second, "all signs have it", func() (bool, error) {
		n, err := w.count(ctx, mark)
		return n.Received == w.o.Signs, err
	})
	if err != nil && !errors.Is(err, errWaited) { // the bare broker sends nothing again
		return nil, err
	}
	at, err := w.times(mark)
	r := &BareRound{}
	r.Receipt, r.Received = spread(at, t0.UnixNano())
	r.Messages, r.Bytes = w.delivered(sent)
	return r, err
}

// storm cuts every connection at once and approves an alert meanwhile.
func (w *world) storm(ctx context.Context) (*StormRound, error) {
	n, err := w.count(ctx, "")
	if err != nil {
		return nil, err
	}
	var cut time.Time
	back := make(chan error, 1)
	s := &StormRound{}
	a, _, err := w.alertRound(ctx, "sim-storm", func() error {
		cut = time.Now()
		if w.mosq != nil {
			w.mosq.kill()
			go func() { back <- w.mosq.start(ctx) }()
		} else {
			for _, id := range w.app.Broker().Connected() {
				w.app.Broker().Disconnect(id)
			}
			back <- nil
		}
		w.say("storm: all connections cut in %.0f ms", ms(time.Since(cut)))
		return nil
	})
	if err == nil {
		err = <-back
	}
	if err != nil {
		return nil, err
	}
	s.AlertRound = *a
	err = waitUntil(ctx, alertPatience, "all signs are back", func() (bool, error) {
		m, err := w.count(ctx, "")
		s.Connects = m.Connects - n.Connects
		return m.Subscribed == w.o.Signs, err
	})
	s.BackMS = ms(time.Since(cut))
	return s, err
}

// forge sends every class a set whose signature is wrong, and returns how many
// signs refused it for that.
func (w *world) forge(ctx context.Context, c *plainClient) (int, error) {
	for _, class := range w.classes {
		doc, err := w.app.Store().Documents().Latest(ctx, wire.RoleAlerts, class)
		if err != nil {
			return 0, err
		}
		bad := bytes.Clone(doc.JWS)
		// Another character that is as good as the first one of the signature.
		first := &bad[bytes.LastIndexByte(bad, '.')+1]
		if *first == 'A' {
			*first = 'B'
		} else {
			*first = 'A'
		}
		m := link.Message{Topic: wire.AlertsTopic(class, false), Payload: bad, QoS: 1}
		// The storm cut this client off, too.
		err = waitUntil(ctx, alertPatience, "the plain client is connected", func() (bool, error) {
			err := c.Publish(ctx, m)
			if errors.Is(err, link.ErrDown) {
				return false, nil
			}
			return err == nil, err
		})
		if err != nil {
			return 0, fmt.Errorf("plain client: %w", err)
		}
	}
	refused := 0
	err := waitUntil(ctx, 15*time.Second, "all signs refuse it", func() (bool, error) {
		n, err := w.count(ctx, "")
		refused = n.Rejected[string(wire.BadSignature)]
		return refused == w.o.Signs, err
	})
	if errors.Is(err, errWaited) {
		err = nil
	}
	return refused, err
}
