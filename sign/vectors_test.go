package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"testing"

	"ledcast/sign/wire"
)

var update = flag.Bool("update", false, "write docs/vectors anew")

const vectorDir = "../docs/vectors"

func suites(t testing.TB) map[string]*suite {
	return map[string]*suite{
		"alerts":    alertVectors(t),
		"clock":     clockVectors(t),
		"documents": documentVectors(t),
		"frames":    frameVectors(t),
		"keys":      keyVectors(t),
		"timeline":  timelineVectors(t),
	}
}

func sortCases(s *suite) {
	sort.SliceStable(s.file.Cases, func(i, k int) bool { return s.file.Cases[i].Name < s.file.Cases[k].Name })
}

// The files say what the code that makes them says: the cases are written by
// hand there, the bytes are signed with keys of fixed seeds.
func TestVectorsAreAsTheyAreMade(t *testing.T) {
	for name, s := range suites(t) {
		var buf bytes.Buffer
		e := json.NewEncoder(&buf)
		e.SetEscapeHTML(false)
		e.SetIndent("", " ")
		if err := e.Encode(s.file); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(vectorDir, name+".json")
		if *update {
			if err := os.WriteFile(path, buf.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		had, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(had, buf.Bytes()) {
			t.Errorf("%s is not what the tests make; run go test ./sign -run Vectors -update and read the difference", path)
		}
	}
}

// This sign passes, and the vectors hold what they promise.
func TestVectors(t *testing.T) {
	var out bytes.Buffer
	if err := runVectors(vectorDir, nil, regexp.MustCompile(""), answerHere, &out); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
	reasons, names := map[string]int{}, map[string]bool{}
	paths, _ := filepath.Glob(filepath.Join(vectorDir, "*.json"))
	for _, p := range paths {
		cases, err := readVectors(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			if names[c.Name] {
				t.Errorf("two cases are called %q", c.Name)
			}
			names[c.Name] = true
			for _, e := range c.Expect {
				for _, a := range e.Acks {
					if r, ok := a["reason"].(string); ok {
						reasons[r]++
					}
				}
			}
		}
	}
	if len(names) < 80 {
		t.Errorf("%d cases, want at least 80", len(names))
	}
	for _, r := range []wire.Reason{wire.TooLarge, wire.BadHeader, wire.UnknownKey, wire.BadSignature, wire.BadDocument,
		wire.WrongSign, wire.WrongClass,
		wire.WrongEpoch, wire.StaleSeq, wire.NotYet, wire.Expired, wire.MissingFrame, wire.BadFrame} {
		if reasons[string(r)] < 2 {
			t.Errorf("the reason %s stands %d times, want twice", r, reasons[string(r)])
		}
	}
	t.Log(len(names), "cases; reasons:", reasons)
}
