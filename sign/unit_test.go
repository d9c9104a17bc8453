package main

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// The unit's command line is one that this program takes, and what feeds the
// watchdog is asked for.
func TestUnit(t *testing.T) {
	text, err := os.ReadFile("../docs/systemd/ledcast-sign.service")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Type=notify\n", "WatchdogSec=20s\n", "Restart=always\n", "DynamicUser=yes\n",
		"ProtectSystem=strict\n"} {
		if !strings.Contains(string(text), "\n"+want) {
			t.Errorf("no %q", want)
		}
	}
	for line := range strings.Lines(string(text)) {
		command, ok := strings.CutPrefix(line, "ExecStart=")
		if !ok {
			continue
		}
		args := strings.Fields(command)
		if args[1] != "run" {
			t.Fatalf("the unit runs %q", args)
		}
		f := newRun(io.Discard, io.Discard).Flags()
		if err := f.Parse(args[2:]); err != nil {
			t.Fatal(err)
		}
		f.VisitAll(func(x *pflag.Flag) {
			if x.Name != "verbose" && x.Name != "help" && !x.Changed {
				t.Errorf("the unit does not give --%s", x.Name)
			}
		})
		return
	}
	t.Error("no ExecStart")
}
