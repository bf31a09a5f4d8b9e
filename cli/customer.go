package cli

import (
	"context"
	"iter"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/command"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/cli/terminal"
	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/service"
)

func (a *app) customerCommands() *ffcli.Command {
	return command.Group("customer", "customers and who is in charge of them",
		a.customerList(),
		a.customerDetail(),
		a.customerOverview(),
		a.customerAdd(),
		a.customerUpdate(),
		a.customerSetCommercial(),
		a.customerArchive(),
		a.customerRestore(),
		a.customerImport(),
		a.customerDuplicates(),
		a.customerMerge(),
	)
}

func (a *app) customerList() *ffcli.Command {
	c := a.Command("list", "list customers").Examples(
		"crm customer list --mine",
		"crm customer list --search ines --fields id,fullname,phone",
	)
	mine := c.Switch("mine", "only your own")
	commercial := a.employeeFlag(c, "commercial", "only those of this commercial").
		From(a.pickEmployee(gen.RoleCommercial))
	company := command.Flag(c, "company", "TEXT", "only those whose company contains the text", command.Line("company"))
	search := command.SearchFlag(c, "name, company, e-mail or phone")
	archived := c.Switch("archived", "those who are archived too")
	changed := command.Flag(c, "changed-since", "DATE", "only those that were changed at this time or later", a.ParseTime)
	l := command.ListFlags(c, customers)
	open := opening(a, c, customerChoice, func(ctx context.Context, s service.Operations, row gen.CustomerView) error {
		return a.showCustomer(ctx, s, row.ID)
	})
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		if err := a.existingUsername(ctx, s, commercial); err != nil {
			return err
		}
		p := gen.CustomerListParams{
			CommercialID: command.MineOnly(s, *mine),
			Commercial:   commercial.Pointer(),
			Company:      company.Pointer(),
			Search:       search.Pointer(),
			Archived:     *archived,
			ChangedSince: changed.Pointer(),
			Sort:         l.Order(),
			RowLimit:     l.RowLimit(),
		}
		asked, err := open(ctx, s, func(typed string) iter.Seq2[gen.CustomerView, error] {
			p := p
			p.Search, p.RowLimit = joined(p.Search, typed), nil
			return s.CustomerList(ctx, p)
		})
		if asked {
			return err
		}
		return command.ShowList(ctx, l, customers, s.CustomerList(ctx, p), func(ctx context.Context) (int64, error) {
			return s.CustomerCount(ctx, p)
		})
	})
}

func (a *app) customerDetail() *ffcli.Command {
	c := a.Command("detail", "show one customer").Examples("crm customer detail 3")
	id := a.customerArgument(c).TakesAll()
	show := command.Shows(c, customers)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		row, err := s.CustomerDetail(ctx, id.Got)
		if err != nil {
			return err
		}
		return show(row)
	})
}

func (a *app) customerAdd() *ffcli.Command {
	c := a.Command("add", "add a customer of your own").Examples(
		`crm customer add --fullname "Kévin Durand" --company "Cirque Durand" --email kevin@durand.example --phone "01 45 67 01 02"`,
	)
	fullname := command.Flag(c, "fullname", "NAME", "first and last name of the contact", command.Line("fullname")).Needed()
	company := command.Flag(c, "company", "NAME", "name of the company", command.Line("company")).Offered()
	email := command.Flag(c, "email", "ADDRESS", "e-mail address", value.ParseEmail)
	phone := command.Flag(c, "phone", "NUMBER", "French or international phone number", a.ParsePhone)
	command.OneNeeded(email, phone)
	address := command.Flag(c, "address", "TEXT", "postal address", command.Line("address")).Offered()
	duplicate := c.Switch("allow-duplicate", "also if another customer has the same e-mail address or phone number")
	show := command.ShowsChange(c, customers)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		p := gen.CustomerAddParams{
			Fullname: fullname.Got, Company: company.Pointer(), Email: email.Pointer(), Phone: phone.Pointer(), Address: address.Pointer(),
			AllowDuplicate: *duplicate,
		}
		change, err := s.CustomerAdd(ctx, p)
		if failure.ReasonOf(err) == failure.Duplicate && a.Interactive() {
			a.Notice("%s", failure.Of(err).Message)
			if err := a.Confirm(ctx, "Add another one?", false); err != nil {
				return err
			}
			p.AllowDuplicate = true
			change, err = s.CustomerAdd(ctx, p)
		}
		if err != nil {
			return err
		}
		return show(change)
	})
}

