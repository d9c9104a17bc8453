package app_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"ledcast/controller/internal/api"
	"ledcast/controller/internal/app"
	"ledcast/controller/internal/demo"
	"ledcast/playlists"
	"ledcast/sign/wire"
)

// wrongClock is a controller's clock that a test sets.
type wrongClock struct{ off atomic.Int64 }

func (w *wrongClock) now() time.Time { return time.Now().Round(0).Add(time.Duration(w.off.Load())) }

// startWith is startDemo with a controller whose clock the test sets. Its signs have the right one.
func startWith(t *testing.T, data string, w *wrongClock) *installation {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	a, err := app.New(t.Context(), app.Options{Data: data, Database: database(t, data), Listen: "127.0.0.1:0",
		MQTTListen: "127.0.0.1:0", Software: "test", Guest: demo.Guest(), Demo: true, Now: w.now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	d, err := demo.Start(t.Context(), a, demo.Options{Data: data, Software: "test", Now: time.Now, Log: log})
	if err != nil {
		_ = a.Stop()
		t.Fatal(err)
	}
	return inside(a, d, data)
}

// witness is a sign that has a right clock and shows nothing.
type witness struct {
	id string
	in <-chan received
	c  mqtt.Client

	requests []string // that it was sent
	set      string   // the alerts of its class, in words
	program  string   // digest of its program
}

func newWitness(t *testing.T, d *installation, id, config string) *witness {
	t.Helper()
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	var f signFile
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}
	f.Broker = d.BrokerAddr()
	w := &witness{id: id}
	w.in, w.c = outside(t, f, wire.AlertsTopic("128x64-rgb", false), wire.SignTopic(id, wire.LeafProgram),
		wire.SignTopic(id, wire.LeafRequest))
	return w
}

// says sends a status with the right time, which asks for the controller's.
func (w *witness) says(session string) {
	w.c.Publish(wire.SignTopic(w.id, wire.LeafStatus), 0, false,
		fmt.Appendf(nil, `{"v":1,"state":"online","session":%q,"at_ms":%d,"class":"128x64-rgb","clock":"trusted",`+
			`"challenge":%q}`, session, time.Now().UnixMilli(), base64.RawURLEncoding.EncodeToString(
			[]byte(rand.Text()[:16]))))
}

// take takes what has come.
func (w *witness) take(t *testing.T) {
	t.Helper()
	for {
		select {
		case m := <-w.in:
			switch m.topic {
			case wire.AlertsTopic("128x64-rgb", false):
				s, err := wire.StoredAlerts(m.payload, false)
				if err != nil {
					t.Fatal(err)
				}
				w.set = ""
				for _, a := range s.Alerts {
					w.set += a.ID + " "
				}
			case wire.SignTopic(w.id, wire.LeafProgram):
				w.program = wire.Digest(m.payload)
			default:
				body, err := base64.RawURLEncoding.DecodeString(strings.Split(string(m.payload), ".")[1])
				if err != nil {
					t.Fatal(err)
				}
				w.requests = append(w.requests, string(body))
			}
		default:
			return
		}
	}
}

func (w *witness) askedFor(op string) bool {
	return slices.ContainsFunc(w.requests, func(r string) bool { return strings.Contains(r, `"op":"`+op+`"`) })
}

// open asks what needs no credentials.
func (c *caller) open(path string) (int, string) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), "GET", c.base+path, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// heads are the latest documents, but for the classes' alert sets.
func heads(t *testing.T, d *installation) (programs map[string]int64, keys int64) {
	t.Helper()
	all, err := d.store.Documents().Heads(t.Context(), wire.RoleProgram)
	if err != nil {
		t.Fatal(err)
	}
	programs = map[string]int64{}
	for _, h := range all {
		programs[h.Subject] = h.Seq
	}
	_, keys = d.keyring.Seq()
	return programs, keys
}

