package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"regexp"
	"strings"
	"testing"
)

// The import table of docs/architecture.md. A package may import of ours what
// its row names (a trailing /... covers what lies below), itself below, and
// nothing else; never names packages of others that it must not reach even
// indirectly.
var house = []struct {
	pkg   string
	may   []string
	never []string
}{
	{"assets/...", []string{"assets/..."}, []string{"net/http", "database/sql", paho, gg}},
	{"playlists/timeline", nil, []string{"net", "os", "time", paho, gg}},
	{"playlists", []string{"playlists/timeline"}, []string{"net/http", "database/sql", paho, gg}},
	{"render", []string{"playlists", "playlists/timeline", "assets/..."}, []string{"net/http", "database/sql", paho}},
	{"sign/wire", []string{"playlists/timeline"}, []string{"net/http", paho, gg}},
	{"sign/accept", []string{"playlists/timeline", "sign/wire"}, []string{"net", paho, gg}},
	{"sign/player", []string{"playlists/timeline", "sign/wire"}, []string{"net/http", paho, gg}},
	{"sign/output", []string{"playlists/timeline", "sign/wire"}, []string{paho, gg}},
	{"sign/link", []string{"playlists/timeline", "sign/wire"}, []string{gg}},
	{"sign/crowd", []string{"playlists/timeline", "sign/wire", "sign/accept", "sign/link"}, []string{gg, "database/sql"}},
	{"sign/box", []string{"playlists/timeline", "sign/..."}, []string{gg, "database/sql"}},
	{"sign", []string{"playlists/timeline", "sign/..."}, []string{gg, "database/sql"}},
	{"controller/internal/store/...", []string{"playlists", "playlists/timeline", "controller/internal/store/..."}, []string{paho, gg}},
	{"controller/internal/artwork", []string{"playlists", "playlists/timeline", "render", "assets/..."}, []string{paho}},
	{"controller/internal/publish", []string{"playlists", "playlists/timeline", "sign/wire", "sign/player"}, []string{paho, gg, "database/sql"}},
	{"controller/internal/listen", []string{"playlists", "playlists/timeline", "sign/wire"}, []string{paho, gg, "database/sql"}},
	{"controller/internal/broker", []string{"playlists", "playlists/timeline", "sign/wire"}, []string{paho, gg, "database/sql"}},
	{"controller/internal/alert", []string{"controller/internal/alert/cap12", "playlists", "playlists/timeline"}, []string{paho, gg, "database/sql"}},
	{"controller/internal/alert/cap12", []string{"playlists"}, []string{paho, gg, "database/sql", "net/http"}},
	{"controller/internal/report", []string{"playlists", "playlists/timeline"}, []string{paho, gg, "database/sql", "net/http"}},
	{"controller/internal/auth", []string{"playlists", "playlists/timeline"}, []string{paho, gg, "database/sql"}},
	{"controller/internal/api", []string{"playlists", "playlists/timeline", "controller/internal/auth"}, []string{paho, gg, "database/sql"}},
	{"controller/internal/web", []string{"playlists", "playlists/timeline"}, []string{paho, gg, "database/sql"}},
	{"controller/internal/app", []string{"assets/...", "playlists", "playlists/timeline", "render", "sign/...", "controller/internal/..."}, nil},
	{"controller/internal/cli", []string{"controller/internal/app", "controller/internal/artwork", "render", "playlists", "playlists/timeline", "assets/...", "sign/wire", "sign/box", "sign/crowd"}, nil},
	{"controller", []string{"controller/internal/cli"}, nil},
}

const (
	module = "ledcast/"
	paho   = "github.com/eclipse/paho.mqtt.golang"
	gg     = "github.com/fogleman/gg"
)

type goPackage struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func TestWhoMayImportWhom(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-json=ImportPath,Imports,Deps", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	seen := map[string]bool{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		name, ours := strings.CutPrefix(p.ImportPath, module)
		if !ours {
			continue
		}
		row := -1
		for i := range house {
			if covers(house[i].pkg, name) {
				row = i
				break
			}
		}
		if row < 0 {
			t.Errorf("%s has no row in the import table; say in docs/architecture.md and here what it may import", name)
			continue
		}
		seen[house[row].pkg] = true
		for _, imp := range p.Imports {
			of, ours := strings.CutPrefix(imp, module)
			if ours && !coveredByAny(house[row].may, of) {
				t.Errorf("%s imports %s, which the import table does not allow", name, of)
			}
		}
		for _, dep := range p.Deps {
			for _, never := range house[row].never {
				if dep == never {
					t.Errorf("%s reaches %s, which it never may", name, never)
				}
			}
		}
	}
	for _, h := range house {
		if !seen[h.pkg] {
			t.Errorf("the import table has a row for %s, which does not exist", h.pkg)
		}
	}
}

func covers(pattern, name string) bool {
	if below, ok := strings.CutSuffix(pattern, "/..."); ok {
		return name == below || strings.HasPrefix(name, below+"/")
	}
	return pattern == name
}

func coveredByAny(patterns []string, name string) bool {
	for _, p := range patterns {
		if covers(p, name) {
			return true
		}
	}
	return false
}

// What README and docs point to must be there.
func TestLinksLead(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	docs, err := os.ReadDir("../docs")
	if err != nil {
		t.Fatal(err)
	}
	files := []string{"../README.md"}
	for _, d := range docs {
		if path.Ext(d.Name()) == ".md" {
			files = append(files, "../docs/"+d.Name())
		}
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(path.Join(path.Dir(f), m[1])); err != nil {
				t.Errorf("%s points to %s, which is not there", f, m[1])
			}
		}
	}
}

// The top level is the user's: nothing is added to it without a strong reason.
func TestTopLevel(t *testing.T) {
	want := map[string]bool{"README.md": true, "LICENSE": true, "go.mod": true, "go.sum": true, "assets": true, "controller": true,
		"docs": true, "playlists": true, "render": true, "sign": true, ".ci": true, ".git": true, ".gitignore": true}
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !want[e.Name()] {
			t.Errorf("%s stands at the top level", e.Name())
		}
	}
}
