//go:build unix

package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/schema"
)

// state is all that a database has: crm's rows, and every object that is not PostgreSQL's own.
func (e *employee) state(t *testing.T) string {
	t.Helper()
	return e.value(t, `SELECT concat_ws(E'\n',
		(SELECT string_agg(format('%s %s', relkind, oid::regclass), ', ' ORDER BY oid::regclass::text COLLATE "C")
		 FROM pg_class
		 WHERE oid >= 16384 AND relkind NOT IN ('t', 'i') OR relkind = 'i' AND oid >= 16384 AND relname NOT LIKE 'pg_toast%'),
		(SELECT string_agg(proname, ', ' ORDER BY proname COLLATE "C") FROM pg_proc WHERE oid >= 16384),
		(SELECT string_agg(tgname, ', ' ORDER BY tgname COLLATE "C") FROM pg_trigger WHERE NOT tgisinternal),
		(SELECT string_agg(rulename, ', ' ORDER BY ev_class::regclass::text COLLATE "C", rulename COLLATE "C") FROM pg_rewrite WHERE oid >= 16384),
		(SELECT string_agg(conname, ', ' ORDER BY conname COLLATE "C") FROM pg_constraint WHERE oid >= 16384),
		(SELECT string_agg(evtname, ', ') FROM pg_event_trigger),
		(SELECT string_agg(pg_get_userbyid(relowner), ', ') FROM pg_class WHERE oid >= 16384 AND relowner <> current_user::regrole))`)
}

// content is every row of crm's tables that a backup has.
func (e *employee) content(t *testing.T) string {
	t.Helper()
	return e.value(t, `SELECT concat_ws(E'\n',
		(SELECT string_agg(employee::text, E'\n' ORDER BY id) FROM employee), (SELECT string_agg(customer::text, E'\n' ORDER BY id) FROM customer),
		(SELECT string_agg(contract::text, E'\n' ORDER BY id) FROM contract), (SELECT string_agg(payment::text, E'\n' ORDER BY id) FROM payment),
		(SELECT string_agg(event::text, E'\n' ORDER BY id) FROM event))`)
}

