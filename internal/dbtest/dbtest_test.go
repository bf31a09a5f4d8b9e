//go:build unix

package dbtest_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/internal/dbtest"
)

const (
	variable     = "CRM_TEST_POSTGRES"
	childMarker  = "DBTEST_CHILD"
	unreachable  = "postgres://crm@127.0.0.1:1/postgres"
	ownDatabases = "SELECT count(*) FROM pg_database WHERE regexp_replace(datname, '_[0-9]+$', '') = ANY ($1)"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Run(m)) }

func TestDatabasesAreIndependent(t *testing.T) {
	t.Parallel()
	one, other := dbtest.Sample(t), dbtest.Sample(t)
	if one.Database == other.Database {
		t.Fatalf("both are %s", one.Database)
	}
	execute(t, dbtest.Connect(t, one), "DELETE FROM event")
	if got := count(t, dbtest.Connect(t, other), "SELECT count(*) FROM event"); got != 11 {
		t.Errorf("%d events are left in the other database", got)
	}
	if got := count(t, dbtest.Connect(t, dbtest.Sample(t)), "SELECT count(*) FROM event"); got != 11 {
		t.Errorf("%d events are left in the template", got)
	}
}

func TestKinds(t *testing.T) {
	t.Parallel()
	const tables = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
	if got := count(t, dbtest.Connect(t, dbtest.Blank(t)), tables); got != 0 {
		t.Errorf("a blank database has %d tables", got)
	}
	if got := count(t, dbtest.Connect(t, dbtest.Empty(t)), "SELECT count(*) FROM employee"); got != 0 {
		t.Errorf("an empty database has %d employees", got)
	}
	if got := count(t, dbtest.Connect(t, dbtest.Sample(t)), "SELECT count(*) FROM employee"); got != 10 {
		t.Errorf("a sample database has %d employees", got)
	}
}

func TestURL(t *testing.T) {
	t.Parallel()
	config := dbtest.Empty(t)
	parsed, err := pgx.ParseConfig(dbtest.URL(config))
	if err != nil {
		t.Fatal(err)
	}
	if parsed.Database != config.Database || parsed.Host != config.Host {
		t.Errorf("%s leads to %s on %s", dbtest.URL(config), parsed.Database, parsed.Host)
	}
}

func TestDatabaseGoesWithItsTest(t *testing.T) {
	t.Parallel()
	var name string
	t.Run("test", func(t *testing.T) {
		config := dbtest.Empty(t)
		name = config.Database
		left, err := pgx.ConnectConfig(t.Context(), config) // not closed: it must not keep the database
		if err != nil {
			t.Fatal(err)
		}
		execute(t, left, "SELECT")
	})
	conn := dbtest.Connect(t, dbtest.Blank(t))
	if got := count(t, conn, "SELECT count(*) FROM pg_database WHERE datname = $1", name); got != 0 {
		t.Error("the database is left")
	}
}

// TestChild is what a second test process runs: it tells which database it has, and waits to be told to go on.
func TestChild(t *testing.T) {
	if os.Getenv(childMarker) == "" {
		return
	}
	config := dbtest.Sample(t)
	conn := dbtest.Connect(t, config)
	pid := 0
	if strings.HasPrefix(config.Host, "/") {
		if err := conn.QueryRow(t.Context(), "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::integer").Scan(&pid); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Println("ready", config.Database, config.Host, config.Port, pid)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// child is a second test process.
type child struct {
	*exec.Cmd
	stdin    io.Closer
	database string
	host     string // the folder of its server's socket, or the host of its container
	port     int
	pid      int // of its server
}

// start waits until the child has a database of the chosen server.
func start(t *testing.T, choice string) *child {
	t.Helper()
	return startCommand(t, command(choice))
}

func startCommand(t *testing.T, cmd *exec.Cmd) *child {
	t.Helper()
	c := &child{Cmd: cmd}
	stdin, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.stdin = stdin
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill() })
	var said strings.Builder
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if _, err := fmt.Sscanf(lines.Text(), "ready %s %s %d %d", &c.database, &c.host, &c.port, &c.pid); err == nil {
			go func() { _, _ = io.Copy(io.Discard, stdout) }()
			return c
		}
		said.WriteString(lines.Text() + "\n")
	}
	t.Fatalf("the child has no database:\n%s", said.String())
	return nil
}

