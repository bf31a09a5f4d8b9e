package service_test

import (
	"testing"

	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/schema"
	"github.com/epicevents/crm/service"
)

const noSchema = "The database does not have crm's schema."

func TestCheckVersion(t *testing.T) {
	t.Parallel()
	p := newPlace(t, dbtest.Empty(t))
	if version, err := p.svc.CheckVersion(t.Context()); err != nil || version != schema.Version() {
		t.Errorf("version %d, %v", version, err)
	}
	p.exec("UPDATE schema_migrations SET version = version - 1")
	if version, err := p.svc.CheckVersion(t.Context()); service.CodeOf(err) != service.Unavailable || version != schema.Version()-1 {
		t.Errorf("version %d, %v", version, err)
	}
	p.exec("DELETE FROM schema_migrations")
	fails(t, service.Unavailable, noSchema, second(p.svc.CheckVersion(t.Context())))
	fails(t, service.Unavailable, noSchema, second(p.svc.Login(t.Context(), "none1", password)))
}

func TestBlankDatabase(t *testing.T) {
	t.Parallel()
	p := newPlace(t, dbtest.Blank(t))
	fails(t, service.Unavailable, noSchema, second(p.svc.CheckVersion(t.Context())))
	fails(t, service.Unavailable, noSchema, second(p.svc.Login(t.Context(), "none1", password)))
	fails(t, service.Unavailable, noSchema, p.svc.Populate(t.Context()))
}

func TestPopulate(t *testing.T) {
	t.Parallel()
	p := newPlace(t, dbtest.Empty(t))
	ctx := t.Context()
	if err := p.svc.Populate(ctx); err != nil {
		t.Fatal(err)
	}
	if n := one[int](p, "SELECT count(*) FROM contract"); n != 20 {
		t.Errorf("%d contracts", n)
	}
	const full = "The database holds customers already; the sample data goes into an empty one."
	p.refuses(service.Conflict, full, func() error { return p.svc.Populate(ctx) })
	s := p.as("administrator1")
	p.refuses(service.Conflict, full, func() error { return s.DbPopulate(ctx) })

	p.exec("DELETE FROM event; DELETE FROM payment; DELETE FROM contract; DELETE FROM customer")
	if err := s.DbPopulate(ctx); err != nil {
		t.Fatal(err)
	}
	// Half of the sample data is none: commercial1 is here, but with another role.
	p.exec("DELETE FROM event; DELETE FROM payment; DELETE FROM contract; DELETE FROM customer")
	p.exec("UPDATE employee SET role = 'none' WHERE username = 'commercial1'")
	p.refuses(service.Conflict, "A customer is in the charge of an employee whose role is commercial.", func() error { return s.DbPopulate(ctx) })
}
