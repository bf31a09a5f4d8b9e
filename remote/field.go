package remote

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/epicevents/crm/internal/columns"
)

// setByServer begins the names of parameters that the operation sets itself: they are never on the wire.
const setByServer = "as_"

// sent returns the fields that a caller gives.
func sent(fields []columns.Column) []columns.Column {
	var given []columns.Column
	for _, f := range fields {
		if !strings.HasPrefix(f.Name, setByServer) {
			given = append(given, f)
		}
	}
	return given
}

// canBeNull reports whether null is a value of a field: a pointer to nothing, or no list.
func canBeNull(f columns.Column) bool { return f.Nullable || f.Type.Kind() == reflect.Slice }

// appendRequest appends the parameters of an operation.
func appendRequest(body []byte, params any) ([]byte, error) {
	value := reflect.New(reflect.TypeOf(params)).Elem()
	value.Set(reflect.ValueOf(params))
	body = append(body, '{')
	for i, f := range sent(columns.Of(value.Type())) {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(appendString(body, f.Name), ':')
		var err error
		if body, err = appendValue(body, f.In(value)); err != nil {
			return nil, err
		}
	}
	return append(body, '}'), nil
}

// readRequest reads the parameters of an operation: each field that cannot be null must be there, and nothing else may.
func readRequest(body []byte, params any) error {
	value := reflect.ValueOf(params).Elem()
	return readObject(body, value, sent(columns.Of(value.Type())), true)
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
	return readObject(body, into, columns.Of(t), false)
}

// readObject reads one object and nothing after it. What is exact knows no other fields, and lets those be left out that
// may be null.
func readObject(body []byte, into reflect.Value, fields []columns.Column, exact bool) error {
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
		if !seen[f.Name] && !(exact && canBeNull(f)) {
			return fmt.Errorf("the field %q is missing", f.Name)
		}
	}
	return nil
}

func readField(name string, value json.RawMessage, into reflect.Value, fields []columns.Column, exact bool) error {
	for _, f := range fields {
		if f.Name != name {
			continue
		}
		if isNull(value) && !canBeNull(f) {
			return fmt.Errorf("the field %q is null", name)
		}
		if err := readAny(value, f.Field(into)); err != nil {
			return fmt.Errorf("the field %q is not what it should be", name)
		}
		return nil
	}
	if exact {
		return fmt.Errorf("the field %q is not known", name)
	}
	return nil
}
