// Command controller puts messages on outdoor LED signs. Run it with --help.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"ledcast/controller/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
