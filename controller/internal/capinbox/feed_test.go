package capinbox

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ledcast/playlists"
)

// feedWorld is a service that polls a test server, and its clock.
type feedWorld struct {
	*world
	*service
	mu  sync.Mutex
	now time.Time
}

func newFeedWorld(t *testing.T, h http.HandlerFunc, feeds ...string) *feedWorld {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	f := &feedWorld{world: newWorld(), now: time.Now().Truncate(time.Second)}
	s, err := open(f.world, f.at)
	if err != nil {
		t.Fatal(err)
	}
	f.service = s
	p := playlists.CAPPolicy{Senders: []string{"kttv@vn"}}
	for _, id := range feeds {
		p.Feeds = append(p.Feeds, playlists.CAPFeed{ID: id, URL: srv.URL + "/" + id})
	}
	if err := s.SetCAPPolicy(t.Context(), &playlists.Principal{ID: "user:hoa", Owner: playlists.Public,
		Role: playlists.RoleAdmin}, p); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *feedWorld) at() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

func (f *feedWorld) poll(after time.Duration) map[string]playlists.CAPFeedState {
	f.mu.Lock()
	f.now = f.now.Add(after)
	f.mu.Unlock()
	f.pollFeeds(context.Background())
	_, _, states := f.CAPPolicy()
	out := map[string]playlists.CAPFeedState{}
	for _, st := range states {
		out[st.ID] = st
	}
	return out
}

// A feed with more new documents than the limit: the first poll takes the newest and
// reports that the others wait. The next poll takes these.
func TestCAPFeedOfMany(t *testing.T) {
	sent := time.Now().Truncate(time.Second)
	f := newFeedWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		if id, ok := strings.CutPrefix(r.URL.Path, "/doc/"); ok {
			_, _ = rw.Write(doc{id: id, sent: sent, status: "Test"}.xml())
			return
		}
		var b strings.Builder
		for i := range maxNewDocuments + 7 {
			fmt.Fprintf(&b, `<entry><link href="/doc/%d"/></entry>`, i)
		}
		_, _ = fmt.Fprintf(rw, `<feed xmlns="http://www.w3.org/2005/Atom">%s</feed>`, b.String())
	}, "many")
	st := f.poll(time.Minute)["many"]
	_, last, _ := f.CAPPolicy()
	if !strings.Contains(st.Trouble, "the 7 oldest wait") || !strings.Contains(st.TroubleVI, "7 văn bản cũ nhất") ||
		st.Failures != 0 || len(last) != maxNewDocuments {
		t.Fatalf("%+v; %d taken", st, len(last))
	}
	for _, r := range last {
		if r.Identifier == fmt.Sprint(maxNewDocuments) {
			t.Error("an old document came before newer ones")
		}
	}
	st = f.poll(time.Minute)["many"]
	if _, last, _ = f.CAPPolicy(); st.Trouble != "" || len(last) != maxNewDocuments+7 {
		t.Errorf("%+v; %d taken", st, len(last))
	}
}

// A refused document is decided again later even if the list did not change.
func TestCAPFeedRetries(t *testing.T) {
	sent := time.Now().Truncate(time.Second)
	f := newFeedWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/doc":
			_, _ = rw.Write(doc{sent: sent, sender: "new@vn"}.xml())
		case r.Header.Get("If-None-Match") != "":
			rw.WriteHeader(http.StatusNotModified)
		default:
			rw.Header().Set("ETag", `"1"`)
			_, _ = rw.Write([]byte(`<feed xmlns="http://www.w3.org/2005/Atom"><entry><link href="/doc"/></entry></feed>`))
		}
	}, "one")
	outcome := func() string {
		_, last, _ := f.CAPPolicy()
		return last[0].Outcome
	}
	if f.poll(time.Minute); outcome() != playlists.CAPRefused {
		t.Fatal(outcome())
	}
	p, _, _ := f.CAPPolicy()
	p.Senders = append(p.Senders, "new@vn")
	if err := f.SetCAPPolicy(t.Context(), author, p); err != nil {
		t.Fatal(err)
	}
	if f.poll(time.Minute); outcome() != playlists.CAPRefused {
		t.Error("the document is fetched again at once")
	}
	if f.poll(retryDocument); outcome() != playlists.CAPPending {
		t.Errorf("the sender is allowed, but the outcome is %s", outcome())
	}
}

