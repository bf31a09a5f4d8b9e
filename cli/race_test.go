//go:build unix

package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/cli/terminal"
	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/schema"
)

// crowd is how many processes act at once. A server of 100 connections has room for them, so the tests with a crowd do
// not run in parallel with others.
const crowd = 64

// atOnce runs n commands, all started before any is waited for.
func (e *env) atOnce(n int, args func(i int) []string) []result {
	results := make([]result, n)
	var everybody sync.WaitGroup
	for i := range n {
		everybody.Go(func() {
			code, stdout, stderr := e.crm("", args(i)...)
			results[i] = result{code, stdout, stderr}
		})
	}
	everybody.Wait()
	return results
}

// contractOf draws up a contract over so many cents, as the administrator who is logged in.
func (e *env) contractOf(cents int) string {
	e.t.Helper()
	code, stdout, stderr := e.crm("", "contract", "add", "--customer-id", "5", "--total-amount", euros(cents), "-o", "json")
	var contract struct{ ID string }
	if err := json.Unmarshal([]byte(stdout), &contract); code != 0 || err != nil {
		e.t.Fatalf("exit %d, %v: %s", code, err, stderr)
	}
	return contract.ID
}

func euros(cents int) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }

// TestPaymentsAtOnce: of payments made at the same instant, exactly those are kept that were acknowledged.
func TestPaymentsAtOnce(t *testing.T) {
	e := newEnv(t)
	e.login("administrator1")
	for name, test := range map[string]struct{ amount, fit int }{
		"all fit":             {1001, crowd},
		"forty of them fit":   {1001, 40},
		"none of them fits":   {1001, 0},
		"of one cent, by one": {1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			total := test.amount * test.fit
			if test.fit == 0 {
				total = test.amount - 1
			}
			contract := e.contractOf(total)
			acknowledged := 0
			for _, r := range e.atOnce(crowd, func(int) []string {
				return []string{"contract", "add-payment", contract, "--payment", euros(test.amount)}
			}) {
				switch {
				case r.code == 0:
					acknowledged++
				case r.code != 6 || r.out != "" || strings.Count(r.err, "\n") != 2: // the payment's id and the error
					t.Errorf("exit %d: %s%s", r.code, r.out, r.err)
				}
			}
			if acknowledged != test.fit {
				t.Errorf("%d payments were acknowledged, want %d", acknowledged, test.fit)
			}
			rows := e.number("SELECT count(*) FROM payment WHERE contract_id = $1", contract)
			sum := e.number("SELECT coalesce(sum(amount), 0)::bigint FROM payment WHERE contract_id = $1", contract)
			due := e.number("SELECT total_due FROM contract_view WHERE id = $1", contract)
			if int(rows) != test.fit || int(sum) != test.fit*test.amount || int(due) != total-test.fit*test.amount {
				t.Errorf("%d payments of together %d cents are kept, %d are due", rows, sum, due)
			}
		})
	}
}

// TestOnePaymentAtOnce: a payment that is sent again and again is recorded once, and says so to all but one.
func TestOnePaymentAtOnce(t *testing.T) {
	e := newEnv(t)
	e.login("administrator1")
	contract := e.contractOf(100_000)
	created := 0
	for _, r := range e.atOnce(crowd, func(int) []string {
		return []string{"contract", "add-payment", contract, "--payment", "15", "--payment-id", "5f0c1a52-8d0e-4c1a-9d62-3f1d1f0f7a10", "-o", "json"}
	}) {
		var payment struct {
			Created *bool
			Amount  json.Number
		}
		if err := json.Unmarshal([]byte(r.out), &payment); r.code != 0 || err != nil || payment.Created == nil || payment.Amount != "15.00" {
			t.Fatalf("exit %d, %v: %s%s", r.code, err, r.out, r.err)
		}
		if *payment.Created {
			created++
		}
	}
	if rows := e.number("SELECT count(*) FROM payment WHERE contract_id = $1", contract); created != 1 || rows != 1 {
		t.Errorf("created %d times, in %d rows", created, rows)
	}
}

