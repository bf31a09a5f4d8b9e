//go:build unix

package cli

import (
	"strings"
	"testing"
)

// TestNewLocalDatabase: whoever has just got a database is told how to go on, and whoever is about to lose it, what.
func TestNewLocalDatabase(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ populate, welcome, holds string }{
		"sample": {"true", "It holds sample data. Log in: crm auth login administrator1 (password epic-events-sample)", "14 customers"},
		"empty":  {"false", "It is empty. Add the first administrator: crm db migrate --admin-username", "0 customers"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := asEmployee(t, "")
			e.vars["CRM_DATABASE_URL"], e.vars["HOME"], e.vars["CRM_DATABASE_SAMPLE_POPULATE"] = "", localHome(t), c.populate
			t.Cleanup(func() { e.shell(t, "crm db stop") })
			for _, step := range []struct{ line, says string }{
				{"crm db start", c.welcome},
				{"crm db reset", "Delete everything in the local database (" + c.holds + ")? Nobody is there to answer."},
				{"crm --database.reset db start", "database.reset is set: everything in the local database (" + c.holds + ") is deleted."},
			} {
				if _, output := e.shell(t, step.line); !strings.Contains(output, step.says) {
					t.Errorf("%s does not say %q, but %s", step.line, step.says, output)
				}
			}
			if _, output := e.shell(t, "crm db start"); strings.Contains(output, "It ") {
				t.Errorf("welcomed again: %s", output)
			}
		})
	}
}
