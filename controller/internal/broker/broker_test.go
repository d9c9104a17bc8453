package broker

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/mochi-mqtt/server/v2/packets"

	"ledcast/playlists"
)

func TestAddressInUse(t *testing.T) {
	h := start(t)
	_, err := Start(Options{Listen: h.Addr().String(), Accounts: h.book, ControllerPassword: "x"})
	var e *playlists.Error
	if !errors.As(err, &e) || e.Code != playlists.Conflict {
		t.Fatalf("got %v, want a Conflict", err)
	}
	for _, want := range []string{h.Addr().String(), "in use", "--mqtt-listen"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

func TestStartRefuses(t *testing.T) {
	accounts := &book{}
	for name, o := range map[string]Options{
		"no accounts":  {Listen: "127.0.0.1:0", ControllerPassword: "x"},
		"no password":  {Listen: "127.0.0.1:0", Accounts: accounts},
		"no port":      {Listen: "127.0.0.1", Accounts: accounts, ControllerPassword: "x"},
		"not this one": {Listen: "203.0.113.7:1883", Accounts: accounts, ControllerPassword: "x"},
	} {
		b, err := Start(o)
		if err == nil {
			t.Errorf("%s: started", name)
			_ = b.Stop(t.Context())
		}
	}
}

// TestStop: the port is free at once, connections are closed, and what holds one
// up is named by the context.
func TestStop(t *testing.T) {
	h := start(t)
	sign := h.in(as("qn-001"))
	waiting, err := net.Dial("tcp", h.Addr().String()) // never says who it is
	if err != nil {
		t.Fatal(err)
	}
	defer waiting.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := h.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	sign.ended()
	if err := h.Stop(ctx); err != nil {
		t.Errorf("the second stop: %v", err)
	}
	if got := h.Connected(); len(got) != 0 {
		t.Errorf("connected after stop: %v", got)
	}
	again, err := Start(Options{Listen: h.Addr().String(), Accounts: h.book, ControllerPassword: "x"})
	if err != nil {
		t.Fatalf("the address is not free: %v", err)
	}
	if err := again.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func TestStopGivesUp(t *testing.T) {
	held, release := make(chan struct{}), make(chan struct{})
	h := start(t, func(o *Options) {
		o.Dropped = func(string, string) { close(held); <-release }
	})
	h.in(as("qn-001")).send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish},
		TopicName: "led/v1/keys"})
	<-held
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.Stop(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
	close(release) // the cleanup's Stop must now come to an end
}

// failing fails once, as a listener does when files run out.
type failing struct {
	net.Listener
	failed bool
}

func (f *failing) Accept() (net.Conn, error) {
	if !f.failed {
		f.failed = true
		return nil, errors.New("too many open files")
	}
	return f.Listener.Accept()
}

func TestAcceptGoesOn(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := start(t, func(o *Options) { o.Listener = &failing{Listener: l} })
	h.in(as("qn-001"))
}

// TestCapabilities holds the settings that were measured and that no short test
// can see the effect of.
func TestCapabilities(t *testing.T) {
	c := capabilities()
	if c.MaximumMessageExpiryInterval != 0 {
		t.Errorf("retained messages vanish after %d s", c.MaximumMessageExpiryInterval)
	}
	if c.MaximumClientWritesPending != 128 || c.MaximumInflight != 256 {
		t.Errorf("%d writes pending and %d in flight: at 10,000 clients that is memory", c.MaximumClientWritesPending,
			c.MaximumInflight)
	}
}

// TestLog: what strangers send, and passwords, stay out of the log.
func TestLog(t *testing.T) {
	var log bytes.Buffer // handlers write one at a time
	h := start(t, func(o *Options) {
		o.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	h.connect(connecting{user: "qn-001", pass: "private-password", id: "qn-001"}).ended()
	c := as("qn-001")
	c.v = 5
	sign := h.in(c)
	sign.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish}, TopicName: status("qn-001"),
		Payload:    []byte("private-payload"),
		Properties: packets.Properties{TopicAlias: 1, TopicAliasFlag: true}})
	sign.ended()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := h.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"MQTT connection refused", "wrong password", "topic alias invalid"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say %q:\n%s", want, log.String())
		}
	}
	for _, private := range []string{"private-", base64.StdEncoding.EncodeToString([]byte("private-payload")),
		password("qn-001"), "mochi"} {
		if strings.Contains(log.String(), private) {
			t.Errorf("the log says %q:\n%s", private, log.String())
		}
	}
}

