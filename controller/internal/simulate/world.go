package simulate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"ledcast/controller/internal/app"
	"ledcast/controller/internal/auth"
	"ledcast/controller/internal/broker"
	"ledcast/controller/internal/datadir"
	"ledcast/controller/internal/enrol"
	"ledcast/controller/internal/store"
	"ledcast/playlists"
	"ledcast/sign/crowd"
	"ledcast/sign/wire"
)

// allClasses are those of the signs, in turn.
var allClasses = []string{"128x64-rgb", "64x32-red", "320x160-rgb", "96x48-amber", "192x96-rgb", "160x32-green",
	"128x128-rgb", "256x64-redgreen"}

// world is a controller on a temporary folder with a broker and crowds of signs.
type world struct {
	o        Options
	dir      string
	signs    []crowd.Sign
	classes  []string
	password string    // the controller's at our Mosquitto
	plain    [2]string // the plain client's user and password
	mosq     *mosquittoServer
	app      *app.App
	tokens   map[string]string
	crowds   []*child
	log      *tally
	readyS   float64
	connectS float64
}

func newWorld(ctx context.Context, o Options) (w *world, err error) {
	w = &world{o: o, log: &tally{to: o.Progress}, password: enrol.Password(),
		plain: [2]string{plainUser, enrol.Password()}}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.stop())
		}
	}()
	if w.dir, err = os.MkdirTemp("", "ledcast-simulate-"); err != nil {
		return w, err
	}
	app.SaveMemory() // as serve does
	w.say("writing %d signs", o.Signs)
	if err = w.fill(ctx); err != nil {
		return w, err
	}
	opts := app.Options{Data: w.dir, Listen: "127.0.0.1:0", MQTTListen: "127.0.0.1:0", Software: o.Software, Demo: true,
		Log: slog.New(w.log)}
	switch o.Broker {
	case "embedded":
	case "mosquitto":
		if opts.Broker, err = w.startMosquitto(ctx); err != nil {
			return w, err
		}
	default:
		opts.Broker = o.Broker
	}
	if w.app, err = app.New(ctx, opts); err != nil {
		return w, err
	}
	if w.mosq == nil {
		login := w.app.BrokerLogin()
		w.plain = [2]string{login.User, login.Password}
	}
	if err = w.people(ctx); err != nil {
		return w, err
	}
	w.say("planning, signing and publishing %d programs", o.Signs)
	began := time.Now()
	w.app.FilesWritten()
	w.app.Kick()
	if err = waitUntil(ctx, 15*time.Minute, "the broker holds every program",
		func() (bool, error) { return w.app.Ready() == nil, nil }); err != nil {
		return w, err
	}
	w.readyS = time.Since(began).Seconds()
	w.say("connecting %d signs from %d processes", o.Signs, o.Children)
	began = time.Now()
	if err = w.startCrowds(ctx); err != nil {
		return w, err
	}
	err = waitUntil(ctx, 5*time.Minute, "every sign has its program", func() (bool, error) {
		n, err := w.count(ctx, "")
		return n.Ready == o.Signs, err
	})
	w.connectS = time.Since(began).Seconds()
	return w, err
}

func (w *world) say(format string, args ...any) {
	if w.o.Progress != nil {
		fmt.Fprintf(w.o.Progress, format+"\n", args...)
	}
}

