package cli

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/service"
)

// TestKnownAtPrintsTheSame: what a report printed, it prints again to the byte with --known-at of that time, whatever crm
// wrote since: 1 000 times, and every kind of write.
func TestKnownAtPrintsTheSame(t *testing.T) {
	t.Parallel()
	e := asEmployee(t, "administrator1")
	var then time.Time
	if err := e.conn.QueryRow(t.Context(), "SELECT clock_timestamp()").Scan(&then); err != nil {
		t.Fatal(err)
	}
	printed := func(knownAt ...string) (pages map[string]string) {
		pages = map[string]string{}
		for _, report := range []string{
			"receivables --by age", "receivables --by customer,commercial", "revenue --by month,commercial", "revenue --by customer",
			"receipts --by month,method", "receipts --by customer,commercial", "workload --by support", "workload --by month", "pipeline --by age", "pipeline --by commercial,customer",
		} {
			for _, format := range []string{"csv", "json", "table"} {
				args := append(append([]string{"report"}, strings.Fields(report)...), "-o", format)
				pages[report+" -o "+format] = e.must(t, append(args, knownAt...)...)
			}
		}
		return pages
	}
	knownAt := "--known-at=" + then.Format(time.RFC3339Nano)
	before := printed(knownAt)
	for report, page := range printed() {
		if !strings.HasSuffix(report, "table") && page != before[report] { // whose title says of when it is
			t.Errorf("%s is not that of now, but %q", report, before[report])
		}
	}
	e.write(t, 1000)
	if diff := cmp.Diff(before, printed(knownAt)); diff != "" {
		t.Errorf("(-as it was printed, +as it was known)\n%s", diff)
	}
	for report, page := range printed() {
		if !strings.HasSuffix(report, "table") && page == before[report] {
			t.Errorf("%s: a thousand writes changed nothing", report)
		}
	}
}

