package service

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/epicevents/crm/internal/columns"
	"github.com/epicevents/crm/internal/value"
)

// A list may have a million rows. What pgx sends without preparing anything is answered as text, which PostgreSQL has to
// write and pgx to read: a day's time, for instance, three times for each row. So a list goes through the layer below, which
// lets us ask for the columns as they are stored.

// formatsOf returns the format of each column of a row. A string is the same in both, and one of an enumeration is not read
// from the other.
func formatsOf(row reflect.Type) []int16 {
	formats := make([]int16, 0, row.NumField())
	for _, column := range columns.Of(row) {
		switch {
		case column.Type == reflect.TypeFor[uuid.UUID](), column.Type == reflect.TypeFor[time.Time](), column.Type == reflect.TypeFor[value.Date](),
			column.Type.Kind() == reflect.Int64, column.Type.Kind() == reflect.Int32, column.Type.Kind() == reflect.Bool:
			formats = append(formats, pgx.BinaryFormatCode)
		default:
			formats = append(formats, pgx.TextFormatCode)
		}
	}
	return formats
}

// connectionOf returns a connection of a database, and release, which is never nil and puts it back.
func connectionOf(ctx context.Context, db DB) (_ *pgx.Conn, release func(), err error) {
	switch db := db.(type) {
	case *pgxpool.Pool:
		conn, err := db.Acquire(ctx)
		if err != nil {
			return nil, func() {}, err
		}
		return conn.Conn(), conn.Release, nil
	case interface{ Conn() *pgx.Conn }: // a transaction
		return db.Conn(), func() {}, nil
	case *pgx.Conn:
		return db, func() {}, nil
	}
	return nil, func() {}, fmt.Errorf("a list cannot be read from a %T", db)
}

// answers are those to the statements of a batch, in turn.
type answers struct {
	ctx     context.Context
	conn    *pgx.Conn
	reader  *pgconn.MultiResultReader
	left    []*pgx.QueuedQuery // whose answers are not read to the end, which tracing is to be told of
	current pgx.Rows
	tracing pgx.BatchTracer
	closed  bool
}

// ask sends a batch in one round trip, as pgx does, but for the formats of the columns of its statements: one list for each
// of the first, and text for what is nil or not told.
func ask(ctx context.Context, conn *pgx.Conn, batch *pgx.Batch, formats ...[]int16) (*answers, error) {
	var below pgconn.Batch
	var built pgx.ExtendedQueryBuilder
	for i, queued := range batch.QueuedQueries {
		if err := built.Build(conn.TypeMap(), nil, queued.Arguments); err != nil {
			return nil, err
		}
		var wanted []int16
		if i < len(formats) {
			wanted = formats[i]
		}
		below.ExecParams(queued.SQL, built.ParamValues, nil, built.ParamFormats, wanted)
	}
	tracing, _ := conn.Config().Tracer.(pgx.BatchTracer)
	if tracing != nil {
		ctx = tracing.TraceBatchStart(ctx, conn, pgx.TraceBatchStartData{Batch: batch})
	}
	return &answers{ctx: ctx, conn: conn, reader: conn.PgConn().ExecBatch(ctx, &below), left: batch.QueuedQueries, tracing: tracing}, nil
}

// next returns the rows of the next answer.
func (a *answers) next() (pgx.Rows, error) {
	a.finish()
	if !a.reader.NextResult() {
		err := a.reader.Close()
		if err == nil {
			err = errors.New("there is no further answer")
		}
		a.trace(pgconn.CommandTag{}, err)
		return nil, err
	}
	a.current = pgx.RowsFromResultReader(a.conn.TypeMap(), a.reader.ResultReader())
	return a.current, nil
}

// finish reads the rest of the answer that was begun.
func (a *answers) finish() {
	if a.current != nil {
		a.current.Close()
		a.trace(a.current.CommandTag(), a.current.Err())
		a.current = nil
	}
}

// trace tells of the first of the statements that are left, and leaves it behind.
func (a *answers) trace(tag pgconn.CommandTag, err error) {
	if len(a.left) == 0 {
		return
	}
	if a.tracing != nil {
		a.tracing.TraceBatchQuery(a.ctx, a.conn, pgx.TraceBatchQueryData{SQL: a.left[0].SQL, Args: a.left[0].Arguments, CommandTag: tag, Err: err})
	}
	a.left = a.left[1:]
}

// close reads all that is left, and returns the first error that the database answered.
func (a *answers) close() error {
	for a.finish(); len(a.left) > 0 && !a.closed; a.finish() {
		if _, err := a.next(); err != nil {
			break
		}
	}
	err := a.reader.Close()
	if !a.closed && a.tracing != nil {
		a.tracing.TraceBatchEnd(a.ctx, a.conn, pgx.TraceBatchEndData{Err: err})
	}
	a.closed = true
	return err
}

// destination is a row that rows of an answer are read into, one after the other.
type destination struct {
	into      []any // nil where pgx is to read nothing
	ids       []*uuid.UUID
	nullables []nullable
}

// destinationOf returns that for the struct that row points to. A field that is a pointer gets a new target with each row,
// so that a copy of the row stays as it is.
func destinationOf(row any) *destination {
	into := columns.Addresses(row)
	d := &destination{into: into, ids: make([]*uuid.UUID, len(into)), nullables: make([]nullable, len(into))}
	for i, column := range columns.Of(reflect.TypeOf(row).Elem()) {
		switch at := into[i].(type) {
		case *uuid.UUID:
			d.ids[i], into[i] = at, nil
		case **string:
			d.nullables[i] = &pointer[string]{field: at}
		case **int64:
			d.nullables[i] = &pointer[int64]{field: at}
		case **int32:
			d.nullables[i] = &pointer[int32]{field: at}
		case **time.Time:
			d.nullables[i] = &pointer[time.Time]{field: at}
		case **value.Date:
			d.nullables[i] = &pointer[value.Date]{field: at}
		default:
			if column.Type == reflect.TypeFor[value.Date]() { // which reads a day in either format; a string does not
				into[i] = column.Field(reflect.ValueOf(row).Elem()).Addr().Interface()
			}
		}
	}
	return d
}

// scan reads the row at which rows are. pgx would read an id by way of three strings, and a pointer by reflection.
func (d *destination) scan(rows pgx.Rows) (err error) {
	raw := rows.RawValues()
	for i, n := range d.nullables {
		if n != nil {
			d.into[i] = n.target(raw[i] == nil)
		}
	}
	if err := rows.Scan(d.into...); err != nil {
		return err
	}
	for i, n := range d.nullables {
		if n != nil && raw[i] != nil {
			n.take()
		}
		if d.ids[i] != nil {
			if *d.ids[i], err = uuid.FromBytes(raw[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// nullable is a field of a row that is a pointer.
type nullable interface {
	target(null bool) any // where to read the value to; nil where there is none
	take()                // has the field point to the value
}

type pointer[T any] struct {
	value T
	field **T
}

func (p *pointer[T]) target(null bool) any {
	if null {
		*p.field = nil
		return nil
	}
	return &p.value
}

func (p *pointer[T]) take() { *p.field = new(p.value) }
