package alert

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"ledcast/playlists"
)

// HookOptions are how webhooks go out.
type HookOptions struct {
	// Anywhere lets them go to private and loopback addresses and without TLS:
	// for tests.
	Anywhere bool
	// Backoff is how long to wait before each further try; nil is hookBackoff.
	Backoff []time.Duration
}

// Headers of a webhook. The signature is "sha256=" and the hex HMAC-SHA256,
// under the webhook's secret, of the timestamp (Unix seconds), a full stop and
// the body: who checks both cannot be sent an old one again.
const (
	HeaderTime      = "Ledcast-Timestamp"
	HeaderSignature = "Ledcast-Signature"
)

// HookEvents are what a webhook may ask to be told.
var HookEvents = []string{"started", "ended", "missed", "break-glass"}

// Limits of webhooks.
const (
	maxHooks    = 20
	maxRedirect = 3
	hookQueue   = 256
	hookTimeout = 10 * time.Second
	leastSecret = 16
)

var hookBackoff = []time.Duration{2 * time.Second, 10 * time.Second, time.Minute, 5 * time.Minute}

// hooks sends webhooks: beside everything else, each try again a few times, and
// what does not fit the queue is dropped and said.
type hooks struct {
	o      HookOptions
	log    *slog.Logger
	now    func() time.Time
	client *http.Client
	queue  chan note
	done   func(ctx context.Context, id string) // a note was delivered, or given up
	mu     sync.Mutex
	to     map[string]address // by webhook
}

type address struct{ url, secret string }

// note is what one webhook is to be told. It is kept until it was told or is
// given up, so that a restart forgets none: it is then tried from the beginning,
// and may be told twice.
type note struct {
	Webhook string          `json:"webhook"`
	Body    json.RawMessage `json:"body"`
	id      string          // of its record
}

// hookBody is what is sent.
type hookBody struct {
	Event string              `json:"event"`
	AtMS  int64               `json:"at_ms"`
	Alert playlists.AlertView `json:"alert"`
}

func newHooks(o Options) *hooks {
	h := &hooks{o: o.Hooks, log: o.Log, now: o.Now, queue: make(chan note, hookQueue), to: map[string]address{}}
	if h.o.Backoff == nil {
		h.o.Backoff = hookBackoff
	}
	d := &net.Dialer{Timeout: 5 * time.Second}
	if !h.o.Anywhere {
		d.Control = public // after DNS, and at every redirect's connection again
	}
	h.client = &http.Client{Timeout: hookTimeout,
		Transport: &http.Transport{DialContext: d.DialContext, TLSHandshakeTimeout: 5 * time.Second, MaxIdleConns: 4, DisableKeepAlives: true}, // no proxy: it would dial for us
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > maxRedirect {
				return errors.New("too many redirects")
			}
			return h.mayGo(r.URL)
		}}
	return h
}

// public refuses a connection to an address that is not on the Internet: what
// stands beside the controller is not for webhooks to reach.
func public(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if ip := at.Addr().Unmap(); !onInternet(ip) {
		return fmt.Errorf("%s is a private address; webhooks go to the Internet only", ip)
	}
	return nil
}

