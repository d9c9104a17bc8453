package enrol

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"ledcast/controller/internal/broker"
	"ledcast/controller/internal/catalogue"
	"ledcast/controller/internal/datadir"
	"ledcast/playlists"
)

// ControllerLogin is the name of the file with the controller's own user name and password at the external broker,
// in the form controller:PASSWORD.
const ControllerLogin = "controller.login"

// BrokerConfig has the arguments of WriteBroker.
type BrokerConfig struct {
	Kind      string // "mosquitto" or "nats"
	Data      string // the controller's data directory
	Database  string // PostgreSQL address; "" for the SQLite file in Data
	Out       string // output directory; "" for DATA/KIND
	Listen    string // host:port on which the broker listens
	Cert, Key string // PEM files for TLS; "" for none
}

// BrokerReport is the result of WriteBroker.
type BrokerReport struct {
	Conf, Login string   // absolute paths of the configuration and of the controller's login file
	Scheme      string   // of the broker's URL: mqtt, or mqtts with TLS
	Signs       int      // number of signs with an account
	Left        []string // IDs of signs without a password, which have no account
}

// WriteBroker writes configuration files for an external Mosquitto or NATS with the same accounts and rules as the
// embedded broker. It reads the data directory of a controller, which may be running. The first call creates the
// controller's own password. Later calls read it from the output directory. If an account or option is invalid,
// WriteBroker writes nothing.
func WriteBroker(ctx context.Context, c BrokerConfig) (r *BrokerReport, err error) {
	if err := datadir.Holds(c.Data); err != nil && c.Database == "" {
		return nil, &playlists.Error{Code: playlists.Invalid, Field: "--data", Value: c.Data,
			Key: "not-data-folder", Args: []any{rootCause(err)}}
	}
	s, err := datadir.OpenReader(ctx, c.Data, c.Database)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	signs, err := catalogue.NewReader(s.Objects()).Signs(ctx)
	if err != nil {
		return nil, err
	}
	known, err := LoadAccounts(ctx, signs, s.Credentials())
	if err != nil {
		return nil, err
	}
	creds, err := s.Credentials().List(ctx)
	if err != nil {
		return nil, err
	}
	o := broker.MosquittoOptions{Verifiers: make(map[string]map[string]string, len(creds)), Listen: c.Listen}
	for _, x := range creds {
		o.Verifiers[x.Sign] = x.Verifiers
	}
	r = &BrokerReport{Scheme: "mqtt"}
	if c.Cert != "" {
		r.Scheme = "mqtts"
	}
	for i := range signs {
		acc, ok := known.Account(signs[i].ID)
		if !ok {
			r.Left = append(r.Left, signs[i].ID)
			continue
		}
		o.Accounts = append(o.Accounts, acc)
	}
	r.Signs = len(o.Accounts)
	if c.Out == "" {
		c.Out = filepath.Join(c.Data, c.Kind)
	}
	for _, p := range []struct {
		from string
		to   *string
	}{{c.Out, &o.Folder}, {c.Cert, &o.Cert}, {c.Key, &o.Key}} {
		if p.from == "" {
			continue
		}
		if *p.to, err = filepath.Abs(p.from); err != nil {
			return nil, fmt.Errorf("%s: %w; use an absolute path", p.from, err)
		}
	}
	r.Conf, r.Login = filepath.Join(o.Folder, broker.MosquittoConf), filepath.Join(o.Folder, ControllerLogin)
	login, made, err := controllerLogin(o.Folder)
	if err != nil {
		return nil, err
	}
	o.ControllerPassword = login
	write := map[string][]byte{}
	if c.Kind == broker.KindNATS {
		r.Conf = filepath.Join(o.Folder, broker.NATSConf)
		if write[broker.NATSConf], err = broker.NATS(o); err != nil {
			return nil, err
		}
	} else {
		files, err := broker.Mosquitto(o)
		if err != nil {
			return nil, err
		}
		write[broker.MosquittoConf], write[broker.MosquittoACL], write[broker.MosquittoPasswords] = files.Conf, files.ACL,
			files.Passwords
	}
	if err := os.MkdirAll(o.Folder, 0o700); err != nil {
		return nil, fmt.Errorf("--out: %w; choose another directory", err)
	}
	if made {
		write[ControllerLogin] = fmt.Appendf(nil, "%s:%s\n", broker.ControllerUser, login)
	}
	for name, data := range write {
		if err := datadir.Replace(filepath.Join(o.Folder, name), data); err != nil {
			return nil, fmt.Errorf("--out: %w; choose another directory", err)
		}
	}
	return r, nil
}

// controllerLogin returns the controller's password from an earlier call, or a new one. made reports whether it is
// new.
func controllerLogin(folder string) (password string, made bool, err error) {
	path := filepath.Join(folder, ControllerLogin)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Password(), true, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("cannot read the controller's password: %w; correct or remove the file", err)
	}
	user, password, ok := strings.Cut(strings.TrimSpace(string(data)), ":")
	if !ok || user != broker.ControllerUser || len(password) < 32 || url.QueryEscape(password) != password {
		return "", false, &playlists.Error{Code: playlists.Invalid, File: path,
			Key: "broker-password-file", Args: []any{broker.ControllerUser}}
	}
	return password, false, nil
}

// rootCause returns the text of the innermost error, which is that of the operating system.
func rootCause(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}
