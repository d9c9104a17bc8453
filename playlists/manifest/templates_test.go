package manifest

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"ledcast/playlists"
)

var gap = regexp.MustCompile(`\{[a-z]+\}`)

// TestTemplates checks that the embedded templates can be filled in both languages, without missing words.
func TestTemplates(t *testing.T) {
	text, err := os.ReadFile("../../assets/templates.yaml")
	if err != nil {
		t.Fatal(err)
	}
	list, err := ParseTemplates("templates.yaml", text)
	if err != nil || len(list) != 4 {
		t.Fatalf("%d templates, %v", len(list), err)
	}
	until := playlists.Moment(time.Date(2021, 1, 30, 10, 0, 0, 0, time.UTC).Unix())
	for i := range list {
		tpl := &list[i]
		values := map[string]string{}
		for _, n := range tpl.Placeholders() {
			if n != "until" {
				values[n] = "X" + n
			}
		}
		m, err := tpl.Fill("alerts/a1", values, until)
		if err != nil {
			t.Errorf("%s: %v", tpl.ID, err)
			continue
		}
		if len(m.Variants) != 2 || m.Variants[0].Lang != "vi" || m.Variants[1].Lang != "en" ||
			strings.Contains(fmt.Sprintf("%q", m.Variants), "{X") || gap.MatchString(fmt.Sprintf("%q", m.Variants)) {
			t.Errorf("%s: %+v", tpl.ID, m.Variants)
		}
		if strings.Contains(tpl.Variants[0].Body, "{until}") && !strings.Contains(m.Variants[0].Body, "17:00 30/01") {
			t.Errorf("%s: the end is not in %q", tpl.ID, m.Variants[0].Body)
		}
		for n := range values {
			short := map[string]string{}
			for k, v := range values {
				if k != n {
					short[k] = v
				}
			}
			if _, err := tpl.Fill("alerts/a1", short, until); err == nil || !strings.Contains(err.Error(), "values."+n) {
				t.Errorf("%s without %s: %v", tpl.ID, n, err)
			}
		}
		for _, bad := range []map[string]string{{"other": "x"}, {"place": "{phone}"}, {"place": strings.Repeat("x", 61)},
			{"place": " "}} {
			if _, err := tpl.Fill("alerts/a1", bad, until); err == nil {
				t.Errorf("%s accepts the values %v", tpl.ID, bad)
			}
		}
		before := tpl.Sum()
		tpl.ApprovedBy = "somebody"
		if tpl.Sum() != before {
			t.Error("an approval changed the digest")
		}
		tpl.Variants[0].Body += "!"
		if tpl.Sum() == before {
			t.Error("a change of the text did not change the digest")
		}
	}
	bad := playlists.AlertTemplate{ID: "t1", Name: playlists.Text{VI: "a", EN: "b"},
		Variants: []playlists.Variant{{Lang: "vi", Body: "x {Place}"}}}
	if err := bad.Validate(); err == nil || !strings.Contains(err.Error(), "no placeholder") {
		t.Errorf("%v", err)
	}
}
