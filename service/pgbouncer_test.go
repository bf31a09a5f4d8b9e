//go:build unix

package service_test

import (
	"testing"

	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/service"
)

// TestMigrateThroughPgBouncer: all else works there, and this says why it does not.
func TestMigrateThroughPgBouncer(t *testing.T) {
	t.Parallel()
	blank := dbtest.Blank(t)
	pooled := dbtest.PgBouncer(t, blank)
	p := newEnv(t, blank)
	svc := service.New(p.connect(pooled), testKey)
	fails(t, failure.Unavailable, "This does not work through a pooler such as PgBouncer, which lends one session of the server to several.",
		svc.Migrate(t.Context(), pooled))
	if err := p.svc.Migrate(t.Context(), blank); err != nil {
		t.Fatal(err)
	}
	if _, err := svc.CheckVersion(t.Context()); err != nil {
		t.Error(err)
	}
}
