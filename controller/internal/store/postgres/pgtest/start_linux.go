package pgtest

import (
	"bufio"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// start makes a cluster in a temporary folder and serves it on a socket there.
// It syncs nothing: the tests are about what SQL does, not about disks.
func start() (address string, stop func(), err error) {
	stop = func() {}
	bins, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(bins) == 0 {
		return "", stop, errNone
	}
	slices.SortFunc(bins, func(a, b string) int { return major(a) - major(b) })
	bin := filepath.Dir(bins[len(bins)-1])
	dir, err := os.MkdirTemp("", "pg")
	if err != nil {
		return "", stop, err
	}
	stop = func() { _ = os.RemoveAll(dir) } // it is a temporary folder
	cred, err := owner(dir)
	if err != nil {
		return "", stop, err
	}
	data := filepath.Join(dir, "data")
	// A language's order by default, where the server knows one, so that the
	// suite sees whether the tables sort bytewise by themselves.
	args := []string{"-D", data, "-U", "ledcast", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C.UTF-8"}
	icu := append(slices.Clone(args), "--locale-provider=icu", "--icu-locale=vi")
	if _, err := run(dir, cred, filepath.Join(bin, "initdb"), icu...); err != nil {
		if out, err := run(dir, cred, filepath.Join(bin, "initdb"), args...); err != nil {
			return "", stop, fmt.Errorf("initdb: %w: %s", err, out)
		}
	}
	end, err := serve(dir, cred, filepath.Join(bin, "postgres"), "-D", data, "-k", dir,
		"-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=200")
	if err != nil {
		return "", stop, err
	}
	u := url.URL{Scheme: "postgres", User: url.UserPassword("ledcast", "not-asked"), Path: "/postgres",
		RawQuery: url.Values{"host": {dir}}.Encode()}
	return u.String(), func() { end(); _ = os.RemoveAll(dir) }, nil
}

func major(path string) int {
	n, _ := strconv.Atoi(strings.Split(path, "/")[4]) // 0 sorts first
	return n
}

// owner gives the folder to the user postgres when root runs the tests:
// PostgreSQL refuses to run as root.
func owner(dir string) (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, os.Chown(dir, uid, gid)
}

func command(dir string, cred *syscall.Credential, name string, args ...string) *exec.Cmd {
	c := exec.Command(name, args...)
	c.Dir, c.Env = dir, append(os.Environ(), "LC_ALL=C.UTF-8")
	c.SysProcAttr = &syscall.SysProcAttr{Credential: cred, Pdeathsig: syscall.SIGQUIT, Setpgid: true}
	return c
}

func run(dir string, cred *syscall.Credential, name string, args ...string) ([]byte, error) {
	runtime.LockOSThread() // Pdeathsig is the thread's death, not the process's
	defer runtime.UnlockOSThread()
	return command(dir, cred, name, args...).CombinedOutput()
}

// serve runs the server and returns when it takes connections.
func serve(dir string, cred *syscall.Credential, name string, args ...string) (end func(), err error) {
	ready, over := make(chan error, 1), make(chan struct{})
	c := command(dir, cred, name, args...)
	said, err := c.StderrPipe()
	if err != nil {
		return nil, err
	}
	go func() {
		defer close(over)
		runtime.LockOSThread() // until the server has ended, as in run
		if err := c.Start(); err != nil {
			ready <- err
			return
		}
		var first strings.Builder
		lines, up := bufio.NewScanner(said), false
		for lines.Scan() {
			if !up {
				first.WriteString(lines.Text() + "\n")
			}
			if !up && strings.Contains(lines.Text(), "ready to accept connections") {
				up = true
				ready <- nil
			}
		}
		err := c.Wait()
		if !up {
			ready <- fmt.Errorf("postgres: %w: %s", err, first.String())
		}
	}()
	if err := <-ready; err != nil {
		return nil, err
	}
	return func() {
		_ = c.Process.Signal(syscall.SIGQUIT) // at once: the folder goes away
		<-over
	}, nil
}
