package cli

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/command"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/service"
)

func (a *app) reportCommands() *ffcli.Command {
	return command.Group("report", "sums: what is owed, signed, received, to be run, and not signed yet",
		reports(a, "receivables", "what is owed, and for how long", receivables, since,
			func(ctx context.Context, s service.Operations, q asked) iter.Seq2[gen.ReportReceivablesRow, error] {
				return s.ReportReceivables(ctx, gen.ReportReceivablesParams{By: q.by, OfDay: q.asOf, KnownAt: q.knownAt})
			},
			"crm report receivables",
			"crm report receivables --by customer --limit 10",
			"crm report receivables --as-of 2026-10-31 --known-at 2026-11-05 -o csv"),
		reports(a, "revenue", "what was signed, by the month of the signature", revenue, since|between,
			func(ctx context.Context, s service.Operations, q asked) iter.Seq2[gen.ReportRevenueRow, error] {
				return s.ReportRevenue(ctx, gen.ReportRevenueParams{By: q.by, FromDay: q.from, ToDay: q.to, OfDay: q.asOf, KnownAt: q.knownAt})
			},
			"crm report revenue --by month,commercial --from 2026-01-01",
			"crm report revenue --by customer --limit 10"),
		reports(a, "receipts", "what was received, by the month of its day", receipts, since|between,
			func(ctx context.Context, s service.Operations, q asked) iter.Seq2[gen.ReportReceiptsRow, error] {
				return s.ReportReceipts(ctx, gen.ReportReceiptsParams{By: q.by, FromDay: q.from, ToDay: q.to, OfDay: q.asOf, KnownAt: q.knownAt})
			},
			"crm report receipts --by method --from 2026-10-01 --to 2026-10-31",
			"crm report receipts --by month,method -o csv"),
		reports(a, "workload", "who runs how many events", workload, between,
			func(ctx context.Context, s service.Operations, q asked) iter.Seq2[gen.ReportWorkloadRow, error] {
				return s.ReportWorkload(ctx, gen.ReportWorkloadParams{By: q.by, FromDay: q.from, ToDay: q.to, KnownAt: q.knownAt})
			},
			"crm report workload --from today --to +30d",
			"crm report workload --by month,support"),
		reports(a, "pipeline", "what is drawn up and not signed yet, and for how long", pipeline, since,
			func(ctx context.Context, s service.Operations, q asked) iter.Seq2[gen.ReportPipelineRow, error] {
				return s.ReportPipeline(ctx, gen.ReportPipelineParams{By: q.by, OfDay: q.asOf, KnownAt: q.knownAt})
			},
			"crm report pipeline",
			"crm report pipeline --by commercial"),
	)
}

// asked is what a report is to be about; each report has some of it.
type asked struct {
	by             []string
	from, to, asOf *value.Date
	knownAt        *time.Time
}

// period is which days a report can be limited to.
type period int

const (
	since   period = 1 << iota // what had been by a day
	between                    // what was from one day to another
)

// reports declares a report. It is made by the first of its columns that it can be made by, unless told otherwise.
func reports[T any](a *app, name, help string, r render.Resource[T], p period,
	rows func(context.Context, service.Operations, asked) iter.Seq2[T, error], examples ...string,
) *ffcli.Command {
	c := a.Command(name, help).Examples(examples...)
	groupings := service.Groupings[T]()
	by := command.Names(c, "by", "A,B", "a row for each of these: "+strings.Join(groupings, ", ")+"; by "+groupings[0]+" unless said otherwise", "grouping", groupings)
	day := func(on period, name, help string) *command.Value[value.Date] {
		if p&on == 0 {
			return new(command.Value[value.Date])
		}
		return command.Flag(c, name, "DATE", help, a.ParseDate)
	}
	from := day(between, "from", "only what was on this day or later")
	to := day(between, "to", "only what was on this day or before")
	asOf := day(since, "as-of", "as it was at the end of this day, whenever it was recorded")
	knownAt := command.Flag(c, "known-at", "DATE", "what crm knew at this time, or at the end of this day: the same rows whenever it is asked", a.parseKnown)
	show := command.ShowsReport(c, r)
	return c.DoesAs(func(ctx context.Context, s service.Operations) error {
		q := asked{by.Got, from.Pointer(), to.Pointer(), asOf.Pointer(), knownAt.Pointer()}
		if !by.Set {
			q.by = groupings[:1]
		}
		r := groupedBy(r, q.by)
		r.Title = a.titled(r.Title, q)
		return show(r, a.madeOn(q), rows(ctx, s, q))
	})
}

