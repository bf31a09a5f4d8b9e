package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/types"
	"reflect"
	"strings"
)

// protocol is the number of what both ends speak. Where a line of remote/shape.txt goes or changes, or a new field must
// be sent, older programs do not get along any more: that takes the next number, and a test asks for it.
const protocol = 1

// field is one of those that a struct has on the wire.
type field struct {
	name string
	typ  types.Type
}

// fieldsOf returns the fields of a struct as encoding/json sees them: those of an embedded struct lie beside the others.
// What the server sets is left out of a request.
func fieldsOf(t types.Type, request bool) ([]field, error) {
	structure := t.Underlying().(*types.Struct)
	var fields []field
	for i := range structure.NumFields() {
		v, tag := structure.Field(i), reflect.StructTag(structure.Tag(i)).Get("json")
		if v.Embedded() && tag == "" {
			inner, err := fieldsOf(v.Type(), request)
			if err != nil {
				return nil, err
			}
			fields = append(fields, inner...)
			continue
		}
		if tag == "" || strings.Contains(tag, ",") {
			return nil, fmt.Errorf("the field %s of %s has no plain name on the wire", v.Name(), t)
		}
		if request && strings.HasPrefix(tag, "as_") {
			continue
		}
		fields = append(fields, field{tag, v.Type()})
	}
	return fields, nil
}

// requestFields returns the fields of what is sent.
func requestFields(o operation) ([]field, error) {
	var fields []field
	for _, p := range o.params {
		if !isStruct(p.Type()) {
			fields = append(fields, field{snake(p.Name()), p.Type()})
			continue
		}
		inner, err := fieldsOf(p.Type(), true)
		if err != nil {
			return nil, err
		}
		fields = append(fields, inner...)
	}
	return fields, nil
}

// resultFields returns the fields of what comes back; one without a name where it is a single value.
func resultFields(o operation) ([]field, error) {
	var fields []field
	for _, r := range o.results {
		switch {
		case isStruct(r.Type()):
			inner, err := fieldsOf(r.Type(), false)
			if err != nil {
				return nil, err
			}
			fields = append(fields, inner...)
		case len(o.results) == 1:
			fields = append(fields, field{"", r.Type()})
		default:
			fields = append(fields, field{snake(r.Name()), r.Type()})
		}
	}
	return fields, nil
}

// word spells a type as the wire has it; one that may be null ends with a question mark.
func word(t types.Type) string {
	switch t := t.(type) {
	case *types.Pointer:
		return word(t.Elem()) + "?"
	case *types.Slice:
		return "[]" + word(t.Elem())
	case *types.Named:
		switch t.String() {
		case "github.com/google/uuid.UUID":
			return "uuid"
		case "time.Time":
			return "time"
		case "time.Duration":
			return "nanoseconds"
		}
		return lower(t.Obj().Name())
	}
	return t.String()
}

// writeShape writes a line for each field: > is sent, < comes back, and >> and << are so in each row.
func writeShape(operations []operation) ([]byte, error) {
	var lines bytes.Buffer
	fmt.Fprintf(&lines, "protocol %d\n", protocol)
	for _, o := range operations {
		sent, err := requestFields(o)
		if err != nil {
			return nil, err
		}
		if err := shapeLines(&lines, o.name+" >", "", sent); err != nil {
			return nil, err
		}
		if o.rows != nil {
			row, err := fieldsOf(rowOf(o.rows), true)
			if err != nil {
				return nil, err
			}
			if err := shapeLines(&lines, o.name+" >>", "", row); err != nil {
				return nil, err
			}
		}
		back, err := resultFields(o)
		if err != nil {
			return nil, err
		}
		arrow := " <"
		if o.stream {
			arrow = " <<"
		}
		if err := shapeLines(&lines, o.name+arrow, "", back); err != nil {
			return nil, err
		}
	}
	return lines.Bytes(), nil
}

func shapeLines(lines *bytes.Buffer, head, prefix string, fields []field) error {
	if len(fields) == 0 {
		fmt.Fprintln(lines, head, "nothing")
	}
	for _, f := range fields {
		t, mark := f.typ, ""
		if pointer, ok := t.(*types.Pointer); ok && isStruct(pointer.Elem()) {
			t, mark = pointer.Elem(), "?"
		}
		if !isStruct(t) {
			fmt.Fprintln(lines, strings.TrimSpace(head+" "+prefix+f.name), word(f.typ))
			continue
		}
		inner, err := fieldsOf(t, false)
		if err != nil {
			return err
		}
		if err := shapeLines(lines, head, prefix+f.name+mark+".", inner); err != nil {
			return err
		}
	}
	return nil
}

// schema describes a type in OpenAPI 3.1, which is JSON Schema.
func schema(t types.Type) (map[string]any, error) {
	switch t := t.(type) {
	case *types.Pointer:
		inner, err := schema(t.Elem())
		if name, ok := inner["type"].(string); ok {
			inner["type"] = []string{name, "null"}
			return inner, err
		}
		return map[string]any{"oneOf": []any{inner, map[string]any{"type": "null"}}}, err
	case *types.Slice:
		items, err := schema(t.Elem())
		return map[string]any{"type": []string{"array", "null"}, "items": items}, err
	}
	if isStruct(t) {
		return named(t)
	}
	switch w := word(t); w {
	case "uuid":
		return map[string]any{"type": "string", "format": "uuid"}, nil
	case "date":
		return map[string]any{"type": "string", "format": "date"}, nil
	case "time":
		return map[string]any{"type": "string", "format": "date-time"}, nil
	case "int32", "int64":
		return map[string]any{"type": "integer", "format": w}, nil
	case "cents":
		return map[string]any{"type": "integer", "format": "int64", "description": "Euro cents."}, nil
	case "nanoseconds":
		return map[string]any{"type": "integer", "format": "int64", "description": "A time in nanoseconds."}, nil
	case "bool":
		return map[string]any{"type": "boolean"}, nil
	}
	if basic, ok := t.Underlying().(*types.Basic); ok && basic.Info()&types.IsString != 0 {
		return map[string]any{"type": "string"}, nil
	}
	return nil, fmt.Errorf("%s is not described", t)
}

