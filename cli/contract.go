package cli

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/command"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/cli/terminal"
	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/service"
)

func (a *app) contractCommands() *ffcli.Command {
	return command.Group("contract", "contracts and their payments",
		a.contractList(),
		a.contractDetail(),
		a.contractOverview(),
		a.contractAdd(),
		a.contractUpdate(),
		a.contractSign(),
		a.contractUnsign(),
		a.contractCancel(),
		a.contractImport(),
		a.contractReconcile(),
		a.contractAddPayment(),
		a.contractPayments(),
	)
}

func (a *app) contractList() *ffcli.Command {
	c := a.Command("list", "list contracts, oldest first").Examples(
		"crm contract list --not-paid-filter",
		"crm contract list --not-paid-filter -o csv > unpaid.csv",
		"crm contract list --mine --sort total_due:desc --limit 10",
	)
	notSigned := c.Switch("not-signed-filter", "only those that are not signed")
	notPaid := c.Switch("not-paid-filter", "only those that are not fully paid")
	mine := c.Switch("mine", "only those of your own customers")
	commercial := a.employeeFlag(c, "commercial", "only those of this commercial's customers").
		From(a.pickEmployee(gen.RoleCommercial))
	customer := a.customerFlag(c, "only those of this customer")
	signed := c.Switch("signed-filter", "only those that are signed")
	signedFrom := command.Flag(c, "signed-from", "DATE", "only those that were signed on this day or later", a.ParseDate)
	signedTo := command.Flag(c, "signed-to", "DATE", "only those that were signed on this day or before", a.ParseDate)
	status := command.Enum(c, "status", "STATUS", "only those of this status: %s", gen.AllContractStatusValues())
	overdue := c.Switch("overdue", "only those that are signed, not fully paid, and past their day")
	changed := command.Flag(c, "changed-since", "DATE", "only those that were changed at this time or later", a.ParseTime)
	search := command.SearchFlag(c, "the customer's name, company, e-mail or phone")
	c.Excludes("not-signed-filter", "signed-filter", "signed-from", "signed-to", "overdue", "status")
	c.Excludes("not-paid-filter", "status")
	c.Excludes("signed-filter", "status")
	c.Excludes("overdue", "status")
	l := command.ListFlags(c, contracts).Totals(c)
	open := opening(a, c, contractChoice, func(ctx context.Context, s service.Operations, row gen.ContractView) error {
		return a.showContract(ctx, s, row.ID)
	})
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		if err := a.existingUsername(ctx, s, commercial); err != nil {
			return err
		}
		if err := existingCustomer(ctx, s, customer); err != nil {
			return err
		}
		p := gen.ContractListParams{
			NotSigned:    *notSigned,
			NotPaid:      *notPaid,
			Signed:       *signed,
			Overdue:      *overdue,
			Status:       status.Pointer(),
			SignedFrom:   signedFrom.Pointer(),
			SignedTo:     signedTo.Pointer(),
			ChangedSince: changed.Pointer(),
			CommercialID: command.MineOnly(s, *mine),
			Commercial:   commercial.Pointer(),
			CustomerID:   customer.Pointer(),
			Search:       search.Pointer(),
			Sort:         l.Order(),
			RowLimit:     l.RowLimit(),
		}
		asked, err := open(ctx, s, func(typed string) iter.Seq2[gen.ContractView, error] {
			p := p
			p.Search, p.RowLimit = joined(p.Search, typed), nil
			return s.ContractList(ctx, p)
		})
		if asked {
			return err
		}
		return command.ShowSums(ctx, l, contracts, s.ContractList(ctx, p), func(ctx context.Context) (gen.ContractCountRow, error) {
			return s.ContractCount(ctx, p)
		})
	})
}

func (a *app) contractDetail() *ffcli.Command {
	c := a.Command("detail", "show one contract").Examples("crm contract detail b0f94a")
	contract := a.contractFlag(c, offer{}).AsArgument()
	show := command.Shows(c, contracts)
	return doesToContract(c, contract, func(ctx context.Context, s service.Operations, id uuid.UUID) error {
		row, err := s.ContractDetail(ctx, id)
		if err != nil {
			return err
		}
		return show(row)
	})
}

func (a *app) contractAdd() *ffcli.Command {
	c := a.Command("add", "draw up a contract for a customer").Examples(
		`crm contract add --customer-id 3 --total-amount "1 234,50"`,
	)
	customer := a.customerFlag(c, "the customer").Needed()
	total := command.Flag(c, "total-amount", "EUROS", "total amount, such as 1234.50", value.ParseMoney).Needed()
	due := command.Flag(c, "due", "DATE", "the day by which it is to be paid", a.ParseDate).Titled("Due on").Offered()
	show := command.ShowsChange(c, contracts)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		change, err := s.ContractAdd(ctx, gen.ContractAddParams{CustomerID: customer.Got, TotalAmount: total.Got, DueOn: due.Pointer()})
		if err != nil {
			return err
		}
		return show(change)
	})
}

