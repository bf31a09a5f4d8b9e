package schema_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/schema"
)

// TestEmptyDamaged: whatever somebody did to the schema, it is dropped and can be made anew, and what others made stays.
func TestEmptyDamaged(t *testing.T) {
	t.Parallel()
	want := dump(t, dbtest.Empty(t))
	for name, damage := range map[string]string{
		"nothing":              "",
		"a trigger":            "DROP TRIGGER payment_sum ON payment",
		"a constraint":         "ALTER TABLE customer DROP CONSTRAINT customer_email_shape",
		"an index":             "DROP INDEX customer_search",
		"a view":               "DROP VIEW event_view",
		"a table":              "DROP TABLE event CASCADE",
		"a column":             "ALTER TABLE customer DROP COLUMN phone CASCADE",
		"a function":           "DROP FUNCTION fold(text) CASCADE",
		"a type":               "DROP TYPE role CASCADE",
		"the version":          "DELETE FROM schema_migrations",
		"the version's table":  "DROP TABLE schema_migrations",
		"another version":      "UPDATE schema_migrations SET version = 3",
		"a function of theirs": "CREATE OR REPLACE FUNCTION payment_lock() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
		"nearly everything":    "DROP TABLE event, payment, contract, session, login_failure CASCADE; DROP VIEW customer_view; DROP FUNCTION require_version(bigint)",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := dbtest.Sample(t)
			conn := dbtest.Connect(t, config)
			run(t, conn, "CREATE SCHEMA theirs; CREATE TABLE theirs.customer (n int); INSERT INTO theirs.customer VALUES (1); "+damage)
			if err := schema.Empty(t.Context(), config); err != nil {
				t.Fatal(err)
			}
			if err := schema.Migrate(t.Context(), config); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, dump(t, config)); diff != "" {
				t.Error(diff)
			}
			if n := one[int](t, conn, "SELECT (SELECT count(*) FROM theirs.customer) + 10 * (SELECT count(*) FROM customer)"); n != 1 {
				t.Errorf("%d: what was theirs is gone, or what was crm's is not", n)
			}
		})
	}
}

// TestEmptyRefuses and then has changed nothing.
func TestEmptyRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		before  string
		refused func(error) bool
	}{
		"a view of theirs": {"CREATE VIEW theirs AS SELECT fullname FROM customer", func(err error) bool {
			answer, ok := errors.AsType[*pgconn.PgError](err)
			return ok && answer.Code == "2BP01"
		}},
		"a newer version": {"UPDATE schema_migrations SET version = 999", func(err error) bool { return errors.Is(err, schema.ErrVersion) }},
		"half a version":  {"UPDATE schema_migrations SET dirty = true", func(err error) bool { return errors.Is(err, schema.ErrVersion) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := dbtest.Sample(t)
			conn := dbtest.Connect(t, config)
			run(t, conn, test.before)
			before := lastingly(t, conn)
			if err := schema.Empty(t.Context(), config); !test.refused(err) {
				t.Errorf("%v", err)
			}
			if diff := cmp.Diff(before, lastingly(t, conn)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