// A controller that starts with a wrong clock, however wrong, and has a running alert: nothing new is issued, no time
// is sent, the alert goes on, and a cancel goes out. With the right clock all is right within seconds.
func TestWrongClock(t *testing.T) {
	slow(t)
	t.Parallel()
	const day = 24 * time.Hour
	const rounds = 12 // of half a second
	data, clock := t.TempDir(), &wrongClock{}
	d := startWith(t, data, clock)
	c := newCaller(t, d)
	d.ready(t)
	configs := map[string]string{}
	for _, id := range []string{"va-001", "va-002"} {
		configs[id] = c.ownSign(id, "quang-ngai/son-tinh")
	}
	var signs []*witness
	begin := func() {
		t.Helper()
		c = newCaller(t, d)
		signs = nil
		for id, config := range configs {
			signs = append(signs, newWitness(t, d, id, config))
		}
	}
	end := func() {
		t.Helper()
		for _, w := range signs {
			w.c.Disconnect(0)
		}
		d.stop(t)
	}
	session := 0
	speak := func() {
		session++
		for _, w := range signs {
			w.says(fmt.Sprint(session))
		}
	}
	all := func(what string, ok func(w *witness) bool) {
		t.Helper()
		eventually(t, what, func() bool {
			for _, w := range signs {
				w.take(t)
				if !ok(w) {
					return false
				}
			}
			return true
		})
	}
	state := func() (s api.ClockState) {
		t.Helper()
		c.want("author", "GET", "/api/v1/clock", nil, 200, &s)
		return s
	}
	begin()
	c.approved(order("runs", time.Now().Add(2*time.Hour), nil))
	defer func() { end() }()
	for i, by := range []time.Duration{3 * time.Hour, 10 * day, -400 * day, -20_000 * day, -day, -time.Hour} {
		ends, waits := fmt.Sprint("ends-", i), fmt.Sprint("waits-", i)
		c.approved(order(ends, time.Now().Add(2*time.Hour), nil))
		c.want("author", "POST", "/api/v1/alerts", order(waits, time.Now().Add(time.Hour), nil), 201, nil)
		all("the alerts are sent", func(w *witness) bool { return w.set == ends+" runs " && w.program != "" })
		eventually(t, "nothing waits to be issued", func() bool { return d.source.Ready() == nil })
		programs, keys := heads(t, d)
		before := map[string]string{}
		for _, w := range signs {
			before[w.id] = w.program
		}
		var preview playlists.AlertPreview
		c.want("approver", "GET", "/api/v1/alerts/"+waits+"/preview", nil, 200, &preview)
		end()

		clock.off.Store(int64(by))
		d = startWith(t, data, clock)
		begin()
		if s := state(); s.Confirmed || !s.InDoubt && !s.Waits {
			t.Errorf("%v off, at once: %+v", by, s)
		}
		speak()
		eventually(t, "the clock is in doubt, by what signs say", func() bool {
			s := state()
			return s.InDoubt && strings.Contains(s.Why.EN, "signs' clocks")
		})
		if status, text := c.open("/readyz"); status != 503 || !strings.Contains(text, "clock") ||
			strings.Count(text, "\n") != 1 {
			t.Errorf("%v off: ready %d %s", by, status, text)
		}
		if _, text := c.open("/metrics"); !strings.Contains(text, "ledcast_clock_in_doubt 1") {
			t.Errorf("%v off: the metric says nothing", by)
		}
		c.want("author", "PUT", "/api/v1/owners/public/messages/5k", map[string]any{"variants": []map[string]string{
			{"lang": "vi", "body": fmt.Sprint("Nội dung số ", i)}}}, 200, nil)
		if text := c.want("approver", "POST", "/api/v1/alerts/"+waits+"/approve",
			playlists.AlertApproval{Signs: &preview.Signs, Digest: preview.Digest}, 409, nil); !strings.Contains(text,
			"clock-in-doubt") || !strings.Contains(text, "controller clock accept") {
			t.Errorf("%v off: approving says %s", by, text)
		}
		tick := time.NewTicker(500 * time.Millisecond)
		for range rounds {
			speak()
			<-tick.C
		}
		c.want("author", "POST", "/api/v1/alerts/"+ends+"/cancel", map[string]bool{}, 200, nil)
		all("the cancel goes out", func(w *witness) bool { return w.set == "runs " })
		for range 2 {
			speak()
			<-tick.C
		}
		tick.Stop()
		for _, w := range signs {
			if w.take(t); len(w.requests) > 0 || w.set != "runs " || w.program != before[w.id] {
				t.Errorf("%v off: %s was sent %q, has the alerts %q, another program %v", by, w.id, w.requests, w.set,
					w.program != before[w.id])
			}
		}
		if v := c.alert("runs"); v.State != playlists.AlertRunning {
			t.Errorf("%v off: the alert is %s (%s)", by, v.State, v.Why)
		}
		if p, k := heads(t, d); fmt.Sprint(p) != fmt.Sprint(programs) || k != keys {
			t.Errorf("%v off: issued %v, key set %d; before %v, %d", by, p, k, programs, keys)
		}
		set, err := d.store.Documents().Latest(t.Context(), wire.RoleAlerts, "128x64-rgb")
		if err != nil || set.Iat > time.Now().Unix() {
			t.Errorf("%v off: the cancel's iat is %d s ahead of the signs' clocks, %v", by, set.Iat-time.Now().Unix(), err)
		}
		end()

		clock.off.Store(0)
		d = startWith(t, data, clock)
		began := time.Now()
		begin()
		speak()
		eventually(t, "the clock is right", func() bool { return state().Confirmed })
		speak() // a status that was answered with nothing is said again
		all("signs get their time and programs", func(w *witness) bool {
			return w.askedFor("time") && w.program != before[w.id] && w.set == "runs "
		})
		eventually(t, "all is issued", func() bool { return d.source.Ready() == nil })
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("it took %v", took)
		}
		if v := c.alert("runs"); v.State != playlists.AlertRunning {
			t.Errorf("with the right clock again the alert is %s (%s)", v.State, v.Why)
		}
		c.approve(waits)
		all("the next alert is sent", func(w *witness) bool { return w.set == "runs "+waits+" " })
		c.want("author", "POST", "/api/v1/alerts/"+waits+"/cancel", map[string]bool{}, 200, nil)
	}
}

