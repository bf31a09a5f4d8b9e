package schema_test

import (
	"slices"
	"testing"

	"github.com/epicevents/crm/internal/dbtest"
)

// leftCommercial leaves commercial3 inactive, and in charge of the archived customer alone.
const leftCommercial = `
	UPDATE customer
	SET commercial_id = (SELECT id FROM employee WHERE username = 'commercial1')
	WHERE commercial_id = (SELECT id FROM employee WHERE username = 'commercial3')
	  AND archived_at IS NULL;
	UPDATE employee SET active = false WHERE username = 'commercial3'`

// archivedOne archives the first customer, whose events are over.
const archivedOne = `
	UPDATE contract SET cancelled_at = now(), cancel_reason = 'x' WHERE number = '2026-0011';
	UPDATE customer SET archived_at = now() WHERE id = 1`

// effects shows what each trigger does that refuses nothing. The query returns true after the statement, not before it.
type effect struct{ table, name, setup, statement, query string }

var effects = []effect{
	{table: "employee", name: "employee_sessions_end",
		setup:     `INSERT INTO session (id, employee_id) SELECT gen_random_uuid(), id FROM employee; UPDATE employee SET fullname = 'Zoé'`,
		statement: `UPDATE employee SET role = 'support' WHERE username = 'none1'`,
		query:     `SELECT array_agg(username) = '{none1}' FROM employee WHERE id NOT IN (SELECT employee_id FROM session)`},
	{table: "employee", name: "employee_sessions_end",
		setup:     `INSERT INTO session (id, employee_id) SELECT gen_random_uuid(), id FROM employee; UPDATE employee SET role = role`,
		statement: `UPDATE employee SET password_hash = '$argon2id$other' WHERE username = 'none1'`,
		query:     `SELECT array_agg(username) = '{none1}' FROM employee WHERE id NOT IN (SELECT employee_id FROM session)`},
	{table: "employee", name: "employee_sessions_end",
		setup:     `INSERT INTO session (id, employee_id) SELECT gen_random_uuid(), id FROM employee; UPDATE employee SET active = active`,
		statement: `UPDATE employee SET active = false WHERE username = 'none1'`,
		query:     `SELECT array_agg(username) = '{none1}' FROM employee WHERE id NOT IN (SELECT employee_id FROM session)`},
	{table: "employee", name: "employee_touch",
		setup:     `UPDATE employee SET last_login_at = now(), password_hash = '$argon2id$other' WHERE username = 'none1'`,
		statement: `UPDATE employee SET fullname = 'Léa' WHERE username = 'none1'`,
		query:     `SELECT array_agg(username) = '{none1}' FROM employee WHERE updated_at > now() - interval '1 hour'`},
	{table: "employee", name: "employee_touch", // the later change has the later time
		setup:     `ALTER TABLE employee DISABLE TRIGGER employee_touch; UPDATE employee SET updated_at = '2126-01-01' WHERE username = 'none1'; ALTER TABLE employee ENABLE TRIGGER employee_touch`,
		statement: `UPDATE employee SET fullname = 'Léa' WHERE username = 'none1'`,
		query:     `SELECT updated_at > '2126-01-01' FROM employee WHERE username = 'none1'`},
	{table: "employee", name: "employee_password_one_time",
		statement: `UPDATE employee SET password_one_time = true WHERE username = 'none1'`,
		query:     `SELECT array_agg(username) = '{none1}' FROM employee WHERE password_one_time_until BETWEEN now() + interval '6 days 23 hours' AND now() + interval '7 days'`},
	{table: "employee", name: "employee_password_one_time",
		setup:     `UPDATE employee SET password_one_time = true; UPDATE employee SET password_one_time_until = now() + interval '1 day'`,
		statement: `UPDATE employee SET password_hash = '$argon2id$other', password_one_time = false WHERE username = 'none1'`,
		query:     `SELECT array_agg(username) = '{none1}' FROM employee WHERE password_one_time_until IS NULL`},
	{table: "employee", name: "employee_password_one_time", // a copy keeps its end
		statement: `INSERT INTO employee (username, fullname, password_hash, password_one_time, password_one_time_until) VALUES ('copy', 'Copy', '$argon2id$', true, '2026-01-01')`,
		query:     `SELECT EXISTS (SELECT FROM employee WHERE username = 'copy' AND password_one_time_until = '2026-01-01')`},
	{table: "employee", name: "employee_administrator_turn",
		statement: `BEGIN; DELETE FROM employee WHERE username = 'nobody'`,
		query:     `SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())`},
	{table: "contract", name: "contract_number",
		statement: `INSERT INTO contract (customer_id, total_amount, created_at) VALUES (1, 1, '2026-12-31 23:30 Europe/Paris'), (1, 2, '2026-12-31 23:30 UTC'), (1, 3, '2027-06-01')`,
		query:     `SELECT array_agg(number ORDER BY number) = '{2026-0021,2027-0001,2027-0002}' FROM contract WHERE number > '2026-0020'`},
	{table: "contract", name: "contract_number", // it grows by a digit
		setup:     `UPDATE contract SET number = '2026-9999' WHERE number = '2026-0020'`,
		statement: `INSERT INTO contract (customer_id, total_amount, created_at) SELECT 1, n, '2026-12-01' FROM generate_series(1, 2) AS n`,
		query:     `SELECT array_agg(number ORDER BY number_order(number)) = '{2026-9999,2026-10000,2026-10001}' FROM contract WHERE number_order(number) > '2026-000000100'`},
	{table: "contract", name: "contract_number", // a copy keeps its number
		statement: `INSERT INTO contract (customer_id, total_amount, number) VALUES (1, 1, '1999-0007')`,
		query:     `SELECT EXISTS (SELECT FROM contract WHERE number = '1999-0007')`},
	{table: "contract", name: "contract_touch",
		setup:     `UPDATE contract SET updated_at = '2026-01-01'`,
		statement: `UPDATE contract SET signed_at = coalesce(signed_at, now())`,
		query:     `SELECT count(*) = 5 FROM contract WHERE updated_at > now() - interval '1 minute'`},
	{table: "contract", name: "contract_touch", // what is paid of it belongs to it
		setup:     `UPDATE contract SET updated_at = '2026-01-01'`,
		statement: `UPDATE payment SET voided_at = now(), voided_by = 'x', void_reason = 'x' WHERE id = 'e38a5c24-c757-4011-9154-ee45212d7bd5'`,
		query:     `SELECT array_agg(id) = '{ab0469a5-c2ba-4ff7-b9d4-9080df2db07e}' FROM contract WHERE updated_at > now() - interval '1 minute'`},
	{table: "customer", name: "customer_touch",
		statement: `UPDATE customer SET company = NULL WHERE id = 3`,
		query:     `SELECT array_agg(id) = '{3}' FROM customer WHERE updated_at > now() - interval '1 minute'`},
	{table: "customer", name: "customer_touch", // what is brought from elsewhere brings its time
		statement: `UPDATE customer SET company = NULL, updated_at = '2020-01-01' WHERE id = 3`,
		query:     `SELECT updated_at = '2020-01-01' FROM customer WHERE id = 3`},
	{table: "event", name: "event_touch",
		statement: `UPDATE event SET name = 'Fête' WHERE id = 3`,
		query:     `SELECT array_agg(id) = '{3}' FROM event WHERE updated_at > now() - interval '1 minute'`},
	{table: "event", name: "event_touch", // what is brought from elsewhere brings its time
		statement: `UPDATE event SET name = 'Fête', updated_at = '2020-01-01' WHERE id = 3`,
		query:     `SELECT updated_at = '2020-01-01' FROM event WHERE id = 3`},
	{table: "reminder", name: "reminder_touch",
		setup:     `DELETE FROM reminder; INSERT INTO reminder (due_on, for_id, event_id, text, updated_at) VALUES ('2031-01-01', 1, 1, 'Call them', '2020-01-01')`,
		statement: `UPDATE reminder SET done_at = now()`,
		query:     `SELECT updated_at > '2020-01-02' FROM reminder`},
	{table: "payment", name: "payment_lock", // a repeated payment does nothing else
		statement: `BEGIN; INSERT INTO payment SELECT * FROM payment LIMIT 1 ON CONFLICT DO NOTHING`,
		query:     `SELECT count(*) = 1 FROM contract WHERE xmax::text = pg_current_xact_id_if_assigned()::text`},
	{table: "payment", name: "payment_sum",
		statement: `INSERT INTO payment (id, contract_id, amount, recorded_by) VALUES (gen_random_uuid(), '00b6e67a-7a2a-4c2b-8180-60a7da1de808', 12345, 'commercial3')`,
		query:     `SELECT paid_amount = 12345 FROM contract WHERE id = '00b6e67a-7a2a-4c2b-8180-60a7da1de808'`},
	{table: "payment", name: "payment_sum", // what is void adds nothing
		setup: `INSERT INTO payment (id, contract_id, amount, recorded_by, voided_at, voided_by, void_reason)
		        VALUES (gen_random_uuid(), '00b6e67a-7a2a-4c2b-8180-60a7da1de808', 12345, 'commercial3', now(), 'x', 'x')`,
		statement: `INSERT INTO payment (id, contract_id, amount, recorded_by) VALUES (gen_random_uuid(), '00b6e67a-7a2a-4c2b-8180-60a7da1de808', 1, 'commercial3')`,
		query:     `SELECT paid_amount = 1 FROM contract WHERE id = '00b6e67a-7a2a-4c2b-8180-60a7da1de808'`},
	{table: "payment", name: "payment_sum",
		setup:     `ALTER TABLE payment DISABLE TRIGGER payment_stays`,
		statement: `DELETE FROM payment`,
		query:     `SELECT sum(paid_amount) = 0 FROM contract`},
	{table: "payment", name: "payment_sum_void",
		statement: `UPDATE payment SET voided_at = now(), voided_by = 'x', void_reason = 'x' WHERE voided_at IS NULL`,
		query:     `SELECT sum(paid_amount) = 0 FROM contract`},
	{table: "payment", name: "payment_sum_void", // and comes back
		setup:     `UPDATE payment SET voided_at = now(), voided_by = 'x', void_reason = 'x' WHERE voided_at IS NULL`,
		statement: `UPDATE payment SET voided_at = NULL, voided_by = NULL, void_reason = NULL WHERE contract_id = '771c41ae-3218-4492-a2a3-f5b7aae8ec3d'`,
		query:     `SELECT sum(paid_amount) = 480000 FROM contract`},
	{table: "contract", name: "contract_sold",
		statement: `UPDATE contract SET signed_at = now() WHERE number = '2026-0007'`,
		query:     `SELECT sold_by = 'commercial3' AND sold_by_id = (SELECT id FROM employee WHERE username = 'commercial3') FROM contract WHERE number = '2026-0007'`},
	{table: "contract", name: "contract_sold", // who takes the customer over has not sold it
		setup:     `UPDATE customer SET commercial_id = (SELECT id FROM employee WHERE username = 'commercial2') WHERE commercial_id = (SELECT id FROM employee WHERE username = 'commercial3')`,
		statement: `UPDATE contract SET signed_at = signed_at - interval '1 hour', total_amount = 790000 WHERE number = '2026-0017'`,
		query:     `SELECT sold_by = 'commercial3' AND total_amount = 790000 FROM contract WHERE number = '2026-0017'`},
	{table: "contract", name: "contract_sold", // nor has anybody, once it is not signed
		setup:     `DELETE FROM event`,
		statement: `UPDATE contract SET signed_at = NULL WHERE number = '2026-0009'`,
		query:     `SELECT sold_by IS NULL AND sold_by_id IS NULL FROM contract WHERE number = '2026-0009'`},
}

func TestTriggerEffects(t *testing.T) {
	t.Parallel()
	for _, effect := range slices.Concat(effects, recordings) {
		t.Run(effect.name, func(t *testing.T) {
			t.Parallel()
			conn := dbtest.Connect(t, dbtest.Sample(t))
			run(t, conn, effect.setup)
			if done := one[*bool](t, conn, effect.query); done != nil && *done {
				t.Error("there before the statement")
			}
			run(t, conn, effect.statement)
			if done := one[*bool](t, conn, effect.query); done == nil || !*done {
				t.Error("not there after the statement")
			}
		})
	}
}
