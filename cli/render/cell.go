package render

import (
	"fmt"
	"iter"
	"reflect"
	"time"

	"github.com/google/uuid"

	"github.com/epicevents/crm/internal/value"
)

// Kind is what the values of a column mean, and so how they are written.
type Kind int

const (
	KindText Kind = iota
	KindPhone
	KindInteger
	KindBoolean // number is 0 or 1
	KindAmount  // number is euro cents
	KindDate    // text is as in ISO 8601
	KindTime
	KindUUID
	kindUnknown // a type that no column has: TestResources
)

func kindOf(t reflect.Type) Kind {
	switch t {
	case reflect.TypeFor[value.Cents]():
		return KindAmount
	case reflect.TypeFor[value.Phone]():
		return KindPhone
	case reflect.TypeFor[value.Date]():
		return KindDate
	case reflect.TypeFor[time.Time]():
		return KindTime
	case reflect.TypeFor[uuid.UUID]():
		return KindUUID
	}
	switch t.Kind() {
	case reflect.String:
		return KindText
	case reflect.Int64, reflect.Int32:
		return KindInteger
	case reflect.Bool:
		return KindBoolean
	}
	return kindUnknown
}

// cell is one value, unpacked once so that no format needs to know about pointers and named types.
type cell struct {
	kind   Kind
	null   bool
	text   string
	number int64
	time   time.Time
	id     uuid.UUID
}

func (c cell) equal(other cell) bool {
	sameTime := c.time.Equal(other.time)
	c.time, other.time = time.Time{}, time.Time{}
	return sameTime && c == other
}

// cellsOf reads rows cell by cell. The slice is used again for the next row.
func cellsOf[T any](fields []Field, rows iter.Seq2[T, error]) iter.Seq2[[]cell, error] {
	return func(yield func([]cell, error) bool) {
		r := newReader[T](fields)
		for row, err := range rows {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(r.read(row), nil) {
				return
			}
		}
	}
}

// reader takes rows apart. It keeps a row and the addresses of its columns, so that nothing is allocated for the next.
type reader[T any] struct {
	row       *T
	addresses []any
	cells     []cell
}

func newReader[T any](fields []Field) *reader[T] {
	r := &reader[T]{row: new(T), addresses: make([]any, len(fields)), cells: make([]cell, len(fields))}
	row := reflect.ValueOf(r.row).Elem()
	for i, f := range fields {
		if f.Kind == kindUnknown {
			panic(fmt.Sprintf("the column %s cannot hold a %v", f.Name, f.column.Type))
		}
		r.addresses[i], r.cells[i].kind = f.column.In(row), f.Kind
	}
	return r
}

func (r *reader[T]) read(row T) []cell {
	*r.row = row
	for i := range r.cells {
		r.cells[i].read(r.addresses[i])
	}
	return r.cells
}

// read takes the value at an address that columns gave.
func (c *cell) read(address any) {
	c.null = false
	switch at := address.(type) {
	case *string:
		c.text = *at
	case *int64:
		c.number = *at
	case *int32:
		c.number = int64(*at)
	case *bool:
		c.number = 0
		if *at {
			c.number = 1
		}
	case *time.Time:
		c.time = *at
	case *uuid.UUID:
		c.id = *at
	case **string:
		if c.set(*at != nil) {
			c.text = **at
		}
	case **time.Time:
		if c.set(*at != nil) {
			c.time = **at
		}
	case **uuid.UUID:
		if c.set(*at != nil) {
			c.id = **at
		}
	default: // a pointer to a type with a name of its own, or to what is seldom absent
		pointer := reflect.ValueOf(address).Elem()
		if !c.set(!pointer.IsNil()) {
			return
		}
		switch v := pointer.Elem(); v.Kind() {
		case reflect.String:
			c.text = v.String()
		case reflect.Bool:
			if v.Bool() {
				c.number = 1
			}
		default:
			c.number = v.Int()
		}
	}
}

// set empties a cell, and makes it null unless a value is there.
func (c *cell) set(there bool) bool {
	*c = cell{kind: c.kind, null: !there}
	return there
}
