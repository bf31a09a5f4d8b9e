package schema_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/epicevents/crm/internal/dbtest"
)

const (
	primaryOrUnique = "23505"
	foreignKey      = "23503"
	check           = "23514"
	exclusion       = "23P01"
	byTrigger       = "23000"
)

const token = `INSERT INTO session (id, employee_id, name, secret_hash) SELECT gen_random_uuid(), made.* FROM (`

// unlocked lets a payment be changed, which is refused first.
const unlocked = "ALTER TABLE payment DISABLE TRIGGER payment_stays_as_it_is"

const (
	aNote     = `INSERT INTO note (by, event_id, text) VALUES ('commercial1', 1, 'They called')`
	aReminder = `INSERT INTO reminder (due_on, for_id, event_id, text) VALUES ('2031-01-01', 1, 1, 'Call them')`
)

// rules breaks every constraint, and every trigger that refuses, on the sample data.
var rules = []struct {
	table, name string
	code        string
	setup       string
	statement   string
	message     string // if it is not the comment as it stands
}{
	{table: "schema_migrations", name: "schema_migrations_pkey", code: primaryOrUnique,
		statement: `INSERT INTO schema_migrations SELECT * FROM schema_migrations`},

	{table: "change", name: "change_pkey", code: primaryOrUnique,
		statement: `INSERT INTO change OVERRIDING SYSTEM VALUE SELECT * FROM change`},
	{table: "change", name: "change_of_something", code: check,
		statement: `UPDATE change SET before = NULL, after = NULL`},
	{table: "change", name: "change_reason_line", code: check, statement: `UPDATE change SET reason = ' '`},

	{table: "employee", name: "employee_pkey", code: primaryOrUnique,
		statement: `INSERT INTO employee (id, username, fullname, password_hash) OVERRIDING SYSTEM VALUE SELECT id, 'other', fullname, password_hash FROM employee WHERE username = 'none1'`},
	{table: "employee", name: "employee_username_key", code: primaryOrUnique,
		statement: `INSERT INTO employee (username, fullname, password_hash) SELECT username, fullname, password_hash FROM employee WHERE username = 'none1'`},
	{table: "employee", name: "employee_id_role_key", code: primaryOrUnique,
		setup:     `ALTER TABLE employee DROP CONSTRAINT employee_pkey CASCADE`, // it is found first
		statement: `INSERT INTO employee (id, username, fullname, password_hash) OVERRIDING SYSTEM VALUE SELECT id, 'other', fullname, password_hash FROM employee WHERE username = 'none1'`},
	{table: "employee", name: "employee_id_active_key", code: primaryOrUnique,
		setup:     `ALTER TABLE employee DROP CONSTRAINT employee_pkey CASCADE, DROP CONSTRAINT employee_id_role_key CASCADE`,
		statement: `INSERT INTO employee (id, username, fullname, password_hash) OVERRIDING SYSTEM VALUE SELECT id, 'other', fullname, password_hash FROM employee WHERE username = 'none1'`},
	{table: "employee", name: "employee_administrator_active", code: byTrigger,
		statement: `UPDATE employee SET active = false WHERE role = 'administrator'`},
	{table: "employee", name: "employee_administrator_active", code: byTrigger,
		setup:     `UPDATE employee SET role = 'none' WHERE username = 'administrator2'; UPDATE employee SET active = false WHERE username = 'administrator3'`,
		statement: `UPDATE employee SET active = false WHERE username = 'administrator1'`},
	{table: "employee", name: "employee_administrator_remains", code: byTrigger, // those who are inactive do not count
		setup:     `UPDATE employee SET active = false WHERE username IN ('administrator2', 'administrator3')`,
		statement: `UPDATE employee SET role = 'none' WHERE username = 'administrator1'`},
	{table: "employee", name: "employee_administrator_stays", code: byTrigger,
		setup:     `UPDATE employee SET active = false WHERE username IN ('administrator2', 'administrator3')`,
		statement: `DELETE FROM employee WHERE username = 'administrator1'`},
	{table: "employee", name: "employee_leaves", code: byTrigger,
		statement: `UPDATE employee SET active = false WHERE username = 'commercial1'`,
		message:   `Hand over first what is in the charge of this employee: 4 customers (crm employee handover).`},
	{table: "employee", name: "employee_leaves", code: byTrigger,
		statement: `UPDATE employee SET active = false WHERE username = 'support2'`,
		message:   `Hand over first what is in the charge of this employee: 1 event to come (crm employee handover).`},
	{table: "employee", name: "employee_in_charge_role", code: byTrigger,
		setup:     `UPDATE customer SET commercial_id = (SELECT id FROM employee WHERE username = 'commercial1') WHERE commercial_id = (SELECT id FROM employee WHERE username = 'commercial3') AND archived_at IS NULL`,
		statement: `UPDATE employee SET role = 'none' WHERE username = 'commercial3'`,
		message:   `Replace this employee first: in charge of 1 customer, who is archived (crm customer set-commercial).`},
	{table: "employee", name: "employee_as_expected", code: byTrigger,
		statement: `UPDATE employee SET fullname = 'Léa' WHERE username = 'none1' AND expects('employee', id::text, '{"shown": {"username": "none1", "fullname": "Inès"}}')`,
		message:   `Somebody else was faster, and nothing was changed: fullname was Inès and is Inès Kléber now, by sql:owner (SQL).`},
	{table: "employee", name: "employee_username_shape", code: check,
		statement: `UPDATE employee SET username = 'a' WHERE username = 'none1'`},
	{table: "employee", name: "employee_username_shape", code: check,
		statement: `UPDATE employee SET username = repeat('a', 31) WHERE username = 'none1'`},
	{table: "employee", name: "employee_username_shape", code: check,
		statement: `UPDATE employee SET username = 'None1' WHERE username = 'none1'`},
	{table: "employee", name: "employee_username_shape", code: check,
		statement: `UPDATE employee SET username = 'inès' WHERE username = 'none1'`},
	{table: "employee", name: "employee_username_shape", code: check,
		statement: `UPDATE employee SET username = '.none' WHERE username = 'none1'`},
	{table: "employee", name: "employee_username_shape", code: check,
		statement: `UPDATE employee SET username = E'none1\n' WHERE username = 'none1'`},
	{table: "employee", name: "employee_fullname_line", code: check,
		statement: `UPDATE employee SET fullname = '' WHERE username = 'none1'`},
	{table: "employee", name: "employee_password_hash_argon2id", code: check,
		statement: `UPDATE employee SET password_hash = 'epic-events-sample' WHERE username = 'none1'`},
	{table: "employee", name: "employee_administrator_remains", code: byTrigger,
		statement: `UPDATE employee SET role = 'none' WHERE role = 'administrator'`},
	{table: "employee", name: "employee_administrator_remains", code: byTrigger,
		setup:     `DELETE FROM employee WHERE username IN ('administrator2', 'administrator3')`,
		statement: `UPDATE employee SET role = 'commercial' WHERE username = 'administrator1'`},
	{table: "employee", name: "employee_administrator_stays", code: byTrigger,
		statement: `DELETE FROM employee WHERE role = 'administrator'`},
	{table: "employee", name: "employee_administrator_stays", code: byTrigger,
		setup:     `UPDATE employee SET role = 'none' WHERE username IN ('administrator2', 'administrator3')`,
		statement: `DELETE FROM employee WHERE username = 'administrator1'`},
	{table: "employee", name: "employee_in_charge", code: byTrigger,
		statement: `DELETE FROM employee WHERE username = 'commercial1'`,
		message:   `Replace this employee first: in charge of 4 customers (crm customer set-commercial).`},
	{table: "employee", name: "employee_in_charge", code: byTrigger,
		setup:     `DELETE FROM event WHERE name <> 'Soirée fado'`,
		statement: `DELETE FROM employee WHERE username = 'support1'`,
		message:   `Replace this employee first: in charge of 1 event (crm event set-support).`},
	{table: "employee", name: "employee_in_charge_role", code: byTrigger,
		statement: `UPDATE employee SET role = 'none' WHERE username = 'support1'`,
		message:   `Replace this employee first: in charge of 4 events (crm event set-support).`},
	{table: "employee", name: "employee_in_charge_role", code: byTrigger,
		setup: `UPDATE customer SET commercial_id = (SELECT id FROM employee WHERE username = 'commercial2')
		        WHERE commercial_id = (SELECT id FROM employee WHERE username = 'commercial1') AND company <> 'Marsh & Fils'`,
		statement: `UPDATE employee SET role = 'support' WHERE username = 'commercial1'`,
		message:   `Replace this employee first: in charge of 1 customer (crm customer set-commercial).`},

	{table: "employee", name: "employee_username_letter_add", code: byTrigger,
		statement: `INSERT INTO employee (username, fullname, role, password_hash) SELECT '10', fullname, role, password_hash FROM employee LIMIT 1`},
	{table: "employee", name: "employee_username_letter", code: byTrigger,
		statement: `UPDATE employee SET username = '4711.0-_' WHERE username = 'support1'`},
	{table: "session", name: "session_name_plain", code: byTrigger,
		statement: `INSERT INTO session (id, employee_id, name, secret_hash) SELECT gen_random_uuid(), id, 'a$(id>x)b', sha256('x') FROM employee LIMIT 1`},
	{table: "session", name: "session_name_plain", code: byTrigger,
		statement: `INSERT INTO session (id, employee_id, name, secret_hash) SELECT gen_random_uuid(), id, 'it''s', sha256('x') FROM employee LIMIT 1`},

	{table: "session", name: "session_pkey", code: primaryOrUnique,
		setup:     `INSERT INTO session (id, employee_id) SELECT gen_random_uuid(), id FROM employee WHERE username = 'none1'`,
		statement: `INSERT INTO session SELECT * FROM session`},
	{table: "session", name: "session_employee_fkey", code: foreignKey,
		statement: `INSERT INTO session (id, employee_id) VALUES (gen_random_uuid(), 0)`},
	{table: "session", name: "session_name_line", code: check,
		statement: token + `SELECT id, E'a\nb', sha256('') FROM employee) AS made`},
	{table: "session", name: "session_name_key", code: primaryOrUnique,
		setup:     token + `SELECT id, 'nightly', sha256('') FROM employee) AS made`,
		statement: token + `SELECT id, 'nightly', sha256('x') FROM employee) AS made`},
	{table: "session", name: "session_token_has_secret", code: check,
		statement: token + `SELECT id, 'nightly', NULL::bytea FROM employee) AS made`},
	{table: "session", name: "session_token_has_secret", code: check,
		statement: token + `SELECT id, NULL, sha256('') FROM employee) AS made`},
	{table: "session", name: "session_secret_hash_sha256", code: check,
		statement: token + `SELECT id, 'nightly', 'the secret itself'::bytea FROM employee) AS made`},
	{table: "session", name: "session_calendar_reads", code: check,
		statement: "INSERT INTO session (id, employee_id, name, secret_hash, calendar) SELECT gen_random_uuid(), id, 'phone', sha256(''), true FROM employee"},
	{table: "session", name: "session_read_only_token", code: check,
		setup:     `INSERT INTO session (id, employee_id) SELECT gen_random_uuid(), id FROM employee`,
		statement: `UPDATE session SET read_only = true`},
	{table: "session", name: "session_within_a_year", code: check,
		statement: `INSERT INTO session (id, employee_id, expires_at) SELECT gen_random_uuid(), id, now() + interval '367 days' FROM employee`},
	{table: "session", name: "session_idle_positive", code: check,
		statement: `INSERT INTO session (id, employee_id, idle) SELECT gen_random_uuid(), min(id), interval '59 seconds' FROM employee`},
	{table: "session", name: "session_ends_after_start", code: check,
		statement: `INSERT INTO session (id, employee_id, expires_at) SELECT gen_random_uuid(), id, now() FROM employee`},
	{table: "login_failure", name: "login_failure_pkey", code: primaryOrUnique,
		setup:     `INSERT INTO login_failure (username, peer, failures, retry_at) VALUES ('nobody', '', 1, now())`,
		statement: `INSERT INTO login_failure (username, peer, failures, retry_at) VALUES ('nobody', '', 2, now())`},
	{table: "login_failure", name: "login_failure_failures_positive", code: check,
		statement: `INSERT INTO login_failure (username, peer, failures, retry_at) VALUES ('nobody', '', 0, now())`},
	{table: "login_failure", name: "login_failure_peer_length", code: check,
		statement: `INSERT INTO login_failure (username, peer, failures, retry_at) VALUES ('nobody', repeat('é', 256), 1, now())`},

	{table: "customer", name: "customer_pkey", code: primaryOrUnique,
		statement: `INSERT INTO customer (id, fullname, company, commercial_id, email, phone) OVERRIDING SYSTEM VALUE SELECT id, fullname, company, commercial_id, email, phone FROM customer`},
	{table: "customer", name: "customer_commercial_fkey", code: foreignKey,
		statement: `UPDATE customer SET commercial_id = (SELECT id FROM employee WHERE username = 'support1')`},
	{table: "customer", name: "customer_commercial_fkey", code: foreignKey,
		statement: `INSERT INTO customer (fullname, company, commercial_id, email, phone) VALUES ('Jo', 'Jo', 0, 'jo@example.fr', '+33612345678')`},
	{table: "customer", name: "customer_commercial_fkey", code: foreignKey,
		setup:     `ALTER TABLE employee DISABLE TRIGGER employee_in_charge_role`, // it answers first, with figures
		statement: `UPDATE employee SET role = 'none' WHERE username = 'commercial1'`},
	{table: "customer", name: "customer_id_active_key", code: primaryOrUnique,
		setup:     `ALTER TABLE customer DROP CONSTRAINT customer_pkey CASCADE`,
		statement: `INSERT INTO customer (id, fullname, company, commercial_id, email, phone) OVERRIDING SYSTEM VALUE SELECT id, fullname, company, commercial_id, email, phone FROM customer WHERE archived_at IS NULL`},
	{table: "customer", name: "customer_commercial_active_fkey", code: foreignKey,
		setup:     leftCommercial,
		statement: `INSERT INTO customer (fullname, company, commercial_id, email, phone) SELECT 'Jo', 'Jo', id, 'jo@example.fr', '+33612345678' FROM employee WHERE username = 'commercial3'`},
	{table: "customer", name: "customer_commercial_active_fkey", code: foreignKey, // who is archived may stay with who left
		setup:     leftCommercial,
		statement: `UPDATE customer SET archived_at = NULL WHERE id = 14`},
	{table: "customer", name: "customer_commercial_active_fkey", code: foreignKey,
		setup:     `ALTER TABLE employee DISABLE TRIGGER employee_leaves`, // it answers first, with figures
		statement: `UPDATE employee SET active = false WHERE username = 'commercial1'`},
	{table: "customer", name: "customer_as_expected", code: byTrigger,
		statement: `UPDATE customer SET company = 'Other' WHERE id = 7 AND expects('customer', id::text, '{"shown": {"company": "Voiles", "fullname": "Rémi Quéré", "phone": "+33298334455"}}')`,
		message:   `Somebody else was faster, and nothing was changed: company was Voiles and is - now, by sql:owner (SQL).`},
	{table: "customer", name: "customer_as_expected", code: byTrigger,
		statement: `UPDATE customer SET company = 'Other' WHERE id = 7 AND expects('customer', id::text, '{"unchanged_since": "2026-01-08 09:59:59 Europe/Paris"}')`,
		message:   `Somebody else was faster, and nothing was changed: it was changed at 2026-01-08T09:00:00+00:00, by sql:owner (SQL).`},
	{table: "customer", name: "customer_in_business", code: byTrigger,
		statement: `UPDATE customer SET archived_at = now() WHERE id = 3`,
		message:   `Settle first what is open of this customer: 2 contracts that are not signed or not paid (crm contract list --customer-id 3).`},
	{table: "customer", name: "customer_in_business", code: byTrigger,
		setup:     `UPDATE event SET start_at = now() + interval '1 day', end_at = NULL WHERE id = 1; UPDATE contract SET cancelled_at = now(), cancel_reason = 'x' WHERE number = '2026-0011'`,
		statement: `UPDATE customer SET archived_at = now() WHERE id = 1`,
		message:   `Settle first what is open of this customer: 1 event to come (crm event list --customer-id 1).`},
	{table: "customer", name: "customer_fullname_line", code: check, statement: `UPDATE customer SET fullname = ' '`},
	{table: "customer", name: "customer_company_line", code: check, statement: `UPDATE customer SET company = E'Two\nlines'`},
	{table: "customer", name: "customer_email_shape", code: check, statement: `UPDATE customer SET email = 'notanemail'`},
	{table: "customer", name: "customer_email_shape", code: check, statement: `UPDATE customer SET email = 'a@b@example.fr'`},
	{table: "customer", name: "customer_email_shape", code: check, statement: `UPDATE customer SET email = 'a@localhost'`},
	{table: "customer", name: "customer_email_shape", code: check, statement: `UPDATE customer SET email = 'a@example.'`},
	{table: "customer", name: "customer_email_shape", code: check, statement: `UPDATE customer SET email = 'a b@example.fr'`},
	{table: "customer", name: "customer_email_shape", code: check, statement: `UPDATE customer SET email = E'a\u0007@example.fr'`},
	{table: "customer", name: "customer_reachable", code: check, statement: `UPDATE customer SET email = NULL, phone = NULL`},
	{table: "customer", name: "customer_address_line", code: check, statement: `UPDATE customer SET address = ''`},
	{table: "customer", name: "customer_phone_e164", code: check, statement: `UPDATE customer SET phone = '0612345678'`},
	{table: "customer", name: "customer_phone_e164", code: check, statement: `UPDATE customer SET phone = '+33 612345678'`},

	{table: "contract", name: "contract_pkey", code: primaryOrUnique,
		statement: `INSERT INTO contract (id, customer_id, total_amount) SELECT id, customer_id, total_amount FROM contract`},
	{table: "contract", name: "contract_number_key", code: primaryOrUnique, statement: `UPDATE contract SET number = '2026-0001'`},
	{table: "contract", name: "contract_number_shape", code: check, statement: `UPDATE contract SET number = '26-0001'`},
	{table: "contract", name: "contract_number_shape", code: check, statement: `UPDATE contract SET number = '2026-00001'`},
	{table: "contract", name: "contract_due_on_year", code: check, statement: `UPDATE contract SET due_on = '0026-01-01'`},
	{table: "contract", name: "contract_id_signed_key", code: primaryOrUnique,
		setup:     `ALTER TABLE contract DROP CONSTRAINT contract_pkey CASCADE`, // it is found first
		statement: `INSERT INTO contract (id, customer_id, total_amount, signed_at) SELECT id, customer_id, total_amount, signed_at FROM contract`},
	{table: "contract", name: "contract_customer_fkey", code: foreignKey,
		statement: `INSERT INTO contract (customer_id, total_amount) VALUES (0, 100)`},
	{table: "contract", name: "contract_customer_fkey", code: foreignKey, statement: `DELETE FROM customer`},
	{table: "contract", name: "contract_as_expected", code: byTrigger,
		statement: `UPDATE contract SET total_amount = 1260000 WHERE number = '2026-0001' AND expects('contract', id::text, '{"shown": {"total_amount": 1240000, "due_on": null, "customer_id": 1}}')`,
		message:   `Somebody else was faster, and nothing was changed: due_on was - and is 2026-02-19 now, total_amount was 12400.00 and is 12500.00 now, by sql:owner (SQL).`},
	{table: "contract", name: "contract_customer_active_fkey", code: foreignKey,
		statement: `INSERT INTO contract (customer_id, total_amount) VALUES (14, 100)`},
	{table: "contract", name: "contract_customer_active_fkey", code: foreignKey, // paid no more
		setup:     archivedOne,
		statement: `UPDATE payment SET voided_at = now(), voided_by = 'other', void_reason = 'x' WHERE id = 'e38a5c24-c757-4011-9154-ee45212d7bd5'`},
	{table: "contract", name: "contract_customer_active_fkey", code: foreignKey,
		setup:     `ALTER TABLE customer DISABLE TRIGGER customer_in_business`, // it answers first, with figures
		statement: `UPDATE customer SET archived_at = now() WHERE id = 3`},
	{table: "contract", name: "contract_total_amount_range", code: check,
		statement: `INSERT INTO contract (customer_id, total_amount) SELECT id, -1 FROM customer`},
	{table: "contract", name: "contract_total_amount_range", code: check,
		statement: `INSERT INTO contract (customer_id, total_amount) SELECT id, 100000000000 FROM customer`},
	{table: "contract", name: "contract_paid_amount_positive", code: check, statement: `UPDATE contract SET paid_amount = -1`},
	{table: "contract", name: "contract_not_overpaid", code: check,
		statement: `UPDATE contract SET total_amount = paid_amount - 1 WHERE paid_amount > 0`},
	{table: "contract", name: "contract_not_overpaid", code: check,
		statement: `INSERT INTO payment (id, contract_id, amount, recorded_by) SELECT gen_random_uuid(), id, total_amount - paid_amount + 1, 'commercial1' FROM contract`},
	{table: "contract", name: "contract_not_overpaid", code: check,
		setup:     unlocked + `; UPDATE payment SET voided_at = now(), voided_by = 'x', void_reason = 'x'; UPDATE payment SET amount = 999999999`,
		statement: `UPDATE payment SET voided_at = NULL, voided_by = NULL, void_reason = NULL`},
	{table: "contract", name: "contract_id_open_key", code: primaryOrUnique,
		setup:     `ALTER TABLE contract DROP CONSTRAINT contract_pkey CASCADE, DROP CONSTRAINT contract_id_signed_key CASCADE, DROP CONSTRAINT contract_number_key; ALTER TABLE contract DISABLE TRIGGER USER`, // they are found first
		statement: `INSERT INTO contract (id, number, customer_id, total_amount, signed_at, sold_by) SELECT id, number, customer_id, total_amount, signed_at, sold_by FROM contract`},
	{table: "contract", name: "contract_sold_by_line", code: check, statement: `UPDATE contract SET sold_by = ' ' WHERE signed`},
	{table: "contract", name: "contract_sold_when_signed", code: check, statement: `UPDATE contract SET sold_by = NULL`},
	{table: "contract", name: "contract_sold_when_signed", code: check, statement: `UPDATE contract SET sold_by = 'commercial1' WHERE NOT signed`},
	{table: "contract", name: "contract_cancelled_whole", code: check, statement: `UPDATE contract SET cancelled_at = now() WHERE NOT signed`},
	{table: "contract", name: "contract_cancel_reason_line", code: check, statement: `UPDATE contract SET cancelled_at = now(), cancel_reason = '' WHERE NOT signed`},
	{table: "contract", name: "contract_cancelled_unpaid", code: check,
		statement: `UPDATE contract SET cancelled_at = now(), cancel_reason = 'x' WHERE number = '2026-0017'`},
	{table: "contract", name: "contract_cancelled_unpaid", code: check,
		setup:     `UPDATE contract SET cancelled_at = now(), cancel_reason = 'x' WHERE number = '2026-0007'`,
		statement: `INSERT INTO payment (id, contract_id, amount, recorded_by) SELECT gen_random_uuid(), id, 1, 'commercial1' FROM contract WHERE number = '2026-0007'`},
	{table: "contract", name: "contract_cancelled_unsigned", code: check,
		setup:     `UPDATE contract SET cancelled_at = now() - interval '1 day', cancel_reason = 'x' WHERE number = '2026-0007'`,
		statement: `UPDATE contract SET signed_at = now() WHERE number = '2026-0007'`},
	{table: "contract", name: "contract_cancelled", code: byTrigger,
		setup:     `UPDATE contract SET cancelled_at = now(), cancel_reason = 'x' WHERE number = '2026-0007'`,
		statement: `UPDATE contract SET total_amount = 1 WHERE number = '2026-0007'`},
	{table: "contract", name: "contract_cancelled", code: byTrigger,
		setup:     `UPDATE contract SET cancelled_at = now(), cancel_reason = 'x' WHERE number = '2026-0007'`,
		statement: `UPDATE contract SET customer_id = 3 WHERE number = '2026-0007'`},
	{table: "contract", name: "contract_stays_signed", code: byTrigger,
		setup:     `DELETE FROM event`,
		statement: `UPDATE contract SET signed_at = NULL WHERE number = '2026-0003'`},

	{table: "payment", name: "payment_pkey", code: primaryOrUnique, statement: `INSERT INTO payment SELECT * FROM payment`},
	{table: "payment", name: "payment_contract_fkey", code: foreignKey,
		statement: `INSERT INTO payment (id, contract_id, amount, recorded_by) VALUES (gen_random_uuid(), gen_random_uuid(), 1, 'commercial1')`},
	{table: "payment", name: "payment_contract_fkey", code: foreignKey,
		setup:     `DELETE FROM event`,
		statement: `DELETE FROM contract`},
	{table: "payment", name: "payment_amount_positive", code: check, setup: unlocked, statement: `UPDATE payment SET amount = 0`},
	{table: "payment", name: "payment_recorded_by_line", code: check, setup: unlocked, statement: `UPDATE payment SET recorded_by = ''`},
	{table: "payment", name: "payment_received_on_year", code: check, setup: unlocked, statement: `UPDATE payment SET received_on = '1899-12-31'`},
	{table: "payment", name: "payment_reference_line", code: check, setup: unlocked, statement: `UPDATE payment SET reference = ' '`},
	{table: "payment", name: "payment_voided_whole", code: check, statement: `UPDATE payment SET voided_at = now()`},
	{table: "payment", name: "payment_voided_by_line", code: check, statement: `UPDATE payment SET voided_at = now(), voided_by = '', void_reason = 'x'`},
	{table: "payment", name: "payment_void_reason_line", code: check, statement: `UPDATE payment SET voided_at = now(), voided_by = 'x', void_reason = ''`},
	{table: "payment", name: "payment_received", code: byTrigger,
		statement: `INSERT INTO payment (id, contract_id, amount, received_on, recorded_by) SELECT gen_random_uuid(), id, 1, current_date + 1, 'commercial1' FROM contract`},
	{table: "payment", name: "payment_stays", code: byTrigger, statement: `DELETE FROM payment`},
	{table: "payment", name: "payment_stays", code: byTrigger, statement: `DELETE FROM payment WHERE voided_at IS NOT NULL`},
	{table: "payment", name: "payment_stays_as_it_is", code: byTrigger, statement: `UPDATE payment SET amount = amount + 1`},
	{table: "payment", name: "payment_stays_as_it_is", code: byTrigger, statement: `UPDATE payment SET recorded_by = 'somebody'`},
	{table: "payment", name: "payment_stays_as_it_is", code: byTrigger, statement: `UPDATE payment SET received_on = received_on - 1`},

	{table: "event", name: "event_pkey", code: primaryOrUnique,
		statement: `INSERT INTO event (id, name, contract_id) OVERRIDING SYSTEM VALUE SELECT id, name, contract_id FROM event`},
	{table: "event", name: "event_contract_fkey", code: foreignKey,
		statement: `INSERT INTO event (name, contract_id) SELECT 'Fête', id FROM contract WHERE NOT signed`},
	{table: "event", name: "event_contract_fkey", code: foreignKey,
		statement: `UPDATE contract SET signed_at = NULL WHERE number = '2026-0009'`}, // nothing is paid of it
	{table: "event", name: "event_contract_open_fkey", code: foreignKey,
		statement: `UPDATE contract SET cancelled_at = now(), cancel_reason = 'x' WHERE number = '2026-0009'`},
	{table: "event", name: "event_contract_open_fkey", code: foreignKey,
		setup:     `UPDATE event SET cancelled_at = now(), cancel_reason = 'x' WHERE id = 6; UPDATE contract SET cancelled_at = now(), cancel_reason = 'x' WHERE number = '2026-0009'`,
		statement: `INSERT INTO event (name, contract_id) SELECT 'Fête', id FROM contract WHERE number = '2026-0009'`},
	{table: "event", name: "event_cancelled_whole", code: check, statement: `UPDATE event SET cancelled_at = now() WHERE id = 1`},
	{table: "event", name: "event_cancel_reason_line", code: check, statement: `UPDATE event SET cancelled_at = now(), cancel_reason = ' ' WHERE id = 1`},
	{table: "event", name: "event_cancelled", code: byTrigger, statement: `UPDATE event SET attendees = 7 WHERE cancelled_at IS NOT NULL`},
	{table: "event", name: "event_support_exists_fkey", code: foreignKey,
		setup:     `DELETE FROM event WHERE id <> 1; UPDATE event SET cancelled_at = now(), cancel_reason = 'x'`,
		statement: `DELETE FROM employee WHERE username = 'support1'`},
	{table: "event", name: "event_support_fkey", code: foreignKey,
		statement: `UPDATE event SET support_id = (SELECT id FROM employee WHERE username = 'commercial1') WHERE id = 1`},
	{table: "event", name: "event_support_fkey", code: foreignKey,
		setup:     `ALTER TABLE employee DISABLE TRIGGER employee_in_charge`, // it answers first, with figures
		statement: `DELETE FROM employee WHERE username = 'support1'`},
	{table: "event", name: "event_as_expected", code: byTrigger,
		statement: `UPDATE event SET attendees = 76 WHERE id = 1 AND expects('event', id::text, '{"shown": {"start": "2026-02-12T08:00:00Z", "end": null, "attendees": 75}}')`,
		message:   `Somebody else was faster, and nothing was changed: end was - and is 2026-02-12T16:00:00+00:00 now, by sql:owner (SQL).`},
	{table: "event", name: "event_needs_customer", code: byTrigger,
		setup:     archivedOne,
		statement: `INSERT INTO event (name, contract_id, start_at) SELECT 'Fête', id, now() + interval '1 day' FROM contract WHERE number = '2026-0001'`},
	{table: "event", name: "event_needs_customer", code: byTrigger, // it is put off
		setup:     archivedOne + `; UPDATE event SET support_id = NULL WHERE id = 1`,
		statement: `UPDATE event SET end_at = now() + interval '1 day' WHERE id = 1`},
	{table: "note", name: "note_pkey", code: primaryOrUnique, setup: aNote,
		statement: `INSERT INTO note (id, by, customer_id, text) OVERRIDING SYSTEM VALUE SELECT id, by, 1, text FROM note`},
	{table: "note", name: "note_customer_fkey", code: foreignKey, statement: `INSERT INTO note (by, customer_id, text) VALUES ('x', 4711, 'a')`},
	{table: "note", name: "note_contract_fkey", code: foreignKey, statement: `INSERT INTO note (by, contract_id, text) VALUES ('x', gen_random_uuid(), 'a')`},
	{table: "note", name: "note_event_fkey", code: foreignKey, statement: `INSERT INTO note (by, event_id, text) VALUES ('x', 4711, 'a')`},
	{table: "note", name: "note_event_fkey", code: foreignKey, setup: aNote, statement: `DELETE FROM event WHERE id = 1`},
	{table: "note", name: "note_about_one", code: check, statement: `INSERT INTO note (by, text) VALUES ('x', 'a')`},
	{table: "note", name: "note_about_one", code: check, statement: `INSERT INTO note (by, customer_id, event_id, text) VALUES ('x', 1, 1, 'a')`},
	{table: "note", name: "note_by_line", code: check, statement: `INSERT INTO note (by, customer_id, text) VALUES ('', 1, 'a')`},
	{table: "note", name: "note_text_note", code: check, statement: `INSERT INTO note (by, customer_id, text) VALUES ('x', 1, ' ')`},
	{table: "note", name: "note_stays", code: byTrigger, setup: aNote, statement: `DELETE FROM note`},
	{table: "note", name: "note_stays_as_it_is", code: byTrigger, setup: aNote, statement: `UPDATE note SET text = 'b'`},
	{table: "note", name: "note_stays_as_it_is", code: byTrigger, setup: aNote, statement: `UPDATE note SET at = at - interval '1 day'`},
	{table: "reminder", name: "reminder_pkey", code: primaryOrUnique, setup: aReminder,
		statement: `INSERT INTO reminder (id, due_on, for_id, customer_id, text) OVERRIDING SYSTEM VALUE SELECT id, due_on, for_id, 1, text FROM reminder`},
	{table: "reminder", name: "reminder_for_fkey", code: foreignKey, statement: `INSERT INTO reminder (due_on, for_id, customer_id, text) VALUES ('2031-01-01', 4711, 1, 'a')`},
	{table: "reminder", name: "reminder_customer_fkey", code: foreignKey, statement: `INSERT INTO reminder (due_on, for_id, customer_id, text) VALUES ('2031-01-01', 1, 4711, 'a')`},
	{table: "reminder", name: "reminder_contract_fkey", code: foreignKey, statement: `INSERT INTO reminder (due_on, for_id, contract_id, text) VALUES ('2031-01-01', 1, gen_random_uuid(), 'a')`},
	{table: "reminder", name: "reminder_event_fkey", code: foreignKey, statement: `INSERT INTO reminder (due_on, for_id, event_id, text) VALUES ('2031-01-01', 1, 4711, 'a')`},
	{table: "reminder", name: "reminder_about_one", code: check, statement: `INSERT INTO reminder (due_on, for_id, text) VALUES ('2031-01-01', 1, 'a')`},
	{table: "reminder", name: "reminder_due_on_year", code: check, statement: `INSERT INTO reminder (due_on, for_id, customer_id, text) VALUES ('2201-01-01', 1, 1, 'a')`},
	{table: "reminder", name: "reminder_text_note", code: check, statement: `INSERT INTO reminder (due_on, for_id, customer_id, text) VALUES ('2031-01-01', 1, 1, E'a\tb')`},

	{table: "event", name: "event_clashes", code: byTrigger,
		setup:     `UPDATE event SET support_id = 7 WHERE id = 4`,
		statement: `UPDATE event SET support_id = 7, start_at = '2026-04-17 22:00 Europe/Paris', end_at = NULL WHERE id = 2`,
		message:   `The support of event 2, "Vernissage Lumière", runs another one then: event 3, "Soirée fado", 2026-04-17 18:00 - 23:00.`},
	{table: "event", name: "event_clashes", code: byTrigger, // that one clash is meant does not mean another
		setup:     `UPDATE event SET support_id = 7, start_at = '2026-04-17 20:00 Europe/Paris', end_at = NULL, clash_allowed = true WHERE id IN (2, 3)`,
		statement: `UPDATE event SET support_id = 7, start_at = '2026-04-17 20:00 Europe/Paris', end_at = NULL WHERE id = 4`,
		message:   `The support of event 4, "Fête de la bière", runs another one then: event 2, "Vernissage Lumière", 2026-04-17 18:00.`},
	{table: "event", name: "event_clashes_added", code: byTrigger,
		statement: `INSERT INTO event (id, name, contract_id, support_id, start_at) OVERRIDING SYSTEM VALUE SELECT 4711, 'Fête', contract_id, support_id, start_at FROM event WHERE id = 3`,
		message:   `The support of event 4711, "Fête", runs another one then: event 3, "Soirée fado", 2026-04-17 18:00 - 23:00.`},
	{table: "event", name: "event_no_clash", code: exclusion, // as of two at once
		setup:     `ALTER TABLE event DISABLE TRIGGER event_clashes`,
		statement: `UPDATE event SET support_id = 7, start_at = '2026-04-17 20:00 Europe/Paris', end_at = NULL WHERE id = 2`},
	{table: "event", name: "event_needs_support", code: byTrigger,
		statement: `UPDATE event SET support_id = (SELECT id FROM employee WHERE username = 'support3') WHERE id = 9`},
	{table: "event", name: "event_needs_support", code: byTrigger,
		setup:     `UPDATE event SET support_id = (SELECT id FROM employee WHERE username = 'support3') WHERE id = 1`,
		statement: `UPDATE event SET end_at = now() + interval '1 day' WHERE id = 1`},
	{table: "event", name: "event_name_line", code: check, statement: `UPDATE event SET name = ' Fête'`},
	{table: "event", name: "event_end_after_start", code: check,
		statement: `UPDATE event SET start_at = now(), end_at = now() - interval '1 second'`},
	{table: "event", name: "event_attendees_positive", code: check, statement: `UPDATE event SET attendees = -1`},
	{table: "event", name: "event_attendees_most", code: check, statement: `UPDATE event SET attendees = 1000001`},
	{table: "event", name: "event_start_year", code: check, statement: `UPDATE event SET start_at = '4000-01-01 BC'`},
	{table: "event", name: "event_start_year", code: check, statement: `UPDATE event SET start_at = '-infinity'`},
	{table: "event", name: "event_end_year", code: check, statement: `UPDATE event SET end_at = '20000-01-01' WHERE id = 7`},
	{table: "event", name: "event_end_year", code: check, statement: `UPDATE event SET end_at = 'infinity' WHERE id = 7`},
	{table: "event", name: "event_location_line", code: check, statement: `UPDATE event SET location = repeat('a', 256)`},
	{table: "event", name: "event_note_text", code: check, statement: `UPDATE event SET note = E'a\tb'`},

	{table: "statement_line", name: "statement_line_credit", code: check,
		statement: `INSERT INTO statement_line (line, booked_on, amount, label) VALUES (2, '2026-11-02', 0, 'VIREMENT')`},
	{table: "statement_line", name: "statement_line_occurrence_positive", code: check,
		statement: `INSERT INTO statement_line (line, booked_on, amount, label, occurrence) VALUES (2, '2026-11-02', 5, 'VIREMENT', 0)`},
	{table: "statement_line", name: "statement_line_label_line", code: check,
		statement: `INSERT INTO statement_line (line, booked_on, amount, label) VALUES (2, '2026-11-02', 5, E'VIREMENT\nSEPA')`},
	{table: "statement_line", name: "statement_line_label_line", code: check,
		statement: `INSERT INTO statement_line (line, booked_on, amount, label) SELECT 2, '2026-11-02', 5, repeat('é', 4001)`},
}

