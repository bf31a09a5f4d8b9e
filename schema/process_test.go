//go:build unix

package schema_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/schema"
)

// process is a migration in a process of its own.
type process struct {
	*exec.Cmd
	stdout io.Reader
	stderr bytes.Buffer
}

func startMigrating(t *testing.T, config *pgx.ConnConfig) *process {
	t.Helper()
	p := &process{Cmd: exec.CommandContext(t.Context(), os.Args[0])}
	p.Env = append(os.Environ(), migrateVariable+"="+dbtest.URL(config))
	p.Stderr = &p.stderr
	stdout, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.stdout = stdout
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestProcessesMigrateAtTheSameTime(t *testing.T) {
	t.Parallel()
	config := dbtest.Blank(t)
	processes := make([]*process, 16)
	for i := range processes {
		processes[i] = startMigrating(t, config)
	}
	for _, p := range processes {
		if err := p.Wait(); err != nil {
			t.Errorf("%v: %s", err, &p.stderr)
		}
	}
	if diff := cmp.Diff(dump(t, dbtest.Empty(t)), dump(t, config)); diff != "" {
		t.Error(diff)
	}
}

// TestKilledMigration kills a migration at some instant, again and again until one is fast enough: each time the database
// is at one version, with all that belongs to it and nothing else.
func TestKilledMigration(t *testing.T) {
	t.Parallel()
	want, versions := dump(t, dbtest.Empty(t)), everyVersion(t)
	var killed, between int
	for range 6 {
		t.Run("", func(t *testing.T) {
			config := dbtest.Blank(t)
			conn := dbtest.Connect(t, config)
			for longest := 10 * time.Millisecond; ; longest += longest / 3 {
				p := startMigrating(t, config)
				if _, err := p.stdout.Read(make([]byte, 1)); err != nil {
					t.Fatal(err)
				}
				time.Sleep(rand.N(longest))
				_ = p.Process.Kill()
				if err := p.Wait(); err == nil {
					break
				}
				if p.ProcessState.Exited() {
					t.Fatal(&p.stderr)
				}
				waitAlone(t, conn)
				version := stoodAt(t, conn, versions)
				killed++
				if 0 < version && version < schema.Version() {
					between++
				}
			}
			if diff := cmp.Diff(want, dump(t, config)); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Logf("%d were killed, %d of them between the first and the last version", killed, between)
}

// TestMigrateThroughPgBouncer is refused, though all else works there, and changes nothing.
func TestMigrateThroughPgBouncer(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		config *pgx.ConnConfig
		act    func(context.Context, *pgx.ConnConfig) error
	}{
		"migrate": {dbtest.Blank(t), schema.Migrate},
		"empty":   {dbtest.Sample(t), schema.Empty},
	} {
		t.Run(name, func(t *testing.T) {
			before := dump(t, test.config)
			if err := test.act(t.Context(), dbtest.PgBouncer(t, test.config)); !errors.Is(err, schema.ErrPooled) {
				t.Errorf("got %v", err)
			}
			if diff := cmp.Diff(before, dump(t, test.config)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// waitAlone waits until the server has ended what it did for others in this database.
func waitAlone(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	for end := time.Now().Add(time.Minute); one[bool](t, conn, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid())"); {
		if time.Now().After(end) {
			t.Fatal("somebody else stays connected")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// stoodAt returns the version that the database says, having found out that it has what that version has.
func stoodAt(t *testing.T, conn *pgx.Conn, versions []string) (version int64) {
	t.Helper()
	if one[bool](t, conn, "SELECT to_regclass('schema_migrations') IS NOT NULL") {
		if one[bool](t, conn, "SELECT EXISTS (SELECT FROM schema_migrations WHERE dirty)") {
			t.Fatal("a dirty version")
		}
		version = one[int64](t, conn, "SELECT coalesce((SELECT version FROM schema_migrations WHERE NOT dirty), 0)")
	}
	if diff := cmp.Diff(versions[version], dumpOn(t, conn)); diff != "" && version > 0 {
		t.Fatalf("said to be at %d: %s", version, diff)
	}
	if version == 0 && strings.Contains(dumpOn(t, conn), "is_blank") {
		t.Fatal("no version, but something of the first")
	}
	return version
}

// everyVersion describes what each version has, from 0 on.
func everyVersion(t *testing.T) []string {
	t.Helper()
	config := dbtest.Blank(t)
	m := migrator(t, config)
	versions := []string{""}
	for range schema.Version() {
		if err := m.Steps(1); err != nil {
			t.Fatal(err)
		}
		versions = append(versions, dump(t, config))
	}
	return versions
}

// TestMigrationsLeaveTransactionsAlone: each is one, with the record of its version.
func TestMigrationsLeaveTransactionsAlone(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	control := regexp.MustCompile(`(?im)^\s*(BEGIN\s*;|(BEGIN|START)\s+(TRANSACTION|WORK)|COMMIT|ROLLBACK|SAVEPOINT|VACUUM)|\bCONCURRENTLY\b`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if found := control.Find(text); found != nil {
			t.Errorf("%s has %q", file, found)
		}
	}
}
