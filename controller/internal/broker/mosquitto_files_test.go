package broker

import (
	"crypto/pbkdf2"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ledcast/playlists"
)

func outsideOptions() MosquittoOptions {
	accounts, verifiers := houseAccounts()
	return MosquittoOptions{Accounts: accounts, Verifiers: verifiers, ControllerPassword: controllerPassword,
		Listen: "127.0.0.1:1883", Folder: "/etc/ledcast"}
}

// TestMosquittoFollowsRules: each line of the ACL file is allowed by Rules, and
// there is one for everything that Rules allows.
func TestMosquittoFollowsRules(t *testing.T) {
	f, err := Mosquitto(outsideOptions())
	if err != nil {
		t.Fatal(err)
	}
	accounts, _ := houseAccounts()
	for _, a := range accounts {
		r := Rules{Account: a}
		_, rest, ok := strings.Cut(string(f.ACL), "\nuser "+a.Sign+"\n")
		if !ok {
			t.Fatalf("%s has no section in\n%s", a.Sign, f.ACL)
		}
		section, _, _ := strings.Cut(rest, "\n\n")
		said := map[string]bool{}
		for line := range strings.Lines(section) {
			line = strings.TrimSpace(line)
			said[line] = true
			if topic, ok := strings.CutPrefix(line, "topic write "); ok {
				if _, ok := r.Publish(topic); !ok {
					t.Errorf("%s: %q is not of the rules", a.Sign, line)
				}
				continue
			}
			topic, ok := strings.CutPrefix(line, "topic read ")
			if frame, below := strings.CutSuffix(topic, "/+"); below {
				topic = frame + "/" + digest
			}
			if !ok || !r.Subscribe(topic) {
				t.Errorf("%s: %q is not of the rules", a.Sign, line)
			}
		}
		own := "led/v1/signs/" + a.Sign + "/"
		want := []string{"read led/v1/keys", "read " + own + "program", "read " + own + "frame", "read " + own + "request",
			"read led/v1/frames/" + a.Owner + "/+", "read led/v1/frames/public/+", "read led/v1/alerts/" + a.Class,
			"read led/v1/alerts/" + a.Class + "/frames/+",
			"write " + own + "status", "write " + own + "ack", "write " + own + "played", "write " + own + "snapshot"}
		if a.Test {
			want = append(want, "read led/v1/alerts-test/"+a.Class, "read led/v1/alerts-test/"+a.Class+"/frames/+")
		}
		for _, w := range want {
			if !said["topic "+w] {
				t.Errorf("%s: %q is missing", a.Sign, w)
			}
		}
		if len(said) != len(want) {
			t.Errorf("%s: %d lines, want %d:\n%s", a.Sign, len(said), len(want), section)
		}
	}
	for line := range strings.Lines(string(f.ACL)) {
		if !strings.HasPrefix(line, "#") && (strings.Contains(line, "#") || strings.HasPrefix(line, "pattern")) {
			t.Errorf("an open wildcard or a pattern: %s", line)
		}
	}
}