func TestRules(t *testing.T) {
	t.Parallel()
	unchanged := dbtest.Connect(t, dbtest.Sample(t)) // a refused statement leaves it as it was
	for _, rule := range rules {
		t.Run(rule.name, func(t *testing.T) {
			conn := unchanged
			if rule.setup != "" {
				conn = dbtest.Connect(t, dbtest.Sample(t))
				run(t, conn, rule.setup)
			}
			message := triggerComment(t, conn, rule.table, rule.name)
			if rule.code != byTrigger {
				message = comment(t, conn, rule.table, rule.name)
			}
			before := contents(t, conn)

			_, err := conn.Exec(t.Context(), rule.statement)

			answer := refusal(t, err)
			if answer == nil {
				t.Fatal("not refused")
			}
			if answer.Code != rule.code || answer.ConstraintName != rule.name {
				t.Errorf("refused by %s %s (%s), want %s %s", answer.Code, answer.ConstraintName, answer.Message, rule.code, rule.name)
			}
			if rule.code == byTrigger {
				if rule.message != "" {
					message = strings.ReplaceAll(rule.message, "sql:owner", "sql:"+conn.Config().User)
				}
				if answer.Message != message {
					t.Errorf("message %q, want %q", answer.Message, message)
				}
			} else if answer.TableName != rule.table {
				t.Errorf("the message is looked up at table %q, want %q", answer.TableName, rule.table)
			}
			if diff := cmp.Diff(before, contents(t, conn)); diff != "" {
				t.Errorf("data changed: %s", diff)
			}
		})
	}
}
