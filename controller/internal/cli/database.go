package cli

import (
	"os"

	"github.com/spf13/pflag"
)

// addDatabase adds --database. LEDCAST_DATABASE is not the default of the flag,
// because --help would print its password.
func addDatabase(fs *pflag.FlagSet, to *string) {
	fs.StringVar(to, "database", "", "`address` of a PostgreSQL database, postgres://user:password@host:5432/name, "+
		"instead of SQLite in --data (or LEDCAST_DATABASE, which other users cannot see)")
}

func databaseOr(given string) string {
	if given == "" {
		return os.Getenv("LEDCAST_DATABASE")
	}
	return given
}
