//go:build unix

package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/schema"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// env is the surroundings of real crm processes: a database, a home and variables of their own.
type env struct {
	t      *testing.T
	config *pgx.ConnConfig
	vars   []string
	home   string
}

func newEnv(t *testing.T) *env {
	t.Helper()
	config := dbtest.Sample(t)
	home := t.TempDir()
	e := &env{t: t, config: config, home: home, vars: []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + home,
		"TERM=xterm-256color",
		"PAGER=cat", // nobody is there to leave less
		"CRM_DATABASE_URL=" + dbtest.URL(config),
		"CRM_CONTROLLER_AUTH_SECRET_KEY=" + strings.Repeat("k", 32),
		"GORACE=atexit_sleep_ms=0",
		"GOCOVERDIR=" + os.Getenv("GOCOVERDIR"), // for make cover
	}}
	e.cheap()
	return e
}

// cheap stores for every employee the sample password under a hash that is checked in no time. What crm itself hashes costs what
// it has to.
func (e *env) cheap() {
	e.t.Helper()
	conn := dbtest.Connect(e.t, e.config)
	if _, err := conn.Exec(e.t.Context(), "UPDATE employee SET password_hash = $1", cheapHash(e.t, schema.SamplePassword)); err != nil {
		e.t.Fatal(err)
	}
}

func (e *env) tokenFile() string { return filepath.Join(e.home, ".local/state/crm/token") }

// command is a crm process that is not started yet.
func (e *env) command(args ...string) *exec.Cmd {
	cmd := exec.Command("crm", args...)
	cmd.Dir, cmd.Env = e.home, slices.Clone(e.vars)
	return cmd
}

// crm runs crm without a terminal and returns its exit code, stdout and stderr.
func (e *env) crm(stdin string, args ...string) (code int, stdout, stderr string) {
	cmd := e.command(args...)
	var out, err strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &err
	return exitCode(cmd.Run()), out.String(), err.String()
}

func (e *env) login(username string) {
	e.t.Helper()
	if code, _, stderr := e.crm(schema.SamplePassword+"\n", "auth", "login", username, "--password-stdin"); code != 0 {
		e.t.Fatalf("login of %s: exit %d, %s", username, code, stderr)
	}
}

// number returns the answer of a query for one number.
func (e *env) number(query string, args ...any) (n int64) {
	e.t.Helper()
	conn := dbtest.Connect(e.t, e.config)
	if err := conn.QueryRow(e.t.Context(), query, args...).Scan(&n); err != nil {
		e.t.Fatal(err)
	}
	return n
}

// exitCode is that of a finished process; -1 when a signal ended it or it never ran.
func exitCode(err error) int {
	if err == nil {
		return 0
	}
	if exit, ok := err.(*exec.ExitError); ok {
		return exit.ExitCode()
	}
	return -1
}

// contents changes with every change of the data.
func (e *env) contents() int64 {
	e.t.Helper()
	return e.number(`SELECT sum(hashtextextended(line, 0)::numeric % 1000003)::bigint FROM (
		SELECT employee::text FROM employee UNION ALL SELECT customer::text FROM customer UNION ALL
		SELECT contract::text FROM contract UNION ALL SELECT payment::text FROM payment UNION ALL
		SELECT event::text FROM event) AS everything (line)`)
}
