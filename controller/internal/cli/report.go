package cli

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
)

func newReport(e *env) *cobra.Command {
	kind := func(name, short string) *cobra.Command {
		var from, to, format, sign, owner, campaign string
		c := e.plain(name, short, func(cmd *cobra.Command, c *client) error {
			q := url.Values{"format": {format}}
			for k, v := range map[string]string{"from": from, "to": to, "sign": sign, "owner": owner,
				"campaign": campaign} {
				if v != "" {
					q.Set(k, v)
				}
			}
			text, err := c.text(cmd.Context(), http.MethodGet, "api/v1/reports/"+name+"?"+q.Encode())
			if err != nil {
				return err
			}
			fmt.Fprintln(e.out, strings.TrimRight(text, "\n"))
			return nil
		})
		f := c.Flags()
		f.StringVar(&from, "from", "", "first `day` or time, 2021-02-11 or RFC 3339 (a day ago)")
		f.StringVar(&to, "to", "", "last `day`, inclusive, or time (now)")
		f.StringVar(&format, "format", "table", "table, csv or json")
		f.StringVar(&sign, "sign", "", "only of this `sign`")
		f.StringVar(&owner, "owner", "", "only of this company's signs (department)")
		if name != "uptime" {
			f.StringVar(&campaign, "campaign", "", "only of this `campaign`")
		}
		return c
	}
	return e.group("report", "What was shown, by what signs prove",
		"report adds up signs' proof of play, in whole quarters of an hour, as signs close their records. What no "+
			"record covers is named, and never counted as shown. docs/reports.md says what each number means.",
		kind("delivery", "How often and how long each message was on each sign's output, day by day"),
		kind("share", "Campaigns' shares: asked, planned, shown"),
		kind("displaced", "What gave way to urgent messages"),
		kind("uptime", "How long each sign was online, offline and faulty, day by day"))
}
