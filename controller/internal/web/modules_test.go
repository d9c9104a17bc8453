package web

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// needs skips the test where a tool is missing; in CI it fails.
func needs(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err == nil {
			continue
		}
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is missing", tool)
		}
		t.Skipf("%s is missing", tool)
	}
}

// typescript returns the path of the checker that package.json pins. It is
// installed once, into the user's cache.
func typescript(t *testing.T) string {
	t.Helper()
	var pinned struct{ DevDependencies struct{ TypeScript string } }
	text, err := os.ReadFile("package.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &pinned); err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	cache = filepath.Join(cache, "ledcast-test")
	folder := filepath.Join(cache, "typescript-"+pinned.DevDependencies.TypeScript)
	tsc := filepath.Join(folder, "node_modules", "typescript", "lib", "tsc.js")
	if _, err := os.Stat(tsc); err == nil {
		return tsc
	}
	needs(t, "npm")
	if err := os.MkdirAll(cache, 0o755); err != nil {
		t.Fatal(err)
	}
	// Another test may install it at the same time: whoever is first moves its
	// folder into place.
	fresh, err := os.MkdirTemp(cache, "typescript-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(fresh)
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile(filepath.Join(fresh, name), text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = fresh
	if out, err := cmd.CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("npm ci: %v\n%s", err, out)
		}
		t.Skipf("npm ci: %v\n%s", err, out)
	}
	if err := os.Rename(fresh, folder); err != nil {
		if _, there := os.Stat(tsc); there != nil {
			t.Fatal(err)
		}
	}
	return tsc
}

// The modules that begin with // @ts-check keep the types of the API and their
// own, and those of tsconfig.strict.json are typed throughout.
func TestModulesAreTyped(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; left out with -short")
	}
	needs(t, "node")
	tsc := typescript(t)
	for _, config := range []string{"tsconfig.json", "tsconfig.strict.json"} {
		if out, err := exec.Command("node", tsc, "-p", config, "--pretty", "false").CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", config, err, out)
		}
	}
}

// The modules without a page are tested by node itself.
func TestModules(t *testing.T) {
	needs(t, "node")
	tests, err := filepath.Glob("statictest/*.test.js")
	if err != nil || len(tests) == 0 {
		t.Fatalf("no tests in statictest: %v", err)
	}
	if out, err := exec.Command("node", append([]string{"--test"}, tests...)...).CombinedOutput(); err != nil {
		t.Errorf("node --test: %v\n%s", err, out)
	}
}

// What only the checker and the tests read is not sent.
func TestOnlyModulesAreSent(t *testing.T) {
	sent, err := fs.Glob(static, "static/*")
	if err != nil || len(sent) < 40 {
		t.Fatalf("%d files: %v", len(sent), err)
	}
	for _, name := range sent {
		if strings.HasSuffix(name, ".d.ts") || strings.Contains(name, "test") {
			t.Errorf("%s is sent", name)
		}
	}
}
