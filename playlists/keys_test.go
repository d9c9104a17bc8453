package playlists

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// sources is the type-checked source of the module, without tests.
type sources struct {
	set   *token.FileSet
	files []*ast.File
	info  types.Info
}

// load type-checks each package of the module against the compiler's export
// data: any constant that becomes a TextKey is then known, however it gets there.
func load(t *testing.T) *sources {
	t.Helper()
	type pkg struct {
		ImportPath, Dir, Export string
		GoFiles                 []string
		Module                  *struct{ Main bool }
	}
	cmd := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles,Module", "./...")
	cmd.Dir, cmd.Stderr = "..", os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	exports := map[string]string{}
	var own []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		exports[p.ImportPath] = p.Export
		if p.Module != nil && p.Module.Main {
			own = append(own, p)
		}
	}
	s := &sources{set: token.NewFileSet(), info: types.Info{Types: map[ast.Expr]types.TypeAndValue{}}}
	open := func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }
	config := types.Config{Importer: importer.ForCompiler(s.set, "gc", open)}
	for _, p := range own {
		var files []*ast.File
		for _, name := range p.GoFiles {
			f, err := parser.ParseFile(s.set, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, f)
		}
		if _, err := config.Check(p.ImportPath, s.set, files, &s.info); err != nil {
			t.Fatal(err)
		}
		s.files = append(s.files, files...)
	}
	return s
}

// key returns the constant key of an expression.
func (s *sources) key(e ast.Expr) (TextKey, bool) {
	tv, ok := s.info.Types[e]
	if !ok || tv.Value == nil || tv.Type.String() != "ledcast/playlists.TextKey" {
		return "", false
	}
	return TextKey(constant.StringVal(tv.Value)), true
}

// elements returns the elements of a literal []any{…}.
func elements(e ast.Expr) ([]ast.Expr, bool) {
	if e == nil {
		return nil, true
	}
	c, ok := e.(*ast.CompositeLit)
	if !ok {
		return nil, false
	}
	return c.Elts, true
}

// uses calls f for each key that the source gives with its arguments: in a
// literal of Error or Phrase, in a call whose last parameters are a TextKey and
// ...any, and in an assignment to the fields Key and Args.
func (s *sources) uses(f func(at token.Pos, key TextKey, args []ast.Expr)) {
	literal := func(x *ast.CompositeLit) {
		name := s.info.Types[x].Type.String()
		if name != "ledcast/playlists.Error" && name != "ledcast/playlists.Phrase" {
			return
		}
		var key, args ast.Expr
		for i, e := range x.Elts {
			kv, ok := e.(*ast.KeyValueExpr)
			switch {
			case !ok && i == 0, ok && kv.Key.(*ast.Ident).Name == "Key":
				key = e
			case !ok && i == 1, ok && kv.Key.(*ast.Ident).Name == "Args":
				args = e
			default:
				continue
			}
			if ok && key == e {
				key = kv.Value
			} else if ok {
				args = kv.Value
			}
		}
		if k, ok := s.key(key); ok {
			if a, ok := elements(args); ok {
				f(x.Pos(), k, a)
			}
		}
	}
	call := func(x *ast.CallExpr) {
		sig, ok := s.info.Types[x.Fun].Type.(*types.Signature)
		if !ok || !sig.Variadic() || sig.Params().Len() < 2 || x.Ellipsis.IsValid() {
			return
		}
		if n := sig.Params().Len(); len(x.Args) >= n-1 {
			if k, ok := s.key(x.Args[n-2]); ok {
				f(x.Pos(), k, x.Args[n-1:])
			}
		}
	}
	assignment := func(x *ast.AssignStmt) {
		var key TextKey
		var args ast.Expr
		found := false
		for i, l := range x.Lhs {
			field, ok := l.(*ast.SelectorExpr)
			if !ok || len(x.Lhs) != len(x.Rhs) {
				continue
			}
			switch field.Sel.Name {
			case "Key":
				key, found = s.key(x.Rhs[i])
			case "Args":
				args = x.Rhs[i]
			}
		}
		if a, ok := elements(args); ok && found {
			f(x.Pos(), key, a)
		}
	}
	for _, file := range s.files {
		ast.Inspect(file, func(n ast.Node) bool {
			switch x := n.(type) {
			case *ast.CompositeLit:
				literal(x)
			case *ast.CallExpr:
				call(x)
			case *ast.AssignStmt:
				assignment(x)
			}
			return true
		})
	}
}

