package service

import (
	"context"
	"iter"

	"github.com/epicevents/crm/gen"
)

// Check gives what should not be: what the schema does not refuse but nobody wants, and what it would have refused.
func (s *Session) Check(ctx context.Context, p gen.CheckParams) iter.Seq2[gen.CheckRow, error] {
	return func(yield func(gen.CheckRow, error) bool) {
		for row, err := range stream[gen.CheckRow](ctx, s, "Check", gen.Check, p) {
			if err == nil && row.Phone != nil && isStoredPhone(*row.Phone) {
				continue
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

// isStoredPhone says whether a phone number exists and is in the form in which it is stored.
func isStoredPhone(phone string) bool {
	stored, err := ParsePhone(phone)
	return err == nil && stored == phone
}
