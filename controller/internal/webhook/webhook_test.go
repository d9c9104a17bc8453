package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"ledcast/controller/internal/alert/alerttest"
	"ledcast/playlists"
)

var admin = &playlists.Principal{ID: "user:admin", Owner: playlists.Public, Role: playlists.RoleAdmin}

// TestWebhooks checks that events are delivered signed, that a failed request is retried, and that a webhook that
// hangs does not delay others.
func TestWebhooks(t *testing.T) {
	type delivery struct {
		event, id string
		good      bool
	}
	got := make(chan delivery, 10)
	const secret = "một bí mật đủ dài"
	failures := 1
	good := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if failures > 0 {
			failures--
			rw.WriteHeader(http.StatusBadGateway)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(r.Header.Get(HeaderTime) + "."))
		mac.Write(body)
		var b payload
		if err := json.Unmarshal(body, &b); err != nil {
			t.Error(err)
		}
		got <- delivery{b.Event, b.Alert.ID, r.Header.Get(HeaderSignature) == "sha256="+hex.EncodeToString(mac.Sum(nil))}
	}))
	defer good.Close()
	hang := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hang }))
	defer hanging.Close()
	defer close(hang)

	w := alerttest.New()
	s, err := Open(t.Context(), Options{Records: w, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Anywhere: true, Backoff: []time.Duration{time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	go s.Run(t.Context())
	if err := s.PutWebhook(t.Context(), admin, &playlists.Webhook{ID: "hanging", URL: hanging.URL,
		Events: Events}); err != nil {
		t.Fatal(err)
	}
	if err := s.PutWebhook(t.Context(), admin, &playlists.Webhook{ID: "good", URL: good.URL,
		Events: []string{"started", "ended"}, Secret: secret}); err != nil {
		t.Fatal(err)
	}
	for _, line := range w.Log {
		if strings.Contains(line, "secret") {
			t.Errorf("the audit log contains %s", line)
		}
	}
	if strings.Contains(string(w.Rows["webhook/good"]), secret) || s.Webhooks()[1].Secret != "" {
		t.Error("the secret is visible")
	}
	send := func(event string) error {
		return s.Send(t.Context(), event, &playlists.AlertView{Alert: playlists.Alert{ID: "a1"}}, 0, time.Now())
	}
	expect := func(event string) {
		t.Helper()
		select {
		case x := <-got:
			if x.event != event || x.id != "a1" || !x.good {
				t.Errorf("received %+v, want %s", x, event)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("event %s was not received", event)
		}
	}
	for _, event := range []string{"started", "missed", "ended"} { // the good webhook does not subscribe to missed
		if err := send(event); err != nil {
			t.Fatal(err)
		}
		if event != "missed" {
			expect(event)
		}
	}
}

// TestWebhookAfterRestart checks that an undelivered event is sent after a restart, to the current URL of the
// webhook, and is not sent again after that. A deleted webhook gets nothing.
func TestWebhookAfterRestart(t *testing.T) {
	w := alerttest.New()
	start := func() (stop func()) {
		s, err := Open(t.Context(), Options{Records: w, Now: time.Now, Log: slog.New(slog.DiscardHandler),
			Anywhere: true, Backoff: []time.Duration{time.Hour}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); s.Run(ctx) }()
		return func() { cancel(); <-done }
	}
	notes := func() string {
		rows, _ := w.List(t.Context(), kindNote)
		return strings.Join(slices.Sorted(maps.Keys(rows)), " ")
	}
	tried := make(chan struct{}, 10)
	broken := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(http.StatusBadGateway)
		tried <- struct{}{}
	}))
	defer broken.Close()
	received := make(chan string, 10)
	good := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var b payload
		if err := json.NewDecoder(r.Body).Decode(&b); err != nil {
			t.Error(err)
		}
		received <- b.Event + " " + b.Alert.ID
	}))
	defer good.Close()

	fresh := func() *Service {
		t.Helper()
		s, err := Open(t.Context(), Options{Records: w, Now: time.Now, Log: slog.New(slog.DiscardHandler), Anywhere: true})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := fresh() // is never run
	for _, id := range []string{"moved", "removed"} {
		if err := s.PutWebhook(t.Context(), admin, &playlists.Webhook{ID: id, URL: broken.URL,
			Events: []string{"started"}}); err != nil {
			t.Fatal(err)
		}
	}
	w.Fail = kindNote + "/moved/a1/started/0"
	started := func() error {
		return s.Send(t.Context(), "started", &playlists.AlertView{Alert: playlists.Alert{ID: "a1"}}, 0, time.Now())
	}
	if started() == nil {
		t.Error("Send returned no error although the store failed")
	}
	if err := started(); err != nil {
		t.Fatal(err)
	}
	stop := start()
	<-tried
	<-tried
	stop()
	if got := notes(); got != "moved/a1/started/0 removed/a1/started/0" {
		t.Fatalf("stored notes: %q", got)
	}

	s = fresh()
	if err := s.PutWebhook(t.Context(), admin, &playlists.Webhook{ID: "moved", URL: good.URL,
		Events: []string{"started"}}); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteWebhook(t.Context(), admin, "removed"); err != nil {
		t.Fatal(err)
	}
	w.Deleted = make(chan string, 10)
	stop = start()
	if got := <-received; got != "started a1" {
		t.Errorf("received %q", got)
	}
	<-w.Deleted // the delivered note and the note of the deleted webhook
	<-w.Deleted
	stop()
	if got := notes(); got != "" {
		t.Errorf("notes still stored: %q", got)
	}
	stop = start()
	stop()
	if len(received) != 0 {
		t.Errorf("received again: %q", <-received)
	}
}

