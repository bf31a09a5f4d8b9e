package schema_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/golang-migrate/migrate/v4"
	pgxmigrate "github.com/golang-migrate/migrate/v4/database/pgx/v5"
	"github.com/golang-migrate/migrate/v4/source/iofs"
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/schema"
)

func TestVersionIsTheNewestFile(t *testing.T) {
	t.Parallel()
	ups, err := filepath.Glob("*.up.sql")
	if err != nil {
		t.Fatal(err)
	}
	downs, err := filepath.Glob("*.down.sql")
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(ups)) != schema.Version() || len(downs) != len(ups) {
		t.Errorf("%d up and %d down for version %d", len(ups), len(downs), schema.Version())
	}
	conn := dbtest.Connect(t, dbtest.Empty(t))
	if got := one[int64](t, conn, "SELECT version FROM schema_migrations WHERE NOT dirty"); got != schema.Version() {
		t.Errorf("the database is at %d, Version says %d", got, schema.Version())
	}
}

func TestMigrateAtTheSameTime(t *testing.T) {
	t.Parallel()
	config := dbtest.Blank(t)
	actions := make([]func(context.Context) error, 8)
	for i := range actions {
		actions[i] = func(ctx context.Context) error { return schema.Migrate(ctx, config) }
	}
	if err := errors.Join(together(t.Context(), actions...)...); err != nil {
		t.Fatal(err)
	}
	if got, want := dump(t, config), dump(t, dbtest.Empty(t)); got != want {
		t.Error(cmp.Diff(want, got))
	}
	conn := dbtest.Connect(t, config)
	if got := one[int64](t, conn, "SELECT version FROM schema_migrations WHERE NOT dirty"); got != schema.Version() {
		t.Errorf("version %d", got)
	}
}

func TestMigrateAgainDoesNothing(t *testing.T) {
	t.Parallel()
	config := dbtest.Sample(t)
	conn := dbtest.Connect(t, config)
	before, dumped := contents(t, conn), dump(t, config)
	if err := schema.Migrate(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, contents(t, conn)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(dumped, dump(t, config)); diff != "" {
		t.Error(diff)
	}
}

func TestMigrateStopsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	config := dbtest.Blank(t)
	if err := schema.Migrate(ctx, config); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := schema.Migrate(t.Context(), config); err != nil {
		t.Errorf("the next one does not go on: %v", err)
	}
}

