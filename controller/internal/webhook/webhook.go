package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"ledcast/playlists"
)

// Options are a Service's surroundings.
type Options struct {
	Records Records
	Now     func() time.Time
	Log     *slog.Logger
	// Anywhere lets webhooks and feeds go to private and loopback addresses and
	// without TLS: for tests.
	Anywhere bool
	// Backoff is how long to wait before each further try; nil is backoff.
	Backoff []time.Duration
}

// Records keeps what this package remembers, as JSON by kind and id. A write of
// by is audited; by is nil for what no log should hold.
type Records interface {
	List(ctx context.Context, kind string) (map[string][]byte, error)
	Put(ctx context.Context, by *playlists.Principal, kind, owner, id string, data []byte) error
	Delete(ctx context.Context, by *playlists.Principal, kind, owner, id string) error
}

// Kinds of records.
const (
	kindWebhook = "webhook"
	kindSecret  = "webhook-secret" // not audited: no log should hold it
	kindNote    = "webhook-note"   // not audited; what a webhook has not been sent yet
)

// Headers of a webhook. The signature is "sha256=" and the hex HMAC-SHA256,
// under the webhook's secret, of the timestamp (Unix seconds), a full stop and
// the body. A receiver that checks both cannot be sent an old one again.
const (
	HeaderTime      = "Ledcast-Timestamp"
	HeaderSignature = "Ledcast-Signature"
)

// Events are what a webhook may subscribe to.
var Events = []string{"started", "ended", "missed", "break-glass"}

// Limits of webhooks.
const (
	maxHooks    = 20
	queueLength = 256
	timeout     = 10 * time.Second
	leastSecret = 16
)

var backoff = []time.Duration{2 * time.Second, 10 * time.Second, time.Minute, 5 * time.Minute}

// Service sends webhooks. Each is tried again a few times, and one that does not
// answer delays no other. It is safe for concurrent use; Run must run.
type Service struct {
	o     Options
	guard *Guard
	queue chan note
	owed  []note // what an earlier run did not send

	put sync.Mutex // one change of a webhook at a time

	mu    sync.Mutex
	hooks map[string]playlists.Webhook
	to    map[string]address // by webhook
}

type address struct{ url, secret string }

// note is a message for one webhook. It is kept until it was delivered or is
// given up, so that a restart forgets none. It is then tried from the beginning,
// and may be delivered twice.
type note struct {
	Webhook string          `json:"webhook"`
	Body    json.RawMessage `json:"body"`
	id      string          // of its record
}

// payload is what is sent.
type payload struct {
	Event string              `json:"event"`
	AtMS  int64               `json:"at_ms"`
	Alert playlists.AlertView `json:"alert"`
}

// Open reads what is remembered.
func Open(ctx context.Context, o Options) (*Service, error) {
	if o.Backoff == nil {
		o.Backoff = backoff
	}
	s := &Service{o: o, guard: NewGuard(o.Anywhere), queue: make(chan note, queueLength),
		hooks: map[string]playlists.Webhook{}, to: map[string]address{}}
	for _, err := range []error{
		playlists.LoadRecords(ctx, o.Records, kindWebhook, func(id string, w playlists.Webhook) { s.hooks[id] = w }),
		playlists.LoadRecords(ctx, o.Records, kindSecret, func(id string, secret string) { s.to[id] = address{s.hooks[id].URL, secret} }),
		playlists.LoadRecords(ctx, o.Records, kindNote, func(id string, n note) { n.id = id; s.owed = append(s.owed, n) }),
	} {
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Guard is what the webhooks go through.
func (s *Service) Guard() *Guard { return s.guard }

func (s *Service) keep(ctx context.Context, by *playlists.Principal, kind, id string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return s.o.Records.Put(ctx, by, kind, playlists.Public, id, data)
}

// Send queues an event of an alert for the webhooks that subscribe to it. missed
// is how many signs have missed the alert by then. What is queued is kept first:
// after an error nothing is queued, and the event must be sent again.
func (s *Service) Send(ctx context.Context, event string, v *playlists.AlertView, missed int, at time.Time) error {
	notes, err := s.notes(event, v, missed, at)
	if err != nil {
		return err
	}
	for _, n := range notes {
		if err := s.keep(ctx, nil, kindNote, n.id, n); err != nil {
			return err
		}
	}
	for _, n := range notes {
		s.enqueue(ctx, n)
	}
	return nil
}

// notes are the messages about an event. One that was made before, and then not
// kept, gets the same id.
func (s *Service) notes(event string, v *playlists.AlertView, missed int, at time.Time) (out []note, err error) {
	body, err := json.Marshal(payload{Event: event, AtMS: at.UnixMilli(), Alert: *v})
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.hooks {
		if slices.Contains(w.Events, event) {
			out = append(out, note{Webhook: w.ID, Body: body, id: fmt.Sprintf("%s/%s/%s/%d", w.ID, v.ID, event, missed)})
		}
	}
	return out, nil
}

// done forgets a note that was delivered or given up.
func (s *Service) done(ctx context.Context, id string) {
	if err := s.o.Records.Delete(ctx, nil, kindNote, playlists.Public, id); err != nil {
		s.o.Log.Warn("a delivered webhook stays queued, and is delivered again after a restart", "note", id, "err", err)
	}
}

// enqueue queues a note. It never blocks.
func (s *Service) enqueue(ctx context.Context, n note) {
	select {
	case s.queue <- n:
	default:
		s.o.Log.Error("a webhook is too slow and misses an event", "webhook", n.Webhook, "note", n.id)
		s.done(ctx, n.id)
	}
}

// Run sends until ctx ends, first what an earlier run did not send.
func (s *Service) Run(ctx context.Context) {
	owed := s.owed
	var all errgroup.Group
	all.SetLimit(queueLength)
	defer func() { _ = all.Wait() }()
	for {
		var n note
		if len(owed) > 0 {
			n, owed = owed[0], owed[1:]
		} else {
			select {
			case <-ctx.Done():
				return
			case n = <-s.queue:
			}
		}
		all.Go(func() error {
			s.deliver(ctx, n)
			return nil
		})
	}
}

// deliver sends a note, or gives it up. When ctx ends before, it stays kept.
func (s *Service) deliver(ctx context.Context, n note) {
	for try := 0; ; try++ {
		// Looked up each time: an address that was wrong may be put right meanwhile.
		s.mu.Lock()
		to, there := s.to[n.Webhook]
		s.mu.Unlock()
		if !there {
			s.done(ctx, n.id)
			return
		}
		err := s.post(ctx, to, n.Body)
		if err == nil {
			// It was delivered, whatever became of ctx since.
			s.done(context.WithoutCancel(ctx), n.id)
			return
		}
		if ctx.Err() != nil {
			return
		}
		if try == len(s.o.Backoff) {
			s.o.Log.Error("a webhook was not delivered and is given up", "webhook", n.Webhook, "tries", try+1, "err", err)
			s.done(ctx, n.id)
			return
		}
		s.o.Log.Warn("a webhook was not delivered and is tried again", "webhook", n.Webhook, "err", err)
		t := time.NewTimer(s.o.Backoff[try])
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
	}
}

func (s *Service) post(ctx context.Context, to address, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	stamp := strconv.FormatInt(s.o.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(to.secret))
	mac.Write([]byte(stamp + "."))
	mac.Write(body)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "ledcast")
	req.Header.Set(HeaderTime, stamp)
	req.Header.Set(HeaderSignature, "sha256="+hex.EncodeToString(mac.Sum(nil)))
	res, err := s.guard.Client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // its words are of no interest
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("it answered %s", res.Status)
	}
	return nil
}
