//go:build linux || darwin

package localdb

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sys/unix"
)

func TestKilledAtAnyInstant(t *testing.T) {
	t.Parallel()
	c := cluster(t)
	// Longer each time, by a share of the time, so that a slow machine needs no more rounds than a fast one.
	for life := 20 * time.Millisecond; ; life += life / 3 {
		cmd := command(c.home)
		var output strings.Builder
		cmd.Stdout, cmd.Stderr = &output, &output
		cmd.WaitDelay = time.Second // initdb outlives the command and has its output
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		killer := time.AfterFunc(life, func() { _ = cmd.Process.Kill() })
		err := cmd.Wait()
		killer.Stop()
		if err == nil {
			break
		}
		if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() {
			t.Fatalf("the command failed by itself: %v\n%s", err, output.String())
		}
	}
	checkFilled(t, c)
}

func TestKilledWhileInitialising(t *testing.T) {
	t.Parallel()
	c := cluster(t)
	cmd := command(c.home)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "initdb writes", func() bool { return exists(filepath.Join(c.dir, "data.new", "global")) })
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if exists(c.dataDir()) {
		t.Fatal("the cluster has its name before it is complete")
	}
	start(t, c)
	checkFilled(t, c)
}

func TestKilledWhileLoading(t *testing.T) {
	t.Parallel()
	for _, alsoServer := range []bool{false, true} {
		c := cluster(t)
		cmd := command(c.home, "LOCALDB_TEST_CREATE=endless")
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := stdout.Read(make([]byte, 8)); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if alsoServer {
			_ = unix.Kill(pid(t, c), syscall.SIGKILL)
		}
		start(t, c)
		checkFilled(t, c)
	}
}

func TestKilledServer(t *testing.T) {
	t.Parallel()
	c := cluster(t)
	start(t, c)
	for _, busy := range []string{"SELECT pg_sleep(2)", "SELECT count(*) FROM generate_series(1, 10000000)"} {
		conn, err := pgx.Connect(t.Context(), c.URL(Database))
		if err != nil {
			t.Fatal(err)
		}
		backend := int(conn.PgConn().PID())
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = conn.Exec(t.Context(), busy)
			_ = conn.Close(t.Context())
		}()
		server := pid(t, c)
		eventually(t, "the statement runs", func() bool {
			return query(t, c, "SELECT coalesce((SELECT state FROM pg_stat_activity WHERE pid = "+
				itoa(backend)+"), '')") == "active"
		})
		// A stopped backend cannot notice that its server is gone, and keeps the shared memory.
		_ = unix.Kill(backend, syscall.SIGSTOP)
		_ = unix.Kill(server, syscall.SIGKILL)
		eventually(t, "the server is gone", func() bool { return !readPostmaster(c.dataDir()).exists() })
		if !readPostmaster(c.dataDir()).orphaned() {
			t.Error("the orphan does not count")
		}
		time.AfterFunc(300*time.Millisecond, func() { _ = unix.Kill(backend, syscall.SIGCONT) })
		start(t, c)
		<-done
		checkFilled(t, c)
		if now := pid(t, c); now == server || now == 0 {
			t.Errorf("server %d after %d", now, server)
		}
	}
}

func TestStalePIDFile(t *testing.T) {
	t.Parallel()
	c := stopped(t)
	innocent, err := c.command(t.Context(), "/bin/sleep", "600")
	if err != nil {
		t.Fatal(err)
	}
	if err := innocent.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- innocent.Wait() }()
	defer func() { _ = innocent.Process.Kill() }()

	for name, number := range map[string]int{"process that is gone": 1 << 22, "living stranger": innocent.Process.Pid} {
		content := itoa(number) + "\n" + c.dataDir() + "\n1700000000\n5432\n" + c.socket + "\n\n  7654321    424242\nready   \n"
		for _, path := range []string{
			filepath.Join(c.dataDir(), "postmaster.pid"),
			filepath.Join(c.socket, ".s.PGSQL.5432.lock"),
			filepath.Join(c.socket, ".s.PGSQL.5432"),
		} {
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := c.give(path); err != nil {
				t.Fatal(err)
			}
		}
		if got := pid(t, c); got != 0 {
			t.Errorf("%s: taken for the server", name)
		}
		if err := c.Stop(t.Context()); err != nil {
			t.Errorf("%s: stop: %v", name, err)
		}
		if err := c.Start(t.Context(), nil, fill); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		checkFilled(t, c)
		if err := c.Stop(t.Context()); err != nil {
			t.Errorf("%s: stop: %v", name, err)
		}
	}
	select {
	case <-ended:
		t.Error("the stranger was killed")
	default:
	}
}
