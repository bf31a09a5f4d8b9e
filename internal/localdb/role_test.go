//go:build linux || darwin

package localdb

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// oldObjects is one object of each kind that crm makes, or somebody may have made beside.
const oldObjects = `
CREATE EXTENSION pg_trgm;
CREATE SCHEMA beside;
CREATE TYPE role AS ENUM ('none', 'support');
CREATE DOMAIN beside.line AS text CHECK (VALUE <> '');
CREATE COLLATION folded (provider = icu, locale = 'und');
CREATE FUNCTION fold(text) RETURNS text LANGUAGE sql IMMUTABLE RETURN lower($1);
CREATE PROCEDURE nothing() LANGUAGE sql AS 'SELECT';
CREATE TABLE filled (at timestamptz, id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, old serial, name text, role role);
CREATE INDEX ON filled USING gin (name gin_trgm_ops);
CREATE VIEW "odd ""name" AS SELECT id FROM filled;
CREATE SEQUENCE alone;
INSERT INTO filled (at, name, role) VALUES (now(), 'Zoé', 'support');`

// old returns a cluster as crm once made them, whose only role is crm's, and which does not run.
func old(t *testing.T) *Cluster {
	t.Helper()
	c := cluster(t)
	inst, err := c.installation(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.makeDirs(); err != nil {
		t.Fatal(err)
	}
	lock, err := c.lock(t.Context(), func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := errors.Join(os.Mkdir(c.dataDir(), 0o700), c.give(c.dataDir())); err != nil {
		t.Fatal(err)
	}
	initdb, err := c.command(t.Context(), filepath.Join(inst.bin, "initdb"), "--pgdata="+c.dataDir(), "--username="+owner,
		"--auth-local=trust", "--auth-host=reject", "--encoding=UTF8", "--locale=C", "--no-instructions", "--no-sync")
	if err != nil {
		t.Fatal(err)
	}
	if output, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	launched(t, c)
	run(t, c.URL(adminDatabase), "CREATE DATABASE "+Database)
	run(t, c.URL(Database), oldObjects)
	lock.Close()
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

// launched starts the server of a cluster as it is, without what Start does besides.
func launched(t *testing.T, c *Cluster) {
	t.Helper()
	inst, err := c.installation(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server, err := c.launch(t.Context(), inst, 0)
	if err != nil {
		t.Fatal(err)
	}
	server.close()
	eventually(t, "the server runs", func() bool { return ping(t.Context(), c.URL(adminDatabase)) == nil })
}

func run(t *testing.T, url, sql string) {
	t.Helper()
	err := withConn(t.Context(), url, func(conn *pgx.Conn) error {
		_, err := conn.Exec(t.Context(), sql)
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// checkChangedOver fails unless crm's role may do with the database what it likes, and nothing else.
func checkChangedOver(t *testing.T, c *Cluster) {
	t.Helper()
	checkFilled(t, c)
	for sql, want := range map[string]string{
		"SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE rolname !~ '^pg_'":                               "crm crm_server",
		"SELECT (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication)::text FROM pg_roles WHERE rolname = current_user": "false",
		"SELECT pg_get_userbyid(datdba)::text FROM pg_database WHERE datname = current_database()":                             "crm",
		"SELECT fold(name) FROM filled": "zoé",
	} {
		if got := query(t, c, sql); got != want {
			t.Errorf("%s = %q, want %q", sql, got, want)
		}
	}
	// All of it can be altered and dropped, and what the extension offers can be used; it is one transaction.
	run(t, c.URL(Database), `BEGIN;
		ALTER TABLE filled ADD COLUMN note text;
		CREATE INDEX ON filled USING gin (note gin_trgm_ops);
		DROP VIEW "odd ""name";
		DROP TABLE filled;
		DROP PROCEDURE nothing();
		DROP FUNCTION fold(text);
		DROP COLLATION folded;
		DROP SEQUENCE alone;
		DROP TYPE role;
		DROP SCHEMA beside CASCADE;
		CREATE SCHEMA beside;
		CREATE EXTENSION IF NOT EXISTS pg_trgm;
		ROLLBACK`)
	err := withConn(t.Context(), c.URL(Database), func(conn *pgx.Conn) error {
		_, err := conn.Exec(t.Context(), "COPY filled TO PROGRAM 'cat >/dev/null'")
		return err
	})
	if answer, ok := errors.AsType[*pgconn.PgError](err); !ok || answer.Code != "42501" {
		t.Errorf("crm's role runs programs: %v", err)
	}
}

func never(context.Context, string) error { return errors.New("create was called again") }

func TestOldClusterIsChangedOver(t *testing.T) {
	t.Parallel()
	c := old(t)
	for range 2 {
		if err := c.Start(t.Context(), nil, never); err != nil {
			t.Fatal(err)
		}
		checkChangedOver(t, c)
		if err := c.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestOldClusterIsChangedOverAtOnce has commands that start, and one that works with the database as soon as it can.
func TestOldClusterIsChangedOverAtOnce(t *testing.T) {
	t.Parallel()
	c := old(t)
	const commands = 4
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
	eventually(t, "somebody gets in", func() bool { return ping(t.Context(), c.URL(Database)) == nil })
	busy := withConn(t.Context(), c.URL(Database), func(conn *pgx.Conn) error {
		_, err := conn.Exec(t.Context(), `BEGIN; SELECT FROM "odd ""name"; INSERT INTO filled DEFAULT VALUES; SELECT pg_sleep(0.3); DELETE FROM filled WHERE at IS NULL; COMMIT`)
		return err
	})
	if busy != nil {
		t.Error(busy)
	}
	for range commands {
		if err := <-failures; err != nil {
			t.Error(err)
		}
	}
	checkChangedOver(t, c)
}

// TestChangeOverGivesWay has a command lock what the change locks in another order, and slowly: PostgreSQL refuses nothing
// of the command.
func TestChangeOverGivesWay(t *testing.T) {
	t.Parallel()
	for first, second := range map[string]string{"one": "other", "other": "one"} {
		t.Run(first, func(t *testing.T) {
			t.Parallel()
			c := old(t)
			launched(t, c)
			run(t, c.URL(Database), "CREATE TABLE one (); CREATE TABLE other ()")
			conn, err := pgx.Connect(t.Context(), c.URL(Database))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close(context.Background())
			do := func(sql string) {
				t.Helper()
				if _, err := conn.Exec(t.Context(), sql); err != nil {
					t.Fatal(err)
				}
			}
			do("BEGIN; INSERT INTO " + first + " DEFAULT VALUES")
			changed := make(chan error, 1)
			go func() { changed <- c.changeOver(t.Context()) }()
			eventually(t, "the change waits for the command", func() bool {
				return query(t, c, "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)::text") == "true"
			})
			do("SELECT pg_sleep(1.2)") // longer than deadlock_timeout: a change that waits has looked, and will not look again
			do("INSERT INTO " + second + " DEFAULT VALUES")
			select {
			case err := <-changed:
				t.Fatalf("the change did not wait: %v", err)
			default:
			}
			do("COMMIT")
			if err := <-changed; err != nil {
				t.Fatal(err)
			}
			checkChangedOver(t, c)
		})
	}
}

func TestOldClusterIsChangedOverAfterKills(t *testing.T) {
	t.Parallel()
	c := old(t)
	for life := 20 * time.Millisecond; ; life += life / 4 {
		cmd := command(c.home)
		var output strings.Builder
		cmd.Stdout, cmd.Stderr = &output, &output
		cmd.WaitDelay = time.Second
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
		if life > 300*time.Millisecond { // then also what a running server would hide
			_ = c.Stop(t.Context())
		}
	}
	// The server of a killed start answers by itself: the change is made by the next that has to start it.
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.Start(t.Context(), nil, never); err != nil {
		t.Fatal(err)
	}
	checkChangedOver(t, c)
}

// TestOldClusterIsChangedOverFromBetween goes on from each state that a killed start can leave.
func TestOldClusterIsChangedOverFromBetween(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]string{
		"the helper is made":   "CREATE ROLE " + helper + " SUPERUSER LOGIN",
		"the swap is complete": "CREATE ROLE " + helper + " SUPERUSER LOGIN",
	} {
		c := old(t)
		launched(t, c)
		run(t, c.URL(adminDatabase), leave)
		if name == "the swap is complete" {
			run(t, c.url(helper, Database), swap)
		}
		if err := c.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := c.Start(t.Context(), nil, never); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		checkChangedOver(t, c)
	}
}
