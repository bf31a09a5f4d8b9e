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
	KindInteger: "integer",
	KindBoolean: "boolean",
	KindAmount:  "decimal",
	KindTime:    "date-time",
	KindUUID:    "uuid",
}

// Describe returns the description of a resource.
func Describe[T any](r Resource[T]) Description {
	var zero T
	d := Description{Resource: r.Name}
	for _, c := range r.Columns {
		cell := cellOf(c.Value(zero))
		d.Fields = append(d.Fields, FieldDescription{c.Name, kindNames[cell.kind], cell.null})
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
	i := slices.IndexFunc(r.Columns, func(c Column[T]) bool { return c.Name == r.Charge })
	return i >= 0 && cellOf(r.Columns[i].Value(row)).number == employee
}

// Typed returns the value of a row as a person would type it.
func (c Column[T]) Typed(row T, zone *time.Location) string {
	value := cellOf(c.Value(row))
	if value.null {
		return ""
	}
	if value.kind == KindText && c.Display == nil {
		return value.text
	}
	return Field{Kind: value.kind, Display: c.Display}.show(value, zone)
}
