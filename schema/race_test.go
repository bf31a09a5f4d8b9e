package schema_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/epicevents/crm/internal/dbtest"
)

const (
	rounds              = 50
	serializationFailed = "40001"
)

// in returns an action that executes the statement in a transaction of its own, which has seen the data beforehand.
func in(t *testing.T, conn *pgx.Conn, level pgx.TxIsoLevel, statement string, args ...any) func(context.Context) error {
	t.Helper()
	tx, err := conn.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: level})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "SELECT FROM employee"); err != nil {
		t.Fatal(err)
	}
	return func(ctx context.Context) error {
		if _, err := tx.Exec(ctx, statement, args...); err != nil {
			return rollback(ctx, tx, err)
		}
		return tx.Commit(ctx)
	}
}

func rollback(ctx context.Context, tx pgx.Tx, err error) error {
	if rollbackErr := tx.Rollback(ctx); rollbackErr != nil {
		return rollbackErr
	}
	return err
}

func TestAdministratorsRemoveEachOther(t *testing.T) {
	t.Parallel()
	const (
		remove = "DELETE FROM employee WHERE username = $1"
		demote = "UPDATE employee SET role = 'none' WHERE username = $1"
	)
	for _, level := range []pgx.TxIsoLevel{pgx.ReadCommitted, pgx.RepeatableRead, pgx.Serializable} {
		for name, statements := range map[string][2]string{
			"delete": {remove, remove}, "demote": {demote, demote}, "delete and demote": {remove, demote},
		} {
			t.Run(fmt.Sprintf("%s %s", level, name), func(t *testing.T) {
				t.Parallel()
				config := dbtest.Empty(t)
				conn, left, right := dbtest.Connect(t, config), dbtest.Connect(t, config), dbtest.Connect(t, config)
				for round := range rounds {
					one, other := fmt.Sprintf("one%d", round), fmt.Sprintf("other%d", round)
					run(t, conn, `INSERT INTO employee (username, fullname, role, password_hash)
						VALUES ($1, 'One', 'administrator', '$argon2id$'), ($2, 'Other', 'administrator', '$argon2id$')`, one, other)
					run(t, conn, `DELETE FROM employee WHERE username NOT IN ($1, $2)`, one, other)
					errs := together(t.Context(),
						in(t, left, level, statements[0], other),
						in(t, right, level, statements[1], one))

					if got := administrators(t, conn); got != 1 {
						t.Fatalf("%d administrators are left: %v", got, errs)
					}
					refused := 0
					for _, err := range errs {
						answer := refusal(t, err)
						switch {
						case answer == nil:
						case answer.Code == byTrigger, answer.Code == serializationFailed && level != pgx.ReadCommitted:
							refused++
						default:
							t.Fatal(err)
						}
					}
					if refused != 1 {
						t.Fatalf("%d were refused: %v", refused, errs)
					}
				}
			})
		}
	}
}

func administrators(t *testing.T, conn *pgx.Conn) int {
	t.Helper()
	return one[int](t, conn, "SELECT count(*) FROM employee WHERE role = 'administrator'")
}

// TestHandingOverToWhoLeaves hands a customer to a commercial, or an event to a support, who leaves or changes role at
// this instant.
func TestHandingOverToWhoLeaves(t *testing.T) {
	t.Parallel()
	const (
		remove = "DELETE FROM employee WHERE username = 'newcomer'"
		change = "UPDATE employee SET role = 'none' WHERE username = 'newcomer'"
	)
	tests := []struct {
		role, leave, handOver, table, constraint, charge string
	}{
		{"commercial", remove, "UPDATE customer SET commercial_id = $1 WHERE company = 'Fado & Co'",
			"customer", "customer_commercial_fkey", "1 customer (crm customer set-commercial)"},
		{"commercial", change, "UPDATE customer SET commercial_id = $1 WHERE company = 'Fado & Co'",
			"customer", "customer_commercial_fkey", "1 customer (crm customer set-commercial)"},
		{"support", remove, "UPDATE event SET support_id = $1 WHERE name = 'Soirée fado'",
			"event", "event_support_fkey", "1 event (crm event set-support)"},
		{"support", change, "UPDATE event SET support_id = $1 WHERE name = 'Soirée fado'",
			"event", "event_support_fkey", "1 event (crm event set-support)"},
	}
	for _, test := range tests {
		t.Run(test.handOver[:12]+" "+test.leave[:6], func(t *testing.T) {
			t.Parallel()
			config := dbtest.Sample(t)
			conn, left, right := dbtest.Connect(t, config), dbtest.Connect(t, config), dbtest.Connect(t, config)
			inCharge := "Replace this employee first: in charge of " + test.charge + "."
			rule := comment(t, conn, test.table, test.constraint)
			for range rounds {
				run(t, conn, `
					UPDATE customer SET commercial_id = (SELECT id FROM employee WHERE username = 'commercial1') WHERE company = 'Fado & Co';
					UPDATE event SET support_id = NULL WHERE name = 'Soirée fado';
					DELETE FROM employee WHERE username = 'newcomer'`)
				newcomer := one[int64](t, conn, `INSERT INTO employee (username, fullname, role, password_hash)
					VALUES ('newcomer', 'New', $1::text::role, '$argon2id$') RETURNING id`, test.role)

				errs := together(t.Context(),
					in(t, left, pgx.ReadCommitted, test.handOver, newcomer),
					in(t, right, pgx.ReadCommitted, test.leave))

				switch handOver, leave := refusal(t, errs[0]), refusal(t, errs[1]); {
				case handOver == nil && leave != nil:
					if leave.Code != byTrigger || leave.Message != inCharge {
						t.Fatalf("leaving: %v", leave)
					}
				case handOver != nil && leave == nil:
					if handOver.ConstraintName != test.constraint || comment(t, conn, handOver.TableName, handOver.ConstraintName) != rule {
						t.Fatalf("handing over: %v", handOver)
					}
				default:
					t.Fatalf("not one of the two was refused: %v", errs)
				}
				if one[bool](t, conn, `
					SELECT EXISTS (SELECT FROM customer LEFT JOIN employee ON employee.id = commercial_id WHERE role IS DISTINCT FROM 'commercial')
					    OR EXISTS (SELECT FROM event LEFT JOIN employee ON employee.id = support_id WHERE support_id IS NOT NULL AND role IS DISTINCT FROM 'support')`) {
					t.Fatal("somebody is in charge who may not")
				}
			}
		})
	}
}

