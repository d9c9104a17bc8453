package app_test

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"ledcast/controller/internal/app"
	"ledcast/controller/internal/datadir"
	"ledcast/controller/internal/demo"
	"ledcast/playlists/timeline"
	"ledcast/sign/box"
	"ledcast/sign/wire"
)

// mosquitto runs a real broker on a free port and returns its address.
func mosquitto(t *testing.T) string {
	t.Helper()
	addr := freeAddr(t)
	_, port, _ := net.SplitHostPort(addr)
	runMosquitto(t, addr, fmt.Sprintf("listener %s 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n", port))
	return "mqtt://" + addr
}

// freeAddr is an address on loopback that nobody uses.
func freeAddr(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// runMosquitto runs a real broker, which its configuration makes listen on
// addr, until the test ends.
func runMosquitto(t *testing.T, addr, config string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath("mosquitto")
	if err != nil {
		path = "/usr/sbin/mosquitto"
		if _, err := os.Stat(path); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal("mosquitto is not installed; .ci/run installs it")
			}
			t.Skip("mosquitto is not installed")
		}
	}
	conf := filepath.Join(t.TempDir(), "mosquitto.conf")
	if err := os.WriteFile(conf, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "-c", conf)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	eventually(t, "mosquitto answers", func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	return cmd
}

// Delivery and playing once more through a broker that is not ours.
func TestThroughMosquitto(t *testing.T) {
	t.Parallel()
	addr := mosquitto(t)
	a, err := app.New(t.Context(), app.Options{Data: t.TempDir(), Listen: "127.0.0.1:0", Broker: addr})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Stop(); err != nil {
			t.Error(err)
		}
	}()
	if err := a.Seed(t.Context(), demo.Things()); err != nil {
		t.Fatal(err)
	}
	a.FilesWritten()
	a.Kick()
	eventually(t, "ready", func() bool { return app.PartsOf(a).Source.Ready() == nil })
	root, spare := app.PartsOf(a).Keyring.Roots()
	var pass [16]byte
	_, _ = rand.Read(pass[:])
	for id, class := range map[string]string{"demo-128x64": "128x64-rgb", "demo-picture": "128x64-rgb"} {
		conf := box.Config{Sign: id, Class: class, Areas: []string{"quang-ngai/x"}, Broker: addr, Username: id,
			Password: hex.EncodeToString(pass[:]), Root: wire.EncodeKey(root), RootSpare: wire.EncodeKey(spare)}
		if id == "demo-picture" {
			conf.Mode = "picture"
		}
		path := filepath.Join(t.TempDir(), "sign.json")
		if err := datadir.WriteJSON(path, conf); err != nil {
			t.Fatal(err)
		}
		sign := attach(t, path, t.TempDir(), t.TempDir())
		eventually(t, id+" plays", func() bool { return sign.last(t).Why == timeline.WhyProgram })
		c := sign.last(t)
		want := at128(app.PartsOf(a).Publisher.Plan(id).Program, c.AtMS)
		if id == "demo-128x64" && want.Frame.SHA256 != c.Frame {
			t.Errorf("it shows %s; its program says %s", c.Frame, want.Frame.SHA256)
		}
		eventually(t, id+" is heard", func() bool { return app.PartsOf(a).Source.Heard(id).Online })
		sign.stop(t)
		eventually(t, id+" is gone", func() bool { return !app.PartsOf(a).Source.Heard(id).Online })
	}
}
