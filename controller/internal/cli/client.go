package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"ledcast/controller/internal/app"
)

// client calls a running controller, whose address and token are in flags or the
// environment.
type client struct {
	server, tokenFile, data, as, ca string

	base     *url.URL
	token    string
	http     http.Client
	accepted bool // the last answer was 202: a part of the change waits
}

func (c *client) flags(f *pflag.FlagSet) {
	f.StringVar(&c.server, "server", os.Getenv("LEDCAST_SERVER"),
		"`address` of the controller, http://host:port (or LEDCAST_SERVER)")
	f.StringVar(&c.tokenFile, "token-file", os.Getenv("LEDCAST_TOKEN_FILE"),
		"`file` that holds an API token (or LEDCAST_TOKEN_FILE)")
	f.StringVar(&c.ca, "ca", os.Getenv("LEDCAST_CA"),
		"PEM `file` of the authority behind the controller's certificate, where the system does not know it (or "+
			"LEDCAST_CA)")
	f.StringVar(&c.data, "data", "", "`folder` of a controller on this machine, in place of --server and --token-file")
	f.StringVar(&c.as, "as", "", "with --data: whose token of tokens.json to use, e.g. author")
}

// open reads the files that the flags name.
func (c *client) open() error {
	if c.data != "" {
		if c.as == "" {
			return usagef("give --as NAME, one of DIR/tokens.json", "--data needs --as")
		}
		text, err := os.ReadFile(filepath.Join(c.data, "tokens.json"))
		if err != nil {
			return fmt.Errorf("--data: %w; is a controller running on that folder?", err)
		}
		var tokens map[string]string
		if err := json.Unmarshal(text, &tokens); err != nil {
			return fmt.Errorf("%s cannot be read: %v; restart the controller", filepath.Join(c.data, "tokens.json"),
				err)
		}
		if c.token = tokens[c.as]; c.token == "" {
			return fmt.Errorf("--as %q has no token in %s; use one that stands there", c.as,
				filepath.Join(c.data, "tokens.json"))
		}
		addr, err := os.ReadFile(filepath.Join(c.data, "server"))
		if err != nil {
			return fmt.Errorf("--data: %w; is a controller running on that folder?", err)
		}
		c.server = strings.TrimSpace(string(addr))
		if ca := filepath.Join(c.data, app.ServerCA); c.ca == "" {
			if _, err := os.Stat(ca); err == nil {
				c.ca = ca
			}
		}
	} else {
		if c.server == "" {
			return usagef("give --server http://host:port, or --data DIR --as NAME", "no controller is named")
		}
		if c.tokenFile == "" {
			return usagef("give --token-file FILE, or --data DIR --as NAME", "no token is named")
		}
		text, err := os.ReadFile(c.tokenFile)
		if err != nil {
			return fmt.Errorf("--token-file: %w", err)
		}
		c.token = strings.TrimSpace(string(text))
	}
	u, err := url.Parse(c.server)
	if err != nil || u.Host == "" {
		return usagef("write http://host:port", "--server %q is not an address", c.server)
	}
	c.base, c.http.Timeout = u, 30*time.Second
	if c.ca != "" {
		pem, err := os.ReadFile(c.ca)
		if err != nil {
			return fmt.Errorf("--ca: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return fmt.Errorf("--ca: %s holds no PEM certificate", c.ca)
		}
		c.http.Transport = &http.Transport{Proxy: http.ProxyFromEnvironment,
			TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	}
	return nil
}

// problemError is a problem document in an answer of the controller.
type problemError struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Remedy string `json:"remedy"`
}

func (p *problemError) Error() string {
	if p.Detail != "" {
		return p.Detail
	}
	return p.Title + "; " + p.Remedy
}

// at returns the URL of a path, which may have a query.
func (c *client) at(path string) string {
	path, query, _ := strings.Cut(path, "?")
	u := c.base.JoinPath(path)
	u.RawQuery = query
	return u.String()
}

// do sends a request and returns the ETag of the answer. A nil body sends none; a
// nil out reads none.
func (c *client) do(ctx context.Context, method, path string, body, out any, head ...string) (etag string, err error) {
	if body == nil {
		return c.send(ctx, method, path, "", nil, out, head...)
	}
	data, err := json.Marshal(body)
	if err != nil {
		return "", err
	}
	return c.send(ctx, method, path, "application/json", data, out, head...)
}

// send is do for a body of any content type.
func (c *client) send(ctx context.Context, method, path, mime string, body []byte, out any,
	head ...string) (etag string, err error) {
	var r io.Reader
	if mime != "" {
		r = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.at(path), r)
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if mime != "" {
		req.Header.Set("Content-Type", mime)
	}
	for i := 0; i+1 < len(head); i += 2 {
		req.Header.Set(head[i], head[i+1])
	}
	res, err := c.http.Do(req)
	if err != nil {
		var unknown *tls.CertificateVerificationError
		if errors.As(err, &unknown) {
			return "", fmt.Errorf("the controller at %s shows a certificate that is not trusted here: %w; give its "+
				"authority with --ca FILE", c.base, unknown.Err)
		}
		return "", fmt.Errorf("the controller at %s does not answer: %w; is it running?", c.base, errors.Unwrap(err))
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, 64<<20))
	if err != nil {
		return "", err
	}
	if res.StatusCode >= 400 {
		p := &problemError{Status: res.StatusCode, Title: res.Status}
		_ = json.Unmarshal(data, p) // otherwise the status must do
		return "", p
	}
	c.accepted = res.StatusCode == http.StatusAccepted
	if text, ok := out.(*string); ok {
		*text = string(data)
	} else if out != nil && res.StatusCode != http.StatusNoContent {
		if err := json.Unmarshal(data, out); err != nil {
			return "", fmt.Errorf("%s answered what cannot be read: %w", path, err)
		}
	}
	return res.Header.Get("ETag"), nil
}

// text requests an answer that is not JSON.
func (c *client) text(ctx context.Context, method, path string) (text string, err error) {
	_, err = c.do(ctx, method, path, nil, &text)
	return text, err
}

func status(err error) int {
	var p *problemError
	if errors.As(err, &p) {
		return p.Status
	}
	return 0
}
