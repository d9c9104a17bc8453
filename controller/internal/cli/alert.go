package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"ledcast/playlists"
)

func newAlert(e *env) *cobra.Command {
	return e.group("alert", "Urgent messages: send, approve, cancel, count",
		"alert sends urgent messages. One person sends, another reads `alert show` and approves with the number of\n"+
			"signs and the digest that it prints. Anybody of the two ends it in one step.",
		e.alertSend(),
		e.alertApprove(),
		e.alertCancel(),
		e.alertCAP(),
		e.named("preview ALERT", "Print whom an alert would reach, and what speaks against it", "ALERT",
			e.alertPreview),
		e.named("report ALERT", "After its end: which sign showed it when, and what gave way", "ALERT", e.alertReport),
		e.named("break-glass ALERT", "Let an alert run on your word alone: an approved template, one area, a quarter "+
			"of an hour", "ALERT", e.alertStep("break-glass")), e.alertExtend(),
		e.named("resume ALERT", "Take the cancel of an alert back within 15 minutes", "ALERT", e.alertStep("resume")),
		e.named("refuse ALERT", "Refuse an alert that waits", "ALERT", e.alertStep("refuse")),
		e.plain("list", "List alerts, the newest first", func(cmd *cobra.Command, c *client) error {
			var list struct{ Items []playlists.AlertView }
			if _, err := c.do(cmd.Context(), http.MethodGet, "api/v1/alerts", nil, &list); err != nil {
				return err
			}
			w := tabwriter.NewWriter(e.out, 0, 4, 2, ' ', 0)
			fmt.Fprintln(w, "ALERT\tMODE\tSTATE\tUNTIL\tSIGNS\tSHOWING\tMISSED")
			for _, v := range list.Items {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\t%d\n", v.ID, v.Mode, stateOf(&v), clockTime(int64(v.Until)),
					v.Targeted, v.Showing, len(v.Missed))
			}
			return w.Flush()
		}),
		e.named("show ALERT", "Print how far an alert came, and whom to call", "ALERT", e.alertShow),
	)
}

func stateOf(v *playlists.AlertView) string {
	if v.Why != "" {
		return string(v.State) + " (" + v.Why + ")"
	}
	return string(v.State)
}

func clockTime(s int64) string { return time.Unix(s, 0).Format(time.RFC3339) }

