package cap12

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"ledcast/playlists"
)

// rule describes an element: whether it may repeat, and its children.
type rule struct {
	many     bool
	children map[string]rule // nil for text
}

var once, many = rule{}, rule{many: true}

// grammar is the table of elements of CAP 1.2 (section 3.2). Signature belongs to
// XML-DSig, which readChildren skips.
var grammar = map[string]rule{
	"identifier": once, "sender": once, "sent": once, "status": once, "msgType": once, "source": once, "scope": once,
	"restriction": once, "addresses": once, "code": many, "note": once, "references": once, "incidents": once,
	"info": {true, map[string]rule{
		"language": once, "category": many, "event": once, "responseType": many, "urgency": once, "severity": once,
		"certainty": once, "audience": once, "eventCode": {true, pair}, "effective": once, "onset": once,
		"expires": once, "senderName": once, "headline": once, "description": once, "instruction": once, "web": once,
		"contact": once, "parameter": {true, pair},
		"resource": {true, map[string]rule{"resourceDesc": once, "mimeType": once, "size": once, "uri": once,
			"derefUri": once, "digest": once}},
		"area": {true, map[string]rule{"areaDesc": once, "polygon": many, "circle": many, "geocode": {true, pair},
			"altitude": once, "ceiling": once}},
	}},
}

var pair = map[string]rule{"valueName": once, "value": once}

// node is a parsed element.
type node struct {
	name     string
	value    string
	children []*node
}

func (n *node) all(name string) []*node {
	var out []*node
	for _, k := range n.children {
		if k.name == name {
			out = append(out, k)
		}
	}
	return out
}

func (n *node) text(name string) string {
	for _, k := range n.children {
		if k.name == name {
			return k.value
		}
	}
	return ""
}

func (n *node) time(name string) (time.Time, error) {
	s := n.text(name)
	if s == "" {
		return time.Time{}, nil
	}
	return readTime(name, s)
}

func readTime(field, s string) (time.Time, error) {
	t, err := time.Parse(timeLayout, s)
	if err != nil || strings.HasSuffix(s, "Z") {
		return t, invalid(field, s, "cap-time-malformed")
	}
	if t.Year() < 1970 || t.Year() > 2200 {
		return t, invalid(field, s, "cap-year")
	}
	return t, nil
}

// readDocument parses the document. It rejects what encoding/xml would accept silently.
func readDocument(data []byte) (*node, error) {
	if len(data) > MaxBytes {
		return nil, tooLarge("document", "cap-bytes-over-limit", len(data), MaxBytes)
	}
	d := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	d.Strict = true
	d.CharsetReader = charset
	d.Entity = map[string]string{} // only the five entities of XML
	var root *node
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, notXML(d, err)
		}
		switch t := tok.(type) {
		case xml.Directive:
			return nil, invalid("document", "", "cap-doctype", line(d))
		case xml.ProcInst:
			if t.Target != "xml" {
				return nil, invalid("document", t.Target, "cap-processing-instruction")
			}
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return nil, invalid("document", string(t), "cap-text-outside", line(d))
			}
		case xml.StartElement:
			if root != nil {
				return nil, invalid("document", t.Name.Local, "cap-second-document", line(d))
			}
			if t.Name.Local != "alert" || t.Name.Space != Namespace {
				return nil, invalid("document", t.Name.Space+" "+t.Name.Local, "cap-root-unknown")
			}
			root = &node{name: "alert"}
			if err := readChildren(d, root, grammar, 1); err != nil {
				return nil, err
			}
		}
	}
	if root == nil {
		return nil, invalid("document", "", "cap-empty")
	}
	return root, nil
}

