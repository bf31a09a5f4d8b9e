package service_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/schema"
	"github.com/epicevents/crm/service"
)

// between is a database that changes once, after the session was checked.
type between struct {
	service.DB
	change func()
}

func (b *between) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	return rowThen{b.DB.QueryRow(ctx, sql, args...), b.then}
}

func (b *between) SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults {
	return batchThen{b.DB.SendBatch(ctx, batch), b.then}
}

func (b *between) then() {
	if change := b.change; change != nil {
		b.change = nil
		change()
	}
}

type rowThen struct {
	pgx.Row
	then func()
}

func (r rowThen) Scan(into ...any) error {
	defer r.then()
	return r.Row.Scan(into...)
}

type batchThen struct {
	pgx.BatchResults
	then func()
}

func (b batchThen) Close() error {
	defer b.then()
	return b.BatchResults.Close()
}

// TestMigratedBetweenCheckAndWrite: no operation writes to a schema of another version, even if it was the right one when
// the session was checked.
func TestMigratedBetweenCheckAndWrite(t *testing.T) {
	t.Parallel()
	for operation, call := range calls {
		if !call.writes || operation == "AuthLogout" {
			continue
		}
		for _, role := range gen.AllRoleValues() {
			username := string(role) + "1"
			t.Run(operation+" "+username, func(t *testing.T) {
				t.Parallel()
				p := sample(t)
				p.employee("none2", "none")
				p.exec(call.before)
				b := &between{DB: p.svcDB}
				s, err := service.New(b, testKey).As(p.token(username))
				if err != nil {
					t.Fatal(err)
				}
				sum := ""
				b.change = func() {
					p.exec("UPDATE schema_migrations SET version = version + 1")
					sum = checksum(t, p.conn)
				}
				err = call.do(t.Context(), s, targets[0])
				if code := failure.CodeOf(err); code == failure.PermissionDenied {
					return
				}
				fails(t, failure.Unavailable, "", err)
				if checksum(t, p.conn) != sum {
					t.Errorf("%s wrote", operation)
				}
			})
		}
	}
}

// TestWriteDuringMigration waits for the migration that is under way, and then does nothing.
func TestWriteDuringMigration(t *testing.T) {
	t.Parallel()
	p := sample(t)
	migration, err := dbtest.Connect(t, p.owner).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	migrated := make(chan error, 1)
	s, err := service.New(&between{p.svcDB, func() {
		if _, err := migration.Exec(t.Context(), "LOCK TABLE schema_migrations IN ACCESS EXCLUSIVE MODE"); err != nil {
			t.Error(err)
		}
		go func() {
			p.waits(p.svcDB)
			_, err := migration.Exec(context.Background(), "UPDATE schema_migrations SET version = version + 1")
			migrated <- errors.Join(err, migration.Commit(context.Background()))
		}()
	}}, testKey).As(p.token("administrator1"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.ContractUpdate(t.Context(), gen.ContractUpdateParams{ID: ownSigned, TotalAmount: new(value.Cents(99_999_999))})
	fails(t, failure.Unavailable, fmt.Sprintf("The database is at schema version %d, this crm knows only %d.", schema.Version()+1, schema.Version()), err)
	if err := <-migrated; err != nil {
		t.Fatal(err)
	}
	if got := one[int64](p, "SELECT total_amount FROM contract WHERE id = $1", ownSigned); got == 99_999_999 {
		t.Error("it was written")
	}
}

// TestMigratingBesideAnother: whoever finds no schema, and then one that another has just begun to make, waits for it.
func TestMigratingBesideAnother(t *testing.T) {
	t.Parallel()
	for name, sql := range map[string]string{
		"begun":     string(must[[]byte](t)(os.ReadFile("../schema/000001_text.up.sql"))) + "; INSERT INTO schema_migrations VALUES (1, false)",
		"not begun": "SELECT",
	} {
		config := dbtest.Blank(t)
		conn, other := dbtest.Connect(t, config), dbtest.Connect(t, config)
		s := service.New(&between{conn, func() {
			if _, err := other.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
				t.Error(err)
			}
		}}, testKey)
		if err := s.Migrate(t.Context(), config); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if version, err := s.CheckVersion(t.Context()); err != nil || version != schema.Version() {
			t.Errorf("%s: version %d, %v", name, version, err)
		}
	}
}
