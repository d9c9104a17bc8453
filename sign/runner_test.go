package main

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// A runner that lets a wrong answer through would make every implementation
// pass.
func TestRunnerNoticesWrongAnswers(t *testing.T) {
	const name = "alert: it waits for its frames"
	run := func(spoil func(a []vectorAnswer) []vectorAnswer) (string, error) {
		var out bytes.Buffer
		err := runVectors(vectorDir, nil, regexp.MustCompile("^"+name+"$"), func(c vectorCase) ([]vectorAnswer, error) {
			if c.Expect != nil {
				t.Fatal("the answers are sent with the questions")
			}
			a, err := answerHere(c)
			return spoil(a), err
		}, &out)
		return out.String(), err
	}
	if out, err := run(func(a []vectorAnswer) []vectorAnswer { return a }); err != nil ||
		!strings.Contains(out, "1 cases, 0 failed") {
		t.Fatalf("unspoilt: %v\n%s", err, out)
	}
	last := func(a []vectorAnswer, has func(vectorAnswer) bool) *vectorAnswer {
		for i := len(a) - 1; i >= 0; i-- {
			if has(a[i]) {
				return &a[i]
			}
		}
		t.Fatal("nothing to spoil")
		return nil
	}
	acks := func(a vectorAnswer) bool { return len(a.Acks) > 1 }
	face := func(a vectorAnswer) bool { return a.Face != nil }
	for what, spoil := range map[string]func(a []vectorAnswer) []vectorAnswer{
		"an answer too few": func(a []vectorAnswer) []vectorAnswer { return a[1:] },
		"no ack":            func(a []vectorAnswer) []vectorAnswer { last(a, acks).Acks = nil; return a },
		"an ack too few":    func(a []vectorAnswer) []vectorAnswer { p := last(a, acks); p.Acks = p.Acks[1:]; return a },
		"an ack too many": func(a []vectorAnswer) []vectorAnswer {
			p := last(a, acks)
			p.Acks = append(p.Acks, p.Acks[0])
			return a
		},
		"another state":  func(a []vectorAnswer) []vectorAnswer { last(a, acks).Acks[0]["state"] = "ended"; return a },
		"another seq":    func(a []vectorAnswer) []vectorAnswer { last(a, acks).Acks[0]["seq"] = json.Number("7"); return a },
		"a reason":       func(a []vectorAnswer) []vectorAnswer { last(a, acks).Acks[0]["reason"] = "bad-frame"; return a },
		"no face":        func(a []vectorAnswer) []vectorAnswer { last(a, face).Face = nil; return a },
		"other pixels":   func(a []vectorAnswer) []vectorAnswer { last(a, face).Face["rgb_sha256"] = "0"; return a },
		"another offset": func(a []vectorAnswer) []vectorAnswer { last(a, face).Face["offset"] = json.Number("1"); return a },
		"text for a number": func(a []vectorAnswer) []vectorAnswer {
			last(a, face).Face["offset"] = "0"
			return a
		},
	} {
		if out, err := run(spoil); err == nil || !strings.Contains(out, "FAIL "+name) {
			t.Errorf("%s passed: %v\n%s", what, err, out)
		}
	}
}

func TestVectorsCommand(t *testing.T) {
	for _, c := range []struct {
		args     string
		code     int
		out, err string
	}{
		{"vectors ../docs/vectors --run scroll", 0, "4 cases, 0 failed, 0 left out", ""},
		{"vectors ../docs/vectors --run JPEG --without jpeg", 0, "2 cases, 0 failed, 1 left out", ""},
		{"vectors ../docs/vectors --run nothing-is-called-this", 1, "0 cases", "no case ran"},
		{"vectors ../docs/vectors --run scroll -- cat", 1, "FAIL", "4 of 4 cases failed"}, // it answers with the question
		{"vectors ../docs/vectors -- ./no-such-program", 1, "", "no-such-program"},
		{"vectors ../docs", 1, "", "holds no vectors"},
		{"vectors", 2, "", "give the folder"},
		{"vectors ../docs/vectors --run (", 2, "", `"("`},
	} {
		code, out, err := command(t, strings.Fields(c.args)...)
		if code != c.code || !strings.Contains(out, c.out) || !strings.Contains(err, c.err) {
			t.Errorf("sign %s: exit code %d\n%s%s", c.args, code, out, err)
		}
	}
}
