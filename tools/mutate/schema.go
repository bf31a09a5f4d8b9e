package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/internal/localdb"
)

const (
	schemaTest = "schema.test"
	ruleTests  = "^Test(Rules|TriggerEffects|NotNull)$"
	raceTests  = "^Test(AdministratorsRemoveEachOther|HandingOverToWhoLeaves|PaymentsAtTheSameTime|EventOfContractBeingUnsigned)$"
)

// worker has a server of its own, in whose templates one rule at a time is broken.
type worker struct {
	work      string
	home      string
	cluster   *localdb.Cluster
	templates []string
}

// newWorker has the tests make the templates and pass, as nothing is broken yet, and keeps a copy of each.
func newWorker(ctx context.Context, work string) (*worker, error) {
	home, err := os.MkdirTemp("/tmp", "crm-mutate-") // as dbtest does, for the server's account and its socket
	if err != nil {
		return nil, err
	}
	w := &worker{work: work, home: home, cluster: localdb.New(home, os.Getenv)}
	if err := w.prepare(ctx); err != nil {
		w.stop()
		return nil, err
	}
	return w, nil
}

func (w *worker) prepare(ctx context.Context) error {
	if err := os.Chmod(w.home, 0o755); err != nil {
		return err
	}
	w.cluster.Settings = []string{"fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off"}
	if err := w.cluster.Start(ctx, nil, func(context.Context, string) error { return nil }); err != nil {
		return err
	}
	for _, whole := range []mutant{
		{name: "the whole schema", program: schemaTest, folder: "schema", tests: ruleTests + "|" + raceTests},
		{name: "the whole table", program: serviceTest, folder: "service", tests: "^TestPermissions$"},
	} {
		if by, err := runTests(ctx, whole, w.work, w.cluster.AdminURL("postgres")); err != nil || by != "" {
			return fmt.Errorf("%s: %s fails although nothing is broken: %v", whole.name, by, err)
		}
	}
	conn, err := pgx.Connect(ctx, w.cluster.AdminURL("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(context.Background())
	rows, err := conn.Query(ctx, `SELECT datname FROM pg_database WHERE datname LIKE 'crm\_template\_%'`)
	if err != nil {
		return err
	}
	if w.templates, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		return err
	}
	for _, template := range w.templates {
		if _, err := conn.Exec(ctx, "CREATE DATABASE whole_"+template+" TEMPLATE "+template); err != nil {
			return err
		}
	}
	return nil
}

func (w *worker) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_ = w.cluster.Stop(ctx)
	_ = os.RemoveAll(w.home)
}

// schemaMutants are read off the catalogue. What is broken keeps its name and its comment, so that only what it does is
// missing: a constraint becomes one that everything fulfils, a trigger is switched off.
func (w *worker) schemaMutants(ctx context.Context) ([]mutant, error) {
	conn, err := pgx.Connect(ctx, w.cluster.AdminURL("whole_"+w.templates[0]))
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.Background())
	rows, err := conn.Query(ctx, `
		SELECT 'constraint ' || conname, format(
			'ALTER TABLE %1$s DROP CONSTRAINT %2$I CASCADE, ADD CONSTRAINT %2$I CHECK (true); COMMENT ON CONSTRAINT %2$I ON %1$s IS %3$L',
			conrelid::regclass, conname, obj_description(oid, 'pg_constraint'))
		FROM pg_constraint
		WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'u', 'f', 'c', 'x')
		UNION ALL
		SELECT 'unique index ' || indexrelid::regclass, format('DROP INDEX %s', indexrelid::regclass)
		FROM pg_index
		JOIN pg_class ON pg_class.oid = indexrelid
		WHERE indisunique AND relnamespace = 'public'::regnamespace
		  AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
		UNION ALL
		SELECT 'trigger ' || tgname, format('ALTER TABLE %s DISABLE TRIGGER %I', tgrelid::regclass, tgname)
		FROM pg_trigger
		WHERE NOT tgisinternal
		UNION ALL
		SELECT 'not null ' || attrelid::regclass || '.' || attname, format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL', attrelid::regclass, attname)
		FROM pg_attribute
		JOIN pg_class ON pg_class.oid = attrelid
		WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND attnotnull AND attidentity = ''
		  AND attgenerated = '' -- what nobody gives cannot be NULL
		  AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = attrelid AND indisprimary AND attnum = ANY (indkey))
		ORDER BY 1`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (mutant, error) {
		m := mutant{program: schemaTest, folder: "schema", tests: ruleTests}
		return m, row.Scan(&m.name, &m.sql)
	})
}

// try breaks one rule and has the tests run: those of the rules one by one first, which are quick.
func (w *worker) try(ctx context.Context, m mutant) (by string, err error) {
	for _, template := range w.templates {
		if err := w.breakTemplate(ctx, template, m.sql); err != nil {
			return "", err
		}
	}
	by, err = runTests(ctx, m, w.work, w.cluster.AdminURL("postgres"))
	if by == "" && err == nil && m.program == schemaTest {
		m.tests = raceTests
		by, err = runTests(ctx, m, w.work, w.cluster.AdminURL("postgres"))
	}
	return by, err
}

// breakTemplate makes the template anew, which mends what the last mutant broke, and breaks it.
func (w *worker) breakTemplate(ctx context.Context, template, sql string) error {
	err := execute(ctx, w.cluster.AdminURL("postgres"),
		"DROP DATABASE "+template+" WITH (FORCE)", "CREATE DATABASE "+template+" TEMPLATE whole_"+template)
	if err != nil {
		return err
	}
	return execute(ctx, w.cluster.AdminURL(template), sql)
}
