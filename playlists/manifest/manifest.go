package manifest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"ledcast/playlists"
)

// These are the limits of a manifest.
const (
	MaxBytes     = 1 << 20 // of a file, in bytes
	maxDocuments = 2000
	maxDepth     = 32
)

// Manifest is the content of a file.
type Manifest struct {
	// Things are sorted in the order of playlists.Kinds, so that an object comes after the objects that it refers
	// to. Within a kind they have the order of the file.
	Things []playlists.Thing
	// SignColumns are the columns of a list of signs (ParseSigns). Other fields of the signs are not set by the
	// list. It is nil for other manifests, whose signs are complete.
	SignColumns []string
}

// All returns a manifest's things of one type.
func All[T playlists.Thing](m *Manifest) (out []T) {
	for _, t := range m.Things {
		if x, ok := t.(T); ok {
			out = append(out, x)
		}
	}
	return out
}

// New returns a manifest with these things. It sorts them in the order of Manifest.Things.
func New(things ...playlists.Thing) *Manifest {
	slices.SortStableFunc(things, func(a, b playlists.Thing) int { return kindIndex(a) - kindIndex(b) })
	return &Manifest{Things: things}
}

// kindIndex returns the index of a thing's kind in playlists.Kinds.
func kindIndex(t playlists.Thing) int {
	k := t.Key().Kind
	return slices.IndexFunc(playlists.Kinds, func(x playlists.KindInfo) bool { return x.Kind == k })
}

// Parse parses a YAML file of one or more documents separated by "---". Each document has a kind (the Document of
// one of playlists.Kinds) and the fields of that type by their yaml names. The hours of schedules, campaigns and
// agreements (days, from, until) are on the same level as their other fields. Parse validates each thing by itself.
// References to other things are checked when the things are put. file is used only in errors.
//
// Parse rejects unknown fields, values of the wrong type, missing kinds, duplicate things, anchors and aliases. The
// error is a *playlists.Error with file, line, field, value and remedy.
func Parse(file string, data []byte) (*Manifest, error) {
	if len(data) > MaxBytes {
		return nil, &playlists.Error{Code: playlists.TooLarge, File: file,
			Key: "file-too-large", Args: []any{MaxBytes}}
	}
	if line := tooDeep(data); line > 0 {
		return nil, &playlists.Error{Code: playlists.TooLarge, File: file, Line: line,
			Key: "file-too-deep", Args: []any{maxDepth}}
	}
	var parsed *ast.File
	if err := recovered(func() (err error) { parsed, err = parser.ParseBytes(data, 0); return err }); err != nil {
		return nil, yamlError(file, err)
	}
	var things []playlists.Thing
	seen := map[playlists.Key]int{}
	n := 0
	for _, doc := range parsed.Docs {
		if doc.Body == nil {
			continue
		}
		if n++; n > maxDocuments {
			return nil, &playlists.Error{Code: playlists.TooLarge, File: file, Line: lineOf(doc.Body),
				Key: "too-many-documents", Args: []any{maxDocuments}}
		}
		t, err := document(file, doc.Body, seen)
		if err != nil {
			return nil, err
		}
		things = append(things, t)
	}
	if n == 0 {
		return nil, &playlists.Error{Code: playlists.Invalid, File: file, Line: 1, Key: "file-without-documents"}
	}
	return New(things...), nil
}

