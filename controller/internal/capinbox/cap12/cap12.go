// Package cap12 parses alerts in the Common Alerting Protocol, version 1.2 (OASIS
// Standard, 1 July 2010). It is strict, because lenient parsers have caused false alarms
// in other systems.
//
// encoding/xml silently takes the last of two identifiers, ignores a second root, and
// spends much time on deep nesting. Therefore this package checks the document token by
// token against the standard's table of elements. It does not decide whether a valid
// document may be shown on signs.
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

// Namespace is the XML namespace of CAP 1.2.
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

// String returns the reference in the format of CAP.
func (r Reference) String() string {
	return r.Sender + "," + r.Identifier + "," + r.Sent.Format(timeLayout)
}

// Ref returns the reference to this document.
func (a *Alert) Ref() Reference { return Reference{a.Sender, a.Identifier, a.Sent} }

// Info is an info element. Its texts are in one language.
type Info struct {
	Language                     string // BCP 47; the default is "en-US", as in the standard
	Event                        string
	Urgency, Severity, Certainty string
	Effective, Onset, Expires    time.Time // zero if absent
	Headline                     string
	Description                  string
	Instruction                  string
	Codes                        []string // event codes, NAME=VALUE
	Areas                        []Area
}

// Area is an area that an Info applies to.
type Area struct {
	Desc     string
	Polygons [][]playlists.Place // each ends with its first place
	Circles  []Circle
	Geocodes []string // NAME=VALUE, as in playlists.Area
}

// Circle is a place and a radius in kilometres.
type Circle struct {
	Centre playlists.Place
	KM     float64
}

// timeLayout is the time format of CAP. It has an offset and never Z (3.3.2).
const timeLayout = "2006-01-02T15:04:05-07:00"

func invalid(field, value string, key playlists.TextKey, args ...any) error {
	return &playlists.Error{Code: playlists.Invalid, Field: "cap." + field, Value: value, Key: key, Args: args}
}

func tooLarge(field string, key playlists.TextKey, args ...any) error {
	return &playlists.Error{Code: playlists.TooLarge, Field: "cap." + field, Key: key, Args: args}
}

// Parse parses one document. It returns an *Error of code Invalid or TooLarge.
func Parse(data []byte) (*Alert, error) {
	root, err := readDocument(data)
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
		return nil, invalid("sent", "", "cap-element-missing")
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
		return nil, invalid("info.event", "", "cap-element-missing")
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
			return nil, invalid("info.area.areaDesc", "", "cap-element-missing")
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
				return nil, invalid("info.area.geocode", name+"="+value, "cap-parameter-incomplete")
			}
			a.Geocodes = append(a.Geocodes, name+"="+value)
		}
		in.Areas = append(in.Areas, a)
	}
	return in, nil
}
