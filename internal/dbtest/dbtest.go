// Package dbtest provides each test with a PostgreSQL database of its own, migrated and, if wanted, filled with the
// sample data.
//
// $CRM_TEST_POSTGRES chooses the server: local is a private one from the PostgreSQL programs on this machine, started for
// the test process; container is one of $CRM_TEST_POSTGRES_IMAGE, shared by all processes of a go test; or it is the URL
// of one whose user may create databases and roles. Unset, it is local where there are programs, and else container.
// What was started is removed at the end, also when the process is killed. A choice that cannot be had fails the tests,
// which are never skipped.
//
// A database is cloned, in some 50 ms, from a template that is named by the hash of the schema. To use it, call Run from
// TestMain, then Empty, Sample or Blank from any test, in parallel. What the data model is stays in package schema; to
// offer one more kind of database add its filler to fillers and a function beside Sample.
package dbtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/schema"
)

const patience = time.Minute // longest time to make or drop a database

var fillers = map[string]func(context.Context, *pgx.ConnConfig) error{
	"blank":  func(context.Context, *pgx.ConnConfig) error { return nil },
	"empty":  schema.Migrate,
	"sample": migrateSample,
}

// Run runs the tests, a *testing.M or what stands around one, and removes the server after them; for TestMain.
func Run(m interface{ Run() int }) int {
	defer func() { stopServer() }()
	return m.Run()
}

// Blank returns a database without a schema.
func Blank(t testing.TB) *pgx.ConnConfig { return clone(t, "blank") }

// Empty returns a migrated database without rows.
func Empty(t testing.TB) *pgx.ConnConfig { return clone(t, "empty") }

// Sample returns a migrated database with the sample data.
func Sample(t testing.TB) *pgx.ConnConfig { return clone(t, "sample") }

// Granted returns the database as a role sees it that owns nothing, and that is granted what crm needs, as for a server.
// It goes with the test.
func Granted(t testing.TB, config *pgx.ConnConfig) *pgx.ConnConfig {
	t.Helper()
	granted := Stranger(t, config)
	if excess, err := schema.Grant(t.Context(), config, granted.User); err != nil || len(excess) > 0 {
		t.Fatalf("granting: %v; may do more: %v", err, excess)
	}
	return granted
}

// Stranger is Granted for a role without any rights of its own.
func Stranger(t testing.TB, config *pgx.ConnConfig) *pgx.ConnConfig {
	t.Helper()
	stranger := config.Copy()
	stranger.User, stranger.Password = newName(), rand.Text() // a server may ask for it
	run := func(statements string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := execute(ctx, databaseURL(config.Database), statements); err != nil {
			t.Fatal(err)
		}
	}
	run("CREATE ROLE " + stranger.User + " LOGIN PASSWORD '" + stranger.Password + "'")
	t.Cleanup(func() { run("DROP OWNED BY " + stranger.User + "; DROP ROLE " + stranger.User) })
	return stranger
}

// mostConnections is how many Connect keeps open for one test, of the 200 that the server has for all tests that run at once.
const mostConnections = 64

var connections sync.Map // from the name of a test to its *atomic.Int64

// Connect opens a connection that is closed with the test. What needs one for a moment, again and again, closes its own.
func Connect(t testing.TB, config *pgx.ConnConfig) *pgx.Conn {
	t.Helper()
	held, _ := connections.LoadOrStore(t.Name(), new(atomic.Int64))
	if held.(*atomic.Int64).Add(1) > mostConnections {
		t.Fatalf("the test has %d connections open, and all others may need one too", mostConnections)
	}
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close(context.Background())
		held.(*atomic.Int64).Add(-1)
	})
	return conn
}

// URL spells a database for --database.url.
func URL(config *pgx.ConnConfig) string { return databaseURL(config.Database) }

var databases atomic.Int64

// newName returns a database name that no other process has, here or on another machine.
func newName() string { return fmt.Sprintf("%s_%d", run, databases.Add(1)) }

func clone(t testing.TB, kind string) *pgx.ConnConfig {
	t.Helper()
	if err := startOnce(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	template, err := template(ctx, kind)
	if err != nil {
		t.Fatalf("making the template database: %v", err)
	}
	name := newName()
	if err := admin(ctx, "CREATE DATABASE "+name+" TEMPLATE "+template); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := admin(ctx, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	config, err := pgx.ParseConfig(databaseURL(name))
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func migrateSample(ctx context.Context, config *pgx.ConnConfig) error {
	if err := schema.Migrate(ctx, config); err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, schema.Sample)
	return err
}
