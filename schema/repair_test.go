package schema_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/schema"
)

// TestRepairFindsEveryVersion has the version wrong, by one that was to come next or came before, or lost.
func TestRepairFindsEveryVersion(t *testing.T) {
	t.Parallel()
	for version := range schema.Version() + 1 {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			t.Parallel()
			config := dbtest.Blank(t)
			if version > 0 {
				if err := migrator(t, config).Migrate(uint(version)); err != nil {
					t.Fatal(err)
				}
			} else if err := errors.Join(schema.Migrate(t.Context(), config), schema.Empty(t.Context(), config)); err != nil {
				t.Fatal(err)
			}
			conn, before := dbtest.Connect(t, config), dump(t, config)
			for _, claimed := range []int64{version - 1, version, version + 1, -1} {
				run(t, conn, "DELETE FROM schema_migrations")
				if claimed >= 0 {
					run(t, conn, "INSERT INTO schema_migrations VALUES ($1, true)", claimed)
				}
				if err := schema.Repair(t.Context(), config); err != nil {
					t.Fatalf("said to be %d: %v", claimed, err)
				}
				got := all[int64](t, conn, "SELECT version FROM schema_migrations WHERE NOT dirty")
				if want := []int64{version}[:min(version, 1)]; !slices.Equal(got, want) {
					t.Errorf("said to be %d, repaired to %v", claimed, got)
				}
			}
			if diff := cmp.Diff(before, dump(t, config)); diff != "" {
				t.Errorf("changed: %s", diff)
			}
			if err := schema.Migrate(t.Context(), config); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(dump(t, dbtest.Empty(t)), dump(t, config)); diff != "" {
				t.Errorf("migrated on: %s", diff)
			}
		})
	}
}

func TestRepairRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ change, want string }{
		"a lost rule":       {"ALTER TABLE contract DROP CONSTRAINT contract_not_overpaid", "constraint contract_not_overpaid is missing"},
		"a wider rule":      {"ALTER TABLE payment DROP CONSTRAINT payment_amount_positive, ADD CONSTRAINT payment_amount_positive CHECK (amount > -1)", "constraint payment_amount_positive is another"},
		"a trigger off":     {"ALTER TABLE payment DISABLE TRIGGER payment_sum", "trigger payment_sum is another"},
		"a nullable column": {"ALTER TABLE customer ALTER phone DROP NOT NULL", "column customer.phone is another"},
		"a column more":     {"ALTER TABLE customer ADD fax text", "column customer.fax is too many"},
		"a lost index":      {"DROP INDEX event_start_at", "index event_start_at is missing"},
		"another message":   {"COMMENT ON CONSTRAINT customer_pkey ON customer IS 'x'", "constraint customer_pkey is another"},
		"a lost function":   {"DROP FUNCTION search_pattern", "function search_pattern(text) is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := dbtest.Sample(t)
			conn := dbtest.Connect(t, config)
			run(t, conn, test.change)
			run(t, conn, "UPDATE schema_migrations SET dirty = true")
			rows, objects := contents(t, conn), dump(t, config)
			err := schema.Repair(t.Context(), config)
			if unknown, ok := errors.AsType[*schema.UnknownError](err); !ok || !strings.Contains(unknown.Differences, test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if diff := cmp.Diff(rows, contents(t, conn)) + cmp.Diff(objects, dump(t, config)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestRepairLeavesTheRest: what others keep in the same schema is no difference, and a good version is not looked into.
func TestRepairLeavesTheRest(t *testing.T) {
	t.Parallel()
	config := dbtest.Sample(t)
	conn := dbtest.Connect(t, config)
	run(t, conn, `CREATE TABLE report (id bigint PRIMARY KEY, contract_id uuid REFERENCES contract);
		CREATE VIEW open_contract AS SELECT * FROM contract WHERE NOT signed;
		CREATE FUNCTION ours() RETURNS int LANGUAGE sql RETURN 1;
		UPDATE schema_migrations SET dirty = true`)
	if err := schema.Repair(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	if got := one[int64](t, conn, "SELECT version FROM schema_migrations WHERE NOT dirty"); got != schema.Version() {
		t.Errorf("version %d", got)
	}
	run(t, conn, "ALTER TABLE customer ADD fax text")
	if err := schema.Repair(t.Context(), config); err != nil {
		t.Errorf("of a clean version: %v", err)
	}
}
