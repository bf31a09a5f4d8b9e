package service_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/service"
)

// TestEmployeeDeactivate: who leaves is out at once, and to a login it is as if there were no such employee.
func TestEmployeeDeactivate(t *testing.T) {
	t.Parallel()
	p := sample(t)
	ctx := t.Context()
	p.employee("leaver", "commercial")
	p.exec("UPDATE employee SET password_hash = (SELECT password_hash FROM employee WHERE username = 'none1') WHERE username = 'leaver'")
	s, leaver := p.as("administrator1"), p.as("leaver")
	if change := must[service.Change[gen.EmployeeView]](t)(s.EmployeeDeactivate(ctx, "leaver")); !change.Before.Active || change.Now.Active {
		t.Errorf("%+v", change)
	}
	fails(t, failure.Unauthenticated, sessionOver, second(leaver.AuthWhoami(ctx)))
	fails(t, failure.Unauthenticated, "Unknown username or wrong password.", p.login("leaver", password))
	if n := one[int](p, "SELECT count(*) FROM session JOIN employee ON employee.id = employee_id WHERE username = 'leaver'"); n != 0 {
		t.Errorf("%d sessions remain", n)
	}
	fails(t, failure.Conflict, "leaver is inactive; a customer needs a commercial who is not.",
		second(s.CustomerSetCommercial(ctx, gen.CustomerSetCommercialParams{ID: ownCustomer, Commercial: "leaver"})))
	fails(t, failure.Conflict, "support3 is inactive; an event needs a support who is not.",
		second(s.EventSetSupport(ctx, gen.EventSetSupportParams{ID: 9, Support: "support3"})))
	for _, row := range must[[]gen.EmployeeView](t)(all(s.EmployeeList(ctx, gen.EmployeeListParams{}))) {
		if !row.Active {
			t.Errorf("%s is in the list", row.Username)
		}
	}
	if n := must[int64](t)(s.EmployeeCount(ctx, gen.EmployeeListParams{Inactive: true})); n != 11 {
		t.Errorf("%d employees with those who are inactive", n)
	}

	// Back again, with the password of before.
	if change := must[service.Change[gen.EmployeeView]](t)(s.EmployeeReactivate(ctx, "leaver")); change.Before.Active || !change.Now.Active {
		t.Errorf("%+v", change)
	}
	if err := p.login("leaver", password); err != nil {
		t.Error(err)
	}

	p.refuses(failure.NotFound, `There is no employee "nobody".`, func() error { return second(s.EmployeeDeactivate(ctx, "nobody")) })
	p.refuses(failure.Conflict, "Hand over first what is in the charge of this employee: 4 customers (crm employee handover).",
		func() error { return second(s.EmployeeDeactivate(ctx, "commercial1")) })
	must[service.Change[gen.EmployeeView]](t)(s.EmployeeDeactivate(ctx, "administrator2"))
	must[service.Change[gen.EmployeeView]](t)(s.EmployeeDeactivate(ctx, "administrator3"))
	p.refuses(failure.Conflict, "The last administrator stays active: make another one first (crm employee set-role).",
		func() error { return second(s.EmployeeDeactivate(ctx, "administrator1")) })
}

// TestLoginWhileDeactivated: a login that has shown the right password waits for the deactivation, and then is none.
func TestLoginWhileDeactivated(t *testing.T) {
	t.Parallel()
	p := sample(t)
	tx := must[pgx.Tx](t)(p.conn.Begin(t.Context()))
	if _, err := tx.Exec(t.Context(), "UPDATE employee SET active = false WHERE username = 'none1'"); err != nil {
		t.Fatal(err)
	}
	result := make(chan error, 1)
	go func() { result <- p.login("none1", password) }()
	p.waits(p.svcDB)
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	fails(t, failure.Unauthenticated, "Unknown username or wrong password.", <-result)
}

