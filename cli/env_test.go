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
const patience = 10 * time.Second

// place is a database and a home of its own for real crm processes.
type place struct {
	t      *testing.T
	config *pgx.ConnConfig
	env    []string
	home   string
}

func newPlace(t *testing.T) *place {
	t.Helper()
	config := dbtest.Sample(t)
	home := t.TempDir()
	p := &place{t: t, config: config, home: home, env: []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + home,
		"TERM=xterm-256color",
		"PAGER=cat", // nobody is there to leave less
		"CRM_DATABASE_URL=" + dbtest.URL(config),
		"CRM_CONTROLLER_AUTH_SECRET_KEY=" + strings.Repeat("k", 32),
		"GORACE=atexit_sleep_ms=0",
		"GOCOVERDIR=" + os.Getenv("GOCOVERDIR"), // for make cover
	}}
	p.cheap()
	return p
}

// cheap stores for every employee the sample password under a hash that is checked in no time. What crm itself hashes costs what
// it has to.
func (p *place) cheap() {
	p.t.Helper()
	conn := dbtest.Connect(p.t, p.config)
	if _, err := conn.Exec(p.t.Context(), "UPDATE employee SET password_hash = $1", cheapHash(p.t, schema.SamplePassword)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) tokenFile() string { return filepath.Join(p.home, ".local/state/crm/token") }

// command is a crm process that is not started yet.
func (p *place) command(args ...string) *exec.Cmd {
	cmd := exec.Command("crm", args...)
	cmd.Dir, cmd.Env = p.home, slices.Clone(p.env)
	return cmd
}

// crm runs crm without a terminal and gives its exit code, stdout and stderr.
func (p *place) crm(stdin string, args ...string) (code int, stdout, stderr string) {
	cmd := p.command(args...)
	var out, err strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &err
	return exitCode(cmd.Run()), out.String(), err.String()
}

func (p *place) login(username string) {
	p.t.Helper()
	if code, _, stderr := p.crm(schema.SamplePassword+"\n", "auth", "login", username, "--password-stdin"); code != 0 {
		p.t.Fatalf("login of %s: exit %d, %s", username, code, stderr)
	}
}

// number gives the answer of a query for one number.
func (p *place) number(query string, args ...any) (n int64) {
	p.t.Helper()
	conn := dbtest.Connect(p.t, p.config)
	if err := conn.QueryRow(p.t.Context(), query, args...).Scan(&n); err != nil {
		p.t.Fatal(err)
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
func (p *place) contents() int64 {
	p.t.Helper()
	return p.number(`SELECT sum(hashtextextended(line, 0)::numeric % 1000003)::bigint FROM (
		SELECT employee::text FROM employee UNION ALL SELECT customer::text FROM customer UNION ALL
		SELECT contract::text FROM contract UNION ALL SELECT payment::text FROM payment UNION ALL
		SELECT event::text FROM event) AS everything (line)`)
}
