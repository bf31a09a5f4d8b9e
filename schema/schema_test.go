package schema_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/schema"
)

// migrateVariable makes this program one that migrates the database of that URL.
const migrateVariable = "CRM_TEST_MIGRATE"

func TestMain(m *testing.M) {
	url := os.Getenv(migrateVariable)
	if url == "" {
		os.Exit(dbtest.Run(m))
	}
	fmt.Println("begins")
	config, err := pgx.ParseConfig(url)
	if err == nil {
		err = schema.Migrate(context.Background(), config)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run executes statements that must succeed.
func run(t *testing.T, conn *pgx.Conn, sql string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s\n%v", sql, err)
	}
}

// one returns the only value of the only row.
func one[T any](t *testing.T, conn *pgx.Conn, sql string, args ...any) T {
	t.Helper()
	rows, err := conn.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatalf("%s\n%v", sql, err)
	}
	value, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	if err != nil {
		t.Fatalf("%s\n%v", sql, err)
	}
	return value
}

// all returns the first column of all rows.
func all[T any](t *testing.T, conn *pgx.Conn, sql string, args ...any) []T {
	t.Helper()
	rows, err := conn.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatalf("%s\n%v", sql, err)
	}
	values, err := pgx.CollectRows(rows, pgx.RowTo[T])
	if err != nil {
		t.Fatalf("%s\n%v", sql, err)
	}
	return values
}

// contents returns every row of every table as text, by table.
func contents(t *testing.T, conn *pgx.Conn) map[string][]string {
	t.Helper()
	rows := map[string][]string{}
	for _, table := range all[string](t, conn, "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace") {
		rows[table] = all[string](t, conn, "SELECT this::text FROM "+table+" AS this ORDER BY 1")
	}
	return rows
}

// refusal is the answer of the database, nil if there was no error.
func refusal(t *testing.T, err error) *pgconn.PgError {
	t.Helper()
	if err == nil {
		return nil
	}
	answer, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		t.Fatalf("not an answer of the database: %v", err)
	}
	return answer
}

// comment is what the user reads who broke the constraint.
func comment(t *testing.T, conn *pgx.Conn, table, constraint string) string {
	t.Helper()
	return one[string](t, conn, `
		SELECT coalesce(obj_description(oid, 'pg_constraint'), '')
		FROM pg_constraint
		WHERE conrelid = $1::text::regclass
		  AND conname = $2`, table, constraint)
}

// together starts all actions at the same instant and returns their errors.
func together(ctx context.Context, actions ...func(context.Context) error) []error {
	start := make(chan struct{})
	type end struct {
		place int
		err   error
	}
	ends := make(chan end, len(actions))
	for place, action := range actions {
		go func() {
			<-start
			ends <- end{place, action(ctx)}
		}()
	}
	close(start)
	errs := make([]error, len(actions))
	for range actions {
		done := <-ends
		errs[done.place] = done.err
	}
	return errs
}