// write has crm write so often, of every kind, to what was there and to what is new.
func (e *employee) write(t *testing.T, times int) {
	t.Helper()
	ctx := t.Context()
	pool, err := service.Connect(ctx, e.config, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	key, err := service.NewKey([]byte(e.vars["CRM_CONTROLLER_AUTH_SECRET_KEY"]))
	if err != nil {
		t.Fatal(err)
	}
	svc := service.New(pool, key)
	as := func(username string) *service.Session {
		t.Helper()
		s, err := svc.As(e.beside(t, username).vars["CRM_TOKEN"])
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	administrator, support := as("administrator1"), as("support1")
	commercials := map[string]*service.Session{}
	for _, username := range []string{"commercial1", "commercial2", "commercial3"} {
		commercials[username] = as(username)
	}
	written := 0
	wrote := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s, after %d writes: %v", what, written, err)
		}
		written++
	}
	const reason = "for the test"
	var customers []gen.CustomerView
	for row, err := range administrator.CustomerList(ctx, gen.CustomerListParams{}) {
		if err != nil {
			t.Fatal(err)
		}
		customers = append(customers, row)
	}
	for n := 0; written < times; n++ {
		// What was there before changes hands, names, amounts and states.
		there := customers[n%len(customers)]
		to := fmt.Sprintf("commercial%d", 1+n%3)
		_, err := administrator.CustomerSetCommercial(ctx, gen.CustomerSetCommercialParams{ID: there.ID, Commercial: to})
		wrote("customer set-commercial", err)
		_, err = commercials[to].CustomerUpdate(ctx, gen.CustomerUpdateParams{ID: there.ID, Fullname: new(fmt.Sprintf("Somebody else %d", n))})
		wrote("customer update", err)
		for row, err := range administrator.ContractList(ctx, gen.ContractListParams{CustomerID: &there.ID}) {
			if err != nil {
				t.Fatal(err)
			}
			_, err = administrator.ContractUpdate(ctx, gen.ContractUpdateParams{ID: row.ID, TotalAmount: new(row.TotalAmount + 100), DueOn: new(value.Date("2026-03-01"))})
			wrote("contract update", err)
			if row.SignedAt == nil {
				_, err = administrator.ContractSign(ctx, row.ID)
				wrote("contract sign", err)
			}
			_, err = administrator.ContractAddPayment(ctx, gen.ContractAddPaymentParams{ID: uuid.New(), ContractID: row.ID, Amount: 50, ReceivedOn: new(value.Date("2026-03-02"))})
			wrote("contract add-payment", err)
		}
		for row, err := range administrator.PaymentList(ctx, gen.PaymentListParams{CustomerID: &there.ID, RowLimit: new(int64(1))}) {
			if err != nil {
				t.Fatal(err)
			}
			_, err = administrator.PaymentVoid(ctx, gen.PaymentVoidParams{ID: row.ID, Reason: reason})
			wrote("payment void", err)
		}
		for row, err := range administrator.EventList(ctx, gen.EventListParams{CustomerID: &there.ID}) {
			if err != nil {
				t.Fatal(err)
			}
			if n >= len(customers) {
				_, err = administrator.EventCancel(ctx, gen.EventCancelParams{ID: row.ID, Reason: reason})
				wrote("event cancel", err)
				continue
			}
			_, err = administrator.EventSetSupport(ctx, gen.EventSetSupportParams{ID: row.ID, Support: "support1"})
			wrote("event set-support", err)
			_, err = support.EventUpdate(ctx, gen.EventUpdateParams{ID: row.ID, Attendees: new(int32(n))})
			wrote("event update", err)
		}

		// What is new goes through all that may become of it.
		commercial := commercials[to]
		added, err := commercial.CustomerAdd(ctx, gen.CustomerAddParams{Fullname: fmt.Sprintf("New %d", n), Email: new(fmt.Sprintf("new%d@test.example", n))})
		wrote("customer add", err)
		customer := added.Now.ID
		draw := func() uuid.UUID {
			contract, err := administrator.ContractAdd(ctx, gen.ContractAddParams{CustomerID: customer, TotalAmount: 100_000})
			wrote("contract add", err)
			return contract.Now.ID
		}
		_, err = commercial.ContractCancel(ctx, gen.ContractCancelParams{ID: draw(), Reason: reason})
		wrote("contract cancel", err)
		_, err = commercial.CustomerArchive(ctx, gen.CustomerArchiveParams{ID: customer})
		wrote("customer archive", err)
		_, err = commercial.CustomerRestore(ctx, gen.CustomerRestoreParams{ID: customer})
		wrote("customer restore", err)
		contract := draw()
		_, err = commercial.ContractSign(ctx, contract)
		wrote("contract sign", err)
		_, err = administrator.ContractUnsign(ctx, gen.ContractUnsignParams{ID: contract, Reason: reason})
		wrote("contract unsign", err)
		_, err = commercial.ContractSign(ctx, contract)
		wrote("contract sign", err)
		_, err = commercial.ContractAddPayment(ctx, gen.ContractAddPaymentParams{ID: uuid.New(), ContractID: contract, Amount: 100_000, ReceivedOn: new(value.Date("2026-04-01"))})
		wrote("contract add-payment", err)
		_, err = commercial.EventAdd(ctx, gen.EventAddParams{ContractID: contract, Name: "New", StartAt: new(time.Date(2026, 5, 1+n%28, 12, 0, 0, 0, time.UTC)), Attendees: new(int32(7))})
		wrote("event add", err)

		// So do those who work here.
		_, err = administrator.EmployeeUpdate(ctx, gen.EmployeeUpdateParams{CurrentUsername: new("commercial1"), Fullname: new(fmt.Sprintf("Another %d", n))})
		wrote("employee update", err)
		_, err = administrator.EmployeeDeactivate(ctx, "none1")
		wrote("employee deactivate", err)
		_, err = administrator.EmployeeReactivate(ctx, "none1")
		wrote("employee reactivate", err)
	}
	_, err = administrator.EmployeeHandover(ctx, service.HandoverParams{EmployeeHandoverParams: gen.EmployeeHandoverParams{Username: "commercial3", Successor: "commercial2", Customers: true}})
	wrote("employee handover", err)
	var batch uuid.UUID
	if err := e.conn.QueryRow(ctx, "SELECT batch FROM change WHERE command = 'employee handover' LIMIT 1").Scan(&batch); err != nil {
		t.Fatal(err)
	}
	_, err = administrator.Undo(ctx, gen.UndoParams{Batch: batch})
	wrote("undo", err)
	if err := e.conn.QueryRow(ctx, "SELECT batch FROM change WHERE resource = 'payment' AND command = 'contract add-payment' ORDER BY id LIMIT 1").Scan(&batch); err != nil {
		t.Fatal(err)
	}
	_, err = administrator.Undo(ctx, gen.UndoParams{Batch: batch})
	wrote("undo", err)
}
