package cli

import (
	"github.com/spf13/cobra"
)

// group makes a command that only has subcommands.
func (e *env) group(use, short, long string, commands ...*cobra.Command) *cobra.Command {
	g := &cobra.Command{Use: use, Short: short, Long: long, Args: noSuchCommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	g.AddCommand(commands...)
	return g
}

// named makes a command with one argument, a name, that calls a controller.
func (e *env) named(use, short, what string, do func(cmd *cobra.Command, c *client, name string) error) *cobra.Command {
	var c client
	cmd := &cobra.Command{Use: use, Short: short,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("write controller "+cmd.Parent().Name()+" "+cmd.Name()+" "+what,
					"%d names are given where one is needed", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.open(); err != nil {
				return err
			}
			return do(cmd, &c, args[0])
		},
	}
	c.flags(cmd.Flags())
	return cmd
}

// plain makes a command without arguments that calls a controller.
func (e *env) plain(use, short string, do func(cmd *cobra.Command, c *client) error) *cobra.Command {
	var c client
	cmd := &cobra.Command{Use: use, Short: short, Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := c.open(); err != nil {
				return err
			}
			return do(cmd, &c)
		},
	}
	c.flags(cmd.Flags())
	return cmd
}
