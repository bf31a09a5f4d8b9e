package schema_test

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/schema"
)

var update = flag.Bool("update", false, "write catalogue.txt anew")

// dump describes the database, to compare it with another.
func dump(t *testing.T, config *pgx.ConnConfig) string {
	t.Helper()
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context()) // a test dumps each version
	return dumpOn(t, conn)
}

// dumpOn is dump on a connection that is there.
func dumpOn(t *testing.T, conn *pgx.Conn) string {
	t.Helper()
	text, err := schema.Dump(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestCatalogueIsCurrent: the file describes what the migrations make, on each version of PostgreSQL alike.
func TestCatalogueIsCurrent(t *testing.T) {
	t.Parallel()
	config := dbtest.Blank(t)
	m, conn := migrator(t, config), dbtest.Connect(t, config)
	text, err := schema.CatalogueFile(t.Context(), func(yield func(schema.Querier) bool) {
		for range schema.Version() {
			if err := m.Steps(1); err != nil {
				t.Fatal(err)
			}
			if !yield(conn) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	const name = "catalogue.txt"
	if *update {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	is, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(is), text); diff != "" {
		t.Errorf("make gen writes it anew: %s", diff)
	}
}