func onInternet(ip netip.Addr) bool {
	ip = ip.WithZone("").Unmap()
	return ip.IsGlobalUnicast() && !ip.IsPrivate() && !slices.ContainsFunc(closed, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// closed are networks that are global unicast by their form and lead elsewhere:
// carriers' NAT, special uses, IPv6 as it was local once, and IPv4 inside IPv6,
// whatever address that is.
var closed = []netip.Prefix{netip.MustParsePrefix("::/96"), netip.MustParsePrefix("fec0::/10"), netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("2001::/32")}

func (h *hooks) mayGo(u *url.URL) error {
	if u.Host == "" || u.User != nil || u.Scheme != "https" && !(h.o.Anywhere && u.Scheme == "http") {
		return fmt.Errorf("%s is no https address", u.Redacted())
	}
	if !h.o.Anywhere && private(u.Hostname()) { // any other name is looked at when it is dialled
		return fmt.Errorf("%s is a private address; webhooks and feeds are on the Internet only", u.Hostname())
	}
	return nil
}

// private reports whether a host, as it is written, is not on the Internet.
func private(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if ip, err := netip.ParseAddr(host); err == nil {
		return !onInternet(ip)
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// notes are what an event of an alert makes of the webhooks that ask for it. One
// that was made before, but of which that was not kept, has the same id.
func (h *hooks) notes(to map[string]playlists.Webhook, event string, v playlists.AlertView, missed int, at time.Time) (out []note) {
	for _, w := range to {
		if !slices.Contains(w.Events, event) {
			continue
		}
		body, err := json.Marshal(hookBody{Event: event, AtMS: at.UnixMilli(), Alert: v})
		if err != nil {
			h.log.Error("a webhook's body cannot be made", "webhook", w.ID, "err", err)
			continue
		}
		out = append(out, note{Webhook: w.ID, Body: body, id: fmt.Sprintf("%s/%s/%s/%d", w.ID, v.ID, event, missed)})
	}
	return out
}

// send queues a note. It never blocks.
func (h *hooks) send(ctx context.Context, n note) {
	select {
	case h.queue <- n:
	default:
		h.log.Error("a webhook is too slow and misses an event", "webhook", n.Webhook, "note", n.id)
		h.done(ctx, n.id)
	}
}

// run sends until ctx ends, first what an earlier run still owes. A webhook that
// does not answer delays no other.
func (h *hooks) run(ctx context.Context, owed []note) {
	var all errgroup.Group
	all.SetLimit(hookQueue)
	defer func() { _ = all.Wait() }()
	for {
		var n note
		if len(owed) > 0 {
			n, owed = owed[0], owed[1:]
		} else {
			select {
			case <-ctx.Done():
				return
			case n = <-h.queue:
			}
		}
		all.Go(func() error {
			h.deliver(ctx, n)
			return nil
		})
	}
}

// deliver tells a note, or gives it up; when ctx ends before, it stays kept.
func (h *hooks) deliver(ctx context.Context, n note) {
	for try := 0; ; try++ {
		// Looked up each time: an address that was wrong may be put right meanwhile.
		h.mu.Lock()
		to, there := h.to[n.Webhook]
		h.mu.Unlock()
		if !there {
			h.done(ctx, n.id)
			return
		}
		err := h.post(ctx, to, n.Body)
		if err == nil {
			// It was told, whatever ctx says since.
			h.done(context.WithoutCancel(ctx), n.id)
			return
		}
		if ctx.Err() != nil {
			return
		}
		if try == len(h.o.Backoff) {
			h.log.Error("a webhook was not delivered and is given up", "webhook", n.Webhook, "tries", try+1, "err", err)
			h.done(ctx, n.id)
			return
		}
		h.log.Warn("a webhook was not delivered and is tried again", "webhook", n.Webhook, "err", err)
		t := time.NewTimer(h.o.Backoff[try])
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
	}
}

func (h *hooks) post(ctx context.Context, to address, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	stamp := strconv.FormatInt(h.now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(to.secret))
	mac.Write([]byte(stamp + "."))
	mac.Write(body)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "ledcast")
	req.Header.Set(HeaderTime, stamp)
	req.Header.Set(HeaderSignature, "sha256="+hex.EncodeToString(mac.Sum(nil)))
	res, err := h.client.Do(req)
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

// Webhooks are all webhooks, by id, without their secrets.
func (s *Service) Webhooks() []playlists.Webhook {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]playlists.Webhook, 0, len(s.webhooks))
	for _, w := range s.webhooks {
		out = append(out, w)
	}
	slices.SortFunc(out, func(a, b playlists.Webhook) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// PutWebhook makes or replaces one. Without a secret the old one stays; a new
// webhook without one gets one that the answer tells, once.
func (s *Service) PutWebhook(ctx context.Context, who *playlists.Principal, w *playlists.Webhook) error {
	if err := playlists.CheckSlug("webhooks/id", w.ID); err != nil {
		return err
	}
	bad := func(field, value, problem, remedy string) error {
		return &playlists.Error{Code: playlists.Invalid, Field: "webhooks/" + w.ID + "." + field, Value: value, Problem: problem, Remedy: remedy}
	}
	u, err := url.Parse(w.URL)
	if err == nil && !s.hooks.o.Anywhere && private(u.Hostname()) {
		return bad("url", w.URL, "is a private address", "give a host that is on the Internet")
	}
	if err != nil || s.hooks.mayGo(u) != nil || len(w.URL) > 500 {
		return bad("url", w.URL, "is no https address", "write https://host/path, without a password")
	}
	if len(w.Events) == 0 {
		return bad("events", "", "are missing", "name started, ended, missed or break-glass")
	}
	for i, e := range w.Events {
		if !slices.Contains(HookEvents, e) {
			return bad(fmt.Sprintf("events[%d]", i), e, "is not an event", "use started, ended, missed or break-glass")
		}
	}
	s.life.Lock()
	defer s.life.Unlock()
	s.mu.Lock()
	_, there := s.webhooks[w.ID]
	n := len(s.webhooks)
	s.mu.Unlock()
	if !there && n >= maxHooks {
		return &playlists.Error{Code: playlists.TooLarge, Field: "webhooks", Problem: fmt.Sprintf("are %d, the limit", n), Remedy: "remove one"}
	}
	secret := w.Secret
	w.Secret = ""
	switch {
	case secret != "" && (len(secret) < leastSecret || len(secret) > 200):
		return bad("secret", "", fmt.Sprintf("has %d characters, outside %d to 200", len(secret), leastSecret), "leave it out, and one is made")
	case secret == "" && !there:
		var b [32]byte
		_, _ = rand.Read(b[:]) // never fails: crypto/rand.Read panics instead
		secret = hex.EncodeToString(b[:])
		made := secret
		defer func() { w.Secret = made }()
	}
	if secret != "" {
		if err := s.keep(ctx, nil, kindSecret, w.ID, secret); err != nil {
			return err
		}
	}
	if err := s.keep(ctx, who, kindWebhook, w.ID, w); err != nil {
		return err
	}
	s.mu.Lock()
	s.webhooks[w.ID] = *w
	s.mu.Unlock()
	s.hooks.mu.Lock()
	if secret == "" {
		secret = s.hooks.to[w.ID].secret
	}
	s.hooks.to[w.ID] = address{w.URL, secret}
	s.hooks.mu.Unlock()
	return nil
}

// DeleteWebhook removes one.
func (s *Service) DeleteWebhook(ctx context.Context, who *playlists.Principal, id string) error {
	s.life.Lock()
	defer s.life.Unlock()
	s.mu.Lock()
	_, there := s.webhooks[id]
	s.mu.Unlock()
	if !there {
		return notHere("webhook", id)
	}
	if err := s.o.Records.Delete(ctx, who, kindWebhook, playlists.Public, id); err != nil {
		return err
	}
	s.mu.Lock()
	delete(s.webhooks, id)
	s.mu.Unlock()
	s.hooks.mu.Lock()
	delete(s.hooks.to, id)
	s.hooks.mu.Unlock()
	return s.o.Records.Delete(ctx, nil, kindSecret, playlists.Public, id)
}