// A slow feed does not delay the others, and the policy can change during a poll.
func TestCAPFeedsInParallel(t *testing.T) {
	sent := time.Now().Truncate(time.Second)
	others := make(chan struct{}, 9)
	f := newFeedWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			for range 3 {
				<-others // responds after the other feeds were polled
			}
			http.Error(rw, "no", http.StatusBadGateway)
			return
		}
		_, _ = rw.Write(doc{id: r.URL.Path[1:], sent: sent}.xml())
		others <- struct{}{}
	}, "slow", "f1", "f2", "f3")
	changed := make(chan error, 1)
	go func() {
		p, _, _ := f.CAPPolicy()
		p.Feeds[1].EveryS = 30
		changed <- f.SetCAPPolicy(context.Background(), author, p)
	}()
	states := f.poll(time.Minute)
	if err := <-changed; err != nil {
		t.Fatal(err)
	}
	for id, st := range states {
		if (st.Trouble != "") != (id == "slow") {
			t.Errorf("%s: %+v", id, st)
		}
	}
	if _, last, _ := f.CAPPolicy(); len(last) != 3 {
		t.Errorf("%d documents", len(last))
	}
}

// A poll is conditional and fetches each document once. A feed that fails, is empty or
// does not change is reported and ends no alert.
func TestCAPFeed(t *testing.T) {
	w := newWorld()
	now := time.Now().Truncate(time.Second)
	var at atomic.Pointer[time.Time]
	at.Store(&now)
	s, err := open(w, func() time.Time { return *at.Load() })
	if err != nil {
		t.Fatal(err)
	}
	first, second := doc{id: "a", sent: now}, doc{id: "b", sent: now}
	var mode atomic.Value
	mode.Store("list")
	var lists, notModified, docs atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/doc/"):
			docs.Add(1)
			_, _ = rw.Write(map[string]doc{"/doc/a": first, "/doc/b": second}[r.URL.Path].xml())
		case mode.Load() == "list" && r.Header.Get("If-None-Match") == `"1"`:
			notModified.Add(1)
			rw.WriteHeader(http.StatusNotModified)
		case mode.Load() == "list":
			lists.Add(1)
			rw.Header().Set("ETag", `"1"`)
			_, _ = rw.Write([]byte(`<feed xmlns="http://www.w3.org/2005/Atom"><entry><link rel="alternate" href="/page"/>` +
				`<link type="application/cap+xml" href="doc/b"/></entry><entry><link href="/doc/a"/></entry></feed>`))
		case mode.Load() == "empty":
		case mode.Load() == "empty list":
			_, _ = rw.Write([]byte(`<feed xmlns="http://www.w3.org/2005/Atom"></feed>`))
		case mode.Load() == "huge":
			_, _ = rw.Write(make([]byte, maxAnswer+10))
		case mode.Load() == "page":
			_, _ = rw.Write([]byte("<html><body>Bảo trì</body></html>"))
		default:
			http.Error(rw, "no", http.StatusBadGateway)
		}
	}))
	defer srv.Close()
	admin := &playlists.Principal{ID: "user:hoa", Owner: playlists.Public, Role: playlists.RoleAdmin}
	if err := s.SetCAPPolicy(t.Context(), admin, playlists.CAPPolicy{Senders: []string{"kttv@vn"},
		Feeds: []playlists.CAPFeed{{ID: "kttv", URL: srv.URL + "/feed"}}}); err != nil {
		t.Fatal(err)
	}
	poll := func() playlists.CAPFeedState {
		t.Helper()
		later := at.Load().Add(time.Minute)
		at.Store(&later)
		s.pollFeeds(context.Background())
		_, _, feeds := s.CAPPolicy()
		return feeds[0]
	}
	if st := poll(); st.Trouble != "" || st.Failures != 0 {
		t.Fatalf("%+v", st)
	}
	_, last, _ := s.CAPPolicy()
	if len(last) != 2 || last[0].Outcome != "pending" || last[0].From != "cap-feed:kttv" {
		t.Fatalf("%+v", last)
	}
	approveIt(t, s, last[0].Alerts[0])
	for range 3 {
		poll()
	}
	if docs.Load() != 2 || lists.Load() != 1 || notModified.Load() != 3 {
		t.Errorf("%d documents, %d lists, %d not modified", docs.Load(), lists.Load(), notModified.Load())
	}
	for _, m := range []string{"empty", "huge", "page", "fails"} {
		mode.Store(m)
		if st := poll(); st.Trouble == "" || st.Failures == 0 {
			t.Errorf("%s: nothing is reported: %+v", m, st)
		}
	}
	mode.Store("empty list") // a good response that ends no alert but is reported
	if st := poll(); st.Trouble != "lists nothing" || st.TroubleVI == "" || st.Failures != 0 {
		t.Errorf("an empty list: %+v", st)
	}
	if v, err := s.Get(t.Context(), last[0].Alerts[0]); err != nil || v.State != playlists.AlertRunning {
		t.Errorf("the alert is %s, %v", v.State, err)
	}
	mode.Store("list")
	poll()
	days := at.Load().Add(unchangedAfter + time.Hour)
	at.Store(&days)
	if st := poll(); st.Trouble == "" {
		t.Errorf("a feed that does not change: %+v", st)
	}
}
