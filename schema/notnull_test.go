package schema_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/epicevents/crm/internal/dbtest"
)

// nullable are the columns that may be empty.
var nullable = []string{
	"customer.company", "customer.email", "customer.phone", "customer.address", // one of e-mail and phone is there
	"contract.signed_at", "contract.due_on", "event.start_at", "event.end_at", "event.attendees", "event.location", "event.note", "event.support_id",
	"session.name", "session.secret_hash", // a login has neither
	"employee.password_one_time_until", "employee.last_login_at", "customer.archived_at",
	"contract.sold_by_id", "contract.sold_by", "contract.cancelled_at", "contract.cancel_reason", // TestRules has when
	"event.cancelled_at", "event.cancel_reason",
	"note.by_id", "note.customer_id", "note.contract_id", "note.event_id", "reminder.customer_id", "reminder.contract_id", "reminder.event_id", "reminder.done_at",
	"payment.method", "payment.reference", "payment.voided_at", "payment.voided_by", "payment.voided_by_id", "payment.void_reason",
	"payment.recorded_by_id",                                                                            // not kept before it was introduced
	"change.by_id", "change.command", "change.undoes", "change.reason", "change.before", "change.after", // TestRules has the last two
}

// TestNotNull has every other column refuse NULL.
func TestNotNull(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.Sample(t))
	run(t, conn, `
		UPDATE customer SET company = 'Other' WHERE id = 1;
		ALTER TABLE payment DISABLE TRIGGER payment_stays_as_it_is;
		ALTER TABLE event DISABLE TRIGGER event_cancelled;
		INSERT INTO note (by, event_id, text) VALUES ('commercial1', 1, 'They called');
		ALTER TABLE note DISABLE TRIGGER note_stays_as_it_is;
		INSERT INTO reminder (due_on, for_id, event_id, text) VALUES ('2031-01-01', 1, 1, 'Call them');
		INSERT INTO session (id, employee_id) SELECT gen_random_uuid(), min(id) FROM employee;
		INSERT INTO login_failure (username, peer, failures, retry_at) VALUES ('commercial1', '', 1, now())`)
	for _, column := range all[string](t, conn, `
		SELECT attrelid::regclass || '.' || attname
		FROM pg_attribute
		JOIN pg_class ON pg_class.oid = attrelid
		WHERE relnamespace = 'public'::regnamespace
		  AND relkind = 'r'
		  AND relpersistence = 'p' -- what is on its way in waits in the others
		  AND attnum > 0
		  AND NOT attisdropped
		  AND attidentity = ''
		  AND attgenerated = ''
		ORDER BY 1`) {
		t.Run(column, func(t *testing.T) {
			table, name, _ := strings.Cut(column, ".")
			tx, err := conn.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Rollback(context.Background())
			where := ""
			if table == "change" {
				where = " WHERE after IS NOT NULL AND before IS NOT NULL"
			}
			_, err = tx.Exec(t.Context(), "UPDATE "+table+" SET "+name+" = NULL"+where)
			answer := refusal(t, err)
			refused := answer != nil && answer.Code == "23502" && answer.ColumnName == name
			if refused == slices.Contains(nullable, column) {
				t.Errorf("refused: %t (%v)", refused, err)
			}
		})
	}
}
