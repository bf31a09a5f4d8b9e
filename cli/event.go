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

func (a *app) eventCommands() *ffcli.Command {
	return command.Group("event", "events and the support who runs them",
		a.eventList(),
		a.eventDetail(),
		a.eventSheet(),
		a.eventAdd(),
		a.eventUpdate(),
		a.eventSetSupport(),
		a.eventStaff(),
		a.eventClashes(),
		a.eventIcs(),
		a.eventCancel(),
		a.eventImport(),
	)
}

func (a *app) eventList() *ffcli.Command {
	c := a.Command("list", "list events, by their start").Examples(
		"crm event list --no-support-assigned",
		"crm event list --assigned-to-me --next 7d",
		"crm event list --from 2026-06-01 --to 2026-06-30 -o csv",
	)
	noSupport := c.Switch("no-support-assigned", "only those that nobody runs yet")
	assigned := c.Switch("assigned-to-me", "only those that you run")
	support := a.employeeFlag(c, "support", "only those that this support runs").From(a.pickEmployee(gen.RoleSupport))
	mine := c.Switch("mine", "only those of your own customers")
	commercial := a.employeeFlag(c, "commercial", "only those of this commercial's customers").
		From(a.pickEmployee(gen.RoleCommercial))
	customer := a.customerFlag(c, "only those of this customer")
	contract := a.contractFilter(c, "only those of this contract", offer{list: gen.ContractListParams{Signed: true}, what: "that is signed"})
	cancelled := c.Switch("cancelled", "those that are cancelled too")
	when := a.addPeriodFlags(c)
	search := command.SearchFlag(c, "name, location, note, or the customer's name, company, e-mail or phone")
	changed := command.Flag(c, "changed-since", "DATE", "only those that were changed at this time or later", a.ParseTime)
	c.Excludes("no-support-assigned", "assigned-to-me", "support")
	c.Excludes("assigned-to-me", "support")
	c.Excludes("mine", "commercial")
	l := command.ListFlags(c, events)
	open := opening(a, c, eventChoice, func(ctx context.Context, s service.Operations, row gen.EventView) error {
		return a.showEvent(ctx, s, row.ID)
	})
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		from, to, err := when()
		if err != nil {
			return err
		}
		for _, username := range []*command.Value[string]{support, commercial} {
			if err := a.existingUsername(ctx, s, username); err != nil {
				return err
			}
		}
		if err := existingCustomer(ctx, s, customer); err != nil {
			return err
		}
		var contractID *uuid.UUID
		if contract.Set {
			id, err := s.ContractFind(ctx, contract.Got)
			if err != nil {
				return err
			}
			contractID = &id
		}
		p := gen.EventListParams{
			Cancelled:         *cancelled,
			NoSupportAssigned: *noSupport,
			SupportID:         command.MineOnly(s, *assigned),
			Support:           support.Pointer(),
			CommercialID:      command.MineOnly(s, *mine),
			Commercial:        commercial.Pointer(),
			CustomerID:        customer.Pointer(),
			ContractID:        contractID,
			FromAt:            from,
			ToAt:              to,
			Search:            search.Pointer(),
			ChangedSince:      changed.Pointer(),
			Sort:              l.Order(),
			RowLimit:          l.RowLimit(),
			NotOverAt:         nil, // first of all, all
		}
		asked, err := open(ctx, s, func(typed string) iter.Seq2[gen.EventView, error] {
			p := p
			p.Search, p.RowLimit = joined(p.Search, typed), nil
			return s.EventList(ctx, p)
		})
		if asked {
			return err
		}
		count := func(p gen.EventListParams) func(context.Context) (int64, error) {
			return func(ctx context.Context) (int64, error) { return s.EventCount(ctx, p) }
		}
		if from != nil || to != nil || l.Order() != "" {
			return command.ShowList(ctx, l, events, s.EventList(ctx, p), count(p))
		}
		later := p
		later.NotOverAt = new(value.DateOf(a.Now()).Start(a.Config.Location))
		return command.ShowListFrom(ctx, l, events, s.EventList(ctx, p), count(p),
			command.Later[gen.EventView]{Rows: s.EventList(ctx, later), Count: count(later), Before: "today"})
	})
}

