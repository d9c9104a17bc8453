package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// command runs the program and gives its exit code and both outputs.
func command(t *testing.T, args ...string) (int, string, string) {
	t.Helper()
	var out, err bytes.Buffer
	code := run(t.Context(), args, &out, &err)
	return code, out.String(), err.String()
}

// bench is a folder with a sign's config, its key set and documents.
func bench(t *testing.T) (dir string, put func(name string, doc []byte) string) {
	t.Helper()
	dir = t.TempDir()
	put = func(name string, doc []byte) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, doc, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	put("sign.json", mustJSON(map[string]any{"sign": "qn-001", "class": class, "broker": "mqtt://127.0.0.1:1",
		"root": wire.EncodeKey(pubOf(rootKey)), "root_spare": wire.EncodeKey(pubOf(spareKey))}))
	m := newSuite(t, "").make("", class)
	put("keys.jws", m.seal(rootKey, wire.TypKeys, keySet()))
	return dir, put
}

func TestInspect(t *testing.T) {
	dir, put := bench(t)
	m := newSuite(t, "").make("", class)
	other := program()
	other.Sign = "qn-002"
	changed := m.seal(programKey, wire.TypProgram, program())
	changed[len(changed)/2] ^= 1
	put("program.jws", append(m.seal(programKey, wire.TypProgram, program()), '\n'))
	put("other.jws", m.seal(programKey, wire.TypProgram, other))
	put("changed.jws", changed)
	put("alerts.jws", m.seal(alertsKey, wire.TypAlerts, alertSet(0, storm())))
	put("by-stranger.jws", m.seal(strangerKey, wire.TypKeys, keySet()))
	put("request.jws", m.seal(requestKey, wire.TypRequest,
		&wire.SignRequest{Header: wire.NewHeader(wire.RoleRequest, 1, 1, now, 300), Sign: "qn-001", ID: "a",
			Op: wire.OpSnapshot}))
	put("rubbish", []byte("hello"))
	bad := program()
	bad.Items[0].Steps = []timeline.Step{}
	put("bad.jws", m.seal(programKey, wire.TypProgram, bad))
	const at = "--time=2026-01-01T00:00:10+07:00" // 10 s after now: the second item
	for _, c := range []struct {
		args string
		code int
		out  []string // all of these on standard output
		err  string   // on standard error
	}{
		{"program.jws --config=sign.json --keys=keys.jws", 0, []string{"program for qn-001",
			"one two", "it shows two (program)", "accepted"}, ""},
		{"program.jws --config=sign.json --keys=keys.jws --json", 0, []string{`"sign": "qn-001"`}, ""},
		{"program.jws", 1, []string{"program for qn-001", "not checked: wrong-sign"}, "unknown-key"},
		{"program.jws --keys=keys.jws", 1, []string{"one two"}, "--config"},
		{"program.jws --config=sign.json --keys=by-stranger.jws", 1, nil, "its key set: unknown-key"},
		{"program.jws --config=sign.json --keys=keys.jws --time=2026-01-09T00:00:00+07:00", 1, []string{"(comm-loss)"},
			"expired"},
		{"program.jws --config=sign.json --keys=keys.jws --typ=alerts", 1, nil, "bad-header"},
		{"other.jws --config=sign.json --keys=keys.jws", 1, []string{"program for qn-002"}, "wrong-sign"},
		{"changed.jws --config=sign.json --keys=keys.jws", 1, nil, "bad-signature"},
		{"bad.jws --config=sign.json --keys=keys.jws", 1, []string{"cannot be read"}, "bad-document: items[0]"},
		{"alerts.jws --config=sign.json --keys=keys.jws", 0, []string{"storm, priority 200", "accepted"}, ""},
		{"request.jws --config=sign.json --keys=keys.jws", 0, []string{"request, epoch 1, seq 1"}, ""},
		{"keys.jws --config=sign.json", 0, []string{kidOf(alertsKey) + " may sign alerts", "accepted"}, ""},
		{"by-stranger.jws --config=sign.json", 1, nil, "none of this sign's roots"},
		{"rubbish", 1, nil, "bad-header"},
		{"missing", 1, nil, "missing"},
		{"", 2, nil, "give one file"},
		{"program.jws --typ=song", 2, nil, `"song"`},
		{"program.jws --time=noon", 2, nil, `"noon"`},
		{"program.jws --colour", 2, nil, "--colour"},
		{"--topic=led/v1/keys", 2, nil, "--config"},
		{"--topic=led/v1/lights --config=sign.json", 2, nil, "led/v1/lights"},
	} {
		t.Run(c.args, func(t *testing.T) {
			args := []string{"inspect"}
			for _, a := range strings.Fields(c.args) {
				switch flag, file, isFlag := strings.Cut(a, "="); {
				case isFlag && (flag == "--config" || flag == "--keys"):
					a = flag + "=" + filepath.Join(dir, file)
				case !isFlag && !strings.HasPrefix(a, "-"):
					a = filepath.Join(dir, a)
				}
				args = append(args, a)
			}
			if !strings.Contains(c.args, "--time") {
				args = append(args, at)
			}
			code, out, err := command(t, args...)
			if code != c.code {
				t.Errorf("exit code %d, want %d; %s", code, c.code, err)
			}
			for _, want := range c.out {
				if !strings.Contains(out, want) {
					t.Errorf("no %q in\n%s", want, out)
				}
			}
			if !strings.Contains(err, c.err) || (c.err == "") != (err == "") {
				t.Errorf("on standard error: %q, want %q", err, c.err)
			}
			if strings.Count(err, "\n") > 1 {
				t.Errorf("more than one line: %q", err)
			}
			if strings.Contains(c.args, "--json") && !json.Valid([]byte(out)) {
				t.Errorf("not JSON: %s", out)
			}
		})
	}
}

// A broker that is not there is said in one line, with its address.
func TestInspectWithoutBroker(t *testing.T) {
	dir, _ := bench(t)
	code, _, err := command(t, "inspect", "--config="+filepath.Join(dir, "sign.json"), "--topic=led/v1/keys")
	if code != 1 || !strings.Contains(err, "mqtt://127.0.0.1:1") || strings.Count(err, "\n") != 1 {
		t.Errorf("exit code %d: %q", code, err)
	}
}
