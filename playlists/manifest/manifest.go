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

// Limits of a manifest.
const (
	MaxBytes     = 1 << 20 // bytes of one file
	maxDocuments = 2000
	maxDepth     = 32
)

// Manifest is what a file asks for.
type Manifest struct {
	// Things are in the order of playlists.Kinds, so that what is named comes
	// before what names it, and within a kind in the order of the file.
	Things []playlists.Thing
	// SignColumns are those of a list of signs (ParseSigns), which says nothing
	// of a sign's other fields; nil where signs are given whole.
	SignColumns []string
}

// All lists a manifest's things of one type.
func All[T playlists.Thing](m *Manifest) (out []T) {
	for _, t := range m.Things {
		if x, ok := t.(T); ok {
			out = append(out, x)
		}
	}
	return out
}

// New is a manifest of things, sorted as Manifest says.
func New(things ...playlists.Thing) *Manifest {
	slices.SortStableFunc(things, func(a, b playlists.Thing) int { return rank(a) - rank(b) })
	return &Manifest{Things: things}
}

// rank is the place of a thing's kind in playlists.Kinds.
func rank(t playlists.Thing) int {
	k := t.Key().Kind
	return slices.IndexFunc(playlists.Kinds, func(x playlists.KindInfo) bool { return x.Kind == k })
}

// Parse reads a YAML file of one or more documents separated by "---".
// Each has a kind (the Document of one of playlists.Kinds) and the fields of that
// type by their yaml names; the hours of schedules, campaigns and agreements
// (days, from, until) stand beside their other fields. Everything is validated
// by itself. Whether it fits everything else is decided where it is put. file is
// only the name that errors give.
//
// It is strict: an unknown field, a value of another type, a missing kind, the
// same thing twice, and every anchor or alias are refused. Its error is an
// *Error with file, line, field, value and remedy.
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
	if err := guard(func() (err error) { parsed, err = parser.ParseBytes(data, 0); return err }); err != nil {
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

// kinds are what a document may be, for people.
func kinds() string {
	var names []string
	for i := range playlists.Kinds {
		if d := playlists.Kinds[i].Document; d != "" {
			names = append(names, d)
		}
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// document decodes and validates one document. seen has the lines of the things
// before it.
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
			return nil, fail("kind", firstLine(v.Value.String()), lineOf(v.Key), "kind-unknown", kinds())
		}
		kind, at = s.Value, lineOf(v.Key)
	}
	fields := *top
	fields.Values = rest
	info := documentKind(kind)
	switch {
	case kind == "":
		return nil, fail("kind", "", line, "kind-missing", kinds())
	case info == nil:
		return nil, fail("kind", kind, at, "kind-unknown", kinds())
	}
	t := info.New()
	if err := decode(&fields, t); err != nil {
		var e *playlists.Error
		if errors.As(err, &e) {
			return nil, e.At(file, lineIn(top, e.Field, line))
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

// documentKind is the kind that a manifest calls so; nil for none.
func documentKind(name string) *playlists.KindInfo {
	i := slices.IndexFunc(playlists.Kinds, func(k playlists.KindInfo) bool { return k.Document == name })
	if name == "" || i < 0 {
		return nil
	}
	return &playlists.Kinds[i]
}

// decode fills in and validates a thing.
func decode(n *ast.MappingNode, t playlists.Thing) error {
	if len(n.Values) > 0 {
		d := yaml.NewDecoder(bytes.NewReader(nil), yaml.Strict())
		if err := guard(func() error { return d.DecodeFromNodeContext(context.Background(), n, t) }); err != nil {
			return err
		}
	}
	return t.Validate()
}

// guard makes an error of a panic in the library, which reads whatever
// somebody uploads and does panic: a tag without a value for a list was one.
func guard(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("this is not YAML that can be read (%v)", r)
		}
	}()
	return f()
}

// yamlError makes one line of the library's error, which draws the source with
// an arrow over several.
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
		// A mapping's own token is its first colon; the key stands on its line too.
		line = lineOf(m.Values[0].Key)
	}
	return line
}

// lineIn is the line of the field that an error names, e.g. the body of
// "messages/x.variants[0].body"; otherwise of the document.
func lineIn(top *ast.MappingNode, field string, line int) int {
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

// findAlias returns the first anchor, alias or merge key below n: they let a
// short file stand for a huge one.
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

// tooDeep returns the line where the file nests deeper than maxDepth, before
// the parser recurses into it, or 0. Brackets in quoted text count too; no
// message has 32 of them open. Blocks nest by indentation, where each level
// takes a column or a dash.
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