// TestLoginsAreSeen: several logins of one employee, each of which writes down when it was, wait for each other and for nothing else.
func TestLoginsAreSeen(t *testing.T) {
	t.Parallel()
	p := sample(t)
	p.exec("UPDATE employee SET password_hash = $1 WHERE username = 'none1'", cheapHash())
	const logins = 8
	results := make(chan error, logins)
	for range logins {
		svc := service.New(p.connect(p.config), testKey)
		go func() { results <- second(svc.Login(context.WithoutCancel(t.Context()), "none1", password)) }()
	}
	for range logins {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if n := one[int](p, "SELECT count(*) FROM employee WHERE last_login_at > now() - interval '1 minute'"); n != 1 {
		t.Errorf("%d employees have logged in", n)
	}
	if n := one[int](p, "SELECT count(*) FROM change WHERE after ? 'last_login_at'"); n != 0 {
		t.Errorf("%d changes are logins", n)
	}
}

func handover(from, to string) service.HandoverParams {
	return service.HandoverParams{EmployeeHandoverParams: gen.EmployeeHandoverParams{Username: from, Successor: to, Customers: true, Events: true}}
}

// TestEmployeeHandover: all of it or nothing, the past stays, and undone it is as before but for what was changed since.
func TestEmployeeHandover(t *testing.T) {
	t.Parallel()
	p := sample(t)
	ctx := t.Context()
	p.exec(`INSERT INTO customer (fullname, commercial_id, email) SELECT 'Client ' || n, id, 'c' || n || '@example.fr' FROM employee, generate_series(1, 26) AS n WHERE username = 'commercial1'`)
	p.exec(`INSERT INTO customer (fullname, commercial_id, email, archived_at) SELECT 'Gone', id, 'gone@example.fr', now() FROM employee WHERE username = 'commercial1'`)
	p.exec(`INSERT INTO event (name, contract_id, support_id, start_at) SELECT 'Day ' || n, $1, id, now() + n * interval '1 day' FROM employee, generate_series(1, 12) AS n WHERE username = 'support1'`, ownSigned)
	s := p.as("administrator1")
	before := checksum(t, p.conn)

	try := handover("commercial1", "commercial2")
	try.DryRun = true
	tried := must[[]gen.EmployeeHandoverRow](t)(s.EmployeeHandover(ctx, try))
	if checksum(t, p.conn) != before {
		t.Error("a dry run changed something")
	}
	rows := must[[]gen.EmployeeHandoverRow](t)(s.EmployeeHandover(ctx, handover("commercial1", "commercial2")))
	same(t, "what was tried", tried, rows)
	if len(rows) != 30 || rows[29].Resource != "customer" {
		t.Errorf("%d rows: %+v", len(rows), rows)
	}
	if n := one[int](p, "SELECT count(*) FROM customer_view WHERE commercial = 'commercial1'"); n != 1 {
		t.Errorf("%d customers remain, want the archived one", n)
	}
	if n := len(must[[]gen.EmployeeHandoverRow](t)(s.EmployeeHandover(ctx, handover("commercial1", "commercial2")))); n != 0 {
		t.Errorf("%d rows the second time", n)
	}
	if rows := must[[]gen.EmployeeHandoverRow](t)(s.EmployeeHandover(ctx, handover("support1", "support2"))); len(rows) != 13 || rows[0].NextEvent == nil || rows[12].Resource != "reminder" {
		t.Errorf("%d events and reminders: %+v", len(rows), rows)
	}
	if n := one[int](p, "SELECT count(*) FROM event_view WHERE support = 'support1'"); n != 4 {
		t.Errorf("%d events of the past remain with support1", n)
	}
	must[service.Change[gen.EmployeeView]](t)(s.EmployeeDeactivate(ctx, "commercial1"))
	must[service.Change[gen.EmployeeView]](t)(s.EmployeeDeactivate(ctx, "support1"))

	// A rule refuses all of it.
	refusals := []struct {
		code    failure.Code
		message string
		p       service.HandoverParams
	}{
		{failure.Conflict, "commercial1 is inactive; a customer needs a commercial who is not.", handover("commercial2", "commercial1")},
		{failure.Conflict, "support2 has the role support; a customer needs a commercial.", handover("commercial2", "support2")},
		{failure.Conflict, "commercial2 has the role commercial; an event needs a support.", handover("support2", "commercial2")},
		{failure.Conflict, "support1 is inactive; a reminder needs somebody who is not.", handover("support2", "support1")},
		{failure.NotFound, `There is no employee "nobody".`, handover("nobody", "commercial2")},
		{failure.NotFound, `There is no employee "nobody".`, handover("commercial2", "nobody")},
	}
	for _, refusal := range refusals {
		for _, dryRun := range []bool{false, true} {
			refusal.p.DryRun = dryRun
			p.refuses(refusal.code, refusal.message, func() error { return second(s.EmployeeHandover(ctx, refusal.p)) })
		}
	}

	// It is taken back, but for a customer whom somebody has given to another since.
	must[service.Change[gen.EmployeeView]](t)(s.EmployeeReactivate(ctx, "commercial1"))
	must[service.Change[gen.CustomerView]](t)(s.CustomerSetCommercial(ctx, gen.CustomerSetCommercialParams{ID: ownCustomer, Commercial: "commercial3"}))
	var batch struct{ Batch [16]byte }
	if err := p.conn.QueryRow(ctx, "SELECT batch FROM change WHERE command = 'employee handover' ORDER BY id LIMIT 1").Scan(&batch.Batch); err != nil {
		t.Fatal(err)
	}
	undone := must[[]gen.UndoRow](t)(s.Undo(ctx, gen.UndoParams{Batch: batch.Batch}))
	kept := 0
	for _, row := range undone {
		if !row.Undone {
			kept++
			if row.ResourceID != "1" && !strings.Contains(row.Reason, "changed since by administrator1") {
				t.Errorf("%+v", row)
			}
		}
	}
	if len(undone) != 30 || kept != 1 {
		t.Errorf("%d rows, %d kept", len(undone), kept)
	}
	if n := one[int](p, "SELECT count(*) FROM customer_view WHERE commercial = 'commercial1'"); n != 30 {
		t.Errorf("%d customers are back", n)
	}
}

// TestCustomerArchive: out of the lists while there is no business, and back.
func TestCustomerArchive(t *testing.T) {
	t.Parallel()
	p := sample(t)
	ctx := t.Context()
	s, administrator := p.as("commercial3"), p.as("administrator1")
	if n := must[int64](t)(s.CustomerCount(ctx, gen.CustomerListParams{})); n != 13 {
		t.Errorf("%d customers", n)
	}
	if n := must[int64](t)(s.CustomerCount(ctx, gen.CustomerListParams{Archived: true})); n != 14 {
		t.Errorf("%d customers with the archived one", n)
	}
	for range 2 { // the second time nothing is changed
		change := must[service.Change[gen.CustomerView]](t)(s.CustomerArchive(ctx, gen.CustomerArchiveParams{ID: 14}))
		same(t, "archived already", *change.Before, change.Now)
	}
	p.refuses(failure.Conflict, "The customer of a contract that is not signed or not paid is not archived (crm customer restore).",
		func() error {
			return second(administrator.ContractAdd(ctx, gen.ContractAddParams{CustomerID: 14, TotalAmount: 5}))
		})
	if change := must[service.Change[gen.CustomerView]](t)(s.CustomerRestore(ctx, gen.CustomerRestoreParams{ID: 14})); change.Now.ArchivedAt != nil || change.Before.ArchivedAt == nil {
		t.Errorf("%+v", change)
	}
	if change := must[service.Change[gen.CustomerView]](t)(s.CustomerArchive(ctx, gen.CustomerArchiveParams{ID: 14})); change.Now.ArchivedAt == nil || change.Before.ArchivedAt != nil {
		t.Errorf("%+v", change)
	}
	p.refuses(failure.Conflict, "Settle first what is open of this customer: 1 contract that is not signed or not paid (crm contract list --customer-id 13) and 1 event to come (crm event list --customer-id 13).",
		func() error { return second(s.CustomerArchive(ctx, gen.CustomerArchiveParams{ID: 13})) })
	p.refuses(failure.PermissionDenied, "Customer 1 is in the charge of commercial1, not of commercial3.",
		func() error { return second(s.CustomerArchive(ctx, gen.CustomerArchiveParams{ID: 1})) })
	p.refuses(failure.PermissionDenied, "Customer 1 is in the charge of commercial1, not of commercial3.",
		func() error { return second(s.CustomerRestore(ctx, gen.CustomerRestoreParams{ID: 1})) })
	p.refuses(failure.NotFound, "There is no customer 99.", func() error { return second(s.CustomerRestore(ctx, gen.CustomerRestoreParams{ID: 99})) })
}

// TestArchivedMeanwhile: a contract and the archiving of its customer wait for each other, and one of the two is refused.
func TestArchivedMeanwhile(t *testing.T) {
	t.Parallel()
	for name, statements := range map[string][2]string{
		"contract first": {"INSERT INTO contract (customer_id, total_amount) VALUES (15, 100)", "UPDATE customer SET archived_at = now() WHERE id = 15"},
		"archived first": {"UPDATE customer SET archived_at = now() WHERE id = 15", "INSERT INTO contract (customer_id, total_amount) VALUES (15, 100)"},
		"event first": {"INSERT INTO event (name, contract_id) SELECT 'Fête', id FROM contract WHERE customer_id = 15",
			"UPDATE customer SET archived_at = now() WHERE id = 15"},
		"archived before an event": {"UPDATE customer SET archived_at = now() WHERE id = 15",
			"INSERT INTO event (name, contract_id) SELECT 'Fête', id FROM contract WHERE customer_id = 15"},
		"put in charge first": {"UPDATE customer SET commercial_id = (SELECT id FROM employee WHERE username = 'leaver') WHERE id = 15",
			"UPDATE employee SET active = false WHERE username = 'leaver'"},
		"deactivated first": {"UPDATE employee SET active = false WHERE username = 'leaver'",
			"UPDATE customer SET commercial_id = (SELECT id FROM employee WHERE username = 'leaver') WHERE id = 15"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := sample(t)
			p.employee("leaver", "commercial")
			p.exec("INSERT INTO customer (fullname, commercial_id, email) SELECT 'Jo', id, 'jo@example.fr' FROM employee WHERE username = 'commercial1'")
			if strings.Contains(name, "event") {
				p.exec(`INSERT INTO contract (id, customer_id, total_amount, signed_at) VALUES ('a0000000-0000-0000-0000-00000000000a', 15, 0, now())`)
			}
			first := must[pgx.Tx](t)(p.conn.Begin(t.Context()))
			if _, err := first.Exec(t.Context(), statements[0]); err != nil {
				t.Fatal(err)
			}
			other := p.connect(p.owner)
			result := make(chan error, 1)
			go func() { result <- second(other.Exec(context.WithoutCancel(t.Context()), statements[1])) }()
			p.waits(other)
			if err := first.Commit(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := <-result; err == nil {
				t.Error("both were done")
			}
		})
	}
}

// TestHandoverTakesReminders: what is not done goes along, about what is handed over, or all of it.
func TestHandoverTakesReminders(t *testing.T) {
	t.Parallel()
	p := sample(t)
	ctx := t.Context()
	p.employee("leaver", "commercial")
	for _, reminder := range []struct{ text, for_, about string }{
		{"customer", "commercial1", "(SELECT 1::bigint), NULL, NULL"},
		{"contract", "commercial1", "NULL, (SELECT id FROM contract WHERE customer_id = 1 ORDER BY id LIMIT 1), NULL"},
		{"elsewhere", "commercial1", "(SELECT min(id) FROM customer_view WHERE commercial = 'commercial3'), NULL, NULL"},
		{"another's", "commercial2", "(SELECT 1::bigint), NULL, NULL"},
		{"event", "support2", "NULL, NULL, 9"},
	} {
		p.exec("INSERT INTO reminder (due_on, for_id, text, customer_id, contract_id, event_id) SELECT '2026-01-02', id, $1, "+reminder.about+
			" FROM employee WHERE username = $2", reminder.text, reminder.for_)
	}
	p.exec(`INSERT INTO reminder (due_on, for_id, text, customer_id, done_at) SELECT '2026-01-02', id, 'done', 1, now() FROM employee WHERE username = 'commercial1'`)
	s := p.as("administrator1")
	takes := func(h service.HandoverParams, want string) {
		t.Helper()
		var got []string
		for _, row := range must[[]gen.EmployeeHandoverRow](t)(s.EmployeeHandover(ctx, h)) {
			if row.Resource == "reminder" && row.DueOn != nil && *row.DueOn == "2026-01-02" {
				got = append(got, row.Name)
			}
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%+v took %q, want %q", h, text, want)
		}
	}
	part := func(from, to string, customers, events bool) service.HandoverParams {
		h := handover(from, to)
		h.Customers, h.Events, h.DryRun = customers, events, true
		return h
	}
	takes(part("commercial1", "commercial2", true, false), "customer contract")
	takes(part("commercial1", "commercial2", false, true), "")
	takes(part("support2", "support1", false, true), "event")
	takes(part("support2", "support1", true, false), "")
	takes(handover("commercial1", "commercial2"), "customer contract elsewhere")
	if n := one[int](p, "SELECT count(*) FROM reminder_view WHERE \"for\" = 'commercial2' AND due_on = '2026-01-02'"); n != 4 {
		t.Errorf("commercial2 has %d of them", n)
	}
	if n := one[int](p, "SELECT count(*) FROM reminder_view WHERE \"for\" = 'commercial1' AND due_on = '2026-01-02'"); n != 1 {
		t.Errorf("commercial1 keeps %d of them, want what is done", n)
	}
	must[service.Change[gen.EmployeeView]](t)(s.EmployeeDeactivate(ctx, "leaver"))
	p.refuses(failure.Conflict, "leaver is inactive; a reminder needs somebody who is not.", func() error {
		return second(s.EmployeeHandover(ctx, handover("commercial2", "leaver")))
	})
}
