package playlists

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// said is one text that the source gives an error: a format as fmt has it, and
// where it stands.
type said struct {
	format string
	where  token.Position
}

// reader collects the texts of the errors that a package makes.
type reader struct {
	set   *token.FileSet
	files []*ast.File
	said  []said
	lost  []said // what could not be followed
	busy  map[ast.Node]bool
}

// problemsInSource reads every package of the module, but for tests.
func problemsInSource(t *testing.T) (found, lost []said) {
	t.Helper()
	byFolder := map[string]*reader{}
	set := token.NewFileSet()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		folder := filepath.Dir(path)
		if byFolder[folder] == nil {
			byFolder[folder] = &reader{set: set, busy: map[ast.Node]bool{}}
		}
		byFolder[folder].files = append(byFolder[folder].files, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range byFolder {
		for _, f := range r.files {
			r.read(f)
		}
		found = append(found, r.said...)
		lost = append(lost, r.lost...)
	}
	return found, lost
}

// isError reports whether a composite literal's type is the domain's error, or
// the API's document made of one.
func isError(pkg string, e ast.Expr) bool {
	switch x := e.(type) {
	case *ast.Ident:
		return pkg == "playlists" && x.Name == "Error" || pkg == "api" && x.Name == "problem"
	case *ast.SelectorExpr:
		p, ok := x.X.(*ast.Ident)
		return ok && p.Name == "playlists" && x.Sel.Name == "Error"
	}
	return false
}

func isText(field string) bool { return field == "Problem" || field == "Remedy" || field == "Title" }

func (r *reader) read(f *ast.File) {
	var stack []ast.Node
	ast.Inspect(f, func(n ast.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		stack = append(stack, n)
		switch x := n.(type) {
		case *ast.CompositeLit:
			if x.Type == nil || !isError(f.Name.Name, x.Type) {
				break
			}
			for _, e := range x.Elts {
				kv, ok := e.(*ast.KeyValueExpr)
				if !ok {
					r.lost = append(r.lost, said{"an error without field names", r.set.Position(e.Pos())})
					continue
				}
				if isText(kv.Key.(*ast.Ident).Name) {
					r.keep(kv.Value, stack)
				}
			}
		case *ast.AssignStmt:
			for i, l := range x.Lhs {
				s, ok := l.(*ast.SelectorExpr)
				if !ok || !isText(s.Sel.Name) || s.Sel.Name == "Title" || len(x.Lhs) != len(x.Rhs) {
					continue
				}
				if to, ok := s.X.(*ast.Ident); ok && r.makesError(to.Name, stack, f.Name.Name) {
					r.keep(x.Rhs[i], stack)
				}
			}
		}
		return true
	})
}

// makesError reports whether a name in the enclosing function is one of the
// domain's errors: declared as such, or made or copied from one.
func (r *reader) makesError(name string, stack []ast.Node, pkg string) bool {
	fn := enclosing(stack)
	yes := false
	if fn == nil {
		return false
	}
	points := func(e ast.Expr) ast.Expr {
		if s, ok := e.(*ast.StarExpr); ok {
			return s.X
		}
		return e
	}
	ast.Inspect(fn, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.AssignStmt:
			for i, l := range x.Lhs {
				if id, ok := l.(*ast.Ident); ok && id.Name == name && i < len(x.Rhs) {
					switch v := x.Rhs[i].(type) {
					case *ast.UnaryExpr:
						if c, ok := v.X.(*ast.CompositeLit); ok && isError(pkg, c.Type) {
							yes = true
						}
					case *ast.CompositeLit:
						yes = yes || isError(pkg, v.Type)
					case *ast.StarExpr:
						yes = true // a copy of what a pointer points at
					}
				}
			}
		case *ast.ValueSpec:
			for _, id := range x.Names {
				if id.Name == name && x.Type != nil && isError(pkg, points(x.Type)) {
					yes = true
				}
			}
		case *ast.Field:
			for _, id := range x.Names {
				if id.Name == name && isError(pkg, points(x.Type)) {
					yes = true
				}
			}
		}
		return true
	})
	return yes
}

