package cli

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

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

func (a *app) employeeCommands() *ffcli.Command {
	return command.Group("employee", "the people who use crm, and their roles",
		a.employeeList(),
		a.employeeDetail(),
		a.employeeAdd(),
		a.employeeUpdate(),
		a.employeeSetRole(),
		a.employeeSetPassword(),
		a.employeeUnlock(),
		a.employeeDeactivate(),
		a.employeeReactivate(),
		a.employeeHandover(),
		a.employeeImport(),
		a.employeeDelete(),
	)
}

func (a *app) employeeList() *ffcli.Command {
	c := a.Command("list", "list employees").Examples(
		"crm employee list",
		"crm employee list --role-filter support -o json",
	)
	role := command.Enum(c, "role-filter", "ROLE", "only those with this role: %s", gen.AllRoleValues())
	search := command.SearchFlag(c, "username or name")
	inactive := c.Switch("inactive", "those who are inactive too")
	changed := command.Flag(c, "changed-since", "DATE", "only those that were changed at this time or later", a.ParseTime)
	l := command.ListFlags(c, employees)
	open := opening(a, c, employeeChoice, func(ctx context.Context, s service.Operations, row gen.EmployeeView) error {
		now, err := s.EmployeeDetail(ctx, row.Username)
		if err != nil {
			return err
		}
		return render.Detail(a.Output(), employees, now, nil)
	})
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		p := gen.EmployeeListParams{
			Inactive: *inactive, Role: role.Pointer(), Search: search.Pointer(), ChangedSince: changed.Pointer(),
			Sort: l.Order(), RowLimit: l.RowLimit(),
		}
		asked, err := open(ctx, s, func(typed string) iter.Seq2[gen.EmployeeView, error] {
			p := p
			p.Search, p.RowLimit = joined(p.Search, typed), nil
			return s.EmployeeList(ctx, p)
		})
		if asked {
			return err
		}
		return command.ShowList(ctx, l, employees, s.EmployeeList(ctx, p), func(ctx context.Context) (int64, error) {
			return s.EmployeeCount(ctx, p)
		})
	})
}

func (a *app) employeeDetail() *ffcli.Command {
	c := a.Command("detail", "show one employee").Examples("crm employee detail commercial1")
	username := a.employeeArgument(c)
	show := command.Shows(c, employees)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		row, err := s.EmployeeDetail(ctx, username.Got)
		if err != nil {
			return a.suggestUsername(ctx, s, err, username.Got)
		}
		return show(row)
	})
}

func (a *app) employeeAdd() *ffcli.Command {
	c := a.Command("add", "add an employee, with a generated one-time password unless one is given").Examples(
		`crm employee add --fullname "Léa Martin" --username lea.martin --role support`,
		`crm employee add --fullname "Léa Martin" --username lea.martin --password-stdin < password.txt`,
	)
	fullname := command.Flag(c, "fullname", "NAME", "first and last name", command.Line("fullname")).Needed()
	username := command.Flag(c, "username", "USERNAME", "name to log in with", value.ParseUsername).Needed()
	role := command.Enum(c, "role", "ROLE", "one of %s (default none)", gen.AllRoleValues()).Offered()
	password := a.passwordForAnother(c)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		secret, err := password.take(ctx, username.Got)
		if err != nil {
			return err
		}
		if !role.Set {
			role.Got = gen.RoleNone
		}
		added, err := s.EmployeeAdd(ctx, gen.EmployeeAddParams{Username: username.Got, Fullname: fullname.Got, Role: role.Got}, secret)
		if err != nil {
			return err
		}
		return password.show(added)
	})
}

func (a *app) employeeUpdate() *ffcli.Command {
	c := a.Command("update", "change the name or the username of an employee").Examples(
		`crm employee update support1 --fullname "Gaëlle Imbert-Roche"`,
		"crm employee update 8 --username helene.jacquet",
	)
	employee := command.Flag(c, "employee", "ID|USERNAME", "id or username of the employee", parseEmployee).AsArgument().
		From(a.pickEmployee(""))
	fullname := command.Flag(c, "fullname", "NAME", "first and last name", command.Line("fullname"))
	username := command.Flag(c, "username", "USERNAME", "new name to log in with", value.ParseUsername)
	expected := c.Updates(fullname, username)
	show := command.ShowsChange(c, employees)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		if ok, err := command.Edit(ctx, c, employees, func() (gen.EmployeeView, error) { return s.EmployeeFind(ctx, employee.Got) }); !ok {
			return a.suggestUsername(ctx, s, err, employee.Text)
		}
		change, err := s.EmployeeUpdate(ctx, gen.EmployeeUpdateParams{
			ID: employee.Got.ID, CurrentUsername: employee.Got.Username, Fullname: fullname.Pointer(), Username: username.Pointer(),
			Expected: expected(),
		})
		if err != nil {
			return a.suggestUsername(ctx, s, err, employee.Text)
		}
		return show(change)
	})
}