// titled says what a report is about: Revenue by month, from 2026-01-01.
func (a *app) titled(title string, q asked) string {
	title += " by " + strings.Join(q.by, " and ")
	for _, day := range []struct {
		words string
		is    *value.Date
	}{{"from", q.from}, {"to", q.to}, {"as of", q.asOf}} {
		if day.is != nil {
			title += ", " + day.words + " " + string(*day.is)
		}
	}
	if q.knownAt != nil {
		title += ", as known at " + q.knownAt.In(a.Config.Location).Format("2006-01-02 15:04")
	}
	return title
}

// madeOn says when a report was made. One of what was known at a time is the same whenever it is made.
func (a *app) madeOn(q asked) string {
	if q.knownAt != nil {
		return "Times and days in " + a.Config.Location.String() + "."
	}
	return "Made on " + a.Now().Format("2006-01-02 at 15:04") + ", " + a.Config.Location.String() + "."
}

// parseKnown takes a time that has been, and of a day its end, which for today is now.
func (a *app) parseKnown(s string) (time.Time, error) {
	at, err := a.ParseTime(s)
	if err != nil {
		return at, err
	}
	if at.After(a.Now()) {
		return at, failure.Misuse("What will be known then is not known yet.", "")
	}
	until, err := a.ParseUntil(s)
	if until.Equal(at) {
		return at, err
	}
	if until = until.Add(-time.Microsecond); until.After(a.Now()) {
		until = a.Now()
	}
	return until, err
}

// groupedBy returns the resource without the columns that its rows are not grouped by.
func groupedBy[T any](r render.Resource[T], by []string) render.Resource[T] {
	r.Looks = slices.Clone(r.Looks)
	for _, grouping := range service.Groupings[T]() {
		for i := range r.Looks {
			r.Looks[i].Hidden = r.Looks[i].Hidden || belongs(r.Looks[i].Column, grouping) && !slices.Contains(by, grouping)
		}
	}
	return r
}

// belongs reports whether a column says something about what a report is grouped by.
func belongs(column, grouping string) bool {
	return column == grouping || strings.HasPrefix(column, grouping+"_") || grouping == "customer" && column == "company"
}

// reportLooks are the looks of the columns that a report has, which are of few kinds.
func reportLooks[T any]() (looks []render.Look) {
	for _, name := range (render.Resource[T]{}).Names() {
		look := render.Look{Column: name}
		switch name {
		case "customer_id":
			look.DataOnly = true
		case "commercial_fullname":
			look.Of = "commercial"
		case "support_fullname":
			look.Of, look.Absent = "support", "nobody"
		case "age":
			look.Label, look.Whole = "Age in days", true
		case "month":
			look.Whole, look.Absent = true, "no date"
		case "method":
			look.Whole, look.Absent = true, "not said"
		case "oldest_days":
			look.Label, look.Rank = "Oldest in days", 1
		case "contracts", "payments", "events", "attendees", "total_due", "total_amount", "amount":
			look.Adds = true
		}
		looks = append(looks, look)
	}
	return looks
}

var receivables = render.Resource[gen.ReportReceivablesRow]{
	Name: "report_receivables", Title: "Receivables", Hue: render.Green, Bars: "total_due",
	Looks: reportLooks[gen.ReportReceivablesRow](),
}

var revenue = render.Resource[gen.ReportRevenueRow]{
	Name: "report_revenue", Title: "Revenue", Hue: render.Green, Bars: "total_amount",
	Looks: reportLooks[gen.ReportRevenueRow](),
}

var receipts = render.Resource[gen.ReportReceiptsRow]{
	Name: "report_receipts", Title: "Receipts", Hue: render.Green, Bars: "amount",
	Looks: reportLooks[gen.ReportReceiptsRow](),
}

var workload = render.Resource[gen.ReportWorkloadRow]{
	Name: "report_workload", Title: "Workload", Hue: render.Orange, Bars: "events",
	Looks: reportLooks[gen.ReportWorkloadRow](),
}

var pipeline = render.Resource[gen.ReportPipelineRow]{
	Name: "report_pipeline", Title: "Pipeline", Hue: render.Green, Bars: "total_amount",
	Looks: reportLooks[gen.ReportPipelineRow](),
}
