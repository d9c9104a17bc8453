package api

import (
	"bytes"
	"encoding"
	"encoding/json"
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

// queries are the query parameters of routes that have any.
var queries = map[string][]string{
	"GET /api/v1/signs/{id}/at":                       {"time"},
	"GET /api/v1/signs/{id}/day":                      {"date"},
	"GET /api/v1/signs/{id}/health":                   {"from", "to"},
	"GET /api/v1/owners/{owner}/media/{id}/thumb.png": {"class"},
	"GET /api/v1/reports/{kind}":                      {"from", "to", "owner", "sign", "campaign", "format"},
	"GET /api/v1/events":                              {"sign"},
	"GET /api/v1/audit":                               {"after", "before", "limit"},
	"GET /api/v1/audit/verify":                        {"expect"},
	"PUT /api/v1/signs/{id}":                          overridable,
	"PUT /api/v1/owners/{owner}/messages/{id}":        overridable,
	"PUT /api/v1/owners/{owner}/playlists/{id}":       overridable,
	"PUT /api/v1/owners/{owner}/schedules/{id}":       overridable,
}

// overridable lets something through that cannot be read from where people look:
// override=distance, and why.
var overridable = []string{"override", "reason"}

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
		for _, q := range queries[r.Method+" "+r.Path] {
			params = append(params, object{"name": q, "in": "query", "schema": object{"type": "string"}})
		}
		if r.Method == "PUT" || r.Method == "DELETE" {
			params = append(params, object{"name": "If-Match", "in": "header", "schema": object{"type": "string"}, "description": "the ETag that GET gave"})
		}
		if r.Method == "PUT" {
			params = append(params, object{"name": "If-None-Match", "in": "header", "schema": object{"type": "string", "enum": []string{"*"}}, "description": "only where there is none yet"})
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
		case r.Of != nil:
			of, err := ref(r.Of)
			if err != nil {
				return nil, err
			}
			ok["content"] = object{"application/json": object{"schema": object{"type": "object", "required": []string{"items"},
				"properties": object{"items": object{"type": "array", "items": of}}}}}
		case r.Out != nil:
			out, err := ref(r.Out)
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
		path := pathParam.ReplaceAllString(r.Path, "{$1}")
		if paths[path] == nil {
			paths[path] = object{}
		}
		paths[path][strings.ToLower(r.Method)] = op
	}
	return json.MarshalIndent(object{
		"openapi": "3.1.0",
		"info": object{"title": "ledcast", "version": s.version, "license": object{"name": "see the repository"},
			"description": "The HTTP API of the ledcast controller. Ids are given by the caller; PUT creates or replaces. What belongs to another owner is 404."},
		"paths": paths, "security": []any{object{"token": []any{}}, object{"session": []any{}}},
		"components": object{"schemas": schemas, "securitySchemes": object{
			"token":   object{"type": "http", "scheme": "bearer"},
			"session": object{"type": "apiKey", "in": "cookie", "name": "ledcast_session"},
		}},
	}, "", " ")
}

func operationID(r Route) string {
	name := strings.TrimPrefix(r.Path, "/api/v1")
	name = pathParam.ReplaceAllString(name, "$1")
	return strings.ToLower(r.Method) + strings.NewReplacer("/", "_", ".", "_").Replace(name)
}

// schemaOf is a reference to the schema of v's type, which it adds to schemas
// with all that it names.
func schemaOf(v any, schemas object) (any, error) {
	r := jsonschema.Reflector{Anonymous: true, AllowAdditionalProperties: false, Mapper: func(t reflect.Type) *jsonschema.Schema {
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
