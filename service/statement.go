package service

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/epicevents/crm/gen"
)

// statement is one call of a generated accessor. It is called twice: first on a recorder, to learn what it sends, and
// then on the answer that came. So several go to the database in one round trip, which is also one transaction, and the
// generated code binds and scans as ever.
type statement func(db gen.DBTX) error

// queryOne is the statement of an accessor of one row, which goes to row. Without a row the error is pgx.ErrNoRows.
func queryOne[P, R any](ctx context.Context, accessor func(*gen.Queries, context.Context, P) (R, error), params P, row *R) statement {
	return func(db gen.DBTX) (err error) {
		*row, err = accessor(gen.New(db), ctx, params)
		return err
	}
}

// queryNoArgs is queryOne for an accessor without parameters.
func queryNoArgs[R any](ctx context.Context, accessor func(*gen.Queries, context.Context) (R, error), row *R) statement {
	return func(db gen.DBTX) (err error) {
		*row, err = accessor(gen.New(db), ctx)
		return err
	}
}

// queryMaybe is queryOne for a row that may be missing: *row then is nil.
func queryMaybe[P, R any](ctx context.Context, accessor func(*gen.Queries, context.Context, P) (R, error), params P, row **R) statement {
	return func(db gen.DBTX) error {
		found, err := accessor(gen.New(db), ctx, params)
		if *row = &found; errors.Is(err, pgx.ErrNoRows) {
			*row, err = nil, nil
		}
		return err
	}
}

// mustFind turns "no row" into an internal error: the statement reads a row again that this batch has just written.
func mustFind(each statement) statement {
	return func(db gen.DBTX) error {
		err := each(db)
		if errors.Is(err, pgx.ErrNoRows) {
			return errGone
		}
		return err
	}
}

var errGone = errors.New("what was written is not there")

// sendBatch sends the statements together: all of them are done or none. The first that fails, or that has no row where it
// needs one, decides the error.
func sendBatch(ctx context.Context, db DB, statements []statement) error {
	if len(statements) == 1 {
		return statements[0](withContext{ctx, db})
	}
	batch := &pgx.Batch{}
	for _, each := range statements {
		if err := each(recorder{batch}); !errors.Is(err, errRecorded) {
			return fmt.Errorf("recording a statement: %w", err)
		}
	}
	results := db.SendBatch(ctx, batch)
	for _, each := range statements {
		err := each(replayer{results})
		if err == nil {
			continue
		}
		closing := results.Close()
		if isAnswer(err) && (closing == nil || isAnswer(closing)) {
			return err
		}
		return outcomeUnknown{err} // what went before may stand, or not
	}
	err := results.Close() // with what became of the commit
	if err == nil || isAnswer(err) {
		return err
	}
	return outcomeUnknown{err}
}

// isAnswer reports whether an error is what the server said of a statement, and not that it said nothing. What pgx itself
// says of a batch whose connection broke is of no use: it may call it safe to send again.
func isAnswer(err error) bool {
	_, refused := errors.AsType[*pgconn.PgError](err)
	return refused || errors.Is(err, pgx.ErrNoRows) || errors.Is(err, errGone)
}

// outcomeUnknown is a failure after the statements were sent.
type outcomeUnknown struct{ error }

func (e outcomeUnknown) Unwrap() error     { return e.error }
func (e outcomeUnknown) SafeToRetry() bool { return false }

// withContext runs a statement within the time of an attempt, whatever context it was made with.
type withContext struct {
	ctx context.Context
	db  DB
}

func (c withContext) QueryRow(_ context.Context, sql string, args ...any) pgx.Row {
	return c.db.QueryRow(c.ctx, sql, args...)
}

func (c withContext) Query(_ context.Context, sql string, args ...any) (pgx.Rows, error) {
	return c.db.Query(c.ctx, sql, args...)
}

func (c withContext) Exec(_ context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	return c.db.Exec(c.ctx, sql, args...)
}

func (c withContext) CopyFrom(_ context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error) {
	return c.db.CopyFrom(c.ctx, table, columns, rows)
}

// recorder takes down what would be sent.
type recorder struct{ batch *pgx.Batch }

var errRecorded = errors.New("recorded")

type recordedRow struct{}

func (recordedRow) Scan(...any) error { return errRecorded }

func (r recorder) QueryRow(_ context.Context, sql string, args ...any) pgx.Row {
	r.batch.Queue(sql, args...)
	return recordedRow{}
}

func (r recorder) Query(_ context.Context, sql string, args ...any) (pgx.Rows, error) {
	r.batch.Queue(sql, args...)
	return nil, errRecorded
}

func (r recorder) Exec(_ context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	r.batch.Queue(sql, args...)
	return pgconn.CommandTag{}, errRecorded
}

func (r recorder) CopyFrom(context.Context, pgx.Identifier, []string, pgx.CopyFromSource) (int64, error) {
	return 0, errNoCopy
}

// errNoCopy is the fault of a statement that copies, which takes more than one message each way.
var errNoCopy = errors.New("rows are not copied in a batch")

// replayer returns the results of a batch, one after the other.
type replayer struct{ results pgx.BatchResults }

func (r replayer) QueryRow(context.Context, string, ...any) pgx.Row { return r.results.QueryRow() }

func (r replayer) Query(context.Context, string, ...any) (pgx.Rows, error) { return r.results.Query() }

func (r replayer) Exec(context.Context, string, ...any) (pgconn.CommandTag, error) {
	return r.results.Exec()
}

func (r replayer) CopyFrom(context.Context, pgx.Identifier, []string, pgx.CopyFromSource) (int64, error) {
	return 0, errNoCopy
}