// fill writes the company and its signs straight into the store.
func (w *world) fill(ctx context.Context) (err error) {
	s, err := datadir.OpenStore(ctx, w.dir, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	now := time.Now()
	const owner = "simulated"
	if err := put(ctx, s, &playlists.Owner{ID: owner, Name: "Simulated"}, now); err != nil {
		return err
	}
	places := []string{"quang-ngai/thanh-pho-quang-ngai", "quang-ngai/son-tinh"}
	w.classes = allClasses[:w.o.Classes]
	for i := range w.o.Signs {
		x := crowd.Sign{Sign: fmt.Sprintf("sim-%05d", i), Class: w.classes[i%len(w.classes)],
			Areas: places[i%len(places) : i%len(places)+1], Password: enrol.Password()}
		class, err := playlists.ParseClass(x.Class)
		if err != nil {
			return err
		}
		sign := playlists.Sign{ID: x.Sign, Owner: owner, Name: x.Sign, Class: class, Areas: x.Areas,
			Mode: playlists.ModeProgram}
		if err := put(ctx, s, &sign, now); err != nil {
			return err
		}
		if err := s.Credentials().Set(ctx, store.Credential{Sign: x.Sign, SHA256: sha256.Sum256([]byte(x.Password)),
			CreatedMS: now.UnixMilli()}); err != nil {
			return err
		}
		w.signs = append(w.signs, x)
	}
	return nil
}

func put(ctx context.Context, s store.Store, t playlists.Thing, now time.Time) error {
	data, err := json.Marshal(t)
	if err != nil {
		return err
	}
	key := t.Key()
	_, err = s.Objects().Put(ctx, store.Object{Kind: string(key.Kind), Owner: key.Owner,
		ID: key.ID, Data: data, UpdatedMS: now.UnixMilli()}, store.Absent)
	return err
}

// tokenLife is longer than any run.
const tokenLife = 24 * time.Hour

// people are who makes alerts and who approves them.
func (w *world) people(ctx context.Context) error {
	tokens := map[string]auth.Token{}
	for _, u := range []playlists.User{{ID: "author", Owner: playlists.Public, Role: playlists.RoleAuthor},
		{ID: "approver", Owner: playlists.Public, Role: playlists.RoleApprover}} {
		if err := w.app.People().Add(ctx, &u); err != nil {
			return err
		}
		tokens[u.ID] = auth.Token{Owner: u.Owner, Role: u.Role}
	}
	if err := w.app.People().IssueTokens(ctx, tokenLife, tokens); err != nil {
		return err
	}
	data, err := os.ReadFile(filepath.Join(w.dir, "tokens.json"))
	if err != nil {
		return err
	}
	return json.Unmarshal(data, &w.tokens)
}

// plainUser is the plain client's name and client id.
const plainUser = broker.ControllerUser + "-plain"

// mosquittoServer is a real one with our rules.
type mosquittoServer struct {
	path, conf, addr string
	log              io.Writer
	cmd              *exec.Cmd
}

func (w *world) startMosquitto(ctx context.Context) (address string, err error) {
	m := &mosquittoServer{log: w.log}
	if m.path, err = exec.LookPath("mosquitto"); err != nil {
		if m.path = "/usr/sbin/mosquitto"; !exists(m.path) {
			return "", &playlists.Error{Code: playlists.NotFound, Field: "--broker", Value: "mosquitto",
				Key: "mosquitto-not-installed"}
		}
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	m.addr = ln.Addr().String()
	if err := ln.Close(); err != nil {
		return "", err
	}
	folder := filepath.Join(w.dir, "mosquitto")
	o := broker.MosquittoOptions{Verifiers: map[string]map[string]string{}, ControllerPassword: w.password,
		Listen: m.addr, Folder: folder}
	for _, s := range w.signs {
		o.Accounts = append(o.Accounts, broker.Account{Sign: s.Sign, Owner: "simulated",
			Class: s.Class, PasswordSHA256: sha256.Sum256([]byte(s.Password))})
		if o.Verifiers[s.Sign], err = broker.Verifiers(s.Password); err != nil {
			return "", err
		}
	}
	f, err := broker.Mosquitto(o)
	if err != nil {
		return "", err
	}
	// The plain client is a user of its own: Mosquitto takes the user's name for
	// the client id, and one id has one connection.
	o.Accounts, o.ControllerPassword = nil, w.plain[1]
	p, err := broker.Mosquitto(o)
	if err != nil {
		return "", err
	}
	f.ACL = append(f.ACL, bytes.Replace(p.ACL, []byte("\nuser "+broker.ControllerUser+"\n"),
		[]byte("\nuser "+plainUser+"\n"), 1)...)
	f.Passwords = append(f.Passwords, bytes.Replace(p.Passwords, []byte(broker.ControllerUser+":"),
		[]byte(plainUser+":"), 1)...)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", err
	}
	me, err := user.Current() // else Mosquitto takes another one, who may not read the files
	if err != nil {
		return "", err
	}
	conf := append(f.Conf, fmt.Sprintf("user %s\npersistence_location %s/\nlog_type error\nlog_dest stderr\n",
		me.Username, folder)...)
	for name, data := range map[string][]byte{broker.MosquittoConf: conf, broker.MosquittoACL: f.ACL,
		broker.MosquittoPasswords: f.Passwords} {
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o600); err != nil {
			return "", err
		}
	}
	m.conf = filepath.Join(folder, broker.MosquittoConf)
	w.mosq = m
	u := url.URL{Scheme: "mqtt", User: url.UserPassword(broker.ControllerUser, w.password), Host: m.addr}
	return u.String(), m.start(ctx)
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

func (m *mosquittoServer) start(ctx context.Context) error {
	m.cmd = exec.Command(m.path, "-c", m.conf)
	m.cmd.Stderr = m.log
	if err := m.cmd.Start(); err != nil {
		return fmt.Errorf("mosquitto: %w", err)
	}
	return waitUntil(ctx, time.Minute, "mosquitto answers", func() (bool, error) {
		c, err := net.Dial("tcp", m.addr)
		if err == nil {
			_ = c.Close()
		}
		return err == nil, nil
	})
}

// kill ends it at once, as a power cut does.
func (m *mosquittoServer) kill() {
	if m.cmd != nil && m.cmd.Process != nil {
		_ = m.cmd.Process.Kill()
		_ = m.cmd.Wait()
		m.cmd = nil
	}
}

// child is a crowd in a process of its own.
type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	say *json.Encoder
	out *json.Decoder
}

