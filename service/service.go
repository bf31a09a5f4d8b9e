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
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
)

// core is what Service and Session work with. It has no exported method: what a Session can do stands in the table.
type core struct {
	db     DB
	keys   []Key // the first signs, all are good to verify with
	budget *budget
	peer   string
	lasting
	// streams has a place for each list that may be read at the same time; nil where there is no pool.
	streams chan struct{}
}

// keyMin is how many bytes a signing key has at least: as many as the signature, which is of SHA-256.
const keyMin = 32

// Key signs tokens and verifies them.
type Key struct{ secret []byte }

// NewKey makes a Key; Usage if the secret is shorter than 32 bytes, for what can be guessed signs for everybody.
func NewKey(secret []byte) (Key, error) {
	if len(secret) < keyMin {
		return Key{}, failure.Misuse(fmt.Sprintf("A key that signs tokens has at least %d bytes.", keyMin), "")
	}
	return Key{slices.Clone(secret)}, nil
}

// Service does what needs no session: logging in, and the first steps in a new database.
type Service struct{ core }

// lasting is how long a login may go unused, and how long it lasts at most.
type lasting struct{ idle, limit time.Duration }

// Lasting makes a Service whose logins may go unused for idle, and last for limit at most, to the second.
func (s *Service) Lasting(idle, limit time.Duration) *Service {
	known := *s
	known.lasting = lasting{idle, limit}
	return &known
}

// New makes a Service that signs tokens with the first key. Tokens that were signed with one of the others are good too:
// those of logins that are still good, after a new key was made. Without a key it makes no token and takes none. A Key that does
// not come from NewKey is a fault of the program: New panics. A pool has one Service, of which there may be many for one
// request each: lists that are read take half of its connections at most.
func New(db DB, keys ...Key) *Service {
	for _, key := range keys {
		if key.secret == nil {
			panic("service: a key that is not from NewKey")
		}
	}
	s := &Service{core{db: db, keys: keys, budget: &budget{}, lasting: lasting{30 * time.Minute, 10 * time.Hour}}}
	if pool, ok := db.(*pgxpool.Pool); ok {
		s.streams = make(chan struct{}, max(pool.Config().MaxConns/2, 1))
	}
	return s
}

// Within makes a Service for one request, such as a command, whose waits for the database together are no longer than the
// limit.
func (s *Service) Within(limit time.Duration) *Service {
	limited := *s
	limited.budget = &budget{limit: limit}
	return &limited
}

// peerMax is what the schema stores of where a login comes from, in characters.
const peerMax = 255

// From makes a Service for logins that come from this peer: an account of this machine, or an address. Failures are
// counted for a username and a peer; they decide nothing else.
func (s *Service) From(peer string) *Service {
	known := *s
	runes := []rune(strings.ToValidUTF8(peer, "?"))
	known.peer = string(runes[:min(len(runes), peerMax)])
	return &known
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
	Person
	// own is the employee's id where the table limits the operation to what is theirs, else nil.
	own *int64
	// command is that of the operation: contract sign.
	command string
	// again is whether the operation may be sent a second time.
	again retry
}

// allow says who acts, if they may use the operation. Statements that only read may go along in the same round trip.
func (s *Session) allow(ctx context.Context, operation string, along ...statement) (actor, error) {
	var row gen.SessionEmployeeRow
	if err := s.enterSession(ctx, &row, along...); err != nil {
		return actor{}, err
	}
	return s.permit(operation, row)
}

// Change is what a mutation made of a row, all read within its transaction.
type Change[T any] struct {
	Before *T `json:"before"` // nil where the row was added
	Now    T  `json:"now"`
}

// plural writes a number with its noun.
func plural(n int64, noun string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, noun)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
