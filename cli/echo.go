package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// echo logs each statement with its time and rows, for database.echo. Parameters are never logged: some are secrets.
type echo struct{ to io.Writer }

type echoStart struct{}

func (e echo) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	return context.WithValue(ctx, echoStart{}, startedQuery{data.SQL, time.Now()})
}

func (e echo) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	started, _ := ctx.Value(echoStart{}).(startedQuery)
	e.log(started.sql, time.Since(started.at).Round(10*time.Microsecond).String(), data.CommandTag.RowsAffected(), data.Err)
}

func (e echo) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return context.WithValue(ctx, echoStart{}, startedQuery{"", time.Now()})
}

func (e echo) TraceBatchQuery(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	started, _ := ctx.Value(echoStart{}).(startedQuery)
	e.log(data.SQL, time.Since(started.at).Round(10*time.Microsecond).String(), data.CommandTag.RowsAffected(), data.Err)
}

func (e echo) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

type startedQuery struct {
	sql string
	at  time.Time
}

func (e echo) log(sql, took string, rows int64, err error) {
	outcome := fmt.Sprintf("%d rows", rows)
	if err != nil {
		outcome = "failed"
	}
	fmt.Fprintf(e.to, "-- %s, %s: %s\n", took, outcome, strings.Join(strings.Fields(sql), " "))
}
