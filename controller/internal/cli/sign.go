package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"ledcast/playlists"
	"ledcast/playlists/plan"
)

func newSign(e *env) *cobra.Command {
	return e.group("sign", "Let signs in, keep them out",
		"sign adds signs, writes their config files, and takes their passwords away.",
		e.signAdd(),
		e.signDay(),
		e.named("revoke SIGN", "Take a sign's password and close its connection", "SIGN",
			func(cmd *cobra.Command, c *client, id string) error {
				if _, err := c.do(cmd.Context(), http.MethodDelete, "api/v1/signs/"+id+"/credentials", nil,
					nil); err != nil {
					return err
				}
				if c.accepted {
					fmt.Fprintf(e.out, "sign %s has no password here any more; the outside broker lets it in until "+
						"`controller broker-config` has written its rules anew and it has reloaded them\n", id)
					return nil
				}
				fmt.Fprintf(e.out, "sign %s is out; let it in again with `controller sign add %s`\n", id, id)
				return nil
			}),
		e.named("code SIGN", "Make a one-time code, with which `sign enrol` fetches the config file", "SIGN",
			func(cmd *cobra.Command, c *client, id string) error {
				var out struct {
					Code      string `json:"code"`
					ExpiresMS int64  `json:"expires_ms"`
				}
				if _, err := c.do(cmd.Context(), http.MethodPost, "api/v1/signs/"+id+"/code", struct{}{},
					&out); err != nil {
					return err
				}
				fmt.Fprintf(e.out, "%s\nonce and until %s: sign enrol --server %s --code %s\n", out.Code,
					time.UnixMilli(out.ExpiresMS).Format(time.RFC3339), c.base, out.Code)
				return nil
			}),
		e.named("pending SIGN", "Show what waits for the department", "SIGN", e.pending(http.MethodGet, "")),
		e.named("approve SIGN", "Let what waits take effect (department)", "SIGN",
			e.pending(http.MethodPost, "/approve")),
		e.named("refuse SIGN", "Drop what waits", "SIGN", e.pending(http.MethodPost, "/refuse")),
		e.signReview(),
	)
}

func (e *env) signReview() *cobra.Command {
	var exclude bool
	cmd := e.named("review SIGN", "Count a new sign for urgent messages, or exclude one (department)", "SIGN",
		func(cmd *cobra.Command, c *client, id string) error {
			x, did := map[string]any{"signs": []string{id}}, "counts for urgent messages"
			if exclude {
				x["alerts"], did = playlists.AlertsExcluded, "is excluded from urgent messages"
			}
			if _, err := c.do(cmd.Context(), http.MethodPost, "api/v1/signs/review", x, nil); err != nil {
				return err
			}
			fmt.Fprintf(e.out, "%s %s\n", id, did)
			return nil
		})
	cmd.Flags().BoolVar(&exclude, "exclude", false, "draw no alert for it and wait for nobody there")
	return cmd
}

func (e *env) pending(method, path string) func(*cobra.Command, *client, string) error {
	return func(cmd *cobra.Command, c *client, id string) error {
		var x map[string]any
		var body any
		if method == http.MethodPost {
			body = struct{}{}
		}
		if _, err := c.do(cmd.Context(), method, "api/v1/signs/"+id+"/pending"+path, body, &x); err != nil {
			return err
		}
		if x == nil {
			fmt.Fprintln(e.out, "no change waits")
			return nil
		}
		text, err := json.MarshalIndent(x, "", "  ")
		if err != nil {
			return err
		}
		fmt.Fprintf(e.out, "%s\n", text)
		return nil
	}
}

