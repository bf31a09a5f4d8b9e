package backend

import (
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/schema"
)

func TestEchoLine(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		sql  string
		rows int64
		err  error
		want string
	}{
		{"SELECT 1", 1, nil, "-- 5ms, 1 row: SELECT 1\n"},
		{"  begin", 0, nil, "-- 5ms, 0 rows: begin\n"},
		{"-- name: A :many\n-- A gives\n  -- all.\nSELECT *\n\nFROM a", 2, nil, "-- A 5ms, 2 rows: SELECT * FROM a\n"},
		{"-- name: A :one\nSELECT 1", 0, errors.New("at Johanna Baker's"), "-- A 5ms, failed: SELECT 1\n"},
		{"SELECT 1", 0, &pgconn.PgError{SeverityUnlocalized: "ERROR", Code: "23505", Message: `duplicate key violates "customer_email"`, Detail: "Key (email)=(a@b.example)"},
			"-- 5ms, failed: ERROR 23505 duplicate key violates \"customer_email\": SELECT 1\n"},
		{"SELECT 1", 0, &pgconn.PgError{SeverityUnlocalized: "ERROR", Code: "22P02", Message: "invalid input syntax for type uuid: \"se\ncret\""},
			"-- 5ms, failed: ERROR 22P02 invalid input syntax for type uuid: \"********\": SELECT 1\n"},
		{"VALUES ('$argon2id$v=19$m=8$c2FsdA$aGFzaA', 'x')", 1, nil, "-- 5ms, 1 row: VALUES ('********', 'x')\n"},
	} {
		var b strings.Builder
		echo{&b}.log(test.sql, "5ms", test.rows, test.err)
		if b.String() != test.want {
			t.Errorf("%q, want %q", b.String(), test.want)
		}
	}
	for _, sql := range []string{gen.SessionEmployee, gen.ContractList, schema.Sample} {
		var b strings.Builder
		echo{&b}.log(sql, "5ms", 1, nil)
		if text := b.String(); strings.Count(text, "\n") != 1 || strings.Contains(text, "argon2id") || strings.Contains(text[3:], "--") {
			t.Errorf("%q", text)
		}
	}
}