func (a *app) contractUpdate() *ffcli.Command {
	c := a.Command("update", "change the total amount, the customer or the day it is due of a contract").Examples(
		"crm contract update b0f94a --total-amount 9900",
		"crm contract update b0f94a --customer-id 6",
	)
	contract := a.contractFlag(c, offer{}).AsArgument()
	total := command.Flag(c, "total-amount", "EUROS", "total amount, such as 1234.50", value.ParseMoney)
	customer := a.customerFlag(c, "the customer it goes to")
	due := command.Flag(c, "due", "DATE", "the day by which it is to be paid", a.ParseDate).Titled("Due on").InColumn("due_on")
	expected := c.Updates(total, customer, due)
	emptied := c.Clears("due")
	show := command.ShowsChange(c, contracts)
	return doesToContract(c, contract, func(ctx context.Context, s service.Operations, id uuid.UUID) error {
		if ok, err := command.Edit(ctx, c, contracts, func() (gen.ContractView, error) { return s.ContractDetail(ctx, id) }); !ok {
			return err
		}
		change, err := s.ContractUpdate(ctx, gen.ContractUpdateParams{
			ID: id, TotalAmount: total.Pointer(), CustomerID: customer.Pointer(), DueOn: due.Pointer(), Clear: emptied(), Expected: expected(),
		})
		if err != nil {
			return err
		}
		return show(change)
	})
}

func (a *app) contractSign() *ffcli.Command {
	c := a.Command("sign", "record that the customer has signed").Examples("crm contract sign fb819b")
	contract := a.contractFlag(c, offer{list: gen.ContractListParams{NotSigned: true}, what: "to sign"}).AsArgument()
	show := command.ShowsChange(c, contracts)
	return doesToContract(c, contract, func(ctx context.Context, s service.Operations, id uuid.UUID) error {
		change, err := s.ContractSign(ctx, id)
		if err != nil {
			return err
		}
		if change.Before.Signed {
			a.Notice("The contract was signed already; nothing was changed.")
		}
		return show(change)
	})
}

func (a *app) contractUnsign() *ffcli.Command {
	c := a.Command("unsign", "withdraw a signature that was recorded by mistake").Examples(
		`crm contract unsign 2026-0018 --reason "another contract was signed"`,
	)
	contract := a.contractFlag(c, offer{list: gen.ContractListParams{Signed: true}, what: "that is signed"}).AsArgument()
	reason := reasonFlag(c)
	show := command.ShowsChange(c, contracts)
	return doesToContract(c, contract, func(ctx context.Context, s service.Operations, id uuid.UUID) error {
		change, err := s.ContractUnsign(ctx, gen.ContractUnsignParams{ID: id, Reason: reason.Got})
		if err != nil {
			return err
		}
		if !change.Before.Signed {
			a.Notice("The contract was not signed; nothing was changed.")
		}
		return show(change)
	})
}

func (a *app) contractCancel() *ffcli.Command {
	c := a.Command("cancel", "cancel a contract; its payments are voided and its events cancelled first").Examples(
		`crm contract cancel 2026-0014 --reason "the customer went elsewhere"`,
	)
	contract := a.contractFlag(c, offer{}).AsArgument()
	reason := reasonFlag(c)
	show := command.ShowsChange(c, contracts)
	return doesToContract(c, contract, func(ctx context.Context, s service.Operations, id uuid.UUID) error {
		change, err := s.ContractCancel(ctx, gen.ContractCancelParams{ID: id, Reason: reason.Got})
		if err != nil {
			return err
		}
		if change.Before.CancelledAt != nil {
			a.Notice("The contract was cancelled already; nothing was changed.")
		}
		return show(change)
	})
}

