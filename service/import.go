package service

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
)

const (
	importCopied  = 1000 // rows that go to the database at once
	importWritten = 1000 // rows that one statement writes
)

// ImportParams say how rows are taken in.
type ImportParams struct {
	Key        *gen.ImportKey    `json:"key"`        // by which a row is known to be there already; nil: all are new
	OnMatch    gen.ImportOnMatch `json:"on_match"`   // what is done with one that is, and differs
	KeepIDs    bool              `json:"keep_ids"`   // a new row has the id that it comes with
	Commercial *string           `json:"commercial"` // in charge of a customer whose row names nobody
	Partly     bool              `json:"partly"`     // the good rows are written though others are refused
	DryRun     bool              `json:"dry_run"`    // nothing is kept
}

// ImportRefusal is what is wrong with a field of a row.
type ImportRefusal struct {
	Line   int64  `json:"line"`
	Field  string `json:"field"` // empty where the rule is about the whole row
	Reason string `json:"reason"`
}

// ImportResult is what became of the rows. Refused counts those that the caller marked as bad too, the refusals are of the
// others.
type ImportResult struct {
	Written   bool            `json:"written"`
	Batch     *uuid.UUID      `json:"batch"` // of the history, where something was written
	Added     int64           `json:"added"`
	Updated   int64           `json:"updated"`
	Unchanged int64           `json:"unchanged"`
	Skipped   int64           `json:"skipped"`
	Refused   int64           `json:"refused"`
	Refusals  []ImportRefusal `json:"refusals"`
}

// CustomerImport takes customers in, whose lines increase. Where one is refused and p.Partly does not say otherwise, none is
// written. Those that a commercial takes in become their own.
func (s *Session) CustomerImport(ctx context.Context, p ImportParams, rows iter.Seq2[gen.CustomerImportStageParams, error]) (result ImportResult, err error) {
	by, err := s.allow(ctx, "CustomerImport")
	if err != nil {
		return result, err
	}
	if by.own != nil && p.Commercial == nil {
		p.Commercial = &by.Username
	}
	return importRows(ctx, s, by, "customer", p, nil, importing[gen.CustomerImportStageParams]{
		rows:  rows,
		stage: (*gen.Queries).CustomerImportStage,
		at:    func(row gen.CustomerImportStageParams) (int64, bool) { return row.Line, row.Bad },
		check: func(row gen.CustomerImportStageParams) error { return checkReach(row.Email, row.Phone) },
	})
}

// ContractImport takes contracts in, whose lines increase. Where one is refused and p.Partly does not say otherwise, none is
// written.
func (s *Session) ContractImport(ctx context.Context, p ImportParams, rows iter.Seq2[gen.ContractImportStageParams, error]) (result ImportResult, err error) {
	by, err := s.allow(ctx, "ContractImport")
	if err != nil {
		return result, err
	}
	return importRows(ctx, s, by, "contract", p, nil, importing[gen.ContractImportStageParams]{
		rows:  rows,
		stage: (*gen.Queries).ContractImportStage,
		at:    func(row gen.ContractImportStageParams) (int64, bool) { return row.Line, row.Bad },
	})
}

// PaymentImport takes payments in, whose lines increase. Where one is refused and p.Partly does not say otherwise, none is
// written. One whose id is there already is not recorded a second time.
func (s *Session) PaymentImport(ctx context.Context, p ImportParams, rows iter.Seq2[gen.PaymentImportStageParams, error]) (result ImportResult, err error) {
	by, err := s.allow(ctx, "PaymentImport")
	if err != nil {
		return result, err
	}
	return importRows(ctx, s, by, "payment", p, nil, importing[gen.PaymentImportStageParams]{
		rows:  rows,
		stage: (*gen.Queries).PaymentImportStage,
		at:    func(row gen.PaymentImportStageParams) (int64, bool) { return row.Line, row.Bad },
	})
}

// EventImport takes events in, whose lines increase. Where one is refused and p.Partly does not say otherwise, none is
// written.
func (s *Session) EventImport(ctx context.Context, p ImportParams, rows iter.Seq2[gen.EventImportStageParams, error]) (result ImportResult, err error) {
	by, err := s.allow(ctx, "EventImport")
	if err != nil {
		return result, err
	}
	return importRows(ctx, s, by, "event", p, nil, importing[gen.EventImportStageParams]{
		rows:  rows,
		stage: (*gen.Queries).EventImportStage,
		at:    func(row gen.EventImportStageParams) (int64, bool) { return row.Line, row.Bad },
	})
}

