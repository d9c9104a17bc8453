// Package pgtest provides a PostgreSQL server for tests: the one at the address in LEDCAST_POSTGRES, e.g.
// "postgres://user:password@host:5432/postgres", or else that of Debian's package, started in a temporary
// directory. All tests of a process use one server. Every test has its own database.
//
// A package that uses it must call Main from its TestMain.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Variable is the environment variable with the address of an existing server. The user must be allowed to create
// databases.
const Variable = "LEDCAST_POSTGRES"

// errNone is the error if PostgreSQL is not installed.
var errNone = errors.New("no PostgreSQL: install Debian's package postgresql, or set " + Variable)

var (
	startOnce sync.Once
	server    *url.URL
	startErr  error
	stop      = func() {}
	count     atomic.Int64
)

// Main runs the tests and stops the server. It returns the exit code.
func Main(m *testing.M) int {
	defer func() { stop() }()
	return m.Run()
}

// Database creates an empty database, returns its address, and drops it at the end of the test. It skips the test
// unless LEDCAST_FULL or LEDCAST_POSTGRES is set, because a server takes seconds to start. If PostgreSQL is not
// installed, it skips the test too, or fails it with CI=true.
func Database(t testing.TB) (dsn string) {
	t.Helper()
	if os.Getenv("LEDCAST_FULL") == "" && os.Getenv(Variable) == "" {
		t.Skip("set LEDCAST_FULL=1 to test with PostgreSQL")
	}
	startOnce.Do(begin)
	if errors.Is(startErr, errNone) && os.Getenv("CI") != "true" {
		t.Skip(startErr)
	}
	if startErr != nil {
		t.Fatal(startErr)
	}
	name := fmt.Sprintf("ledcast_test_%d_%d", os.Getpid(), count.Add(1))
	admin(t, `CREATE DATABASE `+name)
	t.Cleanup(func() { admin(t, `DROP DATABASE `+name+` WITH (FORCE)`) })
	u := *server
	u.Path = "/" + name
	return u.String()
}

func begin() {
	address := os.Getenv(Variable)
	if address == "" {
		address, stop, startErr = start()
	}
	if startErr == nil {
		server, startErr = url.Parse(address)
	}
}

func admin(t testing.TB, statement string) {
	t.Helper()
	Exec(t, server.String(), statement)
}

// Exec runs a statement on a new connection.
func Exec(t testing.TB, dsn, statement string) {
	t.Helper()
	ctx := context.Background() // the context of the test is done during cleanup
	c, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(ctx) }() // the statement has already succeeded or failed
	if _, err := c.Exec(ctx, statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
