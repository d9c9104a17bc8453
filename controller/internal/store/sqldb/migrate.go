package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/pressly/goose/v3"

	"ledcast/playlists"
)

// Migrate applies the pending migrations and returns the database's version. It returns an error if a newer program
// has migrated the database. name is the database's name in errors.
func Migrate(ctx context.Context, name string, p *goose.Provider) (version int64, err error) {
	have, know, err := p.GetVersions(ctx)
	if err != nil {
		return 0, fmt.Errorf("database %s: %w", name, err)
	}
	if have > know {
		return 0, fmt.Errorf("database %s has version %d, but this program supports version %d at most; "+
			"run the newer program, or restore an older backup", name, have, know)
	}
	if _, err := p.Up(ctx); err != nil {
		return 0, fmt.Errorf("database %s: %w; the migration was rolled back, and the older program can still use the "+
			"database", name, err)
	}
	return know, nil
}

// SameVersion returns the version of the database. The error is Conflict if it is not the version of this program.
// SameVersion changes nothing.
func SameVersion(ctx context.Context, name string, db *sql.DB, p *goose.Provider) (version int64, err error) {
	var have int64
	if err := db.QueryRowContext(ctx,
		`SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&have); err != nil {
		return 0, fmt.Errorf("database %s cannot be read: %w; start its controller once to create the tables", name,
			err)
	}
	sources := p.ListSources()
	if know := sources[len(sources)-1].Version; have != know {
		return 0, &playlists.Error{Code: playlists.Conflict, Field: "database", Value: name,
			Key: "tables-of-other-version", Args: []any{have, know}}
	}
	return have, nil
}

// ReadOnly is the function Begin of a database that is open read-only.
func ReadOnly(context.Context, bool) (*Tx, error) {
	return nil, errors.New("it is open read-only; make changes through the running controller")
}
