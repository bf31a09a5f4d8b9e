package service_test

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/value"
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