func command(choice string) *exec.Cmd {
	return marked(exec.Command(os.Args[0], "-test.run=^TestChild$", "-test.timeout=5m"), choice)
}

// marked has a command run test programs as children.
func marked(cmd *exec.Cmd, choice string) *exec.Cmd {
	cmd.Env = append(os.Environ(), childMarker+"=1", variable+"="+choice)
	return cmd
}

// finish lets the child come to its end.
func (c *child) finish(t *testing.T) {
	t.Helper()
	_ = c.stdin.Close()
	if err := c.Wait(); err != nil {
		t.Errorf("the child failed: %v", err)
	}
}

// kill ends the child as a crash does.
func (c *child) kill(t *testing.T) {
	t.Helper()
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
}

func (c *child) home() string { return strings.TrimSuffix(c.host, "/postgres/socket") }

func TestServerEndsWithItsProcess(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*child, *testing.T){"finished": (*child).finish, "killed": (*child).kill} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := start(t, "local")
			if !isServer(c.pid) || !strings.HasSuffix(c.host, "/postgres/socket") {
				t.Fatalf("no server %d in %s", c.pid, c.host)
			}
			end(c, t)
			if name == "killed" {
				eventually(t, "the home is removed", func() bool { return !exists(c.home()) })
			}
			if exists(c.home()) {
				t.Errorf("%s is left", c.home())
			}
			eventually(t, "the server ends", func() bool { return !isServer(c.pid) })
		})
	}
}

// TestKilledWhileStarting ends a process before its server is ready, at different moments.
func TestKilledWhileStarting(t *testing.T) {
	t.Parallel()
	for _, after := range []string{"postgres", "postgres/data.new/base", "postgres/data", "postgres/data/postmaster.pid"} {
		t.Run(strings.ReplaceAll(after, "/", " "), func(t *testing.T) {
			cmd := command("local")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			home := ""
			eventually(t, after, func() bool {
				if home == "" {
					home = homeOf(cmd.Process.Pid)
				}
				return home != "" && exists(home+"/"+after)
			})
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			eventually(t, "the home is removed", func() bool { return !exists(home) })
			eventually(t, "the processes end", func() bool { return len(processesIn(home)) == 0 })
		})
	}
}

func TestForcedServerMustBeReachable(t *testing.T) {
	t.Parallel()
	for _, address := range []string{unreachable, "host=/nowhere", "nonsense", "postgres://%zz"} {
		mustFail(t, command(address), variable+"="+address+" cannot be used")
	}
}

func TestForcedProgramsMustBeThere(t *testing.T) {
	t.Parallel()
	cmd := command("local")
	cmd.Env = append(cmd.Env, "CRM_POSTGRES_BIN=/nowhere")
	mustFail(t, cmd, variable+"=local cannot be used: CRM_POSTGRES_BIN=/nowhere does not hold")
	cmd = command("")
	cmd.Env = append(cmd.Env, "CRM_POSTGRES_BIN=/nowhere")
	mustFail(t, cmd, "CRM_POSTGRES_BIN=/nowhere does not hold")
}

func TestForcedContainerNeedsItsEngine(t *testing.T) {
	t.Parallel()
	cmd := command("container")
	cmd.Env = append(cmd.Env, "DOCKER_HOST=tcp://127.0.0.1:1")
	mustFail(t, cmd, variable+"=container cannot be used: no Docker engine answers")
}

