package cli

import (
	"context"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/command"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/service"
)

func (a *app) reminderCommands() *ffcli.Command {
	return command.Group("reminder", "what is to be done, by whom and when",
		a.reminderList(),
		a.reminderAdd(),
		a.reminderDone(),
		a.reminderDelete(),
	)
}

func (a *app) reminderList() *ffcli.Command {
	c := a.Command("list", "list reminders that are not done, by the day on which they are due").Examples(
		"crm reminder list --mine --to today",
		"crm reminder list --for support1 --done -o csv",
		"crm reminder list --customer-id 3",
	)
	about := a.subjectFlags(c)
	mine := c.Switch("mine", "only those for you")
	who := a.employeeFlag(c, "for", "only those for this employee").From(a.pickEmployee(""))
	from := command.Flag(c, "from", "DATE", "only those that are due on this day or later", a.ParseDate)
	to := command.Flag(c, "to", "DATE", "only those that are due on this day or before", a.ParseDate)
	done := c.Switch("done", "those that are done too")
	changed := command.Flag(c, "changed-since", "DATE", "only those that were changed at this time or later", a.ParseTime)
	c.Excludes("mine", "for")
	l := command.ListFlags(c, reminders)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		customer, contract, event, err := about.find(ctx, s)
		if err != nil {
			return err
		}
		if err := a.existingUsername(ctx, s, who); err != nil {
			return err
		}
		p := gen.ReminderListParams{
			CustomerID: customer, ContractID: contract, EventID: event, Done: *done, For: who.Pointer(), ForID: command.MineOnly(s, *mine),
			DueFrom: from.Pointer(), DueTo: to.Pointer(), ChangedSince: changed.Pointer(), Sort: l.Order(), RowLimit: l.RowLimit(),
		}
		return command.ShowList(ctx, l, reminders, s.ReminderList(ctx, p), func(ctx context.Context) (int64, error) { return s.ReminderCount(ctx, p) })
	})
}

func (a *app) reminderAdd() *ffcli.Command {
	c := a.Command("add", "remind somebody, or yourself, of a customer, a contract or an event").Examples(
		`crm reminder add customer 3 --due +3d --text "Envoyer le devis"`,
		`crm reminder add --event-id 9 --due monday --text "Confirmer la salle" --for support2`,
	)
	about := a.about(c)
	due := command.Flag(c, "due", "DATE", "the day from which on it is due, such as +3d or monday", a.ParseDate).Needed()
	text := textFlag(c, "what is to be done; may have several lines").Needed()
	who := a.employeeFlag(c, "for", "who is reminded; you, unless said otherwise").From(a.pickEmployee(""))
	show := command.ShowsChange(c, reminders)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		customer, contract, event, err := about(ctx, s)
		if err != nil {
			return err
		}
		change, err := s.ReminderAdd(ctx, gen.ReminderAddParams{
			CustomerID: customer, ContractID: contract, EventID: event, DueOn: due.Got, Text: text.Got, For: who.Pointer(),
		})
		if err != nil {
			return a.suggestUsername(ctx, s, err, who.Got)
		}
		return show(change)
	})
}

func (a *app) reminderDone() *ffcli.Command {
	c := a.Command("done", "note that what a reminder says was done").Examples("crm reminder done 1")
	id := reminderArgument(c)
	show := command.ShowsChange(c, reminders)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		change, err := s.ReminderDone(ctx, id.Got)
		if err != nil {
			return err
		}
		if change.Before.DoneAt != nil {
			a.Notice("It was done already; nothing was changed.")
		}
		return show(change)
	})
}

func (a *app) reminderDelete() *ffcli.Command {
	c := a.Command("delete", "delete a reminder").Examples("crm reminder delete 1")
	id := reminderArgument(c)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		if err := s.ReminderDelete(ctx, id.Got); err != nil {
			return err
		}
		a.Notice("Deleted reminder %d.", id.Got)
		return nil
	})
}

func reminderArgument(c *command.Command) *command.Value[int64] {
	return command.Flag(c, "reminder-id", "N", "id of the reminder", command.ParseID).AsArgument().Titled("Reminder")
}

var reminders = render.Resource[gen.ReminderView]{
	Name: "reminder", Title: "Reminders", Hue: render.Magenta, Charge: "for_id",
	Looks: append([]render.Look{
		{Column: "due_on", Weekday: true, KeptBy: []string{"from", "to"}},
		{Column: "for_id", DataOnly: true},
		{Column: "for_fullname", Of: "for", Label: "For", Rank: 1, Cut: true, SameBy: []string{"for", "mine"}},
		{Column: "text", Multiline: true},
		{Column: "done_at", KeptBy: []string{"done"}, Beside: []string{"done"}},
		{Column: "updated_at", Rank: 10, KeptBy: []string{"changed-since"}, Follows: true},
	}, aboutLooks...),
}
