package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxInt is the bound of every number on the wire: all that a JSON reader with
// doubles can hold exactly.
const maxInt = 1<<53 - 1

// maxDepth bounds nesting; our own documents need 7.
const maxDepth = 32

// decode reads JSON into the struct that v points to, as docs/protocol.md demands and
// encoding/json does not: names are case-sensitive, a duplicate name is an
// error at any depth, numbers are integers below 2^53, the text is UTF-8 and
// nothing follows it. Unknown members are ignored. A member that is not there
// is an error unless its tag says omitempty, or it is an array.
func decode(data []byte, v any) error {
	if !utf8.Valid(data) {
		return fmt.Errorf("not UTF-8")
	}
	// Token is lenient about some commas, and stops after the first value.
	if !json.Valid(data) {
		return fmt.Errorf("not one JSON value")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	tree, err := readValue(d, 0)
	if err != nil {
		return err
	}
	return assign(tree, reflect.ValueOf(v).Elem(), "")
}

func readValue(d *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("nested deeper than %d", maxDepth)
	}
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t {
	case json.Delim('{'):
		obj := map[string]any{}
		for d.More() {
			k, err := d.Token()
			if err != nil {
				return nil, err
			}
			name := k.(string)
			if _, dup := obj[name]; dup {
				return nil, fmt.Errorf("the name %q stands twice", name)
			}
			if obj[name], err = readValue(d, depth+1); err != nil {
				return nil, err
			}
		}
		_, err := d.Token()
		return obj, err
	case json.Delim('['):
		arr := []any{}
		for d.More() {
			e, err := readValue(d, depth+1)
			if err != nil {
				return nil, err
			}
			arr = append(arr, e)
		}
		_, err := d.Token()
		return arr, err
	}
	return t, nil
}

func assign(tree any, v reflect.Value, path string) error {
	wrong := func(want string) error {
		return fmt.Errorf("%s is not %s", strings.TrimPrefix(path, "."), want)
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return assign(tree, v.Elem(), path)
	case reflect.Struct:
		obj, ok := tree.(map[string]any)
		if !ok {
			return wrong("an object")
		}
		return assignStruct(obj, v, path)
	case reflect.Slice:
		arr, ok := tree.([]any)
		if !ok {
			return wrong("an array")
		}
		s := reflect.MakeSlice(v.Type(), len(arr), len(arr))
		for i, e := range arr {
			if err := assign(e, s.Index(i), path+"["+strconv.Itoa(i)+"]"); err != nil {
				return err
			}
		}
		v.Set(s)
	case reflect.String:
		s, ok := tree.(string)
		if !ok {
			return wrong("a string")
		}
		v.SetString(s)
	case reflect.Bool:
		b, ok := tree.(bool)
		if !ok {
			return wrong("true or false")
		}
		v.SetBool(b)
	case reflect.Int64:
		n, ok := tree.(json.Number)
		if !ok {
			return wrong("a number")
		}
		i, err := strconv.ParseInt(n.String(), 10, 64)
		if err != nil || i > maxInt || i < -maxInt {
			return wrong("an integer below 2^53")
		}
		v.SetInt(i)
	default:
		panic("wire: no rule for " + v.Type().String())
	}
	return nil
}

func assignStruct(obj map[string]any, v reflect.Value, path string) error {
	t := v.Type()
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			if err := assignStruct(obj, v.Field(i), path); err != nil {
				return err
			}
			continue
		}
		name, opts, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" || !f.IsExported() {
			continue
		}
		e, there := obj[name]
		if !there {
			if opts == "omitempty" || f.Type.Kind() == reflect.Slice {
				continue
			}
			return fmt.Errorf("%s is missing", strings.TrimPrefix(path+"."+name, "."))
		}
		if err := assign(e, v.Field(i), path+"."+name); err != nil {
			return err
		}
	}
	return nil
}
