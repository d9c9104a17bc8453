// Package cli is the controller's command line: one file for each command.
//
// newXxx(env) makes a command. Run handles the errors of all commands. Exit codes:
// 0 done; 1 refused or failed, with one line on standard error that says what is
// wrong, where, and what to do; 2 wrong usage.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// env is the part of the process that a command uses.
type env struct {
	in       io.Reader
	out, err io.Writer
}

// usageError is an error in the use of the command line: exit code 2.
type usageError struct{ problem, remedy string }

func (e *usageError) Error() string { return e.problem + "; " + e.remedy }

// usagef makes a usageError from a remedy and a problem.
func usagef(remedy, format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...), remedy}
}

// Run runs the command line and returns the exit code of the process. The command
// stops when ctx is cancelled.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	e := &env{in: stdin, out: stdout, err: stderr}
	root := &cobra.Command{
		Use:   "controller",
		Short: "Puts messages on outdoor LED signs",
		Long: "controller puts public-health messages on outdoor LED signs that belong to many companies.\n" +
			"It draws each message for each class of sign, and signs play what they were sent by themselves.",
		SilenceErrors: true,
		SilenceUsage:  true,

		SuggestionsMinimumDistance: 2,

		Args: noSuchCommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetArgs(args)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usagef("see "+c.CommandPath()+" --help", "%v", err)
	})
	for _, add := range commands {
		root.AddCommand(add(e))
	}
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	line := strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", " ")
	fmt.Fprintf(stderr, "%s: %s\n", cmd.CommandPath(), line)
	var wrong *usageError
	if errors.As(err, &wrong) {
		return 2
	}
	return 1
}

// commands returns all commands. Add a new one here.
var commands = []func(*env) *cobra.Command{
	newAlert,
	newApply,
	newAudit,
	newBackup,
	newBrokerConfig,
	newCheck,
	newClock,
	newDelete,
	newDemo,
	newDiff,
	newGet,
	newKeys,
	newPreview,
	newReport,
	newRestore,
	newServe,
	newSheet,
	newSign,
	newSimulate,
	newSimulateSigns,
	newToken,
	newUser,
	newVersion,
}

func noSuchCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	remedy := "see " + c.CommandPath() + " --help"
	if s := c.SuggestionsFor(args[0]); len(s) > 0 {
		remedy = "did you mean " + strings.Join(s, " or ") + "?"
	}
	return usagef(remedy, "%q is not a command", args[0])
}

// noArgs rejects arguments without a flag.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("see "+c.CommandPath()+" --help", "%q is not a flag of %s", args[0], c.Name())
	}
	return nil
}

// required returns a usageError that names the first missing flag.
func required(flags *pflag.FlagSet, names ...string) error {
	for _, n := range names {
		if f := flags.Lookup(n); f != nil && !f.Changed {
			return usagef("give --"+n+": "+f.Usage, "--%s is missing", n)
		}
	}
	return nil
}
