// Package backup writes and restores backups of an installation, and holds the
// audit log against what is kept.
package backup

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"ledcast/controller/internal/datadir"
	"ledcast/controller/internal/store"
	"ledcast/playlists"
)

// A backup is a gzipped tar: the database as store.Dump writes it, with its own
// digest, and the owners' pictures, each under its digest. The roots are not in
// it: they belong on another machine. The online keys are, so a backup is as
// secret as the controller.

// databaseName is the database's name in a backup.
const databaseName = "database.ndjson"

// restoredSetting remembers when the database was restored, in Unix ms: what
// was issued before may be older than what signs have seen since the backup.
const restoredSetting = "restored_ms"

// maxPicture bounds one file of a backup besides the database.
const maxPicture = 64 << 20

var pictureName = regexp.MustCompile(`^media/([a-z0-9][a-z0-9-]{1,47})/([0-9a-f]{64})$`)

// Write writes a backup of the controller of a data folder, which may be
// running, to a file that is not there yet (mode 0600).
func Write(ctx context.Context, data, database, out string, now time.Time) (err error) {
	s, err := datadir.OpenReader(ctx, data, database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	f, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("--out: %w; choose another file", err)
	}
	err = writeBackup(ctx, f, s.Dump, data, now)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		_ = os.Remove(out) // half a backup is none
	}
	return err
}

func writeBackup(ctx context.Context, w io.Writer, dump func(context.Context, io.Writer, int64) error, data string,
	now time.Time) error {
	z := gzip.NewWriter(w)
	t := tar.NewWriter(z)
	// A tar entry begins with its length, so the dump is written aside first.
	aside, err := os.CreateTemp("", "ledcast-backup-*") // 0600
	if err != nil {
		return err
	}
	defer func() { _ = aside.Close(); _ = os.Remove(aside.Name()) }()
	if err := dump(ctx, aside, now.UnixMilli()); err != nil {
		return err
	}
	n, err := aside.Seek(0, io.SeekCurrent)
	if err == nil {
		_, err = aside.Seek(0, io.SeekStart)
	}
	if err != nil {
		return err
	}
	entry := func(name string, size int64, r io.Reader) error {
		if err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: size, ModTime: now.Truncate(time.Second),
			Typeflag: tar.TypeReg}); err != nil {
			return err
		}
		_, err := io.Copy(t, r)
		return err
	}
	if err := entry(databaseName, n, aside); err != nil {
		return err
	}
	root, err := os.OpenRoot(data)
	if err != nil {
		return err
	}
	defer root.Close()
	err = fs.WalkDir(root.FS(), "media", func(name string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && name == "media" {
			return nil // nobody has uploaded anything
		}
		if err != nil || d.IsDir() || !pictureName.MatchString(name) {
			return err
		}
		data, err := fs.ReadFile(root.FS(), name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // deleted since; the database does not name it
		}
		if err != nil {
			return err
		}
		return entry(name, int64(len(data)), strings.NewReader(string(data)))
	})
	return errors.Join(err, t.Close(), z.Close())
}

// Restore fills an empty data folder, and an empty database, from a backup.
// What was issued before `now` counts as seen by signs: everything is issued
// anew when the controller starts.
func Restore(ctx context.Context, data, database, from string, now time.Time) (err error) {
	f, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	defer f.Close()
	bad := func(key playlists.TextKey, args ...any) error {
		return &playlists.Error{Code: playlists.Invalid, Field: "--from", Value: from, Key: key, Args: args}
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		return bad("not-backup", err)
	}
	t := tar.NewReader(z)
	first, err := t.Next()
	if err != nil || first.Name != databaseName {
		return bad("backup-without-database")
	}
	aside, err := os.CreateTemp("", "ledcast-restore-*")
	if err != nil {
		return err
	}
	defer func() { _ = aside.Close(); _ = os.Remove(aside.Name()) }()
	if _, err := io.Copy(aside, t); err != nil {
		return bad("backup-cut-short", err)
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	lock, err := datadir.Lock(data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if _, err := aside.Seek(0, io.SeekStart); err != nil {
		return err
	}
	// The pictures first: without the database nothing names them.
	if err := restorePictures(t, data, bad); err != nil {
		return err
	}
	s, err := datadir.OpenStore(ctx, data, database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.Restore(ctx, aside); err != nil {
		return err
	}
	if _, err := s.Audit().Verify(ctx, nil); err != nil {
		return fmt.Errorf("the backup is restored, and its log is not whole: %w", err)
	}
	return s.Settings().Set(ctx, restoredSetting, fmt.Sprint(now.UnixMilli()))
}

func restorePictures(t *tar.Reader, data string, bad func(playlists.TextKey, ...any) error) error {
	if err := os.MkdirAll(filepath.Join(data, "media"), 0o700); err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	root, err := os.OpenRoot(data)
	if err != nil {
		return err
	}
	defer root.Close()
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return bad("backup-cut-short", err)
		}
		if h.Typeflag != tar.TypeReg || !pictureName.MatchString(h.Name) || h.Size > maxPicture {
			return bad("backup-file-unknown", h.Name)
		}
		if err := root.MkdirAll(path.Dir(h.Name), 0o700); err != nil {
			return err
		}
		f, err := root.OpenFile(h.Name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, io.LimitReader(t, maxPicture))
		if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
			return bad("backup-cut-short", err)
		}
	}
}

// RestoredMS is when the database was restored, Unix ms; 0 if it never was.
func RestoredMS(ctx context.Context, s store.Store) (ms int64, err error) {
	text, err := s.Settings().Get(ctx, restoredSetting)
	if playlists.IsNotFound(err) {
		return 0, nil
	}
	if err == nil {
		_, err = fmt.Sscan(text, &ms)
	}
	return ms, err
}
