package cli

import (
	"context"
	"iter"
	"strings"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/command"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/service"
)

func (a *app) employeeHandover() *ffcli.Command {
	c := a.Command("handover", "put an employee in the place of another who leaves, and show what that is").Examples(
		"crm employee handover commercial1 commercial2 --dry-run",
		"crm employee handover support1 support2 --events",
	)
	from := a.employeeFlag(c, "from", "who is in charge now").AsArgument().Titled("Hand over from").From(a.pickEmployee(""))
	to := a.employeeFlag(c, "to", "who takes over").AsArgument().Titled("Hand over to").From(a.pickEmployee(""))
	customers := c.Switch("customers", "only the customers, but those who are archived")
	events := c.Switch("events", "only the events to come")
	dryRun := c.Switch("dry-run", "only show what would be handed over")
	show := command.FeedFlags(c, handovers)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		if from.Got == to.Got {
			return failure.Misuse("Nobody hands over to themselves.", "")
		}
		all := *customers == *events
		rows, err := s.EmployeeHandover(ctx, service.HandoverParams{
			EmployeeHandoverParams: gen.EmployeeHandoverParams{
				Username: from.Got, Successor: to.Got, Customers: all || *customers, Events: all || *events,
			},
			DryRun: *dryRun,
		})
		if err != nil {
			return a.suggestUsername(ctx, s, a.suggestUsername(ctx, s, err, from.Got), to.Got)
		}
		err = show(func(limit *int64) iter.Seq2[gen.EmployeeHandoverRow, error] { return command.FirstOf(rows, limit) })
		if err != nil && !*dryRun {
			err = command.AfterWrite(err)
		}
		if err != nil {
			return err
		}
		switch what := handedOver(rows); {
		case what == "":
			a.Notice("Nothing is in the charge of %s that could be handed over.", from.Got)
		case *dryRun:
			a.Notice("%s would go to %s. Nothing was changed.", what, to.Got)
		default:
			a.Notice("%s went to %s.", what, to.Got)
		}
		return nil
	})
}

// handedOver says in few words what the rows of a handover are.
func handedOver(rows []gen.EmployeeHandoverRow) string {
	var (
		due   value.Cents
		count = map[string]int{}
		parts []string
	)
	for _, row := range rows {
		count[row.Resource]++
		if row.Resource == "customer" {
			due += row.TotalDue
		}
	}
	if n := count["customer"]; n > 0 {
		parts = append(parts, text.Count(n, "customer")+" with "+value.FormatEuro(due)+" due")
	}
	if n := count["event"]; n > 0 {
		parts = append(parts, text.Count(n, "event")+" to come")
	}
	if n := count["reminder"]; n > 0 {
		parts = append(parts, text.Count(n, "reminder"))
	}
	return strings.Join(parts, " and ")
}

// handovers shows what was handed over: what the successor has to know first.
var handovers = render.Resource[gen.EmployeeHandoverRow]{
	Name: "handover", Title: "Handed over", Hue: render.Magenta,
	Looks: []render.Look{
		{Column: "resource", Whole: true},
		{Column: "id", Rank: 1},
		{Column: "company", Rank: 2},
		{Column: "next_event", Weekday: true},
		{Column: "due_on", Label: "Reminder", Weekday: true},
	},
}