// addPeriodFlags declares when the events of a list take place. What it returns is nil where nothing was said.
func (a *app) addPeriodFlags(c *command.Command) (period func() (from, to *time.Time, err error)) {
	from := command.Flag(c, "from", "DATE", "only those that take place at this time or later, also if they began before", a.ParseTime)
	to := command.Flag(c, "to", "DATE", "only those that begin before this time, or on this day", a.ParseUntil)
	today := c.Switch("today", "only those that take place today")
	week := c.Switch("week", "only those that take place in this week, from Monday to Sunday")
	next := command.Flag(c, "next", "SPAN", "only those that take place from now until so much later, such as 7d or 2w", func(s string) (time.Time, error) {
		return a.ParseUntil("+" + strings.TrimSpace(s))
	})
	c.Excludes("today", "week", "next", "from", "to")
	c.Excludes("week", "next", "from", "to")
	c.Excludes("next", "from", "to")
	return func() (*time.Time, *time.Time, error) {
		now := a.Now()
		days := func(first, after int) (*time.Time, *time.Time, error) {
			day := func(distance int) *time.Time {
				at := time.Date(now.Year(), now.Month(), now.Day()+distance, 12, 0, 0, 0, time.UTC)
				return new(value.DateOf(at).Start(now.Location()))
			}
			return day(first), day(after), nil
		}
		switch {
		case *today:
			return days(0, 1)
		case *week:
			monday := -(int(now.Weekday()) + 6) % 7
			return days(monday, monday+7)
		case next.Set:
			return &now, next.Pointer(), nil
		case from.Set && to.Set && !from.Got.Before(to.Got):
			return nil, nil, failure.Misuse("--from is not before --to.", "")
		}
		return from.Pointer(), to.Pointer(), nil
	}
}

func (a *app) eventDetail() *ffcli.Command {
	c := a.Command("detail", "show one event").Examples("crm event detail 5")
	id := a.eventArgument(c)
	show := command.Shows(c, events)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		row, err := s.EventDetail(ctx, id.Got)
		if err != nil {
			return err
		}
		return show(row)
	})
}

// eventFlags declares what an event is made of beside its contract.
type eventFlags struct {
	name       *command.Value[string]
	start, end *command.Value[time.Time]
	attendees  *command.Value[int32]
	location   *command.Value[string]
	note       *command.Value[string]
	span       *span
}

// span is where an end is counted from its start.
type span struct {
	env    *command.Env
	start  *command.Value[time.Time]
	stored *time.Time // the start of the event as it is
}

// from returns the start that the end has; zero where there is none.
func (s *span) from() time.Time {
	switch {
	case s.start.Set:
		return s.start.Got
	case s.stored != nil:
		return *s.stored
	}
	return time.Time{}
}

// parseEnd reads an end. While the start is not known, which may come later, anything is right that is an end of
// something.
func (s *span) parseEnd(typed string) (time.Time, error) {
	start := s.from()
	if start.IsZero() {
		start = s.env.Now()
	}
	return value.ParseEnd(typed, s.env.Now(), start)
}

// settle reads the end again, now that the start is known: that of the flag, or that of the event.
func (f *eventFlags) settle(read func() (*time.Time, error)) (err error) {
	s := f.span
	matters, needed := value.FromStart(f.end.Text, s.env.Now())
	if !f.end.Set || !matters {
		return nil
	}
	if !s.start.Set && s.stored == nil {
		if s.stored, err = read(); err != nil {
			return err
		}
	}
	if s.from().IsZero() && needed {
		return failure.Misuse(fmt.Sprintf("--end: %q is counted from a start, and there is none.", f.end.Text), "write its day too, or give --start")
	}
	if f.end.Got, err = value.ParseEnd(f.end.Text, s.env.Now(), s.from()); err != nil {
		return failure.Misuse("--end: "+failure.Of(err).Message, failure.Of(err).Hint)
	}
	return nil
}

