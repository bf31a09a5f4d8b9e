package cli

import (
	"context"
	"slices"

	"github.com/google/uuid"
	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/command"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/service"
)

func (a *app) customerOverview() *ffcli.Command {
	c := a.Command("overview", "show one customer with all that belongs to them: what they owe, contracts, payments, events").Examples(
		"crm customer overview 3",
		"crm customer overview ines ribeiro",
		"crm customer overview 3 -o json | jq '.contracts[].number'",
	)
	id := a.customerArgument(c).TakesAll()
	c.Checks(a.notCSV)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error { return a.showCustomer(ctx, s, id.Got) })
}

func (a *app) contractOverview() *ffcli.Command {
	c := a.Command("overview", "show one contract with its customer, payments and events").Examples(
		"crm contract overview 2026-0003",
		"crm contract overview 2026-0003 -o json | jq '.payments[].amount'",
	)
	contract := a.contractFlag(c, offer{}).AsArgument()
	c.Checks(a.notCSV)
	return doesToContract(c, contract, a.showContract)
}

func (a *app) eventSheet() *ffcli.Command {
	c := a.Command("sheet", "show what the support of an event needs on the day, to print: how the customer is reached, what is due, the notes").Examples(
		"crm event sheet 5",
	)
	id := a.eventArgument(c)
	show := command.ShowsSheet(c, eventSheets, sheetOf)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		row, err := s.EventSheet(ctx, id.Got)
		if err != nil {
			return err
		}
		return show(row)
	})
}

// sheetOf is how the sheet of an event looks: only of one that is cancelled it says so.
func sheetOf(row gen.EventSheetRow) render.Resource[gen.EventSheetRow] {
	if row.CancelledAt == nil {
		return eventSheets.Without("cancelled_at", "cancel_reason")
	}
	return eventSheets
}

// showEvent prints the sheet of an event.
func (a *app) showEvent(ctx context.Context, s service.Operations, id int64) error {
	row, err := s.EventSheet(ctx, id)
	if err != nil {
		return err
	}
	return render.Sheet(a.Output(), sheetOf(row), row)
}

// notCSV refuses before anything is asked or read.
func (a *app) notCSV(context.Context) error {
	if a.Config.Output == "csv" {
		return render.ErrNoCSV
	}
	return nil
}

// overviewRows is how many rows of a kind an overview has on a terminal.
const overviewRows = 20

// showCustomer prints the overview of a customer.
func (a *app) showCustomer(ctx context.Context, s service.Operations, id int64) error {
	limit := a.overviewLimit()
	o, err := s.CustomerOverview(ctx, id, limit)
	if err != nil {
		return err
	}
	all := &shortened{limit: limit}
	err = render.Overview(a.Output(), customerAccounts.Without("updated_at"), o.CustomerAccount,
		render.SectionOf("contracts", contracts.Without("customer", "company", "commercial_fullname", "updated_at"), cut(all, "contracts", o.Contracts)),
		paymentsOf(all, o.Payments), eventsOf(all, o.Events), remindersOf(all, o.Reminders), notesOf(all, o.Notes))
	return a.tellShortened(err, all)
}

// paymentsOf is the section of payments of one customer, or of one contract: what is void is seen to be.
func paymentsOf(s *shortened, rows []gen.PaymentView, same ...string) render.Section {
	var filters []string
	if slices.ContainsFunc(rows, func(p gen.PaymentView) bool { return p.VoidedAt != nil }) {
		filters = []string{"voided"}
	}
	hidden := append(same, "customer", "company", "commercial")
	return render.SectionOf("payments", payments.Without(hidden...), cut(s, "payments", rows), filters...)
}

// eventsOf is the section of events of one customer, or of one contract: what is cancelled is seen to be.
func eventsOf(s *shortened, rows []gen.EventView, same ...string) render.Section {
	var filters []string
	if slices.ContainsFunc(rows, func(e gen.EventView) bool { return e.CancelledAt != nil }) {
		filters = []string{"cancelled"}
	}
	hidden := append(same, "customer", "company", "commercial_fullname", "updated_at")
	return render.SectionOf("events", events.Without(hidden...), cut(s, "events", rows), filters...)
}

// remindersOf is the section of what is to be done about one customer, or about one contract.
func remindersOf(s *shortened, rows []gen.ReminderView, same ...string) render.Section {
	return render.SectionOf("reminders", reminders.Without(append(same, "customer", "done_at", "updated_at")...), cut(s, "reminders", rows))
}

// notesOf is the section of what was said of one customer, or of one contract.
func notesOf(s *shortened, rows []gen.NoteView, same ...string) render.Section {
	return render.SectionOf("notes", notes.Without(append(same, "customer")...), cut(s, "notes", rows))
}

