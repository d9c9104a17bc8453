package cli

import (
	"fmt"
	"time"

	"ledcast/controller/internal/backup"

	"github.com/spf13/cobra"
)

func newBackup(e *env) *cobra.Command {
	var data, database, out string
	c := &cobra.Command{
		Use: "backup", Short: "Write a backup of a controller, which may be running",
		Long: "backup writes the database and the owners' pictures of one moment into one file. The file has the " +
			"signing keys of\n" +
			"the controller: keep it as secret as the controller itself. The root keys are not in it.",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := required(c.Flags(), "data", "out"); err != nil {
				return err
			}
			if err := backup.Write(c.Context(), data, databaseOr(database), out, time.Now()); err != nil {
				return err
			}
			fmt.Fprintf(e.out, "%s: the backup; restore it with controller restore --from %s --data NEW\n", out, out)
			return nil
		},
	}
	c.Flags().StringVar(&data, "data", "", "the controller's `folder`")
	c.Flags().StringVar(&out, "out", "", "`file` for the backup, mode 0600")
	addDatabase(c.Flags(), &database)
	return c
}

func newRestore(e *env) *cobra.Command {
	var data, database, from string
	c := &cobra.Command{
		Use: "restore", Short: "Fill an empty folder from a backup",
		Long: "restore fills an empty data folder, and an empty database, from a backup. When the controller starts " +
			"on it,\n" +
			"everything is issued anew, ahead of what signs have seen since the backup was made. Passwords and " +
			"tokens that\n" +
			"were revoked since are back: revoke them again. If the key set was renewed since, renew it with the root.",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := required(c.Flags(), "data", "from"); err != nil {
				return err
			}
			if err := backup.Restore(c.Context(), data, databaseOr(database), from, time.Now()); err != nil {
				return err
			}
			fmt.Fprintf(e.out, "%s: restored; start it with controller serve --data %s\n", data, data)
			return nil
		},
	}
	c.Flags().StringVar(&data, "data", "", "an empty `folder`")
	c.Flags().StringVar(&from, "from", "", "the backup's `file`")
	addDatabase(c.Flags(), &database)
	return c
}
