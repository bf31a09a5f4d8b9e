package service

import (
	"context"
	"iter"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
)

// ReconcileParams say whether what is certain is recorded, or only shown.
type ReconcileParams struct {
	Apply bool `json:"apply"`
}

// ReconcileResult is what became of the lines of a statement: each is there once.
type ReconcileResult struct {
	Written bool                       `json:"written"`
	Batch   *uuid.UUID                 `json:"batch"` // of the history, where something was recorded
	Lines   []gen.ContractReconcileRow `json:"lines"`
}

// ContractReconcile matches what a bank says was credited with what contracts owe, and records the matches as payments if
// p.Apply says so; all of it in one transaction. The lines increase. What is recorded already is not recorded again, also not
// of another statement that has the same line.
func (s *Session) ContractReconcile(ctx context.Context, p ReconcileParams, rows iter.Seq2[gen.ContractReconcileStageParams, error]) (result ReconcileResult, err error) {
	by, err := s.allow(ctx, "ContractReconcile")
	if err != nil {
		return result, err
	}
	result.Written, err = s.takeIn(ctx, by, func(ctx context.Context, tx pgx.Tx, waiting func(func() error) error) (keep bool, err error) {
		queries := gen.New(tx)
		_, _, err = stageRows(ctx, queries, importing[gen.ContractReconcileStageParams]{
			rows:  rows,
			stage: (*gen.Queries).ContractReconcileStage,
			at:    func(row gen.ContractReconcileStageParams) (int64, bool) { return row.Line, false },
			check: func(row gen.ContractReconcileStageParams) error { return checkDates(&row.BookedOn) },
		}, waiting)
		if err != nil {
			return false, err
		}
		err = waiting(func() error {
			result.Lines, err = queries.ContractReconcile(ctx, gen.ContractReconcileParams{AsUsername: by.Username, AsEmployeeID: by.ID})
			return err
		})
		if err != nil || !p.Apply || !slices.ContainsFunc(result.Lines, isMatched) {
			return false, err
		}
		var batch uuid.UUID
		if err = waiting(func() error { batch, err = queries.Batch(ctx); return err }); err != nil {
			return false, err
		}
		result.Batch = &batch
		return true, nil
	})
	if isOverpaid(err) { // a payment of one of the contracts came in between
		return result, &failure.Error{Code: failure.Conflict, Message: "A contract was paid in the meantime; nothing was recorded.", Hint: "run it again", Err: err}
	}
	return result, err
}

func isMatched(line gen.ContractReconcileRow) bool {
	return line.Outcome == gen.StatementOutcomeMatched
}
