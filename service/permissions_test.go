package service_test

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/remote"
	"github.com/epicevents/crm/service"
)

// target is what a call is aimed at.
type target struct {
	name               string
	customer           int64
	unsigned, contract uuid.UUID
	event              int64 // in the charge of a support
	sold               int64 // an event in the charge of a commercial
	payment            uuid.UUID
	employee           *string // whose logins and tokens; nil for one's own
}

// noContract leaves customers with whom there is no business. A payment would stay.
const noContract = "DELETE FROM reminder; ALTER TABLE payment DISABLE TRIGGER payment_stays; DELETE FROM event; DELETE FROM payment; DELETE FROM contract; ALTER TABLE payment ENABLE TRIGGER payment_stays"

// noCustomer makes a database into which the sample data can be put.
const noCustomer = noContract + "; DELETE FROM customer"

// secondEntries makes a second entry of each customer, with the same commercial.
const secondEntries = "INSERT INTO customer (id, fullname, commercial_id, email) OVERRIDING SYSTEM VALUE SELECT id + 9000, fullname, commercial_id, email FROM customer WHERE email IS NOT NULL"

// paymentsOfToday are recorded by commercial1, for a customer of theirs and for another's.
const paymentsOfToday = `INSERT INTO payment (id, contract_id, amount, recorded_by, recorded_by_id)
	SELECT paid.id, paid.contract_id, 1, 'commercial1', employee.id
	FROM (VALUES ('a0000000-0000-0000-0000-000000000001'::uuid, 'b1fca6de-884d-4803-b760-ebd7f8cac475'::uuid), ('b0000000-0000-0000-0000-000000000002', 'b0f94adc-0ac3-46cb-bb52-cecbf41673e5')) AS paid (id, contract_id),
	     employee
	WHERE username = 'commercial1'`

// about is an event that belongs to a customer of commercial1 and is run by support1, or one that neither has to do with.
func (on target) about() *int64 {
	if on.name == "own" {
		return &on.event
	}
	return new(int64(6))
}

// reminder is one for whoever asks, or for none1.
func (on target) reminder(s service.Operations) int64 {
	if on.name == "own" {
		return s.EmployeeID()
	}
	return 9
}

const (
	aNote         = "INSERT INTO note (id, by, event_id, text) OVERRIDING SYSTEM VALUE VALUES (1, 'commercial1', 1, 'They called') ON CONFLICT DO NOTHING"
	aReminderEach = "INSERT INTO reminder (id, due_on, for_id, event_id, text) OVERRIDING SYSTEM VALUE SELECT id, current_date, id, 1, 'Call them' FROM employee ON CONFLICT DO NOTHING"
)

var targets = []target{
	{"own", ownCustomer, ownUnsigned, ownSigned, ownEvent, 4, uuid.MustParse("a0000000-0000-0000-0000-000000000001"), nil},
	{"another's", foreignCustomer, foreignUnsigned, foreignSigned, foreignEvent, 3, uuid.MustParse("b0000000-0000-0000-0000-000000000002"), new("none2")},
}

// call is how the walk uses an operation: with values that nothing but a missing right can refuse.
type call struct {
	writes bool
	before string // SQL that makes the call possible
	do     func(ctx context.Context, s service.Operations, on target) error
}

const goodPassword = "un mot de passe assez long"