func TestEmptyAndMigrateAgain(t *testing.T) {
	t.Parallel()
	config := dbtest.Sample(t)
	want := dump(t, config)
	if err := schema.Empty(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(dump(t, config), "employee") {
		t.Error("something is left")
	}
	if err := schema.Migrate(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, dump(t, config)); diff != "" {
		t.Error(diff)
	}
}

// TestEveryStepBack goes up and down, step by step, and requires that each down restores what its up found.
func TestEveryStepBack(t *testing.T) {
	t.Parallel()
	config := dbtest.Blank(t)
	m := migrator(t, config)
	step := func(n int) string {
		t.Helper()
		if err := m.Steps(n); err != nil {
			t.Fatal(err)
		}
		return dump(t, config)
	}
	up := make([]string, schema.Version()+1)
	for version := 1; version < len(up); version++ {
		up[version] = step(1)
		if before := step(-1); version > 1 {
			if diff := cmp.Diff(up[version-1], before); diff != "" {
				t.Errorf("down from %d: %s", version, diff)
			}
		} else {
			up[0] = before // unlike a blank database it keeps the version table and the extension
		}
		if diff := cmp.Diff(up[version], step(1)); diff != "" {
			t.Errorf("up to %d again: %s", version, diff)
		}
	}
	for version := len(up) - 1; version > 0; version-- {
		if diff := cmp.Diff(up[version-1], step(-1)); diff != "" {
			t.Errorf("all the way down, from %d: %s", version, diff)
		}
	}
}

// TestValuesMended has values from before they were refused, which the migration mends so that each row can still be
// changed, and restored.
func TestValuesMended(t *testing.T) {
	t.Parallel()
	config := dbtest.Blank(t)
	m := migrator(t, config)
	if err := m.Migrate(10); err != nil {
		t.Fatal(err)
	}
	conn := dbtest.Connect(t, config)
	run(t, conn, `
		INSERT INTO employee (username, fullname, role, password_hash) VALUES ('ines', E'\u202eIne\u0300s', 'commercial', '$argon2id$');
		INSERT INTO session (id, employee_id, name, secret_hash)
			SELECT gen_random_uuid(), id, name, sha256('') FROM employee, (VALUES (E'cle\u0301'), (U&'cl\00e9')) AS token (name);
		INSERT INTO customer (fullname, company, commercial_id, email, phone)
			SELECT E'\u2066 Zoe\u0301', 'Café', id, E'a\u202e@b.example', '+33123456789' FROM employee;
		INSERT INTO contract (customer_id, total_amount, signed_at) SELECT id, 1000, now() FROM customer;
		INSERT INTO event (name, contract_id, start_at, end_at, attendees, note)
			SELECT 'Fête', id, '4000-01-01 BC'::timestamptz, '20000-01-01'::timestamptz, 2147483647, E'Cle\u0301' FROM contract
			UNION ALL SELECT 'Bal', id, '2026-06-20', 'infinity', 12, NULL FROM contract`)
	if err := m.Migrate(11); err != nil {
		t.Fatal(err)
	}
	run(t, conn, `
		UPDATE employee SET fullname = fullname;
		UPDATE customer SET fullname = fullname;
		UPDATE event SET name = name`)
	if !one[bool](t, conn, `
		SELECT (SELECT fullname = U&'In\00e8s' FROM employee)
		   AND (SELECT array_agg(name) = ARRAY[U&'cl\00e9'] FROM session)
		   AND (SELECT (fullname, email) = (U&'Zo\00e9', 'a@b.example') FROM customer)
		   AND (SELECT start_at IS NULL AND end_at IS NULL AND attendees IS NULL
		           AND note LIKE U&'Cl\00e9\000aStart: %BC\000aEnd: 20000-%\000aAttendees: 2147483647' FROM event WHERE name = 'Fête')
		   AND (SELECT start_at = '2026-06-20' AND end_at IS NULL AND attendees = 12 AND note = 'End: infinity' FROM event WHERE name = 'Bal')`) {
		t.Errorf("not mended: %q", all[string](t, conn, `
			SELECT fullname FROM employee UNION ALL SELECT name FROM session UNION ALL SELECT customer::text FROM customer UNION ALL SELECT event::text FROM event`))
	}
}

// TestFoldedAnew has texts with typographic apostrophes from before they were folded, which must be found afterwards, and
// by the index too.
func TestFoldedAnew(t *testing.T) {
	t.Parallel()
	config := dbtest.Blank(t)
	m := migrator(t, config)
	if err := m.Migrate(8); err != nil {
		t.Fatal(err)
	}
	conn := dbtest.Connect(t, config)
	run(t, conn, `
		INSERT INTO employee (username, fullname, role, password_hash) VALUES ('marie', 'Marie', 'commercial', '$argon2id$');
		INSERT INTO customer (fullname, company, commercial_id, email, phone)
			SELECT 'Inès', 'Café de l’Europe', id, 'a@b.example', '+33123456789' FROM employee;
		INSERT INTO contract (customer_id, total_amount, signed_at) SELECT id, 1000, now() FROM customer;
		INSERT INTO event (name, contract_id, location) SELECT 'Fête', id, 'Place de l’Étoile' FROM contract;
		SET enable_seqscan = off`)
	found := func() bool {
		return one[bool](t, conn, `
			SELECT EXISTS (SELECT FROM customer WHERE search LIKE search_pattern('de l''europe'))
			   AND EXISTS (SELECT FROM customer WHERE fold(company) = 'cafe de l''europe')
			   AND EXISTS (SELECT FROM event WHERE search LIKE search_pattern('L’ETOILE') AND search LIKE '%l''etoile%')
			   AND EXISTS (SELECT FROM event WHERE fold(location) = 'place de l''etoile')`)
	}
	if found() {
		t.Fatal("it is found before")
	}
	if err := m.Migrate(9); err != nil {
		t.Fatal(err)
	}
	if !found() {
		t.Error("it is not found")
	}
	if err := m.Migrate(8); err != nil {
		t.Fatal(err)
	}
	if found() || !one[bool](t, conn, `SELECT EXISTS (SELECT FROM customer WHERE fold(company) = 'cafe de l’europe')`) {
		t.Error("it is not as before after the way down")
	}
}

// migrator goes in steps, which package schema does not offer.
func migrator(t *testing.T, config *pgx.ConnConfig) *migrate.Migrate {
	t.Helper()
	source, err := iofs.New(os.DirFS("."), ".")
	if err != nil {
		t.Fatal(err)
	}
	db := stdlib.OpenDB(*config)
	t.Cleanup(func() { db.Close() })
	driver, err := pgxmigrate.WithInstance(db, &pgxmigrate.Config{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := migrate.NewWithInstance("schema", source, config.Database, driver)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// TestContractsNumbered counts the contracts that are there already, by the year in which they were drawn up in Paris.
func TestContractsNumbered(t *testing.T) {
	t.Parallel()
	config := dbtest.Blank(t)
	m := migrator(t, config)
	if err := m.Migrate(22); err != nil {
		t.Fatal(err)
	}
	conn := dbtest.Connect(t, config)
	run(t, conn, `
		INSERT INTO employee (username, fullname, role, password_hash) VALUES ('marie', 'Marie', 'commercial', '$argon2id$');
		INSERT INTO customer (fullname, commercial_id, email) SELECT 'Inès', id, 'a@b.example' FROM employee;
		INSERT INTO contract (id, customer_id, total_amount, created_at, signed_at)
			SELECT sample.id, customer.id, 1000, created, signed
			FROM customer, (VALUES
				(uuid '00000000-0000-0000-0000-000000000003', timestamptz '2024-12-31 22:59 UTC', NULL::timestamptz),
				(uuid '00000000-0000-0000-0000-000000000002', timestamptz '2024-12-31 23:00 UTC', timestamptz '2025-02-01 UTC'),
				(uuid '00000000-0000-0000-0000-000000000001', timestamptz '2025-01-02 UTC', NULL)) AS sample (id, created, signed);
		INSERT INTO payment (id, contract_id, amount, recorded_by, recorded_at)
			SELECT gen_random_uuid(), id, 1, 'marie', timestamptz '2025-03-01 UTC' FROM contract WHERE signed`)
	if err := m.Migrate(23); err != nil {
		t.Fatal(err)
	}
	got := all[string](t, conn, "SELECT number || ' ' || status || ' ' || (updated_at AT TIME ZONE 'UTC')::date FROM contract ORDER BY id DESC")
	want := []string{"2024-0001 draft 2024-12-31", "2025-0001 part_paid 2025-03-01", "2025-0002 draft 2025-01-02"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
