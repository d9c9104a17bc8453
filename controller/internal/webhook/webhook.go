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
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"ledcast/playlists"
)

// Options are the options of Open.
type Options struct {
	Records Records
	Now     func() time.Time
	Log     *slog.Logger
	// Anywhere allows URLs of private and loopback addresses and URLs without TLS, for tests.
	Anywhere bool
	// Backoff has the delay before each retry. nil means the default.
	Backoff []time.Duration
}

// Records stores JSON records by kind and ID. A write is audited unless by is nil.
type Records interface {
	List(ctx context.Context, kind string) (map[string][]byte, error)
	Put(ctx context.Context, by *playlists.Principal, kind, owner, id string, data []byte) error
	Delete(ctx context.Context, by *playlists.Principal, kind, owner, id string) error
}

// Kinds of records.
const (
	kindWebhook = "webhook"
	kindSecret  = "webhook-secret" // not audited, because the log must not contain it
	kindNote    = "webhook-note"   // not audited; an undelivered note
)

// Headers of a webhook request. The signature is "sha256=" and the hex HMAC-SHA256 with the webhook's secret over
// the timestamp (Unix seconds), "." and the body. A receiver that checks the signature and the timestamp is safe
// against replays.
const (
	HeaderTime      = "Ledcast-Timestamp"
	HeaderSignature = "Ledcast-Signature"
)

// Events are the events that a webhook can subscribe to.
var Events = []string{"started", "ended", "missed", "break-glass", "pending", "cancelled"}

// Limits of webhooks.
const (
	maxHooks    = 20
	queueLength = 256
	timeout     = 10 * time.Second
	minSecret   = 16
)

var backoff = []time.Duration{2 * time.Second, 10 * time.Second, time.Minute, 5 * time.Minute}

// Service sends webhooks. It retries a failed request a few times. A webhook that does not respond does not delay
// the others. Service is safe for concurrent use. It sends only while Run is running.
type Service struct {
	o       Options
	failed  atomic.Int64
	guard   *Guard
	queue   chan note
	pending []note // not sent by an earlier run

	putMu sync.Mutex // serializes changes of webhooks

	mu    sync.Mutex
	hooks map[string]playlists.Webhook
	to    map[string]address // by ID of the webhook
}

type address struct{ url, secret string }

// note is a message to one webhook. It is stored until it is delivered or given up, so that it survives a restart.
// After a restart its retries start again, and it may be delivered twice.
type note struct {
	Webhook string          `json:"webhook"`
	Body    json.RawMessage `json:"body"`
	id      string          // ID of the record
}

// payload is the JSON body of a request.
type payload struct {
	Event string              `json:"event"`
	AtMS  int64               `json:"at_ms"`
	Alert playlists.AlertView `json:"alert"`
}

// Open returns a Service with the stored webhooks and undelivered notes.
func Open(ctx context.Context, o Options) (*Service, error) {
	if o.Backoff == nil {
		o.Backoff = backoff
	}
	s := &Service{o: o, guard: NewGuard(o.Anywhere), queue: make(chan note, queueLength),
		hooks: map[string]playlists.Webhook{}, to: map[string]address{}}
	for _, err := range []error{
		playlists.LoadRecords(ctx, o.Records, kindWebhook, func(id string, w playlists.Webhook) { s.hooks[id] = w }),
		playlists.LoadRecords(ctx, o.Records, kindSecret, func(id string, secret string) {
			s.to[id] = address{s.hooks[id].URL, secret}
		}),
		playlists.LoadRecords(ctx, o.Records, kindNote, func(id string, n note) {
			n.id = id
			s.pending = append(s.pending, n)
		}),
	} {
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Guard returns the Guard of the webhooks.
func (s *Service) Guard() *Guard { return s.guard }

func (s *Service) keep(ctx context.Context, by *playlists.Principal, kind, id string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return s.o.Records.Put(ctx, by, kind, playlists.Public, id, data)
}

// Send queues an event of an alert for the webhooks that subscribe to it. missed is the number of signs that have
// missed the alert so far. Send stores the messages before it queues them. After an error nothing is queued, and
// the caller must call Send again.
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

// notes returns the messages about an event. Their IDs depend only on the arguments, so a repeated Send overwrites
// the stored notes of the failed one.
func (s *Service) notes(event string, v *playlists.AlertView, missed int, at time.Time) (out []note, err error) {
	body, err := json.Marshal(payload{Event: event, AtMS: at.UnixMilli(), Alert: *v})
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.hooks {
		if slices.Contains(w.Events, event) {
			id := fmt.Sprintf("%s/%s/%s/%d", w.ID, v.ID, event, missed)
			out = append(out, note{Webhook: w.ID, Body: body, id: id})
		}
	}
	return out, nil
}

// done deletes a note that was delivered or given up.
func (s *Service) done(ctx context.Context, id string) {
	if err := s.o.Records.Delete(ctx, nil, kindNote, playlists.Public, id); err != nil {
		s.o.Log.Warn("cannot delete a delivered webhook message; it will be sent again after a restart",
			"note", id, "err", err)
	}
}

// enqueue queues a note. It never blocks: if the queue is full, the note is dropped.
func (s *Service) enqueue(ctx context.Context, n note) {
	select {
	case s.queue <- n:
	default:
		s.failed.Add(1)
		s.o.Log.Error("the webhook queue is full; an event was dropped", "webhook", n.Webhook, "note", n.id)
		s.done(ctx, n.id)
	}
}

// Run sends notes until ctx ends. It begins with those that an earlier run did not send.
func (s *Service) Run(ctx context.Context) {
	pending := s.pending
	var all errgroup.Group
	all.SetLimit(queueLength)
	defer func() { _ = all.Wait() }()
	for {
		var n note
		if len(pending) > 0 {
			n, pending = pending[0], pending[1:]
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

// Failed is how many messages were given up or dropped since the start.
func (s *Service) Failed() int64 { return s.failed.Load() }

// deliver sends a note and retries until it gives up. If ctx ends first, the note stays stored.
func (s *Service) deliver(ctx context.Context, n note) {
	for try := 0; ; try++ {
		// Look up the address for each try, because the webhook may have been corrected meanwhile.
		s.mu.Lock()
		to, exists := s.to[n.Webhook]
		s.mu.Unlock()
		if !exists {
			s.done(ctx, n.id)
			return
		}
		err := s.post(ctx, to, n.Body)
		if err == nil {
			// The note is delivered, so delete it even if ctx has ended meanwhile.
			s.done(context.WithoutCancel(ctx), n.id)
			return
		}
		if ctx.Err() != nil {
			return
		}
		if try == len(s.o.Backoff) {
			s.failed.Add(1)
			s.o.Log.Error("cannot deliver a webhook; giving up", "webhook", n.Webhook, "tries", try+1, "err", err)
			s.done(ctx, n.id)
			return
		}
		s.o.Log.Warn("cannot deliver a webhook; retrying", "webhook", n.Webhook, "err", err)
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
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10))
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("the response status is %s", res.Status)
	}
	return nil
}