func (a *app) addEventFlags(c *command.Command) eventFlags {
	name := command.Flag(c, "name", "NAME", "name of the event", command.Line("name"))
	start := command.Flag(c, "start", "DATE", "when it starts, such as 2026-06-20 18:30 or friday 18h30", a.ParseTime)
	span := &span{env: a.Env, start: start}
	return eventFlags{
		span:      span,
		name:      name,
		start:     start,
		end:       command.Flag(c, "end", "DATE", "when it ends, such as 2026-06-20 23:30, or after the start 23h30 or +4h", span.parseEnd),
		attendees: command.Flag(c, "attendees", "N", "number of guests", parseAttendees),
		location:  command.Flag(c, "location", "PLACE", "where it is held", command.Line("location")),
		note:      command.Flag(c, "note", "TEXT", "what the support should know; may have several lines", parseNote).Multiline(),
	}
}

func (a *app) eventAdd() *ffcli.Command {
	c := a.Command("add", "add an event to a signed contract of your own customer").Examples(
		`crm event add --contract-uuid b0f94a --name "Soirée fado" --start "2026-04-17 20:00" --attendees 60`,
	)
	contract := a.contractFlag(c, offer{list: gen.ContractListParams{Signed: true}, what: "that is signed"}).Needed()
	f := a.addEventFlags(c)
	f.name.Needed()
	f.start.Offered()
	f.end.Offered()
	f.attendees.Offered()
	f.location.Offered()
	f.note.Offered()
	show := command.ShowsChange(c, events)
	return doesToContract(c, contract, func(ctx context.Context, s service.Operations, id uuid.UUID) error {
		if err := f.settle(func() (*time.Time, error) { return nil, nil }); err != nil {
			return err
		}
		change, err := s.EventAdd(ctx, gen.EventAddParams{
			ContractID: id, Name: f.name.Got, StartAt: f.start.Pointer(), EndAt: f.end.Pointer(),
			Attendees: f.attendees.Pointer(), Location: f.location.Pointer(), Note: f.note.Pointer(),
		})
		if err != nil {
			return err
		}
		return show(change)
	})
}

func (a *app) eventCancel() *ffcli.Command {
	c := a.Command("cancel", "cancel an event, which frees its support and its contract").Examples(
		`crm event cancel 9 --reason "the snow did not come"`,
	)
	id := a.eventArgument(c)
	reason := reasonFlag(c)
	show := command.ShowsChange(c, events)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		change, err := s.EventCancel(ctx, gen.EventCancelParams{ID: id.Got, Reason: reason.Got})
		if err != nil {
			return err
		}
		if change.Before.CancelledAt != nil {
			a.Notice("The event was cancelled already; nothing was changed.")
		}
		return show(change)
	})
}

// eventArgument declares the event that a command is about.
func (a *app) eventArgument(c *command.Command) *command.Value[int64] {
	id := command.Flag(c, "event-id", "N", "id of the event", command.ParseID).AsArgument().
		Titled("Event").From(a.pickEvent(c))
	return id
}

// pickEvent offers the events that the employee may use the command on: those that nobody runs first, and what is over
// last.
func (a *app) pickEvent(c *command.Command) terminal.Choices {
	return func(ctx context.Context, typed string, limit int) ([]terminal.Choice, error) {
		none := "There is no event."
		own, err := c.May(ctx)
		if err != nil {
			return nil, err
		}
		if own != nil {
			none = "There is no event that you run."
		}
		s, err := a.Session(ctx)
		if err != nil {
			return nil, err
		}
		named := gen.EventListParams{SupportID: own, IDBegins: begins(typed, isID), Sort: "id", RowLimit: new(int64(limit))}
		searched := gen.EventListParams{SupportID: own, Search: command.Typed(typed), RowLimit: new(int64(limit))}
		later, free := searched, searched
		later.NotOverAt, free.NoSupportAssigned = new(value.DateOf(a.Now()).Start(a.Config.Location)), true
		return choicesOf(typed, limit, none, eventChoice, onlyIf(named.IDBegins != nil, s.EventList(ctx, named)), onlyIf(own == nil, s.EventList(ctx, free)),
			s.EventList(ctx, later), s.EventList(ctx, searched))
	}
}

// eventChoice offers an event.
func eventChoice(e gen.EventView) terminal.Choice {
	label, support := fmt.Sprintf("%d\t%s, %s", e.ID, e.Name, e.Customer), "no support"
	if e.Support != nil {
		support = *e.Support
	}
	return terminal.Choice{Label: label + " (" + support + ")", Value: fmt.Sprint(e.ID)}
}

