// Package backup writes and restores backups of an installation, and verifies the stored objects against the audit
// log.
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

// A backup is a gzipped tar. It contains the database as store.Dump writes it, with its own digest, and the owners'
// pictures, each named by its digest. It does not contain the root keys, which are kept on another machine. It does
// contain the online keys, so a backup must be kept as secret as the controller's data.

// databaseName is the name of the database in a backup.
const databaseName = "database.ndjson"

// restoredSetting is the setting with the time of the restore, in Unix ms. Documents that were issued before it may
// be older than those that signs have received since the backup.
const restoredSetting = "restored_ms"

// maxPicture is the size limit in bytes of a picture in a backup.
const maxPicture = 64 << 20

var pictureName = regexp.MustCompile(`^media/([a-z0-9][a-z0-9-]{1,47})/([0-9a-f]{64})$`)

// Write writes a backup of the controller with this data directory to the file out. The controller may be running.
// The file must not exist and gets the mode 0600.
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
		_ = os.Remove(out) // do not leave an incomplete backup
	}
	return err
}

func writeBackup(ctx context.Context, w io.Writer, dump func(context.Context, io.Writer, int64) error, data string,
	now time.Time) error {
	z := gzip.NewWriter(w)
	t := tar.NewWriter(z)
	// A tar entry begins with its size, so the dump goes to a temporary file first.
	temp, err := os.CreateTemp("", "ledcast-backup-*") // creates the file with mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = temp.Close(); _ = os.Remove(temp.Name()) }()
	if err := dump(ctx, temp, now.UnixMilli()); err != nil {
		return err
	}
	n, err := temp.Seek(0, io.SeekCurrent)
	if err == nil {
		_, err = temp.Seek(0, io.SeekStart)
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
	if err := entry(databaseName, n, temp); err != nil {
		return err
	}
	root, err := os.OpenRoot(data)
	if err != nil {
		return err
	}
	defer root.Close()
	err = fs.WalkDir(root.FS(), "media", func(name string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && name == "media" {
			return nil // no picture was ever uploaded
		}
		if err != nil || d.IsDir() || !pictureName.MatchString(name) {
			return err
		}
		data, err := fs.ReadFile(root.FS(), name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // deleted after the directory was read
		}
		if err != nil {
			return err
		}
		return entry(name, int64(len(data)), strings.NewReader(string(data)))
	})
	return errors.Join(err, t.Close(), z.Close())
}

// Restore restores a backup into an empty data directory and an empty database. It records the time now. When the
// controller starts, it issues all documents again, because signs may have received newer ones than those in the
// backup.
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
	temp, err := os.CreateTemp("", "ledcast-restore-*")
	if err != nil {
		return err
	}
	defer func() { _ = temp.Close(); _ = os.Remove(temp.Name()) }()
	if _, err := io.Copy(temp, t); err != nil {
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
	if _, err := temp.Seek(0, io.SeekStart); err != nil {
		return err
	}
	// Restore the pictures first. Without the database they are unused, so a failure in between does no harm.
	if err := restorePictures(t, data, bad); err != nil {
		return err
	}
	s, err := datadir.OpenStore(ctx, data, database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.Restore(ctx, temp); err != nil {
		return err
	}
	if _, err := s.Audit().Verify(ctx, nil); err != nil {
		return fmt.Errorf("the backup is restored, but its audit log is damaged: %w", err)
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

// RestoredMS returns the time in Unix ms at which the database was restored, or 0 if it never was.
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
