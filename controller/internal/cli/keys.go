package cli

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"ledcast/controller/internal/keys"

	"github.com/spf13/cobra"
)

func newKeys(e *env) *cobra.Command {
	all := &cobra.Command{
		Use: "keys", Short: "Show, rotate or renew what the controller signs with",
		Long: "keys works on the data folder of a controller that is stopped; signs play on meanwhile.\n" +
			"renew and rotate need a root key, which should not lie on this machine otherwise.",
		Args: noSuchCommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	type change func(ctx context.Context, dir, database, root string, now time.Time) (*keys.Report, error)
	add := func(use, short string, do change) {
		var data, database, root string
		c := &cobra.Command{Use: use, Short: short, Args: noArgs}
		c.Flags().StringVar(&data, "data", "", "the controller's `folder`")
		addDatabase(c.Flags(), &database)
		needs := []string{"data"}
		if use != "show" {
			c.Flags().StringVar(&root, "root", "", "`file` of a root key")
			needs = append(needs, "root")
		}
		c.RunE = func(c *cobra.Command, _ []string) error {
			if err := required(c.Flags(), needs...); err != nil {
				return err
			}
			r, err := do(c.Context(), data, databaseOr(database), root, time.Now())
			if err != nil {
				return err
			}
			return e.keyReport(r)
		}
		all.AddCommand(c)
	}
	add("show", "Print the keys and when they end",
		func(ctx context.Context, dir, database, _ string, now time.Time) (*keys.Report, error) {
			return keys.Show(ctx, dir, database, now)
		})
	add("renew", "Sign the key set for another 400 days", keys.Renew)
	add("rotate", "List new keys; they sign once the signs have them", keys.Rotate)
	return all
}

func (e *env) keyReport(r *keys.Report) error {
	fmt.Fprintf(e.out, "key set: epoch %d, seq %d, ends %s\nroots: %s, spare %s\n", r.Epoch, r.Seq,
		r.Ends.UTC().Format(time.RFC3339), r.Root, r.Spare)
	w := tabwriter.NewWriter(e.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "KEY\tROLE\tSTATE\tUNTIL")
	for _, k := range r.Keys {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", k.KID, k.Role, k.State, k.Until.UTC().Format(time.DateOnly))
	}
	return w.Flush()
}
