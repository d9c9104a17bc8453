package cli

import (
	"fmt"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"ledcast/playlists"
)

// modeOf returns a mode in words that cannot be confused.
func modeOf(m playlists.AlertMode) string { return strings.ToUpper(string(m)) }

// modeMeans says in a line what signs do with an alert of a mode.
var modeMeans = map[playlists.AlertMode]string{
	playlists.AlertLive:  "### LIVE: goes on every sign below ###",
	playlists.AlertTest:  "--- TEST: goes on test signs only ---",
	playlists.AlertDrill: "... DRILL: goes the whole way and shows nothing ...",
}

// alertPreview prints what an approver must know. For an alert that waits, it
// prints two lines for scripts: "ALERT waits: signs N …" and "ALERT digest D".
func (e *env) alertPreview(cmd *cobra.Command, c *client, id string) error {
	var v playlists.AlertView
	if _, err := c.do(cmd.Context(), http.MethodGet, "api/v1/alerts/"+id, nil, &v); err != nil {
		return err
	}
	var p playlists.AlertPreview
	if _, err := c.do(cmd.Context(), http.MethodGet, "api/v1/alerts/"+id+"/preview", nil, &p); err != nil {
		return err
	}
	fmt.Fprintf(e.out, "%s\n%s: %s, %s, written by %s\n", modeMeans[v.Mode], id, modeOf(v.Mode), stateOf(&v),
		v.CreatedBy)
	for _, s := range p.Says {
		fmt.Fprintf(e.out, "  says %s\n", s)
	}
	from := "its approval"
	if v.FromGiven || v.ApprovedMS > 0 {
		from = clockTime(int64(v.From))
	}
	fmt.Fprintf(e.out, "  from %s until %s, priority %d\n", from, clockTime(int64(v.Until)), v.Priority)
	if t := v.Takeover; t != nil {
		fmt.Fprintf(e.out, "  takes the face for %d s, then %d %% of the time\n", t.ExclusiveS, t.SharePercent)
	} else {
		fmt.Fprintln(e.out, "  takes the face until its end")
	}
	if places := append(v.Areas, v.Signs...); len(places) > 0 {
		fmt.Fprintf(e.out, "  for %s\n", strings.Join(places, ", "))
	}
	if v.Replaces != "" {
		fmt.Fprintf(e.out, "  ends %s when it begins\n", v.Replaces)
	}
	if v.Correction != "" {
		fmt.Fprintf(e.out, "  a cancel may say: %s\n", v.Correction)
	}
	if p.Override != "" {
		fmt.Fprintf(e.out, "  let through in spite of %s: %s\n", p.Override, p.Reason)
	}
	reaches := "would reach"
	if v.State == playlists.AlertPending {
		reaches = "waits:"
	}
	fmt.Fprintf(e.out, "%s %s signs %d (%d of them picture signs, unprotected)\n", id, reaches, p.Signs, p.Pictures)
	if v.State == playlists.AlertPending {
		fmt.Fprintf(e.out, "%s digest %s\n", id, p.Digest)
	}
	for _, part := range []struct {
		of   string
		list []playlists.SignCount
	}{{"by company", p.ByCompany}, {"by area", p.ByArea}} {
		fmt.Fprintf(e.out, "  %s\n", part.of)
		for _, x := range part.list {
			name := x.Name
			if name == "" {
				name = x.ID
			}
			fmt.Fprintf(e.out, "    %-24s %d\n", name, x.Signs)
		}
	}
	e.alertLooks("on the faces", p.Classes)
	e.alertLooks("the correction", p.Correction)
	for _, x := range p.OutOfService {
		fmt.Fprintf(e.out, "  out of service: %s (%s)\n", x.Sign, x.Reason)
	}
	for _, x := range []struct {
		what  string
		signs []string
	}{{"new, and not in the number", p.New}, {"never connected", p.Never},
		{"offline now", p.Offline}, {"dark at this hour, and lit by it", p.Dark}} {
		if len(x.signs) > 0 {
			fmt.Fprintf(e.out, "  %s: %s\n", x.what, strings.Join(x.signs, ", "))
		}
	}
	for _, x := range p.Rejected {
		fmt.Fprintf(e.out, "  cannot show it: %s (%s)\n", x.Sign, x.Reason)
	}
	switch v.State {
	case playlists.AlertDraft:
		fmt.Fprintf(e.out, "it is a draft: send it again without --draft\n")
	case playlists.AlertPending:
		fmt.Fprintf(e.out, "another person: controller alert approve %s --signs N --digest D\n", id)
	}
	return nil
}

