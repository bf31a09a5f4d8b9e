package remote

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"
	"sync"
)

// setByServer begins the names of parameters that the operation sets itself: they are never on the wire.
const setByServer = "as_"

// field is one of those that a struct has on the wire.
type field struct {
	name     string
	index    []int
	nullable bool
}

var fieldsByType sync.Map // of reflect.Type to []field

// fieldsOf returns the fields of a struct as encoding/json names them: those of an embedded struct lie beside the others.
func fieldsOf(t reflect.Type) []field {
	if known, ok := fieldsByType.Load(t); ok {
		return known.([]field)
	}
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, tagged := f.Tag.Lookup("json")
		if f.Anonymous && !tagged {
			for _, inner := range fieldsOf(f.Type) {
				inner.index = append([]int{i}, inner.index...)
				fields = append(fields, inner)
			}
			continue
		}
		nullable := f.Type.Kind() == reflect.Pointer || f.Type.Kind() == reflect.Slice
		fields = append(fields, field{name, f.Index, nullable})
	}
	fieldsByType.Store(t, fields)
	return fields
}

// sent returns the fields that a caller gives.
func sent(fields []field) []field {
	var given []field
	for _, f := range fields {
		if !strings.HasPrefix(f.name, setByServer) {
			given = append(given, f)
		}
	}
	return given
}

// address returns where a field is, as a pointer that appendValue and readValue know if its type is one of theirs.
func (f field) address(structure reflect.Value) any {
	at := structure.FieldByIndex(f.index).Addr()
	if at.Type().Implements(marshaler) || at.Type().Implements(textMarshaler) {
		return at.Interface()
	}
	switch at.Elem().Kind() {
	case reflect.String: // an enum of sqlc, a phone number
		return at.Convert(reflect.TypeFor[*string]()).Interface()
	case reflect.Int64: // an amount
		return at.Convert(reflect.TypeFor[*int64]()).Interface()
	}
	return at.Interface()
}

var (
	marshaler     = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[interface{ MarshalText() ([]byte, error) }]()
)

// appendRequest appends the parameters of an operation.
func appendRequest(body []byte, params any) ([]byte, error) {
	value := reflect.New(reflect.TypeOf(params)).Elem()
	value.Set(reflect.ValueOf(params))
	body = append(body, '{')
	for i, f := range sent(fieldsOf(value.Type())) {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(appendString(body, f.name), ':')
		var err error
		if body, err = appendValue(body, f.address(value)); err != nil {
			return nil, err
		}
	}
	return append(body, '}'), nil
}

// readRequest reads the parameters of an operation: each field that cannot be null must be there, and nothing else may.
func readRequest(body []byte, params any) error {
	value := reflect.ValueOf(params).Elem()
	return readObject(body, value, sent(fieldsOf(value.Type())), true)
}

// readResult reads what an operation returned. All fields must be there; others are those of a newer server.
func readResult(body []byte, result any) error {
	return readAny(body, reflect.ValueOf(result).Elem())
}

// readAny reads a value of JSON, a struct by its fields and everything else as encoding/json does.
func readAny(body []byte, into reflect.Value) error {
	t := into.Type()
	pointer := t.Kind() == reflect.Pointer
	if pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) {
		return json.Unmarshal(body, into.Addr().Interface())
	}
	if pointer {
		if isNull(bytes.TrimSpace(body)) {
			into.SetZero()
			return nil
		}
		into.Set(reflect.New(t))
		into = into.Elem()
	}
	return readObject(body, into, fieldsOf(t), false)
}

// readObject reads one object and nothing after it. What is exact knows no other fields, and lets those be left out that
// may be null.
func readObject(body []byte, into reflect.Value, fields []field, exact bool) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return fmt.Errorf("it is no object")
	}
	seen := map[string]bool{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return fmt.Errorf("it is not JSON")
		}
		name := token.(string)
		if seen[name] {
			return fmt.Errorf("the field %q is there twice", name)
		}
		seen[name] = true
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return fmt.Errorf("it is not JSON")
		}
		if err := readField(name, value, into, fields, exact); err != nil {
			return err
		}
	}
	if _, err := decoder.Token(); err != nil {
		return fmt.Errorf("it is not JSON")
	}
	if _, err := decoder.Token(); err != io.EOF {
		return fmt.Errorf("something stands after it")
	}
	for _, f := range fields {
		if !seen[f.name] && !(exact && f.nullable) {
			return fmt.Errorf("the field %q is missing", f.name)
		}
	}
	return nil
}

func readField(name string, value json.RawMessage, into reflect.Value, fields []field, exact bool) error {
	for _, f := range fields {
		if f.name != name {
			continue
		}
		if isNull(value) && !f.nullable {
			return fmt.Errorf("the field %q is null", name)
		}
		if err := readAny(value, into.FieldByIndex(f.index)); err != nil {
			return fmt.Errorf("the field %q is not what it should be", name)
		}
		return nil
	}
	if exact {
		return fmt.Errorf("the field %q is not known", name)
	}
	return nil
}
