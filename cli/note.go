package cli

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/command"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/service"
)

func (a *app) noteCommands() *ffcli.Command {
	return command.Group("note", "what was said of customers, contracts and events",
		a.noteList(),
		a.noteAdd(),
	)
}

// subject is what a note or a reminder is about: flags, of which one is given, or words such as customer 3.
type subject struct {
	customer *command.Value[int64]
	contract *command.Value[string]
	event    *command.Value[int64]
}

// subjectFlags declares of what the rows of a list are.
func (a *app) subjectFlags(c *command.Command) subject {
	about := subject{
		customer: a.customerFlag(c, "only those of this customer, and of what is theirs"),
		contract: a.contractFilter(c, "only those of this contract, and of its events", offer{}),
		event:    command.Flag(c, "event-id", "N", "only those of this event", command.ParseID),
	}
	c.Excludes("customer-id", "contract-uuid", "event-id")
	c.Excludes("contract-uuid", "event-id")
	return about
}

// find looks up what was named.
func (about subject) find(ctx context.Context, s service.Operations) (customer *int64, contract *uuid.UUID, event *int64, err error) {
	if err := existingCustomer(ctx, s, about.customer); err != nil {
		return nil, nil, nil, err
	}
	if about.contract.Set {
		id, err := s.ContractFind(ctx, about.contract.Got)
		if err != nil {
			return nil, nil, nil, err
		}
		contract = &id
	}
	if about.event.Set {
		if _, err := s.EventDetail(ctx, about.event.Got); err != nil {
			return nil, nil, nil, err
		}
	}
	return about.customer.Pointer(), contract, about.event.Pointer(), nil
}

// about declares what something new is about: a kind and an id, as arguments, or one of the flags.
func (a *app) about(c *command.Command) func(ctx context.Context, s service.Operations) (customer *int64, contract *uuid.UUID, event *int64, err error) {
	kinds := []string{"customer", "contract", "event"}
	kind := command.Flag(c, "about", "RESOURCE", "what it is about: customer, contract or event, and then which", func(s string) (string, error) {
		for _, kind := range kinds {
			if s == kind {
				return s, nil
			}
		}
		return "", failure.Misuse(fmt.Sprintf("%q is no customer, contract or event.", s), "as customer 3, contract 2026-0042 or event 9")
	}).OneOf(kinds...).MaybeArgument()
	ref := command.Flag(c, "id", "ID", "which one: an id, or the number of a contract", command.Line("id")).MaybeArgument()
	flags := subject{
		customer: a.customerFlag(c, "the customer it is about"),
		contract: a.contractFilter(c, "the contract it is about", offer{}),
		event:    command.Flag(c, "event-id", "N", "the event it is about", command.ParseID),
	}
	c.Checks(func(context.Context) error {
		named := 0
		for _, is := range []bool{kind.Set, flags.customer.Set, flags.contract.Set, flags.event.Set} {
			if is {
				named++
			}
		}
		switch {
		case named == 0:
			return failure.Misuse("What is it about? Name a customer, a contract or an event.", "customer 3, or --customer-id 3, --contract-uuid, --event-id")
		case named > 1:
			return failure.Misuse("It is about one customer, one contract or one event.", "")
		case kind.Set && !ref.Set:
			return failure.Misuse(fmt.Sprintf("Which %s?", kind.Got), kind.Got+" 3")
		}
		return nil
	})
	return func(ctx context.Context, s service.Operations) (customer *int64, contract *uuid.UUID, event *int64, err error) {
		if !kind.Set {
			return flags.find(ctx, s)
		}
		if kind.Got == "contract" {
			id, err := s.ContractFind(ctx, ref.Got)
			return nil, &id, nil, err
		}
		id, err := command.ParseID(ref.Got)
		if kind.Got == "event" {
			return nil, nil, &id, err
		}
		return &id, nil, nil, err
	}
}

func textFlag(c *command.Command, help string) *command.Value[string] {
	return command.Flag(c, "text", "TEXT", help, func(s string) (string, error) {
		return value.ParseNote("--text", s)
	}).Multiline()
}

func (a *app) noteList() *ffcli.Command {
	c := a.Command("list", "list notes, by the time at which they were written").Examples(
		"crm note list --customer-id 3",
		"crm note list --by commercial1 --changed-since -7d --sort at:desc",
	)
	about := a.subjectFlags(c)
	by := command.Flag(c, "by", "USERNAME", "only those that this employee wrote, by the username of then", command.Line("by")).From(a.pickEmployee(""))
	changed := command.Flag(c, "changed-since", "DATE", "only those that were written at this time or later", a.ParseTime)
	l := command.ListFlags(c, notes)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		customer, contract, event, err := about.find(ctx, s)
		if err != nil {
			return err
		}
		p := gen.NoteListParams{
			CustomerID: customer, ContractID: contract, EventID: event, By: by.Pointer(), ChangedSince: changed.Pointer(), Sort: l.Order(), RowLimit: l.RowLimit(),
		}
		return command.ShowList(ctx, l, notes, s.NoteList(ctx, p), func(ctx context.Context) (int64, error) { return s.NoteCount(ctx, p) })
	})
}

func (a *app) noteAdd() *ffcli.Command {
	c := a.Command("add", "write down what was said of a customer, a contract or an event; it stays as it is written").Examples(
		`crm note add customer 3 --text "Rappelle jeudi, veut un devis pour 80 personnes"`,
		`crm note add --event-id 9 --text "Le traiteur livre à 17 h"`,
	)
	about := a.about(c)
	text := textFlag(c, "what was said; may have several lines").Needed()
	show := command.ShowsChange(c, notes)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		customer, contract, event, err := about(ctx, s)
		if err != nil {
			return err
		}
		change, err := s.NoteAdd(ctx, gen.NoteAddParams{CustomerID: customer, ContractID: contract, EventID: event, Text: text.Got})
		if err != nil {
			return err
		}
		return show(change)
	})
}

// aboutLooks are the columns that say what a note or a reminder is about.
var aboutLooks = []render.Look{
	{Column: "customer_id", DataOnly: true},
	{Column: "customer", Rank: 2, Cut: true, SameBy: []string{"customer-id", "contract-uuid", "event-id"}},
	{Column: "contract", SaidBy: "number"},
	{Column: "number", Label: "Contract", Whole: true, Rank: 5, SameBy: []string{"contract-uuid", "event-id"}},
	{Column: "event_id", DataOnly: true},
	{Column: "event", Rank: 4, Cut: true, SameBy: []string{"event-id"}},
}

var notes = render.Resource[gen.NoteView]{
	Name: "note", Title: "Notes", Hue: render.Blue,
	Looks: append([]render.Look{
		{Column: "at", Weekday: true, KeptBy: []string{"changed-since"}},
		{Column: "by", Rank: 3, SameBy: []string{"by"}},
		{Column: "by_id", DataOnly: true},
		{Column: "text", Multiline: true},
	}, aboutLooks...),
}