// signDay prints a sign's day as a table.
func (e *env) signDay() *cobra.Command {
	var date, lang string
	cmd := e.named("day SIGN", "Print which rule shows when, and which ones do not, and why", "SIGN",
		func(cmd *cobra.Command, c *client, id string) error {
			var day struct {
				Zone, Date string
				Spans      []struct {
					From, Until int64
					Rule        string
					Lost        []plan.Lost
					Campaigns   []plan.Share
					Notes       []playlists.Text
				}
			}
			if _, err := c.do(cmd.Context(), http.MethodGet, "api/v1/signs/"+id+"/day?date="+url.QueryEscape(date), nil,
				&day); err != nil {
				return err
			}
			zone, err := time.LoadLocation(day.Zone)
			if err != nil {
				return err
			}
			say := func(t playlists.Text) string {
				if lang == "vi" {
					return t.VI
				}
				return t.EN
			}
			fmt.Fprintf(e.out, "%s, %s (%s)\n", id, day.Date, day.Zone)
			w := tabwriter.NewWriter(e.out, 0, 4, 2, ' ', 0)
			fmt.Fprintln(w, "FROM\tUNTIL\tSHOWS\tCAMPAIGNS\tNOT, AND WHY")
			for _, s := range day.Spans {
				var campaigns, why []string
				for _, x := range s.Campaigns {
					campaigns = append(campaigns, fmt.Sprintf("%s %.1f %% (%d of %d s; asked %.0f %%)", x.ID,
						x.PlannedPercent, x.Seconds, x.LoopSeconds, x.AskedPercent))
				}
				for _, l := range s.Lost {
					why = append(why, l.Rule+": "+say(l.Because))
				}
				for _, n := range s.Notes {
					why = append(why, say(n))
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", time.Unix(s.From, 0).In(zone).Format("15:04:05"),
					time.Unix(s.Until, 0).In(zone).Format("15:04:05"), s.Rule, strings.Join(campaigns,
						"; "), strings.Join(why, "; "))
			}
			return w.Flush()
		})
	cmd.Flags().StringVar(&date, "date", "", "the `day`, YYYY-MM-DD in the sign's zone (today)")
	cmd.Flags().StringVar(&lang, "lang", "en", "`language` of the reasons: vi or en")
	return cmd
}

func (e *env) signAdd() *cobra.Command {
	var s playlists.Sign
	var class, mode, out string
	cmd := e.named("add SIGN", "Add a sign and write its config file; an existing sign gets a new password", "SIGN",
		func(cmd *cobra.Command, c *client, id string) error {
			if out == "" {
				out = id + ".json"
			}
			if _, err := os.Stat(out); err == nil {
				return fmt.Errorf("--out %s is there already; move it away, or choose another name", out)
			}
			s.ID, s.Mode = id, playlists.Mode(mode)
			if class != "" {
				var err error
				if s.Class, err = playlists.ParseClass(class); err != nil {
					return err
				}
				if err := s.Validate(); err != nil {
					return err
				}
				var got putAnswer
				if _, err := c.do(cmd.Context(), http.MethodPut, "api/v1/signs/"+id, &s, &got, "If-None-Match",
					"*"); err != nil {
					return err
				}
				for _, x := range got.notes(c.accepted) {
					fmt.Fprintln(e.err, x)
				}
			}
			var conf json.RawMessage
			if _, err := c.do(cmd.Context(), http.MethodPost, "api/v1/signs/"+id+"/credentials", struct{}{},
				&conf); err != nil {
				if status(err) == http.StatusNotFound && class == "" {
					return fmt.Errorf("%w; to add it, give --owner, --class and --areas", err)
				}
				return err
			}
			if err := writeNew(out, append(conf, '\n')); err != nil {
				return err
			}
			fmt.Fprintf(e.out, "%s: the config file of %s; move it to the sign, it holds its password\n", out, id)
			return nil
		})
	f := cmd.Flags()
	f.StringVar(&s.Owner, "owner", "", "the company's `id`")
	f.StringVar(&class, "class", "", "`WxH-colour` of its face, e.g. 128x64-rgb; without it the sign must be there "+
		"already")
	f.StringSliceVar(&s.Areas, "areas", nil, "`areas` that it stands in, e.g. quang-ngai/son-tinh")
	f.StringVar(&s.Name, "name", "", "what people call it")
	f.StringVar(&mode, "mode", "", "program (default) or picture")
	f.BoolVar(&s.Test, "test", false, "it shows tests, too")
	f.StringVar(&s.Phone, "phone", "", "whom to call when it does not show what it should")
	f.StringVar(&out, "out", "", "`file` for the config, mode 0600 (SIGN.json)")
	return cmd
}

// writeNew writes a new file that only its owner can read.
func writeNew(name string, data []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("--out: %w; choose another file", err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if shut := f.Close(); err == nil {
		err = shut
	}
	if err != nil {
		_ = os.Remove(filepath.Clean(name)) // a part of a file is useless
	}
	return err
}
