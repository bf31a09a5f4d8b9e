package cli

import (
	"context"
	"strings"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/command"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/service"
)

func (a *app) customerDuplicates() *ffcli.Command {
	c := a.Command("duplicates", "list customers who may be the same: with the same e-mail address, phone number, or name and company").Examples(
		"crm customer duplicates",
		"crm customer duplicates --mine --fields same,first_id,id,contracts",
	)
	mine := c.Switch("mine", "only among your own")
	archived := c.Switch("archived", "also among those who are archived")
	l := command.ListFlags(c, duplicates)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		p := gen.CustomerDuplicatesParams{
			CommercialID: command.MineOnly(s, *mine), Archived: *archived, Sort: l.Order(), RowLimit: l.RowLimit(),
		}
		return command.ShowList(ctx, l, duplicates, s.CustomerDuplicates(ctx, p), func(ctx context.Context) (int64, error) {
			return s.CustomerDuplicatesCount(ctx, p)
		})
	})
}

func (a *app) customerMerge() *ffcli.Command {
	c := a.Command("merge", "make one customer of two: one keeps their number and gets all that the other has, who is deleted").Examples(
		"crm customer merge 3 14 --dry-run",
	)
	keep := a.customerFlagNamed(c, "keep", "the customer who is kept").AsArgument().Titled("Keep")
	drop := a.customerFlagNamed(c, "drop", "the customer who goes").AsArgument().Titled("Drop")
	dryRun := c.Switch("dry-run", "only show what the customer would be")
	fields := command.FieldsFlag(c, customers)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		change, moved, err := s.CustomerMerge(ctx, service.MergeParams{
			CustomerMergeParams: gen.CustomerMergeParams{KeepID: keep.Got, DropID: drop.Got}, DryRun: *dryRun,
		})
		if err != nil {
			return err
		}
		err = render.Detail(a.OutputOf(fields), customers, change.Now, change.Before)
		if err != nil && !*dryRun {
			err = command.AfterWrite(err)
		}
		if err != nil {
			return err
		}
		if *dryRun {
			a.Notice("Customer %d would go, and leave %s to customer %d. Nothing was changed.", drop.Got, movedRows(moved), keep.Got)
		} else {
			a.Notice("Customer %d is gone, and left %s to customer %d.", drop.Got, movedRows(moved), keep.Got)
		}
		return nil
	})
}

// movedRows says what a merge moved.
func movedRows(rows []gen.CustomerMergeRow) string {
	var parts []string
	for _, row := range rows {
		if row.Moved > 0 {
			parts = append(parts, text.Count(int(row.Moved), row.Resource))
		}
	}
	if parts == nil {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

// duplicates shows those who may be the same, group by group.
var duplicates = render.Resource[gen.CustomerDuplicatesRow]{
	Name: "duplicate", Title: "Duplicates", Hue: render.Cyan, Charge: "commercial_id",
	Looks: []render.Look{
		{Column: "same", Whole: true},
		{Column: "first_id", Label: "First", Rank: 3},
		{Column: "id", Whole: true},
		{Column: "company", Rank: 1},
		{Column: "commercial_id", DataOnly: true},
		{Column: "commercial_fullname", Of: "commercial", Rank: 2, SameBy: []string{"mine"}},
		{Column: "email", Rank: 5},
		{Column: "phone", Rank: 5},
		{Column: "contracts", Whole: true},
		{Column: "archived_at", Rank: 4, KeptBy: []string{"archived"}, Beside: []string{"archived"}},
		{Column: "created_at", Rank: 6},
		{Column: "updated_at", Rank: 7, Follows: true},
	},
	Marks: []render.Mark[gen.CustomerDuplicatesRow]{
		{Tone: render.Wrong, Columns: []string{"archived_at"}, When: func(c gen.CustomerDuplicatesRow) bool { return c.ArchivedAt != nil }},
	},
}
