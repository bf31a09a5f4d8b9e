package service

import (
	"context"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/columns"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
)

// ReportReceivables returns what is due of signed contracts, by age, customer or commercial.
func (s *Session) ReportReceivables(ctx context.Context, p gen.ReportReceivablesParams) iter.Seq2[gen.ReportReceivablesRow, error] {
	if err := checkReport[gen.ReportReceivablesRow](p.By, p.KnownAt, p.OfDay); err != nil {
		return refused[gen.ReportReceivablesRow](err)
	}
	return stream[gen.ReportReceivablesRow](ctx, s, "ReportReceivables", gen.ReportReceivables, p)
}

// ReportRevenue returns what was signed, by month, customer or the commercial who sold it.
func (s *Session) ReportRevenue(ctx context.Context, p gen.ReportRevenueParams) iter.Seq2[gen.ReportRevenueRow, error] {
	if err := checkReport[gen.ReportRevenueRow](p.By, p.KnownAt, p.OfDay, p.FromDay, p.ToDay); err != nil {
		return refused[gen.ReportRevenueRow](err)
	}
	return stream[gen.ReportRevenueRow](ctx, s, "ReportRevenue", gen.ReportRevenue, p)
}

// ReportReceipts returns what was received, by month, method, customer or commercial.
func (s *Session) ReportReceipts(ctx context.Context, p gen.ReportReceiptsParams) iter.Seq2[gen.ReportReceiptsRow, error] {
	if err := checkReport[gen.ReportReceiptsRow](p.By, p.KnownAt, p.OfDay, p.FromDay, p.ToDay); err != nil {
		return refused[gen.ReportReceiptsRow](err)
	}
	return stream[gen.ReportReceiptsRow](ctx, s, "ReportReceipts", gen.ReportReceipts, p)
}

// ReportWorkload returns how many events there are, by month or support.
func (s *Session) ReportWorkload(ctx context.Context, p gen.ReportWorkloadParams) iter.Seq2[gen.ReportWorkloadRow, error] {
	if err := checkReport[gen.ReportWorkloadRow](p.By, p.KnownAt, p.FromDay, p.ToDay); err != nil {
		return refused[gen.ReportWorkloadRow](err)
	}
	return stream[gen.ReportWorkloadRow](ctx, s, "ReportWorkload", gen.ReportWorkload, p)
}

// ReportPipeline returns what is drawn up and not signed, by age, customer or commercial.
func (s *Session) ReportPipeline(ctx context.Context, p gen.ReportPipelineParams) iter.Seq2[gen.ReportPipelineRow, error] {
	if err := checkReport[gen.ReportPipelineRow](p.By, p.KnownAt, p.OfDay); err != nil {
		return refused[gen.ReportPipelineRow](err)
	}
	return stream[gen.ReportPipelineRow](ctx, s, "ReportPipeline", gen.ReportPipeline, p)
}

// groupings are what reports group by, each where its rows have a column of that name.
var groupings = []string{"age", "month", "method", "customer", "commercial", "support"}

// Groupings returns what a report with such rows can be grouped by.
func Groupings[T any]() (names []string) {
	for _, c := range columns.Of(reflect.TypeFor[T]()) {
		if slices.Contains(groupings, c.Name) {
			names = append(names, c.Name)
		}
	}
	return names
}

// checkReport refuses what a report with such rows cannot be asked for: Usage. What is going to be known one day is no question.
func checkReport[T any](by []string, knownAt *time.Time, days ...*value.Date) error {
	if err := checkDates(days...); err != nil {
		return err
	}
	if knownAt != nil && knownAt.After(time.Now()) {
		return failure.Misuse("What will be known then is not known yet.", "")
	}
	possible := Groupings[T]()
	for _, name := range by {
		if !slices.Contains(possible, name) {
			return failure.Misuse(fmt.Sprintf("This report cannot be made by %q.", name), "by: "+strings.Join(possible, ", "))
		}
	}
	if len(by) == 0 {
		return failure.Misuse("A report is made by something.", "by: "+strings.Join(possible, ", "))
	}
	return nil
}

// refused is a list that is not read.
func refused[T any](err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		yield(zero, err)
	}
}
