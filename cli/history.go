package cli

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/cmdline"
	"github.com/epicevents/crm/cli/command"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/service"
)

// withHistory are the resources of which there is a history.
var withHistory = []string{"contract", "customer", "employee", "event", "note", "payment", "reminder"}

func (a *app) historyCommand() *ffcli.Command {
	c := a.Command("history", "show what was changed, by whom and when, newest first").Examples(
		"crm history contract 2026-0003",
		"crm history --since today --by commercial1",
		"crm history customer 3 -o json",
	)
	resource := command.Flag(c, "resource", "RESOURCE", "only what changed of one of "+strings.Join(withHistory, ", "), func(s string) (string, error) {
		name := strings.ToLower(strings.TrimSpace(s))
		if slices.Contains(withHistory, name) {
			return name, nil
		}
		return "", cmdline.UnknownValue("resource", s, withHistory)
	}).OneOf(withHistory...).MaybeArgument()
	ref := command.Flag(c, "id", "ID", "only what changed of this one: an id, a username, a number of a contract; of a contract, its payments and events too",
		command.Line("id")).MaybeArgument()
	since := command.Flag(c, "since", "DATE", "only what was changed at this time or later", a.ParseTime)
	by := command.Flag(c, "by", "USERNAME", "only what this employee changed, by the username of then", command.Line("by")).From(a.pickEmployee(""))
	name := command.Flag(c, "command", "COMMAND", `only what was changed by this command, such as "contract sign"`, func(s string) (string, error) {
		return strings.TrimPrefix(strings.Join(strings.Fields(s), " "), "crm "), nil
	})
	batch := command.Flag(c, "batch", "UUID", "only what one run of a command changed: its id, or the first 6 characters of that or more", command.Line("batch"))
	l := command.ListFlags(c, changes)
	c.Checks(func(context.Context) error {
		if ref.Set && !resource.Set {
			return failure.Misuse("--id needs --resource: of what it is the id.", "crm history contract "+ref.Got)
		}
		return nil
	})
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		p := gen.HistoryParams{
			Resource: resource.Pointer(), Since: since.Pointer(), By: by.Pointer(), Command: name.Pointer(), Sort: l.Order(), RowLimit: l.RowLimit(),
		}
		if ref.Set {
			id, err := a.recordedID(ctx, s, resource.Got, ref.Got)
			if err != nil {
				return err
			}
			if p.ResourceID = &id; resource.Got == "contract" {
				p.ContractID = new(uuid.MustParse(id))
			}
		}
		if batch.Set {
			id, err := s.ChangeFind(ctx, batch.Got)
			if err != nil {
				return err
			}
			p.Batch = &id
		}
		return command.ShowList(ctx, l, changes, s.History(ctx, p), func(ctx context.Context) (int64, error) {
			return s.HistoryCount(ctx, p)
		})
	})
}

// recordedID returns the id, as the history has it, of what was named. What is gone is found by its id.
func (a *app) recordedID(ctx context.Context, s service.Operations, resource, named string) (string, error) {
	switch resource {
	case "contract":
		id, err := s.ContractFind(ctx, named)
		if whole, errParse := value.ParseUUID(named); failure.CodeOf(err) == failure.NotFound && errParse == nil {
			return whole.String(), nil
		}
		return id.String(), err
	case "payment":
		id, err := command.ParseUUID(named)
		return id.String(), err
	case "employee":
		who, err := parseEmployee(named)
		if err != nil {
			return "", err
		}
		row, err := s.EmployeeFind(ctx, who)
		if who.ID != nil && failure.CodeOf(err) == failure.NotFound {
			return fmt.Sprint(*who.ID), nil
		}
		return fmt.Sprint(row.ID), a.suggestUsername(ctx, s, err, named)
	case "customer":
		if isWords(named) {
			id, err := a.customerFitting(ctx, s, named)
			return fmt.Sprint(id), err
		}
		fallthrough
	default:
		id, err := command.ParseID(named)
		return fmt.Sprint(id), err
	}
}

