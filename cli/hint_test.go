package cli

import (
	"strings"
	"testing"
)

// TestHintsDoNotCircle: in each state of the database, whoever types what the hint says comes further, or is told
// something else. doctor and status are typed too, as people do.
func TestHintsDoNotCircle(t *testing.T) {
	t.Parallel()
	for name, state := range map[string]func(d *desk){
		"no schema": func(d *desk) { d.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public") },
		"other tables": func(d *desk) {
			d.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE schema_migrations (version text)")
		},
		"other version": func(d *desk) {
			d.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE schema_migrations (version bigint, dirty boolean); INSERT INTO schema_migrations VALUES (20230101, false)")
		},
		"no extension": func(d *desk) {
			d.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE SCHEMA extensions; CREATE EXTENSION pg_trgm SCHEMA extensions")
		},
		"no path": func(d *desk) {
			d.env["CRM_DATABASE_URL"] = withParameter(d.env["CRM_DATABASE_URL"], "search_path", "nowhere")
		},
		"missing view": func(d *desk) { d.sql("DROP VIEW customer_view CASCADE") },
		"dirty":        func(d *desk) { d.sql("UPDATE schema_migrations SET dirty = true") },
		"newer":        func(d *desk) { d.sql("UPDATE schema_migrations SET version = 9999") },
		"no database": func(d *desk) {
			d.env["CRM_DATABASE_URL"] = strings.Replace(d.env["CRM_DATABASE_URL"], d.config.Database, "crm_no_such_database", 1)
		},
		"no server": func(d *desk) { d.env["CRM_DATABASE_URL"] = "postgres://crm@127.0.0.1:1/crm" },
		"no parameter": func(d *desk) {
			d.env["CRM_DATABASE_URL"] = withParameter(d.env["CRM_DATABASE_URL"], "no_such_setting", "1")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, "administrator1")
			state(d)
			for _, first := range []string{"customer list", "db status", "db migrate", "doctor"} {
				seen := map[string]bool{}
				for command := first; command != ""; {
					if seen[command] {
						t.Fatalf("crm %s leads to crm %s again", first, command)
					}
					seen[command] = true
					r := d.crm("", strings.Fields(command)...)
					if r.code == 1 {
						t.Fatalf("crm %s: %s", command, r.err)
					}
					_, hint, _ := strings.Cut(r.err, "\nhint: crm ")
					hint, _, _ = strings.Cut(hint, "\n")
					hint, _, _ = strings.Cut(hint, " says")
					command = hint
				}
			}
		})
	}
}