func (e *env) alertLooks(title string, looks []playlists.AlertOnSign) {
	if len(looks) == 0 {
		return
	}
	fmt.Fprintf(e.out, "  %s\n", title)
	for _, x := range looks {
		var ms int64
		for _, f := range x.Frames {
			ms += f.MS
		}
		form := ""
		switch {
		case x.Unable:
			form = ", cannot show it"
		case x.Late:
			form = ", still being drawn"
		case x.Form > 0:
			form = ", in fewer words"
		}
		fmt.Fprintf(e.out, "    %-24s signs: %d, pages: %d in %.1f s%s\n", x.Class, x.Signs, len(x.Frames),
			float64(ms)/1000, form)
		for _, f := range x.Findings {
			at := ""
			if f.Field != "" {
				at = " (" + f.Field + ")"
			}
			fmt.Fprintf(e.out, "      %s%s: %s %s\n", f.Code, at, f.Text.EN, f.Remedy.EN)
		}
	}
}

// alertReport prints the report of an alert that has ended.
func (e *env) alertReport(cmd *cobra.Command, c *client, id string) error {
	var r playlists.AlertReport
	if _, err := c.do(cmd.Context(), http.MethodGet, "api/v1/alerts/"+id+"/report", nil, &r); err != nil {
		return err
	}
	at := func(ms int64) string {
		if ms == 0 {
			return "-"
		}
		return time.UnixMilli(ms).Format("2006-01-02T15:04:05.000Z07:00")
	}
	w := tabwriter.NewWriter(e.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "SIGN\tCOMPANY\tCAME AS FAR AS\tFROM\tUNTIL\tPROVEN")
	for _, s := range r.Signs {
		reached := s.Reached
		if s.Reason != "" {
			reached += " (" + s.Reason + ")"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%.1f s\n", s.Sign, s.Owner, reached, at(s.FromMS), at(s.UntilMS),
			float64(s.ProofMS)/1000)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, g := range r.GaveWay {
		fmt.Fprintf(e.out, "gave way: %s for %.1f s in all\n", strings.Trim(g.Owner+"/"+g.Item, "/"), float64(g.MS)/1000)
	}
	return nil
}

func (e *env) alertShow(cmd *cobra.Command, c *client, id string) error {
	var v playlists.AlertView
	if _, err := c.do(cmd.Context(), http.MethodGet, "api/v1/alerts/"+id, nil, &v); err != nil {
		return err
	}
	if v.State == playlists.AlertDraft || v.State == playlists.AlertPending {
		return e.alertPreview(cmd, c, id)
	}
	fmt.Fprintf(e.out, "%s: %s, %s until %s\n", v.ID, modeOf(v.Mode), stateOf(&v), clockTime(int64(v.Until)))
	if v.BreakGlass {
		fmt.Fprintf(e.out, "sent by %s alone: break-glass was used\n", v.ApprovedBy)
	}
	fmt.Fprintf(e.out, "targeted %d: sent %d, received %d, showing %d, rejected %d, missed %d, out of service %d\n",
		v.Targeted, v.Sent, v.Received, v.Showing, v.Rejected, len(v.Missed), len(v.OutOfService))
	if t := v.Times; t != nil {
		fmt.Fprintf(e.out, "after approval: p50 %d ms, p95 %d ms, p99 %d ms; slowest", t.P50MS, t.P95MS, t.P99MS)
		for _, s := range t.Slowest[:min(3, len(t.Slowest))] {
			fmt.Fprintf(e.out, " %s %d ms", s.Sign, s.MS)
		}
		fmt.Fprintln(e.out)
	}
	for _, r := range v.Rejections {
		fmt.Fprintf(e.out, "rejected by %s: %s\n", r.Sign, r.Reason)
	}
	for _, x := range v.Call {
		phone := x.Phone
		if phone == "" {
			phone = "no telephone known"
		}
		fmt.Fprintf(e.out, "call about %s: %s, %s\n", x.Sign, x.Owner, phone)
	}
	return nil
}