// alertSend makes an alert from a file or from flags and prints how to approve it.
func (e *env) alertSend() *cobra.Command {
	var o playlists.AlertOrder
	var file, until, from, mode string
	var priority, exclusive, share int64
	var values map[string]string
	cmd := e.plain("send", "Make an alert; it waits for another person", func(cmd *cobra.Command, c *client) error {
		if file != "" {
			data, err := os.ReadFile(file)
			if err != nil {
				return fmt.Errorf("-f: %w", err)
			}
			text, err := yaml.YAMLToJSON(data) // JSON is YAML, too
			if err != nil {
				return fmt.Errorf("-f %s cannot be read: %s; write an alert's fields as YAML or JSON", file,
					strings.Split(err.Error(), "\n")[0])
			}
			if err := strictJSON(text, &o); err != nil {
				return fmt.Errorf("-f %s: %w", file, err)
			}
		}
		var err error
		if until != "" {
			if o.Until, err = moment("--until", until); err != nil {
				return err
			}
		}
		if from != "" {
			if o.From, err = moment("--from", from); err != nil {
				return err
			}
		}
		if mode != "" {
			o.Mode = playlists.AlertMode(mode)
		}
		if cmd.Flags().Changed("priority") {
			o.Priority = &priority
		}
		if cmd.Flags().Changed("share") {
			o.Takeover = &playlists.Takeover{ExclusiveS: exclusive, SharePercent: share}
		} else if cmd.Flags().Changed("exclusive") {
			return usagef("give --share, the percentage after it", "--exclusive goes with --share")
		}
		if len(values) > 0 {
			o.Values = values
		}
		var v playlists.AlertView
		if _, err := c.do(cmd.Context(), http.MethodPost, "api/v1/alerts", &o, &v); err != nil {
			return err
		}
		return e.alertShow(cmd, c, v.ID)
	})
	f := cmd.Flags()
	f.StringVarP(&file, "file", "f", "", "`file` with the alert as YAML or JSON; flags win")
	f.StringVar(&o.ID, "id", "", "`name` of the alert; none is used twice")
	f.StringVar(&o.Text, "text", "", "the words")
	f.StringVar(&o.Short, "short", "", "fewer `words`, at most 30 characters, for signs that cannot show the others")
	f.StringVar(&o.Message, "message", "", "`id` of one of the department's messages, in place of --text")
	f.StringVar(&o.Template, "template", "", "`id` of a template, in place of --text")
	f.StringToStringVar(&values, "value", nil, "`name=words` for a template's gap")
	f.StringSliceVar(&o.Areas, "areas", nil, "`areas`, e.g. quang-ngai/son-tinh")
	f.StringSliceVar(&o.Signs, "signs", nil, "`signs` by name")
	f.StringVar(&until, "until", "", "end: a `time` (RFC 3339) or how long from now, e.g. 30m")
	f.StringVar(&from, "from", "", "begin: a `time` or how long from now; at its approval without")
	f.StringVar(&mode, "mode", "", "live (default), test or drill")
	f.Int64Var(&priority, "priority", playlists.DefaultPriority, "0 to 1000; the higher goes first")
	f.Int64Var(&exclusive, "exclusive", 0, "`seconds` for which nothing else shows; with --share")
	f.Int64Var(&share, "share", 0, "`percent` of the time after that")
	f.StringVar(&o.Correction, "correction", "", "message id or text that a cancel may show for ten minutes")
	f.StringVar(&o.Replaces, "replaces", "", "`alert` that ends when this one is approved")
	f.BoolVar(&o.Draft, "draft", false, "keep it as a draft")
	f.StringVar(&o.Override, "override", "", "`finding` that it is let through in spite of: distance; with --reason")
	f.StringVar(&o.Reason, "reason", "", "why, for the approver and the log")
	return cmd
}

// moment reads a time or a duration from now.
func moment(flag, s string) (playlists.Moment, error) {
	if d, err := time.ParseDuration(s); err == nil {
		return playlists.Moment(time.Now().Add(d).Unix()), nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return 0, usagef("e.g. 30m, or 2021-01-30T18:00:00+07:00", "%s %q is neither a time nor a duration", flag, s)
	}
	return playlists.Moment(t.Unix()), nil
}

func (e *env) alertApprove() *cobra.Command {
	var signs int
	var digest, override, reason string
	cmd := e.named("approve ALERT", "Let an alert of somebody else run", "ALERT",
		func(cmd *cobra.Command, c *client, id string) error {
			if !cmd.Flags().Changed("signs") {
				return usagef("read it off the preview: controller alert show "+id, "--signs is missing")
			}
			if digest == "" {
				return usagef("copy it from the preview that you read: controller alert show "+id, "--digest is missing")
			}
			var v playlists.AlertView
			if _, err := c.do(cmd.Context(), http.MethodPost, "api/v1/alerts/"+id+"/approve",
				playlists.AlertApproval{Signs: &signs, Digest: digest, Override: override, Reason: reason}, &v); err != nil {
				return err
			}
			fmt.Fprintf(e.out, "%s runs on %d signs until %s\n", id, v.Targeted, clockTime(int64(v.Until)))
			for _, x := range v.Came {
				fmt.Fprintf(e.out, "  came since the preview: %s\n", x)
			}
			for _, x := range v.Gone {
				fmt.Fprintf(e.out, "  left since the preview: %s\n", x)
			}
			return nil
		})
	cmd.Flags().IntVar(&signs, "signs", 0, "`number` of signs that the preview says")
	cmd.Flags().StringVar(&digest, "digest", "", "`digest` of the preview that you read")
	cmd.Flags().StringVar(&override, "override", "",
		"`finding` that the approver knows of: distance; kept with the alert, with --reason")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the log")
	return cmd
}

