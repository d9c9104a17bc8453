package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
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
	{"assets/...", []string{"assets/..."}, []string{web, sql, paho, gg, yaml}},
	{"playlists/timeline", nil, []string{"net", "os", "time", paho, gg}},
	{"playlists", []string{"playlists/timeline"}, []string{web, sql, paho, gg, yaml}},
	{"playlists/plan", []string{"playlists", "playlists/timeline"}, []string{web, sql, paho, gg, yaml}},
	{"playlists/manifest", []string{"playlists", "playlists/timeline"}, []string{web, sql, paho, gg}},
	{"render", []string{"playlists", "playlists/timeline", "assets/..."}, []string{web, sql, paho}},
	{"sign/wire", []string{"playlists/timeline"}, []string{web, paho, gg}},
	{"sign/accept", []string{"playlists/timeline", "sign/wire"}, []string{"net", paho, gg}},
	{"sign/player", []string{"playlists/timeline", "sign/wire"}, []string{web, paho, gg}},
	{"sign/output", []string{"playlists/timeline", "sign/wire"}, []string{paho, gg}},
	{"sign/link", []string{"playlists/timeline", "sign/wire"}, []string{gg}},
	{"sign/ntp", nil, []string{web, paho, gg}},
	{"sign/crowd", []string{"playlists/timeline", "sign/wire", "sign/accept", "sign/link"}, []string{gg, sql}},
	{"sign/box", []string{"playlists/timeline", "sign/..."}, []string{gg, sql}},
	{"sign", []string{"playlists/timeline", "sign/..."}, []string{gg, sql}},
	{in + "store/...", []string{"playlists", "playlists/timeline", in + "store/..."}, []string{paho, gg, yaml}},
	{in + "admission", []string{"playlists", "playlists/plan", "playlists/timeline"}, []string{web, sql, paho, gg, yaml}},
	{in + "artwork", []string{"playlists", "playlists/timeline", "render", "assets/..."}, []string{paho}},
	{in + "catalogue", []string{"playlists", "playlists/plan", in + "store", in + "admission", in + "artwork", "render"},
		[]string{paho, yaml}},
	{in + "datadir", []string{"playlists", in + "store/..."}, []string{paho, gg}},
	{in + "publish", []string{"playlists", "playlists/plan", "playlists/timeline", "sign/wire", "sign/player"},
		[]string{paho, gg, sql, yaml}},
	{in + "listen", []string{"playlists", "playlists/timeline", "sign/wire"}, []string{paho, gg, sql, yaml}},
	{in + "broker", []string{"playlists", "playlists/timeline", "sign/wire"}, []string{paho, gg, sql, yaml}},
	{in + "alert", []string{"playlists", "playlists/timeline"}, []string{paho, gg, sql, web, yaml}},
	{in + "alert/alerttest", []string{"playlists", "playlists/timeline"}, []string{paho, gg, sql, web, yaml}},
	{in + "clock", []string{"playlists"}, []string{paho, gg, sql, web, yaml}},
	{in + "capinbox", []string{in + "capinbox/cap12", "playlists"}, []string{paho, gg, sql, yaml}},
	{in + "capinbox/cap12", []string{"playlists"}, []string{paho, gg, sql, web, yaml}},
	{in + "rival", []string{"playlists"}, []string{paho, gg, sql, web, yaml}},
	{in + "webhook", []string{"playlists"}, []string{paho, gg, sql, yaml}},
	{in + "report", []string{"playlists", "playlists/plan", "playlists/timeline"}, []string{paho, gg, sql, web, yaml}},
	{in + "history", []string{"playlists", "playlists/plan", "playlists/timeline", in + "publish",
		in + "report", in + "store", "sign/wire"}, []string{paho, gg, yaml}},
	{in + "auth", []string{"playlists", "playlists/timeline"}, []string{paho, gg, sql, yaml}},
	{in + "enrol", []string{"playlists", in + "admission", in + "auth", in + "broker", in + "catalogue", in + "datadir",
		in + "store/...", "sign/box", "sign/wire"}, nil},
	{in + "keys", []string{"playlists", in + "datadir", in + "publish", in + "store", "sign/wire"}, []string{paho, gg}},
	{in + "backup", []string{"playlists", in + "datadir", in + "store"}, []string{paho, gg}},
	{in + "api", []string{"playlists", "playlists/plan", "playlists/timeline", in + "admission", in + "auth"},
		[]string{paho, gg, sql, yaml}},
	{in + "web", []string{"playlists", "playlists/timeline"}, []string{paho, gg, sql, yaml}},
	{in + "app", []string{"assets/...", "playlists/...", "render", "sign/link", "sign/ntp", "sign/wire", in + "admission",
		in + "alert", in + "api",
		in + "artwork", in + "auth", in + "backup", in + "broker", in + "capinbox", in + "catalogue", in + "clock/keeper",
		in + "certificate", in + "datadir", in + "enrol", in + "history", in + "keys", in + "metrics", in + "rival",
		in + "listen", in + "publish", in + "report", in + "store/...", in + "web", in + "webhook"}, nil},
	{in + "clock/keeper", []string{"playlists", in + "api", in + "clock", in + "store/...", "sign/wire"},
		[]string{paho, gg, yaml}},
	{in + "certificate", []string{"playlists"}, []string{paho, gg, sql, yaml}},
	{in + "metrics", []string{"playlists", in + "datadir", in + "listen"}, []string{paho, gg, yaml}},
	{in + "demo", []string{"playlists", in + "app", in + "auth", in + "datadir", in + "enrol", "sign/box"}, nil},
	{in + "simulate", []string{"playlists", in + "app", in + "auth", in + "broker", in + "datadir", in + "enrol",
		in + "store", "sign/crowd", "sign/link", "sign/wire"}, nil},
	{in + "cli", []string{in + "app", in + "artwork", in + "backup", in + "demo", in + "enrol", in + "keys",
		in + "simulate", "render", "playlists/...",
		"assets/...", "sign/wire", "sign/box", "sign/crowd"}, nil},
	{"controller", []string{in + "cli"}, nil},
}

const (
	module = "ledcast/"
	paho   = "github.com/eclipse/paho.mqtt.golang"
	gg     = "github.com/fogleman/gg"
	yaml   = "github.com/goccy/go-yaml"
	web    = "net/http"
	sql    = "database/sql"
	in     = "controller/internal/"
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
	files := []string{"../README.md", "../HACKING.md", "../CHANGELOG.md", "../SECURITY.md"}
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
	// The four documents stand where people and forges look for them.
	want := []string{".ci", ".git", ".gitignore", "CHANGELOG.md", "HACKING.md", "LICENSE", "README.md", "SECURITY.md",
		"assets", "controller", "docs", "go.mod", "go.sum", "playlists", "render", "sign"}
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains(want, e.Name()) {
			t.Errorf("%s stands at the top level", e.Name())
		}
	}
}
