package cli

import (
	"fmt"
	"net/http"
	"net/url"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

func newAudit(e *env) *cobra.Command {
	var after int64
	list := e.plain("list", "Print who changed what, oldest first", func(cmd *cobra.Command, c *client) error {
		w := tabwriter.NewWriter(e.out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(w, "N\tAT\tWHO\tFROM\tWHAT")
		for {
			var page struct {
				Items []struct {
					N                                  int64
					AtMS                               int64 `json:"at_ms"`
					Who, From, Action, Kind, Owner, ID string
				}
			}
			if _, err := c.do(cmd.Context(), http.MethodGet, fmt.Sprintf("api/v1/audit?after=%d&limit=500", after),
				nil, &page); err != nil {
				return err
			}
			for _, x := range page.Items {
				what := x.Action + " " + x.Kind + " " + x.ID
				if x.Owner != "" && x.Owner != x.ID {
					what += " (" + x.Owner + ")"
				}
				fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", x.N, time.UnixMilli(x.AtMS).Format(time.RFC3339), x.Who, x.From,
					what)
				after = x.N
			}
			if len(page.Items) < 500 {
				return w.Flush()
			}
		}
	})
	list.Flags().Int64Var(&after, "after", 0, "only entries after this `number`")
	var expect string
	verify := e.plain("verify", "Check that no entry was changed, removed or inserted, and that what is kept is what "+
		"was written", func(cmd *cobra.Command, c *client) error {
		var v struct {
			Entries int64
			Digest  string
		}
		path := "api/v1/audit/verify"
		if expect != "" {
			path += "?expect=" + url.QueryEscape(expect)
		}
		if _, err := c.do(cmd.Context(), http.MethodGet, path, nil, &v); err != nil {
			return err
		}
		fmt.Fprintf(e.out, "%d entries, the chain is whole; its head is %d:%s\n", v.Entries, v.Entries, v.Digest)
		return nil
	})
	verify.Flags().StringVar(&expect, "expect", "",
		"`head` that an earlier verify printed: whether the log still has it")
	return e.group("audit", "Who changed what", "audit reads the log of every change. Each entry carries a digest "+
		"over itself and the one before.\nKeep the head that verify prints somewhere else: with --expect it shows "+
		"later that nothing was cut off.", list, verify)
}