var calls = map[string]call{
	"AuthWhoami": {do: func(ctx context.Context, s service.Operations, _ target) error { return second(s.AuthWhoami(ctx)) }},
	"AuthLogout": {writes: true, do: func(ctx context.Context, s service.Operations, _ target) error { return s.AuthLogout(ctx) }},
	"AuthChangePassword": {writes: true, do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(s.AuthChangePassword(ctx, password, goodPassword))
	}},
	"AuthSessions": {do: func(ctx context.Context, s service.Operations, on target) error {
		return second(all(s.AuthSessions(ctx, gen.AuthSessionsParams{Username: on.employee})))
	}},
	"AuthSessionsCount": {do: func(ctx context.Context, s service.Operations, on target) error {
		return second(s.AuthSessionsCount(ctx, gen.AuthSessionsParams{Username: on.employee}))
	}},
	"AuthSessionsRevoke": {writes: true, before: "INSERT INTO session (id, employee_id) SELECT gen_random_uuid(), id FROM employee",
		do: func(ctx context.Context, s service.Operations, on target) error {
			return second(s.AuthSessionsRevoke(ctx, gen.AuthSessionsRevokeParams{Username: on.employee}))
		}},
	"AuthTokenList": {do: func(ctx context.Context, s service.Operations, on target) error {
		return second(all(s.AuthTokenList(ctx, gen.AuthTokenListParams{Username: on.employee})))
	}},
	"AuthTokenListCount": {do: func(ctx context.Context, s service.Operations, on target) error {
		return second(s.AuthTokenListCount(ctx, gen.AuthTokenListParams{Username: on.employee}))
	}},
	"AuthTokenCreate": {writes: true, do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(s.AuthTokenCreate(ctx, "another", false, false, time.Hour))
	}},
	"AuthTokenRevoke": {writes: true, before: "INSERT INTO session (id, employee_id, name, secret_hash) SELECT gen_random_uuid(), id, 'old', sha256('') FROM employee",
		do: func(ctx context.Context, s service.Operations, on target) error {
			return second(s.AuthTokenRevoke(ctx, gen.AuthTokenRevokeParams{Name: new("old"), Username: on.employee}))
		}},
	"EmployeeList": {do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(all(s.EmployeeList(ctx, gen.EmployeeListParams{})))
	}},
	"EmployeeCount": {do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(s.EmployeeCount(ctx, gen.EmployeeListParams{}))
	}},
	"EmployeeDetail": {do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(s.EmployeeDetail(ctx, "support2"))
	}},
	"EmployeeFind": {do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(s.EmployeeFind(ctx, gen.EmployeeFindParams{Username: new("support2")}))
	}},
	"EmployeeUsernames": {do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(s.EmployeeUsernames(ctx))
	}},
	"EmployeeAdd": {writes: true, do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(s.EmployeeAdd(ctx, gen.EmployeeAddParams{Username: "new", Fullname: "Somebody New", Role: gen.RoleNone}, goodPassword))
	}},
	"EmployeeUpdate": {writes: true, do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(s.EmployeeUpdate(ctx, gen.EmployeeUpdateParams{CurrentUsername: new("support2"), Fullname: new("Other Name")}))
	}},
	"EmployeeSetRole": {writes: true, do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(s.EmployeeSetRole(ctx, gen.EmployeeSetRoleParams{Username: "none2", Role: gen.RoleAdministrator}))
	}},
	"EmployeeSetPassword": {writes: true, do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(s.EmployeeSetPassword(ctx, "support2", goodPassword, false))
	}},
	"EmployeeUnlock": {writes: true, before: "INSERT INTO login_failure VALUES ('support2', 5, now())",
		do: func(ctx context.Context, s service.Operations, _ target) error {
			_, _, err := s.EmployeeUnlock(ctx, "support2")
			return err
		}},
	"EmployeeDeactivate": {writes: true, do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(s.EmployeeDeactivate(ctx, "none2"))
	}},
	"EmployeeReactivate": {writes: true, before: "UPDATE employee SET active = false WHERE username = 'none2'",
		do: func(ctx context.Context, s service.Operations, _ target) error {
			return second(s.EmployeeReactivate(ctx, "none2"))
		}},
	"EmployeeHandover": {writes: true, do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(s.EmployeeHandover(ctx, service.HandoverParams{EmployeeHandoverParams: gen.EmployeeHandoverParams{
			Username: "commercial2", Successor: "commercial3", Customers: true, Events: true}}))
	}},
	"EmployeeImport": {writes: true, do: func(ctx context.Context, s service.Operations, _ target) error {
		return written(s.EmployeeImport(ctx, byID, rowsOf(gen.EmployeeImportStageParams{Line: 2, Username: new("lea"), Fullname: new("Léa")})))
	}},
	"EmployeeDelete": {writes: true, do: func(ctx context.Context, s service.Operations, _ target) error { return s.EmployeeDelete(ctx, "none2") }},
	"CustomerArchive": {writes: true, before: noContract, do: func(ctx context.Context, s service.Operations, on target) error {
		return second(s.CustomerArchive(ctx, gen.CustomerArchiveParams{ID: on.customer}))
	}},
	"CustomerRestore": {writes: true, before: noContract + "; UPDATE customer SET archived_at = now()",
		do: func(ctx context.Context, s service.Operations, on target) error {
			return second(s.CustomerRestore(ctx, gen.CustomerRestoreParams{ID: on.customer}))
		}},
	"CustomerImport": {writes: true, do: func(ctx context.Context, s service.Operations, on target) error {
		p := byID
		p.OnMatch = gen.ImportOnMatchUpdate
		return written(s.CustomerImport(ctx, p, rowsOf(gen.CustomerImportStageParams{Line: 2, ID: &on.customer, Fullname: new("Zoé")})))
	}},
	"ContractImport": {writes: true, do: func(ctx context.Context, s service.Operations, on target) error {
		return written(s.ContractImport(ctx, byID, rowsOf(gen.ContractImportStageParams{Line: 2, CustomerID: &on.customer, TotalAmount: new(value.Cents(5))})))
	}},
	"PaymentImport": {writes: true, do: func(ctx context.Context, s service.Operations, on target) error {
		return written(s.PaymentImport(ctx, byID, rowsOf(gen.PaymentImportStageParams{Line: 2, ContractID: &on.contract, Amount: new(value.Cents(5))})))
	}},
	"EventImport": {writes: true, do: func(ctx context.Context, s service.Operations, on target) error {
		return written(s.EventImport(ctx, byID, rowsOf(gen.EventImportStageParams{Line: 2, ContractID: &on.contract, Name: new("Bal")})))
	}},
	"ContractReconcile": {writes: true, do: func(ctx context.Context, s service.Operations, on target) error {
		numbers := map[uuid.UUID]string{ownSigned: "2026-0005", foreignSigned: "2026-0003"}
		return second(s.ContractReconcile(ctx, service.ReconcileParams{Apply: true}, rowsOf(gen.ContractReconcileStageParams{
			Line: 2, BookedOn: "2026-11-02", Amount: 5, Label: "VIREMENT " + numbers[on.contract]})))
	}},
	"CustomerList": {do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(all(s.CustomerList(ctx, gen.CustomerListParams{})))
	}},
	"CustomerCount": {do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(s.CustomerCount(ctx, gen.CustomerListParams{}))
	}},
	"CustomerDetail": {do: func(ctx context.Context, s service.Operations, on target) error {
		return second(s.CustomerDetail(ctx, on.customer))
	}},
	"CustomerAdd": {writes: true, do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(s.CustomerAdd(ctx, gen.CustomerAddParams{Fullname: "Zoé", Company: new("Zed"), Email: new("z@example.com"), Phone: new(value.Phone("+33145670102"))}))
	}},
	"CustomerDuplicates": {do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(all(s.CustomerDuplicates(ctx, gen.CustomerDuplicatesParams{})))
	}},
	"CustomerDuplicatesCount": {do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(s.CustomerDuplicatesCount(ctx, gen.CustomerDuplicatesParams{}))
	}},
	"CustomerMerge": {writes: true, before: secondEntries, do: func(ctx context.Context, s service.Operations, on target) error {
		_, _, err := s.CustomerMerge(ctx, service.MergeParams{CustomerMergeParams: gen.CustomerMergeParams{KeepID: on.customer, DropID: on.customer + 9000}})
		return err
	}},
	"CustomerUpdate": {writes: true, do: func(ctx context.Context, s service.Operations, on target) error {
		return second(s.CustomerUpdate(ctx, gen.CustomerUpdateParams{ID: on.customer, Company: new("Other")}))
	}},
	"CustomerSetCommercial": {writes: true, do: func(ctx context.Context, s service.Operations, on target) error {
		return second(s.CustomerSetCommercial(ctx, gen.CustomerSetCommercialParams{ID: on.customer, Commercial: "commercial3"}))
	}},
	"ContractList": {do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(all(s.ContractList(ctx, gen.ContractListParams{})))
	}},
	"ContractCount": {do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(s.ContractCount(ctx, gen.ContractListParams{}))
	}},
	"ContractDetail": {do: func(ctx context.Context, s service.Operations, on target) error {
		return second(s.ContractDetail(ctx, on.contract))
	}},
	"ContractFind": {do: func(ctx context.Context, s service.Operations, on target) error {
		return second(s.ContractFind(ctx, on.contract.String()[:8]))
	}},
	"ContractUnsign": {writes: true, before: "ALTER TABLE payment DISABLE TRIGGER payment_stays; DELETE FROM event; DELETE FROM payment", do: func(ctx context.Context, s service.Operations, on target) error {
		return second(s.ContractUnsign(ctx, gen.ContractUnsignParams{ID: on.contract, Reason: "by mistake"}))
	}},
	"ContractCancel": {writes: true, do: func(ctx context.Context, s service.Operations, on target) error {
		return second(s.ContractCancel(ctx, gen.ContractCancelParams{ID: on.unsigned, Reason: "went elsewhere"}))
	}},
	"PaymentList": {do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(all(s.PaymentList(ctx, gen.PaymentListParams{})))
	}},
	"PaymentCount": {do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(s.PaymentCount(ctx, gen.PaymentListParams{}))
	}},
	"PaymentDetail": {before: paymentsOfToday, do: func(ctx context.Context, s service.Operations, on target) error {
		return second(s.PaymentDetail(ctx, on.payment))
	}},
	"PaymentFind": {before: paymentsOfToday, do: func(ctx context.Context, s service.Operations, on target) error {
		return second(s.PaymentFind(ctx, on.payment.String()[:8]))
	}},
	"PaymentVoid": {writes: true, before: paymentsOfToday, do: func(ctx context.Context, s service.Operations, on target) error {
		return second(s.PaymentVoid(ctx, gen.PaymentVoidParams{ID: on.payment, Reason: "typed twice"}))
	}},
	"ContractAdd": {writes: true, do: func(ctx context.Context, s service.Operations, on target) error {
		return second(s.ContractAdd(ctx, gen.ContractAddParams{CustomerID: on.customer, TotalAmount: 100}))
	}},
	"ContractUpdate": {writes: true, do: func(ctx context.Context, s service.Operations, on target) error {
		return second(s.ContractUpdate(ctx, gen.ContractUpdateParams{ID: on.contract, TotalAmount: new(value.Cents(99_999_999))}))
	}},
	"ContractSign": {writes: true, do: func(ctx context.Context, s service.Operations, on target) error {
		return second(s.ContractSign(ctx, on.unsigned))
	}},
	"ContractAddPayment": {writes: true, do: func(ctx context.Context, s service.Operations, on target) error {
		return second(s.ContractAddPayment(ctx, gen.ContractAddPaymentParams{ID: uuid.New(), ContractID: on.contract, Amount: 100}))
	}},
	"EventList": {do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(all(s.EventList(ctx, gen.EventListParams{})))
	}},
	"EventCount": {do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(s.EventCount(ctx, gen.EventListParams{}))
	}},
	"EventDetail": {do: func(ctx context.Context, s service.Operations, on target) error {
		return second(s.EventDetail(ctx, on.event))
	}},
	"EventSheet": {do: func(ctx context.Context, s service.Operations, on target) error {
		return second(s.EventSheet(ctx, on.event))
	}},
	"CustomerOverview": {do: func(ctx context.Context, s service.Operations, on target) error {
		return second(s.CustomerOverview(ctx, on.customer, nil))
	}},
	"ContractOverview": {do: func(ctx context.Context, s service.Operations, on target) error {
		return second(s.ContractOverview(ctx, on.contract, nil))
	}},
	"Find": {do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(all(s.Find(ctx, service.FindParams{Text: "ines"})))
	}},
	"FindCount": {do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(s.FindCount(ctx, service.FindParams{Text: "ines"}))
	}},
	"EventIcs": {do: func(ctx context.Context, s service.Operations, on target) error {
		return second(all(s.EventIcs(ctx, gen.EventIcsParams{ID: &on.event})))
	}},
	"EventStaff": {do: func(ctx context.Context, s service.Operations, on target) error {
		return second(s.EventStaff(ctx, on.event))
	}},
	"Today": {do: func(ctx context.Context, s service.Operations, on target) error {
		return second(all(s.Today(ctx, gen.TodayParams{For: on.employee})))
	}},
	"TodayCount": {do: func(ctx context.Context, s service.Operations, on target) error {
		return second(s.TodayCount(ctx, gen.TodayParams{For: on.employee}))
	}},
	"EventClashes": {do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(all(s.EventClashes(ctx, gen.EventClashesParams{})))
	}},
	"EventClashesCount": {do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(s.EventClashesCount(ctx, gen.EventClashesParams{}))
	}},
	"EventAdd": {writes: true, do: func(ctx context.Context, s service.Operations, on target) error {
		return second(s.EventAdd(ctx, gen.EventAddParams{ContractID: on.contract, Name: "Party"}))
	}},
	"EventSetSupport": {writes: true, do: func(ctx context.Context, s service.Operations, on target) error {
		support := map[int64]string{ownEvent: "support2", foreignEvent: "support1"}[on.event]
		return second(s.EventSetSupport(ctx, gen.EventSetSupportParams{ID: on.event, Support: support}))
	}},
	"EventCancel": {writes: true, do: func(ctx context.Context, s service.Operations, on target) error {
		return second(s.EventCancel(ctx, gen.EventCancelParams{ID: on.sold, Reason: "no snow"}))
	}},
	"EventUpdate": {writes: true, do: func(ctx context.Context, s service.Operations, on target) error {
		return second(s.EventUpdate(ctx, gen.EventUpdateParams{ID: on.event, Attendees: new(int32(7))}))
	}},
	"NoteList": {do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(all(s.NoteList(ctx, gen.NoteListParams{})))
	}},
	"NoteCount": {do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(s.NoteCount(ctx, gen.NoteListParams{}))
	}},
	"NoteDetail": {before: aNote, do: func(ctx context.Context, s service.Operations, _ target) error { return second(s.NoteDetail(ctx, 1)) }},
	"NoteAdd": {writes: true, do: func(ctx context.Context, s service.Operations, on target) error {
		return second(s.NoteAdd(ctx, gen.NoteAddParams{EventID: on.about(), Text: "They called"}))
	}},
	"ReminderList": {do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(all(s.ReminderList(ctx, gen.ReminderListParams{})))
	}},
	"ReminderCount": {do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(s.ReminderCount(ctx, gen.ReminderListParams{}))
	}},
	"ReminderDetail": {before: aReminderEach, do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(s.ReminderDetail(ctx, 1))
	}},
	"ReminderAdd": {writes: true, do: func(ctx context.Context, s service.Operations, on target) error {
		return second(s.ReminderAdd(ctx, gen.ReminderAddParams{EventID: on.about(), Text: "Call them", DueOn: "2031-01-01"}))
	}},
	"ReminderDone": {writes: true, before: aReminderEach, do: func(ctx context.Context, s service.Operations, on target) error {
		return second(s.ReminderDone(ctx, on.reminder(s)))
	}},
	"ReminderDelete": {writes: true, before: aReminderEach, do: func(ctx context.Context, s service.Operations, on target) error {
		return s.ReminderDelete(ctx, on.reminder(s))
	}},
	"History": {do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(all(s.History(ctx, gen.HistoryParams{})))
	}},
	"HistoryCount": {do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(s.HistoryCount(ctx, gen.HistoryParams{}))
	}},
	"Changes": {do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(all(s.Changes(ctx, service.ChangesParams{})))
	}},
	"ChangeFind": {before: "UPDATE customer SET company = 'Other' WHERE id = 1; UPDATE change SET batch = 'c0000000-0000-0000-0000-000000000000' WHERE before IS NOT NULL",
		do: func(ctx context.Context, s service.Operations, _ target) error {
			return second(s.ChangeFind(ctx, "c0000000"))
		}},
	"ReportReceivables": {do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(all(s.ReportReceivables(ctx, gen.ReportReceivablesParams{By: []string{"age"}, KnownAt: new(time.Now())})))
	}},
	"ReportRevenue": {do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(all(s.ReportRevenue(ctx, gen.ReportRevenueParams{By: []string{"month"}, KnownAt: new(time.Now())})))
	}},
	"ReportReceipts": {do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(all(s.ReportReceipts(ctx, gen.ReportReceiptsParams{By: []string{"month"}, KnownAt: new(time.Now())})))
	}},
	"ReportWorkload": {do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(all(s.ReportWorkload(ctx, gen.ReportWorkloadParams{By: []string{"month"}, KnownAt: new(time.Now())})))
	}},
	"ReportPipeline": {do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(all(s.ReportPipeline(ctx, gen.ReportPipelineParams{By: []string{"age"}, KnownAt: new(time.Now())})))
	}},
	"Undo": {writes: true, before: "UPDATE customer SET company = 'Other' WHERE id = 1; UPDATE change SET batch = 'c0000000-0000-0000-0000-000000000000' WHERE before IS NOT NULL",
		do: func(ctx context.Context, s service.Operations, _ target) error {
			return second(s.Undo(ctx, gen.UndoParams{Batch: uuid.MustParse("c0000000-0000-0000-0000-000000000000")}))
		}},
	"Check": {do: func(ctx context.Context, s service.Operations, _ target) error {
		return second(all(s.Check(ctx, gen.CheckParams{})))
	}},
	"DbPopulate": {writes: true, before: noCustomer,
		do: func(ctx context.Context, s service.Operations, _ target) error { return s.DbPopulate(ctx) }},
}