func TestWebhooksToInternetOnly(t *testing.T) {
	for address, ok := range map[string]bool{
		"1.1.1.1:443": true, "[2606:4700::1111]:443": true, "127.0.0.1:443": false, "10.1.2.3:443": false,
		"192.168.0.1:443": false, "172.20.0.1:443": false,
		"169.254.169.254:80": false, "0.0.0.0:443": false, "100.64.0.1:443": false, "[::1]:443": false,
		"[fe80::1]:443": false, "[fd00::1]:443": false,
		"[::ffff:127.0.0.1]:443": false, "[64:ff9b::7f00:1]:443": false, "[64:ff9b::a01:203]:443": false,
		"[::7f00:1]:443": false, "[::a01:203]:443": false, "[fec0::1]:443": false, "[::ffff:10.1.2.3]:443": false,
		"[2001:db8::1]:443": false, "224.0.0.1:443": false, "255.255.255.255:443": false,
	} {
		if err := checkDialed("tcp", address, nil); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
	w := alerttest.New()
	s, err := Open(t.Context(), Options{Records: w, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	reached := false
	near := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer near.Close()
	name := strings.Replace(near.URL, "127.0.0.1", "localhost", 1)
	if err := s.post(t.Context(), address{url: name}, []byte("{}")); err == nil ||
		!strings.Contains(err.Error(), "private address") || reached {
		t.Errorf("a name that resolves to a loopback address: %v", err)
	}
	// Redirects are checked, too.
	for _, to := range []string{"https://127.0.0.1/", "https://localhost:8443/", "http://hooks.example/"} {
		u, err := url.Parse(to)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.guard.Client.CheckRedirect(&http.Request{URL: u}, nil); err == nil {
			t.Errorf("a redirect to %s was followed", to)
		}
	}
	if s.guard.Client.Transport.(*http.Transport).Proxy != nil {
		t.Error("a proxy is set, which would bypass the check")
	}
	for _, u := range []string{"http://hooks.example/", "https://user:pass@hooks.example/", "ftp://hooks.example/",
		"hooks.example", "", "https://127.0.0.1/", "https://127.0.0.1:8443/x",
		"https://10.1.2.3/", "https://192.168.1.1/", "https://[::1]/", "https://[fd00::1]/", "https://[::ffff:127.0.0.1]/",
		"https://localhost/", "https://LOCALHOST./", "https://x.localhost/"} {
		if err := s.PutWebhook(t.Context(), admin, &playlists.Webhook{ID: "h1", URL: u, Events: Events}); err == nil {
			t.Errorf("%q was accepted", u)
		}
	}
	h := &playlists.Webhook{ID: "h1", URL: "https://hooks.example/x", Events: Events}
	if err := s.PutWebhook(t.Context(), admin, h); err != nil || len(h.Secret) != 64 {
		t.Errorf("%v, the secret has %d characters", err, len(h.Secret))
	}
	h.Secret = ""
	if err := s.PutWebhook(t.Context(), admin, h); err != nil || h.Secret != "" {
		t.Errorf("put again: %v, %q", err, h.Secret)
	}
	if err := s.PutWebhook(t.Context(), admin, &playlists.Webhook{ID: "h1", URL: h.URL,
		Events: Events, Secret: "short"}); err == nil {
		t.Error("a short secret was accepted")
	}
	if err := s.DeleteWebhook(t.Context(), admin, "h1"); err != nil || len(w.Rows) != 0 {
		t.Errorf("%v; %d records left", err, len(w.Rows))
	}
}