// TestHostileBackup restores files that try to do more than put rows back. Each is a dump of a database in which somebody
// prepared something: only known rows change, and nothing of it is run.
func TestHostileBackup(t *testing.T) {
	t.Parallel()
	target := asEmployee(t, "")
	before, clean := target.content(t), target.state(t)
	witness := filepath.Join(t.TempDir(), "witness")
	if err := os.Chmod(filepath.Dir(witness), 0o777); err != nil {
		t.Fatal(err)
	}
	strikes := `CREATE TABLE struck (at timestamptz DEFAULT now());
		CREATE FUNCTION strike() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
			INSERT INTO public.struck DEFAULT VALUES;
			COPY (SELECT 1) TO PROGRAM 'touch ` + witness + `';
			RETURN true;
		END $$;
		CREATE FUNCTION strike_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM public.strike(); RETURN NEW; END $$;`
	role := "crm_hostile_" + strings.TrimPrefix(dbtest.Sample(t).Database, "crm_test_")
	for name, prepare := range map[string]string{
		"check":         strikes + "ALTER TABLE customer ADD CONSTRAINT evil CHECK (strike()) NOT VALID",
		"trigger":       strikes + "CREATE TRIGGER evil BEFORE INSERT ON customer FOR EACH ROW EXECUTE FUNCTION strike_row()",
		"event trigger": "CREATE FUNCTION evil() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION $$evil$$; END'; CREATE EVENT TRIGGER evil ON ddl_command_end WHEN TAG IN ('CREATE DOMAIN') EXECUTE FUNCTION evil()",
		"function":      strikes + "CREATE OR REPLACE FUNCTION is_line(value text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE STRICT AS 'BEGIN PERFORM public.strike(); RETURN true; END'",
		"sum":           "CREATE OR REPLACE FUNCTION payment_sum() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM event; RETURN NULL; END'",
		"rule":          strikes + "CREATE RULE evil AS ON INSERT TO customer DO ALSO SELECT strike()",
		"default":       strikes + "ALTER TABLE customer ALTER fullname SET DEFAULT strike()::text",
		"extra table":   "CREATE TABLE evil (id bigint, note text); INSERT INTO evil VALUES (1, E'x\\n\\\\.\\nDROP TABLE customer;\\n'); CREATE TABLE none ()",
		"extra column":  "ALTER TABLE customer ADD evil text DEFAULT E'a\\tb\\\\'; ALTER TABLE customer DISABLE TRIGGER customer_touch; UPDATE customer SET evil = E'\\n\\\\! touch " + witness + "\\n' WHERE id < 3; ALTER TABLE customer ENABLE TRIGGER customer_touch",
		"odd names":     `CREATE TABLE "evil"" (x) FROM stdin;" ("a, b" text, "c""d" text); INSERT INTO "evil"" (x) FROM stdin;" VALUES ('a', 'b'); ALTER TABLE customer ADD "id) FROM PROGRAM 'touch ` + witness + `';" text DEFAULT 'x'`,
		"ownership":     "CREATE ROLE " + role + "; GRANT CREATE ON SCHEMA public TO " + role + "; ALTER TABLE customer OWNER TO " + role,
		"shell":         "CREATE TABLE shell (t text); INSERT INTO shell VALUES (E'\\\\! touch " + witness + "'), (E'\\\\.\\n\\\\! touch " + witness + "'); COMMENT ON TABLE shell IS E'x\n\\\\! touch " + witness + "'",
		"policy":        "ALTER TABLE customer ENABLE ROW LEVEL SECURITY; ALTER TABLE customer FORCE ROW LEVEL SECURITY; CREATE POLICY evil ON customer USING (true)",
		"sequence":      "ALTER SEQUENCE customer_id_seq MAXVALUE 100 RESTART 99",
		"view":          strikes + "CREATE OR REPLACE VIEW employee_view AS SELECT id, username, password_hash AS fullname, role, active, last_login_at, password_one_time, last_login_at AS locked_until, updated_at FROM employee WHERE strike()",
		"no constraint": "ALTER TABLE payment DROP CONSTRAINT payment_amount_positive, DROP CONSTRAINT payment_contract_fkey",
		"who is logged in": `INSERT INTO session (id, employee_id) SELECT gen_random_uuid(), id FROM employee;
			INSERT INTO session (id, employee_id, name, secret_hash, expires_at) SELECT gen_random_uuid(), id, 'ci', sha256('x'), now() + interval '300 days' FROM employee;
			INSERT INTO login_failure VALUES ('somebody', 3, now())`,
	} {
		t.Run(name, func(t *testing.T) {
			hostile := target.at(t, dbtest.Sample(t))
			hostile.sql(prepare)
			file := filepath.Join(t.TempDir(), "hostile")
			dumped(t, hostile.config, file)
			if name == "ownership" {
				hostile.sql("ALTER TABLE customer OWNER TO current_user; DROP OWNED BY " + role + "; DROP ROLE " + role)
			}
			target.sql("DELETE FROM event; UPDATE customer SET fullname = 'changed'")
			r := target.crm("", "db", "restore", file, "--database", target.config.Database)
			if r.code != 0 {
				t.Fatalf("exit %d, %s", r.code, r.err)
			}
			for what, of := range map[string]string{"extra table": "table public.evil", "extra column": "column public.customer.evil"} {
				if name == what && !strings.Contains(r.err, "Left out, for it is not crm's: ") || name == what && !strings.Contains(r.err, of) {
					t.Errorf("not told: %s", r.err)
				}
			}
			if diff := cmp.Diff(clean, target.state(t)); diff != "" {
				t.Error(diff)
			}
			if got := target.value(t, "SELECT concat((SELECT count(*) FROM session), (SELECT count(*) FROM login_failure))"); got != "00" {
				t.Errorf("sessions and failures: %s", got)
			}
			if diff := cmp.Diff(before, target.content(t)); diff != "" {
				t.Error(diff)
			}
			if _, err := os.Lstat(witness); err == nil {
				t.Error("a program was run")
				_ = os.Remove(witness)
			}
			if next := target.value(t, "INSERT INTO customer (fullname, company, commercial_id, email, phone) SELECT 'A', 'B', commercial_id, 'a@b.fr', phone FROM customer LIMIT 1 RETURNING id::text"); next != "15" {
				t.Errorf("the next id is %s", next)
			}
		})
	}
}