// fits reports whether a type is one that a verb formats.
func fits(verb string, t types.Type) bool {
	basic, _ := types.Default(t).Underlying().(*types.Basic)
	has := func(kind types.BasicInfo) bool { return basic != nil && basic.Info()&kind != 0 }
	switch verb[len(verb)-1] {
	case 'd':
		return has(types.IsInteger)
	case 'f':
		return has(types.IsFloat)
	case 'q':
		return has(types.IsString)
	case 's':
		if has(types.IsString) || strings.HasPrefix(strings.TrimLeft(t.String(), "*[]"), "ledcast/playlists.") {
			return true
		}
		methods := types.NewMethodSet(t)
		return methods.Lookup(nil, "Error") != nil || methods.Lookup(nil, "String") != nil
	}
	return true
}

// Every key of the source has its texts, with the arguments that they take, and
// the catalogues have no other keys, words and names of fields.
func TestKeysOfTheSource(t *testing.T) {
	s := load(t)
	used := map[TextKey]bool{}
	for e := range s.info.Types {
		key, ok := s.key(e)
		if !ok || key == "" {
			continue
		}
		used[key] = true
		if _, ok := english().texts[key]; !ok {
			t.Errorf("%s: the catalogues have no key %q", s.set.Position(e.Pos()), key)
		}
	}
	if len(used) < 300 {
		t.Fatalf("only %d keys found: the source is not read", len(used))
	}
	for key := range english().texts {
		if !used[key] {
			t.Errorf("the catalogues have %q, which no source uses", key)
		}
	}
	checked := map[TextKey]bool{}
	s.uses(func(at token.Pos, key TextKey, args []ast.Expr) {
		checked[key] = true
		verbs := takes(t, english().texts[key])
		if len(verbs) != len(args) {
			t.Errorf("%s: %s takes %d arguments and gets %d", s.set.Position(at), key, len(verbs), len(args))
			return
		}
		for i, a := range args {
			if verb, as := verbs[fmt.Sprint(i+1)], s.info.Types[a].Type; !fits(verb, as) {
				t.Errorf("%s: %s takes argument %d as %%%s and gets a %s", s.set.Position(a.Pos()), key, i+1, verb, as)
			}
		}
	})
	for key := range used {
		if !checked[key] && !elsewhere[key] {
			t.Errorf("%s: its arguments cannot be checked; give them beside the key", key)
		}
	}
	s.terms(t)
}

// elsewhere are keys that stand apart from their arguments: a table's rows, and
// variables for texts without arguments.
var elsewhere = map[TextKey]bool{
	"program-frames-over-limit": true, "program-bytes-over-limit": true, "program-json-over-limit": true,
	"no-test-sign-reached": true,
}

// terms checks that the source has each word and each field of terms.vi.json.
func (s *sources) terms(t *testing.T) {
	literals := map[string]bool{}
	tag := regexp.MustCompile(`json:"(\w+)`)
	for _, f := range s.files {
		ast.Inspect(f, func(n ast.Node) bool {
			if x, ok := n.(*ast.BasicLit); ok && x.Kind == token.STRING {
				text, err := strconv.Unquote(x.Value)
				if err != nil {
					t.Fatal(err)
				}
				literals[strings.TrimPrefix(strings.TrimSpace(text), ".")] = true
				for _, m := range tag.FindAllStringSubmatch(text, -1) {
					literals[m[1]] = true
				}
			}
			return true
		})
	}
	for _, err := range []error{io.EOF, io.ErrUnexpectedEOF, json.Unmarshal([]byte("{"), new(any))} {
		literals[err.Error()] = true
	}
	for _, terms := range []map[string]string{vietnamese().words, vietnamese().fields} {
		for term := range terms {
			if !literals[term] {
				t.Errorf("terms.vi.json has %q, which no source has", term)
			}
		}
	}
}
