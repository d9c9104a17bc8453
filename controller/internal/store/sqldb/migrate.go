package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/pressly/goose/v3"

	"ledcast/playlists"
)

// Migrate brings the database called name up to date and returns its version. A database that a newer
// program has changed is refused.
func Migrate(ctx context.Context, name string, p *goose.Provider) (version int64, err error) {
	have, know, err := p.GetVersions(ctx)
	if err != nil {
		return 0, fmt.Errorf("database %s: %w", name, err)
	}
	if have > know {
		return 0, fmt.Errorf("database %s has version %d and this program knows %d; run the newer program, or restore an older backup", name, have, know)
	}
	if _, err := p.Up(ctx); err != nil {
		return 0, fmt.Errorf("database %s: %w; the change was rolled back, the older program can still use it", name, err)
	}
	return know, nil
}

// SameVersion returns the version of the tables, and a Conflict unless they are
// those of this program; it changes nothing.
func SameVersion(ctx context.Context, name string, db *sql.DB, p *goose.Provider) (version int64, err error) {
	var have int64
	if err := db.QueryRowContext(ctx,
		`SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&have); err != nil {
		return 0, fmt.Errorf("database %s cannot be read: %w; start its controller once", name, err)
	}
	sources := p.ListSources()
	if know := sources[len(sources)-1].Version; have != know {
		return 0, &playlists.Error{Code: playlists.Conflict, Field: "database", Value: name,
			Key: "tables-of-other-version", Args: []any{have, know}}
	}
	return have, nil
}

// ReadOnly is the Begin of a database that is open for reading only.
func ReadOnly(context.Context, bool) (*sql.Tx, context.Context, func(), error) {
	return nil, nil, nil, errors.New("is open for reading only; write through the controller that has it")
}
