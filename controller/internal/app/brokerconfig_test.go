package app_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"ledcast/controller/internal/app"
	"ledcast/controller/internal/datadir"
	"ledcast/controller/internal/enrol"
	"ledcast/controller/internal/store"
	"ledcast/playlists/timeline"
	"ledcast/sign/box"
)

// A demo moves to an outside Mosquitto with the files that were written for it:
// its controller publishes there, and its signs play from there.
func TestMoveToMosquitto(t *testing.T) {
	slow(t)
	t.Parallel()
	data, out, addr := t.TempDir(), filepath.Join(t.TempDir(), "new", "rules"), freeAddr(t)
	startDemo(t, data).stop(t)
	r, err := enrol.WriteBroker(t.Context(), enrol.BrokerConfig{Kind: "mosquitto", Data: data,
		Database: database(t, data), Out: out, Listen: addr})
	if err != nil {
		t.Fatal(err)
	}
	if r.Signs != 4 || r.Scheme != "mqtt" || len(r.Left) != 0 || r.Conf != filepath.Join(out, "mosquitto.conf") {
		t.Errorf("%+v", r)
	}
	login, err := os.ReadFile(r.Login)
	if err != nil {
		t.Fatal(err)
	}
	// Written anew, the controller's password stays.
	if _, err := enrol.WriteBroker(t.Context(), enrol.BrokerConfig{Kind: "mosquitto",
		Data: data, Database: database(t, data), Out: out, Listen: addr}); err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(r.Login); err != nil || string(again) != string(login) {
		t.Errorf("the controller's password was changed (%v)", err)
	}
	entries, err := os.ReadDir(out)
	if err != nil || len(entries) != 4 {
		t.Errorf("%d files in the folder (%v)", len(entries), err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v (%v)", e.Name(), info.Mode(), err)
		}
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	runMosquitto(t, addr, fmt.Sprintf("user %s\npersistence_location %s/\ninclude_dir %s\n", me.Username, t.TempDir(),
		out))

	playsThrough(t, data, string(login), addr)
}

// playsThrough runs a controller on the broker at addr, and two of its signs
// play, are heard, and are known to be gone.
func playsThrough(t *testing.T, data, login, addr string) {
	t.Helper()
	a, err := app.New(t.Context(), app.Options{Data: data, Database: database(t, data),
		Listen: "127.0.0.1:0", Broker: "mqtt://" + strings.TrimSpace(login) + "@" + addr})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Stop(); err != nil {
			t.Error(err)
		}
	}()
	a.FilesWritten()
	a.Kick()
	eventually(t, "ready", func() bool { return app.PartsOf(a).Source.Ready() == nil })
	for _, id := range []string{"demo-128x64", "demo-picture"} {
		conf, err := box.LoadConfig(filepath.Join(data, "signs", id+".json"))
		if err != nil {
			t.Fatal(err)
		}
		conf.Broker = "mqtt://" + addr
		path := filepath.Join(t.TempDir(), "sign.json")
		if err := datadir.WriteJSON(path, conf); err != nil {
			t.Fatal(err)
		}
		sign := attach(t, path, t.TempDir(), t.TempDir())
		eventually(t, id+" plays", func() bool { return sign.last(t).Why == timeline.WhyProgram })
		eventually(t, id+" is heard", func() bool { return app.PartsOf(a).Source.Heard(id).Online })
		sign.stop(t)
		eventually(t, id+" is gone", func() bool { return !app.PartsOf(a).Source.Heard(id).Online })
	}
}

// What cannot be written is refused with its name, and leaves nothing behind.
func TestMosquittoRefusals(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	d := startDemo(t, data)
	out := filepath.Join(data, "mosquitto")
	refused := func(data, listen string, says ...string) {
		t.Helper()
		its, _ := databases.Load(data) // none for a folder that is no controller's
		address, _ := its.(string)
		_, err := enrol.WriteBroker(t.Context(), enrol.BrokerConfig{Kind: "mosquitto", Data: data,
			Database: address, Listen: listen})
		for _, s := range says {
			if err == nil || !strings.Contains(err.Error(), s) {
				t.Errorf("%v does not say %q", err, s)
			}
		}
		if _, err := os.Stat(out); !os.IsNotExist(err) {
			t.Errorf("the folder is there (%v)", err)
		}
	}
	defer d.stop(t) // it may run meanwhile
	empty := t.TempDir()
	refused(empty, "127.0.0.1:1883", "--data", "not a controller's data folder")
	if left, _ := os.ReadDir(empty); len(left) != 0 {
		t.Errorf("%v was made in a folder that is no controller's", left)
	}
	refused(data, "0.0.0.0:1883", "--listen", "--cert")
	// A sign whose password was given before anything else was kept of it.
	if err := d.store.Credentials().Set(t.Context(), store.Credential{Sign: "demo-64x32",
		SHA256: [32]byte{1}}); err != nil {
		t.Fatal(err)
	}
	refused(data, "127.0.0.1:1883", "demo-64x32", "enrol")
}

// A whole installation through a real nats-server with the rules written for it:
// a sign plays, and its status and acks come back.
func TestMoveToNATS(t *testing.T) {
	slow(t)
	t.Parallel()
	path, err := exec.LookPath("nats-server")
	if err != nil {
		out, _ := exec.Command("go", "env", "GOPATH").Output()
		path = filepath.Join(strings.TrimSpace(string(out)), "bin", "nats-server")
		if _, err := os.Stat(path); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal("nats-server is not installed; .ci/run installs it")
			}
			t.Skip("nats-server is not installed")
		}
	}
	data := t.TempDir()
	d := startDemo(t, data)
	d.stop(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	_ = ln.Close()
	r, err := enrol.WriteBroker(t.Context(), enrol.BrokerConfig{Kind: "nats", Data: data,
		Database: database(t, data), Listen: addr})
	if err != nil {
		t.Fatal(err)
	}
	login, err := os.ReadFile(r.Login)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "-c", r.Conf, "-l", filepath.Join(data, "nats.log"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	playsThrough(t, data, string(login), addr)
}
