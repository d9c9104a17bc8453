package cli

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"ledcast/controller/internal/app"
)

func newServe(e *env) *cobra.Command {
	var f serverFlags
	var database string
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run the controller",
		Long: "serve runs the controller for real signs: its database and keys in --data, its embedded MQTT broker or\n" +
			"an outside one. Any address but loopback needs --insecure until it has a certificate.",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := required(c.Flags(), "data"); err != nil {
				return err
			}
			o := f.options(e)
			o.Database = databaseOr(database)
			a, err := app.New(c.Context(), o)
			if err != nil {
				return err
			}
			made, err := a.FirstAdmin(c.Context())
			if err != nil {
				return errors.Join(err, a.Stop())
			}
			if made {
				fmt.Fprintf(e.err, "first start: the administrator's token is in %s (use --data %s --as admin)\n", filepath.Join(f.data, "tokens.json"), f.data)
			}
			a.FilesWritten()
			fmt.Fprintf(e.err, "sign in, once and within 15 minutes: %s\n", a.SignInLink())
			fmt.Fprintf(e.out, "ledcast: http://%s/\n", a.Addr())
			<-c.Context().Done()
			return a.Stop()
		},
	}
	f.add(c.Flags(), "")
	addDatabase(c.Flags(), &database)
	c.Flags().StringVar(&f.broker, "broker", "", "`address` of an outside broker instead, mqtts://user:password@host:8883 or mqtt://…")
	return c
}