func (w *world) startCrowds(ctx context.Context) error {
	root, spare := w.app.Roots()
	u, err := url.Parse(w.app.BrokerAddr())
	if err != nil {
		return err
	}
	setup := crowd.Setup{Broker: u.String(), Root: wire.EncodeKey(root), Spare: wire.EncodeKey(spare),
		Software: w.o.Software, RampUS: int64(1000 * w.o.Children), AtOnce: w.o.AtOnce}
	per := (len(w.signs) + w.o.Children - 1) / w.o.Children
	for from := 0; from < len(w.signs); from += per {
		c := &child{cmd: exec.Command(w.o.Child[0], w.o.Child[1:]...)}
		c.cmd.Stderr = w.log
		if c.in, err = c.cmd.StdinPipe(); err != nil {
			return err
		}
		out, err := c.cmd.StdoutPipe()
		if err != nil {
			return err
		}
		if err := c.cmd.Start(); err != nil {
			return err
		}
		w.crowds = append(w.crowds, c)
		c.say, c.out = json.NewEncoder(c.in), json.NewDecoder(out)
		// Neighbours in number are of all classes.
		if err := c.say.Encode(crowd.Command{Setup: &setup, Signs: w.signs[from:min(from+per, len(w.signs))]}); err != nil {
			return fmt.Errorf("signs' process: %w", err)
		}
	}
	return ctx.Err()
}

// ask asks every crowd at once.
func (w *world) ask(x crowd.Command) ([]crowd.Answer, error) {
	answers, errs := make([]crowd.Answer, len(w.crowds)), make([]error, len(w.crowds))
	var done sync.WaitGroup
	for i, c := range w.crowds {
		done.Go(func() {
			if errs[i] = c.say.Encode(x); errs[i] == nil {
				errs[i] = c.out.Decode(&answers[i])
			}
		})
	}
	done.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("signs' processes: %w", err)
	}
	return answers, nil
}

// count adds up how far the crowds are.
func (w *world) count(ctx context.Context, of string) (sum crowd.Count, err error) {
	sum.Rejected = map[string]int{}
	answers, err := w.ask(crowd.Command{Op: "count", Of: of})
	if err != nil {
		return sum, err
	}
	for _, a := range answers {
		n := a.Count
		sum.Subscribed += n.Subscribed
		sum.Ready += n.Ready
		sum.Connects += n.Connects
		sum.Resyncs += n.Resyncs
		sum.Received += n.Received
		sum.Showing += n.Showing
		sum.Ended += n.Ended
		for reason, k := range n.Rejected {
			sum.Rejected[reason] += k
		}
	}
	return sum, ctx.Err()
}

func (w *world) times(of string) (at []int64, err error) {
	answers, err := w.ask(crowd.Command{Op: "times", Of: of})
	for _, a := range answers {
		at = append(at, a.Times...)
	}
	return at, err
}

// stop ends everything that was started, and removes the folder.
func (w *world) stop() error {
	for _, c := range w.crowds {
		_ = c.in.Close() // it ends by itself
	}
	for _, c := range w.crowds {
		late := time.AfterFunc(20*time.Second, func() { _ = c.cmd.Process.Kill() })
		_ = c.cmd.Wait()
		late.Stop()
	}
	var err error
	if w.app != nil {
		err = w.app.Stop()
	}
	if w.mosq != nil {
		w.mosq.kill()
	}
	if w.dir != "" {
		err = errors.Join(err, os.RemoveAll(w.dir))
	}
	return err
}

// waitUntil waits for what to be true.
func waitUntil(ctx context.Context, most time.Duration, what string, is func() (bool, error)) error {
	end := time.Now().Add(most)
	for {
		ok, err := is()
		if ok || err != nil {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("%w: %s, in %s", errWaited, what, most)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

var errWaited = errors.New("waited in vain")

// tally counts what the embedded broker dropped, and passes on what is wrong
// beyond that: of ten thousand signs, the first few lines.
type tally struct {
	drops, lines atomic.Int64
	to           io.Writer
}

const fewLines = 20

func (t *tally) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }

func (t *tally) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "MQTT messages dropped" {
		t.drops.Add(1)
	}
	text := r.Message
	r.Attrs(func(a slog.Attr) bool { text += " " + a.String(); return true })
	_, err := t.Write([]byte(text + "\n"))
	return err
}

// Write passes on the first few lines.
func (t *tally) Write(p []byte) (int, error) {
	if t.to != nil && t.lines.Add(1) <= fewLines {
		return t.to.Write(p)
	}
	return len(p), nil
}

func (t *tally) WithAttrs([]slog.Attr) slog.Handler { return t }
func (t *tally) WithGroup(string) slog.Handler      { return t }