func enclosing(stack []ast.Node) ast.Node {
	for _, n := range slices.Backward(stack) {
		if f, ok := n.(*ast.FuncDecl); ok {
			return f
		}
	}
	return nil
}

func (r *reader) keep(e ast.Expr, stack []ast.Node) {
	for _, f := range r.texts(e, stack, false) {
		at := r.set.Position(e.Pos())
		switch {
		case f == passed || f == "":
		case !worded(f):
			r.lost = append(r.lost, said{f, at})
		default:
			r.said = append(r.said, said{f, at})
		}
	}
}

// passed stands for a text that another error had: it was collected there.
const passed = "\x00passed on"

// worded reports whether a format has a word of its own.
func worded(format string) bool {
	return strings.ContainsFunc(verb.ReplaceAllString(format, ""), func(r rune) bool { return r >= 'a' && r <= 'z' })
}

func escape(s string) string { return strings.ReplaceAll(s, "%", "%%") }

// texts are the formats that an expression can come to. raw is for an argument
// that is a format itself.
func (r *reader) texts(e ast.Expr, stack []ast.Node, raw bool) []string {
	switch x := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(x.Value)
		if err != nil {
			return []string{"%s"}
		}
		if !raw {
			s = escape(s)
		}
		return []string{s}
	case *ast.ParenExpr:
		return r.texts(x.X, stack, raw)
	case *ast.BinaryExpr:
		var out []string
		for _, a := range r.part(x.X, stack, raw) {
			for _, b := range r.part(x.Y, stack, raw) {
				out = append(out, a+b)
			}
		}
		return out
	case *ast.CallExpr:
		if s, ok := x.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "Sprintf" {
			return r.texts(x.Args[0], stack, true)
		}
		if id, ok := x.Fun.(*ast.Ident); ok {
			if d := r.function(id.Name); d != nil && d.Body != nil && !r.busy[d] {
				r.busy[d] = true
				defer delete(r.busy, d)
				var out []string
				ast.Inspect(d.Body, func(n ast.Node) bool {
					if ret, ok := n.(*ast.ReturnStmt); ok && len(ret.Results) == 1 {
						out = append(out, r.texts(ret.Results[0], []ast.Node{d}, false)...)
					}
					return true
				})
				if len(out) > 0 {
					return out
				}
			}
		}
	case *ast.SelectorExpr:
		if isText(x.Sel.Name) {
			return []string{passed}
		}
		if row, ok := x.X.(*ast.Ident); ok {
			if out := r.column(row.Name, x.Sel.Name, stack); len(out) > 0 {
				return out
			}
		}
	case *ast.Ident:
		if out := r.named(x.Name, stack, raw); len(out) > 0 {
			return out
		}
	}
	return []string{"%s"}
}

// part is one side of a sum: what is no constant there is a gap.
func (r *reader) part(e ast.Expr, stack []ast.Node, raw bool) []string {
	switch x := e.(type) {
	case *ast.BasicLit, *ast.BinaryExpr, *ast.ParenExpr:
		return r.texts(e, stack, raw)
	case *ast.CallExpr:
		if s, ok := x.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "Sprintf" {
			return r.texts(e, stack, raw)
		}
	case *ast.Ident:
		if text, ok := r.constant(x.Name); ok {
			return []string{escape(text)}
		}
	}
	return []string{"%s"}
}

func (r *reader) constant(name string) (string, bool) {
	for _, f := range r.files {
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST {
				continue
			}
			for _, s := range g.Specs {
				v := s.(*ast.ValueSpec)
				for i, id := range v.Names {
					if id.Name == name && i < len(v.Values) {
						if lit, ok := v.Values[i].(*ast.BasicLit); ok && lit.Kind == token.STRING {
							text, err := strconv.Unquote(lit.Value)
							return text, err == nil
						}
					}
				}
			}
		}
	}
	return "", false
}

func (r *reader) function(name string) *ast.FuncDecl {
	for _, f := range r.files {
		for _, d := range f.Decls {
			if x, ok := d.(*ast.FuncDecl); ok && x.Name.Name == name {
				return x
			}
		}
	}
	return nil
}

// place is where a parameter or field of that name stands.
func place(t *ast.FuncType, name string) int {
	i := 0
	for _, p := range t.Params.List {
		for _, id := range p.Names {
			if id.Name == name {
				return i
			}
			i++
		}
	}
	return -1
}

