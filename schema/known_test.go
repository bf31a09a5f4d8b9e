package schema_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/epicevents/crm/internal/dbtest"
)

// rowsAt are all rows of all resources as JSON, but for what the history leaves out, and what each contract was paid.
func rowsAt(t *testing.T, conn *pgx.Conn, knownAt *time.Time) (lines []string) {
	t.Helper()
	for _, resource := range []string{"employee", "customer", "contract", "payment", "event"} {
		rows, err := conn.Query(t.Context(), fmt.Sprintf(`
			SELECT '%[1]s ' || id || ' ' || (to_jsonb(r) - unrecorded_columns())::text
			FROM %[1]s_at($1) AS r
			ORDER BY id::text`, resource), knownAt)
		if err != nil {
			t.Fatal(err)
		}
		found, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(resource, err)
		}
		lines = append(lines, found...)
	}
	rows, err := conn.Query(t.Context(), `
		SELECT 'paid ' || contract.id || ' ' || contract.paid_amount + ever.amount || ', until yesterday ' || contract.paid_amount + yesterday.amount
		FROM contract_at($1) AS contract
		CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS amount FROM payment_difference($1, NULL) WHERE contract_id = contract.id) AS ever
		CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS amount FROM payment_difference($1, current_date - 1) WHERE contract_id = contract.id) AS yesterday
		ORDER BY contract.id`, knownAt)
	if err != nil {
		t.Fatal(err)
	}
	paid, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return append(lines, paid...)
}

// whatPeopleDo are statements that change rows of each resource, some of which a rule may refuse.
var whatPeopleDo = []string{
	`INSERT INTO contract (customer_id, total_amount, signed_at) SELECT id, 100000 + %[1]d, CASE %[1]d %% 2 WHEN 0 THEN now() END FROM customer ORDER BY md5(id::text || %[1]d) LIMIT 1`,
	`UPDATE contract SET total_amount = total_amount + %[1]d, due_on = current_date + %[1]d %% 50 WHERE id = (SELECT id FROM contract ORDER BY md5(id::text || %[1]d) LIMIT 1)`,
	`UPDATE contract SET signed_at = now() WHERE id = (SELECT id FROM contract WHERE signed_at IS NULL ORDER BY md5(id::text || %[1]d) LIMIT 1)`,
	`UPDATE contract SET signed_at = NULL WHERE id = (SELECT id FROM contract WHERE paid_amount = 0 AND signed_at IS NOT NULL ORDER BY md5(id::text || %[1]d) LIMIT 1)`,
	`UPDATE contract SET cancelled_at = now(), cancel_reason = 'no %[1]d' WHERE id = (SELECT id FROM contract WHERE paid_amount = 0 ORDER BY md5(id::text || %[1]d) LIMIT 1)`,
	`DELETE FROM contract WHERE id = (SELECT id FROM contract WHERE signed_at IS NULL ORDER BY md5(id::text || %[1]d) LIMIT 1)`,
	`INSERT INTO payment (id, contract_id, amount, recorded_by, method) SELECT gen_random_uuid(), id, 1 + %[1]d %% 7, 'x%[1]d', 'cash' FROM contract WHERE status IN ('signed', 'part_paid') ORDER BY md5(id::text || %[1]d) LIMIT 1`,
	`UPDATE payment SET voided_at = now(), voided_by = 'x', void_reason = 'r%[1]d' WHERE id = (SELECT id FROM payment WHERE voided_at IS NULL ORDER BY md5(id::text || %[1]d) LIMIT 1)`,
	`UPDATE customer SET fullname = 'N%[1]d', company = NULL WHERE id = (SELECT id FROM customer WHERE archived_at IS NULL ORDER BY md5(id::text || %[1]d) LIMIT 1)`,
	`UPDATE customer SET commercial_id = (SELECT id FROM employee WHERE role = 'commercial' ORDER BY md5(id::text || %[1]d) LIMIT 1) WHERE id = (SELECT id FROM customer WHERE archived_at IS NULL ORDER BY md5(id::text || %[1]d) LIMIT 1)`,
	`INSERT INTO customer (fullname, commercial_id, email) SELECT 'New %[1]d', id, 'n%[1]d@new.example' FROM employee WHERE role = 'commercial' LIMIT 1`,
	`DELETE FROM customer WHERE id = (SELECT id FROM customer WHERE NOT EXISTS (SELECT FROM contract WHERE customer_id = customer.id) ORDER BY md5(id::text || %[1]d) LIMIT 1)`,
	`UPDATE employee SET username = 'u%[1]d', fullname = 'U%[1]d' WHERE id = (SELECT id FROM employee ORDER BY md5(id::text || %[1]d) LIMIT 1)`,
	`INSERT INTO event (name, contract_id, start_at, attendees) SELECT 'E%[1]d', id, now() + interval '1 day' * (%[1]d %% 90), %[1]d FROM contract WHERE is_open ORDER BY md5(id::text || %[1]d) LIMIT 1`,
	`UPDATE event SET support_id = (SELECT id FROM employee WHERE role = 'support' AND active ORDER BY md5(id::text || %[1]d) LIMIT 1), note = nullif('n%[1]d', 'n') WHERE id = (SELECT id FROM event WHERE cancelled_at IS NULL ORDER BY md5(id::text || %[1]d) LIMIT 1)`,
	`UPDATE event SET cancelled_at = now(), cancel_reason = 'rain' WHERE id = (SELECT id FROM event WHERE cancelled_at IS NULL ORDER BY md5(id::text || %[1]d) LIMIT 1)`,
	`DELETE FROM event WHERE id = (SELECT id FROM event ORDER BY md5(id::text || %[1]d) LIMIT 1)`,
	`SELECT * FROM undo_batch((SELECT batch FROM change WHERE resource <> 'employee' AND at > now() - interval '1 minute' ORDER BY md5(batch::text || %[1]d) LIMIT 1), false)`,
	`UPDATE contract SET customer_id = (SELECT id FROM customer WHERE archived_at IS NULL ORDER BY md5(id::text || %[1]d) LIMIT 1), created_at = created_at - interval '1 day'
		WHERE id IN (SELECT id FROM contract WHERE cancelled_at IS NULL ORDER BY md5(id::text || %[1]d) LIMIT 5)`,
}

