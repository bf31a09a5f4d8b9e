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
	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/service"
)

func (a *app) paymentCommands() *ffcli.Command {
	return command.Group("payment", "payments of all contracts",
		a.paymentList(),
		a.paymentDetail(),
		a.paymentVoid(),
		a.paymentImport(),
	)
}

func (a *app) paymentList() *ffcli.Command {
	c := a.Command("list", "list payments, by the day on which they came").Examples(
		"crm payment list --from 2026-10-01 --to 2026-10-31 --total",
		"crm payment list --method cheque -o csv",
		"crm payment list --contract-uuid 2026-0002 --voided",
	)
	from := command.Flag(c, "from", "DATE", "only those that came on this day or later", a.ParseDate)
	to := command.Flag(c, "to", "DATE", "only those that came on this day or before", a.ParseDate)
	customer := a.customerFlag(c, "only those of this customer")
	contract := a.contractFilter(c, "only those of this contract", offer{})
	commercial := a.employeeFlag(c, "commercial", "only those of this commercial's customers").From(a.pickEmployee(gen.RoleCommercial))
	recordedBy := command.Flag(c, "recorded-by", "USERNAME", "only those that this employee recorded, by the username of then", command.Line("recorded-by")).
		From(a.pickEmployee(""))
	method := command.Enum(c, "method", "METHOD", "only those that came so: %s", gen.AllPaymentMethodValues())
	voided := c.Switch("voided", "those that are void too")
	changed := command.Flag(c, "changed-since", "DATE", "only those that were recorded or voided at this time or later", a.ParseTime)
	l := command.ListFlags(c, payments).Totals(c)
	open := opening(a, c, a.paymentChoice, func(ctx context.Context, s service.Operations, row gen.PaymentView) error {
		return a.showPayment(ctx, s, row.ID)
	})
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		if err := a.existingUsername(ctx, s, commercial); err != nil {
			return err
		}
		if err := existingCustomer(ctx, s, customer); err != nil {
			return err
		}
		p := gen.PaymentListParams{
			Voided:       *voided,
			ReceivedFrom: from.Pointer(),
			ReceivedTo:   to.Pointer(),
			ChangedSince: changed.Pointer(),
			CustomerID:   customer.Pointer(),
			Commercial:   commercial.Pointer(),
			RecordedBy:   recordedBy.Pointer(),
			Method:       method.Pointer(),
			Sort:         l.Order(),
			RowLimit:     l.RowLimit(),
		}
		if contract.Set {
			id, err := s.ContractFind(ctx, contract.Got)
			if err != nil {
				return err
			}
			p.ContractID = &id
		}
		asked, err := open(ctx, s, func(typed string) iter.Seq2[gen.PaymentView, error] {
			if typed != "" { // is looked for in the lines alone
				return nil
			}
			p := p
			p.RowLimit = nil
			return s.PaymentList(ctx, p)
		})
		if asked {
			return err
		}
		return showPayments(ctx, l, s, p)
	})
}

func showPayments(ctx context.Context, l *command.Listing, s service.Operations, p gen.PaymentListParams) error {
	return command.ShowSums(ctx, l, payments, s.PaymentList(ctx, p), func(ctx context.Context) (gen.PaymentCountRow, error) {
		return s.PaymentCount(ctx, p)
	})
}

func (a *app) contractPayments() *ffcli.Command {
	c := a.Command("payments", "list the payments of a contract").Examples("crm contract payments 771c41")
	contract := a.contractFlag(c, offer{}).AsArgument()
	voided := c.Switch("voided", "those that are void too")
	l := command.ListFlags(c, payments).Totals(c)
	return doesToContract(c, contract, func(ctx context.Context, s service.Operations, id uuid.UUID) error {
		if _, err := s.ContractDetail(ctx, id); err != nil {
			return err
		}
		return showPayments(ctx, l, s, gen.PaymentListParams{ContractID: &id, Voided: *voided, Sort: l.Order(), RowLimit: l.RowLimit()})
	})
}

func (a *app) paymentDetail() *ffcli.Command {
	c := a.Command("detail", "show one payment").Examples("crm payment detail e38a5c24")
	payment := a.paymentArgument(c)
	show := command.Shows(c, payments)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		id, err := s.PaymentFind(ctx, payment.Got)
		if err != nil {
			return err
		}
		row, err := s.PaymentDetail(ctx, id)
		if err != nil {
			return err
		}
		return show(row)
	})
}

