package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/command"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/service"
)

func (a *app) eventIcs() *ffcli.Command {
	c := a.Command("ics", "write one event or many as iCalendar, for the calendar of a telephone or a mail program").Examples(
		"crm event ics 9 > gala.ics",
		"crm event ics --assigned-to-me --from today > events.ics",
	)
	id := command.Flag(c, "event-id", "N", "only the event of this id", command.ParseID).MaybeArgument()
	id.From(a.pickEvent(c))
	assigned := c.Switch("assigned-to-me", "only those that you run")
	support := a.employeeFlag(c, "support", "only those that this support runs").From(a.pickEmployee(gen.RoleSupport))
	from := command.Flag(c, "from", "DATE", "only those that take place at this time or later, also if they began before", a.ParseTime)
	to := command.Flag(c, "to", "DATE", "only those that begin before this time, or on this day", a.ParseUntil)
	c.Excludes("event-id", "assigned-to-me", "support", "from", "to")
	c.Excludes("assigned-to-me", "support")
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		if from.Set && to.Set && !from.Got.Before(to.Got) {
			return failure.Misuse("--from is not before --to.", "")
		}
		if err := a.existingUsername(ctx, s, support); err != nil {
			return err
		}
		if id.Set {
			row, err := s.EventDetail(ctx, id.Got)
			if err != nil {
				return err
			}
			if row.Start == nil {
				return &failure.Error{Code: failure.Conflict, Message: fmt.Sprintf("Event %d has no start: no calendar takes it.", id.Got)}
			}
		}
		rows := s.EventIcs(ctx, gen.EventIcsParams{
			ID: id.Pointer(), SupportID: command.MineOnly(s, *assigned), Support: support.Pointer(), FromAt: from.Pointer(), ToAt: to.Pointer(),
		})
		without, err := service.WriteCalendar(written{a.Output().Out}, "crm", rows)
		if err == nil && without > 0 {
			a.Notice("%s without a start: no calendar takes that.", text.Count(without, "event"))
		}
		return err
	})
}

// written is a writer whose errors are told as those of results are.
type written struct{ to io.Writer }

func (w written) Write(part []byte) (int, error) { return len(part), render.WriteOut(w.to, part) }
