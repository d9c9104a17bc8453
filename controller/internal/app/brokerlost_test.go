package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ledcast/controller/internal/api"
	"ledcast/controller/internal/app"
	"ledcast/controller/internal/datadir"
	"ledcast/controller/internal/demo"
	"ledcast/playlists/timeline"
	"ledcast/sign/box"
	"ledcast/sign/link"
	"ledcast/sign/wire"
)

// noticed is how soon a broker that is gone must be known to be.
const noticed = 15 * time.Second

// book is a log that tests read.
type book struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *book) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// with counts the lines that hold all of some words.
func (b *book) with(words ...string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
lines:
	for _, line := range strings.Split(b.buf.String(), "\n") {
		for _, w := range words {
			if !strings.Contains(line, w) {
				continue lines
			}
		}
		n++
	}
	return n
}

func (b *book) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// outage is a controller at an outside broker that a test ends, stops and starts.
type outage struct {
	t      *testing.T
	addr   string
	config string
	broker *exec.Cmd
	a      *app.App
	log    *book
}

func newOutage(t *testing.T, config string) *outage {
	t.Helper()
	o := &outage{t: t, addr: freeAddr(t), log: &book{}}
	_, port, _ := net.SplitHostPort(o.addr)
	o.config = fmt.Sprintf("listener %s 127.0.0.1\n%s", port, config)
	o.run()
	var err error
	o.a, err = app.New(t.Context(), app.Options{Data: t.TempDir(), Listen: "127.0.0.1:0", Broker: "mqtt://" + o.addr,
		Guest: demo.Guest(),
		Log:   slog.New(slog.NewTextHandler(o.log, &slog.HandlerOptions{Level: slog.LevelInfo}))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.a.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err := o.a.Seed(t.Context(), demo.Things()); err != nil {
		t.Fatal(err)
	}
	o.a.FilesWritten()
	o.a.Kick()
	return o
}

// run starts the broker, with nothing retained.
func (o *outage) run() { o.t.Helper(); o.broker = runMosquitto(o.t, o.addr, o.config) }

func (o *outage) kill() { _ = o.broker.Process.Kill(); _ = o.broker.Wait() }

func (o *outage) signal(s syscall.Signal) {
	o.t.Helper()
	if err := o.broker.Process.Signal(s); err != nil {
		o.t.Fatal(err)
	}
}

func (o *outage) get(path string) (int, string) {
	o.t.Helper()
	resp, err := http.Get("http://" + o.a.Addr() + path)
	if err != nil {
		o.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func (o *outage) ready() bool { status, _ := o.get("/readyz"); return status == 200 }

// sign attaches a sign on a disk of its own.
func (o *outage) sign(id, dir string) *attached {
	o.t.Helper()
	root, spare := app.PartsOf(o.a).Keyring.Roots()
	path := filepath.Join(o.t.TempDir(), "sign.json")
	if err := datadir.WriteJSON(path, box.Config{Sign: id, Class: "128x64-rgb", Areas: []string{"quang-ngai/x"},
		Broker: "mqtt://" + o.addr, Username: id, Password: "any", Root: wire.EncodeKey(root),
		RootSpare: wire.EncodeKey(spare)}); err != nil {
		o.t.Fatal(err)
	}
	return attach(o.t, path, dir, o.t.TempDir())
}

func (o *outage) state(id string) string {
	o.t.Helper()
	_, text := o.get("/api/v1/signs/" + id)
	var v api.SignView
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		o.t.Fatal(text)
	}
	return v.State
}

// gone expects that an outage is known in time, everywhere and with its reason, and said once.
func (o *outage) gone(why string, began time.Time) {
	o.t.Helper()
	eventually(o.t, "not ready", func() bool { return !o.ready() })
	if took := time.Since(began); took > noticed {
		o.t.Errorf("noticed after %v", took)
	}
	eventually(o.t, "the reason", func() bool { _, text := o.get("/readyz"); return strings.Contains(text, why) })
	if s := o.state("demo-128x64"); s != "unknown" {
		o.t.Errorf("the sign is %q without a broker", s)
	}
	if _, text := o.get("/metrics"); !strings.Contains(text, "\nledcast_broker_connected 0\n") ||
		!strings.Contains(text, "\nledcast_ready 0\n") || !strings.Contains(text, "\nledcast_signs_online 0\n") {
		o.t.Error("the metrics do not say that there is no broker")
	}
	if n := o.log.with("level=WARN", "not connected to the broker", why); n != 1 {
		o.t.Errorf("said %d times:\n%s", n, o.log)
	}
}

func (o *outage) back(times int) {
	o.t.Helper()
	eventually(o.t, "ready again", o.ready)
	eventually(o.t, "the sign is online again", func() bool { return o.state("demo-128x64") == "online" })
	if _, text := o.get("/metrics"); !strings.Contains(text, "\nledcast_broker_connected 1\n") {
		o.t.Error("the metrics do not say that the broker is back")
	}
	if n := o.log.with("level=WARN", "connected to the broker again"); n != times {
		o.t.Errorf("the return was said %d times:\n%s", n, o.log)
	}
}

// history is the states of the sign's health, in order.
func (o *outage) history() string {
	o.t.Helper()
	_, text := o.get("/api/v1/signs/demo-128x64/health")
	var h api.HealthHistory
	if err := json.Unmarshal([]byte(text), &h); err != nil {
		o.t.Fatal(text)
	}
	var out []string
	for _, s := range h.Spans {
		if len(out) == 0 || out[len(out)-1] != s.State { // at first its clock is not trusted yet
			out = append(out, s.State)
		}
	}
	return strings.Join(out, " ")
}

const anybody = "allow_anonymous true\nset_tcp_nodelay true\n"

// A broker that dies, and one that hangs, is noticed within 15 s, with the reason; signs are unknown meanwhile, in the
// history of their health too; what it lost is there again when it is back (A2).
func TestBrokerThatDiesAndHangs(t *testing.T) {
	slow(t)
	t.Parallel()
	o := newOutage(t, anybody)
	eventually(t, "ready", o.ready)
	sign := o.sign("demo-128x64", t.TempDir())
	eventually(t, "online", func() bool { return o.state("demo-128x64") == "online" })
	eventually(t, "in the history", func() bool { return o.history() == "unknown online" })
	if n := o.log.with("level=WARN"); n > 0 {
		t.Errorf("a normal start warns:\n%s", o.log)
	}
	eventually(t, "said online", func() bool { return o.log.with("sign online", "demo-128x64") == 1 })

	began := time.Now()
	o.kill()
	o.gone("connection refused", began)
	eventually(t, "the history knows", func() bool { return o.history() == "unknown online unknown" })
	o.run()
	o.back(1)
	eventually(t, "the history goes on", func() bool { return o.history() == "unknown online unknown online" })

	began = time.Now()
	o.signal(syscall.SIGSTOP)
	o.gone("no answer to a ping", began)
	o.signal(syscall.SIGCONT)
	o.back(2)
	eventually(t, "the history again", func() bool {
		return o.history() == "unknown online unknown online unknown online"
	})
	if n := o.log.with("level="); n > 30 {
		t.Errorf("%d lines:\n%s", n, o.log)
	}
	sign.stop(t)
}

// What a broker forgets while all connections stand is put back, for a sign on a new disk (B7).
func TestBrokerThatForgets(t *testing.T) {
	slow(t)
	t.Parallel()
	o := newOutage(t, anybody)
	eventually(t, "ready", o.ready)
	first := o.sign("demo-128x64", t.TempDir())
	eventually(t, "it plays", func() bool { return first.last(t).Why == timeline.WhyProgram })
	first.stop(t)
	up := make(chan link.Conn, 1)
	l, err := link.New(link.Options{Broker: "mqtt://" + o.addr, ClientID: "eraser",
		Up: func(c link.Conn) { up <- c }})
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = l.Run(t.Context()) }()
	c := <-up
	for _, topic := range []string{wire.TopicKeys, wire.SignTopic("demo-128x64", wire.LeafProgram)} {
		if err := c.Publish(t.Context(), link.Message{Topic: topic, QoS: 1, Retained: true}); err != nil {
			t.Fatal(err)
		}
	}
	second := o.sign("demo-128x64", t.TempDir())
	eventually(t, "a new disk gets its program", func() bool { return second.last(t).Why == timeline.WhyProgram })
	second.stop(t)
}

// A broker that refuses the controller's login is named as such, once.
func TestBrokerThatRefuses(t *testing.T) {
	slow(t)
	t.Parallel()
	o := newOutage(t, "allow_anonymous false\n")
	eventually(t, "said", func() bool { return o.log.with("level=WARN", "not connected", "not Authorized") == 1 })
	o.gone("not Authorized", time.Now())
	if n := o.log.with("level=WARN"); n != 1 {
		t.Errorf("%d warnings:\n%s", n, o.log)
	}
}

// The embedded broker counts by the controller's own connection to it.
func TestTheEmbeddedBrokersLinkCounts(t *testing.T) {
	t.Parallel()
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	eventually(t, "ready", func() bool { return d.source.Ready() == nil })
	eventually(t, "online", func() bool { return d.source.Heard("demo-64x32").Online })
	if err := app.PartsOf(d.App).Broker.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "not ready", func() bool {
		err := d.source.Ready()
		return err != nil && strings.Contains(err.Error(), "not connected to the broker: connection refused")
	})
	if h := d.source.Heard("demo-64x32"); h.Online || !h.Unknown {
		t.Errorf("a sign without a broker: online %v, unknown %v", h.Online, h.Unknown)
	}
}
