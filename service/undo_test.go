package service_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/service"
)

// addMany adds customers by one statement and returns its batch.
func (p *env) addMany(n int) uuid.UUID {
	p.Helper()
	p.exec(`INSERT INTO customer (fullname, commercial_id, email) SELECT 'Zoé ' || n, commercial_id, 'zoe@example.fr' FROM customer, generate_series(1, $1) AS n WHERE id = 1`, n)
	return one[uuid.UUID](p, "SELECT batch FROM change ORDER BY id DESC LIMIT 1")
}

// kept are the names of what an undo has kept, with the reasons.
func kept(rows []gen.UndoRow) string {
	var list []string
	for _, row := range rows {
		if !row.Undone {
			list = append(list, fmt.Sprintf("%s: %s", row.Name, row.Reason))
		}
	}
	return strings.Join(list, "\n")
}

// TestUndoOfWhatWasAdded: many rows that were added at once go at once, but for those that were changed since, that a rule
// keeps, or that somebody is changing.
func TestUndoOfWhatWasAdded(t *testing.T) {
	t.Parallel()
	p := sample(t)
	ctx := t.Context()
	batch, user := p.addMany(1200), one[string](p, "SELECT session_user")
	p.exec("UPDATE customer SET company = 'Zed' WHERE fullname IN ('Zoé 7', 'Zoé 8')")
	p.exec("UPDATE customer SET company = NULL WHERE fullname = 'Zoé 8'")
	p.exec("INSERT INTO contract (id, customer_id, total_amount) SELECT gen_random_uuid(), id, 100 FROM customer WHERE fullname = 'Zoé 1100'")
	s := p.as("administrator1")
	tried := must[[]gen.UndoRow](t)(s.Undo(ctx, gen.UndoParams{Batch: batch, DryRun: true}))
	if n := one[int](p, "SELECT count(*) FROM customer WHERE email = 'zoe@example.fr'"); n != 1200 {
		t.Errorf("a dry run left %d", n)
	}
	want := "Zoé 1100: A contract belongs to an existing customer.\nZoé 7: changed since by sql:" + user + " (SQL)"
	same(t, "kept", kept(tried), want)

	changing := must[pgx.Tx](t)(p.conn.Begin(ctx))
	if _, err := changing.Exec(ctx, "UPDATE customer SET company = 'Late' WHERE fullname = 'Zoé 600'"); err != nil {
		t.Fatal(err)
	}
	var rows []gen.UndoRow
	done := make(chan error, 1)
	go func() {
		var err error
		rows, err = s.Undo(ctx, gen.UndoParams{Batch: batch})
		done <- err
	}()
	p.waits(p.svcDB)
	if err := changing.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	same(t, "kept", kept(rows), want+"\nZoé 600: changed since by sql:"+user+" (SQL)")
	if n := one[int](p, "SELECT count(*) FROM customer WHERE email = 'zoe@example.fr'"); len(rows) != 1200 || n != 3 {
		t.Errorf("%d rows, %d customers are left", len(rows), n)
	}
	if n := one[int](p, "SELECT count(*) FROM change WHERE undoes = $1", batch); n != 1197 {
		t.Errorf("the history has %d rows of the undo", n)
	}
	again := one[uuid.UUID](p, "SELECT batch FROM change ORDER BY id DESC LIMIT 1")
	same(t, "kept", kept(must[[]gen.UndoRow](t)(s.Undo(ctx, gen.UndoParams{Batch: again}))), "")
	if n := one[int](p, "SELECT count(*) FROM customer WHERE email = 'zoe@example.fr'"); n != 1200 {
		t.Errorf("%d customers are back", n)
	}
}

// TestUndoOfPaymentsAtOnce: payments are never deleted, so many are voided as one is.
func TestUndoOfPaymentsAtOnce(t *testing.T) {
	t.Parallel()
	p := sample(t)
	ctx := t.Context()
	p.exec(`INSERT INTO payment (id, contract_id, amount, received_on, recorded_by) SELECT gen_random_uuid(), $1, 1, '2026-03-01', 'x' FROM generate_series(1, 20)`, ownSigned)
	batch := one[uuid.UUID](p, "SELECT batch FROM change WHERE resource = 'payment' ORDER BY id DESC LIMIT 1")
	s := p.as("administrator1")
	must[gen.PaymentView](t)(voided(s.PaymentVoid(ctx, gen.PaymentVoidParams{
		ID: one[uuid.UUID](p, "SELECT id FROM payment WHERE recorded_by = 'x' ORDER BY id LIMIT 1"), Reason: "mistyped",
	})))
	rows := must[[]gen.UndoRow](t)(s.Undo(ctx, gen.UndoParams{Batch: batch}))
	reasons := one[string](p, "SELECT string_agg(DISTINCT void_reason || ' by ' || voided_by, ', ' ORDER BY void_reason || ' by ' || voided_by) FROM payment WHERE recorded_by = 'x'")
	same(t, "reasons", reasons, "mistyped by administrator1, undo of batch "+batch.String()[:8]+" by administrator1")
	same(t, "kept", kept(rows), one[string](p, "SELECT number FROM contract WHERE id = $1", ownSigned)+": changed since by administrator1 (payment void)")
}

func voided(change service.Change[gen.PaymentView], err error) (gen.PaymentView, error) {
	return change.Now, err
}
