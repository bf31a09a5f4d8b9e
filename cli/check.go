package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/command"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/cli/terminal"
	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/service"
)

// exitFindings is the code of a command that did what it should and found something.
const exitFindings failure.Code = "findings"

const checkDays = 30

func (a *app) checkCommand() *ffcli.Command {
	c := a.Command("check", "find what should not be, such as what is paid but not signed; exit 8 if there is any").Examples(
		"crm check",
		"crm check --within 7 -o csv",
		"crm check --except sample_password",
		"crm check --fields finding,id,detail --sort id",
	)
	within := command.Flag(c, "within", "DAYS", fmt.Sprintf("how soon an event needs a support; %d days unless said otherwise", checkDays), func(s string) (int32, error) {
		return value.ParseCount("--within", s)
	})
	only := findingsFlag(c, "only", "only these findings; duplicate_customer is one only if it is named here, for it may be meant")
	except := findingsFlag(c, "except", "all findings but these")
	c.Excludes("only", "except")
	l := command.ListFlags(c, checkFindings)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		p := gen.CheckParams{WithinDays: checkDays, OnlyFindings: only.Got, ExceptFindings: except.Got, Sort: l.Order()}
		if within.Set {
			p.WithinDays = within.Got
		}
		var rows []gen.CheckRow
		for row, err := range s.Check(ctx, p) {
			if err != nil {
				return err
			}
			rows = append(rows, row)
		}
		n := int64(len(rows))
		if n == 0 && !*l.Count && (a.Config.Output == "table" || a.Config.Output == "markdown") {
			if terminal.Is(a.Err) { // cron sends a mail for the least word
				a.Notice("Nothing was found.")
			}
			return nil
		}
		shown := rows
		if limit := l.RowLimit(); limit != nil {
			shown = rows[:min(*limit, n)]
		}
		err := command.ShowList(ctx, l, checkFindings, command.Rows(shown), func(context.Context) (int64, error) { return n, nil })
		if err != nil || n == 0 {
			return err
		}
		message := "1 thing is not as it should be."
		if n > 1 {
			message = fmt.Sprintf("%d things are not as they should be.", n)
		}
		return &failure.Error{Code: exitFindings, Message: message}
	})
}

// findings are the names of what check can find.
var findings = []string{
	"bad_phone", "due_below_zero", "duplicate_customer", "event_clash", "event_without_support", "paid_too_early", "paid_unsigned", "rule_off", "sample_password", "schema_differs",
	"signed_too_early", "sum_mismatch", "username_of_digits",
}

// findingsFlag declares a flag that takes names of findings, with commas between them.
func findingsFlag(c *command.Command, name, help string) *command.Value[[]string] {
	return command.Names(c, name, "FINDING", help+": "+strings.Join(findings, ", "), "finding", findings)
}

var checkFindings = render.Resource[gen.CheckRow]{
	Name: "finding", Title: "Findings", Hue: render.Magenta,
	Looks: []render.Look{
		{Column: "finding", Whole: true},
		{Column: "resource", Rank: 1, Whole: true},
		{Column: "id", Whole: true},
		{Column: "detail", Wraps: true},
		{Column: "phone", Hidden: true},
	},
}
