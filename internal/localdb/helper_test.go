//go:build linux || darwin

package localdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/testprogram"
)

var fastSettings = []string{"fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=1MB", "max_connections=30"}

// TestMain lets the test binary play a crm command: other processes are what this package is about.
func TestMain(m *testing.M) {
	if home := os.Getenv("LOCALDB_TEST_HOME"); home != "" {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		c := New(home, os.Getenv)
		c.Settings = fastSettings
		create := fill
		if os.Getenv("LOCALDB_TEST_CREATE") == "endless" {
			create = fillEndlessly
		}
		if err := c.Start(ctx, nil, create); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestAsOrdinaryUser runs the whole suite once more under an account without privileges.
func TestAsOrdinaryUser(t *testing.T) {
	t.Parallel()
	if !isRoot() {
		return // this is that run
	}
	owner, err := unprivileged()
	if err != nil {
		t.Fatal(err)
	}
	folder := tempDir(t)
	content, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(folder, "localdb.test")
	testprogram.Write(t, binary, content)
	temp := filepath.Join(folder, "temp")
	if err := errors.Join(os.Mkdir(temp, 0o700), os.Lchown(temp, owner.uid, owner.gid)); err != nil {
		t.Fatal(err)
	}
	// What does not depend on the account is left to the run as root.
	args := []string{"-test.timeout=5m", "-test.parallel=2", "-test.run=FirstUse|ManyFirst|KilledServer|StalePID|Outlives|UnusableHome|SocketFolder|NothingOfTheCaller|ChangedOver"}
	if testing.Verbose() {
		args = append(args, "-test.v")
	}
	cmd := exec.Command(binary, args...)
	cmd.Dir = "/"
	cmd.Env = []string{"HOME=/", "TMPDIR=" + temp, "PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(owner.uid), Gid: uint32(owner.gid)}}
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("as an ordinary user: %v\n%s", err, output)
	}
	t.Logf("%s", output)
}

// tempDir is t.TempDir with a short name that every account can reach.
func tempDir(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("/tmp", "crmtest")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	return folder
}

// cluster returns a cluster in a new home, and stops it in the end.
func cluster(t *testing.T) *Cluster {
	t.Helper()
	return clusterIn(t, filepath.Join(tempDir(t), "home"))
}

func clusterIn(t *testing.T, home string) *Cluster {
	t.Helper()
	c := New(home, os.Getenv)
	c.Settings = fastSettings
	t.Cleanup(func() {
		if err := New(home, os.Getenv).Stop(context.Background()); err != nil {
			t.Error(err)
		}
		if strings.HasPrefix(c.Dir(), systemDir) {
			os.RemoveAll(c.Dir())
		}
		if short := c.socketDir(); strings.HasPrefix(short, "/tmp/crm-") {
			os.RemoveAll(short)
		}
	})
	return c
}

func start(t *testing.T, c *Cluster) {
	t.Helper()
	if err := c.Start(t.Context(), nil, fill); err != nil {
		t.Fatal(err)
	}
}

// stopped returns a complete cluster that does not run.
func stopped(t *testing.T) *Cluster {
	t.Helper()
	c := cluster(t)
	start(t, c)
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

// fill makes a table that can be made only once.
func fill(ctx context.Context, url string) error {
	return withConn(ctx, url, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "CREATE TABLE filled (at timestamptz); INSERT INTO filled VALUES (now())")
		return err
	})
}

// fillEndlessly is in the middle of a load until it is killed.
func fillEndlessly(ctx context.Context, url string) error {
	return withConn(ctx, url, func(conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, "CREATE TABLE filled (at timestamptz)"); err != nil {
			return err
		}
		if os.Getenv("LOCALDB_TEST_HOME") != "" {
			fmt.Println("loading")
		}
		_, err := conn.Exec(ctx, "INSERT INTO filled SELECT now() FROM generate_series(1, 2000000000)")
		return err
	})
}

func withConn(ctx context.Context, url string, f func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	return f(conn)
}

// query returns one text from the database of c.
func query(t *testing.T, c *Cluster, sql string) string {
	t.Helper()
	var text string
	err := withConn(t.Context(), c.URL(Database), func(conn *pgx.Conn) error {
		return conn.QueryRow(t.Context(), sql).Scan(&text)
	})
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return text
}

// checkFilled fails unless create completed exactly once.
func checkFilled(t *testing.T, c *Cluster) {
	t.Helper()
	if got := query(t, c, "SELECT count(*)::text FROM filled"); got != "1" {
		t.Errorf("rows made by create: %s, want 1", got)
	}
	if got := query(t, c, "SELECT count(*)::text FROM pg_database WHERE datname = 'crm_new'"); got != "0" {
		t.Error("the scratch database is left")
	}
}

func pid(t *testing.T, c *Cluster) int {
	t.Helper()
	status, err := c.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return status.PID
}

// command returns another process that calls Start for home.
func command(home string, env ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), append(env, "LOCALDB_TEST_HOME="+home)...)
	return cmd
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// wantError checks that err is an Error of one line that says all of the words, in its message or its hint.
func wantError(t *testing.T, err error, words ...string) {
	t.Helper()
	var mendable *failure.Error
	if !errors.As(err, &mendable) || mendable.Code != failure.Unavailable {
		t.Fatalf("got %v, want an Error", err)
	}
	text := mendable.Message + "\n" + mendable.Hint
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("%q does not mention %q", text, word)
		}
	}
	if strings.Count(text, "\n") != 1 || mendable.Message == "" || mendable.Hint == "" {
		t.Errorf("message and hint are not one line each: %q", text)
	}
}
