package cli

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/command"
	"github.com/epicevents/crm/cli/intake"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/service"
)

// reconciled shows what became of the lines of a statement.
var reconciled = render.Resource[gen.ContractReconcileRow]{
	Name: "line", Title: "Statement", Hue: render.Green,
	Looks: []render.Look{
		{Column: "line", Whole: true},
		{Column: "date", Whole: true},
		{Column: "occurrence", DataOnly: true},
		{Column: "outcome", DataOnly: true},
		{Column: "contract", DataOnly: true},
		{Column: "number", Label: "Contract", Whole: true, Rank: 1},
		{Column: "customer_id", DataOnly: true},
		{Column: "customer", Rank: 3},
		{Column: "company", DataOnly: true},
		{Column: "reference", DataOnly: true},
		{Column: "why", Wraps: true},
	},
	Marks: []render.Mark[gen.ContractReconcileRow]{
		{Tone: render.Waiting, Columns: []string{"why"}, When: isUndecided},
	},
}

func isUndecided(row gen.ContractReconcileRow) bool {
	return row.Outcome == gen.StatementOutcomeUndecided
}

func (a *app) contractReconcile() *ffcli.Command {
	c := a.Command("reconcile", "match what a bank's file says was credited with what contracts owe; exit 8 if a line is to decide").Examples(
		"crm contract reconcile releve.csv",
		"crm contract reconcile releve.csv --apply --rejects undecided.csv",
	)
	file := command.Flag(c, "file", "FILE", "the bank's file, of CSV; - is standard input", command.AsTyped).AsArgument()
	apply := c.Switch("apply", "record the matches as payments; without it nothing is changed")
	labels := command.Flag(c, "map", "LABEL=FIELD,...", "columns of other names: "+strings.Join(mappedStatementFields, ", "), func(s string) (map[string]string, error) {
		return parseLabels(s, mappedStatementFields)
	})
	rejects := command.Flag(c, "rejects", "FILE", "with --apply: write the lines that are to decide to this file, to write the numbers of contracts in and reconcile again", parseFile)
	show := command.FeedFlags(c, reconciled)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		if _, err := c.May(ctx); err != nil {
			return err
		}
		in, err := openStatement(file.Got, a.In, labels.Got)
		if err != nil {
			return err
		}
		defer in.Close()
		undecided, err := openRejects(rejects)
		if err != nil {
			return err
		}
		defer undecided.close()
		in.tell(a)
		sums, err := in.check(a)
		if err != nil {
			return err
		}
		result, err := s.ContractReconcile(ctx, service.ReconcileParams{Apply: *apply}, in.entries())
		if err != nil {
			return untouched(err)
		}
		written := func(err error) error {
			if result.Written {
				return command.AfterWrite(err)
			}
			return err
		}
		reasons := map[int64]gen.ContractReconcileRow{}
		for _, row := range result.Lines {
			sums.add(row)
			if isUndecided(row) {
				reasons[row.Line] = row
			}
		}
		see := ""
		if len(reasons) > 0 && rejects.Set && *apply { // first, for the others are committed: nothing else may be in the way
			see = "; see " + rejects.Got
			err := undecided.write(rejects.Got, in.Source, decisionColumns, func(record intake.Record) (string, []string) {
				row := reasons[record.Line]
				return row.Why, []string{in.cell(record, "contract"), fmt.Sprint(row.Occurrence)}
			})
			if err != nil {
				return written(err)
			}
		}
		if err := show(func(limit *int64) iter.Seq2[gen.ContractReconcileRow, error] {
			return command.FirstOf(result.Lines, limit)
		}); err != nil {
			return written(err)
		}
		sums.tell(a)
		switch {
		case !*apply:
			a.Notice("Nothing was changed.")
		case result.Batch != nil:
			a.Notice("crm undo %s voids the payments.", result.Batch.String()[:8])
		}
		if sums.undecided.lines == 0 {
			return nil
		}
		return &failure.Error{Code: exitFindings, Message: fmt.Sprintf("To decide, %s%s.", sums.undecided, see)}
	})
}

// lineSum is some lines of a statement, and what they add up to.
type lineSum struct {
	lines  int
	amount value.Cents
}

func (s *lineSum) add(amount value.Cents) { s.lines, s.amount = s.lines+1, s.amount+amount }

func (s lineSum) String() string {
	return fmt.Sprintf("%s of %s", text.Count(s.lines, "line"), value.FormatEuro(s.amount))
}

// short is for a list of several.
func (s lineSum) short(what string) string {
	return fmt.Sprintf("%d %s (%s)", s.lines, what, value.FormatEuro(s.amount))
}

// statementSums are the sums of a file. What is matched, recorded already and undecided is what was credited, to the cent.
type statementSums struct{ credited, debited, matched, recorded, undecided lineSum }

func (s *statementSums) add(row gen.ContractReconcileRow) {
	switch row.Outcome {
	case gen.StatementOutcomeMatched:
		s.matched.add(row.Amount)
	case gen.StatementOutcomeRecorded:
		s.recorded.add(row.Amount)
	default:
		s.undecided.add(row.Amount)
	}
}

func (s *statementSums) tell(a *app) {
	a.Notice("Credited, %s: %s, %s, %s.", s.credited, s.matched.short("matched"), s.recorded.short("recorded already"), s.undecided.short("to decide"))
	if s.debited.lines > 0 {
		a.Notice("Debited, %s: not considered.", s.debited)
	}
}

// tell says what was made of the file.
func (s *statement) tell(a *app) {
	if s.Latin {
		a.Notice("%s is not UTF-8, and read as Windows-1252.", s.Name)
	}
	if len(s.untaken) > 0 {
		a.Notice("Not taken: %s.", strings.Join(s.untaken, ", "))
	}
}

// check reads the whole file before anything of it is sent: a line that cannot be read would be missing in the sums.
func (s *statement) check(a *app) (*statementSums, error) {
	sums, bad, all := &statementSums{}, 0, 0
	var others []string
	for record, err := range s.Records() {
		if err != nil {
			return nil, err
		}
		e, problems := s.read(record)
		switch {
		case len(problems) > 0:
			bad++
			for _, p := range problems {
				if err := p.tell(a, record.Line); err != nil {
					return nil, err
				}
			}
		case !e.isEntry:
			others = append(others, fmt.Sprint(record.Line))
			continue
		case e.Amount > 0:
			sums.credited.add(e.Amount)
		default:
			sums.debited.add(-e.Amount)
		}
		all++
	}
	if bad > 0 {
		return nil, &failure.Error{Code: failure.Conflict, Message: fmt.Sprintf("%d of %s cannot be read; nothing was recorded.", bad, text.Count(all, "line"))}
	}
	if len(others) > 0 {
		a.Notice("No entries of the account: line %s.", strings.Join(others, ", "))
	}
	return sums, nil
}
