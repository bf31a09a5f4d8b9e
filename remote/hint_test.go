package remote

import (
	"errors"
	"strings"
	"testing"

	"github.com/epicevents/crm/internal/failure"
)

// TestHintsForTheHost: what only whoever runs the database can do is no hint for somebody at the other end of the wire.
func TestHintsForTheHost(t *testing.T) {
	t.Parallel()
	srv := newTestServer(t)
	s := srv.as("administrator1")
	srv.exec("UPDATE schema_migrations SET version = version - 1")
	_, err := s.AuthWhoami(t.Context())
	problem, ok := errors.AsType[*failure.Error](err)
	if !ok || problem.Code != failure.Unavailable || !strings.HasPrefix(problem.Message, "The database is at schema version ") {
		t.Fatalf("%#v", err)
	}
	if problem.Hint != "tell whoever runs the server" {
		t.Errorf("the hint is %q", problem.Hint)
	}
}