// EmployeeImport takes employees in, whose lines increase. Where one is refused and p.Partly does not say otherwise, none is
// written. Those who are new log in once they are given a password: the one that they have nobody knows.
func (s *Session) EmployeeImport(ctx context.Context, p ImportParams, rows iter.Seq2[gen.EmployeeImportStageParams, error]) (result ImportResult, err error) {
	by, err := s.allow(ctx, "EmployeeImport")
	if err != nil {
		return result, err
	}
	hash, err := hashPassword(ctx, by.Username, GeneratePassword(), true)
	if err != nil {
		return result, err
	}
	return importRows(ctx, s, by, "employee", p, &hash, importing[gen.EmployeeImportStageParams]{
		rows:  rows,
		stage: (*gen.Queries).EmployeeImportStage,
		at:    func(row gen.EmployeeImportStageParams) (int64, bool) { return row.Line, row.Bad },
	})
}

// importing is how the rows of a resource come in.
type importing[P any] struct {
	rows  iter.Seq2[P, error]
	stage func(*gen.Queries, context.Context, []P) (int64, error)
	at    func(row P) (line int64, bad bool)
	check func(row P) error // what the schema does not say of a row; may be nil
}

// givenError is an error of who gives the rows, and not of the database.
type givenError struct{ error }

// spread is the lines of rows that one statement writes.
type spread struct{ first, last int64 }

// importRows takes rows in, in one transaction.
func importRows[P any](ctx context.Context, s *Session, by actor, resource string, p ImportParams, hash *string, each importing[P]) (result ImportResult, err error) {
	if !p.OnMatch.Valid() {
		return result, failure.Misuse(fmt.Sprintf("%q is none of fail, skip, update.", p.OnMatch), "")
	}
	result.Written, err = s.takeIn(ctx, by, func(ctx context.Context, tx pgx.Tx, waiting func(func() error) error) (keep bool, err error) {
		queries := gen.New(tx)
		spreads, bad, err := stageRows(ctx, queries, each, waiting)
		if err != nil {
			return false, err
		}
		result.Refused = bad
		options := gen.ImportRefusedParams{
			Resource: resource, Key: p.Key, OnMatch: p.OnMatch, KeepIds: p.KeepIDs, Commercial: p.Commercial,
			AsUsername: by.Username, AsEmployeeID: by.ID, AsOwn: by.own != nil, PasswordHash: hash,
		}
		if err = waiting(func() error { return result.refuse(ctx, queries, options) }); err != nil {
			return false, err
		}
		messages := map[string]string{}
		for _, lines := range spreads {
			if err = waiting(func() error { return result.write(ctx, tx, options, lines, messages) }); err != nil {
				return false, err
			}
		}
		if p.DryRun || result.Refused > 0 && !p.Partly {
			return false, nil
		}
		var end gen.ImportEndRow
		if err = waiting(func() error { end, err = queries.ImportEnd(ctx, gen.ImportEndParams(options)); return err }); err != nil {
			return false, err
		}
		if result.Added+result.Updated > 0 {
			result.Batch = &end.Batch
		}
		return true, nil
	})
	return result, err
}

