package service_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/schema"
)

const noSchema = "The database does not have crm's schema."

func TestCheckVersion(t *testing.T) {
	t.Parallel()
	p := newEnv(t, dbtest.Empty(t))
	if version, err := p.svc.CheckVersion(t.Context()); err != nil || version != schema.Version() {
		t.Errorf("version %d, %v", version, err)
	}
	p.exec("UPDATE schema_migrations SET version = version - 1")
	if version, err := p.svc.CheckVersion(t.Context()); failure.CodeOf(err) != failure.Unavailable || version != schema.Version()-1 {
		t.Errorf("version %d, %v", version, err)
	}
	p.exec("DELETE FROM schema_migrations")
	fails(t, failure.Unavailable, noSchema, second(p.svc.CheckVersion(t.Context())))
	fails(t, failure.Unavailable, noSchema, second(p.svc.Login(t.Context(), "none1", password)))
}

func TestBlankDatabase(t *testing.T) {
	t.Parallel()
	p := newEnv(t, dbtest.Blank(t))
	fails(t, failure.Unavailable, noSchema, second(p.svc.CheckVersion(t.Context())))
	fails(t, failure.Unavailable, noSchema, second(p.svc.Login(t.Context(), "none1", password)))
	fails(t, failure.Unavailable, noSchema, p.svc.Populate(t.Context()))
}

func TestPopulate(t *testing.T) {
	t.Parallel()
	p := newEnv(t, dbtest.Empty(t))
	ctx := t.Context()
	if err := p.svc.Populate(ctx); err != nil {
		t.Fatal(err)
	}
	if n := one[int](p, "SELECT count(*) FROM contract"); n != 20 {
		t.Errorf("%d contracts", n)
	}
	const full = "The database holds customers already; the sample data goes into an empty one."
	p.refuses(failure.Conflict, full, func() error { return p.svc.Populate(ctx) })
	s := p.as("administrator1")
	p.refuses(failure.Conflict, full, func() error { return s.DbPopulate(ctx) })

	p.exec(noCustomer)
	if err := s.DbPopulate(ctx); err != nil {
		t.Fatal(err)
	}
	// Half of the sample data is none: commercial1 is here, but with another role.
	p.exec(noCustomer)
	p.exec("UPDATE employee SET role = 'none' WHERE username = 'commercial1'")
	p.refuses(failure.Conflict, "A customer is in the charge of an employee whose role is commercial.", func() error { return s.DbPopulate(ctx) })
}

