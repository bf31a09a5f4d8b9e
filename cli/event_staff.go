package cli

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/command"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/service"
)

func (a *app) eventStaff() *ffcli.Command {
	c := a.Command("staff", "list who can run an event: who is free then, how much they run around it, and whether they know the customer; exit 8 if nobody is free").Examples(
		"crm event staff 8",
		"crm event staff 8 --assign support2",
		"crm event staff 8 -o json | jq -r 'map(select(.free))[0].support'",
	)
	id := a.eventArgument(c)
	assign := a.employeeFlag(c, "assign", "assign the event to this support, as set-support does").From(a.pickEmployee(gen.RoleSupport))
	allowClash := allowClashFlag(c)
	show := command.FeedFlags(c, candidates)
	c.Excludes("assign", "limit", "fields")
	c.Checks(func(context.Context) error {
		if *allowClash && !assign.Set {
			return failure.Misuse("--allow-clash needs --assign.", "")
		}
		return nil
	})
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		if assign.Set {
			return a.setSupport(ctx, s, gen.EventSetSupportParams{ID: id.Got, Support: assign.Got, AllowClash: allowClash},
				command.ShowsChangeWith(a.Env, &command.Value[[]string]{}, events))
		}
		staff, err := s.EventStaff(ctx, id.Got)
		if err != nil {
			return err
		}
		err = show(func(limit *int64) iter.Seq2[gen.EventStaffRow, error] { return command.FirstOf(staff.Staff, limit) })
		if err != nil || slices.ContainsFunc(staff.Staff, func(row gen.EventStaffRow) bool { return row.Free }) {
			return err
		}
		return &failure.Error{Code: exitFindings, Message: fmt.Sprintf("Nobody is free for event %d, %q.", id.Got, staff.Event.Name),
			Hint: "if a clash is meant, --assign USERNAME --allow-clash"}
	})
}

// candidates are those who could run an event.
var candidates = render.Resource[gen.EventStaffRow]{
	Name: "candidate", Title: "Staff", Hue: render.Orange, Charge: "support_id",
	Looks: []render.Look{
		{Column: "support_id", DataOnly: true},
		{Column: "support", Whole: true},
		{Column: "support_fullname", Label: "Name", Cut: true, Rank: 3},
		{Column: "assigned", Label: "Runs it", Rank: 5},
		{Column: "events_around", Label: "In 7 days"},
		{Column: "events_that_day", Label: "That day"},
		{Column: "events_of_customer", Label: "For them", Rank: 2},
		{Column: "other_id", Label: "Clashes with", Whole: true},
		{Column: "other", Label: "Its name", Cut: true, Rank: 1},
		{Column: "other_start", Label: "Its start", Weekday: true, Rank: 4},
		{Column: "other_end", Label: "Its end", Rank: 6},
	},
	Marks: []render.Mark[gen.EventStaffRow]{
		{Tone: render.Wrong, Columns: []string{"free"}, When: func(s gen.EventStaffRow) bool { return !s.Free }},
	},
}