// TestAdministratorsAtOnce: two administrators who demote or delete each other at the same instant leave one.
func TestAdministratorsAtOnce(t *testing.T) {
	e := newEnv(t)
	conn := dbtest.Connect(t, e.config)
	sql := func(statement string) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	sql("DELETE FROM employee WHERE username = 'administrator3'")
	var tokens [2]string
	for i, username := range []string{"administrator1", "administrator2"} {
		e.login(username)
		token, err := os.ReadFile(e.tokenFile())
		if err != nil {
			t.Fatal(err)
		}
		tokens[i] = string(bytes.TrimSpace(token))
	}
	sql("CREATE TABLE employees AS SELECT * FROM employee WHERE role = 'administrator'; CREATE TABLE sessions AS SELECT * FROM session")

	const rounds, inProcesses = 50, 6
	for round := range rounds {
		codes := make([]int, 2)
		var both sync.WaitGroup
		ready := make(chan struct{})
		for i, other := range []string{"administrator2", "administrator1"} {
			args := []string{"employee", "set-role", other, "--role", "none"}
			if round%2 == 1 {
				args = []string{"employee", "delete", other, "--yes"}
			}
			run := func() int { return e.inProcess(t.Context(), tokens[i], args...) }
			if round < inProcesses {
				cmd := e.command(args...)
				cmd.Env = append(cmd.Env, "CRM_TOKEN="+tokens[i])
				run = func() int { return exitCode(cmd.Run()) }
			}
			both.Go(func() {
				<-ready
				codes[i] = run()
			})
		}
		close(ready)
		both.Wait()
		left := e.administrators(conn)
		if done := strings.Count(fmt.Sprint(codes), "0"); left < 1 || done != 2-left {
			t.Errorf("round %d: exits %v leave %d administrators", round, codes, left)
		}
		for _, code := range codes {
			if !slices.Contains([]int{0, 3, 4, 6}, code) {
				t.Errorf("round %d: exits %v", round, codes)
			}
		}
		sql(`INSERT INTO employee OVERRIDING SYSTEM VALUE SELECT * FROM employees ON CONFLICT (id) DO UPDATE SET role = 'administrator'`)
		sql(`INSERT INTO session SELECT * FROM sessions ON CONFLICT DO NOTHING`)
	}
}

func (e *env) administrators(conn *pgx.Conn) (n int) {
	e.t.Helper()
	if err := conn.QueryRow(e.t.Context(), "SELECT count(*) FROM employee WHERE role = 'administrator'").Scan(&n); err != nil {
		e.t.Fatal(err)
	}
	return n
}

// inProcess is a run without the cost of a process.
func (e *env) inProcess(ctx context.Context, token string, args ...string) int {
	env := map[string]string{"CRM_TOKEN": token}
	for _, variable := range e.vars {
		name, value, _ := strings.Cut(variable, "=")
		env[name] = value
	}
	return Run(ctx, args, terminal.IO{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard, Getenv: func(name string) string { return env[name] }})
}

// TestTokenFileAtOnce: commands that run while others log in find a whole token.
func TestTokenFileAtOnce(t *testing.T) {
	e := newEnv(t)
	usernames := []string{"administrator1", "administrator2", "administrator3", "commercial1", "commercial2", "commercial3", "support1", "none1"}
	e.login(usernames[0])
	over := make(chan struct{})
	var logins, readers sync.WaitGroup
	for i := range 2 * len(usernames) {
		logins.Go(func() {
			code, _, stderr := e.crm(schema.SamplePassword+"\n", "auth", "login", usernames[i%len(usernames)], "--password-stdin")
			if code != 0 {
				t.Errorf("login: exit %d, %s", code, stderr)
			}
		})
	}
	for range 4 {
		readers.Go(func() {
			for {
				if code, _, stderr := e.crm("", "auth", "whoami"); code != 0 {
					t.Errorf("whoami: exit %d, %s", code, stderr)
				}
				select {
				case <-over:
					return
				default:
				}
			}
		})
	}
	logins.Wait()
	close(over)
	readers.Wait()
	e.checkTokenFolder(0)
}