// TestPermissions calls every operation as every role, on what is theirs and on what is not, and with a session that is
// over, here and over the wire. Each call has a transaction of its own, which is rolled back.
func TestPermissions(t *testing.T) {
	t.Parallel()
	expected := readPermissions(t)
	for i, role := range gen.AllRoleValues() {
		t.Run(string(role), func(t *testing.T) {
			t.Parallel()
			p := sample(t)
			p.employee("none2", "none")
			token := p.token(string(role) + "1")
			for operation, scopes := range expected {
				on := targets
				if strings.HasPrefix(operation, "Employee") {
					on = targets[:1] // an employee is in nobody's charge
				}
				for _, on := range on {
					want := failure.PermissionDenied
					if scopes[i] == "all" || scopes[i] == "own" && on.name == "own" {
						want = ""
					}
					walk(t, p, operation, string(role)+" on "+on.name, token, on, want)
				}
			}
		})
	}
	for _, kind := range []struct {
		name     string
		readOnly bool
		enough   []string
	}{
		{"a token", false, []string{"read", "write"}},
		{"a read-only token", true, []string{"read"}},
	} {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			p := sample(t)
			p.employee("none2", "none")
			for i, role := range gen.AllRoleValues() {
				token := must[service.Token](t)(p.as(string(role)+"1").AuthTokenCreate(t.Context(), "walk", kind.readOnly, false, time.Hour))
				for operation, row := range expected {
					want := failure.PermissionDenied
					if (row[i] == "all" || row[i] == "own") && slices.Contains(kind.enough, row[4]) {
						want = ""
					}
					walk(t, p, operation, string(role)+" with "+kind.name, token.Secret, targets[0], want)
				}
			}
		})
	}
	t.Run("one-time password", func(t *testing.T) {
		t.Parallel()
		p := sample(t)
		p.employee("none2", "none")
		p.exec("UPDATE employee SET password_one_time = true WHERE username <> 'none2'")
		for operation := range expected {
			want := failure.PermissionDenied
			if slices.Contains([]string{"AuthWhoami", "AuthLogout", "AuthChangePassword"}, operation) {
				want = ""
			}
			walk(t, p, operation, "one who has not changed the first password", p.token("administrator1"), targets[0], want)
		}
	})
	t.Run("logged out", func(t *testing.T) {
		t.Parallel()
		p := sample(t)
		p.employee("none2", "none")
		ended, expired := p.token("administrator1"), p.claims("administrator1")
		if err := must[*service.Session](t)(p.svc.As(ended)).AuthLogout(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.exec("UPDATE session SET created_at = now() - interval '31 minutes', expires_at = now() - interval '1 second' WHERE id = $1", expired["jti"])
		for operation := range expected {
			walk(t, p, operation, "one who logged out", ended, targets[0], failure.Unauthenticated)
			walk(t, p, operation, "one whose session expired", sign(t, hs256, testSecret, expired), targets[0], failure.Unauthenticated)
		}
	})
}

