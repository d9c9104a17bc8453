package api

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"time"

	"ledcast/playlists"
)

// Report is what a report has become: data for programs, and a table for people.
type Report interface {
	WriteCSV(w io.Writer) error
	WriteText(w io.Writer) error
}

// Kinds of reports.
const (
	ReportDelivery  = "delivery"
	ReportShare     = "share"
	ReportDisplaced = "displaced"
	ReportUptime    = "uptime"
)

// ReportQuery asks for a report. Times are Unix seconds, From and Until whole
// quarters of an hour.
type ReportQuery struct {
	Kind        string
	From, Until int64
	Now         int64
	Owner       string // whose signs; "" for all
	Content     string // whose items are told apart; "" for all
	Sign        string
	Campaign    string
}

// Reports makes them from what signs proved.
type Reports interface {
	// Make returns a report as data, and as a table.
	Make(ctx context.Context, q ReportQuery) (data any, table Report, err error)
}

// Bounds of a report. Signs close their records at the quarters of an hour: of
// less than a quarter nobody can say what was shown.
const (
	maxReport = 400 * 24 * time.Hour
	quarter   = 15 * time.Minute
)

// report answers what was shown. A company gets its own signs; the department
// gets everybody's, where a company's own items are one line.
func (s *Server) report(w http.ResponseWriter, r *http.Request) {
	p := s.who(w, r)
	if p == nil {
		return
	}
	q := r.URL.Query()
	kind := r.PathValue("kind")
	bad := func(field, value string, key playlists.TextKey, args ...any) {
		s.fail(w, r, &playlists.Error{Code: playlists.Invalid, Field: field, Value: value, Key: key, Args: args})
	}
	if !p.MayRead(playlists.KindReport, p.Owner) {
		s.fail(w, r, denied(p, playlists.KindReport, kind))
		return
	}
	if !slices.Contains([]string{ReportDelivery, ReportShare, ReportDisplaced, ReportUptime}, kind) {
		s.fail(w, r, notThere("report", kind))
		return
	}
	zone, err := time.LoadLocation(playlists.DefaultZone)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	now := s.now().Truncate(time.Second).Add(time.Second) // the second that runs counts
	from, until := now.Add(-24*time.Hour), now
	for _, x := range []struct {
		name string
		to   *time.Time
		last bool
	}{{"from", &from, false}, {"to", &until, true}} {
		text := q.Get(x.name)
		if text == "" {
			continue
		}
		if *x.to, err = moment(text, zone, x.last); err != nil {
			bad(x.name, text, "not-date-or-time")
			return
		}
	}
	if !from.Before(until) {
		bad("to", q.Get("to"), "not-after-from")
		return
	}
	if until.Sub(from) > maxReport {
		bad("to", q.Get("to"), "days-over-limit", int(until.Sub(from).Hours()/24), int(maxReport.Hours()/24))
		return
	}
	from, until = from.Truncate(quarter), until.Add(quarter-1).Truncate(quarter)
	ask := ReportQuery{Kind: kind, From: from.Unix(), Until: until.Unix(), Now: now.Unix(), Owner: q.Get("owner"),
		Content: p.Owner, Sign: q.Get("sign"), Campaign: q.Get("campaign")}
	if !p.Department() {
		if ask.Owner != "" && ask.Owner != p.Owner {
			s.fail(w, r, notThere("owner", ask.Owner))
			return
		}
		ask.Owner = p.Owner
	}
	data, table, err := s.reports.Make(r.Context(), ask)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	var b bytes.Buffer
	switch format := q.Get("format"); format {
	case "", "json":
		answer(w, data)
		return
	case "csv":
		err = table.WriteCSV(&b)
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		w.Header().Set("Content-Disposition", `attachment; filename="ledcast-`+kind+`.csv"`)
	case "table":
		err = table.WriteText(&b)
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	default:
		bad("format", format, "format-unknown")
		return
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(b.Bytes())
}

// moment reads a date or a time. The last day of a range is inclusive.
func moment(text string, zone *time.Location, last bool) (time.Time, error) {
	if d, err := time.ParseInLocation(time.DateOnly, text, zone); err == nil {
		if last {
			d = d.AddDate(0, 0, 1)
		}
		return d, nil
	}
	return time.Parse(time.RFC3339, text)
}