func (a *app) paymentVoid() *ffcli.Command {
	c := a.Command("void", "mark a payment as void, so that it is due again; it stays in the records").Examples(
		`crm payment void e38a5c24 --reason "typed twice"`,
	)
	payment := a.paymentArgument(c)
	reason := reasonFlag(c)
	show := command.ShowsChange(c, payments)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		id, err := s.PaymentFind(ctx, payment.Got)
		if err != nil {
			return err
		}
		change, err := s.PaymentVoid(ctx, gen.PaymentVoidParams{ID: id, Reason: reason.Got})
		if err != nil {
			return err
		}
		if change.Before.VoidedAt != nil {
			a.Notice("The payment was void already; nothing was changed.")
		}
		return show(change)
	})
}

// showPayment shows one payment, which was chosen from a list.
func (a *app) showPayment(ctx context.Context, s service.Operations, id uuid.UUID) error {
	row, err := s.PaymentDetail(ctx, id)
	if err != nil {
		return err
	}
	return render.Detail(a.Output(), payments, row, nil)
}

// paymentArgument declares the payment that a command is about: its id or the beginning of one.
func (a *app) paymentArgument(c *command.Command) *command.Value[string] {
	return command.Flag(c, "payment-id", "UUID", "id of the payment, or the first 6 characters of it or more", func(s string) (string, error) {
		_, _, err := value.ParseUUIDPrefix("Payment", s)
		return s, err
	}).AsArgument().Titled("Payment").From(a.pickPayment(c))
}

// pickPayment offers the payments that were recorded last, and the one whose id is typed; to whoever may void only their own
// of today, those.
func (a *app) pickPayment(c *command.Command) terminal.Choices {
	return func(ctx context.Context, typed string, limit int) ([]terminal.Choice, error) {
		none := "There is no payment."
		own, err := c.May(ctx)
		if err != nil {
			return nil, err
		}
		if own != nil {
			none = "There is no payment that you recorded today of your own customers."
		}
		s, err := a.Session(ctx)
		if err != nil {
			return nil, err
		}
		last := s.PaymentList(ctx, gen.PaymentListParams{Sort: "recorded_at:desc", RowLimit: new(int64(openRows))})
		today := value.DateOf(a.Now())
		offered := func(yield func(gen.PaymentView, error) bool) {
			for row, err := range last {
				theirs := own == nil || row.RecordedByID != nil && *row.RecordedByID == *own && row.CommercialID == *own &&
					value.DateOf(row.RecordedAt.In(a.Config.Location)) == today
				read := strings.Contains(strings.ToLower(a.paymentChoice(row).Label), strings.ToLower(typed))
				if (err != nil || theirs && read) && !yield(row, err) {
					return
				}
			}
		}
		return choicesOf(typed, limit, none, a.paymentChoice, offered, a.paymentNamed(ctx, s, typed, own == nil))
	}
}

// paymentNamed returns the payment whose id is typed, or begins so, if there is one.
func (a *app) paymentNamed(ctx context.Context, s service.Operations, typed string, so bool) iter.Seq2[gen.PaymentView, error] {
	if _, _, err := value.ParseUUIDPrefix("Payment", typed); err != nil || !so {
		return nil
	}
	return func(yield func(gen.PaymentView, error) bool) {
		id, err := s.PaymentFind(ctx, typed)
		if code := failure.CodeOf(err); code == failure.NotFound || code == failure.Usage { // none yet, or still several
			return
		}
		row, err := s.PaymentDetail(ctx, id)
		if failure.CodeOf(err) != failure.NotFound {
			yield(row, err)
		}
	}
}

// paymentChoice offers a payment. The amount comes before the names, which a narrow terminal may cut.
func (a *app) paymentChoice(p gen.PaymentView) terminal.Choice {
	label := fmt.Sprintf("%.8s\t%s\t%s\t%s, %s", p.ID, value.FormatEuro(p.Amount), p.ReceivedOn, p.Number, withCompany(p.Customer, p.Company))
	if p.Reference != nil {
		label += " (" + *p.Reference + ")"
	}
	if p.VoidedAt != nil {
		label += ", void"
	}
	return terminal.Choice{Label: label, Value: p.ID.String()}
}

