package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// node is a folder with a copy of dir and the npm packages that its lock file
// names, for tests against other people's software. It skips where there is no
// node, npm or registry; not in CI, where they must be.
func node(t *testing.T, dir string) string {
	t.Helper()
	skip := func(why string, args ...any) {
		t.Helper()
		if os.Getenv("CI") == "true" {
			t.Fatalf(why, args...)
		}
		t.Skipf(why, args...)
	}
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			skip("%s is needed: %v", tool, err)
		}
	}
	// As deep as in the project, whose schemas it may read.
	root := t.TempDir()
	to := filepath.Join(root, "docs", "examples", "copy")
	if err := os.MkdirAll(to, 0o700); err != nil {
		t.Fatal(err)
	}
	schemas, err := filepath.Abs("../docs/schemas")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(schemas, filepath.Join(root, "docs", "schemas")); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !f.Type().IsRegular() {
			continue // node_modules of somebody at work
		}
		data, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, f.Name()), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	c.Dir = to
	if out, err := c.CombinedOutput(); err != nil {
		skip("npm ci in %s: %v\n%s", dir, err, out)
	}
	return to
}