func (a *app) employeeSetRole() *ffcli.Command {
	c := a.Command("set-role", "change the role of an employee; ends their sessions").Examples(
		"crm employee set-role none1 --role support",
	)
	username := a.employeeArgument(c)
	role := command.Enum(c, "role", "ROLE", "one of %s", gen.AllRoleValues()).Needed()
	role.StartsWith(func(ctx context.Context) (string, error) {
		s, err := a.Session(ctx)
		if err != nil {
			return "", err
		}
		row, err := s.EmployeeDetail(ctx, username.Got)
		if err != nil {
			return "", a.suggestUsername(ctx, s, err, username.Got)
		}
		return string(row.Role), nil
	})
	yes := c.Switch("yes", "do not ask when it is your own role")
	show := command.ShowsChange(c, employees)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		if !*yes {
			row, err := s.EmployeeDetail(ctx, username.Got)
			if err == nil && row.ID == s.EmployeeID() && row.Role != role.Got {
				if _, err := c.May(ctx); err != nil {
					return err
				}
				question := fmt.Sprintf("You are %s yourself: change your own role to %s?", row.Username, role.Got)
				if err := a.Confirm(ctx, question, false); err != nil {
					return err
				}
			}
		}
		change, err := s.EmployeeSetRole(ctx, gen.EmployeeSetRoleParams{Username: username.Got, Role: role.Got})
		if err != nil {
			return a.suggestUsername(ctx, s, err, username.Got)
		}
		return show(change)
	})
}

func (a *app) employeeSetPassword() *ffcli.Command {
	c := a.Command("set-password", "give an employee a one-time password, generated unless one is given; ends their sessions").Examples(
		"crm employee set-password commercial1",
		"crm employee set-password commercial1 --password-stdin < password.txt",
	)
	username := a.employeeArgument(c)
	password := a.passwordForAnother(c)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		secret, err := password.take(ctx, username.Got)
		if err != nil {
			return err
		}
		now, err := s.EmployeeSetPassword(ctx, username.Got, secret, password.generated())
		if err != nil {
			return a.suggestUsername(ctx, s, err, username.Got)
		}
		a.Notice("The password is set; %s has to log in again.", now.Username)
		return password.show(now)
	})
}

func (a *app) employeeUnlock() *ffcli.Command {
	c := a.Command("unlock", "forget the failed logins of an employee, who then need not wait").Examples("crm employee unlock commercial1")
	username := a.employeeArgument(c)
	show := command.Shows(c, employees)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		row, forgotten, err := s.EmployeeUnlock(ctx, username.Got)
		if err != nil {
			return a.suggestUsername(ctx, s, err, username.Got)
		}
		if forgotten == 0 {
			a.Notice("No failed login of %s was counted.", row.Username)
		} else {
			a.Notice("The failed logins of %s are forgotten.", row.Username)
		}
		return show(row)
	})
}

func (a *app) employeeDeactivate() *ffcli.Command {
	c := a.Command("deactivate", "let an employee who leaves log in no more; ends their sessions").Examples("crm employee deactivate none1")
	username := a.employeeArgument(c)
	yes := c.Switch("yes", "do not ask when it is yourself")
	show := command.ShowsChange(c, employees)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		if row, err := s.EmployeeDetail(ctx, username.Got); !*yes && err == nil && row.ID == s.EmployeeID() {
			if _, err := c.May(ctx); err != nil {
				return err
			}
			if err := a.Confirm(ctx, "You are "+row.Username+" yourself: deactivate your own account?", false); err != nil {
				return err
			}
		}
		change, err := s.EmployeeDeactivate(ctx, username.Got)
		if err != nil {
			return a.suggestUsername(ctx, s, err, username.Got)
		}
		if !change.Before.Active {
			a.Notice("The employee is inactive already; nothing was changed.")
		}
		return show(change)
	})
}

func (a *app) employeeReactivate() *ffcli.Command {
	c := a.Command("reactivate", "let an employee who was deactivated log in again").Examples("crm employee reactivate support3")
	username := a.employeeArgument(c).From(a.pickEmployeeOf(gen.EmployeeListParams{Inactive: true, Sort: "active"})) // the inactive first
	show := command.ShowsChange(c, employees)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		change, err := s.EmployeeReactivate(ctx, username.Got)
		if err != nil {
			return a.suggestUsername(ctx, s, err, username.Got)
		}
		if change.Before.Active {
			a.Notice("The employee is active; nothing was changed.")
		}
		return show(change)
	})
}