// reasonFlag declares why something is taken back, which the records keep.
func reasonFlag(c *command.Command) *command.Value[string] {
	return command.Flag(c, "reason", "TEXT", "why, for the records", command.Line("reason")).Needed()
}

var payments = render.Resource[gen.PaymentView]{
	Name: "payment", Title: "Payments", Hue: render.Green, Charge: "commercial_id",
	Looks: []render.Look{
		{Column: "id", Begins: 8},
		{Column: "contract", SaidBy: "number"},
		{Column: "number", Label: "Contract", Whole: true, Rank: 1, SameBy: []string{"contract-uuid"}},
		{Column: "customer_id", DataOnly: true},
		{Column: "customer", Rank: 2, SameBy: []string{"customer-id", "contract-uuid"}},
		{Column: "company", Rank: 8, SameBy: []string{"customer-id", "contract-uuid"}},
		{Column: "commercial_id", DataOnly: true},
		{Column: "commercial", Whole: true, Rank: 7, SameBy: []string{"commercial", "customer-id", "contract-uuid"}},
		{Column: "received_on", KeptBy: []string{"from", "to"}},
		{Column: "method", Rank: 4, SameBy: []string{"method"}},
		{Column: "reference", Rank: 5},
		{Column: "recorded_by", Rank: 3, Whole: true, SameBy: []string{"recorded-by"}},
		{Column: "recorded_by_id", DataOnly: true},
		{Column: "recorded_at", Rank: 6, KeptBy: []string{"changed-since"}},
		{Column: "voided_at", KeptBy: []string{"voided"}, Beside: []string{"voided"}},
		{Column: "voided_by", Rank: 10, Whole: true, Beside: []string{"voided"}},
		{Column: "void_reason", Rank: 11, Beside: []string{"voided"}},
	},
	Marks: []render.Mark[gen.PaymentView]{
		{Tone: render.Wrong, Columns: []string{"amount", "voided_at"}, When: func(p gen.PaymentView) bool { return p.VoidedAt != nil }},
	},
}

// recordedPayments shows a payment that was just recorded, with what is due after it.
var recordedPayments = render.Resource[service.RecordedPayment]{
	Name: "payment", Title: "Payments", Hue: render.Green,
	Looks: []render.Look{
		{Column: "recorded_by_id", DataOnly: true},
	},
}

func (a *app) paymentImport() *ffcli.Command {
	c := a.Command("import", "record payments from a file; one that is recorded already is not recorded again").Examples(
		"crm payment import payments.csv --dry-run",
		"crm payment import payments.csv --rejects rejects.csv",
	)
	type row = gen.PaymentImportStageParams
	contract := func(name string) importField[row] {
		return contractField(name, func(r *row) **uuid.UUID { return &r.ContractID }, func(r *row) **string { return &r.Number })
	}
	return c.DoesAs(imports(a, c, importing[row]{
		resource: "payment",
		fields: []importField[row]{
			field("id", command.ParseUUID, func(r *row) **uuid.UUID { return &r.ID }).isSureKey(),
			contract("contract"),
			contract("number"),
			field("amount", value.ParseMoney, func(r *row) **value.Cents { return &r.Amount }).isNeeded(),
			field("received_on", a.ParseDate, func(r *row) **value.Date { return &r.ReceivedOn }),
			field("method", command.ParseEnum("method", gen.AllPaymentMethodValues()), func(r *row) **gen.PaymentMethod { return &r.Method }),
			field("reference", command.Line("reference"), func(r *row) **string { return &r.Reference }),
			field("recorded_by", command.Line("recorded_by"), func(r *row) **string { return &r.RecordedBy }).onlyKept(),
			field("recorded_at", a.ParseTime, func(r *row) **time.Time { return &r.RecordedAt }).onlyKept(),
			field("voided_at", a.ParseTime, func(r *row) **time.Time { return &r.VoidedAt }),
			field("voided_by", command.Line("voided_by"), func(r *row) **string { return &r.VoidedBy }),
			field("void_reason", command.Line("void_reason"), func(r *row) **string { return &r.VoidReason }),
		},
		row: func(r *row) (*int64, *bool, *[]string) { return &r.Line, &r.Bad, new([]string) },
		do: func(s service.Operations) func(context.Context, service.ImportParams, iter.Seq2[row, error]) (service.ImportResult, error) {
			return s.PaymentImport
		},
	}, nil))
}
