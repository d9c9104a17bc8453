// Package cap12 reads alerts in the Common Alerting Protocol, version 1.2
// (OASIS Standard, 1 July 2010), strictly: what other systems let pass raised
// alarms that nobody had meant.
//
// encoding/xml takes the last of two identifiers, ignores a second root without
// a word, and burns the processor on deep nesting; so the document is walked
// token by token against the standard's own table of elements. What is no CAP
// is an error that says where and what; whether a good document may go on a
// sign is not decided here.
package cap12

import (
	"time"

	"ledcast/playlists"
)

// Limits of a document.
const (
	MaxBytes  = 256 << 10
	MaxDepth  = 32
	MaxInfos  = 16
	MaxAreas  = 200
	MaxPoints = 5000 // of all polygons
)

// Namespace is CAP 1.2's.
const Namespace = "urn:oasis:names:tc:emergency:cap:1.2"

// Alert is a CAP document.
type Alert struct {
	Identifier string
	Sender     string
	Sent       time.Time
	Status     string // "Actual", "Exercise", "System", "Test" or "Draft"
	MsgType    string // "Alert", "Update", "Cancel", "Ack" or "Error"
	Scope      string // "Public", "Restricted" or "Private"
	References []Reference
	Infos      []Info
}

// Reference names an earlier document.
type Reference struct {
	Sender, Identifier string
	Sent               time.Time
}

// String is the reference as CAP writes it.
func (r Reference) String() string {
	return r.Sender + "," + r.Identifier + "," + r.Sent.Format(timeForm)
}

// Ref is how other documents name this one.
func (a *Alert) Ref() Reference { return Reference{a.Sender, a.Identifier, a.Sent} }

// Info is what is said in one language.
type Info struct {
	Language                     string // BCP 47; "en-US" without, as the standard says
	Event                        string
	Urgency, Severity, Certainty string
	Effective, Onset, Expires    time.Time // zero where they are not given
	Headline                     string
	Description                  string
	Instruction                  string
	Codes                        []string // of its event, NAME=VALUE
	Areas                        []Area
}

// Area is where it holds.
type Area struct {
	Desc     string
	Polygons [][]playlists.Place // each closed: the last place is the first
	Circles  []Circle
	Geocodes []string // NAME=VALUE, as playlists.Area has them
}

// Circle is a place and a radius in kilometres.
type Circle struct {
	Centre playlists.Place
	KM     float64
}

// timeForm is CAP's: with an offset, and never Z (3.3.2).
const timeForm = "2006-01-02T15:04:05-07:00"

func bad(field, value string, key playlists.TextKey, args ...any) error {
	return &playlists.Error{Code: playlists.Invalid, Field: "cap." + field, Value: value, Key: key, Args: args}
}

func tooLarge(field string, key playlists.TextKey, args ...any) error {
	return &playlists.Error{Code: playlists.TooLarge, Field: "cap." + field, Key: key, Args: args}
}

// Parse reads one document. Its error is an *Error of code Invalid or TooLarge.
func Parse(data []byte) (*Alert, error) {
	root, err := read(data)
	if err != nil {
		return nil, err
	}
	a := &Alert{Identifier: root.text("identifier"), Sender: root.text("sender"), Status: root.text("status"),
		MsgType: root.text("msgType"), Scope: root.text("scope")}
	for _, x := range []struct{ field, value string }{{"identifier", a.Identifier}, {"sender", a.Sender}} {
		if err := checkName(x.field, x.value); err != nil {
			return nil, err
		}
	}
	if a.Sent, err = root.time("sent"); err != nil {
		return nil, err
	}
	if a.Sent.IsZero() {
		return nil, bad("sent", "", "cap-element-missing")
	}
	for _, x := range []struct {
		field, value string
		of           []string
	}{
		{"status", a.Status, []string{"Actual", "Exercise", "System", "Test", "Draft"}},
		{"msgType", a.MsgType, []string{"Alert", "Update", "Cancel", "Ack", "Error"}},
		{"scope", a.Scope, []string{"Public", "Restricted", "Private"}},
	} {
		if err := oneOf(x.field, x.value, x.of); err != nil {
			return nil, err
		}
	}
	if a.References, err = references(root.text("references")); err != nil {
		return nil, err
	}
	points := 0
	for i, n := range root.all("info") {
		if i >= MaxInfos {
			return nil, tooLarge("info", "cap-too-many", MaxInfos)
		}
		info, err := readInfo(n, &points)
		if err != nil {
			return nil, err
		}
		a.Infos = append(a.Infos, *info)
	}
	return a, nil
}

func readInfo(n *node, points *int) (*Info, error) {
	in := &Info{Language: n.text("language"), Event: n.text("event"), Urgency: n.text("urgency"),
		Severity: n.text("severity"), Certainty: n.text("certainty"),
		Headline: n.text("headline"), Description: n.text("description"), Instruction: n.text("instruction")}
	if in.Language == "" {
		in.Language = "en-US"
	}
	if in.Event == "" {
		return nil, bad("info.event", "", "cap-element-missing")
	}
	for _, x := range []struct {
		field, value string
		of           []string
	}{
		{"info.urgency", in.Urgency, []string{"Immediate", "Expected", "Future", "Past", "Unknown"}},
		{"info.severity", in.Severity, []string{"Extreme", "Severe", "Moderate", "Minor", "Unknown"}},
		{"info.certainty", in.Certainty, []string{"Observed", "Likely", "Possible", "Unlikely", "Unknown"}},
	} {
		if err := oneOf(x.field, x.value, x.of); err != nil {
			return nil, err
		}
	}
	var err error
	for _, x := range []struct {
		field string
		to    *time.Time
	}{{"effective", &in.Effective}, {"onset", &in.Onset}, {"expires", &in.Expires}} {
		if *x.to, err = n.time(x.field); err != nil {
			return nil, err
		}
	}
	for _, c := range n.all("eventCode") {
		in.Codes = append(in.Codes, c.text("valueName")+"="+c.text("value"))
	}
	for i, an := range n.all("area") {
		if i >= MaxAreas {
			return nil, tooLarge("info.area", "cap-too-many", MaxAreas)
		}
		a := Area{Desc: an.text("areaDesc")}
		if a.Desc == "" {
			return nil, bad("info.area.areaDesc", "", "cap-element-missing")
		}
		for _, p := range an.all("polygon") {
			ring, err := polygon(p.value)
			if err != nil {
				return nil, err
			}
			if *points += len(ring); *points > MaxPoints {
				return nil, tooLarge("info.area.polygon", "cap-points-too-many", MaxPoints)
			}
			a.Polygons = append(a.Polygons, ring)
		}
		for _, c := range an.all("circle") {
			circle, err := circle(c.value)
			if err != nil {
				return nil, err
			}
			a.Circles = append(a.Circles, circle)
		}
		for _, g := range an.all("geocode") {
			name, value := g.text("valueName"), g.text("value")
			if name == "" || value == "" {
				return nil, bad("info.area.geocode", name+"="+value, "cap-parameter-incomplete")
			}
			a.Geocodes = append(a.Geocodes, name+"="+value)
		}
		in.Areas = append(in.Areas, a)
	}
	return in, nil
}