func (a *app) customerUpdate() *ffcli.Command {
	c := a.Command("update", "change a customer of your own").Examples(
		`crm customer update 3 --phone "+33 6 12 34 56 78"`,
		"crm customer update 3 --clear company",
	)
	id := a.customerArgument(c)
	fullname := command.Flag(c, "fullname", "NAME", "first and last name of the contact", command.Line("fullname"))
	company := command.Flag(c, "company", "NAME", "name of the company", command.Line("company"))
	email := command.Flag(c, "email", "ADDRESS", "e-mail address", value.ParseEmail)
	phone := command.Flag(c, "phone", "NUMBER", "French or international phone number", a.ParsePhone)
	address := command.Flag(c, "address", "TEXT", "postal address", command.Line("address"))
	expected := c.Updates(fullname, company, email, phone, address)
	emptied := c.Clears("company", "email", "phone", "address")
	show := command.ShowsChange(c, customers)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		if ok, err := command.Edit(ctx, c, customers, func() (gen.CustomerView, error) { return s.CustomerDetail(ctx, id.Got) }); !ok {
			return err
		}
		change, err := s.CustomerUpdate(ctx, gen.CustomerUpdateParams{
			ID: id.Got, Fullname: fullname.Pointer(), Company: company.Pointer(), Email: email.Pointer(), Phone: phone.Pointer(),
			Address: address.Pointer(), Clear: emptied(), Expected: expected(),
		})
		if err != nil {
			return err
		}
		return show(change)
	})
}

func (a *app) customerSetCommercial() *ffcli.Command {
	c := a.Command("set-commercial", "hand a customer over to another commercial").Examples(
		"crm customer set-commercial 3 --commercial-username commercial2",
	)
	id := a.customerArgument(c)
	commercial := a.employeeFlag(c, "commercial-username", "the commercial who takes over").Needed().
		Titled("Commercial's username").From(a.pickEmployee(gen.RoleCommercial))
	show := command.ShowsChange(c, customers)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		change, err := s.CustomerSetCommercial(ctx, gen.CustomerSetCommercialParams{ID: id.Got, Commercial: commercial.Got})
		if err != nil {
			return a.suggestUsername(ctx, s, err, commercial.Got)
		}
		return show(change)
	})
}

func (a *app) customerArchive() *ffcli.Command {
	c := a.Command("archive", "take a customer out of the lists, with whom there is no business any more").Examples("crm customer archive 14")
	id := a.customerArgument(c)
	show := command.ShowsChange(c, customers)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		change, err := s.CustomerArchive(ctx, gen.CustomerArchiveParams{ID: id.Got})
		if err != nil {
			return err
		}
		if change.Before.ArchivedAt != nil {
			a.Notice("The customer was archived already; nothing was changed.")
		}
		return show(change)
	})
}

func (a *app) customerRestore() *ffcli.Command {
	c := a.Command("restore", "bring an archived customer back into the lists").Examples("crm customer restore 14")
	id := a.customerArgument(c).From(a.pickCustomerOf(c, gen.CustomerListParams{Archived: true, Sort: "archived_at"})) // they come first
	show := command.ShowsChange(c, customers)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		change, err := s.CustomerRestore(ctx, gen.CustomerRestoreParams{ID: id.Got})
		if err != nil {
			return err
		}
		if change.Before.ArchivedAt == nil {
			a.Notice("The customer is not archived; nothing was changed.")
		}
		return show(change)
	})
}

// existingCustomer refuses the filter of a list by a customer who is not there: the list would be empty for that reason.
func existingCustomer(ctx context.Context, s service.Operations, customer *command.Value[int64]) error {
	if !customer.Set {
		return nil
	}
	_, err := s.CustomerDetail(ctx, customer.Got)
	return err
}

// customerArgument declares the customer that a command is about.
func (a *app) customerArgument(c *command.Command) *command.Value[int64] {
	return a.customerFlag(c, "the customer").AsArgument()
}

// pickCustomer offers the customers that the employee may use the command on.
func (a *app) pickCustomer(c *command.Command) terminal.Choices {
	return a.pickCustomerOf(c, gen.CustomerListParams{})
}

