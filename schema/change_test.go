package schema_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/epicevents/crm/internal/dbtest"
)

// recordings are the effects of the triggers that write the history.
var recordings = []effect{
	{table: "employee", name: "employee_added",
		statement: `INSERT INTO employee (username, fullname, password_hash) VALUES ('lea', 'Léa', '$argon2id$')`,
		query:     lastChange + `before IS NULL AND after = '{"username": "lea", "fullname": "Léa", "role": "none", "active": true, "password_one_time": false}'`},
	{table: "employee", name: "employee_changed",
		statement: `UPDATE employee SET fullname = 'Léa', password_hash = '$argon2id$other' WHERE username = 'none1'`,
		query:     lastChange + `before = '{"fullname": "Inès Kléber"}' AND after = '{"fullname": "Léa"}'`},
	{table: "employee", name: "employee_deleted",
		statement: `DELETE FROM employee WHERE username = 'none1'`,
		query:     lastChange + `before ->> 'username' = 'none1' AND NOT before ? 'password_hash' AND after IS NULL`},
	{table: "customer", name: "customer_added",
		statement: `INSERT INTO customer (fullname, commercial_id, email) SELECT 'Zoé', commercial_id, 'zoe@example.fr' FROM customer WHERE id = 1`,
		query:     lastChange + `before IS NULL AND after ->> 'email' = 'zoe@example.fr' AND NOT after ?| '{search,company,updated_at}'`},
	{table: "customer", name: "customer_changed",
		statement: `UPDATE customer SET company = NULL, updated_at = now() WHERE id = 3`,
		query:     lastChange + `resource_id = '3' AND before - 'company' = '{}' AND after = '{"company": null}'`},
	{table: "customer", name: "customer_deleted",
		setup:     `INSERT INTO customer (fullname, commercial_id, email) SELECT 'Zoé', commercial_id, 'zoe@example.fr' FROM customer WHERE id = 1`,
		statement: `DELETE FROM customer WHERE fullname = 'Zoé'`,
		query:     lastChange + `before ->> 'email' = 'zoe@example.fr' AND after IS NULL`},
	{table: "contract", name: "contract_added",
		statement: `INSERT INTO contract (customer_id, total_amount, created_at) VALUES (1, 12345, '2026-12-01')`,
		query:     lastChange + `after ->> 'number' = '2026-0021' AND after ->> 'total_amount' = '12345' AND NOT after ?| '{signed,status,paid_amount}'`},
	{table: "contract", name: "contract_changed",
		statement: `UPDATE contract SET signed_at = '2026-10-01 12:00 UTC' WHERE number = '2026-0001'`,
		query:     lastChange + `(after ->> 'signed_at')::timestamptz = '2026-10-01 12:00 UTC' AND NOT after ?| '{signed,status,updated_at}'`},
	{table: "contract", name: "contract_deleted",
		setup:     `INSERT INTO contract (customer_id, total_amount) VALUES (1, 12345)`,
		statement: `DELETE FROM contract WHERE total_amount = 12345`,
		query:     lastChange + `before ->> 'total_amount' = '12345' AND after IS NULL`},
	{table: "payment", name: "payment_added",
		statement: `INSERT INTO payment (id, contract_id, amount, recorded_by) VALUES (gen_random_uuid(), '00b6e67a-7a2a-4c2b-8180-60a7da1de808', 12345, 'commercial3')`,
		query:     lastChange + `resource = 'payment' AND after ->> 'amount' = '12345'`},
	{table: "payment", name: "payment_changed",
		statement: `UPDATE payment SET voided_at = now(), voided_by = 'other', void_reason = 'x' WHERE id = 'e38a5c24-c757-4011-9154-ee45212d7bd5'`,
		query:     lastChange + `resource_id = 'e38a5c24-c757-4011-9154-ee45212d7bd5' AND after - 'voided_at' = '{"voided_by": "other", "void_reason": "x"}'`},
	{table: "payment", name: "payment_deleted",
		setup:     `ALTER TABLE payment DISABLE TRIGGER payment_stays`,
		statement: `DELETE FROM payment WHERE id = 'e38a5c24-c757-4011-9154-ee45212d7bd5'`,
		query:     lastChange + `resource_id = 'e38a5c24-c757-4011-9154-ee45212d7bd5' AND after IS NULL`},
	{table: "note", name: "note_added", statement: aNote,
		query: lastChange + `resource = 'note' AND after ->> 'text' = 'They called' AND after ->> 'event_id' = '1' AND NOT after ? 'search'`},
	{table: "note", name: "note_changed",
		setup:     `INSERT INTO note (by, customer_id, text) VALUES ('commercial1', 1, 'They called')`,
		statement: `UPDATE note SET customer_id = 2`, // as where two customers become one
		query:     lastChange + `before = '{"customer_id": 1}' AND after = '{"customer_id": 2}'`},
	{table: "note", name: "note_deleted", setup: aNote + `; ALTER TABLE note DISABLE TRIGGER note_stays`, statement: `DELETE FROM note`,
		query: lastChange + `resource = 'note' AND before ->> 'by' = 'commercial1' AND after IS NULL`},
	{table: "reminder", name: "reminder_added", statement: aReminder,
		query: lastChange + `resource = 'reminder' AND after ->> 'due_on' = '2031-01-01' AND NOT after ? 'updated_at'`},
	{table: "reminder", name: "reminder_changed", setup: aReminder, statement: `UPDATE reminder SET done_at = now()`,
		query: lastChange + `before = '{"done_at": null}' AND after ? 'done_at'`},
	{table: "reminder", name: "reminder_deleted", setup: aReminder, statement: `DELETE FROM reminder`,
		query: lastChange + `resource = 'reminder' AND after IS NULL`},
	{table: "event", name: "event_added",
		statement: `INSERT INTO event (name, contract_id) SELECT 'Fête', contract_id FROM event WHERE id = 1`,
		query:     lastChange + `before IS NULL AND after ->> 'name' = 'Fête'`},
	{table: "event", name: "event_changed",
		statement: `UPDATE event SET attendees = 7 WHERE id = 3`,
		query:     lastChange + `resource_id = '3' AND before ? 'attendees' AND after = '{"attendees": 7}'`},
	{table: "event", name: "event_deleted",
		statement: `DELETE FROM event WHERE id = 3`,
		query:     lastChange + `resource_id = '3' AND after IS NULL`},
}

