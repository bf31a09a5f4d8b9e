//go:build unix

package cli

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/internal/dbtest"
)

// serve starts a server, and returns it and the surroundings of those who reach it.
func (e *env) serve() (server *exec.Cmd, log *strings.Builder, far *env) {
	e.t.Helper()
	socket := filepath.Join(shortFolder(e.t), "crm.sock")
	server, log = e.command("serve", "--serve.socket", socket), &strings.Builder{}
	server.Stderr = log
	if err := server.Start(); err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { _ = server.Process.Kill() })
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			conn.Close()
			break
		}
		if time.Now().After(deadline) {
			e.t.Fatal(err)
		}
	}
	return server, log, e.laptop("unix://" + socket)
}

// running is a command under way.
type running struct {
	cmd            *exec.Cmd
	stdout, stderr strings.Builder
	ended          chan int
}

func (e *env) start(args ...string) *running {
	e.t.Helper()
	r := &running{cmd: e.command(args...), ended: make(chan int, 1)}
	r.cmd.Stdout, r.cmd.Stderr = &r.stdout, &r.stderr
	if err := r.cmd.Start(); err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { _ = r.cmd.Process.Kill() })
	go func() { r.ended <- exitCode(r.cmd.Wait()) }()
	return r
}

// locked has whoever writes to a row of the customers wait for it.
func (e *env) locked(customer int) pgx.Tx {
	e.t.Helper()
	tx, err := dbtest.Connect(e.t, e.config).Begin(e.t.Context())
	if err == nil {
		_, err = tx.Exec(e.t.Context(), "SELECT FROM customer WHERE id = $1 FOR UPDATE", customer)
	}
	if err != nil {
		e.t.Fatal(err)
	}
	return tx
}

// awaitWaiting waits until so many statements wait for a lock.
func (e *env) awaitWaiting(n int64) {
	e.t.Helper()
	const waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
	for deadline := time.Now().Add(patience); e.number(waiting) < n; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			e.t.Fatalf("no %d statements wait", n)
		}
	}
}

// TestServerStops: a server that is told to end takes nothing new. What is under way ends by itself if it can within ten
// seconds; what cannot is cut, and said not to be done; rows that somebody still reads come whole, and then it ends well.
func TestServerStops(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.sql(fmt.Sprintf(manyContracts, "5, 100, NULL::timestamptz", 50_000))
	// A database that waits no longer than the server would let nothing be cut.
	e.vars = append(e.vars, "CRM_DATABASE_TIMEOUT=1m")
	server, log, far := e.serve()
	far.login("commercial1")

	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	export := far.command("contract", "list", "-o", "csv", "--no-header", "--fields", "id")
	export.Stdout = writer
	if err := export.Start(); err != nil {
		t.Fatal(err)
	}
	writer.Close()
	t.Cleanup(func() { _ = export.Process.Kill() })
	exported := bufio.NewReader(reader)
	if _, err := exported.ReadString('\n'); err != nil { // it has begun, and stands still from here
		t.Fatal(err)
	}
	short, long := e.locked(1), e.locked(2)
	kept := far.start("customer", "update", "1", "--company", "Kept")
	cut := far.start("customer", "update", "2", "--company", "Cut")
	e.awaitWaiting(2)
	silent, err := net.Dial("unix", strings.TrimPrefix(far.vars[len(far.vars)-1], "CRM_SERVER_URL=unix://"))
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close() // it says nothing, and keeps nobody

	if err := server.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		code, _, stderr := far.crm("", "auth", "whoami")
		if code == 7 && strings.Contains(stderr, "The server cannot be reached") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("something new is taken: exit %d, %s", code, stderr)
		}
	}
	if err := short.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if code := <-kept.ended; code != 0 || !strings.Contains(kept.stdout.String(), "Kept") {
		t.Errorf("what could end: exit %d, %s", code, &kept.stderr)
	}
	if code := <-cut.ended; code != 7 || !strings.Contains(cut.stderr.String(), "The server is shutting down.") {
		t.Errorf("what could not end: exit %d, %s", code, &cut.stderr)
	}
	if err := long.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := e.number("SELECT count(*) FROM customer WHERE company = 'Kept' AND id = 1 OR company = 'Cut'"); n != 1 {
		t.Errorf("%d changes were made", n)
	}
	rest, err := io.ReadAll(exported)
	if err != nil {
		t.Fatal(err)
	}
	if err := export.Wait(); err != nil {
		t.Errorf("the export: %v", err)
	}
	if got, want := int64(strings.Count(string(rest), "\n")+1), e.number("SELECT count(*) FROM contract"); got != want {
		t.Errorf("the export has %d rows of %d", got, want)
	}
	if code := exitCode(server.Wait()); code != 0 {
		t.Errorf("the server: exit %d, %s", code, log)
	}
	if n := e.number("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'crm%'"); n > 0 {
		t.Errorf("it leaves %d sessions", n)
	}
	for _, want := range []string{`"operation":"CustomerUpdate"`, `"code":"unavailable"`, fmt.Sprintf(`"operation":"ContractList","peer":"%s`, "uid "), `"rows":`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s: %s", want, log)
		}
	}
}
