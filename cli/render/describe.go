package render

import (
	"slices"
	"time"
)

// Description is a resource as scripts may rely on it.
type Description struct {
	Resource string             `json:"resource"`
	Fields   []FieldDescription `json:"fields"`
}

// FieldDescription is a field of a resource, its type in JSON and whether it may be null.
type FieldDescription struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Nullable bool   `json:"nullable"`
}

var kindNames = map[Kind]string{
	KindText:    "string",
	KindPhone:   "string",
	KindInteger: "integer",
	KindBoolean: "boolean",
	KindAmount:  "decimal",
	KindDate:    "date",
	KindTime:    "date-time",
	KindUUID:    "uuid",
}

// Describe returns the description of a resource.
func Describe[T any](r Resource[T]) Description {
	all := r.columns()
	d := Description{r.Name, make([]FieldDescription, len(all))}
	for i, c := range all {
		d.Fields[i] = FieldDescription{c.Name, kindNames[kindOf(c.Type)], c.Nullable}
	}
	return d
}

// As returns the description under another name.
func (d Description) As(name string) Description {
	d.Resource = name
	return d
}

// InChargeOf reports whether a row is in an employee's charge.
func (r Resource[T]) InChargeOf(row T, employee int64) bool {
	_, charge, ok := r.cell(row, r.Charge)
	return ok && charge.number == employee
}

// Typed returns the value of a column as a person would type it, and whether there is such a column.
func (r Resource[T]) Typed(row T, column string, zone *time.Location) (string, bool) {
	f, c, ok := r.cell(row, column)
	switch {
	case !ok || c.null:
		return "", ok
	case c.kind == KindText:
		return c.text, true
	}
	f.Look.Weekday = false
	return f.show(c, zone), true
}

func (r Resource[T]) cell(row T, column string) (Field, cell, bool) {
	fields := r.fields()
	at := slices.IndexFunc(fields, func(f Field) bool { return f.Name == column })
	if at < 0 {
		return Field{}, cell{}, false
	}
	return fields[at], newReader[T](fields[at : at+1]).read(row)[0], true
}

// With returns the description with an array of rows, which have a description of their own.
func (d Description) With(name, of string) Description {
	d.Fields = append(slices.Clip(d.Fields), FieldDescription{name, "array of " + of, false})
	return d
}