// readChildren parses the content of an element by its rules, up to its end.
func readChildren(d *xml.Decoder, n *node, rules map[string]rule, depth int) error {
	seen := map[string]bool{}
	for {
		tok, err := d.Token()
		if err != nil {
			return notXML(d, err)
		}
		switch t := tok.(type) {
		case xml.EndElement:
			return nil
		case xml.Directive:
			return invalid(n.name, "", "cap-directive", line(d))
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return invalid(n.name, string(t), "cap-text-between-elements", line(d))
			}
		case xml.StartElement:
			name := t.Name.Local
			if t.Name.Space != Namespace {
				// Skip signatures and extensions.
				if err := skip(d, depth+1); err != nil {
					return err
				}
				continue
			}
			r, ok := rules[name]
			if !ok {
				return invalid(n.name, name, "cap-element-unknown", line(d))
			}
			if seen[name] && !r.many {
				return invalid(n.name+"."+name, "", "cap-element-twice", line(d))
			}
			seen[name] = true
			k := &node{name: name}
			n.children = append(n.children, k)
			if r.children != nil {
				err = readChildren(d, k, r.children, depth+1)
			} else {
				k.value, err = readText(d, name)
			}
			if err != nil {
				return err
			}
		}
	}
}

// readText parses an element that contains only text.
func readText(d *xml.Decoder, name string) (string, error) {
	var b strings.Builder
	for {
		tok, err := d.Token()
		if err != nil {
			return "", notXML(d, err)
		}
		switch t := tok.(type) {
		case xml.CharData:
			b.Write(t)
		case xml.EndElement:
			return strings.TrimSpace(b.String()), nil
		case xml.StartElement:
			return "", invalid(name, t.Name.Local, "cap-element-in-text", line(d))
		case xml.Directive:
			return "", invalid(name, "", "cap-directive", line(d))
		}
	}
}

// skip skips a foreign element of a depth up to MaxDepth.
func skip(d *xml.Decoder, depth int) error {
	for open := 1; open > 0; {
		tok, err := d.Token()
		if err != nil {
			return notXML(d, err)
		}
		switch tok.(type) {
		case xml.StartElement:
			if open++; depth+open > MaxDepth {
				return tooLarge("document", "cap-too-deep", MaxDepth, line(d))
			}
		case xml.EndElement:
			open--
		case xml.Directive:
			return invalid("document", "", "cap-directive", line(d))
		}
	}
	return nil
}

func line(d *xml.Decoder) int {
	n, _ := d.InputPos()
	return n
}

func notXML(d *xml.Decoder, err error) error {
	var known *playlists.Error
	if errors.As(err, &known) {
		return known
	}
	return invalid("document", "", "cap-not-xml", line(d), err)
}

// charset decodes the encodings other than UTF-8 that senders still use.
func charset(name string, in io.Reader) (io.Reader, error) {
	switch strings.ToLower(name) {
	case "us-ascii", "ascii":
		return in, nil
	case "iso-8859-1", "latin1":
		return charmap.ISO8859_1.NewDecoder().Reader(in), nil
	case "windows-1252":
		return charmap.Windows1252.NewDecoder().Reader(in), nil
	case "windows-1258":
		return charmap.Windows1258.NewDecoder().Reader(in), nil
	}
	return nil, invalid("document", name, "cap-encoding")
}

// checkName returns an error if a reference could not contain the name.
func checkName(field, s string) error {
	if s == "" {
		return invalid(field, "", "cap-element-missing")
	}
	if strings.ContainsAny(s, " ,<&\t\r\n") || !utf8.ValidString(s) || len(s) > 200 {
		return invalid(field, s, "cap-identifier-malformed")
	}
	return nil
}

func oneOf(field, value string, of []string) error {
	for _, x := range of {
		if x == value {
			return nil
		}
	}
	if value == "" {
		return invalid(field, "", "cap-element-missing")
	}
	return invalid(field, value, "cap-value-unknown", strings.Join(of, ", "))
}

// references parses "sender,identifier,sent" triples separated by spaces.
func references(s string) ([]Reference, error) {
	var out []Reference
	for _, f := range strings.Fields(s) {
		p := strings.Split(f, ",")
		if len(p) != 3 {
			return nil, invalid("references", f, "cap-reference-malformed")
		}
		t, err := readTime("references", p[2])
		if err != nil {
			return nil, err
		}
		for _, name := range p[:2] {
			if err := checkName("references", name); err != nil {
				return nil, err
			}
		}
		if len(out) >= 100 {
			return nil, tooLarge("references", "cap-elements-too-many")
		}
		out = append(out, Reference{p[0], p[1], t})
	}
	return out, nil
}
