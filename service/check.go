package service

import (
	"context"
	"iter"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/schema"
)

// Check returns what should not be: what the schema does not refuse but nobody wants, what it would have refused, and where
// the schema is not as the migrations make it.
func (s *Session) Check(ctx context.Context, p gen.CheckParams) iter.Seq2[gen.CheckRow, error] {
	return func(yield func(gen.CheckRow, error) bool) {
		differences, err := s.differences(ctx)
		if err != nil {
			yield(gen.CheckRow{}, err)
			return
		}
		for _, d := range differences {
			finding := "schema_differs"
			if d.Off {
				finding = "rule_off"
			}
			p.AsRuleFindings, p.AsRuleResources = append(p.AsRuleFindings, finding), append(p.AsRuleResources, d.Owner)
			p.AsRuleIds, p.AsRuleDetails = append(p.AsRuleIds, d.Name), append(p.AsRuleDetails, d.Detail)
		}
		for row, err := range stream[gen.CheckRow](ctx, s, "Check", gen.Check, p) {
			if err == nil && row.Phone != nil && value.CheckPhone(*row.Phone) == nil {
				continue
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

// SchemaDifferences returns where a database at this program's version is not as the migrations make it.
func (s *Service) SchemaDifferences(ctx context.Context) ([]schema.Difference, error) {
	return s.differences(ctx)
}

func (s *core) differences(ctx context.Context) (differences []schema.Difference, err error) {
	err = s.budget.within(ctx, 1, func(ctx context.Context) error {
		differences, err = schema.Differences(ctx, s.db)
		return err
	})
	return differences, s.translate(ctx, err)
}
