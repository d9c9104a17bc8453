package cli

import (
	"fmt"
	"strings"

	"ledcast/controller/internal/enrol"

	"github.com/spf13/cobra"
)

func newBrokerConfig(e *env) *cobra.Command {
	var c enrol.BrokerConfig
	cmd := &cobra.Command{
		Use:   "broker-config mosquitto|nats",
		Short: "Write the rules of an outside broker",
		Long: "broker-config writes, from the data folder of a controller, which may run, what an outside " +
			"Mosquitto 2.0\n" +
			"or nats-server 2.14.3 needs to let every sign in and keep it to its own topics: a configuration, " +
			"and for\n" +
			"Mosquitto an ACL file and a password file. Run it again, and reload the broker, whenever a sign was " +
			"enrolled, moved to another owner or revoked:\n" +
			"an outside broker lets a revoked sign in until then.",
		Args: func(_ *cobra.Command, args []string) error {
			const remedy = "write controller broker-config mosquitto --data DIR, or nats"
			if len(args) == 0 {
				return usagef(remedy, "the kind of broker is missing")
			}
			if args[0] != "mosquitto" && args[0] != "nats" {
				return usagef(remedy, "%q is not a broker that this version writes for; mosquitto and nats are",
					args[0])
			}
			if len(args) > 1 {
				return usagef(remedy, "%q is one argument too many", args[1])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c.Kind = args[0]
			if err := required(cmd.Flags(), "data"); err != nil {
				return err
			}
			c.Database = databaseOr(c.Database)
			r, err := enrol.WriteBroker(cmd.Context(), c)
			if err != nil {
				return err
			}
			fmt.Fprintf(e.out, "rules for %d signs: %s and the files that it names\nthe controller's own name and "+
				"password: %s; start it with --broker %s://NAME:PASSWORD@HOST:PORT\n",
				r.Signs, r.Conf, r.Login, r.Scheme)
			if len(r.Left) > 0 {
				fmt.Fprintf(e.err, "left out, for they have no password yet: %s; enrol them and run this again\n",
					strings.Join(r.Left, ", "))
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.Data, "data", "", "the controller's `folder`")
	addDatabase(f, &c.Database)
	f.StringVar(&c.Out, "out", "", "`folder` for the files (default DIR/mosquitto or DIR/nats)")
	f.StringVar(&c.Listen, "listen", "127.0.0.1:1883",
		"`address` that the broker listens on; any but loopback needs --cert and --key")
	f.StringVar(&c.Cert, "cert", "", "PEM `file` with the broker's certificate")
	f.StringVar(&c.Key, "key", "", "PEM `file` with its key")
	return cmd
}
