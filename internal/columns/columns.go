// Package columns knows the columns of a row by the struct that sqlc makes of it: their names are the json tags, their
// order is that of the fields, their types say what they hold. Whatever scans, shows, sends or takes in rows asks here, so
// that a column is declared once, in SQL.
//
// A row that no query returns is a struct of the same kind, written by hand: with exported fields and json tags.
package columns

import (
	"reflect"
	"slices"
	"sync"
)

// Column is one column of a row.
type Column struct {
	Name     string       // snake_case, as in JSON
	Type     reflect.Type // of its values: string, and not *string where it may be NULL
	Nullable bool

	index []int
}

var known sync.Map // []Column by the type of the struct

// Of returns the columns of a struct, which nobody may change. An embedded struct stands for its own columns.
func Of(row reflect.Type) []Column {
	if columns, ok := known.Load(row); ok {
		return columns.([]Column)
	}
	columns := appendColumns(make([]Column, 0, row.NumField()), row, nil)
	known.Store(row, columns)
	return columns
}

func appendColumns(columns []Column, row reflect.Type, outer []int) []Column {
	for i := range row.NumField() {
		field := row.Field(i)
		index := field.Index
		if outer != nil {
			index = slices.Concat(outer, index)
		}
		if field.Anonymous {
			columns = appendColumns(columns, field.Type, index)
			continue
		}
		c := Column{Name: field.Tag.Get("json"), Type: field.Type, index: index}
		if c.Nullable = c.Type.Kind() == reflect.Pointer; c.Nullable {
			c.Type = c.Type.Elem()
		}
		columns = append(columns, c)
	}
	return columns
}

// Field returns the column in a row, under the type that it has there.
func (c Column) Field(row reflect.Value) reflect.Value { return row.FieldByIndex(c.index) }

// In returns the address of the column in a row, which is addressable. It is that of a plain string or number where the
// type has a name of its own: who reads and writes there meets few types, and pgx those that it is fast with.
func (c Column) In(row reflect.Value) any {
	pointer := c.Field(row).Addr()
	switch pointer.Type().Elem().Kind() {
	case reflect.String:
		pointer = pointer.Convert(reflect.TypeFor[*string]())
	case reflect.Int64:
		pointer = pointer.Convert(reflect.TypeFor[*int64]())
	case reflect.Int32:
		pointer = pointer.Convert(reflect.TypeFor[*int32]())
	case reflect.Bool:
		pointer = pointer.Convert(reflect.TypeFor[*bool]())
	}
	return pointer.Interface()
}

// Addresses returns those of all columns in the row that a pointer points to.
func Addresses(row any) []any {
	value := reflect.ValueOf(row).Elem()
	columns := Of(value.Type())
	addresses := make([]any, len(columns))
	for i, c := range columns {
		addresses[i] = c.In(value)
	}
	return addresses
}
