package service

import (
	"context"
	"errors"
	"iter"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/columns"
	"github.com/epicevents/crm/internal/failure"
)

// drainTime is how long a stream that was left reads on.
const drainTime = 250 * time.Millisecond

// stream runs the query of a list together with the check of the session, in one round trip, and hands the rows on as
// they arrive. params is the query's generated struct, whose fields are in the order of its parameters. What fails for a
// reason that passes is tried again until a row was handed on. A list holds its connection for as long as its reader takes,
// so that those who pause must not be able to take all.
func stream[T any](ctx context.Context, s *Session, operation, query string, params any) iter.Seq2[T, error] {
	return streamOf[T](ctx, s, operation, query, params, whose{})
}

// streamOf is stream for a list that may be of others.
func streamOf[T any](ctx context.Context, s *Session, operation, query string, params any, of whose) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		done, err := s.enter(ctx)
		if err != nil {
			yield(zero, err)
			return
		}
		defer done()
		pool, _ := s.db.(*pgxpool.Pool)
		yielded := false
		err = s.budget.attempts(ctx, func(err error) bool {
			if pool == nil || yielded || !isTransient(err) {
				return false
			}
			forget(pool, err)
			return true
		}, func() error {
			return streamOnce(ctx, s, operation, query, params, of, func(row T) bool {
				yielded = true
				return yield(row, nil)
			})
		})
		if err != nil {
			yield(zero, s.translate(ctx, err))
		}
	}
}

// enter waits for a place among the lists that are read, within the time limit, and returns what gives it back.
func (s *core) enter(ctx context.Context) (done func(), err error) {
	if s.streams == nil {
		return func() {}, nil
	}
	done = func() { <-s.streams }
	select {
	case s.streams <- struct{}{}:
		return done, nil
	default:
	}
	wait := retryTime
	if s.budget.limit > 0 {
		wait = s.budget.remaining()
	}
	defer s.budget.charge(time.Now())
	select {
	case s.streams <- struct{}{}:
		return done, nil
	case <-time.After(wait):
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.Canceled) {
			return nil, context.Canceled
		}
	}
	return nil, &failure.Error{Code: failure.Unavailable, Message: "Too many lists are being read at this moment.", Hint: tooSlowHint}
}

// streamOnce returns the rows until yield has enough.
func streamOnce[T any](ctx context.Context, s *Session, operation, query string, params any, of whose, yield func(T) bool) (err error) {
	// Whoever reads may take as long as they like; the database may not.
	ctx, stop, wait := s.budget.idleTimeout(ctx)
	began := time.Now()
	wait(true)

	var got *answers
	release := func() {}
	defer func() {
		if !began.IsZero() { // no row came
			s.budget.charge(began)
		}
		if err != nil && context.Cause(ctx) == context.DeadlineExceeded {
			err = context.DeadlineExceeded
		}
		if got != nil {
			// Few rows that nobody wants are read, which keeps the connection; many are not waited for.
			cut := time.AfterFunc(drainTime, stop)
			_ = got.close()
			cut.Stop()
		}
		release()
		stop()
	}()

	conn, release, err := connectionOf(ctx, s.db)
	if err != nil {
		return err
	}
	batch := &pgx.Batch{}
	batch.Queue(gen.SessionEmployee, fields(s.claims.session())...)
	batch.Queue(query, fields(params)...)
	if s.claims.secretHash == nil {
		// Behind the rows, which may take long: a login that somebody ends does not wait for who reads.
		batch.Queue(gen.SessionRenew, fields(s.claims.renewal())...)
	}
	if got, err = ask(ctx, conn, batch, nil, formatsOf(reflect.TypeFor[T]())); err != nil {
		return err
	}
	rows, err := got.next()
	if err != nil {
		return err
	}
	employee, err := pgx.CollectOneRow(rows, func(row pgx.CollectableRow) (employee gen.SessionEmployeeRow, err error) {
		return employee, row.Scan(columns.Addresses(&employee)...)
	})
	if err != nil {
		return err
	}
	by, err := s.permit(operation, employee)
	if err == nil {
		err = of.allow(by)
	}
	if err != nil {
		return err
	}
	if rows, err = got.next(); err != nil {
		return err
	}
	var row T
	into := destinationOf(&row)
	for rows.Next() {
		wait(false)
		if !began.IsZero() {
			s.budget.charge(began)
			began = time.Time{}
		}
		if err := into.scan(rows); err != nil {
			return err
		}
		if !yield(row) {
			return nil
		}
		wait(true)
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return err
	}
	return got.close()
}

// idleTimeout returns a context that is cancelled when one wait for the server takes longer than the rest of the
// budget. Time spent in the caller does not count: wait tells when a wait begins and when it is over.
func (p *budget) idleTimeout(ctx context.Context) (_ context.Context, stop func(), wait func(bool)) {
	if p.limit == 0 {
		ctx, cancel := context.WithCancel(ctx)
		return ctx, cancel, func(bool) {}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	limit := max(p.remaining(), time.Millisecond)
	var turns atomic.Uint64 // odd while waiting
	ticker := time.NewTicker(max(limit/10, time.Millisecond))
	go func() {
		defer ticker.Stop()
		seen, since := uint64(0), time.Now()
		for {
			select {
			case <-ctx.Done():
				return
			case now := <-ticker.C:
				if turn := turns.Load(); turn != seen {
					seen, since = turn, now
				} else if turn%2 == 1 && now.Sub(since) >= limit {
					cancel(context.DeadlineExceeded)
					return
				}
			}
		}
	}()
	return ctx, func() { cancel(context.Canceled) }, func(waiting bool) {
		if (turns.Load()%2 == 1) != waiting {
			turns.Add(1)
		}
	}
}

// count returns the number that a counting query has, together with the check of the session.
func count[P, N any](ctx context.Context, s *Session, operation string, accessor func(*gen.Queries, context.Context, P) (N, error), params P) (n N, err error) {
	_, err = s.allow(ctx, operation, queryOne(ctx, accessor, params, &n))
	return n, err
}

// detail returns the one row of an accessor, read together with the check of the session, or the error none without one.
func detail[P, R any](ctx context.Context, s *Session, operation string, accessor func(*gen.Queries, context.Context, P) (R, error), params P, none error) (row R, err error) {
	var found *R
	if _, err := s.allow(ctx, operation, queryMaybe(ctx, accessor, params, &found)); err != nil {
		return row, err
	}
	if found == nil {
		return row, none
	}
	return *found, nil
}

// fields returns the values of a struct's fields, for the parameters of a query.
func fields(params any) []any {
	value := reflect.ValueOf(params)
	values := make([]any, value.NumField())
	for i := range values {
		values[i] = value.Field(i).Interface()
	}
	return values
}
