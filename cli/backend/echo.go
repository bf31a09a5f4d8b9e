package backend

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/epicevents/crm/cli/text"
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

func (e echo) TraceConnectStart(ctx context.Context, _ pgx.TraceConnectStartData) context.Context {
	return ctx
}

// TraceConnectEnd shows why a server refused a connection, for which it says more than the user is told.
func (e echo) TraceConnectEnd(_ context.Context, data pgx.TraceConnectEndData) {
	if refusal, ok := errors.AsType[*pgconn.PgError](data.Err); ok {
		fmt.Fprintf(e.to, "-- connecting, %s\n", failed(refusal))
	}
}

// failed is what the server said of a failure. Its DETAIL, HINT and CONTEXT stay out, for they have values in them, and so
// does what it quotes of a value that it cannot read: parameters are never shown.
func failed(err error) string {
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return "failed"
	}
	message := strings.Join(strings.Fields(refusal.Message), " ")
	if strings.HasPrefix(refusal.Code, "22") {
		message = QuotedValue().ReplaceAllString(message, `"`+text.Mask+`"`)
	}
	return fmt.Sprintf("failed: %s %s %s", refusal.SeverityUnlocalized, refusal.Code, text.Escape(message))
}

var QuotedValue = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`".*"`) })

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
	statement := storedHash.ReplaceAllString(strings.Join(lines, " "), text.Mask)
	outcome := fmt.Sprintf("%d rows", rows)
	switch {
	case err != nil:
		outcome = failed(err)
	case rows == 1:
		outcome = "1 row"
	}
	fmt.Fprintf(e.to, "-- %s%s, %s: %s\n", name, took, outcome, statement)
}