func (a *app) pickCustomerOf(c *command.Command, list gen.CustomerListParams) terminal.Choices {
	return func(ctx context.Context, typed string, limit int) ([]terminal.Choice, error) {
		none := "There is no customer."
		own, err := c.May(ctx)
		if err != nil {
			return nil, err
		}
		if own != nil {
			none = "There is no customer of your own."
		}
		s, err := a.Session(ctx)
		if err != nil {
			return nil, err
		}
		named := gen.CustomerListParams{
			CommercialID: own, Archived: list.Archived, Sort: list.Sort, IDBegins: begins(typed, isID), RowLimit: new(int64(limit)),
		}
		searched := gen.CustomerListParams{
			CommercialID: own, Archived: list.Archived, Sort: list.Sort, Search: command.Typed(typed), RowLimit: new(int64(limit)),
		}
		return choicesOf(typed, limit, none, customerChoice, onlyIf(named.IDBegins != nil, s.CustomerList(ctx, named)), s.CustomerList(ctx, searched))
	}
}

// withCompany names a customer, who may have no company.
func withCompany(fullname string, company *string) string {
	if company == nil {
		return fullname
	}
	return fullname + ", " + *company
}

var customers = render.Resource[gen.CustomerView]{
	Name: "customer", Title: "Customers", Hue: render.Cyan, Charge: "commercial_id",
	Looks: []render.Look{
		{Column: "company", KeptBy: []string{"company"}},
		{Column: "commercial_id", DataOnly: true},
		{Column: "commercial_fullname", Of: "commercial", Rank: 2, SameBy: []string{"commercial", "mine"}},
		{Column: "email", Rank: 3, Whole: true},
		{Column: "phone", Rank: 1},
		{Column: "address", Rank: 4},
		{Column: "archived_at", Rank: 1, KeptBy: []string{"archived"}, Beside: []string{"archived"}},
		{Column: "created_at", Rank: 5},
		{Column: "updated_at", Rank: 6, KeptBy: []string{"changed-since"}, Follows: true},
	},
	Marks: []render.Mark[gen.CustomerView]{
		{Tone: render.Wrong, Columns: []string{"archived_at"}, When: func(c gen.CustomerView) bool { return c.ArchivedAt != nil }},
	},
}

func (a *app) customerImport() *ffcli.Command {
	c := a.Command("import", "take customers in from a file").Examples(
		"crm customer import customers.csv --dry-run",
		"crm customer import contacts.csv --map Nom=fullname,Société=company --match email --on-match update",
		"crm customer import hubspot.csv --from hubspot --match email",
		"crm customer import customers.csv --commercial commercial1 --rejects rejects.csv",
	)
	commercial := a.employeeFlag(c, "commercial", "in charge of those whose row names nobody").From(a.pickEmployee(gen.RoleCommercial))
	type row = gen.CustomerImportStageParams
	return c.DoesAs(imports(a, c, importing[row]{
		resource: "customer",
		fields: []importField[row]{
			field("id", command.ParseID, func(r *row) **int64 { return &r.ID }).isSureKey(),
			field("fullname", command.Line("fullname"), func(r *row) **string { return &r.Fullname }).isNeeded(),
			field("company", command.Line("company"), func(r *row) **string { return &r.Company }).emptied(),
			field("commercial", value.ParseUsername, func(r *row) **string { return &r.Commercial }),
			field("email", value.ParseEmail, func(r *row) **string { return &r.Email }).emptied().isKey(),
			field("phone", a.ParsePhone, func(r *row) **value.Phone { return &r.Phone }).emptied().isKey(),
			field("address", command.Line("address"), func(r *row) **string { return &r.Address }).emptied().elsewhere(addressElsewhere),
			field("archived_at", a.ParseTime, func(r *row) **time.Time { return &r.ArchivedAt }),
			field("created_at", a.ParseTime, func(r *row) **time.Time { return &r.CreatedAt }).onlyKept().elsewhere(timeElsewhere),
		},
		programs: customerPrograms(),
		row:      func(r *row) (*int64, *bool, *[]string) { return &r.Line, &r.Bad, &r.Empties },
		do: func(s service.Operations) func(context.Context, service.ImportParams, iter.Seq2[row, error]) (service.ImportResult, error) {
			return s.CustomerImport
		},
	}, commercial))
}