// A clock that jumps while the controller runs is doubted, and a person's word ends the doubt. It is in the log.
func TestClockAccept(t *testing.T) {
	t.Parallel()
	clock := &wrongClock{}
	d := startWith(t, t.TempDir(), clock)
	defer func() { d.stop(t) }()
	c := newCaller(t, d)
	eventually(t, "ready", func() bool { return d.source.Ready() == nil })
	var s api.ClockState
	if c.want("approver", "GET", "/api/v1/clock", nil, 200, &s); s.InDoubt || s.Waits {
		t.Errorf("a fresh installation: %+v", s)
	}
	clock.off.Store(int64(-2 * time.Hour))
	c.want("author", "GET", "/api/v1/clock", nil, 200, &s)
	if !s.InDoubt || s.Why.VI == "" {
		t.Fatalf("two hours back: %+v", s)
	}
	c.all([]ask{
		{"viet-ads", "GET", "/api/v1/clock", "", nil, 404, ""},
		{"viet-ads", "POST", "/api/v1/clock/accept", "", nil, 404, ""},
		{"approver", "POST", "/api/v1/clock/accept", "", nil, 403, ""},
	})
	if c.want("author", "POST", "/api/v1/clock/accept", nil, 200, &s); s.InDoubt || !s.Confirmed {
		t.Errorf("after a person's word: %+v", s)
	}
	if text := c.want("admin", "GET", "/api/v1/audit?before=9007199254740992&limit=1", nil, 200,
		nil); !strings.Contains(text, `"kind":"clock"`) || !strings.Contains(text, "author") {
		t.Errorf("the log says %s", text)
	}
	eventually(t, "ready again", func() bool { return d.source.Ready() == nil })
	c.approved(order("now", time.Now().Add(time.Hour), nil))

	// The rows of before are no witnesses at the next start.
	d.stop(t)
	d = startWith(t, d.data, clock)
	c = newCaller(t, d)
	if c.want("author", "GET", "/api/v1/clock", nil, 200, &s); s.InDoubt && strings.Contains(s.Why.EN, "entry") {
		t.Errorf("after a restart: %+v", s)
	}
}
