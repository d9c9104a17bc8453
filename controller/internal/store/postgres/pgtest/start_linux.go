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

// start creates a database cluster in a temporary directory and starts a server on a Unix socket there. fsync is
// off, because the tests check statements and not disks.
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
	stop = func() { _ = os.RemoveAll(dir) }
	cred, err := chownToPostgres(dir)
	if err != nil {
		return "", stop, err
	}
	data := filepath.Join(dir, "data")
	// The default collation is that of a language if the server supports ICU. So the tests detect a column without
	// COLLATE "C".
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
	n, _ := strconv.Atoi(strings.Split(path, "/")[4]) // an unparsable version sorts first
	return n
}

// chownToPostgres makes the user postgres the owner of dir if root runs the tests, because PostgreSQL refuses to
// run as root.
func chownToPostgres(dir string) (*syscall.Credential, error) {
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
	runtime.LockOSThread() // Pdeathsig is sent when the thread ends, not the process
	defer runtime.UnlockOSThread()
	return command(dir, cred, name, args...).CombinedOutput()
}

// serve starts the server and returns when it accepts connections.
func serve(dir string, cred *syscall.Credential, name string, args ...string) (end func(), err error) {
	ready, exited := make(chan error, 1), make(chan struct{})
	c := command(dir, cred, name, args...)
	stderr, err := c.StderrPipe()
	if err != nil {
		return nil, err
	}
	go func() {
		defer close(exited)
		runtime.LockOSThread() // until the server has exited, as in run
		if err := c.Start(); err != nil {
			ready <- err
			return
		}
		var first strings.Builder
		lines, up := bufio.NewScanner(stderr), false
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
		_ = c.Process.Signal(syscall.SIGQUIT) // immediate shutdown: the directory is removed next
		<-exited
	}, nil
}