// kindNames returns a list of the valid kinds for error messages.
func kindNames() string {
	var names []string
	for i := range playlists.Kinds {
		if d := playlists.Kinds[i].Document; d != "" {
			names = append(names, d)
		}
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// document decodes and validates one document. seen has the lines of the previous things.
func document(file string, body ast.Node, seen map[playlists.Key]int) (playlists.Thing, error) {
	line := lineOf(body)
	fail := func(field, value string, at int, key playlists.TextKey, args ...any) error {
		return &playlists.Error{Code: playlists.Invalid, File: file, Line: at, Field: field, Value: value,
			Key: key, Args: args}
	}
	if n := findAlias(body); n != nil {
		return nil, fail("", n.String(), lineOf(n), "yaml-alias")
	}
	top, ok := body.(*ast.MappingNode)
	if !ok {
		return nil, fail("", firstLine(body.String()), line, "document-without-fields")
	}
	kind, rest, at := "", make([]*ast.MappingValueNode, 0, len(top.Values)), 0
	for _, v := range top.Values {
		if v.Key.String() != "kind" {
			rest = append(rest, v)
			continue
		}
		s, ok := v.Value.(*ast.StringNode)
		if !ok {
			return nil, fail("kind", firstLine(v.Value.String()), lineOf(v.Key), "kind-unknown", kindNames())
		}
		kind, at = s.Value, lineOf(v.Key)
	}
	fields := *top
	fields.Values = rest
	info := documentKind(kind)
	switch {
	case kind == "":
		return nil, fail("kind", "", line, "kind-missing", kindNames())
	case info == nil:
		return nil, fail("kind", kind, at, "kind-unknown", kindNames())
	}
	t := info.New()
	if err := decode(&fields, t); err != nil {
		var e *playlists.Error
		if errors.As(err, &e) {
			return nil, e.At(file, fieldLine(top, e.Field, line))
		}
		unread := yamlError(file, err)
		if unread.Line == 0 {
			unread.Line = line
		}
		return nil, unread
	}
	if before := seen[t.Key()]; before > 0 {
		return nil, fail("id", t.Key().ID, line, "name-twice-in-file", playlists.Word(kind), before)
	}
	seen[t.Key()] = line
	return t, nil
}

// documentKind returns the kind with this name in a manifest, or nil if there is none.
func documentKind(name string) *playlists.KindInfo {
	i := slices.IndexFunc(playlists.Kinds, func(k playlists.KindInfo) bool { return k.Document == name })
	if name == "" || i < 0 {
		return nil
	}
	return &playlists.Kinds[i]
}

// decode decodes n into t and validates t.
func decode(n *ast.MappingNode, t playlists.Thing) error {
	if len(n.Values) > 0 {
		d := yaml.NewDecoder(bytes.NewReader(nil), yaml.Strict())
		if err := recovered(func() error { return d.DecodeFromNodeContext(context.Background(), n, t) }); err != nil {
			return err
		}
	}
	return t.Validate()
}

// recovered calls f and converts a panic into an error. The YAML library panics on some invalid input, e.g. on a
// tag without a value where a list is expected, and the input is untrusted.
func recovered(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("this is not valid YAML (%v)", r)
		}
	}()
	return f()
}

// yamlError converts an error of the YAML library. It uses only the first line, because the others show the source
// with an arrow.
func yamlError(file string, err error) *playlists.Error {
	e := &playlists.Error{Code: playlists.Invalid, File: file,
		Key: "yaml-unreadable", Args: []any{firstLine(err.Error())}}
	var ye yaml.Error
	if errors.As(err, &ye) {
		e.Args = []any{firstLine(ye.GetMessage())}
		if t := ye.GetToken(); t != nil && t.Position != nil {
			e.Line, e.Value = t.Position.Line, strings.TrimSpace(firstLine(t.Value))
		}
	}
	return e
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	return s
}

func lineOf(n ast.Node) int {
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return 0
	}
	line := n.GetToken().Position.Line
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 {
		// The token of a mapping is its first colon. Use the line of the first key.
		line = lineOf(m.Values[0].Key)
	}
	return line
}

// fieldLine returns the line of an error's field, e.g. "messages/x.variants[0].body". If only a part of the path
// exists, it returns the line of that part, or line if there is none.
func fieldLine(top *ast.MappingNode, field string, line int) int {
	_, path, ok := strings.Cut(field, ".")
	if !ok {
		path = field[strings.Index(field, "/")+1:] // "messages/id", "class"
	}
	var node ast.Node = top
	for _, part := range strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		switch n := node.(type) {
		case *ast.MappingNode:
			node = nil
			for _, v := range n.Values {
				if v.Key.String() == part {
					line, node = lineOf(v.Key), v.Value
				}
			}
		case *ast.SequenceNode:
			node = nil
			var i int
			if _, err := fmt.Sscan(part, &i); err == nil && i >= 0 && i < len(n.Values) {
				node = n.Values[i]
				line = lineOf(node)
			}
		default:
			return line
		}
	}
	return line
}

// findAlias returns the first anchor, alias or merge key below n, or nil. They are rejected because a short file
// could expand to a huge one.
func findAlias(n ast.Node) ast.Node {
	v := &aliasFinder{}
	ast.Walk(v, n)
	return v.found
}

type aliasFinder struct{ found ast.Node }

func (f *aliasFinder) Visit(n ast.Node) ast.Visitor {
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		if f.found == nil {
			f.found = n
		}
	}
	if f.found != nil {
		return nil
	}
	return f
}

// tooDeep returns the first line that is nested deeper than maxDepth, or 0. It runs before the parser, which is
// recursive. It also counts brackets in quoted text, but no real message has 32 open brackets. Blocks are nested by
// indentation, and each level takes at least one column or dash.
func tooDeep(data []byte) int {
	depth, line, column, leading := 0, 1, 0, true
	for _, b := range data {
		column++
		switch b {
		case '\n':
			line, column, leading = line+1, 0, true
		case ' ', '-', '?', '\t':
			if leading && column > 8*maxDepth {
				return line
			}
		case '[', '{':
			leading = false
			if depth++; depth > maxDepth {
				return line
			}
		case ']', '}':
			leading = false
			depth = max(0, depth-1)
		default:
			leading = false
		}
	}
	return 0
}
