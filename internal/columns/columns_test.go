package columns_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/epicevents/crm/internal/columns"
)

type color string
type cents int64
type paid bool
type count int32

type inner struct {
	ID    uuid.UUID `json:"id"`
	Color color     `json:"color"`
}

type row struct {
	Name *string `json:"name"`
	inner
	Total  cents      `json:"total_amount"`
	Due    *cents     `json:"total_due"`
	Count  count      `json:"count"`
	Paid   paid       `json:"paid"`
	At     time.Time  `json:"at"`
	Before *time.Time `json:"before"`
}

func TestOf(t *testing.T) {
	t.Parallel()
	type column struct {
		name     string
		of       reflect.Type
		nullable bool
	}
	var got []column
	for _, c := range columns.Of(reflect.TypeFor[row]()) {
		got = append(got, column{c.Name, c.Type, c.Nullable})
	}
	want := []column{
		{"name", reflect.TypeFor[string](), true},
		{"id", reflect.TypeFor[uuid.UUID](), false}, // of the embedded struct, in its place
		{"color", reflect.TypeFor[color](), false},
		{"total_amount", reflect.TypeFor[cents](), false},
		{"total_due", reflect.TypeFor[cents](), true},
		{"count", reflect.TypeFor[count](), false},
		{"paid", reflect.TypeFor[paid](), false},
		{"at", reflect.TypeFor[time.Time](), false},
		{"before", reflect.TypeFor[time.Time](), true},
	}
	same := cmp.Comparer(func(a, b reflect.Type) bool { return a == b })
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(column{}), same); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What is written through an address is in the row, under the type that the row has.
func TestAddresses(t *testing.T) {
	t.Parallel()
	var r row
	name, due, now := "Kévin", cents(5), time.Now()
	for i, address := range columns.Addresses(&r) {
		switch at := address.(type) {
		case **string:
			*at = &name
		case *uuid.UUID:
			*at = uuid.Max
		case *string:
			*at = "green"
		case *int64:
			*at = 29
		case **cents: // a pointer to a pointer is not of a plain type
			*at = &due
		case *int32:
			*at = 7
		case *bool:
			*at = true
		case *time.Time:
			*at = now
		case **time.Time:
			*at = &now
		default:
			t.Errorf("column %d: %T", i, at)
		}
	}
	want := row{&name, inner{uuid.Max, "green"}, 29, &due, 7, true, now, &now}
	if diff := cmp.Diff(want, r, cmp.AllowUnexported(row{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