func (a *app) contractAddPayment() *ffcli.Command {
	c := a.Command("add-payment", "record a payment").Examples(
		"crm contract add-payment b0f94a --payment 1500",
		`crm contract add-payment b0f94a --payment "1 234,50" --payment-id 5f0c1a52-8d0e-4c1a-9d62-3f1d1f0f7a10`,
	)
	contract := a.contractFlag(c, offer{list: gen.ContractListParams{NotPaid: true}, what: "with anything due"}).AsArgument()
	payment := command.Flag(c, "payment", "EUROS", "amount, such as 1234.50", value.ParseMoney).Needed()
	paymentID := command.Flag(c, "payment-id", "UUID", "id of the payment: repeated with the same id it is recorded once", command.ParseUUID)
	received := command.Flag(c, "received", "DATE", "the day on which it came; today unless said otherwise", a.ParseDate).Titled("Received on").Offered()
	method := command.Enum(c, "method", "METHOD", "how it came: %s", gen.AllPaymentMethodValues())
	reference := command.Flag(c, "reference", "TEXT", "reference of the bank or of the cheque: repeated with the same it is recorded once", command.Line("reference")).Offered()
	show := command.ShowsChange(c, recordedPayments)
	return doesToContract(c, contract, func(ctx context.Context, s service.Operations, id uuid.UUID) error {
		if !paymentID.Set {
			paymentID.Got = uuid.New()
		}
		// Told before it is sent: whatever happens then, the command can be repeated with it. Where an error is JSON, it
		// stands in the error, for that is to be all of stderr.
		if !paymentID.Set && !a.JSONErrors() {
			a.Notice("Sending the payment %s", paymentID.Got)
		}
		change, err := s.ContractAddPayment(ctx, gen.ContractAddPaymentParams{
			ID: paymentID.Got, ContractID: id, Amount: payment.Got,
			ReceivedOn: received.Pointer(), Method: method.Pointer(), Reference: reference.Pointer(),
		})
		if err != nil {
			return err
		}
		if !change.Now.Created {
			a.Notice("This payment was recorded already; nothing was changed.")
		}
		return show(change)
	})
}

// offer is which contracts there are to choose from.
type offer struct {
	list gen.ContractListParams
	what string // what they are, for when there is none
}

// contractFlag declares the contract that a command is about: its id or the beginning of one.
func (a *app) contractFlag(c *command.Command, o offer) *command.Value[string] {
	return a.contractFilter(c, "number of the contract, or its id, or the first 6 characters of that or more", o).Titled("Contract")
}

// contractFilter declares a contract for something else.
func (a *app) contractFilter(c *command.Command, help string, o offer) *command.Value[string] {
	parse := func(s string) (string, error) {
		if _, ok := value.ParseContractNumber(s); ok {
			return s, nil
		}
		_, _, err := value.ParseContractID(s)
		return s, err
	}
	return command.Flag(c, "contract-uuid", "UUID", help, parse).
		From(a.pickContract(c, o))
}

// doesToContract completes a command about the contract that was named.
func doesToContract(c *command.Command, contract *command.Value[string], run func(ctx context.Context, s service.Operations, id uuid.UUID) error) *ffcli.Command {
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		id, err := s.ContractFind(ctx, contract.Got)
		if err != nil {
			return err
		}
		return run(ctx, s, id)
	})
}

func (a *app) pickContract(c *command.Command, o offer) terminal.Choices {
	return func(ctx context.Context, typed string, limit int) ([]terminal.Choice, error) {
		none := "There is no contract"
		own, err := c.May(ctx)
		if err != nil {
			return nil, err
		}
		if own != nil {
			none += " of your own customers"
		}
		s, err := a.Session(ctx)
		if err != nil {
			return nil, err
		}
		var number *string
		if whole, ok := value.ParseContractNumber(typed); ok && whole != typed {
			number = &whole // 2026-42 is 2026-0042
		}
		first, last, ok := value.UUIDsFrom(typed)
		limited := new(int64(limit))
		numbered := gen.ContractListParams{NumberBegins: number, RowLimit: limited}
		begun := gen.ContractListParams{NumberBegins: begins(typed, isNumber), RowLimit: limited}
		named := gen.ContractListParams{FirstID: &first, LastID: &last, RowLimit: limited}
		searched := gen.ContractListParams{Search: command.Typed(typed), RowLimit: limited}
		for _, p := range []*gen.ContractListParams{&numbered, &begun, &named, &searched} {
			p.CommercialID, p.NotSigned, p.NotPaid, p.Signed = own, o.list.NotSigned, o.list.NotPaid, o.list.Signed
		}
		return choicesOf(typed, limit, strings.TrimSpace(none+" "+o.what)+".", contractChoice, onlyIf(number != nil, s.ContractList(ctx, numbered)), onlyIf(begun.NumberBegins != nil, s.ContractList(ctx, begun)),
			onlyIf(ok, s.ContractList(ctx, named)), s.ContractList(ctx, searched))
	}
}

// contractChoice offers a contract. What is due comes before the names, which a narrow terminal may cut.
func contractChoice(c gen.ContractView) terminal.Choice {
	label := fmt.Sprintf("%s\t%s due\t%s (of %s)", c.Number,
		value.FormatEuro(c.TotalDue), withCompany(c.Customer, c.Company), value.FormatEuro(c.TotalAmount))
	return terminal.Choice{Label: label, Value: c.Number, Other: c.ID.String()}
}

