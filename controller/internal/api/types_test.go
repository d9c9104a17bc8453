package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ledcast/controller/internal/api"
	"ledcast/controller/internal/report"
)

var update = flag.Bool("update", false, "write the pages' types.d.ts anew")

// schema is the part of JSON Schema that the OpenAPI document uses.
type schema struct {
	Ref        string            `json:"$ref"`
	Type       string            `json:"type"`
	Enum       []string          `json:"enum"`
	AnyOf      []schema          `json:"anyOf"`
	Items      *schema           `json:"items"`
	Properties map[string]schema `json:"properties"`
	Required   []string          `json:"required"`
	More       json.RawMessage   `json:"additionalProperties"` // false, or a schema
}

// UnmarshalJSON takes true, which allows any value, for an empty schema.
func (s *schema) UnmarshalJSON(text []byte) error {
	type plain schema
	if string(text) == "true" {
		return nil
	}
	return json.Unmarshal(text, (*plain)(s))
}

type content map[string]struct{ Schema schema }

type operation struct {
	Parameters []struct {
		Name, In string
		Required bool
		Schema   schema
	}
	RequestBody struct{ Content content }
	Responses   map[string]struct{ Content content }
}

// typescript returns a schema as a TypeScript type.
func (s *schema) typescript(indent string) string {
	switch {
	case s.Ref != "":
		return typeName(s.Ref[strings.LastIndex(s.Ref, "/")+1:])
	case s.Enum != nil:
		var all []string
		for _, v := range s.Enum {
			all = append(all, fmt.Sprintf("'%s'", v))
		}
		return strings.Join(all, " | ")
	case s.AnyOf != nil:
		var all []string
		for i := range s.AnyOf {
			all = append(all, s.AnyOf[i].typescript(indent))
		}
		return strings.Join(all, " | ")
	}
	switch s.Type {
	case "integer", "number":
		return "number"
	case "string", "boolean":
		return s.Type
	case "array":
		of := s.Items.typescript(indent)
		if strings.Contains(of, " ") {
			of = "(" + of + ")"
		}
		return of + "[]"
	case "object":
		return s.object(indent)
	}
	return "unknown"
}

func (s *schema) object(indent string) string {
	var b strings.Builder
	b.WriteString("{\n")
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		p, mark := s.Properties[name], "?"
		if slices.Contains(s.Required, name) {
			mark = ""
		}
		fmt.Fprintf(&b, "%s  %s%s: %s;\n", indent, name, mark, p.typescript(indent+"  "))
	}
	var more schema
	if s.Properties == nil && json.Unmarshal(s.More, &more) == nil {
		fmt.Fprintf(&b, "%s  [key: string]: %s;\n", indent, more.typescript(indent+"  "))
	} else if s.Properties == nil {
		return "Record<string, unknown>"
	}
	return b.String() + indent + "}"
}

var letter = regexp.MustCompile(`^[a-z]`)

// typeName begins a schema's name with a capital letter.
func typeName(s string) string { return letter.ReplaceAllStringFunc(s, strings.ToUpper) }

// json returns the schema of a body or answer that is JSON; false for another.
func (c content) json() (schema, bool) {
	x, ok := c["application/json"]
	return x.Schema, ok && (x.Schema.Ref != "" || x.Schema.Type != "" || x.Schema.AnyOf != nil)
}

// The pages check their use of the API against types made from its description.
// After a change of the API: go test ./controller/internal/api -run TestPageTypes -update
func TestPageTypes(t *testing.T) {
	text, err := api.New(api.Options{ReportTypes: report.Types()}).OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths      map[string]map[string]operation
		Components struct{ Schemas map[string]schema }
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	b.WriteString("// Types of the HTTP API, for the checker of the pages' modules. Generated from\n" +
		"// openapi.json by TestPageTypes in controller/internal/api; do not edit.\n")
	names := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(doc.Components.Schemas)) {
		s := doc.Components.Schemas[name]
		if old := names[typeName(name)]; old != "" {
			t.Errorf("the schemas %s and %s get one name", old, name)
		}
		names[typeName(name)] = name
		if body := s.typescript(""); strings.HasPrefix(body, "{") {
			fmt.Fprintf(&b, "\nexport interface %s %s\n", typeName(name), body)
		} else {
			fmt.Fprintf(&b, "\nexport type %s = %s;\n", typeName(name), body)
		}
	}
	var queries, bodies, answers strings.Builder
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(doc.Paths[path])) {
			op := doc.Paths[path][method]
			name := strings.ToUpper(method) + " " + path
			var query schema
			for _, p := range op.Parameters {
				if p.In != "query" {
					continue
				}
				if query.Properties == nil {
					query = schema{Type: "object", Properties: map[string]schema{}}
				}
				if query.Properties[p.Name] = p.Schema; p.Required {
					query.Required = append(query.Required, p.Name)
				}
			}
			if query.Properties != nil {
				fmt.Fprintf(&queries, "  '%s': %s;\n", name, query.typescript("  "))
			}
			if s, ok := op.RequestBody.Content.json(); ok {
				fmt.Fprintf(&bodies, "  '%s': %s;\n", name, s.typescript("  "))
			}
			if s, ok := op.Responses["2XX"].Content.json(); ok {
				fmt.Fprintf(&answers, "  '%s': %s;\n", name, s.typescript("  "))
			}
		}
	}
	fmt.Fprintf(&b, "\n// The parameters of each operation's query.\nexport interface Queries {\n%s}\n", &queries)
	fmt.Fprintf(&b, "\n// The JSON body that each operation takes.\nexport interface Bodies {\n%s}\n", &bodies)
	fmt.Fprintf(&b, "\n// The JSON that each operation answers.\nexport interface Answers {\n%s}\n", &answers)
	const file = "../web/static/types.d.ts"
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, b.Bytes()) {
		t.Errorf("%s is not what the API is now: run this test with -update", file)
	}
	for _, x := range []string{"level: 'refuse' | 'warn';", "'GET /api/v1/signs': SignViews;", "limit?: number;",
		"export interface AreaList {"} {
		if !strings.Contains(b.String(), x) {
			t.Errorf("the types have no %q", x)
		}
	}
}
