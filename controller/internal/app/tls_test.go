package app_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ledcast/controller/internal/app"
	"ledcast/controller/internal/demo"
	"ledcast/controller/internal/enrol"
	"ledcast/playlists"
	"ledcast/playlists/timeline"
)

// selfSigned writes a certificate for 127.0.0.1 and its key, as an operator
// without a public name makes one.
func selfSigned(t *testing.T, dir string, serial int64) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "ledcast test"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeFile(t, cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	writeFile(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	return cert, key
}

// A controller with a certificate: HTTPS, MQTTS, a sign that trusts what its
// config file says, and a renewed certificate without a restart.
func TestTLS(t *testing.T) {
	slow(t)
	t.Parallel()
	dir := t.TempDir()
	cert, key := selfSigned(t, dir, 1)
	a, err := app.New(t.Context(), app.Options{Data: t.TempDir(), Listen: "127.0.0.1:0",
		MQTTListen: "127.0.0.1:0", TLSCert: cert, TLSKey: key})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Stop(); err != nil {
			t.Error(err)
		}
	}()
	if !strings.HasPrefix(a.URL(), "https://") || !strings.HasPrefix(a.BrokerAddr(), "mqtts://") {
		t.Fatal(a.URL(), a.BrokerAddr())
	}
	pool := func() *x509.CertPool {
		text, err := os.ReadFile(cert)
		if err != nil {
			t.Fatal(err)
		}
		p := x509.NewCertPool()
		p.AppendCertsFromPEM(text)
		return p
	}
	get := func() error {
		c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool()}, DisableKeepAlives: true}}
		res, err := c.Get(a.URL() + "/healthz")
		if err == nil {
			_ = res.Body.Close() // only that it came
		}
		return err
	}
	if err := get(); err != nil {
		t.Fatal(err)
	}
	if _, err := http.Get(strings.Replace(a.URL(), "https", "http", 1) + "/healthz"); err == nil {
		if res, _ := http.Get(strings.Replace(a.URL(), "https", "http", 1) + "/healthz"); res != nil &&
			res.StatusCode == 200 {
			t.Error("it answers without encryption, too")
		}
	}
	if err := a.Seed(t.Context(), demo.Things()); err != nil {
		t.Fatal(err)
	}
	a.FilesWritten()
	a.Kick()
	eventually(t, "ready over MQTTS", func() bool { return app.PartsOf(a).Source.Ready() == nil })
	conf, err := a.Fleet().NewConfig(t.Context(), enrol.Console, "demo-128x64")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(conf), "BEGIN CERTIFICATE") {
		t.Error("the sign is not told the authority")
	}
	path := filepath.Join(t.TempDir(), "sign.json")
	writeFile(t, path, string(conf))
	sign := attach(t, path, t.TempDir(), t.TempDir())
	eventually(t, "it plays", func() bool { return sign.last(t).Why == timeline.WhyProgram })
	sign.stop(t)
	// Renewed in place. Files of one second ago would look alike on some disks.
	selfSigned(t, dir, 2)
	later := time.Now().Add(time.Minute)
	for _, f := range []string{cert, key} {
		if err := os.Chtimes(f, later, later); err != nil {
			t.Fatal(err)
		}
	}
	if err := get(); err != nil {
		t.Errorf("with the renewed certificate: %v", err)
	}
}

// Other machines are not spoken to in the clear by accident.
func TestAddresses(t *testing.T) {
	t.Parallel()
	cert, key := selfSigned(t, t.TempDir(), 1)
	for what, c := range map[string]struct {
		o    app.Options
		says string // "" is allowed
	}{
		"loopback":                 {app.Options{Listen: "127.0.0.1:0", MQTTListen: "localhost:0"}, ""},
		"pages":                    {app.Options{Listen: "0.0.0.0:0", MQTTListen: "127.0.0.1:0"}, "--listen"},
		"broker":                   {app.Options{Listen: "127.0.0.1:0", MQTTListen: ":0"}, "--mqtt-listen"},
		"with a certificate":       {app.Options{Listen: "0.0.0.0:0", MQTTListen: ":0", TLSCert: cert, TLSKey: key}, ""},
		"insecure":                 {app.Options{Listen: "0.0.0.0:0", MQTTListen: ":0", Insecure: true}, ""},
		"outside, in the clear":    {app.Options{Listen: "127.0.0.1:0", Broker: "mqtt://u:secret@10.1.2.3:1883"}, "--broker"},
		"outside, encrypted":       {app.Options{Listen: "127.0.0.1:0", Broker: "mqtts://u:secret@10.1.2.3:8883"}, ""},
		"outside, another scheme":  {app.Options{Listen: "127.0.0.1:0", Broker: "http://u:secret@10.1.2.3"}, "--broker"},
		"half a certificate":       {app.Options{Listen: "127.0.0.1:0", TLSCert: cert}, "--tls-cert"},
		"no certificate":           {app.Options{Listen: "127.0.0.1:0", TLSCert: key, TLSKey: key}, "--tls-cert"},
		"advertised as a web page": {app.Options{Listen: "127.0.0.1:0", Advertise: "https://x"}, "--mqtt-advertise"},
	} {
		err := app.CheckAddresses(c.o)
		switch e, _ := err.(*playlists.Error); {
		case c.says == "" && err != nil:
			t.Errorf("%s: %v", what, err)
		case c.says != "" && (e == nil || !strings.Contains(e.Field, c.says) || strings.Contains(e.Error(), "secret")):
			t.Errorf("%s: %v", what, err)
		}
	}
}
