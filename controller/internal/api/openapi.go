package api

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"strings"

	"github.com/invopop/jsonschema"

	"ledcast/playlists"
)

// The OpenAPI 3.1 document is made of the route table and of the Go types that
// its handlers read and write, so that it cannot say what the controller does
// not do. (Generators that begin with a document do not know 3.1, whose schemas
// are JSON Schema 2020-12; a framework would want the routes to itself.)

var pathParam = regexp.MustCompile(`\{([a-z]+)(\.\.\.)?\}`)

type object = map[string]any

// OpenAPI is the document, as JSON.
func (s *Server) OpenAPI() ([]byte, error) {
	schemas := object{}
	ref := func(v any) (any, error) { return schemaOf(v, schemas) }
	failed, err := ref(problem{})
	if err != nil {
		return nil, err
	}
	paths := map[string]object{}
	for _, r := range s.Routes() {
		op := object{"summary": r.Summary, "operationId": operationID(r)}
		var params []any
		for _, m := range pathParam.FindAllStringSubmatch(r.Path, -1) {
			params = append(params, object{"name": m[1], "in": "path", "required": true, "schema": object{"type": "string"}})
		}
		for _, q := range r.Query {
			params = append(params, q.document())
		}
		if r.Method == "PUT" || r.Method == "DELETE" {
			params = append(params, object{"name": "If-Match", "in": "header", "schema": object{"type": "string"},
				"description": "the ETag that GET gave"})
		}
		if r.Method == "PUT" {
			params = append(params, object{"name": "If-None-Match", "in": "header",
				"schema": object{"type": "string", "enum": []string{"*"}}, "description": "only where there is none yet"})
		}
		if params != nil {
			op["parameters"] = params
		}
		if r.In != nil {
			in, err := ref(r.In)
			if err != nil {
				return nil, err
			}
			op["requestBody"] = object{"required": true, "content": object{"application/json": object{"schema": in}}}
		} else if r.Takes != "" {
			op["requestBody"] = object{"required": true, "content": object{r.Takes: object{}}}
		}
		ok := object{"description": "done"}
		switch {
		case r.Type != "":
			ok["content"] = object{r.Type: object{}}
		case r.Out != nil:
			out, err := answerOf(r.Out, schemas, ref)
			if err != nil {
				return nil, err
			}
			ok["content"] = object{"application/json": object{"schema": out}}
		}
		responses := object{"2XX": ok, "default": object{"description": "a problem document (RFC 9457)",
			"content": object{"application/problem+json": object{"schema": failed}}}}
		if r.Nothing != "" {
			responses["204"] = object{"description": r.Nothing}
		}
		op["responses"] = responses
		if r.Open {
			op["security"] = []any{}
		}
		at := pathParam.ReplaceAllString(r.Path, "{$1}")
		if paths[at] == nil {
			paths[at] = object{}
		}
		paths[at][strings.ToLower(r.Method)] = op
	}
	return json.MarshalIndent(document{
		OpenAPI: "3.1.0",
		Info: object{"title": "ledcast", "version": s.version, "license": object{"name": "see the repository"},
			"description": "The HTTP API of the ledcast controller. Ids are given by the caller; PUT creates or replaces. " +
				"What belongs to another owner is 404."},
		Paths: paths, Security: []object{{"token": []any{}}, {"session": []any{}}},
		Components: object{"schemas": schemas, "securitySchemes": object{
			"token":   object{"type": "http", "scheme": "bearer"},
			"session": object{"type": "apiKey", "in": "cookie", "name": "ledcast_session"},
		}},
	}, "", " ")
}

// document is an OpenAPI document.
type document struct {
	OpenAPI    string            `json:"openapi"`
	Info       object            `json:"info"`
	Paths      map[string]object `json:"paths"`
	Security   []object          `json:"security"`
	Components object            `json:"components"`
}

// document returns the parameter as OpenAPI has it.
func (q *Param) document() object {
	schema := object{"type": q.Type}
	if q.Format != "" {
		schema["format"] = q.Format
	}
	if q.Enum != nil {
		schema["enum"] = q.Enum
	}
	if q.Type == "integer" {
		schema["minimum"] = q.Least
	}
	if q.Most != 0 {
		schema["maximum"] = q.Most
	}
	out := object{"name": q.Name, "in": "query", "schema": schema, "description": q.About}
	if q.Needed {
		out["required"] = true
	}
	return out
}

