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

// rule says of an element how often it may stand, and what may stand in it.
type rule struct {
	many bool
	in   map[string]rule // nil for text
}

var once, many = rule{}, rule{many: true}

// grammar is CAP 1.2's table of elements (section 3.2). Signature is XML-DSig's,
// which is passed over.
var grammar = map[string]rule{
	"identifier": once, "sender": once, "sent": once, "status": once, "msgType": once, "source": once, "scope": once,
	"restriction": once, "addresses": once, "code": many, "note": once, "references": once, "incidents": once,
	"info": {true, map[string]rule{
		"language": once, "category": many, "event": once, "responseType": many, "urgency": once, "severity": once,
		"certainty": once,
		"audience":  once, "eventCode": {true, pair}, "effective": once, "onset": once, "expires": once, "senderName": once,
		"headline":    once,
		"description": once, "instruction": once, "web": once, "contact": once, "parameter": {true, pair},
		"resource": {true, map[string]rule{"resourceDesc": once, "mimeType": once, "size": once, "uri": once,
			"derefUri": once, "digest": once}},
		"area": {true, map[string]rule{"areaDesc": once, "polygon": many, "circle": many, "geocode": {true, pair},
			"altitude": once, "ceiling": once}},
	}},
}

var pair = map[string]rule{"valueName": once, "value": once}

// node is an element that was read.
type node struct {
	name  string
	value string
	kids  []*node
}

func (n *node) all(name string) []*node {
	var out []*node
	for _, k := range n.kids {
		if k.name == name {
			out = append(out, k)
		}
	}
	return out
}

func (n *node) text(name string) string {
	for _, k := range n.kids {
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
	t, err := time.Parse(timeForm, s)
	if err != nil || strings.HasSuffix(s, "Z") {
		return t, bad(field, s, "cap-time-malformed")
	}
	if t.Year() < 1970 || t.Year() > 2200 {
		return t, bad(field, s, "cap-year")
	}
	return t, nil
}

// read walks the document. It refuses what encoding/xml would let pass.
func read(data []byte) (*node, error) {
	if len(data) > MaxBytes {
		return nil, tooLarge("document", "cap-bytes-over-limit", len(data), MaxBytes)
	}
	d := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	d.Strict = true
	d.CharsetReader = charset
	d.Entity = map[string]string{} // XML's own five only
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
			return nil, bad("document", "", "cap-doctype", line(d))
		case xml.ProcInst:
			if t.Target != "xml" {
				return nil, bad("document", t.Target, "cap-processing-instruction")
			}
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return nil, bad("document", string(t), "cap-text-outside", line(d))
			}
		case xml.StartElement:
			if root != nil {
				return nil, bad("document", t.Name.Local, "cap-second-document", line(d))
			}
			if t.Name.Local != "alert" || t.Name.Space != Namespace {
				return nil, bad("document", t.Name.Space+" "+t.Name.Local, "cap-root-unknown")
			}
			root = &node{name: "alert"}
			if err := children(d, root, grammar, 1); err != nil {
				return nil, err
			}
		}
	}
	if root == nil {
		return nil, bad("document", "", "cap-empty")
	}
	return root, nil
}

// children reads an element's content by its rules, up to its end.
func children(d *xml.Decoder, n *node, rules map[string]rule, depth int) error {
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
			return bad(n.name, "", "cap-directive", line(d))
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return bad(n.name, string(t), "cap-text-between-elements", line(d))
			}
		case xml.StartElement:
			name := t.Name.Local
			if t.Name.Space != Namespace {
				// A signature, or somebody's extension: of no meaning here.
				if err := pass(d, depth+1); err != nil {
					return err
				}
				continue
			}
			r, ok := rules[name]
			if !ok {
				return bad(n.name, name, "cap-element-unknown", line(d))
			}
			if seen[name] && !r.many {
				return bad(n.name+"."+name, "", "cap-element-twice", line(d))
			}
			seen[name] = true
			k := &node{name: name}
			n.kids = append(n.kids, k)
			if r.in != nil {
				err = children(d, k, r.in, depth+1)
			} else {
				k.value, err = text(d, name)
			}
			if err != nil {
				return err
			}
		}
	}
}

// text reads an element that holds text alone.
func text(d *xml.Decoder, name string) (string, error) {
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
			return "", bad(name, t.Name.Local, "cap-element-in-text", line(d))
		case xml.Directive:
			return "", bad(name, "", "cap-directive", line(d))
		}
	}
}

// pass reads over a foreign element, no deeper than MaxDepth.
func pass(d *xml.Decoder, depth int) error {
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
			return bad("document", "", "cap-directive", line(d))
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
	return bad("document", "", "cap-not-xml", line(d), err)
}

// charset reads documents that are not UTF-8, of the two encodings that
// senders still use.
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
	return nil, bad("document", name, "cap-encoding")
}

// checkName refuses what a reference could not carry.
func checkName(field, s string) error {
	if s == "" {
		return bad(field, "", "cap-element-missing")
	}
	if strings.ContainsAny(s, " ,<&\t\r\n") || !utf8.ValidString(s) || len(s) > 200 {
		return bad(field, s, "cap-identifier-malformed")
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
		return bad(field, "", "cap-element-missing")
	}
	return bad(field, value, "cap-value-unknown", strings.Join(of, ", "))
}

// references reads "sender,identifier,sent" triples that spaces separate.
func references(s string) ([]Reference, error) {
	var out []Reference
	for _, f := range strings.Fields(s) {
		p := strings.Split(f, ",")
		if len(p) != 3 {
			return nil, bad("references", f, "cap-reference-malformed")
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
