package manifest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"ledcast/playlists"
)

const goodManifest = `# a comment
kind: Owner
id: viet-ads
name: Công ty Việt
---
kind: Sign
id: qn-001
owner: viet-ads
class: 128x64-rgb
areas: [quang-ngai/son-tinh]
---
kind: Message
id: hello
owner: viet-ads
variants:
  - lang: vi
    headline: Xin chào
    body: |-
      hai
      dòng
  - lang: en
    body: Hello
source: {title: "a: b", date: 2021-01-30}
---
kind: Playlist
id: main
owner: viet-ads
items:
  - message: hello
    dwell_ms: 8000
  - message: public/5k
`

func TestParse(t *testing.T) {
	m, err := Parse("a.yaml", []byte(goodManifest))
	if err != nil {
		t.Fatal(err)
	}
	if len(All[*playlists.Owner](m)) != 1 || len(All[*playlists.Sign](m)) != 1 || len(All[*playlists.Message](m)) != 1 ||
		len(All[*playlists.Playlist](m)) != 1 {
		t.Fatalf("parsed as %+v", m)
	}
	if s := All[*playlists.Sign](m)[0]; s.Class != (playlists.Class{W: 128, H: 64, Colour: playlists.RGB}) ||
		s.Areas[0] != "quang-ngai/son-tinh" {
		t.Errorf("sign is %+v", s)
	}
	x := All[*playlists.Message](m)[0]
	if x.Variants[0].Body != "hai\ndòng" || x.Source.Date != "2021-01-30" || x.Source.Title != "a: b" {
		t.Errorf("message is %+v, source %+v", x, x.Source)
	}
	if p := All[*playlists.Playlist](m)[0]; p.Items[0].DwellMS != 8000 || p.Items[1].Message != "public/5k" {
		t.Errorf("playlist is %+v", p)
	}
}

func TestParseErrors(t *testing.T) {
	change := func(old, new string) string {
		if !strings.Contains(goodManifest, old) {
			t.Fatalf("%q is not in the manifest", old)
		}
		return strings.Replace(goodManifest, old, new, 1)
	}
	for name, k := range map[string]struct {
		yaml string
		line int
		want []string // parts of the error
	}{
		"unknown field":       {change("name: Công ty Việt", "nme: Công ty Việt"), 4, []string{"nme"}},
		"unknown inner field": {change("    headline:", "    headlin:"), 17, []string{"headlin"}},
		"wrong type":          {change("dwell_ms: 8000", "dwell_ms: soon"), 30, []string{"soon"}},
		"list for a text":     {change("body: Hello", "body: [1, 2]"), 22, nil},
		"unknown class":       {change("128x64-rgb", "128x64-blue"), 9, []string{"128x64-blue", "rgb, red, amber"}},
		"class not a size":    {change("128x64-rgb", "big"), 9, []string{"big", "<W>x<H>"}},
		"missing kind":        {change("kind: Sign\n", ""), 6, []string{"kind is missing", "Agreement or Campaign"}},
		"unknown kind":        {change("kind: Sign", "kind: Signs"), 6, []string{`kind "Signs"`}},
		"kind is a number":    {change("kind: Sign", "kind: 5"), 6, []string{`kind "5"`}},
		"bad id":              {change("id: hello", "id: Hello There"), 13, []string{"Hello There", "a-z"}},
		"bad area":            {change("quang-ngai/son-tinh", "Quảng Ngãi"), 10, []string{"areas[0]", "quang-ngai/son-tinh"}},
		"bad date":            {change("2021-01-30", "2021-02-30"), 23, []string{"source.date", "2021-02-30", "YYYY-MM-DD"}},
		"missing lang":        {change("  - lang: en\n    body", "  - body"), 21, []string{"variants[1].lang"}},
		"no text":             {"kind: Message\nid: aa\nowner: bb\n", 1, []string{"messages/aa", "no text"}},
		"twice": {goodManifest + "---\nkind: Owner\nid: viet-ads\nname: x\n", 33,
			[]string{"viet-ads", "line 2"}},
		"key twice":  {change("id: qn-001\n", "id: qn-001\nid: qn-002\n"), 8, nil},
		"not YAML":   {"kind: Owner\n\tid: x\n", 2, nil},
		"open quote": {"kind: \"Owner\nid: x\n", 1, nil},
		"a list":     {"- kind: Owner\n", 1, []string{"not a document with fields"}},
		"a word":     {"hello\n", 1, []string{"hello"}},
		"nothing":    {"# only a comment\n", 1, []string{"no YAML document"}},
		"anchor":     {"kind: Owner\nid: &a x\nname: *a\n", 2, []string{"anchor"}},
		"merge":      {"kind: Owner\n<<: {id: xx}\nname: x\n", 2, nil},
		"deep":       {"kind: " + strings.Repeat("[", 40) + "\n", 1, []string{"limit of 32"}},
		"deep block": {"kind:\n" + strings.Repeat("- ", 500) + "x\n", 2, []string{"limit of 32"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("a.yaml", []byte(k.yaml))
			var e *playlists.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v (%T)", err, err)
			}
			line := e.Error()
			if e.File != "a.yaml" || e.Line != k.line || e.English().Remedy == "" || strings.Contains(line, "\n") {
				t.Errorf("got %q, want a.yaml:%d and a remedy on one line", line, k.line)
			}
			for _, w := range k.want {
				if !strings.Contains(line, w) {
					t.Errorf("%q does not contain %q", line, w)
				}
			}
		})
	}
}

func TestParseLimits(t *testing.T) {
	var e *playlists.Error
	if _, err := Parse("a.yaml", make([]byte, MaxBytes+1)); !errors.As(err, &e) || e.Code != playlists.TooLarge {
		t.Errorf("over the limit: %v", err)
	}
	// An alias bomb and a large file of small things must be rejected quickly.
	bomb := "kind: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'z'; c++ {
		bomb += string(c) + ": &" + string(c) + " [" + strings.TrimSuffix(strings.Repeat("*"+string(c-1)+",", 9), ",") + "]\n"
	}
	start := time.Now()
	if _, err := Parse("a.yaml", []byte(bomb)); err == nil {
		t.Error("an alias bomb was accepted")
	}
	many := strings.Repeat("kind: Owner\nid: aa\nname: b\n---\n", 4000)
	if _, err := Parse("a.yaml", []byte(many)); err == nil {
		t.Error("4,000 documents with the same owner were accepted")
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %v, more than 2 s", took)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(goodManifest))
	f.Add([]byte("kind: Owner\nid: &a x\nname: *a\n"))
	f.Add([]byte("? - ? - a\n: b\n"))
	f.Add([]byte("kind: !!binary x\n---\n...\n%YAML 1.2\n"))
	f.Add([]byte("a: |\n  b\n c: >-\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Parse("f.yaml", data)
		if err != nil {
			var e *playlists.Error
			if !errors.As(err, &e) || e.File != "f.yaml" || strings.Contains(e.Error(), "\n") {
				t.Fatalf("%q: %v", data, err)
			}
			return
		}
		for i := range All[*playlists.Message](m) {
			if err := All[*playlists.Message](m)[i].Validate(); err != nil {
				t.Fatalf("%q: accepted, but %v", data, err)
			}
		}
	})
}
