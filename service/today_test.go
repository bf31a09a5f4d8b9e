package service_test

import (
	"testing"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
)

// waits is SQL after which something waits for somebody, or no longer does.
type waits struct {
	sql   string
	lines int
}

// silent is a customer of whom nothing was heard for seven months, and a contract and an event of then.
const silent = `
	INSERT INTO customer (id, fullname, commercial_id, email, created_at) OVERRIDING SYSTEM VALUE
	VALUES (900, 'Silent', 5, 'silent@there.example', now() - interval '7 months');
	INSERT INTO contract (id, customer_id, total_amount, created_at, signed_at)
	VALUES ('90000000-0000-0000-0000-000000000000', 900, 1000, now() - interval '7 months', now() - interval '7 months');
	INSERT INTO event (id, name, contract_id, start_at) OVERRIDING SYSTEM VALUE
	VALUES (900, 'Long ago', '90000000-0000-0000-0000-000000000000', now() - interval '7 months');`

// todays are, for each kind, whom it is for, what has it wait, and what is the least that does not, or still does.
var todays = []struct {
	kind, who, sql string
	then           []waits
}{
	{"reminder_due", "support1", "INSERT INTO reminder (id, due_on, for_id, event_id, text) OVERRIDING SYSTEM VALUE VALUES (900, current_date, 7, 9, E'Call them\nsoon')", []waits{
		{"UPDATE reminder SET due_on = current_date + 1 WHERE id = 900", 0},
		{"UPDATE reminder SET done_at = now() WHERE id = 900", 0},
		{"UPDATE reminder SET for_id = 8 WHERE id = 900", 0},
		{"UPDATE event SET cancelled_at = now(), cancel_reason = 'x' WHERE id = 9", 0},
		{"UPDATE reminder SET event_id = NULL, contract_id = (SELECT id FROM contract WHERE number = '2026-0007') WHERE id = 900", 1},
		{`UPDATE reminder SET event_id = NULL, contract_id = (SELECT id FROM contract WHERE number = '2026-0007') WHERE id = 900;
			UPDATE contract SET cancelled_at = now(), cancel_reason = 'x' WHERE number = '2026-0007'`, 0},
		{"UPDATE reminder SET event_id = NULL, customer_id = 14 WHERE id = 900; UPDATE customer SET archived_at = NULL WHERE id = 14", 1},
		{"UPDATE reminder SET event_id = NULL, customer_id = 14 WHERE id = 900; UPDATE customer SET archived_at = now() WHERE id = 14", 0},
		{"UPDATE event SET support_id = NULL WHERE support_id = 7; UPDATE employee SET active = false WHERE id = 7", 0},
	}},
	{"contract_overdue", "commercial1", "UPDATE contract SET due_on = current_date - 1 WHERE number = '2026-0005'", []waits{
		{"UPDATE contract SET due_on = current_date WHERE number = '2026-0005'", 0},
		{"UPDATE contract SET due_on = NULL WHERE number = '2026-0005'", 0},
		{"UPDATE customer SET commercial_id = 5 WHERE commercial_id = 4", 0},
		{"UPDATE contract SET total_amount = paid_amount WHERE number = '2026-0005'", 0},
		{"UPDATE contract SET due_on = current_date - 1 WHERE number IN ('2026-0001', '2026-0011')", 1}, // paid, and not signed
	}},
	{"contract_unsigned", "commercial3", "UPDATE contract SET created_at = current_date - 13 - interval '1 minute' WHERE number = '2026-0007'", []waits{
		{"UPDATE contract SET created_at = current_date - 13 WHERE number = '2026-0007'", 0},
		{"UPDATE contract SET signed_at = now() WHERE number = '2026-0007'", 0},
		{"UPDATE contract SET cancelled_at = now(), cancel_reason = 'x' WHERE number = '2026-0007'", 0},
		{"UPDATE customer SET commercial_id = 5 WHERE commercial_id = 6", 0},
	}},
	{"customer_silent", "commercial2", "UPDATE customer SET created_at = now() WHERE id < 900;" + silent, []waits{
		{"UPDATE customer SET created_at = current_date - interval '6 months' WHERE id = 900", 0},
		{"UPDATE customer SET created_at = current_date - interval '6 months 1 minute' WHERE id = 900", 1},
		{`INSERT INTO payment (id, contract_id, amount, recorded_by, received_on) VALUES (gen_random_uuid(), '90000000-0000-0000-0000-000000000000', 1000, 'x', current_date - 200);
			UPDATE event SET end_at = start_at WHERE id = 900`, 1},
		{`INSERT INTO payment (id, contract_id, amount, recorded_by, received_on) VALUES (gen_random_uuid(), '90000000-0000-0000-0000-000000000000', 1000, 'x', current_date - 200);
			UPDATE customer SET archived_at = now() WHERE id = 900`, 0},
		{"UPDATE customer SET commercial_id = 4 WHERE id = 900", 0},
		{"UPDATE contract SET signed_at = now() WHERE customer_id = 900", 0},
		{"INSERT INTO contract (id, customer_id, total_amount) VALUES (gen_random_uuid(), 900, 1000)", 0},
		{"INSERT INTO payment (id, contract_id, amount, recorded_by, received_on) VALUES (gen_random_uuid(), '90000000-0000-0000-0000-000000000000', 1, 'x', current_date)", 0},
		{`INSERT INTO payment (id, contract_id, amount, recorded_by, received_on, voided_at, voided_by, void_reason)
			VALUES (gen_random_uuid(), '90000000-0000-0000-0000-000000000000', 1, 'x', current_date, now(), 'x', 'x')`, 1},
		{"UPDATE event SET start_at = now() WHERE id = 900", 0},
		{"UPDATE event SET end_at = now() WHERE id = 900", 0},
		{"UPDATE event SET start_at = now(), cancelled_at = now(), cancel_reason = 'x' WHERE id = 900", 1},
		{"INSERT INTO note (by, customer_id, text) VALUES ('x', 900, 'x')", 0},
		{"INSERT INTO note (by, contract_id, text) VALUES ('x', '90000000-0000-0000-0000-000000000000', 'x')", 0},
		{"INSERT INTO note (by, event_id, text) VALUES ('x', 900, 'x')", 0},
		{"INSERT INTO note (by, customer_id, text) VALUES ('x', 1, 'x')", 1},
		{"INSERT INTO note (by, at, customer_id, text) VALUES ('x', now() - interval '7 months', 900, 'x')", 1},
		{"INSERT INTO reminder (due_on, for_id, customer_id, text) VALUES (current_date + 7, 5, 900, 'x')", 0},
		{"INSERT INTO reminder (due_on, for_id, contract_id, text) VALUES (current_date + 7, 5, '90000000-0000-0000-0000-000000000000', 'x')", 0},
		{"INSERT INTO reminder (due_on, for_id, customer_id, text, done_at) VALUES (current_date - 200, 5, 900, 'x', now())", 0},
		{"INSERT INTO reminder (due_on, for_id, customer_id, text) VALUES (current_date - 220, 5, 900, 'x')", 1},
	}},
	{"event_clash", "support2", `
		UPDATE event SET start_at = now() + interval '6 days', end_at = now() + interval '6 days 2 hours' WHERE id = 9;
		UPDATE event SET support_id = 8, start_at = now() + interval '6 days 1 hour', end_at = NULL, clash_allowed = true WHERE id = 8`, []waits{
		{"UPDATE event SET start_at = start_at + interval '2 hours' WHERE id = 8", 0},
		{"UPDATE event SET start_at = start_at + interval '2 days', end_at = end_at + interval '2 days' WHERE id IN (8, 9)", 0},
		{"UPDATE event SET start_at = start_at - interval '10 days', end_at = end_at - interval '10 days' WHERE id IN (8, 9)", 0},
		{"UPDATE event SET cancelled_at = now(), cancel_reason = 'x' WHERE id = 9", 0},
		{"UPDATE event SET support_id = NULL WHERE id = 8", 0},
	}},
	{"event_incomplete", "support2", "UPDATE event SET start_at = now() + interval '6 days', end_at = NULL WHERE id = 9", []waits{
		{"UPDATE event SET end_at = start_at WHERE id = 9", 0},
		{"UPDATE event SET end_at = start_at, location = NULL WHERE id = 9", 1},
		{"UPDATE event SET start_at = now() + interval '7 days' WHERE id = 9", 0},
		{"UPDATE event SET start_at = now() - interval '1 minute' WHERE id = 9", 0},
		{"UPDATE event SET cancelled_at = now(), cancel_reason = 'x' WHERE id = 9", 0},
		{"UPDATE event SET support_id = 7 WHERE id = 9", 0},
	}},
	{"event_without_support", "administrator2", "UPDATE event SET start_at = current_date + 30 + interval '23 hours', end_at = NULL WHERE id = 8", []waits{
		{"UPDATE event SET start_at = current_date + 31 WHERE id = 8", 0},
		{"UPDATE event SET start_at = now() - interval '1 hour' WHERE id = 8", 0},
		{"UPDATE event SET start_at = now() - interval '1 hour', end_at = now() + interval '1 hour' WHERE id = 8", 1},
		{"UPDATE event SET start_at = NULL WHERE id = 8", 0},
		{"UPDATE event SET support_id = 7 WHERE id = 8", 0},
		{"UPDATE event SET cancelled_at = now(), cancel_reason = 'x' WHERE id = 8", 0},
		{"UPDATE employee SET active = false WHERE id = 2", 0},
		{"UPDATE employee SET role = 'none' WHERE id = 2", 0},
	}},
	{"sample_password", "administrator2", "UPDATE employee SET password_hash = '$argon2id$v=19$m=65536,t=3,p=4$t0kVYHxKvDxOsjhXwpr4Hg$gdxxS/wMmRsL006j86H+0aK7PrWj0e5BeMt8lInTuyE' WHERE id = 9", []waits{
		{"UPDATE employee SET password_hash = '$argon2id$v=19$m=65536,t=3,p=4$t0kVYHxKvDxOsjhXwpr4Hh$gdxxS/wMmRsL006j86H+0aK7PrWj0e5BeMt8lInTuyE' WHERE id = 9", 0},
		{"UPDATE employee SET active = false WHERE id = 9", 0},
	}},
	{"employee_locked", "administrator2", "INSERT INTO login_failure (username, peer, failures, retry_at) VALUES ('none1', 'here', 5, now() + interval '30 seconds')", []waits{
		{"UPDATE login_failure SET retry_at = now()", 0},
		{"UPDATE login_failure SET peer = 'session 1'", 0},
		{"UPDATE login_failure SET username = 'nobody'", 0},
		{"UPDATE employee SET active = false WHERE username = 'none1'", 0},
	}},
}

