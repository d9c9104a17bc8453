package datadir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"ledcast/controller/internal/store"
	"ledcast/controller/internal/store/postgres"
	"ledcast/controller/internal/store/sqlite"
	"ledcast/playlists"
)

// elsewhere is a file in the data folder of an installation whose database is
// not there: a command that forgets --database must not begin an empty one.
const elsewhere = "database-is-postgresql"

// databaseFile is the SQLite database in the folder.
const databaseFile = "ledcast.db"

// OpenStore opens the database that an installation with this data folder has:
// SQLite in it, or the PostgreSQL at address.
func OpenStore(ctx context.Context, data, address string) (store.Store, error) {
	marker := filepath.Join(data, elsewhere)
	if address == "" {
		if _, err := os.Stat(marker); err == nil {
			return nil, &playlists.Error{Code: playlists.Conflict, Field: "--database",
				Key: "database-not-given", Args: []any{data, marker}}
		}
		if err := checkVanished(data); err != nil {
			return nil, err
		}
		s, err := sqlite.Open(ctx, filepath.Join(data, databaseFile))
		if err != nil {
			return nil, err
		}
		return s, nil
	}
	if !strings.HasPrefix(address, "postgres://") && !strings.HasPrefix(address, "postgresql://") {
		return nil, &playlists.Error{Code: playlists.Invalid, Field: "--database", Key: "database-address-malformed"}
	}
	s, err := postgres.Open(ctx, address)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(marker, nil, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("data folder: %w", err), s.Close())
	}
	return s, nil
}

// waitEvery is how often WaitStore tries again.
const waitEvery = time.Second

// WaitStore is OpenStore, and waits for a database server that cannot be reached yet: after a power cut the machines
// start in any order.
func WaitStore(ctx context.Context, data, address string, log *slog.Logger) (store.Store, error) {
	t := time.NewTicker(waitEvery)
	defer t.Stop()
	for waited := false; ; waited = true {
		s, err := OpenStore(ctx, data, address)
		if !playlists.IsAway(err) {
			if waited && err == nil {
				log.Info("the database is there")
			}
			return s, err
		}
		if !waited {
			log.Warn("waiting for the database", "err", err)
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return nil, err
		}
	}
}

// checkVanished refuses to begin an empty installation in the folder of one whose database is gone, or has no bytes
// after a crash of the file system: its signs, people and log would be lost without a word.
func checkVanished(data string) error {
	path := filepath.Join(data, databaseFile)
	if info, err := os.Stat(path); err == nil && info.Size() > 0 {
		return nil
	}
	for _, rest := range []string{"root", "tokens.json"} {
		if _, err := os.Stat(filepath.Join(data, rest)); err == nil {
			return &playlists.Error{Code: playlists.Conflict, Field: "database", Value: path, Key: "database-vanished",
				Args: []any{data}}
		}
	}
	return nil
}

// Reader is a database beside the controller that writes it.
type Reader interface {
	Objects() store.Objects
	Credentials() store.Credentials
	Dump(ctx context.Context, w io.Writer, atMS int64) error
	Close() error
}

// OpenReader opens a database to read it while a controller may write it.
func OpenReader(ctx context.Context, data, address string) (Reader, error) {
	if address != "" {
		return postgres.OpenReader(ctx, address)
	}
	return sqlite.OpenReader(ctx, filepath.Join(data, databaseFile))
}

// Holds returns an error where the folder has no SQLite database.
func Holds(data string) error {
	_, err := os.Stat(filepath.Join(data, databaseFile))
	return err
}
