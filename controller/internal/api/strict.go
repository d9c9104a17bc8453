package api

import (
	"bytes"
	"errors"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"ledcast/playlists"
)

// parse reads JSON strictly: names in their own case, none of them unknown or
// twice, and nothing behind the value. What is wrong is named by its path, e.g.
// messages/tet.variants[0].headline. Then named fills in what the request's path
// says, and check is the type's own.
func parse(data []byte, v any, where string, named, check func() error) error {
	if err := json.Unmarshal(data, v, json.RejectUnknownMembers(true)); err != nil {
		return unread(err, data, where)
	}
	if err := named(); err != nil {
		return err
	}
	return check()
}

// unread is an error of the library in our words.
func unread(err error, data []byte, where string) error {
	out := &playlists.Error{Code: playlists.Invalid, Field: where, Key: "not-json"}
	var text *jsontext.SyntacticError
	var meaning *json.SemanticError
	switch {
	case errors.As(err, &text):
		out.Field = where + path(text.JSONPointer)
		switch {
		case errors.Is(text.Err, jsontext.ErrDuplicateName):
			out.Key = "field-twice"
		case len(text.JSONPointer) == 0 && text.ByteOffset == 0:
			out.Key = "body-empty"
		default:
			out.Key, out.Args = "not-json-at", []any{text.ByteOffset}
		}
	case errors.As(err, &meaning):
		out.Field, out.Value = where+path(meaning.JSONPointer), clip(value(meaning, data))
		var known *playlists.Error
		switch {
		case errors.Is(meaning.Err, json.ErrUnknownName):
			out.Value = clip(meaning.JSONPointer.LastToken())
			out.Key = "field-unknown"
		case errors.As(meaning.Err, &known): // a type's own words
			e := *known
			e.Field = out.Field
			return &e
		default:
			out.Key, out.Args = "type-mismatch",
				[]any{playlists.Word(describeKind(meaning.JSONKind)), playlists.Word(describeType(meaning.GoType))}
		}
	}
	return out
}

// value is what an error is about, as it was written; "" for objects and lists.
func value(e *json.SemanticError, data []byte) string {
	if e.JSONValue != nil {
		return string(e.JSONValue)
	}
	if at := e.ByteOffset; e.JSONKind != '{' && e.JSONKind != '[' && at >= 0 && at < int64(len(data)) {
		if v, err := jsontext.NewDecoder(bytes.NewReader(data[at:])).ReadValue(); err == nil {
			return string(v)
		}
	}
	return ""
}

// path is a JSON pointer as errors write it: .variants[0].headline.
func path(p jsontext.Pointer) string {
	var b strings.Builder
	for t := range p.Tokens() {
		if t != "" && strings.Trim(t, "0123456789") == "" {
			b.WriteString("[" + t + "]")
		} else {
			b.WriteString("." + t)
		}
	}
	return clip(b.String())
}

// clip bounds what is quoted of a stranger's bytes.
func clip(s string) string {
	const most = 100
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// describeKind names a kind of JSON value for people.
func describeKind(k jsontext.Kind) string {
	switch k {
	case 'n':
		return "null"
	case 't', 'f':
		return "true or false"
	case '"':
		return "a text"
	case '0':
		return "a number"
	case '{':
		return "an object"
	case '[':
		return "a list"
	}
	return "something else"
}

// describeType names the JSON value that a Go type takes, for people.
func describeType(t reflect.Type) string {
	if t == nil {
		return "something else"
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a text"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8,
		reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice, reflect.Array:
		return "a list"
	}
	return "an object"
}