var contracts = render.Resource[gen.ContractView]{
	Name: "contract", Title: "Contracts", Hue: render.Green, Charge: "commercial_id",
	Looks: []render.Look{
		{Column: "id", SaidBy: "number"},
		{Column: "number", Whole: true},
		{Column: "customer_id", DataOnly: true},
		{Column: "customer", SameBy: []string{"customer-id"}},
		{Column: "company", Rank: 6, SameBy: []string{"customer-id"}},
		{Column: "commercial_id", DataOnly: true},
		{Column: "commercial_fullname", Of: "commercial", Rank: 5, SameBy: []string{"commercial", "mine", "customer-id"}},
		{Column: "signed", SaidBy: "status"},
		{Column: "status", Whole: true, Rank: 1, SameBy: []string{"status", "not-signed-filter"}, KeptBy: []string{"signed-filter", "not-paid-filter"}},
		{Column: "due_on", Rank: 2, KeptBy: []string{"overdue"}},
		{Column: "days_due", Rank: 3, KeptBy: []string{"overdue"}},
		{Column: "sold_by_id", DataOnly: true},
		{Column: "sold_by", Whole: true, Rank: 10},
		{Column: "created_at", Rank: 7},
		{Column: "signed_at", Rank: 8, SameBy: []string{"not-signed-filter"}, KeptBy: []string{"signed-from", "signed-to"}},
		{Column: "updated_at", Rank: 9, KeptBy: []string{"changed-since"}, Follows: true},
		{Column: "cancelled_at", Rank: 11, Beside: []string{"status"}},
		{Column: "cancel_reason", Rank: 12, Beside: []string{"status"}},
	},
	Marks: []render.Mark[gen.ContractView]{
		{Tone: render.Wrong, Columns: []string{"status"}, When: func(c gen.ContractView) bool { return c.CancelledAt != nil }},
		{Tone: render.Waiting, Columns: []string{"status"}, When: func(c gen.ContractView) bool { return !c.Signed }},
		{Word: "overdue", Sign: "!", Tone: render.Wrong, Columns: []string{"status", "due_on"}, When: isOverdue},
		{Tone: render.Wrong, Columns: []string{"days_due"}, When: isOverdue}, // a number above zero says it
	},
}

func isOverdue(c gen.ContractView) bool { return c.DaysDue != nil && *c.DaysDue > 0 }

func (a *app) contractImport() *ffcli.Command {
	c := a.Command("import", "take contracts in from a file").Examples(
		"crm contract import contracts.csv --dry-run",
		"crm contract import contracts.csv --match number --on-match update",
	)
	type row = gen.ContractImportStageParams
	return c.DoesAs(imports(a, c, importing[row]{
		resource: "contract",
		fields: []importField[row]{
			field("id", command.ParseUUID, func(r *row) **uuid.UUID { return &r.ID }).isSureKey(),
			field("number", parseNumber, func(r *row) **string { return &r.Number }).isSureKey(),
			field("customer_id", command.ParseID, func(r *row) **int64 { return &r.CustomerID }).isNeeded(),
			field("total_amount", value.ParseMoney, func(r *row) **value.Cents { return &r.TotalAmount }).isNeeded(),
			field("due_on", a.ParseDate, func(r *row) **value.Date { return &r.DueOn }).emptied(),
			field("signed", parseBoolean, func(r *row) **bool { return &r.Signed }),
			field("signed_at", a.ParseTime, func(r *row) **time.Time { return &r.SignedAt }).onlyKept(),
			field("sold_by", command.Line("sold_by"), func(r *row) **string { return &r.SoldBy }).onlyKept(),
			field("cancelled_at", a.ParseTime, func(r *row) **time.Time { return &r.CancelledAt }),
			field("cancel_reason", command.Line("cancel_reason"), func(r *row) **string { return &r.CancelReason }),
			field("created_at", a.ParseTime, func(r *row) **time.Time { return &r.CreatedAt }).onlyKept(),
		},
		row: func(r *row) (*int64, *bool, *[]string) { return &r.Line, &r.Bad, &r.Empties },
		do: func(s service.Operations) func(context.Context, service.ImportParams, iter.Seq2[row, error]) (service.ImportResult, error) {
			return s.ContractImport
		},
	}, nil))
}

func parseNumber(s string) (string, error) {
	if number, ok := value.ParseContractNumber(s); ok {
		return number, nil
	}
	return "", failure.Misuse(fmt.Sprintf("%q is no number of a contract such as 2026-0042.", text.Shorten(s)), "")
}
