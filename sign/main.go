// Command sign is the reference LED sign: it plays what was signed for it.
// Run it with --help.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"ledcast/sign/box"
	"ledcast/sign/output"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// usageError is a wrong use of the command line: exit code 2.
type usageError struct{ error }

// run runs the command line and returns the exit code: 0 done, 1 refused or
// failed, 2 wrong usage.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := &cobra.Command{
		Use: "sign", Short: "A networked LED sign that plays what was signed for it",
		SilenceErrors: true, SilenceUsage: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("%q is not a command; see sign --help", args[0])}
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see %s --help", err, c.CommandPath())}
	})
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.AddCommand(newRun(stdout, stderr), newEnrol(stdout), newVectors(stdout),
		newInspect(os.Stdin, stdout, time.Now))
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintf(stderr, "%s: %s\n", cmd.CommandPath(), strings.ReplaceAll(err.Error(), "\n", " "))
	var wrong usageError
	if errors.As(err, &wrong) {
		return 2
	}
	return 1
}

func newRun(stdout, stderr io.Writer) *cobra.Command {
	var config, data string
	var outputs []string
	var verbose bool
	c := &cobra.Command{
		Use:   "run",
		Short: "Play: connect, accept, show; go on without a network",
		Example: "  sign run --config qn-001.json --output terminal\n" +
			"  sign run --config qn-001.json --output ddp:192.168.7.2 --output png:./face",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("%q is not a flag of run; see sign run --help", args[0])}
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error {
			if config == "" {
				return usageError{
					errors.New("--config is missing; give the file that the controller wrote for this sign"),
				}
			}
			if len(outputs) == 0 {
				return usageError{
					errors.New("--output is missing; give terminal, png:DIR, ddp:HOST, sacn:HOST or fb:/dev/fb0"),
				}
			}
			return play(c.Context(), config, data, outputs, verbose, stdout, stderr)
		},
	}
	f := c.Flags()
	f.StringVar(&config, "config", "", "the sign's config `file`")
	f.StringVar(&data, "data", "",
		"`folder` for what must last: keys, floors, programs, frames (default: ledcast-sign/<sign> in your cache folder)")
	f.StringArrayVar(&outputs, "output", nil,
		"where the face goes: terminal, png:DIR, ddp:HOST[:PORT], sacn:HOST, sacn:multicast or fb:/dev/fb0; "+
			"may be given several times")
	f.BoolVarP(&verbose, "verbose", "v", false, "log more")
	return c
}

func play(ctx context.Context, config, data string, specs []string, verbose bool, stdout, stderr io.Writer) error {
	conf, err := box.LoadConfig(config)
	if err != nil {
		return err
	}
	if data == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return usageError{fmt.Errorf("there is no cache folder for this user (%v); give --data DIR", err)}
		}
		data = filepath.Join(cache, "ledcast-sign", conf.Sign)
	}
	unlock, err := lockData(data)
	if err != nil {
		return err
	}
	defer unlock()
	face := conf.Face()
	var outs []output.Output
	for _, spec := range specs {
		o, err := output.Open(spec, face, conf.Outputs, stdout)
		if err != nil {
			return err
		}
		outs = append(outs, o)
	}
	level := slog.LevelInfo
	if verbose {
		level = slog.LevelDebug
	}
	times := box.RealTimes()
	systemd := watched(times.Mono)
	b, err := box.New(box.Options{
		Config:   conf,
		Dir:      data,
		Outputs:  outs,
		Software: "ledcast " + version(),
		Times:    times,
		Alive:    systemd.alive,
		Log:      slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level})),
	})
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, systemd.stopping)
	return b.Run(ctx)
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