// fresh puts logins off: one that is a minute old would be by any operation, which is no change of its own.
const fresh = "UPDATE session SET expires_at = least(clock_timestamp() + idle, limit_at) WHERE expires_at > clock_timestamp() AND name IS NULL"

func walk(t *testing.T, p *env, operation, who, token string, on target, want failure.Code) {
	t.Helper()
	walkBy(t, p, near, operation, who, token, on, want)
	walkBy(t, p, far, operation, who+" over the wire", token, on, want)
}

// way is how somebody gets to a Service.
type way func(testing.TB, *service.Service) service.Accounts

func near(_ testing.TB, svc *service.Service) service.Accounts { return svc.Accounts() }

// far is a client of a server with this Service, over a socket.
func far(t testing.TB, svc *service.Service) service.Accounts {
	t.Helper()
	folder, err := os.MkdirTemp("", "crm") // that of the test may have too long a name
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(folder, "crm.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	server := &remote.Server{Service: svc, Version: "test", Log: slog.New(slog.DiscardHandler)}
	go func() { ended <- server.Serve(ctx, remote.Listener{Listener: listener}) }()
	client, err := remote.Dial("unix://"+socket, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		os.RemoveAll(folder)
	})
	return client
}

func walkBy(t *testing.T, p *env, by way, operation, who, token string, on target, want failure.Code) {
	t.Helper()
	tx, err := p.ownerDB.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.Background())
	call, ok := calls[operation]
	if !ok {
		t.Fatalf("no call of %s", operation)
	}
	if _, err := tx.Exec(t.Context(), call.before+"; "+fresh); err != nil {
		t.Fatal(err)
	}
	s, err := by(t, service.New(tx, testKey)).As(token)
	if err != nil {
		t.Fatal(err)
	}
	sum := func() string { // of the owner, who may read everything; crm works as the role that owns nothing
		t.Helper()
		if _, err := tx.Exec(t.Context(), "RESET ROLE"); err != nil {
			t.Fatal(err)
		}
		sum := checksum(t, tx)
		if _, err := tx.Exec(t.Context(), "SET LOCAL ROLE "+p.config.User); err != nil {
			t.Fatal(err)
		}
		return sum
	}
	before := sum()
	err = call.do(t.Context(), s, on)
	var got failure.Code
	if err != nil {
		got = failure.CodeOf(err)
	}
	if got != want {
		t.Errorf("%s as %s: %q (%v), want %q", operation, who, got, err, want)
		return
	}
	now := sum()
	if changed, wants := now != before, call.writes && want == ""; changed != wants {
		t.Errorf("%s as %s: rows changed is %t, want %t", operation, who, changed, wants)
	}
	// Another salt makes another hash, and a payment has its id from its caller.
	if now == before || !service.Repeats(operation) || operation == "EmployeeSetPassword" || operation == "ContractAddPayment" {
		return
	}
	again, err := tx.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s, err = by(t, service.New(again, testKey)).As(token); err != nil {
		t.Fatal(err)
	}
	if err = call.do(t.Context(), s, on); err == nil && sum() != now {
		t.Errorf("%s as %s may be repeated, and then changes something more", operation, who)
	}
}

