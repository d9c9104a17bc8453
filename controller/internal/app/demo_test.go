package app_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image/png"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"ledcast/controller/internal/alert"
	"ledcast/controller/internal/api"
	"ledcast/controller/internal/app"
	"ledcast/controller/internal/artwork"
	"ledcast/controller/internal/auth"
	"ledcast/controller/internal/catalogue"
	"ledcast/controller/internal/demo"
	"ledcast/controller/internal/enrol"
	"ledcast/controller/internal/listen"
	"ledcast/controller/internal/publish"
	"ledcast/controller/internal/store"
	"ledcast/controller/internal/store/postgres/pgtest"
	"ledcast/sign/link"
)

// patience is how long a test waits for what should take milliseconds: the
// machines that run tests are slow at times.
const patience = 2 * time.Minute

// demo is a whole installation on free ports.
type installation struct {
	*app.App
	d    *demo.Demo
	data string

	store     store.Store
	things    *catalogue.Writer
	keyring   *publish.Keyring
	accounts  *enrol.Accounts
	publisher *publish.Publisher
	alerts    *alert.Service
	listener  *listen.Listener
	auth      *auth.Service
	api       *api.Server
	source    api.Source
	media     *catalogue.Media
	uploads   *artwork.Uploads
	link      *link.Link
	now       func() time.Time
}

// inside is an installation with what tests look at.
func inside(a *app.App, d *demo.Demo, data string) *installation {
	p := app.PartsOf(a)
	return &installation{App: a, d: d, data: data, store: p.Store, things: p.Things, keyring: p.Keyring,
		accounts:  p.Accounts,
		publisher: p.Publisher, alerts: p.Alerts, listener: p.Listener, auth: p.Auth, api: p.API, source: p.Source,
		media:   p.Media,
		uploads: p.Uploads, link: p.Link, now: p.Now}
}

func startDemo(t *testing.T, data string) *installation {
	t.Helper()
	a, err := app.New(t.Context(), app.Options{Data: data, Database: database(t, data),
		Listen: "127.0.0.1:0", MQTTListen: "127.0.0.1:0", Software: "test",
		Guest: demo.Guest(), Demo: true, BuiltIn: demo.People()})
	if err != nil {
		t.Fatal(err)
	}
	d, err := demo.Start(t.Context(), a, demo.Options{Data: data, Software: "test", Now: time.Now,
		Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		_ = a.Stop()
		t.Fatal(err)
	}
	return inside(a, d, data)
}

// onPostgres runs the tests of the API on PostgreSQL in place of SQLite. It is
// asked within tests: of what is read before them the cache of results knows
// nothing, and would answer with a run on SQLite.
func onPostgres() bool { return os.Getenv("LEDCAST_TEST_DATABASE") == "postgres" }

var databases sync.Map // data folder → address

// database is that of a data folder: the same one at each start on it.
func database(t *testing.T, data string) string {
	t.Helper()
	if !onPostgres() {
		return ""
	}
	dsn, there := databases.Load(data)
	if !there {
		dsn, _ = databases.LoadOrStore(data, pgtest.Database(t))
	}
	return dsn.(string)
}

func (d *installation) stop(t *testing.T) {
	t.Helper()
	d.d.Stop()
	if err := d.Stop(); err != nil {
		t.Error(err)
	}
}

// eventually asks until ok; what names what did not happen.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); time.Now().Before(end); <-tick.C {
		if ok() {
			return
		}
	}
	t.Fatalf("%s: not within %v", what, patience)
}

// signFile is the part of a sign's config file that an outside client uses.
type signFile struct {
	Sign, Class, Mode, Broker, Username, Password, Root string
	RootSpare                                           string `json:"root_spare"`
}

func readSign(t *testing.T, data, sign string) signFile {
	t.Helper()
	path := filepath.Join(data, "signs", sign+".json")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("%s has mode %v", path, info.Mode())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var f signFile
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

type received struct {
	topic    string
	payload  []byte
	retained bool
	at       time.Time
}

// outside is a client that knows nothing of our packages.
func outside(t *testing.T, f signFile, topics ...string) (<-chan received, mqtt.Client) {
	t.Helper()
	ch := make(chan received, 1000)
	o := mqtt.NewClientOptions().AddBroker(strings.Replace(f.Broker, "mqtt://", "tcp://", 1)).
		SetClientID(f.Sign).SetUsername(f.Username).SetPassword(f.Password).SetAutoReconnect(false)
	o.SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) {
		ch <- received{m.Topic(), bytes.Clone(m.Payload()), m.Retained(), time.Now()}
	})
	c := mqtt.NewClient(o)
	if tok := c.Connect(); !tok.WaitTimeout(patience) || tok.Error() != nil {
		t.Fatalf("connect as %s: %v", f.Sign, tok.Error())
	}
	t.Cleanup(func() { c.Disconnect(0) })
	for _, topic := range topics {
		if tok := c.Subscribe(topic, 0, nil); !tok.WaitTimeout(patience) || tok.Error() != nil {
			t.Fatalf("subscribe %s: %v", topic, tok.Error())
		}
	}
	return ch, c
}