// passwordForAnother is the password that a command sets for somebody else: made by crm and shown this once, or read.
type passwordForAnother struct {
	app       *app
	fields    *command.Value[[]string]
	fromStdin *bool
	made      string
}

func (a *app) passwordForAnother(c *command.Command) *passwordForAnother {
	fields := command.FieldsFlag(c, newEmployees)
	return &passwordForAnother{app: a, fields: fields, fromStdin: c.Switch("password-stdin", "read the password from standard input")}
}

func (p *passwordForAnother) generated() bool { return !*p.fromStdin }

// take returns the password, before anything is changed.
func (p *passwordForAnother) take(ctx context.Context, username string) (string, error) {
	if *p.fromStdin {
		return p.app.newPassword(ctx, username, true)
	}
	p.made = service.GeneratePassword()
	return p.made, command.RequireField(p.fields, "one_time_password")
}

// show prints the employee, and the password if it was made here.
func (p *passwordForAnother) show(now service.NewPassword) error {
	if !now.Active {
		p.app.Notice("%s is inactive, and cannot log in until reactivated: crm employee reactivate %s", now.Username, now.Username)
	}
	if p.generated() {
		return command.ShowsChangeWith(p.app.Env, p.fields, newEmployees)(service.Change[newEmployee]{Now: newEmployee{now.EmployeeView, p.made, now.Until}})
	}
	if now.Until != nil {
		p.app.Notice("It is a one-time password: %s has to choose another first of all.", now.Username)
	}
	return command.ShowsChangeWith(p.app.Env, p.fields, employees)(service.Change[gen.EmployeeView]{Now: now.EmployeeView})
}

func (a *app) employeeDelete() *ffcli.Command {
	c := a.Command("delete", "delete an employee who is in charge of nothing").Examples(
		"crm employee delete none1",
		"crm employee delete none1 --yes",
	)
	username := a.employeeArgument(c)
	yes := c.AsksFirst()
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		// Nobody is asked to confirm what cannot be.
		row, err := s.EmployeeDetail(ctx, username.Got)
		if err != nil {
			return a.suggestUsername(ctx, s, err, username.Got)
		}
		question := "Delete the employee " + row.Username + "?"
		if row.ID == s.EmployeeID() {
			question = "You are " + row.Username + " yourself: delete your own account?"
		}
		if err := a.Confirm(ctx, question, *yes); err != nil {
			return err
		}
		if err := s.EmployeeDelete(ctx, username.Got); err != nil {
			return a.suggestUsername(ctx, s, err, username.Got)
		}
		a.Notice("The employee %s is deleted.", username.Got)
		return nil
	})
}

// parseEmployee takes an id or a username. Digits are an id, or else the username of somebody who likes digits.
func parseEmployee(s string) (who gen.EmployeeFindParams, err error) {
	s = strings.TrimSpace(s)
	if id, err := strconv.ParseInt(s, 10, 64); err == nil && strconv.FormatInt(id, 10) == s {
		return gen.EmployeeFindParams{ID: &id, Username: &s}, nil
	}
	username, err := value.ParseUsername(s)
	return gen.EmployeeFindParams{Username: &username}, err
}

// employeeArgument declares the username that a command is about.
func (a *app) employeeArgument(c *command.Command) *command.Value[string] {
	username := a.employeeFlag(c, "username", "who").AsArgument().From(a.pickEmployee(""))
	return username
}

// employeeFlag declares a flag that names an employee by username or id. It is read as parseEmployee does: before the
// command runs, an id has become the username that the queries take.
func (a *app) employeeFlag(c *command.Command, name, help string) *command.Value[string] {
	username := command.Flag(c, name, "USERNAME", help, func(s string) (string, error) {
		_, err := parseEmployee(s)
		return strings.TrimSpace(s), err
	})
	return username.Finds(func(ctx context.Context, s service.Operations) error {
		who, err := parseEmployee(username.Got)
		if err != nil || who.ID == nil {
			return err
		}
		row, err := s.EmployeeFind(ctx, who)
		username.Got = cmp.Or(row.Username, username.Got)
		return err
	})
}

// suggestUsername adds the username that was probably meant to an error about one that does not exist.
func (a *app) suggestUsername(ctx context.Context, s service.Operations, err error, typed string) error {
	problem := describe(ctx, err)
	if problem.Code != failure.NotFound || !strings.Contains(problem.Message, strconv.Quote(typed)) {
		return err
	}
	usernames, errNames := s.EmployeeUsernames(ctx)
	if meant := text.Suggest(typed, usernames); errNames == nil && meant != "" {
		better := *problem
		better.Message = strings.TrimSuffix(problem.Message, ".") + ", did you mean " + strconv.Quote(meant) + "?"
		return &better
	}
	return err
}

