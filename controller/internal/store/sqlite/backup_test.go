package sqlite

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ledcast/controller/internal/store/storetest"
	"ledcast/playlists"
)

func TestDumpsAll(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "ledcast.db"))
	rows, err := s.r.Query(`SELECT m.name || '.' || c.name
		FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var columns []string
	for rows.Next() {
		var c string
		if err := rows.Scan(&c); err != nil {
			t.Fatal(err)
		}
		columns = append(columns, c)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	storetest.DumpsAll(t, s, columns)
}

// TestDumpBesideWriter dumps while another process writes. The backup must be consistent and contain everything
// that was acknowledged before it began.
func TestDumpBesideWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledcast.db")
	c := storetest.NewCrashed()
	cmd, lines, _ := c.Writer(t, path, 0)
	for range 100 {
		if !lines.Scan() {
			t.Fatal("the writer exited by itself")
		}
		c.Note(t, lines.Text())
	}
	rest := make(chan int)
	go func() {
		n := 0
		for lines.Scan() {
			n++
		}
		rest <- n
	}()
	r, err := OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	var backup bytes.Buffer
	if err := r.Dump(t.Context(), &backup, 1); err != nil {
		t.Fatal(err)
	}
	if err := r.Settings().Set(t.Context(), "a", "b"); err == nil || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("a write through a reader: got %v, want an error", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	n := <-rest
	_ = cmd.Wait() // "signal: killed"
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	t.Logf("%d bytes; the writer wrote %d lines meanwhile", backup.Len(), n)

	s := open(t, filepath.Join(t.TempDir(), "ledcast.db"))
	if err := s.Restore(t.Context(), bytes.NewReader(backup.Bytes())); err != nil {
		t.Fatal(err)
	}
	c.Check(t, s)
}

func TestOpenReaderRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledcast.db")
	if _, err := OpenReader(t.Context(), path); err == nil {
		t.Error("OpenReader succeeded without a database")
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("OpenReader created a database")
	}
	s := open(t, path)
	if _, err := s.w.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)`); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenReader(t.Context(), path); err == nil || !strings.Contains(err.Error(), "version 99999") {
		t.Errorf("a database of a later version: %v", err)
	}
}

// BenchmarkBackup30000Programs dumps and restores the programs of 1,000 signs for a month.
func BenchmarkBackup30000Programs(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "ledcast.db"))
	drafts := make([]playlists.Draft, 1000)
	for day := range int64(30) {
		for i := range drafts {
			drafts[i] = playlists.Draft{Role: "program", Subject: storetest.Program(i/10, i, 1, 1).Sign, IatMS: day * 86400_000,
				Exp: (day + 8) * 86400, Keep: true}
		}
		if _, err := s.Documents().Issue(b.Context(), drafts, func(i int, seq int64) ([]byte, error) {
			return storetest.Sealed(storetest.Program(i/10, i, day*86400, seq)), nil
		}); err != nil {
			b.Fatal(err)
		}
	}
	var backup bytes.Buffer
	var dump, restore time.Duration
	for b.Loop() {
		backup.Reset()
		began := time.Now()
		if err := s.Dump(b.Context(), &backup, 1); err != nil {
			b.Fatal(err)
		}
		dump += time.Since(began)
		to := open(b, filepath.Join(b.TempDir(), "ledcast.db"))
		began = time.Now()
		if err := to.Restore(b.Context(), bytes.NewReader(backup.Bytes())); err != nil {
			b.Fatal(err)
		}
		restore += time.Since(began)
	}
	b.ReportMetric(float64(backup.Len())/30000, "bytes/program")
	b.ReportMetric(dump.Seconds()/float64(b.N), "s/dump")
	b.ReportMetric(restore.Seconds()/float64(b.N), "s/restore")
}