// TestRestoreRefusesData that breaks a rule, or that is not all there.
func TestRestoreRefusesData(t *testing.T) {
	t.Parallel()
	target := asEmployee(t, "")
	const free = "ALTER TABLE payment DROP CONSTRAINT payment_amount_positive, DROP CONSTRAINT payment_contract_fkey; ALTER TABLE payment DISABLE TRIGGER USER;"
	for change, want := range map[string]string{
		free + "INSERT INTO payment SELECT gen_random_uuid(), id, -5, 'x', now() FROM contract LIMIT 1": "breaks a rule of the schema: payment_amount_positive of the table payment",
		free + "INSERT INTO payment VALUES (gen_random_uuid(), gen_random_uuid(), 5, 'x', now())":       "breaks a rule of the schema: payment_contract_fkey of the table payment",
		"ALTER TABLE event DROP COLUMN name CASCADE":                                                    "lacks the column name of the table event",
		"ALTER TABLE contract DROP COLUMN signed_at CASCADE":                                            "lacks the column signed_at of the table contract",
		"DROP TABLE event CASCADE":                        "lacks the table event",
		"DROP TABLE employee CASCADE":                     "not a backup of crm",
		"DELETE FROM schema_migrations":                   "not a backup of crm",
		"INSERT INTO schema_migrations VALUES (3, false)": "not a backup of crm",
		"UPDATE schema_migrations SET version = -1":       "not a backup of crm",
		"DROP VIEW contract_view, event_view; ALTER TABLE contract DROP COLUMN total_amount CASCADE, ADD total_amount text DEFAULT 'ten'":    "for the table contract cannot be read",
		"CREATE SCHEMA twin; CREATE TABLE twin.employee (id bigint); CREATE TABLE twin.schema_migrations AS SELECT * FROM schema_migrations": "several schemas",
	} {
		hostile := target.at(t, dbtest.Sample(t))
		hostile.sql(change)
		file := filepath.Join(t.TempDir(), "hostile")
		dumped(t, hostile.config, file)
		before := target.rows(t) + target.state(t)
		r := target.crm("", "db", "restore", file, "--database", target.config.Database)
		if r.code != 2 || r.out != "" || !strings.Contains(r.err, want) {
			t.Errorf("%s: exit %d, %s%s", change, r.code, r.out, r.err)
		}
		if got := target.rows(t) + target.state(t); got != before {
			t.Fatalf("%s: changed: %s", change, cmp.Diff(before, got))
		}
	}
}

// TestRestoreOverDamage puts a backup back over what somebody broke.
func TestRestoreOverDamage(t *testing.T) {
	t.Parallel()
	e := asEmployee(t, "")
	before, clean := e.content(t), e.state(t)
	file := e.backup(t)
	for _, damage := range []string{
		"DROP INDEX event_start_at",
		"DROP VIEW event_view",
		"DELETE FROM schema_migrations",
		"DROP TABLE schema_migrations",
		"UPDATE schema_migrations SET dirty = true",
		"ALTER TABLE schema_migrations DROP CONSTRAINT schema_migrations_pkey",
		"DROP TABLE event CASCADE",
		"DROP TABLE employee CASCADE",
		"DROP FUNCTION payment_lock CASCADE",
		"DROP FUNCTION fold CASCADE",
		"DROP TYPE role CASCADE",
		"ALTER TABLE customer DROP COLUMN company CASCADE",
		"COMMENT ON TABLE customer IS NULL; ALTER TABLE customer ADD fax text",
		"CREATE OR REPLACE FUNCTION payment_sum() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM event; RETURN NULL; END'",
		"DROP EXTENSION pg_trgm CASCADE",
		"CREATE TRIGGER ours BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION payment_lock()",
		"CREATE RULE none AS ON INSERT TO payment DO INSTEAD NOTHING",
		"DROP VIEW change_view, change_line, customer_account, employee_password, employee_view, customer_view, contract_view, payment_view, event_view, session_view CASCADE; DROP FUNCTION changed_after, customer_at, contract_at, payment_at, event_at, employee_password_is, employee_change_password, renew_session, history_ids, void_payment, undo_batch CASCADE; DROP TABLE change, event, payment, contract, customer, session, login_failure, employee CASCADE",
	} {
		e.sql(damage)
		if r := e.crm("", "db", "restore", file, "--database", e.config.Database); r.code != 0 {
			t.Fatalf("%s: exit %d, %s", damage, r.code, r.err)
		}
		if diff := cmp.Diff(clean, e.state(t)); diff != "" {
			t.Errorf("%s: %s", damage, diff)
		}
		if diff := cmp.Diff(before, e.content(t)); diff != "" {
			t.Errorf("%s: %s", damage, diff)
		}
	}
}

// TestRestoreLeavesWhatIsOthers alone: what has the name of something of crm's, and is another's, is named.
func TestRestoreLeavesWhatIsOthers(t *testing.T) {
	t.Parallel()
	file := asEmployee(t, "").backup(t)
	e := asEmployee(t, "")
	for _, test := range []struct{ others, want string }{
		{"CREATE TABLE customer (id bigint, fullname text); INSERT INTO customer VALUES (1, 'x')", `relation "customer" already exists`},
		{"CREATE VIEW customer AS SELECT 1 AS id", `relation "customer" already exists`},
		{"CREATE FUNCTION fold(value text) RETURNS text LANGUAGE sql AS 'SELECT value'", `function "fold" already exists`},
		{"CREATE TYPE role AS ENUM ('a')", `type "role" already exists`},
		{"CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL); INSERT INTO schema_migrations VALUES (3, false)", "schema_migrations in the database"},
		{"CREATE TABLE schema_migrations (version text)", "schema_migrations in the database"},
		{"CREATE TABLE report (id bigint); CREATE INDEX event_start_at ON report (id)", `relation "event_start_at" already exists`},
	} {
		other := e.at(t, dbtest.Blank(t))
		other.sql(test.others)
		before := other.state(t)
		for _, arguments := range [][]string{{"db", "restore", file}, {"db", "restore", file, "--database", other.config.Database}} {
			r := other.crm("", arguments...)
			if r.code != 6 && r.code != 7 || !strings.Contains(r.err, test.want) {
				t.Errorf("%s: exit %d, %s", test.others, r.code, r.err)
			}
		}
		if diff := cmp.Diff(before, other.state(t)); diff != "" {
			t.Errorf("%s: %s", test.others, diff)
		}
	}
}

