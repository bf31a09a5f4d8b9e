package schema_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/schema"
)

// differences names what differs in a database, as crm doctor does.
func differences(t *testing.T, db schema.Querier) (named []string) {
	t.Helper()
	found, err := schema.Differences(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range found {
		named = append(named, d.String())
	}
	return named
}

// TestDifferences makes one change by SQL after the other: what changes a rule is named, and what others keep is theirs.
func TestDifferences(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.Sample(t))
	for _, test := range []struct {
		change string
		want   []string
	}{
		{"SELECT", nil},
		{"ALTER TABLE contract DROP CONSTRAINT contract_not_overpaid", []string{"constraint contract_not_overpaid of contract is missing"}},
		{"ALTER TABLE payment DROP CONSTRAINT payment_amount_positive, ADD CONSTRAINT payment_amount_positive CHECK (amount > -1)",
			[]string{"constraint payment_amount_positive of payment is not as crm made it"}},
		{"ALTER TABLE payment DISABLE TRIGGER payment_sum", []string{"trigger payment_sum of payment is disabled"}},
		{"ALTER TABLE payment ENABLE REPLICA TRIGGER payment_sum", []string{"trigger payment_sum of payment is disabled"}},
		{"ALTER TABLE payment DISABLE TRIGGER ALL", []string{"constraint payment_contract_fkey of payment is disabled", "trigger payment_added of payment is disabled",
			"trigger payment_changed of payment is disabled", "trigger payment_deleted of payment is disabled", "trigger payment_lock of payment is disabled",
			"trigger payment_received of payment is disabled", "trigger payment_stays of payment is disabled", "trigger payment_stays_as_it_is of payment is disabled",
			"trigger payment_sum of payment is disabled", "trigger payment_sum_void of payment is disabled"}},
		{"DROP TRIGGER payment_lock ON payment", []string{"trigger payment_lock of payment is missing"}},
		{"ALTER TABLE customer ALTER fullname DROP NOT NULL", []string{"column fullname of customer is not as crm made it"}},
		{"ALTER TABLE customer ALTER updated_at DROP DEFAULT", []string{"column updated_at of customer is not as crm made it"}},
		{"ALTER TABLE customer ADD fax text", []string{"column fax of customer is not crm's"}},
		{"ALTER TABLE customer ADD UNIQUE (email)", []string{"constraint customer_email_key of customer is not crm's"}},
		{"CREATE UNIQUE INDEX one_phone ON customer (phone)", []string{"unique index one_phone of customer is not crm's"}},
		{"DROP INDEX event_start_at", []string{"index event_start_at of event is missing"}},
		{"COMMENT ON CONSTRAINT customer_pkey ON customer IS 'x'", []string{"constraint customer_pkey of customer has not the comment that crm gave it"}},
		{"COMMENT ON TABLE customer IS NULL", []string{"table customer has not the comment that crm gave it"}},
		{"DROP FUNCTION search_pattern", []string{"function search_pattern(text) is missing"}},
		{"CREATE OR REPLACE FUNCTION payment_lock() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'", []string{"function payment_lock() is not as crm made it"}},
		{"ALTER FUNCTION payment_lock() SECURITY DEFINER", []string{"function payment_lock() is not as crm made it"}},
		{"CREATE RULE none AS ON DELETE TO payment DO INSTEAD NOTHING", []string{"rule none of payment is not crm's"}},
		{"CREATE POLICY none ON payment USING (false)", []string{"policy none of payment is not crm's"}},
		{"ALTER TABLE payment ENABLE ROW LEVEL SECURITY", []string{"table payment is not as crm made it"}},
		{"ALTER TABLE payment SET UNLOGGED", []string{"table payment is not as crm made it"}},
		{"CREATE TABLE more () INHERITS (payment)", []string{"child table more of payment is not crm's"}},
		{"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; CREATE TRIGGER t BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION f()",
			[]string{"trigger t of event is not crm's"}},
		{"CREATE OR REPLACE VIEW employee_view AS SELECT id, username, password_hash AS fullname, role, active, last_login_at, password_one_time, last_login_at AS locked_until, updated_at FROM employee", []string{"view employee_view is not as crm made it"}},
		{"DROP VIEW event_view", []string{"view event_view is missing"}},
		{"DROP TABLE event CASCADE", []string{"view change_line is missing", "view change_view is missing", "table event is missing", "function event_at(timestamp with time zone) is missing",
			"view event_calendar is missing", "view event_clash is missing", "function event_import_given(import_options) is missing", "function event_import_refused(import_options) is missing",
			"function event_import_write(import_options, bigint, bigint) is missing", "view event_view is missing", "function history_ids(text, uuid) is missing",
			"constraint note_event_fkey of note is missing", "view note_view is missing", "constraint reminder_event_fkey of reminder is missing", "view reminder_view is missing", "view work_item is missing"}},
		{"ALTER TYPE role ADD VALUE 'guest'", []string{"type role is not as crm made it"}},
		{"ALTER SEQUENCE customer_id_seq INCREMENT 2", []string{"sequence customer_id_seq of customer is not as crm made it"}},
		{`CREATE TABLE report (id bigint PRIMARY KEY, contract_id uuid REFERENCES contract); CREATE INDEX ours ON contract (customer_id, signed);
			CREATE VIEW open_contract AS SELECT * FROM contract WHERE NOT signed; CREATE FUNCTION ours() RETURNS int LANGUAGE sql RETURN 1;
			CREATE STATISTICS ours ON customer_id, signed FROM contract; GRANT SELECT ON customer TO public; CREATE SEQUENCE ours2`, nil},
	} {
		tx, err := conn.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), test.change); err != nil {
			t.Fatalf("%s: %v", test.change, err)
		}
		if diff := cmp.Diff(test.want, differences(t, tx)); diff != "" {
			t.Errorf("%s: %s", test.change, diff)
		}
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDifferencesElsewhere: the name of crm's schema, and where the extension is, are no difference.
func TestDifferencesElsewhere(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"crm", "contract", `"My ""crm"`, "a"} {
		config := dbtest.Blank(t)
		run(t, dbtest.Connect(t, config), `CREATE SCHEMA extensions; CREATE EXTENSION pg_trgm SCHEMA extensions; CREATE SCHEMA `+name)
		config.RuntimeParams["search_path"] = name + ", extensions"
		if err := schema.Migrate(t.Context(), config); err != nil {
			t.Fatal(err)
		}
		conn := dbtest.Connect(t, config)
		if got := differences(t, conn); got != nil {
			t.Errorf("%s: %q", name, got)
		}
		run(t, conn, "DROP INDEX event_search")
		if diff := cmp.Diff([]string{"index event_search of event is missing"}, differences(t, conn)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestDifferencesOfOne(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.Empty(t))
	run(t, conn, "ALTER TABLE event DROP CONSTRAINT event_attendees_positive; ALTER TABLE event ADD CONSTRAINT event_attendees_positive CHECK (attendees >= 0) NOT VALID")
	found, err := schema.Differences(t.Context(), conn)
	want := []schema.Difference{{Kind: "constraint", Owner: "event", Name: "event_attendees_positive", Off: true, Detail: "this constraint was not validated"}}
	if diff := cmp.Diff(want, found); err != nil || diff != "" {
		t.Error(errors.Join(err), diff)
	}
}
