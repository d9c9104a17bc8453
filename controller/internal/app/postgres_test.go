package app_test

import (
	"errors"
	"flag"
	"io"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"ledcast/controller/internal/app"
	"ledcast/controller/internal/store"
	"ledcast/controller/internal/store/postgres/pgtest"
)

// Most tests here wait for timers of signs and alerts rather than for the
// processor, so that more of them run beside each other than there are
// processors.
func TestMain(m *testing.M) {
	flag.Parse()
	if parallel := flag.Lookup("test.parallel"); parallel.Value.String() == strconv.Itoa(runtime.GOMAXPROCS(0)) {
		if err := parallel.Value.Set("12"); err != nil {
			panic(err)
		}
	}
	os.Exit(pgtest.Main(m))
}

// TestPostgres: a controller keeps everything in PostgreSQL, finds it again
// after a restart, and nothing opens an empty SQLite beside it by mistake.
func TestPostgres(t *testing.T) {
	t.Parallel()
	dir, dsn := t.TempDir(), pgtest.Database(t)
	options := app.Options{Data: dir, Database: dsn, Listen: "127.0.0.1:0", MQTTListen: "127.0.0.1:0"}
	var first string
	for range 2 {
		a, err := app.New(t.Context(), options)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.Get("http://" + a.Addr() + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Error(err)
		}
		_ = resp.Body.Close() // it was read
		root, _ := app.PartsOf(a).Keyring.Roots()
		if first == "" {
			first = string(root)
		}
		if first != string(root) {
			t.Error("the second start has other keys than the first")
		}
		if err := a.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(dir + "/ledcast.db"); err == nil {
		t.Error("there is a SQLite database, too")
	}
	options.Database = ""
	a, err := app.New(t.Context(), options)
	if err == nil {
		_ = a.Stop()
	}
	if err == nil || !strings.Contains(err.Error(), "--database") {
		t.Errorf("without its address: %v", err)
	}
}

// A controller whose database another one has taken ends itself.
func TestDatabaseLost(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	a, err := app.New(t.Context(), app.Options{Data: t.TempDir(), Database: dsn, Listen: "127.0.0.1:0",
		MQTTListen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, dsn, `UPDATE fence SET n = n + 1`)
	// Of this database only: the tests beside it have locks on the same server.
	pgtest.Exec(t, dsn, `SELECT pg_terminate_backend(l.pid) FROM pg_locks l WHERE l.locktype = 'advisory' AND l.granted
		AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`)
	select {
	case err := <-a.Failed():
		if !errors.Is(err, store.ErrLost) {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Error("it goes on")
	}
	if err := a.Stop(); err != nil {
		t.Log(err) // its writes cannot all have ended well
	}
}
