package service

import (
	"context"
	"iter"

	"github.com/epicevents/crm/gen"
)

// Today returns what waits for an employee: for p.For, or for whoever asks.
func (s *Session) Today(ctx context.Context, p gen.TodayParams) iter.Seq2[gen.TodayRow, error] {
	p.AsEmployeeID = s.claims.employeeID
	return streamOf[gen.TodayRow](ctx, s, "Today", gen.Today, p, whose{username: p.For})
}

// TodayCount returns the number of what waits, whatever the limit.
func (s *Session) TodayCount(ctx context.Context, p gen.TodayParams) (n int64, err error) {
	by, err := s.allow(ctx, "TodayCount", queryOne(ctx, (*gen.Queries).TodayCount, gen.TodayCountParams{For: p.For, AsEmployeeID: s.claims.employeeID}, &n))
	if err == nil {
		err = whose{username: p.For}.allow(by)
	}
	return n, err
}
