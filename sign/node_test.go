package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"ledcast/sign/wire"
)

// full reports whether tests run at full size: long random runs, every sampled point, and parts that take a process
// of their own for minutes.
func full() bool { return os.Getenv("LEDCAST_FULL") == "1" }

// missing skips a test whose tool or registry is not there. In CI everything must be.
func missing(t *testing.T, why string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(why, args...)
	}
	t.Skipf(why, args...)
}

// node returns a folder with a copy of dir and the npm packages that its lock file names, for tests against other
// people's software. It skips the test where there is no node, npm or registry.
func node(t *testing.T, dir string) string {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing(t, "%s is needed: %v", tool, err)
		}
	}
	// As deep as in the project, whose schemas it may read.
	root := t.TempDir()
	to := filepath.Join(root, "docs", "examples", "copy")
	schemas, err := filepath.Abs("../docs/schemas")
	must(t, err)
	must(t, os.MkdirAll(to, 0o700))
	must(t, os.Symlink(schemas, filepath.Join(root, "docs", "schemas")))
	files, err := os.ReadDir(dir)
	must(t, err)
	for _, f := range files {
		if f.Type().IsRegular() { // node_modules may lie there, of somebody at work
			data, err := os.ReadFile(filepath.Join(dir, f.Name()))
			must(t, err)
			must(t, os.WriteFile(filepath.Join(to, f.Name()), data, 0o600))
		}
	}
	must(t, os.Symlink(packages(t, to), filepath.Join(to, "node_modules")))
	return to
}

// packages returns the node_modules of a lock file. They are fetched once and kept in the user's cache folder.
func packages(t *testing.T, dir string) string {
	t.Helper()
	lock, err := os.ReadFile(filepath.Join(dir, "package-lock.json"))
	must(t, err)
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	cache = filepath.Join(cache, "ledcast-tests")
	kept := filepath.Join(cache, "npm-"+wire.Digest(lock)[:16])
	modules := filepath.Join(kept, "node_modules")
	if _, err := os.Stat(modules); err == nil {
		return modules
	}
	must(t, os.MkdirAll(cache, 0o700))
	fresh, err := os.MkdirTemp(cache, ".npm-")
	must(t, err)
	defer os.RemoveAll(fresh)
	for _, name := range []string{"package.json", "package-lock.json"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		must(t, err)
		must(t, os.WriteFile(filepath.Join(fresh, name), data, 0o600))
	}
	c := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	c.Dir = fresh
	if out, err := c.CombinedOutput(); err != nil {
		missing(t, "npm ci in %s: %v\n%s", dir, err, out)
	}
	// Another test may have been quicker: its packages are the same.
	if err := os.Rename(fresh, kept); err != nil {
		if _, err := os.Stat(modules); err != nil {
			t.Fatal(err)
		}
	}
	return modules
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
