package sqldb

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strconv"

	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

// backupReader reads the lines of a backup.
type backupReader struct {
	lines *bufio.Scanner
	n     int
	sum   hash.Hash // of the lines before the current one
	line  []byte
}

// readBackup reads a whole backup. It checks the version, the tables, the types of the values, and at the end the
// number of rows and the digest. It calls begin for each table, and then the returned function for each row and
// once more with nil. A row's values have the types int64, string, []byte or nil.
func readBackup(r io.Reader, schema int64, begin func(*table) (func([]any) error, error)) error {
	b := &backupReader{lines: bufio.NewScanner(r), sum: sha256.New()}
	b.lines.Buffer(make([]byte, 64<<10), maxLine)
	b.lines.Split(wholeLines)
	if err := b.header(schema); err != nil {
		return err
	}
	rows := int64(0)
	if err := b.next(); err != nil {
		return err
	}
	for i := range tables {
		t := &tables[i]
		var head tableLine
		if err := b.object(&head); err != nil {
			return err
		}
		if head.Table != t.name || !slices.Equal(head.Columns, t.columns) {
			return b.invalid("backup-table-without-beginning", t.name)
		}
		row, err := begin(t)
		if err != nil {
			return err
		}
		for {
			if err := b.next(); err != nil {
				return err
			}
			if b.line[0] != '[' {
				break
			}
			values, err := b.row(t)
			if err != nil {
				return err
			}
			if err := row(values); err != nil {
				return err
			}
			rows++
		}
		if err := row(nil); err != nil {
			return err
		}
	}
	return b.trailer(rows)
}

func (b *backupReader) header(schema int64) error {
	if err := b.next(); err != nil {
		return err
	}
	var h backupHeader
	if err := json.Unmarshal(b.line, &h); err != nil || h.Format != backupFormat {
		return b.invalid("backup-without-beginning")
	}
	if h.Version != backupVersion || h.Schema != schema {
		return &playlists.Error{Code: playlists.Invalid, Field: "backup",
			Value: fmt.Sprintf("version %d, tables %d", h.Version, h.Schema),
			Key:   "backup-of-other-version", Args: []any{backupVersion, schema}}
	}
	return nil
}

func (b *backupReader) trailer(rows int64) error {
	var end backupTrailer
	sum := hex.EncodeToString(b.sum.Sum(nil))
	if err := b.object(&end); err != nil {
		return err
	}
	if end.Rows != rows || end.SHA256 != sum {
		return b.invalid("backup-rows-changed", rows)
	}
	if b.lines.Scan() {
		b.n++
		return b.invalid("backup-after-end")
	}
	return b.readErr(b.lines.Err())
}

// next reads the next line. It returns an error if the backup ends here, because it is truncated then.
func (b *backupReader) next() error {
	b.sum.Write(b.line) // never fails
	b.n++
	if !b.lines.Scan() {
		if err := b.lines.Err(); err != nil {
			return b.readErr(err)
		}
		return b.invalid("backup-part-missing")
	}
	b.line = b.lines.Bytes()
	return nil
}

func (b *backupReader) readErr(err error) error {
	if errors.Is(err, bufio.ErrTooLong) {
		return b.invalid("backup-line-too-long", maxLine)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return b.invalid("backup-without-end")
	}
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return nil
}

func (b *backupReader) invalid(key playlists.TextKey, args ...any) error {
	return &playlists.Error{Code: playlists.Invalid, Field: "backup", Value: fmt.Sprintf("line %d", b.n),
		Key: key, Args: args}
}

// object decodes the current line into v and rejects unknown members.
func (b *backupReader) object(v any) error {
	d := json.NewDecoder(bytes.NewReader(b.line))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return b.invalid("backup-not-expected")
	}
	return nil
}

var backupBytes = base64.StdEncoding.Strict()

func (b *backupReader) row(t *table) ([]any, error) {
	var raw []json.RawMessage
	if err := json.Unmarshal(b.line, &raw); err != nil || len(raw) != len(t.kinds) {
		return nil, b.invalid("backup-not-row", t.name)
	}
	row := make([]any, len(raw))
	for i, v := range raw {
		value, err := readValue(t.kinds[i], v)
		if err != nil {
			return nil, b.invalid("backup-wrong-value", t.columns[i], err)
		}
		row[i] = value
	}
	return row, nil
}

func readValue(k kind, raw json.RawMessage) (any, error) {
	if string(raw) == "null" {
		if k == nullInteger || k == nullBlob {
			return nil, nil
		}
		return nil, errors.New("it must not be null")
	}
	if k == integer || k == nullInteger {
		return strconv.ParseInt(string(raw), 10, 64)
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, err
	}
	if k == text {
		return s, store.CheckValue("text", s)
	}
	return backupBytes.DecodeString(s)
}

// wholeLines is a bufio.SplitFunc. Its lines include the line feed, so that the digest covers every byte. A last
// line without a line feed is truncated, which is an error.
func wholeLines(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i+1], nil
	}
	if atEOF && len(data) > 0 {
		return 0, nil, io.ErrUnexpectedEOF
	}
	return 0, nil, nil
}
