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
	"testing"
)

// start creates a database cluster in a temporary directory and starts a server on a Unix socket there.
func start() (address string, stop func(), err error) {
	dir, bin, cred, err := initialise()
	if err != nil {
		return "", func() {}, err
	}
	end, err := launch(dir, bin, cred)
	if err != nil {
		return "", func() { _ = os.RemoveAll(dir) }, err
	}
	u := url.URL{Scheme: "postgres", User: url.UserPassword("ledcast", "not-asked"), Path: "/postgres",
		RawQuery: url.Values{"host": {dir}}.Encode()}
	return u.String(), func() { end(); _ = os.RemoveAll(dir) }, nil
}

// initialise creates a database cluster in a temporary directory.
func initialise() (dir, bin string, cred *syscall.Credential, err error) {
	bins, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(bins) == 0 {
		return "", "", nil, errNone
	}
	slices.SortFunc(bins, func(a, b string) int { return major(a) - major(b) })
	bin = filepath.Dir(bins[len(bins)-1])
	if dir, err = os.MkdirTemp("", "pg"); err != nil {
		return "", "", nil, err
	}
	if cred, err = chownToPostgres(dir); err != nil {
		return dir, "", nil, err
	}
	// The default collation is that of a language if the server supports ICU. So the tests detect a column without
	// COLLATE "C".
	args := []string{"-D", filepath.Join(dir, "data"), "-U", "ledcast", "-A", "trust", "-E", "UTF8", "--no-sync",
		"--locale=C.UTF-8"}
	icu := append(slices.Clone(args), "--locale-provider=icu", "--icu-locale=vi")
	if _, err := run(dir, cred, filepath.Join(bin, "initdb"), icu...); err != nil {
		if out, err := run(dir, cred, filepath.Join(bin, "initdb"), args...); err != nil {
			_ = os.RemoveAll(dir)
			return dir, "", nil, fmt.Errorf("initdb: %w: %s", err, out)
		}
	}
	return dir, bin, cred, nil
}

// launch starts the server of a cluster. fsync is off, because the tests check statements and not disks.
func launch(dir, bin string, cred *syscall.Credential) (end func(), err error) {
	return serve(dir, cred, filepath.Join(bin, "postgres"), "-D", filepath.Join(dir, "data"), "-k", dir,
		"-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=200")
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

// Server is a PostgreSQL server of one test, which can be stopped and started.
type Server struct {
	DSN string
	t   testing.TB

	dir, bin string
	cred     *syscall.Credential
	end      func()
}

// NewServer starts a server of its own for a test. It skips the test where Database does.
func NewServer(t testing.TB) *Server {
	t.Helper()
	Database(t)
	dir, bin, cred, err := initialise()
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, dir: dir, bin: bin, cred: cred}
	u := url.URL{Scheme: "postgres", User: url.UserPassword("ledcast", "not-asked"), Path: "/postgres",
		RawQuery: url.Values{"host": {dir}}.Encode()}
	s.DSN = u.String()
	s.Start()
	t.Cleanup(func() {
		s.Stop()
		_ = os.RemoveAll(dir)
	})
	return s
}

// Start starts the server again.
func (s *Server) Start() {
	s.t.Helper()
	end, err := launch(s.dir, s.bin, s.cred)
	if err != nil {
		s.t.Fatal(err)
	}
	s.end = end
}

// Stop kills the server.
func (s *Server) Stop() {
	if s.end != nil {
		s.end()
		s.end = nil
	}
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
