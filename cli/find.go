package cli

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/command"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/cli/terminal"
	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/service"
)

func (a *app) findCommand() *ffcli.Command {
	c := a.Command("find", "find customers, contracts, events and notes; at a terminal, choose one and see it whole").Examples(
		"crm find ines",
		"crm find 06 12 34 56 78",
		"crm find 2026-3",
		"crm find chateau -o json",
	)
	words := command.Flag(c, "text", "TEXT",
		"words of a name, a company, an e-mail, a place or a note, in any order, without case and accents; a telephone number; the number or the id of a contract",
		func(s string) (string, error) {
			line, err := command.Line("text")(s)
			return strings.Join(strings.Fields(line), " "), err
		}).AsArgument().TakesAll().Titled("Words")
	l := command.ListFlags(c, finds)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		p := service.FindParams{Text: words.Got, Sort: l.Order(), RowLimit: l.RowLimit()}
		show := func() error {
			return command.ShowList(ctx, l, finds, s.Find(ctx, p), func(ctx context.Context) (int64, error) { return s.FindCount(ctx, p) })
		}
		lists := slices.ContainsFunc(c.Given(), func(flag string) bool { return slices.Contains([]string{"limit", "fields", "count"}, flag) })
		if lists || !a.mayOpen() {
			return show()
		}
		found := func(text string) iter.Seq2[gen.FindRow, error] {
			return s.Find(ctx, service.FindParams{Text: text, Sort: l.Order(), RowLimit: new(int64(openRows))})
		}
		rows, err := firstRows(found(words.Got))
		if err != nil {
			return err
		}
		narrowed := func(typed string) iter.Seq2[gen.FindRow, error] { return found(words.Got + " " + typed) }
		opened, err := openOne(ctx, a, rows, narrowed, a.findChoice, func(row gen.FindRow) error { return a.open(ctx, s, row.Resource, row.ID) })
		if opened || err != nil {
			return err
		}
		return show()
	})
}

func (a *app) findChoice(row gen.FindRow) terminal.Choice {
	name, detail := row.Resource+" "+row.ID, row.Detail
	if row.At != nil {
		detail = row.At.In(a.Config.Location).Format("2006-01-02 15:04") + ", " + detail
	}
	return terminal.Choice{Label: name + "\t" + row.What + "\t" + detail, Value: name}
}

// openRows is how many rows there are to choose from.
const openRows = 1000

// mayOpen reports whether a person can choose a row and look at it.
func (a *app) mayOpen() bool { return a.Interactive() && a.ShortTable() && !a.Plain() }

// opening adds --open to a list. What it returns lets a person choose one of the rows, and reports whether that was asked;
// rows returns those with what was typed in them.
func opening[T any](a *app, c *command.Command, choice func(T) terminal.Choice, see func(ctx context.Context, s service.Operations, row T) error,
) func(ctx context.Context, s service.Operations, rows func(typed string) iter.Seq2[T, error]) (asked bool, err error) {
	open := c.Switch("open", "choose one of the rows with the arrows or by typing, and see it whole: at a terminal")
	c.Excludes("open", "count", "fields", "limit")
	c.Checks(func(context.Context) error {
		if *open && !a.mayOpen() {
			return failure.Misuse("--open is for a person at a terminal, who chooses.", "")
		}
		return nil
	})
	return func(ctx context.Context, s service.Operations, rows func(string) iter.Seq2[T, error]) (bool, error) {
		if !*open {
			return false, nil
		}
		found, err := firstRows(rows(""))
		if err != nil {
			return true, err
		}
		if len(found) == 0 {
			a.Notice("No data to display.")
			return true, nil
		}
		opened, err := openOne(ctx, a, found, rows, choice, func(row T) error { return see(ctx, s, row) })
		if err == nil && !opened {
			err = terminal.ErrAborted
		}
		return true, err
	}
}

// firstRows takes as many rows as there may be to choose from.
func firstRows[T any](rows iter.Seq2[T, error]) (found []T, err error) {
	for row, err := range rows {
		if err != nil {
			return nil, err
		}
		if found = append(found, row); len(found) == openRows {
			break
		}
	}
	return found, nil
}

// openOne shows the row that a person chooses, or the only one there is; narrowed returns those with what is typed in them.
// It reports whether one was chosen: whoever leaves the list chose none.
func openOne[T any](ctx context.Context, a *app, rows []T, narrowed func(typed string) iter.Seq2[T, error], choice func(T) terminal.Choice, see func(T) error) (opened bool, err error) {
	switch len(rows) {
	case 0:
		return false, nil
	case 1:
		return true, see(rows[0])
	}
	byValue := map[string]T{}
	choose := func(row T) terminal.Choice {
		c := choice(row)
		byValue[c.Value] = row
		return c
	}
	chosen, err := a.Choose(ctx, "Open", func(_ context.Context, typed string, limit int) ([]terminal.Choice, error) {
		if typed == "" {
			return choicesOf(typed, limit, "", choose, command.Rows(rows))
		}
		// What is read in a line may be no text that is searched: a number, an amount, the kind.
		read := slices.DeleteFunc(slices.Clone(rows), func(row T) bool {
			return !strings.Contains(strings.ToLower(choice(row).Label), strings.ToLower(typed))
		})
		return choicesOf(typed, limit, "", choose, command.Rows(read), narrowed(typed))
	}, "")
	if errors.Is(err, terminal.ErrAborted) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, see(byValue[chosen])
}

// open shows one of what is found.
func (a *app) open(ctx context.Context, s service.Operations, resource, named string) error {
	switch resource {
	case "contract":
		id, err := s.ContractFind(ctx, named)
		if err != nil {
			return err
		}
		return a.showContract(ctx, s, id)
	case "event":
		id, err := command.ParseID(named)
		if err != nil {
			return err
		}
		return a.showEvent(ctx, s, id)
	case "note":
		id, err := command.ParseID(named)
		if err != nil {
			return err
		}
		row, err := s.NoteDetail(ctx, id)
		if err != nil {
			return err
		}
		return a.showCustomer(ctx, s, row.CustomerID)
	default:
		id, err := command.ParseID(named)
		if err != nil {
			return err
		}
		return a.showCustomer(ctx, s, id)
	}
}

// finds shows what a text fits.
var finds = render.Resource[gen.FindRow]{
	Name: "found", Title: "Found", Hue: render.Blue,
	Looks: []render.Look{
		{Column: "resource", Whole: true},
		{Column: "id", Whole: true},
		{Column: "at", Weekday: true},
	},
}