// TestTLS: with a certificate nothing is said in the open.
func TestTLS(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	h := start(t, func(o *Options) {
		o.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	})
	conn, err := tls.Dial("tcp", h.Addr().String(), &tls.Config{RootCAs: pool})
	if err != nil {
		t.Fatal(err)
	}
	sign := connectOver(t, conn, as("qn-001"))
	if sign.code != 0 {
		t.Fatalf("refused with %#x", sign.code)
	}
	sign.subscribed("led/v1/keys")
	open, err := net.Dial("tcp", h.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	plain := connectOver(t, open, as("qn-002"))
	if plain.code == 0 {
		t.Error("a connection in the open was let in")
	}
	h.Disconnect("qn-001")
	sign.ended()
}

// TestPaho: the client that signs use. What is refused it must not send again
// for ever, so it stays connected.
func TestPaho(t *testing.T) {
	h := start(t)
	ctl := h.controller()
	lost := make(chan error, 1)
	got := make(chan paho.Message, 10)
	c := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://"+h.Addr().String()).SetClientID("qn-001").SetUsername(
		"qn-001").
		SetPassword(password("qn-001")).SetBinaryWill(status("qn-001"), []byte("offline"), 1, true).SetAutoReconnect(false).
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) { got <- m }).
		SetConnectionLostHandler(func(_ paho.Client, err error) { lost <- err }))
	wait := func(what string, token paho.Token) error {
		t.Helper()
		if !token.WaitTimeout(patience) {
			t.Fatalf("%s: no answer", what)
		}
		return token.Error()
	}
	if err := wait("connect", c.Connect()); err != nil {
		t.Fatal(err)
	}
	defer c.Disconnect(0)
	if err := wait("subscribe", c.Subscribe("led/v1/keys", 1, nil)); err != nil {
		t.Error(err)
	}
	const elsewhere = "led/v1/signs/qn-002/program" // for which paho has no error, only a result
	refused := c.Subscribe(elsewhere, 1, nil)
	if err := wait("subscribe elsewhere", refused); err != nil ||
		refused.(*paho.SubscribeToken).Result()[elsewhere] != 0x80 {
		t.Errorf("another's program: %v, %v", err, refused.(*paho.SubscribeToken).Result())
	}
	for _, m := range []struct{ topic, payload string }{{"led/v1/keys", "mine"},
		{status("qn-001"), strings.Repeat("x", 5000)}, {status("qn-001"), "online"}} {
		if err := wait(m.topic, c.Publish(m.topic, 1, true, m.payload)); err != nil {
			t.Errorf("%s: %v", m.topic, err)
		}
	}
	ctl.gets(status("qn-001"), "online")
	ctl.publish("led/v1/keys", []byte("keys"), true)
	select {
	case m := <-got:
		if m.Topic() != "led/v1/keys" || string(m.Payload()) != "keys" {
			t.Errorf("got %q on %s", m.Payload(), m.Topic())
		}
	case <-time.After(patience):
		t.Error("paho got nothing")
	}
	select {
	case err := <-lost:
		t.Errorf("paho lost its connection: %v", err)
	default:
	}
	h.Disconnect("qn-001")
	ctl.gets(status("qn-001"), "offline")
	select {
	case <-lost:
	case <-time.After(patience):
		t.Error("paho was not disconnected")
	}
}