func (a *app) changesCommand() *ffcli.Command {
	c := a.Command("changes", "a feed of all changes for another program, in the order of commits").Examples(
		"crm changes -o jsonl",
		"crm changes --after 42-17-1-5f0c1a52 -o jsonl",
	)
	after := command.Flag(c, "after", "CURSOR", "only what comes after this cursor, which is printed with each line", command.Line("after"))
	show := command.FeedFlags(c, feed)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		return show(func(limit *int64) iter.Seq2[gen.ChangesRow, error] {
			return s.Changes(ctx, service.ChangesParams{After: after.Got, RowLimit: limit})
		})
	})
}

func (a *app) undoCommand() *ffcli.Command {
	c := a.Command("undo", "take back what one run of a command changed; exit 8 if something of it is kept").Examples(
		"crm undo 5f0c1a52 --dry-run",
	)
	batch := command.Flag(c, "batch", "UUID", "id of the batch, which the history shows, or the first 6 characters of that or more", func(s string) (string, error) {
		_, _, err := value.ParseUUIDPrefix("Batch", s)
		return s, err
	}).AsArgument().Titled("Batch")
	dryRun := c.Switch("dry-run", "only say what would become of each row")
	show := command.FeedFlags(c, undone)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		if _, err := c.May(ctx); err != nil {
			return err
		}
		id, err := s.ChangeFind(ctx, batch.Got)
		if err != nil {
			return err
		}
		rows, err := s.Undo(ctx, gen.UndoParams{Batch: id, DryRun: *dryRun})
		if err != nil {
			return err
		}
		kept := 0
		for _, row := range rows {
			if !row.Undone {
				kept++
			}
		}
		err = show(func(limit *int64) iter.Seq2[gen.UndoRow, error] {
			return command.FirstOf(rows, limit)
		})
		if err != nil && !*dryRun {
			err = command.AfterWrite(err)
		}
		if err != nil {
			return err
		}
		if *dryRun {
			a.Notice("Nothing was changed.")
		}
		if kept == 0 {
			return nil
		}
		message := "1 row is kept as it is."
		if kept > 1 {
			message = fmt.Sprintf("%d rows are kept as they are.", kept)
		}
		return &failure.Error{Code: exitFindings, Message: message}
	})
}

// undone shows what became of the rows of a batch.
var undone = render.Resource[gen.UndoRow]{
	Name: "row", Title: "Undone", Hue: render.Cyan,
	Looks: []render.Look{
		{Column: "resource", Whole: true},
		{Column: "resource_id", Label: "Id", Begins: 8, Rank: 1},
		{Column: "reason", Wraps: true},
	},
}

// changes shows the history to people.
var changes = render.Resource[gen.ChangeView]{
	Name: "change", Title: "History", Hue: render.Cyan, Orders: []string{"at"},
	Looks: []render.Look{
		{Column: "id", DataOnly: true},
		{Column: "at", KeptBy: []string{"since"}},
		{Column: "by", Whole: true, Rank: 4, SameBy: []string{"by"}},
		{Column: "by_id", DataOnly: true},
		{Column: "command", Whole: true, Rank: 3, SameBy: []string{"command"}},
		{Column: "batch", Begins: 8, Rank: 5, SameBy: []string{"batch"}},
		{Column: "reason", Rank: 6},
		{Column: "resource", Rank: 2, Whole: true, SameBy: []string{"resource"}},
		{Column: "resource_id", DataOnly: true},
		{Column: "name", Rank: 1, SameBy: []string{"id"}},
		{Column: "field", Whole: true},
		{Column: "before", NamedBy: "field", Multiline: true},
		{Column: "after", NamedBy: "field", Multiline: true},
	},
}

// feed shows the changes to programs.
var feed = render.Resource[gen.ChangesRow]{
	Name: "change", Title: "Changes", Hue: render.Cyan,
	Looks: []render.Look{
		{Column: "cursor", Whole: true},
		{Column: "id", DataOnly: true},
		{Column: "by_id", DataOnly: true},
		{Column: "batch", DataOnly: true},
		{Column: "resource_id", DataOnly: true},
		{Column: "before", NamedBy: "field", Multiline: true},
		{Column: "after", NamedBy: "field", Multiline: true},
	},
}
