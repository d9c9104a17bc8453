package cli

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"ledcast/controller/internal/simulate"
	"ledcast/sign/crowd"
)

// crowdCommand runs some of the signs of simulate in a separate process.
const crowdCommand = "simulate-signs"

func newSimulate(e *env) *cobra.Command {
	var o simulate.Options
	var out string
	c := &cobra.Command{
		Use:   "simulate",
		Short: "Measure alerts on thousands of connected signs, beside the bare broker",
		Long: "simulate starts a controller on a temporary folder and thousands of light signs in processes of their " +
			"own, all on\n" +
			"this machine and its loopback, and measures how long an approved alert takes to reach them and to be " +
			"shown. In\n" +
			"between, a plain MQTT client sends the same number of bytes to the same subscribers: the broker alone.\n" +
			"With --storm all connections are cut while an alert is approved. Exit code 1: something was lost.",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			self, err := os.Executable()
			if err != nil {
				return err
			}
			o.Child, o.Progress, o.Software = []string{self, crowdCommand}, e.err, buildVersion()
			r, failed := simulate.Run(c.Context(), o)
			if r == nil {
				return failed
			}
			if out != "" {
				data, err := json.MarshalIndent(r, "", "  ")
				if err == nil {
					err = os.WriteFile(out, append(data, '\n'), 0o644)
				}
				if err != nil {
					return fmt.Errorf("--out: %w", err)
				}
			}
			e.simulated(r)
			return failed
		},
	}
	f := c.Flags()
	f.IntVar(&o.Signs, "signs", 1000, "`number` of signs")
	f.IntVar(&o.Classes, "classes", 4, "`number` of classes among them")
	f.IntVar(&o.Rounds, "rounds", 9, "`number` of alerts, each followed by the bare broker")
	f.IntVar(&o.Children, "children", 4, "`number` of processes that hold the signs; more where one would hold "+
		"over 5000")
	f.StringVar(&o.Broker, "broker", "embedded",
		"`broker`: embedded, mosquitto (which it starts), or an outside one's mqtt://user:password@host:port, which "+
			"lets all of them in")
	f.BoolVar(&o.Storm, "storm", false, "cut all connections at once while an alert is approved")
	f.BoolVar(&o.AtOnce, "at-once", false, "let signs check and ack while others of their process still read; real "+
		"ones have a processor each")
	f.StringVar(&out, "out", "", "`file` for all numbers as JSON")
	return c
}

func newSimulateSigns(e *env) *cobra.Command {
	return &cobra.Command{
		Use: crowdCommand, Hidden: true, Short: "Part of simulate", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return crowd.Serve(c.Context(), e.in, e.out,
				slog.New(slog.NewTextHandler(e.err, &slog.HandlerOptions{Level: slog.LevelWarn})))
		},
	}
}

// simulated prints the measurements.
func (e *env) simulated(r *simulate.Report) {
	p := func(format string, args ...any) { fmt.Fprintf(e.out, format+"\n", args...) }
	p("%d signs of %s in %d processes, broker %s", r.Signs, strings.Join(r.Classes, ", "), r.Children, r.Broker)
	for _, n := range r.Notes {
		p("  %s", n)
	}
	p("programs planned, signed and published in %.1f s; all signs connected in %.1f s", r.ReadyS, r.ConnectS)
	p("")
	p("%-34s %8s %8s %8s %8s", "median of rounds, ms", "p50", "p95", "p99", "max")
	row := func(name string, s simulate.Spread) {
		p("%-34s %8.0f %8.0f %8.0f %8.0f", name, s.P50, s.P95, s.P99, s.Max)
	}
	row(fmt.Sprintf("approval to receipt (%d rounds)", len(r.Alerts)), r.Alert)
	row("bare broker, publish to receipt", r.BareMed)
	row("approval to ack showing counted", r.Showing)
	if s := r.Storm; s != nil {
		row("storm: approval to receipt", s.Receipt)
		row("storm: approval to ack showing", s.Showing)
		p("storm: %d of %d show it, %d connections, all back after %.1f s, resyncs %d", s.ShowedBy, r.Signs,
			s.Connects, s.BackMS/1000, s.Resyncs)
	}
	p("ratio to the bare broker, median of rounds: p50 %.2f, p99 %.2f", r.RatioP50, r.RatioP99)
	if len(r.Alerts) > 0 {
		a := r.Alerts[len(r.Alerts)-1]
		p("an alert is %d messages, %d bytes to all signs together", a.Messages, a.Bytes)
	}
	p("controller's process: %.1f s of CPU, peak %d MiB", r.CPU, r.PeakRSS>>20)
	p("lost: %d (bare broker: %d); resyncs %d; reports of drops by the embedded broker %d", r.Lost, r.BareLost,
		r.Resyncs, r.Dropped)
	p("a set with a wrong signature was refused by %d of %d signs; refused in all %v", r.Forged, r.Signs, r.Rejected)
	for _, t := range r.Targets {
		p("%s", t)
	}
}