// TestRestoreOfEveryVersion puts a backup of each version that has tables over a database of each other one.
func TestRestoreOfEveryVersion(t *testing.T) {
	t.Parallel()
	target := asEmployee(t, "")
	downs, err := filepath.Glob("../schema/*.down.sql")
	if err != nil || int64(len(downs)) != schema.Version() {
		t.Fatal(downs, err)
	}
	old := target.at(t, dbtest.Sample(t))
	lists := func(e *employee) string {
		return e.value(t, `SELECT concat_ws(' ', (SELECT string_agg(employee.username, ' ' ORDER BY id) FROM employee), CASE WHEN to_regclass('customer') IS NOT NULL THEN
			query_to_xml('SELECT id, fullname, phone FROM customer ORDER BY id', true, false, '') END, CASE WHEN to_regclass('contract') IS NOT NULL THEN
			query_to_xml('SELECT id, paid_amount, (SELECT sum(amount) FROM payment WHERE contract_id = contract.id) FROM contract ORDER BY id', true, false, '') END,
			CASE WHEN to_regclass('event') IS NOT NULL THEN query_to_xml('SELECT id, name, note FROM event ORDER BY id', true, false, '') END)`)
	}
	for version := schema.Version(); version >= 2; version-- {
		if version < schema.Version() {
			old.sql(fmt.Sprintf("%s; UPDATE schema_migrations SET version = %d", readFile(t, downs[version]), version))
		}
		file := filepath.Join(t.TempDir(), "old")
		dumped(t, old.config, file)
		// What is there is of the version that was restored before.
		r := target.crm("", "db", "restore", file, "--database", target.config.Database)
		if r.code != 0 {
			t.Fatalf("version %d: exit %d, %s", version, r.code, r.err)
		}
		if diff := cmp.Diff(old.state(t), target.state(t)); diff != "" {
			t.Errorf("version %d: %s", version, diff)
		}
		if diff := cmp.Diff(lists(old), lists(target)); diff != "" {
			t.Errorf("version %d: %s", version, diff)
		}
		t.Run(fmt.Sprintf("%d migrated", version), func(t *testing.T) { // at its end its database and connection go
			migrated := target.at(t, dbtest.Blank(t))
			migrated.must(t, "db", "restore", file)
			migrated.must(t, "db", "migrate")
			migrated.as("administrator1")
			if checked := migrated.crm("", "check"); strings.Contains(checked.out, "schema_differs") || checked.code != 0 && checked.code != 8 {
				t.Errorf("%s%s", checked.out, checked.err)
			}
		})
	}
}

// TestRestoreElsewhere takes a backup from one schema to another, whatever they are called and wherever the extension is.
func TestRestoreElsewhere(t *testing.T) {
	t.Parallel()
	e := asEmployee(t, "")
	before := e.content(t)
	at := func(name string) *employee {
		config := dbtest.Blank(t)
		other := e.at(t, config)
		other.sql(`CREATE SCHEMA extensions; CREATE EXTENSION pg_trgm SCHEMA extensions; CREATE SCHEMA ` + pgx.Identifier{name}.Sanitize() +
			fmt.Sprintf(`; DO $$ BEGIN EXECUTE format('ALTER DATABASE %%I SET search_path = %%I, extensions', current_database(), '%s'); END $$`, name))
		return e.at(t, config)
	}
	file := e.backup(t)
	for _, name := range []string{"crm", `My "own`} {
		other := at(name)
		other.must(t, "db", "restore", file)
		if diff := cmp.Diff(before, other.content(t)); diff != "" {
			t.Errorf("to %s: %s", name, diff)
		}
		if got := other.value(t, "SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = 'customer'::regclass"); strings.Trim(got, `"`) != strings.ReplaceAll(name, `"`, `""`) {
			t.Errorf("restored into %s, not %s", got, name)
		}
		e.must(t, "db", "restore", other.backup(t), "--database", e.config.Database)
		if diff := cmp.Diff(before, e.content(t)); diff != "" {
			t.Errorf("from %s: %s", name, diff)
		}
	}
}
