// Package service is what crm can do, as methods that take and return plain data: the operations of the permission
// table, bound to one employee's session.
//
// An operation is three steps: allow reads who is acting and what the table permits, a generated query does the work
// with its ownership rule in the WHERE, translate turns the database's refusal into an Error. Nothing here knows of
// terminals, files, flags or formats, and no rule that the schema states is repeated in Go.
//
// To add an operation, write the query, run make gen, add the method under the query's name, its row in permissions.go,
// and its row in testdata/permissions.txt; tests fail until all are there.
package service

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/gen"
)

// DB is what a Service needs of a database: a connection or a pool of them.
type DB interface {
	gen.DBTX
	Begin(ctx context.Context) (pgx.Tx, error)
	SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults
}

// Connect opens one connection, made for a command that runs a few statements and leaves: nothing is prepared, so a
// statement is one round trip.
func Connect(ctx context.Context, config *pgx.ConnConfig) (*pgx.Conn, error) {
	config = config.Copy()
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, translate(ctx, nil, err)
	}
	return conn, nil
}

// core is what Service and Session work with. It has no exported method: what a Session can do stands in the table.
type core struct {
	db  DB
	gen *gen.Queries
	key []byte
}

// Service does what needs no session: logging in, and the first steps in a new database.
type Service struct{ core }

// New makes a Service that signs tokens with the key.
func New(db DB, key []byte) *Service {
	return &Service{core{db: db, gen: gen.New(db), key: key}}
}

// Session is what one employee may do. Role and existence of the employee are read anew by every operation, so a Session
// may be kept.
type Session struct {
	core
	claims claims
	role   gen.Role
}

// EmployeeID is the id of the employee who acts.
func (s *Session) EmployeeID() int64 { return s.claims.employeeID }

// Role is the employee's role as of the last operation; empty before the first.
func (s *Session) Role() gen.Role { return s.role }

// actor is the employee who acts, as of this operation.
type actor struct {
	gen.EmployeeView
	// own is the employee's id where the table limits the operation to what is theirs, else nil.
	own *int64
}

func (s *Session) allow(ctx context.Context, operation string) (actor, error) {
	row, err := s.gen.SessionEmployee(ctx, s.claims.session())
	if err != nil {
		return actor{}, translate(ctx, s.db, err)
	}
	return s.permit(operation, row)
}

// transaction runs do in a transaction, which is rolled back when do fails.
func (s *core) transaction(ctx context.Context, do func(tx pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, s.db, do)
}

// plural writes a number with its noun.
func plural(n int64, noun string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, noun)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
