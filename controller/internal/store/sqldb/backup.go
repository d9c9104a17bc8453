package sqldb

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
	"unicode/utf8"

	"ledcast/playlists"
)

// A backup has one line of JSON per table and row. Its format does not depend on the database:
//
//	{"format":"ledcast-backup","version":1,"schema":7,"at_ms":1769000000000}
//	{"table":"objects","columns":["kind","owner",…]}
//	["sign","","qn-001","eyJpZCI6InFuLTAwMSJ9",1,1767200400000,0]
//	…
//	{"rows":1234,"sha256":"…"}
//
// The order of tables is that of the variable tables. Rows are sorted by key. An integer is a JSON number, a text
// is a string, and a blob is a string in base64. The last line has the number of rows and the SHA-256 of all bytes
// before it.

const (
	backupFormat  = "ledcast-backup"
	backupVersion = 1
	// maxLine limits the length of a line in bytes, with its line feed. The longest line of a controller is an
	// uploaded picture.
	maxLine = 16 << 20
)

type backupHeader struct {
	Format  string `json:"format"`
	Version int64  `json:"version"`
	Schema  int64  `json:"schema"` // the last migration
	AtMS    int64  `json:"at_ms"`
}

type tableLine struct {
	Table   string   `json:"table"`
	Columns []string `json:"columns"`
}

type backupTrailer struct {
	Rows   int64  `json:"rows"`
	SHA256 string `json:"sha256"`
}

type kind byte

const (
	integer     kind = 'i'
	text        kind = 't'
	blob        kind = 'b'
	nullInteger kind = 'n' // integer or NULL
	nullBlob    kind = 'm' // blob or NULL
)

// table describes a table in a backup. The columns of the key come first; key is their number.
type table struct {
	name    string
	columns []string
	kinds   []kind
	key     int
}

// tables lists all tables except three. The tables of goose and PostgreSQL's table fence belong to one database.
// Sessions are left out because a restore must not revive a session that was ended after the backup. A table comes
// after the tables that it refers to.
var tables = []table{
	newTable("objects", 3, "kind:t owner:t id:t data:b version:i updated_ms:i deleted:i"),
	newTable("signing_keys", 1, "kid:t role:t seed:b nbf:i exp:i state:t"),
	newTable("key_set", 1, "id:i epoch:i seq:i jws:b roots:t"),
	newTable("seqs", 3, "role:t subject:t epoch:i last:i"),
	newTable("parts", 1, "id:i digest:b uses:i data:b"),
	newTable("documents", 4,
		"role:t subject:t epoch:i seq:i iat:i exp:i digest:t kept:i compact:i jws:b notes:m "+
			"frames:n items:n loops:n notes_part:n"),
	newTable("latest", 2, "role:t subject:t epoch:i seq:i"),
	newTable("credentials", 1, "sign:t sha256:b created_ms:i verifiers:t"),
	newTable("settings", 1, "key:t value:t"),
	newTable("sign_keys", 1, "sign:t x:b pinned_ms:i"),
	newTable("play_records", 3, "sign:t chain:t n:i digest:t from_ms:i until_ms:i jws:b"),
	// The key of plays is all columns, because rows may be equal.
	newTable("plays", 9, "sign:t chain:t n:i item:t campaign:t frame:t why:t count:i ms:i"),
	newTable("health", 2, "sign:t at_ms:i online:i clock:t faults:t"),
	newTable("topics", 1, "topic:t unwanted_ms:i"),
	newTable("audit", 1, "n:i at_ms:i who:t from_addr:t action:t kind:t owner:t id:t before:m after:m digest:t"),
}

func newTable(name string, key int, columns string) table {
	t := table{name: name, key: key}
	for _, c := range strings.Fields(columns) {
		column, k, _ := strings.Cut(c, ":")
		t.columns, t.kinds = append(t.columns, column), append(t.kinds, kind(k[0]))
	}
	return t
}

func (t *table) list() string { return strings.Join(t.columns, ", ") }

// Dump implements store.Store. The backup contains signing keys: protect it like the database.
func (s *DB) Dump(ctx context.Context, w io.Writer, atMS int64) error {
	tx, err := s.read.BeginTx(ctx, &s.snapshot)
	if err != nil {
		return s.wrapErr(err)
	}
	buffered := bufio.NewWriterSize(w, 1<<16)
	d := &dump{w: buffered}
	if err := d.all(ctx, tx, backupHeader{Format: backupFormat, Version: backupVersion,
		Schema: s.version, AtMS: atMS}); err != nil {
		return errors.Join(s.wrapErr(err), ignoreTxDone(tx.Rollback()))
	}
	if err := buffered.Flush(); err != nil {
		return errors.Join(fmt.Errorf("backup: %w", err), ignoreTxDone(tx.Rollback()))
	}
	if err := tx.Commit(); err != nil {
		return s.wrapErr(err)
	}
	return nil
}

