// Package certificate reads the certificate of the pages and the embedded broker, and reads it again when its files
// change.
package certificate

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"sync"
	"time"

	"ledcast/playlists"
)

// Certificate is the one of pages and broker, read again when its files change:
// a renewal needs no restart.
type Certificate struct {
	certFile, keyFile string
	CA                string // PEM of the authority that signs have to know; "" where the system's do

	mu    sync.Mutex
	now   *tls.Certificate
	stamp time.Time // of the newer file
}

// Read reads PEM files; without any it is empty. Its error names the
// flag, for a controller that cannot encrypt must not start.
func Read(certFile, keyFile string) (*Certificate, error) {
	c := &Certificate{certFile: certFile, keyFile: keyFile}
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
	c.CA = c.authority()
	return c, nil
}

// Given reports whether there is one.
func (c *Certificate) Given() bool { return c.certFile != "" }

func (c *Certificate) read() error {
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

func (c *Certificate) changed() (time.Time, error) {
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
func (c *Certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if stamp, err := c.changed(); err == nil && !stamp.Equal(c.stamp) {
		_ = c.read()
	}
	return c.now, nil
}

// Config is for a server; nil without a certificate.
func (c *Certificate) Config() *tls.Config {
	if !c.Given() {
		return nil
	}
	return &tls.Config{GetCertificate: c.get, MinVersion: tls.VersionTLS12}
}

// Own is for our own connection to our own broker, which is reached by an
// address that the certificate does not name: it must show this certificate.
func (c *Certificate) Own() *tls.Config {
	if !c.Given() {
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
func (c *Certificate) authority() string {
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
