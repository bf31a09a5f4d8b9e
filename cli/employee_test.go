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

// desk is a database and an employee at it, who is logged in without what a login costs.
type desk struct {
	t      *testing.T
	config *pgx.ConnConfig
	conn   *pgx.Conn
	env    map[string]string
}

func newDesk(t *testing.T, username string) *desk {
	t.Helper()
	config := dbtest.Sample(t)
	d := &desk{t: t, config: config, conn: dbtest.Connect(t, config), env: map[string]string{
		"HOME":                           t.TempDir(),
		"CRM_DATABASE_URL":               dbtest.URL(config),
		"CRM_CONTROLLER_AUTH_SECRET_KEY": strings.Repeat("k", 32),
		"PAGER":                          "cat", // nobody is there to leave less
	}}
	d.as(username)
	return d
}

// beside is another desk at the same database, with a home of its own.
func (d *desk) beside(t *testing.T, username string) *desk {
	t.Helper()
	other := &desk{t: t, config: d.config, conn: dbtest.Connect(t, d.config), env: maps.Clone(d.env)}
	other.env["HOME"] = t.TempDir()
	other.as(username)
	return other
}

// as logs another employee in; nobody if the username is empty.
func (d *desk) as(username string) {
	d.t.Helper()
	d.env["CRM_TOKEN"] = ""
	if username == "" {
		return
	}
	id := uuid.New()
	var employee int64
	var expires time.Time
	err := d.conn.QueryRow(d.t.Context(), `
		INSERT INTO session (id, employee_id)
		SELECT $1, id FROM employee WHERE username = $2
		RETURNING employee_id, expires_at`, id, username).Scan(&employee, &expires)
	if err != nil {
		d.t.Fatalf("logging %s in: %v", username, err)
	}
	d.env["CRM_TOKEN"], err = jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{
		ID: id.String(), Subject: strconv.FormatInt(employee, 10), Issuer: "crm", Audience: jwt.ClaimStrings{"crm"},
		IssuedAt: jwt.NewNumericDate(time.Now()), ExpiresAt: jwt.NewNumericDate(expires),
	}).SignedString([]byte(d.env["CRM_CONTROLLER_AUTH_SECRET_KEY"]))
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) sql(statements string) {
	d.t.Helper()
	if _, err := d.conn.Exec(d.t.Context(), statements); err != nil {
		d.t.Fatal(err)
	}
}

// environ is the environment for a process.
func (d *desk) environ() []string {
	// Under the race detector a process would sleep for a second before it ends.
	env := []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "GORACE=atexit_sleep_ms=0", "GOCOVERDIR=" + os.Getenv("GOCOVERDIR")}
	for name, value := range d.env {
		env = append(env, name+"="+value)
	}
	return env
}

// ran is what came of a command.
type ran struct {
	code     int
	out, err string
}

// crm runs a command line in this process; stdin may be empty.
func (d *desk) crm(stdin string, args ...string) ran {
	var out, err bytes.Buffer
	code := Run(context.Background(), args, terminal.IO{
		In: strings.NewReader(stdin), Out: &out, Err: &err, Getenv: func(name string) string { return d.env[name] },
	})
	record(d.t.Name(), args, givenSecrets(args, stdin, func(name string) string { return d.env[name] }), out.String()+err.String())
	return ran{code, out.String(), err.String()}
}

// must gives the result of a command that does what it is told.
func (d *desk) must(t *testing.T, args ...string) string {
	t.Helper()
	r := d.crm("", args...)
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
