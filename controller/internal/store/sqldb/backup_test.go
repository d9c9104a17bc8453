package sqldb

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"testing"
)

// FuzzReadBackup checks that any input is either rejected or read. Writing what was read must give a readable
// backup.
func FuzzReadBackup(f *testing.F) {
	var empty []byte
	for i := range tables {
		line, err := json.Marshal(tableLine{Table: tables[i].name, Columns: tables[i].columns})
		if err != nil {
			f.Fatal(err)
		}
		if empty = append(append(empty, line...), '\n'); tables[i].name == "settings" {
			empty = append(empty, `["key","välue \u2028"]`+"\n"...)
		}
	}
	header := `{"format":"ledcast-backup","version":1,"schema":1,"at_ms":5}` + "\n"
	f.Add([]byte(header + string(empty)))
	f.Add([]byte(header + `{"table":"objects"}` + "\n[[[[[[[\n"))
	f.Add([]byte("\n\n"))
	f.Fuzz(func(t *testing.T, head []byte) {
		sum := sha256.Sum256(head)
		for rows := range 4 { // the fuzzer cannot guess the digest and the number of rows
			var out bytes.Buffer
			d := &dump{w: &out, sum: sha256.New()}
			backup := fmt.Appendf(bytes.Clone(head), `{"rows":%d,"sha256":"%s"}`+"\n", rows, hex.EncodeToString(sum[:]))
			if readBackup(bytes.NewReader(backup), 1, func(tb *table) (func([]any) error, error) {
				if err := d.write(tableLine{Table: tb.name, Columns: tb.columns}); err != nil {
					t.Fatal(err)
				}
				return func(row []any) error {
					if row == nil {
						return nil
					}
					return d.write(row)
				}, nil
			}) != nil {
				continue
			}
			again := out.Bytes()
			out = bytes.Buffer{}
			if err := readBackup(bytes.NewReader(sealBackup(t, again)), 1, func(*table) (func([]any) error, error) {
				return func([]any) error { return nil }, nil
			}); err != nil {
				t.Errorf("%q can be read, but written again as %q it cannot: %v", backup, again, err)
			}
		}
	})
}

func sealBackup(t *testing.T, body []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	d := &dump{w: &out, sum: sha256.New()}
	if err := d.write(backupHeader{Format: backupFormat, Version: backupVersion, Schema: 1}); err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range bytes.Lines(body) {
		if line[0] == '[' {
			rows++
		}
	}
	head := append(out.Bytes(), body...)
	sum := sha256.Sum256(head)
	return fmt.Appendf(head, `{"rows":%d,"sha256":"%s"}`+"\n", rows, hex.EncodeToString(sum[:]))
}

// TestReadBackup checks that sealBackup makes a valid backup.
func TestReadBackup(t *testing.T) {
	var body []byte
	for _, tb := range tables {
		line, err := json.Marshal(tableLine{Table: tb.name, Columns: tb.columns})
		if err != nil {
			t.Fatal(err)
		}
		body = append(append(body, line...), '\n')
	}
	if err := readBackup(bytes.NewReader(sealBackup(t, body)), 1, func(*table) (func([]any) error, error) {
		return func([]any) error { return nil }, nil
	}); err != nil {
		t.Error(err)
	}
}
