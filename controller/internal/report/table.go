package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"
)

// Table is a report as rows of fields, for text output and CSV.
type Table struct {
	Head []string
	Rows [][]string
	// Notes are lines below the text output that list missing data.
	Notes []string
	// CSVHead and CSVRows are additional columns and rows of the CSV, in place of Notes. A row of CSVRows has the
	// fields of Head, then those of CSVHead.
	CSVHead []string
	CSVRows [][]string
}

func seconds(ms int64) string { return fmt.Sprintf("%.3f", float64(ms)/1000) }

// Table returns the delivery as rows. The coverage of each sign and day is in Notes and in CSVRows.
func (d *Delivery) Table() *Table {
	t := &Table{Head: []string{"day", "sign", "sign_owner", "why", "owner", "item", "title", "campaign", "plays",
		"seconds"}, CSVHead: []string{"covered_seconds", "missing_seconds"}}
	for _, r := range d.Rows {
		t.Rows = append(t.Rows, []string{r.Day, r.Sign, r.SignOwner, r.Why, r.Owner, r.Item, r.Title, r.Campaign,
			fmt.Sprint(r.Count), seconds(r.MS)})
	}
	for _, c := range d.Coverage {
		t.CSVRows = append(t.CSVRows, []string{c.Day, c.Sign, c.SignOwner, "coverage", "", "", "", "", "", "",
			seconds(c.MS), seconds(c.MissingMS)})
		if c.MissingMS > 0 {
			t.Notes = append(t.Notes, fmt.Sprintf("%s %s: %s s of the day are not proven (%.1f %% are)", c.Day, c.Sign,
				seconds(c.MissingMS), Percent(c.MS, c.MS+c.MissingMS)))
		}
	}
	if len(d.Unproven) > 0 {
		t.Notes = append(t.Notes, "no record at all of: "+strings.Join(d.Unproven, ", "))
	}
	t.straddling(d.Straddling)
	return t
}

func (t *Table) straddling(all []Straddler) {
	for _, x := range all {
		t.Notes = append(t.Notes, fmt.Sprintf("%s: the record from %s until %s is not counted, because it lies only "+
			"partly in the time of the report", x.Sign, moment(x.FromMS), moment(x.UntilMS)))
	}
}

func moment(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }

// Table returns the shares as rows.
func (s *Shares) Table() *Table {
	t := &Table{Head: []string{"day", "campaign", "letter", "letter_date", "sign", "sign_owner", "bound_seconds",
		"asked_percent", "planned_percent", "shown_percent", "plays", "shown_seconds", "proven_percent"}}
	for _, r := range s.Rows {
		percent := func(ms int64) string { return fmt.Sprintf("%.2f", Percent(ms, r.BoundMS)) }
		t.Rows = append(t.Rows, []string{r.Day, r.Campaign, r.Letter.Number, r.Letter.Date, r.Sign, r.SignOwner,
			seconds(r.BoundMS),
			percent(r.AskedMS), percent(r.PlannedMS), percent(r.ShownMS), fmt.Sprint(r.Shown), seconds(r.ShownMS),
			percent(r.ProvenMS)})
	}
	t.straddling(s.Straddling)
	return t
}

// Table returns the displacement as rows.
func (d *Displacement) Table() *Table {
	t := &Table{Head: []string{"day", "sign", "sign_owner", "alerts", "owner", "item", "title", "seconds"}}
	for _, r := range d.Rows {
		t.Rows = append(t.Rows, []string{r.Day, r.Sign, r.SignOwner, r.Alerts, r.Owner, r.Item, r.Title, seconds(r.MS)})
	}
	t.straddling(d.Straddling)
	return t
}

// WriteCSV writes the table as RFC 4180 CSV in UTF-8, every row with a field for every column.
func (t *Table) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	c.UseCRLF = true
	width := len(t.Head) + len(t.CSVHead)
	for _, row := range slices.Concat([][]string{slices.Concat(t.Head, t.CSVHead)}, t.Rows, t.CSVRows) {
		safe := make([]string, width)
		for i, f := range row {
			safe[i] = escapeFormula(f)
		}
		if err := c.Write(safe); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// escapeFormula puts an apostrophe before a text that a spreadsheet would interpret as a formula. Companies choose
// the names and titles in a report, so they are untrusted.
func escapeFormula(f string) string {
	if r, _ := utf8.DecodeRuneInString(f); f != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", r) {
		return "'" + f
	}
	return f
}

// WriteText writes the table in aligned columns.
func (t *Table) WriteText(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(tw, strings.ToUpper(strings.Join(t.Head, "\t")))
	for _, row := range t.Rows {
		fmt.Fprintln(tw, strings.Join(row, "\t"))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	for _, n := range t.Notes {
		if _, err := fmt.Fprintln(w, n); err != nil {
			return err
		}
	}
	return nil
}
