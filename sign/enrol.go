package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/spf13/cobra"

	"ledcast/sign/box"
)

// maxConfig bounds what a controller may answer.
const maxConfig = 64 << 10

func newEnrol(stdout io.Writer) *cobra.Command {
	var server, code, out, ca string
	c := &cobra.Command{
		Use:   "enrol",
		Short: "Fetch this sign's config file with a one-time code",
		Long: "enrol trades the code that the controller gave for the sign's config file, " +
			"which holds its password and the\n" +
			"roots that it will believe. So it must be sure whom it asks: any address but loopback needs https://.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("%q is not a flag of enrol; see sign enrol --help", args[0])}
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error {
			if server == "" || code == "" || out == "" {
				return usageError{errors.New("--server, --code and --out are needed")}
			}
			conf, err := enrol(c.Context(), server, code, ca)
			if err != nil {
				return err
			}
			f, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			if err != nil {
				return fmt.Errorf("--out: %w; the code is used up: ask for a new one, and choose another file", err)
			}
			_, err = f.Write(conf)
			if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
				return fmt.Errorf("--out: %w; the code is used up: ask for a new one", err)
			}
			fmt.Fprintf(stdout, "%s: this sign's config file; go on with sign run --config %s\n", out, out)
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&server, "server", "", "`address` of the controller, https://host:port")
	f.StringVar(&code, "code", "", "the one-time `code`")
	f.StringVar(&out, "out", "", "`file` for the config, mode 0600")
	f.StringVar(&ca, "ca", "",
		"PEM `file` of the authority behind the controller's certificate, where the system does not know it")
	return c
}

// enrol returns the config file, checked as `sign run` would.
func enrol(ctx context.Context, server, code, ca string) ([]byte, error) {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, usageError{fmt.Errorf("--server %q is not an address; write https://host:port", server)}
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme == "http" && u.Hostname() != "localhost" &&
		(ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf(
			"--server %s would not be encrypted: whoever listens could become this sign; write https://",
			server,
		)
	}
	client := &http.Client{Timeout: 30 * time.Second}
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return nil, fmt.Errorf("--ca: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("--ca: %s holds no PEM certificate", ca)
		}
		client.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	}
	body, err := json.Marshal(map[string]string{"code": code})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.JoinPath("api/v1/enrol").String(),
		bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("the controller does not answer: %w", err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, maxConfig))
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		var p struct{ Title, Detail string }
		_ = json.Unmarshal(data, &p) // else the status has to do
		return nil, fmt.Errorf("the controller refuses: %s %s", res.Status, p.Detail)
	}
	var conf box.Config
	if err := json.Unmarshal(data, &conf); err != nil {
		return nil, fmt.Errorf("the controller's answer cannot be read: %w; is %s a ledcast controller?", err, server)
	}
	if err := conf.Validate(); err != nil {
		return nil, fmt.Errorf("the controller's answer cannot be used: %w", err)
	}
	return append(data, '\n'), nil
}