// TestToday: each kind waits for whom it is for and nobody else of another role, and no longer once the least is otherwise.
func TestToday(t *testing.T) {
	t.Parallel()
	p := sample(t)
	p.exec("SET TIME ZONE 'Europe/Paris'")
	for _, kind := range todays {
		lines := func() int {
			return one[int](p, "SELECT count(*) FROM work_item WHERE kind = $1 AND \"for\" = $2", kind.kind, kind.who)
		}
		p.exec("BEGIN")
		p.exec("DELETE FROM reminder")
		p.exec(kind.sql)
		if n := lines(); n != 1 {
			t.Errorf("%s: %d lines, want 1", kind.kind, n)
		}
		others := "administrator"
		if kind.who == "administrator2" {
			others = "support"
		}
		if n := one[int](p, `SELECT count(*) FROM work_item JOIN employee ON employee.id = for_id WHERE kind = $1 AND employee.role = $2::role`, kind.kind, others); n != 0 {
			t.Errorf("%s: %d lines for the role %s", kind.kind, n, others)
		}
		for _, then := range kind.then {
			p.exec("SAVEPOINT before")
			p.exec(then.sql)
			if n := lines(); n != then.lines {
				t.Errorf("%s after %s: %d lines, want %d", kind.kind, then.sql, n, then.lines)
			}
			p.exec("ROLLBACK TO before")
		}
		p.exec("ROLLBACK")
	}
	kinds := one[[]string](p, `SELECT array_agg(DISTINCT kind[1] ORDER BY kind[1]) FROM regexp_matches(pg_get_viewdef('work_item'), '''([a-z_]+)''::text AS (?:kind|"\?column\?")', 'g') AS kind`)
	if len(kinds) != len(todays) {
		t.Errorf("the view has the kinds %v, of which %d are tried here", kinds, len(todays))
	}
}

// TestTodayOfOthers: administrators see what waits for others, and the others only their own.
func TestTodayOfOthers(t *testing.T) {
	t.Parallel()
	p := sample(t)
	for _, who := range []string{"commercial1", "support1", "none1"} {
		s := p.as(who)
		own := must[[]gen.TodayRow](t)(all(s.Today(t.Context(), gen.TodayParams{For: &who})))
		same(t, who, must[[]gen.TodayRow](t)(all(s.Today(t.Context(), gen.TodayParams{}))), own)
		same(t, who+" by an administrator", must[[]gen.TodayRow](t)(all(p.as("administrator1").Today(t.Context(), gen.TodayParams{For: &who}))), own)
		message := `"crm today" of others is for the role administrator; ` + who + " has the role " + string(s.Role()) + "."
		p.refuses(failure.PermissionDenied, message, func() error {
			return second(all(s.Today(t.Context(), gen.TodayParams{For: new("commercial2")})))
		})
		p.refuses(failure.PermissionDenied, `"crm today count" of others is for the role administrator; `+who+" has the role "+string(s.Role())+".", func() error {
			return second(s.TodayCount(t.Context(), gen.TodayParams{For: new("commercial2")}))
		})
	}
}
