package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ledcast/playlists/timeline"
	"ledcast/sign/wire"
)

// The schemas and the AsyncAPI file are judged by other people's software: what
// our sign says and accepts fits them, what it refuses for its form does not.
func TestSchemas(t *testing.T) {
	if testing.Short() {
		t.Skip("it judges some 300 documents in another process")
	}
	t.Parallel()
	dir := node(t, "testdata/schemas")
	docs, err := filepath.Abs("../docs")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "check.mjs", filepath.Join(docs, "schemas"), filepath.Join(docs, "asyncapi.yaml"))
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(10*time.Minute, func() { _ = cmd.Process.Kill() })
	t.Cleanup(func() { late.Stop(); _ = in.Close(); _, _ = io.Copy(io.Discard, out); _ = cmd.Wait() })
	lines := bufio.NewReader(out)
	type verdict struct {
		Errors []string
		Refs   int
	}
	answer := func() (v verdict) {
		t.Helper()
		line, err := lines.ReadBytes('\n')
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	if v := answer(); len(v.Errors) > 0 || v.Refs < 40 {
		t.Errorf("asyncapi.yaml: %d references, %v", v.Refs, v.Errors)
	}
	judge := func(schema string, value any, fits bool) {
		t.Helper()
		if err := json.NewEncoder(in).Encode(map[string]any{"schema": schema, "value": value}); err != nil {
			t.Fatal(err)
		}
		if v := answer(); (len(v.Errors) == 0) != fits {
			t.Errorf("%s: errors %v of %s", schema, v.Errors, mustJSON(value))
		}
	}

	// What the vectors' documents say, by what the sign says of it.
	n := map[bool]int{}
	for _, s := range suites(t) {
		for _, c := range s.file.Cases {
			for i, e := range c.Events {
				role, payload := payloadOf(e.Topic, s.file.Payloads[e.Payload].Text)
				if payload == nil {
					continue
				}
				reasons := text(c.Expect[i].Acks)
				switch {
				case strings.Contains(reasons, `"bad-document"`):
					// A schema cannot say everything: not all of these fail it.
					if formless(c.Name) {
						judge(role, payload, false)
						n[false]++
					}
				case role != "keys" && !strings.Contains(reasons, `"rejected"`), strings.Contains(reasons, `"stale-seq"`),
					strings.Contains(reasons, `"expired"`):
					judge(role, payload, true)
					n[true]++
				}
			}
		}
	}
	if n[true] < 50 || n[false] < 12 {
		t.Errorf("judged %d good and %d bad documents of the vectors", n[true], n[false])
	}
	judge("keys", keySet(), true)
	bad := keySet()
	bad.Keys[0].X += "="
	judge("keys", bad, false)
	judge("played", wire.Played{V: 1, Sign: "qn-001", Chain: "c", N: 1, FromMS: 1, UntilMS: 2,
		Plays: []wire.Play{{Why: timeline.WhyDark, Count: 1, MS: 1}}}, true)
	judge("played", wire.Played{V: 1, Sign: "qn-001", Chain: "", N: 1, Plays: []wire.Play{}}, false)

	// And what the sign says of itself in all of them.
	for _, s := range suites(t) {
		for _, c := range s.file.Cases[:min(20, len(s.file.Cases))] {
			for k := range c.Events {
				if p := c.Events[k].Payload; p != "" {
					c.Events[k].Base64 = s.file.Payloads[p].base64()
				}
			}
			answers, err := answerHere(c)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range answers {
				for _, k := range a.Acks {
					judge("ack", k, true)
				}
				if a.Status != nil {
					judge("status", a.Status, true)
				}
			}
		}
	}
	judge("ack", map[string]any{"v": 1, "at_ms": 1, "role": "keys", "epoch": 1, "seq": 1, "state": "received"}, false)
	judge("status", map[string]any{"v": 1, "state": "asleep", "session": "a", "at_ms": 1}, false)
}

// formless are the bad documents whose fault a schema can name.
func formless(name string) bool {
	for _, n := range []string{"an array", "a member that is missing", "a name in capitals", "a fraction",
		"a number beyond", "a number in quotes", "version 2",
		"an empty loop", "an empty item", "a step of 99 ms", "a fallback below dark", "32,768 pixels", "along z",
		"digest in capitals", "900 KiB", "kind of frame",
		"101 percent", "a cycle of 0", "501 signs", "17 alerts", "without steps"} {
		if strings.Contains(name, n) {
			return true
		}
	}
	return false
}

// payloadOf is the kind of a document by its topic, and what it says, as JSON.
func payloadOf(topic, doc string) (kind string, payload json.RawMessage) {
	for kind, typ := range map[string]string{"keys": wire.TypKeys, "program": wire.TypProgram,
		"request": wire.TypRequest} {
		if strings.HasSuffix(topic, "/"+kind) {
			if s, err := wire.Split([]byte(doc), typ); err == nil && json.Valid(s.Payload) {
				return kind, s.Payload
			}
		}
	}
	for _, typ := range []string{wire.TypAlerts, wire.TypAlertsTest} {
		if s, err := wire.Split([]byte(doc), typ); err == nil && json.Valid(s.Payload) && strings.HasSuffix(topic, "-rgb") {
			return "alerts", s.Payload
		}
	}
	return "", nil
}