// showContract prints the overview of a contract.
func (a *app) showContract(ctx context.Context, s service.Operations, id uuid.UUID) error {
	limit := a.overviewLimit()
	o, err := s.ContractOverview(ctx, id, limit)
	if err != nil {
		return err
	}
	all := &shortened{limit: limit}
	account := contractAccounts.Without("updated_at")
	if o.CancelledAt == nil {
		account = account.Without("cancelled_at", "cancel_reason")
	}
	return a.tellShortened(render.Overview(a.Output(), account, o.ContractAccount,
		paymentsOf(all, o.Payments, "number"), eventsOf(all, o.Events, "number"),
		remindersOf(all, o.Reminders, "number"), notesOf(all, o.Notes, "number")), all)
}

// overviewLimit is one row more than an overview shows on a terminal, by which it is known that there are others; nil
// elsewhere.
func (a *app) overviewLimit() *int64 {
	if !a.ShortTable() {
		return nil
	}
	return new(int64(overviewRows + 1))
}

// shortened is what an overview leaves out.
type shortened struct {
	limit *int64
	kinds []string
}

// cut returns the rows that are shown of a kind.
func cut[T any](s *shortened, kind string, rows []T) []T {
	if s.limit == nil || len(rows) < int(*s.limit) {
		return rows
	}
	s.kinds = append(s.kinds, kind)
	return rows[:*s.limit-1]
}

func (a *app) tellShortened(err error, s *shortened) error {
	if err != nil {
		return err
	}
	for _, kind := range s.kinds {
		a.Notice("Of the %s, the newest %d; -o json shows all", kind, overviewRows)
	}
	return nil
}

var customerAccounts = render.Resource[service.CustomerAccount]{
	Name: "customer", Title: "Customers", Hue: render.Cyan, Charge: "commercial_id",
	Looks: slices.Concat(customers.Looks, []render.Look{
		{Column: "bought_amount", Label: "Bought"},
		{Column: "paid_amount", Label: "Paid"},
		{Column: "due_amount", Label: "Due"},
		{Column: "overdue_amount", Label: "Of that overdue"},
		{Column: "draft_amount", Label: "Not signed yet"},
	}),
	Marks: []render.Mark[service.CustomerAccount]{
		{Tone: render.Wrong, Columns: []string{"overdue_amount", "due_since"}, When: func(c service.CustomerAccount) bool { return c.OverdueAmount > 0 }},
	},
}

var contractAccounts = render.Resource[service.ContractAccount]{
	Name: "contract", Title: "Contracts", Hue: render.Green, Charge: "commercial_id",
	Looks: slices.Concat(contracts.Looks, []render.Look{
		{Column: "paid_amount", Label: "Paid"},
		{Column: "customer_email", Label: "Customer e-mail"},
	}),
	Marks: []render.Mark[service.ContractAccount]{
		{Tone: render.Wrong, Columns: []string{"status"}, When: func(c service.ContractAccount) bool { return c.CancelledAt != nil }},
		{Tone: render.Waiting, Columns: []string{"status"}, When: func(c service.ContractAccount) bool { return !c.Signed }},
		{Word: "overdue", Sign: "!", Tone: render.Wrong, Columns: []string{"status", "due_on"}, When: func(c service.ContractAccount) bool { return isOverdue(c.ContractView) }},
	},
}

var eventSheets = render.Resource[gen.EventSheetRow]{
	Name: "event", Title: "Events", Hue: render.Orange, Charge: "support_id",
	Looks: []render.Look{
		{Column: "id", Label: "Event"},
		{Column: "start", Weekday: true},
		{Column: "end", Weekday: true},
		{Column: "support_id", DataOnly: true},
		{Column: "support", DataOnly: true},
		{Column: "support_fullname", Label: "Support", Absent: "nobody"},
		{Column: "customer_id", DataOnly: true},
		{Column: "customer_email", Label: "Customer e-mail"},
		{Column: "commercial_id", DataOnly: true},
		{Column: "commercial", DataOnly: true},
		{Column: "commercial_fullname", Label: "Commercial"},
		{Column: "contract", DataOnly: true},
		{Column: "number", Label: "Contract", Whole: true},
		{Column: "days_due", DataOnly: true}, // as of the day on which it is printed
		{Column: "note", Multiline: true},
		{Column: "notes", Multiline: true},
	},
	Marks: []render.Mark[gen.EventSheetRow]{
		{Tone: render.Waiting, Columns: []string{"support_fullname"}, When: func(e gen.EventSheetRow) bool { return e.Support == nil }},
		{Word: "overdue", Tone: render.Wrong, Columns: []string{"due_on"}, When: func(e gen.EventSheetRow) bool { return e.DaysDue != nil && *e.DaysDue > 0 }},
		{Tone: render.Wrong, Columns: []string{"cancelled_at"}, When: func(e gen.EventSheetRow) bool { return e.CancelledAt != nil }},
	},
}
