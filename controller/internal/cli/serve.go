package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"ledcast/controller/internal/app"
	"ledcast/controller/internal/enrol"
)

// now is the clock of serve and demo; nil is the system's, of which the system says whether NTP holds it. A test is
// built with another.
var now func() time.Time

func newServe(e *env) *cobra.Command {
	var f serverFlags
	var database string
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run the controller",
		Long: "serve runs the controller for real signs: its database and keys in --data, its embedded MQTT " +
			"broker or\n" +
			"an outside one. Any address but loopback needs a certificate (--tls-cert, --tls-key), or --insecure.\n" +
			"The first start makes two administrators of the department and prints links that let them in once.",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := required(c.Flags(), "data"); err != nil {
				return err
			}
			o := f.options(e)
			o.Database = databaseOr(database)
			app.SaveMemory()
			a, err := app.New(c.Context(), o)
			if err != nil {
				return err
			}
			made, err := a.People().FirstAdmins(c.Context())
			if err != nil {
				return errors.Join(err, a.Stop())
			}
			if made {
				first, err1 := a.People().SignInLink(c.Context(), enrol.AdminUser)
				second, err2 := a.People().SignInLink(c.Context(), enrol.SecondAdmin)
				if err := errors.Join(err1, err2); err != nil {
					return errors.Join(err, a.Stop())
				}
				fmt.Fprintf(e.err, "first start: the administrator sets a password at this link, once and within 72 "+
					"hours:\n  %s\nanother person, who is the second administrator, at this one:\n  %s\n"+
					"Give it to them unused: an urgent message needs two people, each let in by another administrator.\n"+
					"The first one's token for commands on this machine is in %s (use --data %s --as %s)\n", first, second,
					filepath.Join(f.data, "tokens.json"), f.data, enrol.AdminUser)
			}
			a.FilesWritten()
			fmt.Fprintf(e.out, "ledcast: %s/\n", a.URL())
			select {
			case <-c.Context().Done():
				return a.Stop()
			case err := <-a.Failed():
				return errors.Join(err, a.Stop())
			}
		},
	}
	f.add(c.Flags(), "")
	addDatabase(c.Flags(), &database)
	c.Flags().StringVar(&f.tlsCert, "tls-cert", "",
		"PEM `file` of a certificate for pages and embedded broker, its chain included; read again when it changes")
	c.Flags().DurationVar(&f.keepProofs, "keep-proofs", 396*24*time.Hour, "how long proof of play is kept")
	c.Flags().StringVar(&f.tlsKey, "tls-key", "", "PEM `file` of its key")
	c.Flags().StringVar(&f.advertise, "mqtt-advertise", "",
		"`address` of the broker as signs reach it, for their config files, e.g. mqtts://led.example:8883")
	c.Flags().StringVar(&f.broker, "broker", "",
		"`address` of an outside broker instead, mqtts://user:password@host:8883 or mqtt://…")
	return c
}