// TestLoginKilled: a login that dies leaves the old token or the new one, whole.
func TestLoginKilled(t *testing.T) {
	e := newEnv(t)
	conn := dbtest.Connect(t, e.config)
	e.login("support1")
	start := time.Now()
	e.login("support1")
	took := time.Since(start)
	const deaths = 30
	for i := range deaths {
		// A killed login counts as a failed one.
		if _, err := conn.Exec(t.Context(), "DELETE FROM login_failure"); err != nil {
			t.Fatal(err)
		}
		// Most of the deaths are where the file is written: towards the end.
		ctx, cancel := context.WithTimeout(t.Context(), took/2+took*time.Duration(i)/deaths)
		cmd := exec.CommandContext(ctx, "crm", "auth", "login", "support1", "--password-stdin")
		cmd.Dir, cmd.Env, cmd.Stdin = e.home, e.vars, strings.NewReader(schema.SamplePassword+"\n")
		_ = cmd.Run()
		cancel()
		if code, _, stderr := e.crm("", "auth", "whoami"); code != 0 {
			t.Fatalf("after death %d: exit %d, %s", i, code, stderr)
		}
	}
	e.checkTokenFolder(deaths)
}

// checkTokenFolder: nobody else can read what is in it, and at most so many files are left of those who died.
func (e *env) checkTokenFolder(left int) {
	e.t.Helper()
	files, err := os.ReadDir(filepath.Dir(e.tokenFile()))
	if err != nil {
		e.t.Fatal(err)
	}
	for _, file := range files {
		if info, err := file.Info(); err != nil || info.Mode() != fs.FileMode(0o600) {
			e.t.Errorf("%s has mode %v, %v", file.Name(), info.Mode(), err)
		}
	}
	if len(files) > 1+left {
		e.t.Errorf("%d files are beside the token", len(files)-1)
	}
}

// exportEnv has more contracts than any buffer holds.
func exportEnv(t *testing.T) *env {
	e := newEnv(t)
	e.login("administrator1")
	e.sql(fmt.Sprintf(manyContracts, "5, n, NULL::timestamptz", 100_000))
	return e
}

// TestExportEnded: whoever has read enough of a long export, or ends it, is not told more.
func TestExportEnded(t *testing.T) {
	t.Parallel()
	e := exportEnv(t)
	start := func(t *testing.T) (*exec.Cmd, *bufio.Reader, io.Closer, *bytes.Buffer) {
		t.Helper()
		cmd := e.command("contract", "list", "-o", "csv")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill() })
		reader := bufio.NewReader(stdout)
		if line, err := reader.ReadString('\n'); err != nil || !strings.HasPrefix(line, "id,number,") {
			t.Fatalf("%q, %v", line, err)
		}
		return cmd, reader, stdout, &stderr
	}
	t.Run("Ctrl-C", func(t *testing.T) {
		t.Parallel()
		cmd, reader, _, stderr := start(t)
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second) // nobody reads: the export is blocked in a write while it learns of the signal, however busy the machine is
		rest, err := io.Copy(io.Discard, reader)
		if err != nil {
			t.Fatal(err)
		}
		if code := exitCode(cmd.Wait()); code != 130 || stderr.String() != "crm: Interrupted.\n" {
			t.Errorf("exit %d, %q", code, stderr)
		}
		if rest > 5<<20 {
			t.Errorf("%d bytes were still written", rest)
		}
	})
	t.Run("head", func(t *testing.T) {
		t.Parallel()
		cmd, _, stdout, stderr := start(t)
		stdout.Close()
		err := cmd.Wait()
		if code := exitCode(err); code != 0 || stderr.Len() > 0 {
			t.Errorf("exit %d (%v), %q", code, err, stderr)
		}
	})
}

// TestFullDisk: a result that cannot be written is an error of one line.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.login("administrator1")
	for _, args := range [][]string{
		{"contract", "list"}, {"contract", "list", "-o", "json"}, {"contract", "list", "-o", "jsonl"}, {"contract", "list", "-o", "csv"},
		{"contract", "list", "-o", "markdown"}, {"contract", "list", "--count"}, {"employee", "detail", "support1"},
		{"employee", "detail", "support1", "-o", "json"}, {"auth", "permissions"}, {"version"}, {"contract", "list", "--help"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			t.Parallel()
			full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
			if err != nil {
				full = closedForWriting(t) // not a Linux
			}
			defer full.Close()
			cmd := e.command(args...)
			var stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = full, &stderr
			if code := exitCode(cmd.Run()); code != 1 || strings.Count(stderr.String(), "\n") != 1 || !strings.Contains(stderr.String(), "could not be written") {
				t.Errorf("exit %d, %q", code, &stderr)
			}
		})
	}
}

// closedForWriting is a file whose writes fail on every system.
func closedForWriting(t *testing.T) *os.File {
	t.Helper()
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	return file
}