// TestRepeats holds the column of what may be repeated to that of rights and to what the walk sees.
func TestRepeats(t *testing.T) {
	t.Parallel()
	for operation, row := range readPermissions(t) {
		if reads := service.Reads(operation); reads != (row[4] == "read") || reads == calls[operation].writes || reads && !service.Repeats(operation) {
			t.Errorf("%s: it reads is %t, it needs %s, it changes rows is %t", operation, reads, row[4], calls[operation].writes)
		}
	}
	if service.Reads("Login") || service.Repeats("Login") {
		t.Error("what is not in the table is repeated")
	}
}

// TestNobody cannot even get a Session.
func TestNobody(t *testing.T) {
	t.Parallel()
	s, err := service.New(nil, testKey).As("")
	fails(t, failure.Unauthenticated, "You are not logged in.", err)
	if s != nil {
		t.Error("a Session of nobody")
	}
}

func TestPermissionDeniedSaysWho(t *testing.T) {
	t.Parallel()
	p := sample(t)
	support, nobody := p.as("support1"), p.as("none1")
	p.refuses(failure.PermissionDenied, `"crm employee delete" is for the role administrator; support1 has the role support.`,
		func() error { return support.EmployeeDelete(t.Context(), "none1") })
	p.refuses(failure.PermissionDenied, `"crm contract add-payment" is for the role commercial or administrator; none1 has the role none.`,
		func() error {
			return second(nobody.ContractAddPayment(t.Context(), gen.ContractAddPaymentParams{ContractID: ownSigned, Amount: 1}))
		})
}