// takeIn runs do in one transaction, and commits it if do wants to keep it. Each statement has the database's time, which
// waiting measures. The rows, which somebody gives in between, may take any time.
func (s *Session) takeIn(ctx context.Context, by actor, do func(ctx context.Context, tx pgx.Tx, waiting func(func() error) error) (keep bool, err error)) (kept bool, err error) {
	done, err := s.enter(ctx) // whoever gives the rows may stand still, and holds a connection
	if err != nil {
		return false, err
	}
	defer done()
	ctx, stop, wait := s.budget.idleTimeout(ctx)
	defer stop()
	committing := false
	defer func() {
		if err != nil && context.Cause(ctx) == context.DeadlineExceeded {
			err = context.DeadlineExceeded
		}
		if given, ok := errors.AsType[givenError](err); ok {
			err = given.error
			return
		}
		if err != nil && (!committing || !isOutcomeUnknown(err)) {
			err = NothingWritten(s.translate(ctx, err))
		} else if err != nil {
			err = &failure.Error{Code: failure.Unavailable, Reason: failure.OutcomeUnknown, Err: err,
				Message: "The connection to the database was lost: whether this was done is not known.", Hint: "crm history"}
		}
	}()
	waiting := func(do func() error) error {
		wait(true)
		defer wait(false)
		return do()
	}
	var tx pgx.Tx
	if err = waiting(func() (err error) { tx, err = s.db.Begin(ctx); return err }); err != nil {
		return false, err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // of what is committed it does nothing
	if err = waiting(func() error { return s.require(ctx, by)(tx) }); err != nil {
		if isSessionOver(err) {
			err = s.over(err)
		}
		return false, err
	}
	if keep, err := do(ctx, tx, waiting); err != nil || !keep {
		return false, err
	}
	committing = true
	if err = waiting(func() error { return tx.Commit(ctx) }); err != nil {
		return false, err
	}
	return true, nil
}

// NothingWritten says that nothing was changed, of an error that says only that the database did not answer.
func NothingWritten(err error) error {
	problem, ok := errors.AsType[*failure.Error](err)
	if !ok || problem.Code != failure.Unavailable || problem.Reason != "" {
		return err
	}
	told := *problem
	told.Message += " Nothing was written."
	return &told
}

// stageRows copies the rows to where they wait. It returns how the lines of those that are not bad spread, and how many are.
func stageRows[P any](ctx context.Context, queries *gen.Queries, each importing[P], waiting func(func() error) error) (spreads []spread, bad int64, err error) {
	chunk := make([]P, 0, importCopied)
	copied := func() error {
		if len(chunk) == 0 {
			return nil
		}
		_, err := each.stage(queries, ctx, chunk)
		chunk = chunk[:0]
		return err
	}
	var before, good int64
	for row, err := range each.rows {
		if err != nil {
			return nil, 0, givenError{err}
		}
		line, isBad := each.at(row)
		if line <= before {
			return nil, 0, failure.Misuse("The lines of an import increase.", "")
		}
		before = line
		switch {
		case isBad:
			bad++
			continue
		case each.check != nil:
			if err := each.check(row); err != nil {
				return nil, 0, err
			}
		}
		if good%importWritten == 0 {
			spreads = append(spreads, spread{first: line})
		}
		spreads[len(spreads)-1].last = line
		good++
		if chunk = append(chunk, row); len(chunk) == importCopied {
			if err := waiting(copied); err != nil {
				return nil, 0, err
			}
		}
	}
	return spreads, bad, waiting(copied)
}

// refuse asks what is wrong with the rows that no rule of their table says.
func (r *ImportResult) refuse(ctx context.Context, queries *gen.Queries, options gen.ImportRefusedParams) error {
	rows, err := queries.ImportRefused(ctx, options)
	if err != nil {
		return err
	}
	r.Refusals = make([]ImportRefusal, 0, len(rows))
	line := int64(0)
	for _, row := range rows {
		r.Refusals = append(r.Refusals, ImportRefusal(row))
		if row.Line != line {
			line = row.Line
			r.Refused++
		}
	}
	return nil
}

// write writes the rows of some lines. The messages are those of the rules that refused one.
func (r *ImportResult) write(ctx context.Context, tx pgx.Tx, options gen.ImportRefusedParams, lines spread, messages map[string]string) error {
	rows, err := gen.New(tx).ImportWrite(ctx, gen.ImportWriteParams{
		Resource: options.Resource, Key: options.Key, OnMatch: options.OnMatch, KeepIds: options.KeepIds, Commercial: options.Commercial,
		AsUsername: options.AsUsername, AsEmployeeID: options.AsEmployeeID, AsOwn: options.AsOwn, PasswordHash: options.PasswordHash,
		FirstLine: lines.first, LastLine: lines.last,
	})
	if err != nil {
		return err
	}
	for _, row := range rows {
		r.Added += row.Added
		r.Updated += row.Updated
		r.Unchanged += row.Unchanged
		r.Skipped += row.Skipped
		if row.Line == nil {
			continue
		}
		refusal := refusalOf(row)
		key := refusal.ConstraintName + "\n" + refusal.ColumnName
		if refusal.Code == "23000" { // whose message is of this row alone
			key += "\n" + refusal.Message
		}
		if refusal.Code == notNull {
			messages[key] = "A value is needed."
		}
		if messages[key] == "" {
			problem := failure.Of(translate(ctx, tx, refusal))
			if problem.Code != failure.Conflict && problem.Code != failure.Usage {
				return problem
			}
			messages[key] = problem.Message
		}
		r.Refused++
		r.Refusals = append(r.Refusals, ImportRefusal{Line: *row.Line, Field: refusal.ColumnName, Reason: messages[key]})
	}
	return nil
}
