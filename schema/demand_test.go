package schema_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/schema"
)

func dropRole(t *testing.T, admin *pgx.ConnConfig, role string) {
	conn, err := pgx.ConnectConfig(context.Background(), admin)
	if err == nil {
		_, err = conn.Exec(context.Background(), "DROP OWNED BY "+role+"; DROP ROLE "+role)
		_ = conn.Close(context.Background())
	}
	if err != nil {
		t.Error(err)
	}
}

// TestUnfitDatabase: what is in the way is said before anything is made, and with what to run; done, that helps.
func TestUnfitDatabase(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		options, before string
		as              bool   // a role that has no rights of its own
		role            string // what is done to it
		path            string
		message, remedy string
		run             string // the remedy
	}{
		"no encoding":  {options: "ENCODING 'SQL_ASCII' LOCALE 'C'", message: "stores text as SQL_ASCII", remedy: "ENCODING 'UTF8'"},
		"few letters":  {options: "ENCODING 'LATIN1' LOCALE 'C'", message: "stores text as LATIN1", remedy: "CREATE DATABASE crm_"},
		"no schema":    {path: "nowhere", message: "(nowhere) exists", remedy: "search_path", run: "CREATE SCHEMA nowhere"},
		"other tables": {before: "CREATE TABLE schema_migrations (version varchar(255) PRIMARY KEY)", message: "belongs to another program", remedy: "CREATE SCHEMA crm"},
		"other version": {before: "CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL); INSERT INTO schema_migrations VALUES (3, false)",
			message: "belongs to another program", remedy: "CREATE SCHEMA crm"},
		"no right to a schema": {as: true, before: "REVOKE CREATE ON SCHEMA public FROM PUBLIC", message: "may not make tables in the schema public",
			remedy: "GRANT USAGE, CREATE ON SCHEMA public TO ", run: "CREATE EXTENSION pg_trgm; GRANT USAGE, CREATE ON SCHEMA public TO %s"},
		"no right to an extension": {as: true, role: "GRANT CREATE ON SCHEMA public TO %s", message: "may not add the extension pg_trgm",
			remedy: "CREATE EXTENSION pg_trgm", run: "CREATE EXTENSION pg_trgm"},
		"extension behind a door": {as: true, before: "CREATE SCHEMA extensions; CREATE EXTENSION pg_trgm SCHEMA extensions", role: "GRANT CREATE ON SCHEMA public TO %s",
			message: "may not use the schema extensions", remedy: "GRANT USAGE ON SCHEMA extensions TO ", run: "GRANT USAGE ON SCHEMA extensions TO %s"},
		"extension elsewhere": {before: "CREATE SCHEMA extensions; CREATE EXTENSION pg_trgm SCHEMA extensions"},
		"schema of its own":   {before: "CREATE SCHEMA crm", path: "crm"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options := test.options
			if options == "" {
				options = "ENCODING 'UTF8'"
			}
			config := inLocale(t, options)
			owner := dbtest.Connect(t, config)
			run(t, owner, test.before)
			if test.as {
				role := fmt.Sprintf("crm_unfit_%d", time.Now().UnixNano())
				run(t, owner, "CREATE ROLE "+role+" LOGIN PASSWORD 'secret'; "+strings.ReplaceAll(test.role, "%s", role))
				admin := config
				t.Cleanup(func() { dropRole(t, admin, role) })
				config = config.Copy()
				config.User, config.Password = role, "secret" // which a server in a container asks for
				test.run = strings.ReplaceAll(test.run, "%s", role)
			}
			if test.path != "" {
				config = config.Copy()
				config.RuntimeParams["search_path"] = test.path
			}
			err := schema.Migrate(t.Context(), config)
			if test.message != "" {
				unfit, ok := errors.AsType[*schema.UnfitError](err)
				if !ok || !strings.Contains(unfit.Message, test.message) || !strings.Contains(unfit.Remedy, test.remedy) {
					t.Fatalf("%v", err)
				}
				if one[bool](t, owner, "SELECT EXISTS (SELECT FROM pg_proc WHERE proname = 'is_line')") {
					t.Error("something was made")
				}
				if test.run == "" {
					return
				}
				run(t, owner, test.run)
				err = schema.Migrate(t.Context(), config)
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Fit(t.Context(), dbtest.Connect(t, config)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestLogsParameters(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.Blank(t))
	for _, test := range []struct {
		settings string
		want     bool
	}{
		{"SET log_parameter_max_length = -1; SET log_statement = 'none'; SET log_min_duration_statement = -1", false},
		{"SET log_min_duration_statement = '1s'", true},
		{"SET log_parameter_max_length = 0", false},
		{"SET log_parameter_max_length = -1; SET log_min_duration_statement = -1; SET log_statement = 'mod'", true},
	} {
		run(t, conn, test.settings)
		if got, err := schema.LogsParameters(t.Context(), conn); err != nil || got != test.want {
			t.Errorf("%s: %v, %v", test.settings, got, err)
		}
	}
}
