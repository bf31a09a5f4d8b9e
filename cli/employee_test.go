package cli

import (
	"bytes"
	"context"
	"maps"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/cli/terminal"
	"github.com/epicevents/crm/internal/dbtest"
)

// employee has a database of their own and is logged in, without what a login costs.
type employee struct {
	t      *testing.T
	config *pgx.ConnConfig
	conn   *pgx.Conn
	vars   map[string]string
}

func asEmployee(t *testing.T, username string) *employee {
	t.Helper()
	config := dbtest.Sample(t)
	e := &employee{t: t, config: config, conn: dbtest.Connect(t, config), vars: map[string]string{
		"HOME":                           t.TempDir(),
		"CRM_DATABASE_URL":               dbtest.URL(config),
		"CRM_CONTROLLER_AUTH_SECRET_KEY": strings.Repeat("k", 32),
		"PAGER":                          "cat", // nobody is there to leave less
	}}
	e.as(username)
	return e
}

// beside is another employee at the same database, with a home of their own.
func (e *employee) beside(t *testing.T, username string) *employee {
	t.Helper()
	other := &employee{t: t, config: e.config, conn: dbtest.Connect(t, e.config), vars: maps.Clone(e.vars)}
	other.vars["HOME"] = t.TempDir()
	other.as(username)
	return other
}

// as logs another employee in; nobody if the username is empty.
func (e *employee) as(username string) {
	e.t.Helper()
	e.vars["CRM_TOKEN"] = ""
	if username == "" {
		return
	}
	id := uuid.New()
	var employee int64
	var expires time.Time
	err := e.conn.QueryRow(e.t.Context(), `
		INSERT INTO session (id, employee_id)
		SELECT $1, id FROM employee WHERE username = $2
		RETURNING employee_id, expires_at`, id, username).Scan(&employee, &expires)
	if err != nil {
		e.t.Fatalf("logging %s in: %v", username, err)
	}
	e.vars["CRM_TOKEN"], err = jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{
		ID: id.String(), Subject: strconv.FormatInt(employee, 10), Issuer: "crm", Audience: jwt.ClaimStrings{"crm"},
		IssuedAt: jwt.NewNumericDate(time.Now()), ExpiresAt: jwt.NewNumericDate(expires),
	}).SignedString([]byte(e.vars["CRM_CONTROLLER_AUTH_SECRET_KEY"]))
	if err != nil {
		e.t.Fatal(err)
	}
}

func (e *employee) sql(statements string) {
	e.t.Helper()
	if _, err := e.conn.Exec(e.t.Context(), statements); err != nil {
		e.t.Fatal(err)
	}
}

// environ is the environment for a process.
func (e *employee) environ() []string {
	// Under the race detector a process would sleep for a second before it ends.
	env := []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "GORACE=atexit_sleep_ms=0", "GOCOVERDIR=" + os.Getenv("GOCOVERDIR")}
	for name, value := range e.vars {
		env = append(env, name+"="+value)
	}
	return env
}

// result is what came of a command.
type result struct {
	code     int
	out, err string
}

// crm runs a command line in this process; stdin may be empty.
func (e *employee) crm(stdin string, args ...string) result {
	var out, err bytes.Buffer
	code := Run(context.Background(), args, terminal.IO{
		In: strings.NewReader(stdin), Out: &out, Err: &err, Getenv: func(name string) string { return e.vars[name] },
	})
	record(e.t.Name(), args, givenSecrets(args, stdin, func(name string) string { return e.vars[name] }), out.String()+err.String())
	return result{code, out.String(), err.String()}
}

// must gives the result of a command that does what it is told.
func (e *employee) must(t *testing.T, args ...string) string {
	t.Helper()
	r := e.crm("", args...)
	if r.code != 0 {
		t.Fatalf("crm %q: exit %d, %s", args, r.code, r.err)
	}
	return r.out
}

// cheapHash is of a password that is to be checked without what that costs.
func cheapHash(t *testing.T, password string) string {
	t.Helper()
	hash, err := argon2id.CreateHash(password, &argon2id.Params{Memory: 8, Iterations: 1, Parallelism: 1, SaltLength: 8, KeyLength: 32})
	if err != nil {
		t.Fatal(err)
	}
	return hash
}
