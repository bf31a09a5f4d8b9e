package service_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/epicevents/crm/internal/columns"
	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/service"
)

// TestDatesComeThrough writes days into a column of the type date and reads them back, by the fields of a row and by the
// addresses that a list is read by.
func TestDatesComeThrough(t *testing.T) {
	t.Parallel()
	pool := must[*pgxpool.Pool](t)(service.Connect(t.Context(), dbtest.Blank(t), 0))
	t.Cleanup(pool.Close)
	type row struct {
		Day   value.Date  `json:"day"`
		Maybe *value.Date `json:"maybe"`
	}
	if _, err := pool.Exec(t.Context(), "CREATE TABLE day (day date NOT NULL, maybe date)"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []row{{"2026-11-26", new(value.Date("2024-02-29"))}, {"1900-01-01", nil}} {
		add := func(into ...any) {
			t.Helper()
			added := pool.QueryRow(t.Context(), "INSERT INTO day VALUES ($1, $2) RETURNING day, maybe", want.Day, want.Maybe)
			if err := added.Scan(into...); err != nil {
				t.Fatal(err)
			}
		}
		var fields, addresses row
		add(&fields.Day, &fields.Maybe)
		add(columns.Addresses(&addresses)...)
		if diff := cmp.Diff([]row{want, want}, []row{fields, addresses}); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}