func (e *env) alertExtend() *cobra.Command {
	var signs int
	var digest, until string
	cmd := e.named("extend ALERT", "Let a break-glass alert of somebody else run longer", "ALERT",
		func(cmd *cobra.Command, c *client, id string) error {
			if !cmd.Flags().Changed("signs") || digest == "" || until == "" {
				return usagef("read the preview: controller alert preview "+id, "--signs, --digest or --until is missing")
			}
			at, err := moment("--until", until)
			if err != nil {
				return err
			}
			var v playlists.AlertView
			if _, err := c.do(cmd.Context(), http.MethodPost, "api/v1/alerts/"+id+"/extend", playlists.AlertExtension{
				AlertApproval: playlists.AlertApproval{Signs: &signs, Digest: digest}, Until: at}, &v); err != nil {
				return err
			}
			fmt.Fprintf(e.out, "%s runs on %d signs until %s\n", id, v.Targeted, clockTime(int64(v.Until)))
			return nil
		})
	cmd.Flags().IntVar(&signs, "signs", 0, "`number` of signs that the preview says")
	cmd.Flags().StringVar(&digest, "digest", "", "`digest` of the preview that you read")
	cmd.Flags().StringVar(&until, "until", "", "`time` or duration from now, e.g. 2h")
	return cmd
}

func (e *env) alertCancel() *cobra.Command {
	var correction bool
	cmd := e.named("cancel ALERT", "End an alert at once", "ALERT",
		func(cmd *cobra.Command, c *client, id string) error {
			var v playlists.AlertView
			if _, err := c.do(cmd.Context(), http.MethodPost, "api/v1/alerts/"+id+"/cancel",
				map[string]bool{"correction": correction}, &v); err != nil {
				return err
			}
			fmt.Fprintf(e.out, "%s is cancelled\n", id)
			if v.Unsaved {
				fmt.Fprintln(e.out, "the controller cannot reach its database: signs are told, and the log gets it later")
			}
			return nil
		})
	cmd.Flags().BoolVar(&correction, "correction", false,
		"show the correction that was approved with it for ten minutes")
	return cmd
}

func (e *env) alertStep(step string) func(*cobra.Command, *client, string) error {
	return func(cmd *cobra.Command, c *client, id string) error {
		var v playlists.AlertView
		if _, err := c.do(cmd.Context(), http.MethodPost, "api/v1/alerts/"+id+"/"+step, struct{}{}, &v); err != nil {
			return err
		}
		fmt.Fprintf(e.out, "%s is %s\n", v.ID, stateOf(&v))
		return nil
	}
}

// strictJSON reads one JSON object and rejects unknown fields.
func strictJSON(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

// alertCAP sends a CAP document.
func (e *env) alertCAP() *cobra.Command {
	var file string
	cmd := e.plain("cap", "Hand in an alert of the Common Alerting Protocol 1.2",
		func(cmd *cobra.Command, c *client) error {
			if err := required(cmd.Flags(), "filename"); err != nil {
				return err
			}
			data, err := os.ReadFile(file)
			if err != nil {
				return fmt.Errorf("--filename: %w", err)
			}
			var r playlists.CAPResult
			if _, err := c.send(cmd.Context(), http.MethodPost, "api/v1/alerts/cap", "application/cap+xml", data,
				&r); err != nil {
				return err
			}
			fmt.Fprintf(e.out, "%s: %s %s\n", r.Outcome, r.Because.EN, strings.Join(r.Alerts, " "))
			return nil
		})
	cmd.Flags().StringVarP(&file, "filename", "f", "", "XML `file`")
	return cmd
}