// TestPaymentsAtTheSameTime lets 16 pay a tenth each of a contract that is being signed. None waits in a circle.
func TestPaymentsAtTheSameTime(t *testing.T) {
	t.Parallel()
	config := dbtest.Sample(t)
	conn, signer := dbtest.Connect(t, config), dbtest.Connect(t, config)
	payers := make([]*pgx.Conn, 16)
	for i := range payers {
		payers[i] = dbtest.Connect(t, config)
	}
	for range rounds {
		contract := one[string](t, conn, `INSERT INTO contract (customer_id, total_amount) SELECT min(id), 1000 FROM customer RETURNING id::text`)
		actions := []func(context.Context) error{func(ctx context.Context) error {
			_, err := signer.Exec(ctx, `UPDATE contract SET signed_at = now() WHERE id = $1`, contract)
			return err
		}}
		for _, payer := range payers {
			actions = append(actions, func(ctx context.Context) error {
				_, err := payer.Exec(ctx, `INSERT INTO payment (id, contract_id, amount, recorded_by) VALUES (gen_random_uuid(), $1, 100, 'commercial1')`, contract)
				return err
			})
		}
		refused := 0
		for i, err := range together(t.Context(), actions...) {
			switch answer := refusal(t, err); {
			case answer == nil:
			case i > 0 && answer.ConstraintName == "contract_not_overpaid":
				refused++
			default:
				t.Fatal(err)
			}
		}
		if refused != 6 {
			t.Fatalf("%d payments were refused, want 6", refused)
		}
		if !one[bool](t, conn, `
			SELECT paid_amount = 1000 AND signed AND (SELECT sum(amount) FROM payment WHERE contract_id = contract.id) = 1000
			FROM contract
			WHERE id = $1`, contract) {
			t.Fatal("the sum of the payments is not exact")
		}
	}
}

func TestEventOfContractBeingUnsigned(t *testing.T) {
	t.Parallel()
	config := dbtest.Sample(t)
	conn, left, right := dbtest.Connect(t, config), dbtest.Connect(t, config), dbtest.Connect(t, config)
	for range rounds {
		contract := one[string](t, conn, `INSERT INTO contract (customer_id, total_amount, signed_at) SELECT min(id), 1000, now() FROM customer RETURNING id::text`)
		errs := together(t.Context(),
			in(t, left, pgx.ReadCommitted, `INSERT INTO event (name, contract_id) VALUES ('Fête', $1)`, contract),
			in(t, right, pgx.ReadCommitted, `UPDATE contract SET signed_at = NULL WHERE id = $1`, contract))
		added, unsigned := refusal(t, errs[0]), refusal(t, errs[1])
		if (added == nil) == (unsigned == nil) {
			t.Fatalf("not one of the two was refused: %v", errs)
		}
		for _, answer := range []*pgconn.PgError{added, unsigned} {
			if answer != nil && answer.ConstraintName != "event_contract_fkey" {
				t.Fatal(answer)
			}
		}
		if !one[bool](t, conn, `SELECT signed = EXISTS (SELECT FROM event WHERE contract_id = contract.id) FROM contract WHERE id = $1`, contract) {
			t.Fatal("an event of an unsigned contract")
		}
	}
}

// TestContractNumbersHaveNoGaps has many draw up contracts at once, of which each third fails after its number was given.
func TestContractNumbersHaveNoGaps(t *testing.T) {
	t.Parallel()
	config := dbtest.Sample(t)
	conn := dbtest.Connect(t, config)
	var adders sync.WaitGroup
	for adder := range 64 {
		adders.Go(func() {
			own, err := pgx.ConnectConfig(t.Context(), config)
			if err != nil {
				t.Error(err)
				return
			}
			defer own.Close(context.Background())
			for round := range 6 {
				err := pgx.BeginFunc(t.Context(), own, func(tx pgx.Tx) error {
					if _, err := tx.Exec(t.Context(), "INSERT INTO contract (customer_id, total_amount, created_at) VALUES (1, 1, '2026-06-01')"); err != nil {
						return err
					}
					if (adder+round)%3 == 0 {
						return pgx.ErrTxCommitRollback
					}
					return nil
				})
				if err != nil && !errors.Is(err, pgx.ErrTxCommitRollback) {
					t.Error(err)
				}
			}
		})
	}
	adders.Wait()
	if !one[bool](t, conn, `
		SELECT count(*) = 20 + 64 * 4 AND min(number) = '2026-0001' AND max(number) = '2026-0276' AND count(DISTINCT number) = count(*)
		FROM contract`) {
		t.Errorf("the numbers are %v", all[string](t, conn, "SELECT number FROM contract ORDER BY number"))
	}
}