func next(t *testing.T, ch <-chan received, topic string) received {
	t.Helper()
	end := time.After(patience)
	for {
		select {
		case m := <-ch:
			if m.topic == topic {
				return m
			}
		case <-end:
			t.Fatalf("nothing came on %s within %v", topic, patience)
		}
	}
}

// checkJWS verifies a compact JWS by docs/protocol.md alone and returns its payload.
func checkJWS(t *testing.T, doc []byte, typ string, pub ed25519.PublicKey) map[string]any {
	t.Helper()
	parts := strings.Split(string(doc), ".")
	if len(parts) != 3 {
		t.Fatalf("%d parts", len(parts))
	}
	dec := func(s string) []byte {
		b, err := base64.RawURLEncoding.Strict().DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	kid := sha256.Sum256(pub)
	want := fmt.Sprintf(`{"alg":"Ed25519","kid":"%s","typ":"%s"}`, hex.EncodeToString(kid[:8]), typ)
	if got := string(dec(parts[0])); got != want {
		t.Fatalf("header %s, want %s", got, want)
	}
	if !ed25519.Verify(pub, []byte(parts[0]+"."+parts[1]), dec(parts[2])) {
		t.Fatal("the signature does not hold")
	}
	var v map[string]any
	if err := json.Unmarshal(dec(parts[1]), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func num(v any) int64 { return int64(v.(float64)) }

func key(t *testing.T, s string) ed25519.PublicKey {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) != 32 {
		t.Fatalf("%q is no key: %v", s, err)
	}
	return b
}

// A client written from docs/protocol.md alone checks everything that a sign receives.
func TestOutsideClientChecksEverything(t *testing.T) {
	t.Parallel()
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	eventually(t, "ready", func() bool { return d.source.Ready() == nil })
	f := readSign(t, d.data, "demo-128x64")
	programTopic := "led/v1/signs/demo-128x64/program"
	ch, c := outside(t, f, "led/v1/keys", programTopic)
	keys := next(t, ch, "led/v1/keys")
	if !keys.retained {
		t.Error("the key set is not retained")
	}
	set := checkJWS(t, keys.payload, "ledcast-keys", key(t, f.Root))
	var signer ed25519.PublicKey
	for _, k := range set["keys"].([]any) {
		if k := k.(map[string]any); k["role"] == "program" {
			signer = key(t, k["x"].(string))
		}
	}
	p := checkJWS(t, next(t, ch, programTopic).payload, "ledcast-program", signer)
	if p["sign"] != "demo-128x64" || p["class"] != "128x64-rgb" || num(p["epoch"]) != num(set["epoch"]) ||
		num(p["nbf"]) != num(p["iat"])-600 {
		t.Errorf("program for %v, class %v, epoch %v of %v", p["sign"], p["class"], p["epoch"], set["epoch"])
	}
	week := time.Now().Add(7 * 24 * time.Hour).Unix()
	if num(p["exp"]) < week {
		t.Errorf("the program ends at %d, before the week is over", num(p["exp"]))
	}
	covered := time.Now().Unix()
	for _, s := range p["segments"].([]any) {
		if s := s.(map[string]any); num(s["from"]) <= covered {
			covered = max(covered, num(s["until"]))
		}
	}
	if covered < week {
		t.Errorf("segments cover until %d, before the week is over", covered)
	}
	frames := p["frames"].([]any)
	if len(frames) < 10 {
		t.Errorf("%d frames", len(frames))
	}
	for _, x := range frames {
		fr := x.(map[string]any)
		topic := fmt.Sprintf("led/v1/frames/%s/%s", fr["owner"], fr["sha256"])
		if tok := c.Subscribe(topic, 0, nil); !tok.WaitTimeout(patience) || tok.Error() != nil {
			t.Fatal(tok.Error())
		}
		m := next(t, ch, topic)
		sum := sha256.Sum256(m.payload)
		if hex.EncodeToString(sum[:]) != fr["sha256"] || int64(len(m.payload)) != num(fr["len"]) {
			t.Errorf("frame %s: other bytes, or %d of them instead of %d", topic, len(m.payload), num(fr["len"]))
		}
		conf, err := png.DecodeConfig(bytes.NewReader(m.payload))
		if err != nil || int64(conf.Width) != num(fr["w"]) || int64(conf.Height) != num(fr["h"]) {
			t.Errorf("frame %s: %dx%d, %v", topic, conf.Width, conf.Height, err)
		}
	}
}

// A picture sign gets the picture at once, and then what the program sign of its class shows. That each picture leaves
// exactly at a change, publish's own test holds with a clock of its own.
func TestPictureSignIsInStep(t *testing.T) {
	slow(t)
	t.Parallel()
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	eventually(t, "ready", func() bool { return d.source.Ready() == nil })
	plan := d.publisher.Plan("demo-128x64").Program
	topic := "led/v1/signs/demo-picture/frame"
	eventually(t, "a picture", func() bool { return d.source.Heard("demo-picture").Frame != "" })
	ch, _ := outside(t, readSign(t, d.data, "demo-picture"), topic)
	first := next(t, ch, topic)
	if conf, err := png.DecodeConfig(bytes.NewReader(first.payload)); err != nil || conf.Width != 128 ||
		conf.Height != 64 {
		t.Fatalf("a picture of %dx%d, %v", conf.Width, conf.Height, err)
	}
	if !first.retained {
		t.Error("the first picture was not retained")
	}
	m := next(t, ch, topic)
	for bytes.Equal(m.payload, first.payload) {
		m = next(t, ch, topic)
	}
	// Others use this machine too: it may be late, and is then what the other sign showed a moment ago.
	sum := sha256.Sum256(m.payload)
	sha := hex.EncodeToString(sum[:])
	shown := at128(plan, m.at.UnixMilli())
	t.Logf("the picture came %d ms after a change", shown.TauMS)
	for ago := int64(0); shown.Frame.SHA256 != sha; ago += 100 {
		if ago > 20_000 {
			t.Fatal("the picture is not what the other sign of its class shows")
		}
		shown = at128(plan, m.at.UnixMilli()-ago)
	}
}

func TestStartsAgainOnTheSameFolder(t *testing.T) {
	slow(t)
	t.Parallel()
	data := t.TempDir()
	d := startDemo(t, data)
	eventually(t, "ready", func() bool { return d.source.Ready() == nil })
	before := d.publisher.Plan("demo-128x64").Program.Seq
	file := readSign(t, data, "demo-128x64")
	c := newCaller(t, d)
	c.all([]ask{{"viet-ads", "PUT", "/api/v1/signs/va-101",
		`{"owner":"viet-ads","class":"64x32-red","areas":["quang-ngai"]}`, nil, 201, ""},
		{"viet-ads", "POST", "/api/v1/signs/va-101/credentials", "", nil, 200, "password"}})
	own, _ := d.accounts.Account("va-101")
	d.stop(t)
	d = startDemo(t, data)
	defer d.stop(t)
	eventually(t, "ready again", func() bool { return d.source.Ready() == nil })
	if after := d.publisher.Plan("demo-128x64").Program.Seq; after != before {
		t.Errorf("an unchanged program was issued again: seq %d after %d", after, before)
	}
	again := readSign(t, data, "demo-128x64")
	if again.Password != file.Password || again.Root != file.Root {
		t.Error("the sign's password or root changed: a sign that somebody attached would be locked out")
	}
	if after, _ := d.accounts.Account("va-101"); after != own {
		t.Error("a sign that a company added has another password")
	}
	if _, err := os.Stat(filepath.Join(data, "signs", "va-101.json")); err == nil {
		t.Error("the demo plays a sign that a company added")
	}
}

func TestPortInUse(t *testing.T) {
	t.Parallel()
	d := startDemo(t, t.TempDir())
	defer d.stop(t)
	for _, o := range []app.Options{
		{Listen: d.Addr(), MQTTListen: "127.0.0.1:0"},
		{Listen: "127.0.0.1:0", MQTTListen: strings.TrimPrefix(d.BrokerAddr(), "mqtt://")},
	} {
		o.Data = t.TempDir()
		_, err := app.New(context.Background(), o)
		if err == nil {
			t.Fatal("started on a port in use")
		}
		msg := err.Error()
		if !strings.Contains(msg, "address already in use") || !strings.Contains(msg, "choose another address with --") ||
			strings.Contains(msg, "\n") {
			t.Errorf("the error says %q", msg)
		}
	}
	if _, err := app.New(context.Background(), app.Options{Data: t.TempDir(), Listen: "0.0.0.0:0",
		MQTTListen: "127.0.0.1:0"}); err == nil || !strings.Contains(err.Error(), "--insecure") {
		t.Errorf("any address without a certificate: %v", err)
	}
}
