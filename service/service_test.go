package service_test

import (
	"errors"
	"iter"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/schema"
	"github.com/epicevents/crm/service"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Run(m)) }

const password = schema.SamplePassword

var hs256 = jwt.SigningMethodHS256

var (
	testSecret = []byte("a key of thirty-two bytes, or so.")
	testKey    = newKey(testSecret)
)

func newKey(secret []byte) service.Key {
	key, err := service.NewKey(secret)
	if err != nil {
		panic(err)
	}
	return key
}

// In the sample data. commercial1 and support1 are in charge of what is called own, others of what is called foreign.
var (
	ownUnsigned     = uuid.MustParse("fb819b38-e035-4e65-b4ea-ae5076a82518") // of Johanna Baker, 2750.00
	ownSigned       = uuid.MustParse("b1fca6de-884d-4803-b760-ebd7f8cac475") // of Anaïs Morel, 7200.00, half paid
	foreignUnsigned = uuid.MustParse("b5e463a9-7520-4006-b699-237421670139") // of Inès Ribeiro and commercial2
	foreignSigned   = uuid.MustParse("b0f94adc-0ac3-46cb-bb52-cecbf41673e5") // the same, 9900.50, 3000.00 paid
)

const (
	ownCustomer     = 1 // Johanna Baker
	foreignCustomer = 5 // Inès Ribeiro
	ownEvent        = 1
	foreignEvent    = 2
	freeEvent       = 8 // without support
)

// env is a database of one test: conn looks at it from outside, as its owner, and svc works on a connection of its own, as
// a role that owns nothing.
type env struct {
	testing.TB
	owner  *pgx.ConnConfig
	config *pgx.ConnConfig // of the role
	conn   *pgx.Conn
	svcDB  *pgx.Conn
	// ownerDB is as svcDB, of the owner.
	ownerDB *pgx.Conn
	svc     *service.Service
}

func newEnv(t testing.TB, config *pgx.ConnConfig) *env {
	t.Helper()
	p := &env{TB: t, config: config, owner: config}
	p.conn = p.connect(config)
	if one[bool](p, "SELECT to_regclass('schema_migrations') IS NOT NULL") {
		p.config = dbtest.Granted(t, config)
	}
	p.svcDB, p.ownerDB = p.connect(p.config), p.connect(p.owner)
	p.svc = service.New(p.svcDB, testKey)
	return p
}

// sample is an environment with the sample data. All have the sample password, under a hash that is checked in no time.
func sample(t testing.TB) *env {
	t.Helper()
	p := newEnv(t, dbtest.Sample(t))
	p.exec("UPDATE employee SET password_hash = $1", cheapHash())
	return p
}

