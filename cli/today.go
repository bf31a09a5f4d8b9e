package cli

import (
	"context"
	"iter"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/command"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/service"
)

func (a *app) todayCommand() *ffcli.Command {
	c := a.Command("today", "what waits for you, each with the command that settles it").Examples(
		"crm today",
		"crm today --exit-code --limit 10",
		"crm today --for commercial1 -o json",
		"crm today -o csv --fields command --no-header",
	)
	who := a.employeeFlag(c, "for", "what waits for this employee; for administrators").From(a.pickEmployee(""))
	exitCode := c.Switch("exit-code", "exit 8 if anything waits")
	l := command.ListFlags(c, workItems)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		if err := a.existingUsername(ctx, s, who); err != nil {
			return err
		}
		p := gen.TodayParams{For: who.Pointer(), Sort: l.Order(), RowLimit: l.RowLimit()}
		found := int64(0)
		counted := func(rows iter.Seq2[gen.TodayRow, error]) iter.Seq2[gen.TodayRow, error] {
			return func(yield func(gen.TodayRow, error) bool) {
				for row, err := range rows {
					if err == nil {
						found++
					}
					if !yield(row, err) {
						return
					}
				}
			}
		}
		count := func(ctx context.Context) (n int64, err error) {
			found, err = s.TodayCount(ctx, p)
			return found, err
		}
		if err := command.ShowList(ctx, l, workItems, counted(s.Today(ctx, p)), count); err != nil {
			return err
		}
		if found > 0 && *exitCode {
			return &failure.Error{Code: exitFindings, Message: "Something is waiting."}
		}
		return nil
	})
}

var workItems = render.Resource[gen.TodayRow]{
	Name: "work_item", Title: "Today", Hue: render.Magenta, None: "Nothing waiting.",
	Looks: []render.Look{
		{Column: "kind", SaidBy: "what"},
		{Column: "what", Wraps: true},
		{Column: "day", Weekday: true},
		{Column: "command", Wraps: true},
	},
}