func mustFail(t *testing.T, cmd *exec.Cmd, reason string) {
	t.Helper()
	output, err := cmd.CombinedOutput()
	if err == nil {
		t.Errorf("%v: the tests passed", cmd)
	}
	if !strings.Contains(string(output), reason) {
		t.Errorf("%v: it does not say %q: %s", cmd, reason, output)
	}
}

// TestSharedServer has several processes on one server, through different maintenance databases.
func TestSharedServer(t *testing.T) {
	t.Parallel()
	first, second := dbtest.Blank(t), dbtest.Blank(t)
	conn := dbtest.Connect(t, first)
	var children [3]*child
	var starting sync.WaitGroup
	for i := range children {
		address := dbtest.URL([]*pgx.ConnConfig{first, second}[i%2])
		starting.Go(func() { children[i] = start(t, address) })
	}
	starting.Wait()
	if t.Failed() {
		return
	}
	// Other packages may have databases there too.
	var runs []string
	for _, c := range children {
		if run := c.database[:strings.LastIndex(c.database, "_")]; !slices.Contains(runs, run) {
			runs = append(runs, run)
		}
	}
	if len(runs) != len(children) {
		t.Errorf("the children share names: %v", runs)
	}
	children[0].finish(t)
	if got := count(t, conn, ownDatabases, runs); got != 2 {
		t.Errorf("%d databases of children after one is finished, want 2", got)
	}
	children[1].kill(t)
	eventually(t, "the killed child is disconnected", func() bool {
		return count(t, conn, "SELECT count(*) FROM pg_stat_activity WHERE $1::text IN (datname, application_name || '_1', application_name || '_2')", children[1].database) == 0
	})
	execute(t, conn, "CREATE DATABASE crm_template_old_0123456789ab")
	execute(t, conn, "COMMENT ON DATABASE crm_template_old_0123456789ab IS '2001-01-01'")

	start(t, dbtest.URL(second)).finish(t) // sweeps

	if got := count(t, conn, "SELECT count(*) FROM pg_database WHERE datname = $1", children[1].database); got != 0 {
		t.Error("what the killed child left is not swept")
	}
	if got := count(t, conn, "SELECT count(*) FROM pg_database WHERE datname = 'crm_template_old_0123456789ab'"); got != 0 {
		t.Error("the old template is not swept")
	}
	if got := count(t, conn, "SELECT count(*) FROM pg_database WHERE datname = $1", children[2].database); got != 1 {
		t.Error("the database of a living child was swept")
	}
	children[2].finish(t)
	if got := count(t, conn, ownDatabases, runs); got != 0 {
		t.Errorf("%d databases are left", got)
	}
}

func BenchmarkClone(b *testing.B) {
	dbtest.Empty(b)
	for b.Loop() {
		dbtest.Empty(b)
	}
}

func execute(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func count(t *testing.T, conn *pgx.Conn, sql string, args ...any) (n int) {
	t.Helper()
	if err := conn.QueryRow(context.WithoutCancel(t.Context()), sql, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return n
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// isServer reports whether the process lives; one that only waits to be reaped does not.
func isServer(pid int) bool {
	if syscall.Kill(pid, 0) == syscall.ESRCH {
		return false
	}
	state, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && !strings.HasPrefix(strings.TrimSpace(string(state)), "Z")
}

// processesIn returns the command lines that name the folder.
func processesIn(folder string) (found []string) {
	listing, _ := exec.Command("ps", "-A", "-o", "args=").Output()
	for line := range strings.Lines(string(listing)) {
		if strings.Contains(line, folder) {
			found = append(found, line)
		}
	}
	return found
}

// homeOf reads the folder of a process's server off the shell that guards it, "" if it has none yet.
func homeOf(pid int) string {
	listing, _ := exec.Command("ps", "-A", "-ww", "-o", "ppid=,args=").Output()
	guard := regexp.MustCompile(fmt.Sprintf(`(?ms)^\s*%d sh -c .*?(/\S+/crm-test-\d+)`, pid))
	if match := guard.FindSubmatch(listing); match != nil {
		return string(match[1])
	}
	return ""
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !condition(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}