// TestHoldsOnlySample has one thing after the other that is somebody's work.
func TestHoldsOnlySample(t *testing.T) {
	t.Parallel()
	const unsigned = "fb819b38-e035-4e65-b4ea-ae5076a82518"
	holds := func(t *testing.T, p *env, only bool) {
		t.Helper()
		if got, err := p.svc.HoldsOnlySample(t.Context()); err != nil || got != only {
			t.Errorf("holds only the sample data: %v, %v", got, err)
		}
	}
	for name, config := range map[string]func(testing.TB) *pgx.ConnConfig{"blank": dbtest.Blank, "empty": dbtest.Empty, "sample": dbtest.Sample} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newEnv(t, config(t))
			holds(t, p, true)
			if t.Failed() {
				_, lines, _ := strings.Cut(gen.SampleOnly, "FROM (")
				t.Log("the sum is now " + one[string](p, `SELECT coalesce(md5(string_agg(line, E'\n' ORDER BY line COLLATE "C")), '') FROM (`+lines))
			}
			if held, err := p.svc.HoldsSample(t.Context()); err != nil || held != (name == "sample") {
				t.Errorf("holds the sample data: %v, %v", held, err)
			}
		})
	}
	for name, change := range map[string]string{
		"an employee":                 `INSERT INTO employee (username, fullname, role, password_hash) VALUES ('lea', 'Léa Martin', 'none', '$argon2id$own')`,
		"an employee renamed":         `UPDATE employee SET fullname = 'Léa Martin' WHERE username = 'none1'`,
		"a customer":                  `INSERT INTO customer (fullname, company, commercial_id, email, phone) SELECT 'Léa', 'Léa', commercial_id, 'l@l.example', '+33145678901' FROM customer LIMIT 1`,
		"a customer changed":          `UPDATE customer SET phone = '+33145678902' WHERE id = 1`,
		"a customer handed over":      `UPDATE customer SET commercial_id = (SELECT id FROM employee WHERE username = 'commercial3') WHERE id = 1`,
		"a contract":                  `INSERT INTO contract (id, customer_id, total_amount) VALUES (gen_random_uuid(), 1, 100)`,
		"a contract signed":           `UPDATE contract SET signed_at = now() WHERE id = '` + unsigned + `'`,
		"amounts changed, not in sum": `UPDATE contract SET total_amount = total_amount + CASE id WHEN '` + unsigned + `' THEN 1 ELSE -1 END WHERE id IN ('` + unsigned + `', '00b6e67a-7a2a-4c2b-8180-60a7da1de808')`,
		"a payment":                   `INSERT INTO payment (id, contract_id, amount, recorded_by) VALUES (gen_random_uuid(), '` + unsigned + `', 1, 'a')`,
		"an event":                    `INSERT INTO event (name, contract_id) SELECT 'Fête', contract_id FROM event LIMIT 1`,
		"an event moved":              `UPDATE event SET start_at = start_at + interval '1 day', end_at = end_at + interval '1 day' WHERE id = 1`,
		"an event to come moved":      `UPDATE event SET start_at = start_at + interval '1 day', end_at = end_at + interval '1 day' WHERE id = 9`,
		"a note":                      `UPDATE event SET note = 'Vestiaire' WHERE id = 2`,
		"a table lost":                `DROP TABLE event CASCADE`,
		"a support":                   `UPDATE event SET support_id = (SELECT id FROM employee WHERE username = 'support1') WHERE id = 8`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := sample(t)
			p.exec(change)
			holds(t, p, false)
		})
	}
}

// TestSampleOnlyKnowsEveryColumn: what SampleOnly does not look at is taken for untouched, and may be deleted.
func TestSampleOnlyKnowsEveryColumn(t *testing.T) {
	t.Parallel()
	const follows, given, when = "follows from others", "given by the database", "when, not what"
	elsewhere := map[string]string{
		"employee.id": given, "employee.password_hash": "a password is nobody's work, and a new one is given in seconds",
		"employee.password_one_time": "as the password", "employee.password_one_time_until": "as the password",
		"employee.last_login_at": "nobody's work", "employee.updated_at": when,
		"customer.id": given, "customer.commercial_role": follows, "customer.created_at": when, "customer.updated_at": when,
		"contract.paid_amount": "the sum of the payments", "contract.created_at": when, "contract.updated_at": when, "contract.signed": follows,
		"payment.id": "given by the client", "payment.recorded_by": "the payment itself is looked at", "payment.recorded_by_id": "as recorded_by",
		"payment.recorded_at": when,
		"event.updated_at":    when,
		"event.id":            given, "event.contract_signed": follows, "event.support_role": follows,
	}
	p := newEnv(t, dbtest.Empty(t))
	rows, err := p.conn.Query(t.Context(), `SELECT table_name || '.' || column_name FROM information_schema.columns
		WHERE table_name IN ('employee', 'customer', 'contract', 'payment', 'event') AND table_schema = current_schema()
		AND is_generated = 'NEVER' ORDER BY table_name, ordinal_position`)
	if err != nil {
		t.Fatal(err)
	}
	columns, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(columns) == 0 {
		t.Fatal(columns, err)
	}
	_, lines, _ := strings.Cut(gen.SampleOnly, "FROM (")
	for _, column := range columns {
		_, name, _ := strings.Cut(column, ".")
		if !regexp.MustCompile(`\b`+name+`\b`).MatchString(lines) && elsewhere[column] == "" {
			t.Errorf("SampleOnly in queries/schema.sql does not look at %s: crm would delete what somebody wrote there", column)
		}
	}
}