var events = render.Resource[gen.EventView]{
	Name: "event", Title: "Events", Hue: render.Orange, Charge: "support_id",
	Looks: []render.Look{
		{Column: "contract", SaidBy: "number"},
		{Column: "number", Label: "Contract", Whole: true, Rank: 8, SameBy: []string{"contract-uuid"}},
		{Column: "customer_id", DataOnly: true},
		{Column: "customer", Rank: 2, Cut: true, SameBy: []string{"customer-id", "contract-uuid"}},
		{Column: "company", Rank: 9, SameBy: []string{"customer-id", "contract-uuid"}},
		{Column: "support_id", DataOnly: true},
		{Column: "support_fullname", Of: "support", Absent: "nobody", Rank: 1, Cut: true, SameBy: []string{"support", "assigned-to-me", "no-support-assigned"}},
		{Column: "commercial_id", DataOnly: true},
		{Column: "commercial_fullname", Of: "commercial", Rank: 6, SameBy: []string{"commercial", "mine", "customer-id", "contract-uuid"}},
		{Column: "start", Weekday: true, KeptBy: []string{"from", "to", "today", "week", "next"}},
		{Column: "end", Rank: 4},
		{Column: "attendees", Rank: 3},
		{Column: "location", Rank: 5},
		{Column: "note", Rank: 7, Multiline: true},
		{Column: "cancelled_at", KeptBy: []string{"cancelled"}, Beside: []string{"cancelled"}},
		{Column: "cancel_reason", Rank: 12, Beside: []string{"cancelled"}},
		{Column: "updated_at", Rank: 10, KeptBy: []string{"changed-since"}, Follows: true},
	},
	Marks: []render.Mark[gen.EventView]{
		{Tone: render.Wrong, Columns: []string{"cancelled_at"}, When: func(e gen.EventView) bool { return e.CancelledAt != nil }},
		{Tone: render.Waiting, Columns: []string{"support_fullname"}, When: func(e gen.EventView) bool { return e.SupportID == nil && e.CancelledAt == nil }},
	},
}

func (a *app) eventImport() *ffcli.Command {
	c := a.Command("import", "take events in from a file").Examples(
		"crm event import events.csv --dry-run",
		"crm event import events.csv --on-match update --rejects rejects.csv",
	)
	type row = gen.EventImportStageParams
	contract := func(name string) importField[row] {
		return contractField(name, func(r *row) **uuid.UUID { return &r.ContractID }, func(r *row) **string { return &r.Number })
	}
	return c.DoesAs(imports(a, c, importing[row]{
		resource: "event",
		fields: []importField[row]{
			field("id", command.ParseID, func(r *row) **int64 { return &r.ID }).isSureKey(),
			field("name", command.Line("name"), func(r *row) **string { return &r.Name }).isNeeded(),
			contract("contract"),
			contract("number"),
			field("support", value.ParseUsername, func(r *row) **string { return &r.Support }).emptied(),
			field("start", a.ParseTime, func(r *row) **time.Time { return &r.StartAt }).emptied(),
			field("end", a.ParseTime, func(r *row) **time.Time { return &r.EndAt }).emptied(),
			field("attendees", parseAttendees, func(r *row) **int32 { return &r.Attendees }).emptied(),
			field("location", command.Line("location"), func(r *row) **string { return &r.Location }).emptied(),
			field("note", parseNote, func(r *row) **string { return &r.Note }).emptied(),
			field("cancelled_at", a.ParseTime, func(r *row) **time.Time { return &r.CancelledAt }),
			field("cancel_reason", command.Line("cancel_reason"), func(r *row) **string { return &r.CancelReason }),
			field("clash_allowed", parseBoolean, func(r *row) **bool { return &r.ClashAllowed }),
		},
		row: func(r *row) (*int64, *bool, *[]string) { return &r.Line, &r.Bad, &r.Empties },
		do: func(s service.Operations) func(context.Context, service.ImportParams, iter.Seq2[row, error]) (service.ImportResult, error) {
			return s.EventImport
		},
	}, nil))
}

func parseAttendees(s string) (int32, error) { return value.ParseCount("--attendees", s) }

func parseNote(s string) (string, error) { return value.ParseNote("--note", s) }