func TestMosquittoConf(t *testing.T) {
	lines := func(o MosquittoOptions) string {
		t.Helper()
		f, err := Mosquitto(o)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for line := range strings.Lines(string(f.Conf)) {
			if !strings.HasPrefix(line, "#") {
				out = append(out, strings.TrimSpace(line))
			}
		}
		return strings.Join(out, "; ")
	}
	const rest = "use_username_as_clientid true; allow_anonymous false; password_file /etc/ledcast/mosquitto.passwd; " +
		"acl_file /etc/ledcast/mosquitto.acl; set_tcp_nodelay true; persistence true; message_size_limit 1048576; " +
		"max_queued_messages 200000; max_inflight_messages 1000; persistent_client_expiration 1d"
	o := outsideOptions()
	if got, want := lines(o), "listener 1883 127.0.0.1; "+rest; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	o.Listen, o.Cert, o.Key = ":8883", "/etc/tls/a b.crt", "/etc/tls/a.key"
	if got, want := lines(o), "listener 8883; certfile /etc/tls/a b.crt; keyfile /etc/tls/a.key; "+rest; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// TestMosquittoPassword: the hash is what PBKDF2 says, and a hash made by
// Mosquitto's own tool has the same form.
func TestMosquittoPassword(t *testing.T) {
	check := func(hash, password string) {
		t.Helper()
		p := strings.Split(hash, "$")
		if len(p) != 5 || p[0] != "" || p[1] != "7" || p[2] != "101" {
			t.Fatalf("hash %q", hash)
		}
		salt, err := base64.StdEncoding.DecodeString(p[3])
		if err != nil || len(salt) != 12 {
			t.Fatalf("salt %q: %d bytes, %v", p[3], len(salt), err)
		}
		key, err := pbkdf2.Key(sha512.New, password, salt, 101, 64)
		if err != nil || base64.StdEncoding.EncodeToString(key) != p[4] {
			t.Errorf("hash %q is not of %q (%v)", hash, password, err)
		}
	}
	a, err := mosquittoPassword("secret")
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := mosquittoPassword("secret"); a == b {
		t.Error("two passwords have one salt")
	}
	check(a, "secret")
	tool, err := exec.LookPath("mosquitto_passwd")
	if err != nil {
		t.Skip("mosquitto_passwd is not installed; startOutside's tests show that Mosquitto takes ours")
	}
	file := filepath.Join(t.TempDir(), "p")
	if out, err := exec.Command(tool, "-c", "-b", file, "u", "secret").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	check(strings.TrimSpace(strings.TrimPrefix(string(out), "u:")), "secret")
}

func TestMosquittoRefuses(t *testing.T) {
	for name, x := range map[string]struct {
		change func(*MosquittoOptions)
		says   []string
	}{
		"passwords not known": {func(o *MosquittoOptions) { delete(o.Verifiers, "qn-003"); o.Verifiers["test-1"] = nil },
			[]string{"qn-003, test-1", "enrol"}},
		"a wildcard": {func(o *MosquittoOptions) { o.Accounts[0].Owner = "+" }, []string{"qn-001", `"+"`}},
		"two lines": {func(o *MosquittoOptions) { o.Accounts[0].Class = "a\ntopic read #" },
			[]string{"qn-001", "a-z"}},
		"called controller": {func(o *MosquittoOptions) { o.Accounts[0].Sign = "controller-2" }, []string{"controller-2"}},
		"no controller":     {func(o *MosquittoOptions) { o.ControllerPassword = "" }, []string{"controller password"}},
		"no port": {func(o *MosquittoOptions) { o.Listen = "127.0.0.1" },
			[]string{"--listen", "127.0.0.1", "host:port"}},
		"port 0":       {func(o *MosquittoOptions) { o.Listen = "127.0.0.1:0" }, []string{"--listen", "65535"}},
		"port 70000":   {func(o *MosquittoOptions) { o.Listen = "127.0.0.1:70000" }, []string{"--listen", "70000"}},
		"open, no TLS": {func(o *MosquittoOptions) { o.Listen = ":1883" }, []string{"--listen", "--cert"}},
		"a name, no TLS": {func(o *MosquittoOptions) { o.Listen = "broker.example:1883" },
			[]string{"broker.example", "--cert"}},
		"half of TLS": {func(o *MosquittoOptions) { o.Cert = "/a.crt" }, []string{"--cert and --key", "both"}},
		"a folder of 2 lines": {func(o *MosquittoOptions) { o.Folder = "/a\nallow_anonymous true" },
			[]string{"--out", "line breaks"}},
		"a relative folder": {func(o *MosquittoOptions) { o.Folder = "a" }, []string{"--out", "absolute"}},
	} {
		o := outsideOptions()
		x.change(&o)
		f, err := Mosquitto(o)
		var e *playlists.Error
		if !errors.As(err, &e) || e.English().Remedy == "" || f.Conf != nil || f.ACL != nil || f.Passwords != nil {
			t.Errorf("%s: %v, files %v", name, err, f)
			continue
		}
		for _, s := range x.says {
			if !strings.Contains(fmt.Sprint(err), s) {
				t.Errorf("%s: %q does not say %q", name, err, s)
			}
		}
	}
}