const lastChange = `SELECT bool_and(good) FROM (SELECT change.*, id = max(id) OVER () AS last FROM change) AS change, LATERAL (SELECT `

func init() {
	for i, each := range recordings {
		condition := strings.TrimPrefix(each.query, lastChange)
		recordings[i].query = lastChange + condition + ` AS good) AS it WHERE last`
	}
}

// TestHistoryIsOfEveryTable walks the catalogue: each table of a resource has the three triggers, and each of its columns
// is in the history or in the list of those that are left out, which names no other.
func TestHistoryIsOfEveryTable(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.Sample(t))
	// Who is logged in and who failed to is no resource, nor are the version and the history itself.
	resources := all[string](t, conn, `
		SELECT relname::text
		FROM pg_class
		WHERE relnamespace = 'public'::regnamespace
		  AND relkind = 'r'
		  AND relpersistence = 'p' -- what is on its way in waits in the others
		  AND relname NOT IN ('session', 'login_failure', 'schema_migrations', 'change')
		ORDER BY 1`)
	if len(resources) < 5 {
		t.Fatal(resources)
	}
	run(t, conn, aNote+"; "+aReminder)
	left := map[string]bool{}
	for _, column := range one[[]string](t, conn, "SELECT unrecorded_columns()") {
		left[column] = true
	}
	known := map[string]bool{}
	for _, resource := range resources {
		var want []string
		for _, kind := range []string{"added", "changed", "deleted"} {
			want = append(want, resource+"_"+kind)
		}
		got := all[string](t, conn, `
			SELECT tgname::text
			FROM pg_trigger
			WHERE tgrelid = $1::text::regclass
			  AND tgfoid = 'record_change'::regproc
			  AND tgenabled = 'O'
			  AND tgtype & 1 = 0
			ORDER BY 1`, resource)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", resource, diff)
		}
		// A row whose every field changes shows which the history has.
		var before, after map[string]any
		row := one[string](t, conn, `SELECT to_jsonb(r)::text FROM `+resource+` AS r LIMIT 1`)
		if err := json.Unmarshal([]byte(row), &before); err != nil {
			t.Fatal(err)
		}
		id := one[string](t, conn, `SELECT id::text FROM `+resource+` LIMIT 1`)
		if err := json.Unmarshal([]byte(one[string](t, conn, `
			SELECT jsonb_object_agg(attname, 0)::text
			FROM change, jsonb_each(after) AS field(attname, value)
			WHERE resource = $1 AND resource_id = $2 AND before IS NULL`, resource, id)), &after); err != nil {
			t.Fatal(err)
		}
		for column, content := range before {
			known[column] = true
			if _, recorded := after[column]; recorded == left[column] && content != nil {
				t.Errorf("%s.%s is recorded: %t", resource, column, recorded)
			}
		}
	}
	for column := range left {
		if !known[column] {
			t.Errorf("unrecorded_columns names %s, which is no column", column)
		}
	}
}

// TestSQLIsRecordedAsItsUser: whoever changes something by SQL alone is named all the same, and all of their transaction is one batch.
func TestSQLIsRecordedAsItsUser(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.Sample(t))
	user := one[string](t, conn, "SELECT session_user::text")
	run(t, conn, `DELETE FROM change; BEGIN; UPDATE customer SET company = 'One' WHERE id = 1; UPDATE event SET attendees = 7 WHERE id = 1; COMMIT;`)
	run(t, conn, `UPDATE customer SET company = 'Two' WHERE id = 1`)
	run(t, conn, `UPDATE customer SET company = 'Two' WHERE id = 1`) // no change
	got := all[string](t, conn, `
		SELECT concat_ws(' ', by, by_id, command, resource, dense_rank() OVER (ORDER BY batch_began))
		FROM (SELECT *, min(id) OVER (PARTITION BY batch) AS batch_began FROM change) AS change
		ORDER BY id`)
	want := []string{"customer 1", "event 1", "customer 2"}
	for i := range want {
		want[i] = "sql:" + user + " " + want[i]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestManyRowsAreOneStatement: many rows of a statement are written down by one.
func TestManyRowsAreOneStatement(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.Sample(t))
	run(t, conn, `
		DELETE FROM change;
		INSERT INTO customer (fullname, commercial_id, email) SELECT 'Zoé ' || n, commercial_id, 'zoe@example.fr' FROM customer, generate_series(1, 1000) AS n WHERE id = 1;
		UPDATE customer SET company = 'Zed' WHERE fullname LIKE 'Zoé _%' AND email = 'zoe@example.fr' AND id % 2 = 0`)
	if got := all[string](t, conn, `
		SELECT concat_ws(' ', count(*), count(DISTINCT xid), count(DISTINCT at), count(before), count(after)) FROM change GROUP BY before IS NULL ORDER BY 1`); !slices.Equal(got,
		[]string{"1000 1 1 0 1000", "500 1 1 500 500"}) {
		t.Error(got)
	}
}