// components are the structs that were described, by their names in the document.
var components = map[string]any{}

// named describes a struct once, and returns where.
func named(t types.Type) (map[string]any, error) {
	name := strings.NewReplacer("Change[", "change_", "]", "").Replace(types.TypeString(t, func(*types.Package) string { return "" }))
	if components[name] == nil {
		fields, err := fieldsOf(t, false)
		if err != nil {
			return nil, err
		}
		if components[name], err = object(fields, false); err != nil {
			return nil, err
		}
	}
	return map[string]any{"$ref": "#/components/schemas/" + name}, nil
}

// object describes what is sent, where nothing else may stand and what may be null may be missing, or what comes back.
func object(fields []field, request bool) (map[string]any, error) {
	properties, required := map[string]any{}, []string{}
	for _, f := range fields {
		each, err := schema(f.typ)
		if err != nil {
			return nil, err
		}
		properties[f.name] = each
		if _, optional := f.typ.(*types.Pointer); !request || !optional {
			required = append(required, f.name)
		}
	}
	described := map[string]any{"type": "object", "properties": properties, "required": required}
	if request {
		described["additionalProperties"] = false
	}
	return described, nil
}

func writeOpenAPI(operations []operation) ([]byte, error) {
	paths := map[string]any{}
	clear(components)
	for _, o := range operations {
		path, err := describe(o)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.name, err)
		}
		paths["/v1/"+o.name] = path
	}
	text := func(description string) map[string]any {
		return map[string]any{"type": "string", "description": description}
	}
	login, err := object([]field{{"username", types.Typ[types.String]}, {"password", types.Typ[types.String]}}, true)
	if err != nil {
		return nil, err
	}
	paths["/v1/Login"] = post("Login starts a session and returns its token.", login, answer("application/json", map[string]any{"type": "string"}))
	document := map[string]any{
		"openapi": "3.1.0",
		"info":    map[string]any{"title": "crm", "version": fmt.Sprint(protocol), "description": "What crm serve answers. Amounts are in euro cents."},
		"paths":   paths,
		"components": map[string]any{
			"securitySchemes": map[string]any{"token": map[string]any{"type": "http", "scheme": "bearer"}},
			"schemas":         components,
		},
	}
	components["error"] = map[string]any{"type": "object", "properties": map[string]any{"error": map[string]any{
		"type": "object", "required": []string{"code", "message"}, "properties": map[string]any{
			"code":    text("What scripts go by."),
			"reason":  text("Tells errors of one code apart."),
			"message": text("One line for people."),
			"hint":    text("What to do."),
		},
	}},
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err = encoder.Encode(document)
	return out.Bytes(), err
}

func describe(o operation) (map[string]any, error) {
	sent, err := requestFields(o)
	if err != nil {
		return nil, err
	}
	request, err := object(sent, true)
	if err != nil {
		return nil, err
	}
	back, err := resultFields(o)
	if err != nil {
		return nil, err
	}
	words := strings.Join(strings.Fields(strings.ReplaceAll(o.doc, "//", " ")), " ")
	if o.stream {
		line, err := object(back, false)
		if err != nil {
			return nil, err
		}
		line["description"] = `The first line is {"columns": [...]}, then one array of these values a row, at last {"rows": N}, or {"error": ...} where it failed.`
		path := post(words, request, answer("application/x-ndjson", line))
		return path, nil
	}
	var body map[string]any
	if len(o.results) == 1 {
		body, err = schema(o.results[0].Type())
	} else {
		body, err = object(back, false)
	}
	if err != nil || o.rows == nil {
		return post(words, request, answer("application/json", body)), err
	}
	given, err := fieldsOf(rowOf(o.rows), true)
	if err != nil {
		return nil, err
	}
	line, err := object(given, true)
	if err != nil {
		return nil, err
	}
	line["description"] = `The first line is the parameters as an object, the second {"columns": [...]}, then one array of these values a row, at last {"rows": N}.`
	path := post(words, request, answer("application/json", body))
	path["post"].(map[string]any)["requestBody"] = map[string]any{"required": true, "content": answer("application/x-ndjson", line)}
	return path, nil
}

func answer(kind string, schema map[string]any) map[string]any {
	return map[string]any{kind: map[string]any{"schema": schema}}
}

func post(words string, request, content map[string]any) map[string]any {
	return map[string]any{"post": map[string]any{
		"description": words,
		"security":    []any{map[string]any{"token": []string{}}},
		"requestBody": map[string]any{"required": true, "content": answer("application/json", request)},
		"responses": map[string]any{
			"200":     map[string]any{"description": "Done.", "content": content},
			"default": map[string]any{"description": "Refused.", "content": answer("application/json", map[string]any{"$ref": "#/components/schemas/error"})},
		},
	}}
}