// TestRewound: whatever is done to the rows, they are found again as they were, each as a whole and none else.
func TestRewound(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.Sample(t))
	type moment struct {
		at   time.Time
		rows []string
	}
	random := rand.New(rand.NewPCG(1, 2))
	var moments []moment
	refused := map[int]int{}
	for n := range 400 {
		if n%10 == 0 {
			var at time.Time
			if err := conn.QueryRow(t.Context(), "SELECT clock_timestamp()").Scan(&at); err != nil {
				t.Fatal(err)
			}
			moments = append(moments, moment{at, rowsAt(t, conn, nil)})
		}
		which := random.IntN(len(whatPeopleDo))
		if _, err := conn.Exec(t.Context(), fmt.Sprintf(whatPeopleDo[which], 1000+n)); err != nil {
			if answer, ok := errors.AsType[*pgconn.PgError](err); !ok || !strings.HasPrefix(answer.Code, "23") {
				t.Fatalf("%s: %v", whatPeopleDo[which], err)
			}
			refused[which]++
		}
	}
	for i := range whatPeopleDo {
		if refused[i] > 15 {
			t.Errorf("refused %d times: %s", refused[i], whatPeopleDo[i])
		}
	}
	for i, m := range moments {
		if diff := cmp.Diff(m.rows, rowsAt(t, conn, &m.at)); diff != "" {
			t.Fatalf("moment %d of %d:\n%s", i, len(moments), diff)
		}
	}
	if first, last := strings.Join(moments[0].rows, "\n"), strings.Join(rowsAt(t, conn, nil), "\n"); first == last {
		t.Error("nothing was done")
	}
}

// TestRewoundBeforeHistory: what was known before the history begins, nobody says.
func TestRewoundBeforeHistory(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.Sample(t))
	if _, err := conn.Exec(t.Context(), `INSERT INTO change (at, by, batch, resource, resource_id, after)
		VALUES ('2026-03-04 05:06:07+00', 'sql:x', gen_random_uuid(), 'schema', '25', '{"history": "begins here"}')`); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"employee", "customer", "contract", "payment", "event"} {
		_, err := conn.Exec(t.Context(), fmt.Sprintf("SET timezone = 'UTC'; SELECT count(*) FROM %s_at('2026-03-04 05:06:06+00')", table))
		if err == nil || !strings.Contains(err.Error(), "What was known then is not written down: the history begins at 2026-03-04 05:06.") {
			t.Errorf("%s: %v", table, err)
		}
		if _, err := conn.Exec(t.Context(), fmt.Sprintf("SELECT count(*) FROM %s_at('2026-03-04 05:06:07+00')", table)); err != nil {
			t.Errorf("%s: %v", table, err)
		}
	}
}

// TestRowsOfNowAreTheTable: who asks for what is known now pays for the table and nothing else.
func TestRowsOfNowAreTheTable(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.Sample(t))
	for _, table := range []string{"employee", "customer", "contract", "payment", "event"} {
		rows, err := conn.Query(t.Context(), fmt.Sprintf("EXPLAIN (COSTS OFF) SELECT id FROM %s_at(NULL)", table))
		if err != nil {
			t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if plan := strings.Join(lines, "\n"); err != nil || strings.Contains(plan, "Function") || !strings.Contains(plan, "Scan on "+table) {
			t.Errorf("%s: %v\n%s", table, err, plan)
		}
	}
}
