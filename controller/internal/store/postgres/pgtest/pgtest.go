// Package pgtest gives tests a PostgreSQL of their own: the one that
// LEDCAST_POSTGRES names, e.g. "postgres://user:password@host:5432/postgres",
// or else Debian's, started in a temporary folder, one server for the process
// and one database for each test.
//
// A package that uses it calls Main from its TestMain.
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

// Variable names a server whose user may create databases.
const Variable = "LEDCAST_POSTGRES"

// errNone says that there is no PostgreSQL on this machine.
var errNone = errors.New("no PostgreSQL: install Debian's package postgresql, or set " + Variable)

var (
	begun   sync.Once
	server  *url.URL
	problem error
	stop    = func() {}
	count   atomic.Int64
)

// Main runs the tests and stops the server. It returns the exit code.
func Main(m *testing.M) int {
	defer func() { stop() }()
	return m.Run()
}

// Database makes an empty database that lives as long as the test, and returns
// its address. It skips the test unless LEDCAST_FULL or LEDCAST_POSTGRES is set:
// a server takes seconds to start. Where there is no PostgreSQL it skips the test
// too, or fails it with CI=true.
func Database(t testing.TB) (dsn string) {
	t.Helper()
	if os.Getenv("LEDCAST_FULL") == "" && os.Getenv(Variable) == "" {
		t.Skip("set LEDCAST_FULL=1 to test with PostgreSQL")
	}
	begun.Do(begin)
	if errors.Is(problem, errNone) && os.Getenv("CI") != "true" {
		t.Skip(problem)
	}
	if problem != nil {
		t.Fatal(problem)
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
		address, stop, problem = start()
	}
	if problem == nil {
		server, problem = url.Parse(address)
	}
}

func admin(t testing.TB, statement string) {
	t.Helper()
	Exec(t, server.String(), statement)
}

// Exec runs a statement on a connection of its own.
func Exec(t testing.TB, dsn, statement string) {
	t.Helper()
	ctx := context.Background() // cleaning up, the test's is over
	c, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(ctx) }() // what it did is done
	if _, err := c.Exec(ctx, statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