// named are the texts of a name: a constant, a parameter (what the calls give),
// or a variable (what is assigned to it in the function).
func (r *reader) named(name string, stack []ast.Node, raw bool) []string {
	if text, ok := r.constant(name); ok {
		return []string{escape(text)}
	}
	for i, n := range slices.Backward(stack) {
		switch x := n.(type) {
		case *ast.FuncDecl:
			if at := place(x.Type, name); at >= 0 {
				return r.given(x.Name.Name, at, raw, nil, x)
			}
			return r.assigned(name, x, stack[:i+1], raw)
		case *ast.FuncLit:
			at := place(x.Type, name)
			if at < 0 {
				continue
			}
			// bad := func(problem string) error {…}
			for _, up := range slices.Backward(stack[:i]) {
				if a, ok := up.(*ast.AssignStmt); ok {
					for j, v := range a.Rhs {
						if v == ast.Expr(x) {
							return r.given(a.Lhs[j].(*ast.Ident).Name, at, raw, enclosing(stack), x)
						}
					}
				}
			}
			return nil
		}
	}
	return nil
}

// given is what the calls of a function give a parameter, in one function or in
// the package.
func (r *reader) given(fn string, at int, raw bool, within, self ast.Node) []string {
	if r.busy[self] {
		return nil
	}
	r.busy[self] = true
	defer delete(r.busy, self)
	var out []string
	look := func(root ast.Node) {
		var stack []ast.Node
		ast.Inspect(root, func(n ast.Node) bool {
			if n == nil {
				stack = stack[:len(stack)-1]
				return true
			}
			stack = append(stack, n)
			c, ok := n.(*ast.CallExpr)
			if !ok || at >= len(c.Args) {
				return true
			}
			name := ""
			switch f := c.Fun.(type) {
			case *ast.Ident:
				name = f.Name
			case *ast.SelectorExpr:
				name = f.Sel.Name
				if p, ok := f.X.(*ast.Ident); ok && within == nil && (p.Name == "fmt" || p.Name == "errors") {
					name = ""
				}
			}
			if name == fn {
				out = append(out, r.texts(c.Args[at], stack, raw)...)
			}
			return true
		})
	}
	if within != nil {
		look(within)
		return out
	}
	for _, f := range r.files {
		look(f)
	}
	return out
}

func (r *reader) assigned(name string, fn *ast.FuncDecl, stack []ast.Node, raw bool) []string {
	if fn.Body == nil {
		return nil
	}
	var out []string
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.AssignStmt:
			for i, l := range x.Lhs {
				if id, ok := l.(*ast.Ident); ok && id.Name == name && len(x.Lhs) == len(x.Rhs) {
					if v, ok := x.Rhs[i].(*ast.Ident); ok && v.Name == name {
						continue
					}
					out = append(out, r.texts(x.Rhs[i], stack, raw)...)
				}
			}
		case *ast.ValueSpec:
			for i, id := range x.Names {
				if id.Name == name && i < len(x.Values) {
					out = append(out, r.texts(x.Values[i], stack, raw)...)
				}
			}
		}
		return true
	})
	return out
}

// column are the texts of a field in a table that a loop goes over:
// for _, x := range []struct{…}{…}.
func (r *reader) column(row, field string, stack []ast.Node) []string {
	var out []string
	for _, n := range stack {
		loop, ok := n.(*ast.RangeStmt)
		if !ok {
			continue
		}
		name, ok := loop.Value.(*ast.Ident)
		table, ok2 := loop.X.(*ast.CompositeLit)
		if !ok || !ok2 || name.Name != row {
			continue
		}
		list, ok := table.Type.(*ast.ArrayType)
		if !ok {
			continue
		}
		of, ok := list.Elt.(*ast.StructType)
		if !ok {
			continue
		}
		at := place(&ast.FuncType{Params: of.Fields}, field)
		for _, e := range table.Elts {
			if line, ok := e.(*ast.CompositeLit); ok && at >= 0 && at < len(line.Elts) {
				out = append(out, r.texts(line.Elts[at], stack, false)...)
			}
		}
	}
	return out
}