type dump struct {
	w    io.Writer
	sum  hash.Hash
	rows int64
	line bytes.Buffer
}

func (d *dump) all(ctx context.Context, tx *sql.Tx, h backupHeader) error {
	d.sum = sha256.New()
	if err := d.write(h); err != nil {
		return err
	}
	for i := range tables {
		if err := d.table(ctx, tx, &tables[i]); err != nil {
			return fmt.Errorf("table %s: %w", tables[i].name, err)
		}
	}
	return d.write(backupTrailer{Rows: d.rows, SHA256: hex.EncodeToString(d.sum.Sum(nil))})
}

func (d *dump) table(ctx context.Context, tx *sql.Tx, t *table) error {
	if err := d.write(tableLine{Table: t.name, Columns: t.columns}); err != nil {
		return err
	}
	rows, err := tx.QueryContext(ctx, `SELECT `+t.list()+` FROM `+t.name+` ORDER BY `+strings.Join(t.columns[:t.key],
		", "))
	if err != nil {
		return err
	}
	defer rows.Close()
	fields, row := make([]any, len(t.kinds)), make([]any, len(t.kinds))
	for i, k := range t.kinds {
		switch k {
		case integer:
			fields[i] = new(int64)
		case text:
			fields[i] = new(string)
		case nullInteger:
			fields[i] = new(sql.NullInt64)
		default:
			fields[i] = new([]byte)
		}
	}
	for ; rows.Next(); d.rows++ {
		if err := rows.Scan(fields...); err != nil {
			return err
		}
		for i, v := range fields {
			switch v := v.(type) {
			case *int64:
				row[i] = *v
			case *string:
				if row[i] = *v; !utf8.ValidString(*v) {
					return fmt.Errorf("%s %q is not UTF-8", t.columns[i], *v)
				}
			case *sql.NullInt64:
				if row[i] = nil; v.Valid {
					row[i] = v.Int64
				}
			case *[]byte:
				if row[i] = *v; t.kinds[i] == blob {
					row[i] = notNil(*v)
				}
			}
		}
		if err := d.write(row); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (d *dump) write(v any) error {
	d.line.Reset()
	e := json.NewEncoder(&d.line) // Encode appends a line feed
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	if d.line.Len() > maxLine {
		return fmt.Errorf("a row has %d bytes, more than the limit of %d", d.line.Len(), maxLine)
	}
	d.sum.Write(d.line.Bytes()) // never fails
	_, err := d.w.Write(d.line.Bytes())
	return err
}

// Restore implements store.Store, in one transaction. It reads the backup twice and rejects a truncated, altered or
// incompatible one before it writes anything.
func (s *DB) Restore(ctx context.Context, r io.ReadSeeker) error {
	start, err := r.Seek(0, io.SeekCurrent)
	if err != nil {
		return fmt.Errorf("backup: %w; it must be a file, not a pipe", err)
	}
	if err := readBackup(r, s.version, func(*table) (func([]any) error, error) {
		return func([]any) error { return nil },
			nil
	}); err != nil {
		return err
	}
	if _, err := r.Seek(start, io.SeekStart); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return s.transact(ctx, true, func(ctx context.Context, tx *sql.Tx) error {
		for i := range tables {
			if err := s.checkEmpty(ctx, tx, &tables[i]); err != nil {
				return err
			}
		}
		return readBackup(r, s.version, func(t *table) (func([]any) error, error) { return s.inserter(ctx, tx, t) })
	})
}

func (s *DB) checkEmpty(ctx context.Context, tx *sql.Tx, t *table) error {
	var n int64
	err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM `+t.name+` LIMIT 1) x`).Scan(&n)
	if err != nil {
		return s.wrapErr(err)
	}
	if n > 0 {
		return &playlists.Error{Code: playlists.Conflict, Field: "database", Value: s.name,
			Key: "database-not-empty", Args: []any{t.name}}
	}
	return nil
}

// inserter returns a function that inserts a row into t. The caller ends with a call with nil.
func (s *DB) inserter(ctx context.Context, tx *sql.Tx, t *table) (func([]any) error, error) {
	places := make([]string, len(t.columns))
	for i := range places {
		places[i] = fmt.Sprintf("$%d", i+1)
	}
	insert, err := tx.PrepareContext(ctx, `INSERT INTO `+t.name+` (`+t.list()+`)
		VALUES (`+strings.Join(places, ", ")+`)`)
	if err != nil {
		return nil, s.wrapErr(err)
	}
	return func(row []any) error {
		if row == nil {
			return insert.Close()
		}
		if _, err := insert.ExecContext(ctx, row...); err != nil {
			return s.wrapErr(fmt.Errorf("table %s: %w", t.name, err))
		}
		return nil
	}, nil
}
