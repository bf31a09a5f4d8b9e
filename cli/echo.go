package cli

import (
	"context"
	"fmt"
	"io"
	"regexp"
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

// log writes one line: the query's name where it has one, its time, its rows, and the statement without its comments.
func (e echo) log(sql, took string, rows int64, err error) {
	var name string
	var lines []string
	for line := range strings.Lines(sql) {
		line = strings.TrimSpace(line)
		if named, ok := strings.CutPrefix(line, "-- name: "); ok {
			name, _, _ = strings.Cut(named, " ")
			name += " "
		}
		if !strings.HasPrefix(line, "--") {
			lines = append(lines, strings.Fields(line)...)
		}
	}
	// The only secret that a statement itself can hold: the sample data has one. All others are parameters.
	storedHash := regexp.MustCompile(`\$argon2id\$[^']*`)
	statement := storedHash.ReplaceAllString(strings.Join(lines, " "), mask)
	outcome := fmt.Sprintf("%d rows", rows)
	switch {
	case err != nil:
		outcome = "failed"
	case rows == 1:
		outcome = "1 row"
	}
	fmt.Fprintf(e.to, "-- %s%s, %s: %s\n", name, took, outcome, statement)
}
