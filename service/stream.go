package service

import (
	"context"
	"errors"
	"iter"
	"reflect"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/gen"
)

// stream runs the query of a list together with the check of the session, in one round trip, and hands the rows on as
// they arrive. params is the query's generated struct, whose fields are in the order of its parameters.
func stream[T any](ctx context.Context, s *Session, operation, query string, params any) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var row T
		fail := func(err error) {
			var zero T
			yield(zero, translate(ctx, s.db, err))
		}

		batch := &pgx.Batch{}
		batch.Queue(gen.SessionEmployee, fields(s.claims.session())...)
		batch.Queue(query, fields(params)...)
		results := s.db.SendBatch(ctx, batch)
		open := true
		closeResults := func() error {
			if !open {
				return nil
			}
			open = false
			return results.Close()
		}
		defer closeResults()

		var employee gen.SessionEmployeeRow
		if err := results.QueryRow().Scan(pointers(&employee)...); err != nil {
			closeResults()
			fail(err)
			return
		}
		if _, err := s.permit(operation, employee); err != nil {
			closeResults()
			fail(err)
			return
		}
		rows, err := results.Query()
		if err == nil {
			into := pointers(&row)
			for rows.Next() {
				if err := rows.Scan(into...); err != nil {
					break
				}
				if !yield(row, nil) {
					return
				}
			}
			rows.Close()
			err = rows.Err()
		}
		if err = errors.Join(err, closeResults()); err != nil {
			fail(err)
		}
	}
}

// count gives the number of rows that the query of a list has.
func count(ctx context.Context, s *Session, operation, query string, params any) (int64, error) {
	if _, err := s.allow(ctx, operation); err != nil {
		return 0, err
	}
	var n int64
	err := s.db.QueryRow(ctx, "SELECT count(*) FROM ("+query+") AS list", fields(params)...).Scan(&n)
	return n, translate(ctx, s.db, err)
}

// fields gives the values of a struct's fields, for the parameters of a query.
func fields(params any) []any {
	value := reflect.ValueOf(params)
	values := make([]any, value.NumField())
	for i := range values {
		values[i] = value.Field(i).Interface()
	}
	return values
}

// pointers gives the addresses of a struct's fields, to scan a row into it. Fields that are pointers themselves get a
// new target with each row, so a copy of the struct stays as it is.
func pointers(row any) []any {
	value := reflect.ValueOf(row).Elem()
	addresses := make([]any, value.NumField())
	for i := range addresses {
		addresses[i] = value.Field(i).Addr().Interface()
	}
	return addresses
}