// existingUsername says NotFound for a filter by somebody who does not exist, where the list is empty for that reason.
func (a *app) existingUsername(ctx context.Context, s service.Operations, username *command.Value[string]) error {
	if !username.Set {
		return nil
	}
	_, err := s.EmployeeDetail(ctx, username.Got)
	if err != nil {
		return a.suggestUsername(ctx, s, err, username.Got)
	}
	return nil
}

// pickEmployee offers the employees of a role, or all.
func (a *app) pickEmployee(role gen.Role) terminal.Choices {
	if role == "" {
		return a.pickEmployeeOf(gen.EmployeeListParams{})
	}
	return a.pickEmployeeOf(gen.EmployeeListParams{Role: &role})
}

func (a *app) pickEmployeeOf(p gen.EmployeeListParams) terminal.Choices {
	return func(ctx context.Context, typed string, limit int) ([]terminal.Choice, error) {
		p.Search, p.RowLimit = command.Typed(typed), new(int64(limit))
		s, err := a.Session(ctx)
		if err != nil {
			return nil, err
		}
		none := "There is no employee."
		if p.Role != nil {
			none = fmt.Sprintf("There is no employee with the role %s.", *p.Role)
		}
		return choicesOf(typed, limit, none, employeeChoice, s.EmployeeList(ctx, p))
	}
}

// employeeChoice offers an employee.
func employeeChoice(e gen.EmployeeView) terminal.Choice {
	return terminal.Choice{Label: e.Username + "\t" + e.Fullname + " (" + string(e.Role) + ")", Value: e.Username}
}

var employees = render.Resource[gen.EmployeeView]{
	Name: "employee", Title: "Employees", Hue: render.Magenta,
	Looks: []render.Look{
		{Column: "username", Whole: true},
		{Column: "role", Rank: 1, SameBy: []string{"role-filter"}},
		{Column: "active", Rank: 2, KeptBy: []string{"inactive"}, Beside: []string{"inactive"}},
		{Column: "last_login_at", Label: "Last login", Rank: 3},
		{Column: "password_one_time", Label: "Password is one-time", Rank: 5},
		{Column: "locked_until", Rank: 4},
		{Column: "updated_at", Rank: 6, KeptBy: []string{"changed-since"}, Follows: true},
	},
	Marks: []render.Mark[gen.EmployeeView]{
		{Tone: render.Wrong, Columns: []string{"active"}, When: func(e gen.EmployeeView) bool { return !e.Active }},
		{Tone: render.Wrong, Columns: []string{"locked_until"}, When: func(e gen.EmployeeView) bool { return e.LockedUntil != nil }},
		{Tone: render.Waiting, Columns: []string{"password_one_time"}, When: func(e gen.EmployeeView) bool { return e.PasswordOneTime }},
	},
}

// newEmployee is an employee with the password that is shown this once.
type newEmployee struct {
	gen.EmployeeView
	OneTimePassword string     `json:"one_time_password"`
	Until           *time.Time `json:"one_time_password_until"`
}

var newEmployees = render.Resource[newEmployee]{
	Name: "employee", Title: "Employees", Hue: render.Magenta,
	Looks: []render.Look{
		{Column: "username", Whole: true},
		{Column: "one_time_password", Label: "One-time password", Whole: true},
		{Column: "one_time_password_until", Label: "Good until"},
	},
}

func (a *app) employeeImport() *ffcli.Command {
	c := a.Command("import", "take employees in from a file, who log in once set-password has given them a password").Examples(
		"crm employee import employees.csv --dry-run",
		"crm employee import employees.csv --on-match update",
	)
	type row = gen.EmployeeImportStageParams
	return c.DoesAs(imports(a, c, importing[row]{
		resource: "employee",
		fields: []importField[row]{
			field("username", value.ParseUsername, func(r *row) **string { return &r.Username }).isNeeded().isSureKey(),
			field("id", command.ParseID, func(r *row) **int64 { return &r.ID }).isSureKey(),
			field("fullname", command.Line("fullname"), func(r *row) **string { return &r.Fullname }).isNeeded(),
			field("role", command.ParseEnum("role", gen.AllRoleValues()), func(r *row) **gen.Role { return &r.Role }),
			field("active", parseBoolean, func(r *row) **bool { return &r.Active }),
		},
		row: func(r *row) (*int64, *bool, *[]string) { return &r.Line, &r.Bad, new([]string) },
		do: func(s service.Operations) func(context.Context, service.ImportParams, iter.Seq2[row, error]) (service.ImportResult, error) {
			return s.EmployeeImport
		},
	}, nil))
}