// answerOf returns the schema of an answer: of one shape, of several, or a list.
func answerOf(v any, schemas object, ref func(any) (any, error)) (any, error) {
	if l, ok := v.(listOf); ok {
		item, err := ref(l.item)
		if err != nil {
			return nil, err
		}
		name := nameOf(reflect.TypeOf(l.item)) + "List"
		schemas[name] = object{"type": "object", "required": []string{"items"}, "additionalProperties": false,
			"properties": object{"items": object{"type": "array", "items": item}}}
		return object{"$ref": "#/components/schemas/" + name}, nil
	}
	shapes, ok := v.(anyOf)
	if !ok {
		return ref(v)
	}
	var all []any
	for _, x := range shapes {
		one, err := ref(x)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	if all == nil {
		return object{"type": "object"}, nil
	}
	return object{"anyOf": all}, nil
}

// values are the types of which only some strings are values.
var values = map[reflect.Type][]any{
	reflect.TypeFor[playlists.Level]():     {playlists.Refuse, playlists.Warn},
	reflect.TypeFor[playlists.Mode]():      {"", playlists.ModeProgram, playlists.ModePicture}, // "" is program
	reflect.TypeFor[playlists.AlertMode](): {playlists.AlertLive, playlists.AlertTest, playlists.AlertDrill},
	reflect.TypeFor[playlists.AlertState](): {playlists.AlertDraft, playlists.AlertPending, playlists.AlertRunning,
		playlists.AlertEnded},
	reflect.TypeFor[playlists.Role](): {playlists.RoleAdmin, playlists.RoleEditor, playlists.RoleAuthor,
		playlists.RoleApprover,
		playlists.RoleViewer},
}

// nameOf names a schema: a list by what it lists, and a type of another package
// than playlists and this one with the package's name, as two may have the same.
func nameOf(t reflect.Type) string {
	name := t.Name()
	if of, ok := strings.CutPrefix(name, "list["); ok {
		of = strings.TrimSuffix(of, "]")
		return of[strings.LastIndex(of, ".")+1:] + "List"
	}
	if strings.HasSuffix(t.PkgPath(), "/report") {
		return "Report" + name
	}
	return name
}

func operationID(r Route) string {
	name := strings.TrimPrefix(r.Path, "/api/v1")
	name = pathParam.ReplaceAllString(name, "$1")
	return strings.ToLower(r.Method) + strings.NewReplacer("/", "_", ".", "_").Replace(name)
}

// schemaOf is a reference to the schema of v's type, which it adds to schemas
// with all that it names.
func schemaOf(v any, schemas object) (any, error) {
	r := jsonschema.Reflector{Anonymous: true, AllowAdditionalProperties: false, Namer: nameOf,
		Mapper: func(t reflect.Type) *jsonschema.Schema {
			if enum := values[t]; enum != nil {
				return &jsonschema.Schema{Type: "string", Enum: enum}
			}
			switch {
			case t == reflect.TypeFor[json.RawMessage]():
				return &jsonschema.Schema{}
			case t == reflect.TypeFor[playlists.Moment](): // written as a number, read as either
				return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "integer"}, {Type: "string", Format: "date-time"}}}
			case t.Implements(reflect.TypeFor[encoding.TextMarshaler]()): // as encoding/json writes it
				return &jsonschema.Schema{Type: "string"}
			}
			return nil
		}}
	text, err := json.Marshal(r.Reflect(v))
	if err != nil {
		return nil, err
	}
	var s struct {
		Ref  string          `json:"$ref"`
		Defs json.RawMessage `json:"$defs"`
	}
	const from, to = `"#/$defs/`, `"#/components/schemas/`
	if err := json.Unmarshal(bytes.ReplaceAll(text, []byte(from), []byte(to)), &s); err != nil {
		return nil, err
	}
	if s.Ref == "" {
		return object{"type": "object"}, nil
	}
	var defs map[string]json.RawMessage
	if err := json.Unmarshal(s.Defs, &defs); err != nil {
		return nil, err
	}
	for name, def := range defs {
		if old, ok := schemas[name].(json.RawMessage); ok && !bytes.Equal(old, def) {
			return nil, fmt.Errorf("two types are called %s", name)
		}
		schemas[name] = def
	}
	return object{"$ref": s.Ref}, nil
}

func (s *Server) openAPI(w http.ResponseWriter, r *http.Request) {
	text, err := s.OpenAPI()
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(text)
}
