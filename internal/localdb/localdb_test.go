//go:build linux || darwin

package localdb

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sys/unix"
)

func TestFirstUse(t *testing.T) {
	t.Parallel()
	c := cluster(t)
	if status, err := c.Status(t.Context()); err != nil || status.State != Absent {
		t.Fatalf("before: %+v, %v", status, err)
	}
	if err := c.Stop(t.Context()); err != nil {
		t.Fatalf("stop without a cluster: %v", err)
	}
	if exists(c.home) {
		t.Fatal("status or stop made something")
	}
	var notices []string
	if err := c.Start(t.Context(), func(s string) { notices = append(notices, s) }, fill); err != nil {
		t.Fatal(err)
	}
	if len(notices) != 1 || !strings.Contains(notices[0], c.Dir()) {
		t.Errorf("notices: %q", notices)
	}
	checkFilled(t, c)
	if status, err := c.Status(t.Context()); err != nil || status.State != Running || status.PID == 0 || status.Major < oldestMajor {
		t.Errorf("running: %+v, %v", status, err)
	}
	for sql, want := range map[string]string{
		"SHOW listen_addresses": "",
		"SHOW server_encoding":  "UTF8",
		"SELECT lower('É')":     "é",
		"SELECT current_user":   "crm",
		"SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE rolname !~ '^pg_'":                               "crm crm_server",
		"SELECT (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication)::text FROM pg_roles WHERE rolname = current_user": "false",
		"SELECT pg_get_userbyid(datdba)::text FROM pg_database WHERE datname = current_database()":                             "crm",
	} {
		if got := query(t, c, sql); got != want {
			t.Errorf("%s = %q, want %q", sql, got, want)
		}
	}
	checkModes(t, c)
	run(t, c.AdminURL(Database), `DO $$ BEGIN
		ASSERT NOT EXISTS (SELECT FROM pg_hba_file_rules WHERE type <> 'local' AND auth_method <> 'reject'); END $$`)

	if err := c.Start(t.Context(), nil, never); err != nil {
		t.Errorf("start while running: %v", err)
	}
	for range 2 {
		if err := c.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if status, err := c.Status(t.Context()); err != nil || status.State != Stopped || status.PID != 0 {
		t.Errorf("stopped: %+v, %v", status, err)
	}
	if err := c.Start(t.Context(), nil, never); err != nil {
		t.Errorf("start after stop: %v", err)
	}
	checkFilled(t, c)
}

// checkModes fails if anybody else could read a file; root's own folders let the server's account pass.
func checkModes(t *testing.T, c *Cluster) {
	t.Helper()
	err := filepath.WalkDir(c.home, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			if os.IsNotExist(err) {
				return nil // the server removes files
			}
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return nil
		}
		forbidden := fs.FileMode(0o077)
		if isRoot() && (path == c.home || path == c.dir) {
			forbidden = 0o066
		}
		if info.Mode().Perm()&forbidden != 0 {
			t.Errorf("%s is %v", path, info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestManyFirstCommandsAtOnce(t *testing.T) {
	t.Parallel()
	c := cluster(t)
	const commands = 8
	failures := make(chan error, commands)
	for range commands {
		go func() {
			output, err := command(c.home).CombinedOutput()
			if err != nil {
				err = errors.New(err.Error() + ": " + string(output))
			}
			failures <- err
		}()
	}
	for range commands {
		if err := <-failures; err != nil {
			t.Error(err)
		}
	}
	checkFilled(t, c)
}

func TestServerOutlivesTheCommand(t *testing.T) {
	t.Parallel()
	c := cluster(t)
	cmd := command(c.home)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	output, err := cmd.CombinedOutput() // returns only when nobody holds the pipe
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	_ = unix.Kill(-cmd.Process.Pid, syscall.SIGHUP)
	_ = unix.Kill(-cmd.Process.Pid, syscall.SIGINT)
	server := pid(t, c)
	if session, err := unix.Getsid(server); err != nil || session != server {
		t.Errorf("session of server %d: %d, %v", server, session, err)
	}
	lock, err := os.Open(filepath.Join(c.dir, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		t.Errorf("the server holds the lock: %v", err)
	}
	checkFilled(t, c)
}

// TestServerHoldsNothingOfTheCaller starts crm as flock -n x.lock crm does, whose lock is to end with crm.
func TestServerHoldsNothingOfTheCaller(t *testing.T) {
	t.Parallel()
	c := cluster(t)
	name := filepath.Join(tempDir(t), "x.lock")
	lock, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		t.Fatal(err)
	}
	reads, writes, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := command(c.home)
	cmd.ExtraFiles = []*os.File{5: lock, 6: writes} // with numbers between that are closed
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	lock.Close()
	writes.Close()
	if again, err := os.Open(name); err != nil {
		t.Error(err)
	} else if err := unix.Flock(int(again.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		t.Errorf("the server holds the caller's lock: %v", err)
	}
	if err := reads.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := reads.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the server holds the caller's pipe: %v", err)
	}
	checkFilled(t, c)
}

func TestLivingServerIsNotDisturbed(t *testing.T) {
	t.Parallel()
	c := cluster(t)
	start(t, c)
	server := pid(t, c)
	for _, name := range []string{".s.PGSQL.5432", ".s.PGSQL.5432.lock"} {
		if err := os.Remove(filepath.Join(c.socket, name)); err != nil {
			t.Fatal(err)
		}
	}
	wantError(t, c.Start(t.Context(), nil, fill), itoa(server), "crm db stop")
	if got := pid(t, c); got != server {
		t.Fatalf("server %d became %d", server, got)
	}
	// Even if we took it for dead, PostgreSQL would not.
	inst, err := c.installation(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	second, err := c.launch(t.Context(), inst, server)
	if err != nil {
		t.Fatal(err)
	}
	defer second.close()
	<-second.exited
	wantError(t, c.startFailure(second), "shared memory")
	if got := pid(t, c); got != server {
		t.Fatalf("server %d became %d", server, got)
	}
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	start(t, c)
	checkFilled(t, c)
}

func TestForeignDataIsUntouched(t *testing.T) {
	t.Parallel()
	write := func(name, content string) func(string) error {
		return func(data string) error { return os.WriteFile(filepath.Join(data, name), []byte(content), 0o600) }
	}
	empty := func(string) error { return nil }
	whole := stopped(t)
	for _, test := range []struct {
		name    string
		whole   bool // otherwise an empty folder
		change  func(data string) error
		message []string
	}{
		{"older major", true, write("PG_VERSION", "13\n"), []string{"PostgreSQL 13", "mv ", "install PostgreSQL 13"}},
		{"newer major", true, write("PG_VERSION", "99\n"), []string{"PostgreSQL 99", "mv "}},
		{"ancient", true, write("PG_VERSION", "9.6\n"), []string{"PostgreSQL 9,"}},
		{"garbled version", true, write("PG_VERSION", "many\n"), []string{"not a PostgreSQL cluster", "mv "}},
		{"no cluster", false, write("holiday.jpg", "sun"), []string{"not a PostgreSQL cluster", "mv "}},
		{"empty", false, empty, []string{"not a PostgreSQL cluster", "mv "}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := whole
			if !test.whole {
				c = cluster(t)
				if err := c.makeDirs(); err != nil {
					t.Fatal(err)
				}
				if err := os.Mkdir(c.dataDir(), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			if err := test.change(c.dataDir()); err != nil {
				t.Fatal(err)
			}
			before := snapshot(t, c.dataDir())
			wantError(t, c.Start(t.Context(), nil, fill), append(test.message, c.dataDir())...)
			if snapshot(t, c.dataDir()) != before {
				t.Error("the data has been touched")
			}
		})
	}
}

// snapshot is a digest of every name, mode, owner, time and byte below a folder.
func snapshot(t *testing.T, folder string) [sha256.Size]byte {
	t.Helper()
	all := sha256.New()
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		owner := info.Sys().(*syscall.Stat_t).Uid
		fmt.Fprintln(all, path, info.Mode(), info.ModTime(), info.Size(), owner)
		if !info.Mode().IsRegular() {
			return nil
		}
		content, err := os.ReadFile(path)
		all.Write(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return [sha256.Size]byte(all.Sum(nil))
}

func TestStartFailureSaysWhy(t *testing.T) {
	t.Parallel()
	c := stopped(t)
	conf := filepath.Join(c.dataDir(), "postgresql.conf")
	original, err := os.ReadFile(conf)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(conf, append(original, "shared_preload_libraries = 'no_such_library'\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	wantError(t, c.Start(t.Context(), nil, fill), "no_such_library", c.LogFile())
	if err := os.WriteFile(conf, original, 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, c)
	checkFilled(t, c)
}

func TestFailedCreateIsRepeated(t *testing.T) {
	t.Parallel()
	c := cluster(t)
	broken := errors.New("broken migration")
	err := c.Start(t.Context(), nil, func(ctx context.Context, url string) error {
		return errors.Join(fill(ctx, url), broken)
	})
	if !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}
	start(t, c)
	checkFilled(t, c)
	err = withConn(t.Context(), c.URL(Database), func(conn *pgx.Conn) error {
		return c.requireExtension(t.Context(), conn, "no_such_extension")
	})
	wantError(t, err, "no_such_extension", "install")
}

func TestCancel(t *testing.T) {
	t.Parallel()
	c := cluster(t)
	if err := c.makeDirs(); err != nil {
		t.Fatal(err)
	}
	lock, err := c.lock(t.Context(), func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = c.Start(ctx, func(notice string) {
		if strings.HasPrefix(notice, "Waiting") {
			cancel()
		}
	}, fill)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("while waiting for the lock: %v", err)
	}
	lock.Close()

	ctx, cancel = context.WithCancel(t.Context())
	go func() {
		eventually(t, "initdb writes", func() bool { return exists(filepath.Join(c.dir, "data.new", "global")) })
		cancel()
	}()
	if err := c.Start(ctx, nil, fill); !errors.Is(err, context.Canceled) {
		t.Errorf("while initialising: %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	err = c.Start(ctx, nil, func(ctx context.Context, url string) error {
		time.AfterFunc(50*time.Millisecond, cancel)
		return fillEndlessly(ctx, url)
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("while loading: %v", err)
	}
	start(t, c)
	checkFilled(t, c)
}

// TestLogHasNoParameters where somebody has statements logged: among their parameters are passwords and keys.
func TestLogHasNoParameters(t *testing.T) {
	t.Parallel()
	c := cluster(t)
	c.Settings = append(slices.Clone(fastSettings), "log_statement=all", "log_min_duration_statement=0")
	start(t, c)
	err := withConn(t.Context(), c.URL(Database), func(conn *pgx.Conn) error {
		var text string
		return conn.QueryRow(t.Context(), "SELECT 'logged' || $1::text", "hunter2").Scan(&text)
	})
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(c.LogFile())
	if err != nil || !strings.Contains(string(log), "SELECT 'logged'") || strings.Contains(string(log), "hunter2") {
		t.Errorf("%v: %s", err, log)
	}
}