var cheapHash = sync.OnceValue(func() string {
	hash, err := argon2id.CreateHash(password, &argon2id.Params{Memory: 8, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	if err != nil {
		panic(err)
	}
	return hash
})

// connect opens a connection as the command does.
func (p *env) connect(config *pgx.ConnConfig) *pgx.Conn {
	p.Helper()
	config = config.Copy()
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	return dbtest.Connect(p, config)
}

// as is a session of the employee, on the Service of this environment.
func (p *env) as(username string) *service.Session {
	p.Helper()
	return p.asOn(p.svc, username)
}

func (p *env) asOn(svc *service.Service, username string) *service.Session {
	p.Helper()
	s, err := svc.As(p.token(username))
	if err != nil {
		p.Fatal(err)
	}
	return s
}

// token is a good token of the employee, made without the cost of a login.
func (p *env) token(username string) string {
	p.Helper()
	return sign(p, hs256, testSecret, p.claims(username))
}

// claims starts a session and returns what its token says.
func (p *env) claims(username string) jwt.MapClaims {
	p.Helper()
	id := uuid.New()
	employee := one[int64](p, "INSERT INTO session (id, employee_id) SELECT $1, id FROM employee WHERE username = $2 RETURNING employee_id", id, username)
	now := time.Now()
	return jwt.MapClaims{
		"jti": id.String(), "sub": strconv.FormatInt(employee, 10), "iss": "crm", "aud": "crm",
		"iat": now.Unix(), "exp": now.Add(30 * time.Minute).Unix(),
	}
}

func sign(t testing.TB, method jwt.SigningMethod, key any, claims jwt.MapClaims) string {
	t.Helper()
	token, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// one is the only value that a statement returns.
func one[T any](p *env, sql string, args ...any) T {
	p.Helper()
	var value T
	if err := p.conn.QueryRow(p.Context(), sql, args...).Scan(&value); err != nil {
		p.Fatalf("%s: %v", sql, err)
	}
	return value
}

func (p *env) exec(sql string, args ...any) {
	p.Helper()
	if _, err := p.conn.Exec(p.Context(), sql, args...); err != nil {
		p.Fatalf("%s: %v", sql, err)
	}
}

// employee adds someone who logs in with schema.SamplePassword.
func (p *env) employee(username, role string) {
	p.Helper()
	p.exec(`INSERT INTO employee (username, fullname, role, password_hash)
		SELECT $1, 'Somebody New', $2::role, password_hash FROM employee WHERE username = 'none1'`, username, role)
}

// checksum changes with every change of a row in any table.
func checksum(t testing.TB, db service.DB) string {
	t.Helper()
	rows, err := db.Query(t.Context(), "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(tables) < 7 {
		t.Fatalf("tables %v: %v", tables, err)
	}
	sums := make([]string, len(tables))
	for i, table := range tables {
		sums[i] = "(SELECT coalesce(md5(string_agg(t::text, E'\\n' ORDER BY t::text)), '') FROM " + table + " AS t)"
	}
	var sum string
	if err := db.QueryRow(t.Context(), "SELECT concat_ws(' ', "+strings.Join(sums, ", ")+")").Scan(&sum); err != nil {
		t.Fatal(err)
	}
	return sum
}

// refuses checks that a call fails with this error and changes no row.
func (p *env) refuses(code failure.Code, message string, call func() error) {
	p.Helper()
	before := checksum(p, p.conn)
	fails(p, code, message, call())
	if checksum(p, p.conn) != before {
		p.Errorf("refused with %q, but rows have changed", message)
	}
}

// fails checks the code and the message of an error; an empty message stands for any.
func fails(t testing.TB, code failure.Code, message string, err error) {
	t.Helper()
	switch {
	case err == nil:
		t.Errorf("no error; want %s: %s", code, message)
	case failure.CodeOf(err) != code || message != "" && err.Error() != message:
		t.Errorf("%s: %v\nwant %s: %s", failure.CodeOf(err), err, code, message)
	}
	if problem, ok := errors.AsType[*failure.Error](err); ok && problem.Reason != failure.ForHost && forHost.MatchString(problem.Hint) {
		t.Errorf("%s: the hint is not marked as one for the host: %s", err, problem.Hint)
	}
}

// forHost finds hints that nobody can follow who only uses a server of crm.
var forHost = regexp.MustCompile(`database\.url|crm db |crm doctor|restore|CREATE DATABASE|disk|the primary`)

// must is the value of a call that works.
func must[T any](t testing.TB) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", failure.CodeOf(err), err)
		}
		return value
	}
}

// now is what a mutation returns as the row's present state.
func now[T any](change service.Change[T], err error) (T, error) { return change.Now, err }

func second[A, B any](_ A, b B) B { return b }

// all collects a list.
func all[T any](list iter.Seq2[T, error]) ([]T, error) {
	rows := []T{}
	for row, err := range list {
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func same[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// stored reads a row of a view, as generated code does but from outside.
func stored[T any](p *env, view string, id any) T {
	p.Helper()
	rows, err := p.conn.Query(p.Context(), "SELECT * FROM "+view+" WHERE id = $1", id)
	if err != nil {
		p.Fatal(err)
	}
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[T])
	if err != nil {
		p.Fatalf("%s %v: %v", view, id, err)
	}
	return row
}

// waits until the connection has to wait for a lock of another.
func (p *env) waits(conn *pgx.Conn) {
	p.Helper()
	watcher := dbtest.Connect(p, p.config)
	eventually(p, "a connection that waits", func() bool {
		var waiting bool
		err := watcher.QueryRow(p.Context(), "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = $1 AND NOT granted)",
			int64(conn.PgConn().PID())).Scan(&waiting)
		return err == nil && waiting
	})
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	within(t, 10*time.Second, what, ok)
}

// within waits so long for a condition.
func within(t testing.TB, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("in vain waited for " + what)
		}
	}
}
