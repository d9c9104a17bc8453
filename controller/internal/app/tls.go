package app

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"sync"
	"time"

	"ledcast/playlists"
)

// certificate is the one of pages and broker, read again when its files change:
// a renewal needs no restart.
type certificate struct {
	certFile, keyFile string
	ca                string // PEM of the authority that signs have to know; "" where the system's do

	mu    sync.Mutex
	now   *tls.Certificate
	stamp time.Time // of the newer file
}

// readCertificate reads PEM files; without any it is empty. Its error names the
// flag, for a controller that cannot encrypt must not start.
func readCertificate(certFile, keyFile string) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile}
	if certFile == "" && keyFile == "" {
		return c, nil
	}
	if certFile == "" || keyFile == "" {
		return nil, &playlists.Error{Code: playlists.Invalid, Field: "--tls-cert, --tls-key",
			Key: "certificate-or-key-missing"}
	}
	if err := c.read(); err != nil {
		return nil, &playlists.Error{Code: playlists.Invalid, Field: "--tls-cert, --tls-key",
			Value: certFile + ", " + keyFile,
			Key:   "certificate-unusable", Args: []any{err}}
	}
	c.ca = c.authority()
	return c, nil
}

func (c *certificate) given() bool { return c.certFile != "" }

func (c *certificate) read() error {
	stamp, err := c.changed()
	if err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return err
	}
	c.now, c.stamp = &pair, stamp
	return nil
}

func (c *certificate) changed() (time.Time, error) {
	var newest time.Time
	for _, name := range []string{c.certFile, c.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return newest, err
		}
		if info.ModTime().After(newest) {
			newest = info.ModTime()
		}
	}
	return newest, nil
}

// get is the present certificate. Files that cannot be read, or do not fit each
// other yet, leave the last one in use.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if stamp, err := c.changed(); err == nil && !stamp.Equal(c.stamp) {
		_ = c.read()
	}
	return c.now, nil
}

// config is for a server; nil without a certificate.
func (c *certificate) config() *tls.Config {
	if !c.given() {
		return nil
	}
	return &tls.Config{GetCertificate: c.get, MinVersion: tls.VersionTLS12}
}

// own is for our own connection to our own broker, which is reached by an
// address that the certificate does not name: it must show this certificate.
func (c *certificate) own() *tls.Config {
	if !c.given() {
		return nil
	}
	return &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12,
		VerifyConnection: func(s tls.ConnectionState) error {
			have, err := c.get(nil)
			if err == nil && !bytes.Equal(s.PeerCertificates[0].Raw, have.Certificate[0]) {
				err = errors.New("the embedded broker shows another certificate")
			}
			return err
		}}
}

// authority is what signs need to trust the certificate: nothing where a public
// authority issued it, else the last certificate of its chain.
func (c *certificate) authority() string {
	leaf, err := x509.ParseCertificate(c.now.Certificate[0])
	if err != nil {
		return ""
	}
	between := x509.NewCertPool()
	for _, der := range c.now.Certificate[1:] {
		if x, err := x509.ParseCertificate(der); err == nil {
			between.AddCert(x)
		}
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Intermediates: between}); err == nil {
		return ""
	}
	last := c.now.Certificate[len(c.now.Certificate)-1]
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: last}))
}

// URL is where the pages are, e.g. "https://127.0.0.1:8443".
func (a *App) URL() string {
	if a.tls.given() {
		return "https://" + a.Addr()
	}
	return "http://" + a.Addr()
}

// signsBroker is the broker's address as signs reach it.
func (a *App) signsBroker() string {
	if a.o.Advertise != "" {
		return a.o.Advertise
	}
	return a.brokerAddr
}

// checkAddresses refuses what other machines could read or change on the way:
// what is not encrypted is not shown to a network by accident.
func (a *App) checkAddresses() error {
	if a.o.Advertise != "" {
		u, err := url.Parse(a.o.Advertise)
		if err != nil || u.Host == "" || u.Scheme != "mqtt" && u.Scheme != "mqtts" {
			return &playlists.Error{Code: playlists.Invalid, Field: "--mqtt-advertise", Value: a.o.Advertise,
				Key: "advertised-broker-malformed"}
		}
	}
	if a.o.Broker != "" {
		u, err := url.Parse(a.o.Broker)
		if err != nil || u.Host == "" || u.Scheme != "mqtt" && u.Scheme != "mqtts" {
			return &playlists.Error{Code: playlists.Invalid, Field: "--broker", Key: "broker-malformed"}
		}
		if !a.o.Insecure && u.Scheme == "mqtt" && !local(u.Hostname()) {
			return &playlists.Error{Code: playlists.Invalid, Field: "--broker", Value: u.Redacted(),
				Key: "broker-not-encrypted"}
		}
	}
	for _, x := range []struct{ flag, addr string }{{"--listen", a.o.Listen}, {"--mqtt-listen", a.o.MQTTListen}} {
		if x.addr == "" || a.o.Broker != "" && x.flag == "--mqtt-listen" {
			continue
		}
		host, _, err := net.SplitHostPort(x.addr)
		if err != nil {
			return &playlists.Error{Code: playlists.Invalid, Field: x.flag, Value: x.addr, Key: "address-malformed"}
		}
		if !a.o.Insecure && !a.tls.given() && !local(host) {
			return &playlists.Error{Code: playlists.Invalid, Field: x.flag, Value: x.addr,
				Key: "listener-not-encrypted"}
		}
	}
	return nil
}

func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// brokerAddress is where we reach the embedded broker ourselves.
func (a *App) brokerAddress(addr net.Addr) string {
	scheme := "mqtt"
	if a.tls.given() {
		scheme = "mqtts"
	}
	host, port, err := net.SplitHostPort(addr.String())
	if err == nil && net.ParseIP(host).IsUnspecified() {
		host = "127.0.0.1"
	}
	return fmt.Sprintf("%s://%s", scheme, net.JoinHostPort(host, port))
}
