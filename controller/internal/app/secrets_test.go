package app_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // somebody with the database in hand
	_ "modernc.org/sqlite"             // or its file

	"ledcast/controller/internal/store"
	"ledcast/sign/box"
)

func mustURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func jsonNumber(n int64) string { return fmt.Sprint(n) }

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// signPassword is what a sign's config file holds.
func signPassword(t *testing.T, dir, sign string) string {
	t.Helper()
	conf, err := box.LoadConfig(filepath.Join(dir, "signs", sign+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return conf.Password
}

// databaseFiles are the database and all beside it; of PostgreSQL, all that is
// in it.
func databaseFiles(t *testing.T, d *installation) map[string][]byte {
	t.Helper()
	var dump bytes.Buffer
	if err := d.store.Dump(t.Context(), &dump, 0); err != nil {
		t.Fatal(err)
	}
	d.stop(t)
	files := map[string][]byte{"a dump": dump.Bytes()}
	if onPostgres() {
		return files
	}
	entries, err := os.ReadDir(d.data)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "ledcast.db") {
			data, err := os.ReadFile(filepath.Join(d.data, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			files[e.Name()] = data
		}
	}
	if len(files) < 2 {
		t.Fatal("there is no database")
	}
	return files
}

// tamper changes the database behind the controller's back.
func tamper(t *testing.T, dir, statement string, args ...any) {
	t.Helper()
	driver, at, unlock := "sqlite", filepath.Join(dir, "ledcast.db"),
		"DROP TRIGGER IF EXISTS audit_keeps_entries; DROP TRIGGER IF EXISTS audit_loses_none"
	if onPostgres() {
		driver, at, unlock = "pgx", database(t, dir), "DROP TRIGGER IF EXISTS audit_keeps_entries ON audit"
	}
	db, err := sql.Open(driver, at)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range []struct {
		text string
		args []any
	}{{unlock, nil}, {statement, args}} {
		if _, err := db.Exec(s.text, s.args...); err != nil {
			t.Fatal(err)
		}
	}
}

// recordsOf asks for all of a sign's records.
func recordsOf(sign string) store.RecordQuery {
	return store.RecordQuery{UntilMS: 1 << 52, Sign: sign, Limit: 10}
}
