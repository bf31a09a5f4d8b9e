package schema_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/epicevents/crm/internal/dbtest"
)

// insufficient is the code of what a role may not do.
const insufficient = "42501"

// attack is what somebody may try who got hold of the server's role. %[1]s is the owner of the schema, %[2]s the role.
type attack struct {
	sql  string
	code string // insufficient unless it says otherwise
	from int    // the first version of PostgreSQL that knows the statement
}

// refused does each statement alone with the code of what may not be done.
func refused(statements ...string) (attacks []attack) {
	for _, sql := range statements {
		attacks = append(attacks, attack{sql: sql})
	}
	return attacks
}

var attacks = map[string][]attack{
	"reads a hash": append(refused(
		"SELECT password_hash FROM employee",
		"SELECT * FROM employee",
		"SELECT employee FROM employee",
		"SELECT employee::text FROM employee",
		"SELECT to_jsonb(employee) FROM employee",
		"SELECT count(password_hash) FROM employee",
		"SELECT username FROM employee WHERE password_hash LIKE '$argon2id$%%'",
		"SELECT username FROM employee ORDER BY password_hash",
		"SELECT username FROM employee GROUP BY username, password_hash",
		"SELECT query_to_xml('SELECT password_hash FROM employee', true, true, '')",
		"SELECT table_to_xml('employee', true, true, '')",
		"DECLARE hashes CURSOR WITH HOLD FOR SELECT password_hash FROM employee",
		"COPY employee TO STDOUT",
		"COPY employee (password_hash) TO STDOUT",
		"COPY (SELECT password_hash FROM employee) TO STDOUT",
		"CREATE TEMPORARY VIEW hashes AS SELECT password_hash FROM employee; SELECT * FROM hashes",
		"CREATE TEMPORARY TABLE hashes AS SELECT password_hash FROM employee",
		"CREATE FUNCTION pg_temp.hashes() RETURNS SETOF text LANGUAGE sql AS 'SELECT password_hash FROM public.employee'; SELECT pg_temp.hashes()",
		"DO $$ BEGIN PERFORM set_config('crm.hash', password_hash, false) FROM employee; END $$",
		"UPDATE employee SET fullname = password_hash",
		"UPDATE employee SET fullname = fullname RETURNING password_hash",
		"INSERT INTO employee (username, fullname, password_hash) SELECT 'mallory', password_hash, password_hash FROM employee",
		"INSERT INTO employee (username, fullname, password_hash) VALUES ('none1', 'x', '$argon2id$') ON CONFLICT (username) DO UPDATE SET fullname = employee.password_hash",
		"DELETE FROM employee WHERE username = 'none1' RETURNING password_hash",
		"UPDATE customer SET fullname = left(password_hash, 200) FROM employee",
		"EXPLAIN ANALYZE SELECT password_hash FROM employee",
		"ANALYZE employee (password_hash); SELECT * FROM pg_statistic",
		"SELECT rolpassword FROM pg_authid",
		"SELECT * FROM pg_shadow",
		"CREATE OR REPLACE VIEW employee_view AS SELECT id, username, password_hash AS fullname, role, active, last_login_at, password_one_time, last_login_at AS locked_until, updated_at FROM employee",
		"ALTER VIEW employee_password RENAME COLUMN username TO name",
	), attack{sql: "MERGE INTO employee USING (VALUES (1)) AS one (n) ON true WHEN MATCHED THEN UPDATE SET fullname = password_hash", from: 15}),
	"changes what was recorded": append(refused(
		"UPDATE payment SET amount = 1",
		"UPDATE payment SET recorded_at = now()",
		"UPDATE payment SET recorded_by = 'somebody'",
		"DELETE FROM payment",
		"TRUNCATE payment",
		"UPDATE change SET by = 'somebody'",
		"DELETE FROM change",
		"TRUNCATE change",
		"INSERT INTO change (by, batch, resource, resource_id, after) VALUES ('somebody', gen_random_uuid(), 'payment', '1', '{}')",
		"SELECT * FROM change",
		"SELECT FROM change FOR UPDATE",
		"SELECT setval('change_id_seq', 1)",
		"ALTER TABLE customer DISABLE TRIGGER customer_changed",
		"DROP TRIGGER customer_changed ON customer",
		"SELECT record_change()",
		"TRUNCATE customer CASCADE",
		"TRUNCATE session, login_failure",
		"SELECT FROM payment FOR UPDATE",
		"SELECT FROM payment FOR KEY SHARE",
		"INSERT INTO payment SELECT * FROM payment ON CONFLICT (id) DO UPDATE SET amount = 1",
		"BEGIN; LOCK TABLE payment IN ACCESS EXCLUSIVE MODE",
		"BEGIN; LOCK TABLE contract IN EXCLUSIVE MODE",
		"DELETE FROM contract",
		"DELETE FROM customer",
		"DELETE FROM event",
		"UPDATE contract SET paid_amount = 0",
		"UPDATE contract SET created_at = now()",
		"UPDATE contract SET id = gen_random_uuid()",
		"INSERT INTO contract (customer_id, total_amount, paid_amount) VALUES (1, 100, 100)",
		"UPDATE event SET id = DEFAULT",
		"UPDATE event SET contract_id = gen_random_uuid()",
		"UPDATE employee SET id = DEFAULT",
		"UPDATE employee SET password_one_time_until = 'infinity'",
		"UPDATE session SET expires_at = 'infinity'",
		"UPDATE session SET employee_id = 1",
		"UPDATE session SET read_only = false",
		"UPDATE session SET calendar = false",
		"UPDATE schema_migrations SET version = 1",
		"DELETE FROM schema_migrations",
		"INSERT INTO schema_migrations VALUES (1, true)",
		"UPDATE employee_password SET username = 'x'",
		"DELETE FROM session_view",
		"SELECT setval('customer_id_seq', 1)",
		"SELECT nextval('customer_id_seq')",
		"SELECT nextval('employee_id_seq')",
		"SELECT last_value FROM employee_id_seq",
		"SELECT payment_sum()",
		"SELECT merge_rows('customer'::regclass, 1, 2, NULL)",
	),
		attack{sql: "MERGE INTO payment USING (VALUES (1)) AS one (n) ON true WHEN MATCHED THEN DELETE", from: 15},
		attack{sql: "UPDATE customer SET id = 1000", code: "428C9"}, // nobody may
		attack{sql: "UPDATE customer_view SET fullname = 'x'", code: "55000"},
		attack{sql: "UPDATE customer SET commercial_role = 'support'", code: "428C9"}),
	"switches a rule off": append(refused(
		"SET session_replication_role = replica",
		"SELECT set_config('session_replication_role', 'replica', false)",
		"ALTER TABLE payment DISABLE TRIGGER ALL",
		"ALTER TABLE payment DISABLE TRIGGER payment_sum",
		"DROP TRIGGER payment_sum ON payment",
		"ALTER TRIGGER payment_sum ON payment RENAME TO other",
		"CREATE TRIGGER more BEFORE INSERT ON payment FOR EACH ROW EXECUTE FUNCTION payment_lock()",
		"CREATE CONSTRAINT TRIGGER more AFTER INSERT ON payment FOR EACH ROW EXECUTE FUNCTION payment_lock()",
		"ALTER TABLE contract DROP CONSTRAINT contract_not_overpaid",
		"ALTER TABLE contract ADD CONSTRAINT more CHECK (false)",
		"ALTER TABLE contract ALTER CONSTRAINT contract_customer_fkey DEFERRABLE",
		"ALTER TABLE contract ALTER COLUMN total_amount TYPE numeric",
		"ALTER TABLE contract ALTER COLUMN paid_amount SET DEFAULT 5",
		"ALTER TABLE contract ADD COLUMN more text",
		"ALTER TABLE contract RENAME TO other",
		"ALTER TABLE contract SET SCHEMA pg_catalog",
		"ALTER TABLE contract INHERIT customer",
		"ALTER TABLE contract SET UNLOGGED",
		"ALTER TABLE contract OWNER TO %[2]s",
		"ALTER TABLE employee ENABLE ROW LEVEL SECURITY",
		"CREATE POLICY none ON employee USING (false)",
		"CREATE RULE none AS ON INSERT TO payment DO INSTEAD NOTHING",
		"DROP RULE \"_RETURN\" ON customer_view",
		"DROP INDEX customer_search",
		"ALTER INDEX employee_username_key RENAME TO other",
		"DROP TABLE payment",
		"DROP VIEW customer_view",
		"DROP FUNCTION payment_sum() CASCADE",
		"DROP TYPE role CASCADE",
		"DROP SCHEMA public CASCADE",
		"DROP EXTENSION pg_trgm CASCADE",
		"DROP OWNED BY %[1]s",
		"REASSIGN OWNED BY %[1]s TO %[2]s",
		"DROP DATABASE postgres",
		"ALTER TYPE role ADD VALUE 'director'",
		"ALTER FUNCTION payment_sum() RESET ALL",
		"ALTER FUNCTION employee_password_is(bigint, text) SECURITY INVOKER",
		"ALTER FUNCTION fold(text) OWNER TO %[2]s",
		"CREATE OR REPLACE FUNCTION payment_sum() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
		"CREATE OR REPLACE FUNCTION is_line(value text) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS 'SELECT true'",
		"ALTER SEQUENCE customer_id_seq RESTART",
		"COMMENT ON CONSTRAINT contract_not_overpaid ON contract IS 'Well done.'",
		"COMMENT ON TRIGGER payment_sum ON payment IS NULL",
		"COMMENT ON TABLE payment IS 'mine'",
		"UPDATE pg_trigger SET tgenabled = 'D'",
		"DELETE FROM pg_constraint",
		"INSERT INTO pg_description SELECT * FROM pg_description",
		"REINDEX TABLE payment",
		"CLUSTER payment USING payment_pkey",
	), attack{sql: "SET CONSTRAINTS ALL DEFERRED; DELETE FROM payment"}),
	"makes something": append(refused(
		"CREATE TABLE mine (n int)",
		"CREATE TABLE public.mine AS SELECT 1",
		"SELECT 1 AS n INTO mine",
		"CREATE VIEW mine AS SELECT 1",
		"CREATE MATERIALIZED VIEW mine AS SELECT 1",
		"CREATE SEQUENCE mine",
		"CREATE FUNCTION fold(value varchar) RETURNS text LANGUAGE sql AS 'SELECT 1::text'",
		"CREATE FUNCTION pg_catalog.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
		"CREATE FUNCTION information_schema.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
		"CREATE PROCEDURE mine() LANGUAGE sql AS 'SELECT 1'",
		"CREATE AGGREGATE mine (int) (SFUNC = int4pl, STYPE = int)",
		"CREATE OPERATOR === (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq)",
		"CREATE OPERATOR CLASS mine FOR TYPE text USING btree AS OPERATOR 1 <",
		"CREATE TYPE mine AS (n int)",
		"CREATE TYPE mine AS ENUM ('a')",
		"CREATE DOMAIN mine AS text",
		"CREATE COLLATION mine FROM \"C\"",
		"CREATE CONVERSION mine FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8",
		"CREATE TEXT SEARCH CONFIGURATION mine (COPY = simple)",
		"CREATE STATISTICS mine ON fullname, company FROM customer",
		"CREATE INDEX mine ON customer (company)",
		"CREATE SCHEMA mine",
		"CREATE SCHEMA AUTHORIZATION %[2]s",
		"CREATE DATABASE mine",
		"CREATE ROLE mine",
		"CREATE TABLESPACE mine LOCATION '/tmp'",
		"CREATE EXTENSION dblink",
		"CREATE EXTENSION postgres_fdw",
		"CREATE EXTENSION file_fdw",
		"CREATE EXTENSION hstore",
		"CREATE FOREIGN DATA WRAPPER mine",
		"CREATE PUBLICATION mine FOR TABLE customer",
		"CREATE PUBLICATION mine FOR ALL TABLES",
		"CREATE EVENT TRIGGER mine ON ddl_command_start EXECUTE FUNCTION payment_lock()",
		"CREATE LANGUAGE mine HANDLER plpgsql_call_handler",
		"CREATE CAST (text AS integer) WITHOUT FUNCTION",
		"CREATE FUNCTION pg_temp.mine() RETURNS int LANGUAGE c AS 'libc', 'system'",
		"CREATE FUNCTION pg_temp.mine(internal) RETURNS internal LANGUAGE internal AS 'pg_ls_dir'",
		"ALTER SCHEMA public RENAME TO other",
		"ALTER EXTENSION pg_trgm SET SCHEMA pg_catalog",
	),
		attack{sql: "CREATE SERVER mine FOREIGN DATA WRAPPER postgres_fdw", code: "42704"}, // which nobody could make
		attack{sql: "CREATE TRANSFORM FOR integer LANGUAGE sql (FROM SQL WITH FUNCTION int4send(integer))", code: "42501 42P17 42809"},
		attack{sql: "CREATE FUNCTION pg_temp.mine() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM public.payment; RETURN NULL; END'; " +
			"CREATE TEMPORARY TABLE t (n int); CREATE TRIGGER t BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION pg_temp.mine(); INSERT INTO t VALUES (1)"}),
	"becomes somebody": append(refused(
		"SET ROLE %[1]s",
		"SET SESSION AUTHORIZATION %[1]s",
		"SELECT set_config('role', '%[1]s', false)",
		"GRANT %[1]s TO %[2]s",
		"GRANT pg_read_all_data TO %[2]s",
		"GRANT pg_execute_server_program TO %[2]s",
		"ALTER ROLE %[2]s SUPERUSER",
		"ALTER ROLE %[2]s CREATEROLE",
		"ALTER ROLE %[2]s CREATEDB",
		"ALTER ROLE %[2]s REPLICATION",
		"ALTER ROLE %[2]s BYPASSRLS",
		"ALTER ROLE %[2]s SET session_replication_role = replica",
		"ALTER ROLE %[2]s SET log_parameter_max_length = -1",
		"ALTER ROLE %[2]s SET session_preload_libraries = 'evil'",
		"ALTER ROLE %[1]s SET search_path = pg_temp",
		"ALTER ROLE %[1]s PASSWORD 'known'",
		"ALTER ROLE ALL SET search_path = pg_temp",
		"DO $$ BEGIN EXECUTE format('ALTER DATABASE %%I SET search_path = pg_temp', current_database()); END $$",
		"DO $$ BEGIN EXECUTE format('ALTER DATABASE %%I OWNER TO %[2]s', current_database()); END $$",
		"ALTER DEFAULT PRIVILEGES FOR ROLE %[1]s GRANT ALL ON TABLES TO %[2]s",
		"ALTER SYSTEM SET log_statement = 'all'",
		"SET log_statement = 'none'",
		"DROP ROLE %[1]s",
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '%[1]s' AND pid <> pg_backend_pid()",
		"SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE usename = '%[1]s' AND pid <> pg_backend_pid()",
	), attack{sql: "ALTER ROLE %[2]s RENAME TO other", code: "0A000"}),
	"reaches the machine": append(refused(
		"COPY (SELECT 1) TO PROGRAM 'id'",
		"COPY customer FROM PROGRAM 'id'",
		"CREATE TEMPORARY TABLE t (line text); COPY t FROM PROGRAM 'id'",
		"CREATE TEMPORARY TABLE t (line text); COPY t FROM '/etc/passwd'",
		"COPY (SELECT 1) TO '/tmp/crm-attack'",
		"SELECT pg_read_file('postgresql.conf')",
		"SELECT pg_read_file('/etc/passwd')",
		"SELECT pg_read_binary_file('global/pg_control')",
		"SELECT pg_ls_dir('.')",
		"SELECT pg_stat_file('.')",
		"SELECT pg_ls_logdir()",
		"SELECT pg_ls_waldir()",
		"SELECT * FROM pg_hba_file_rules",
		"SELECT * FROM pg_file_settings",
		"SELECT lo_import('/etc/passwd')",
		"SELECT lo_export(0, '/tmp/crm-attack')",
		"SELECT FROM pg_largeobject",
		"SELECT lo_get(424242)",
		"SELECT lo_unlink(424242)",
		"SELECT lo_put(424242, 0, 'x')",
		"GRANT SELECT ON LARGE OBJECT 424242 TO %[2]s",
		"SELECT pg_reload_conf()",
		"SELECT pg_rotate_logfile()",
		"SELECT pg_switch_wal()",
		"SELECT pg_promote()",
		"SELECT pg_create_restore_point('x')",
		"SELECT pg_stat_reset()",
		"SELECT pg_create_physical_replication_slot('mine')",
		"CHECKPOINT",
		"LOAD '/tmp/evil.so'",
	),
		attack{sql: "DO LANGUAGE plpython3u 'import os'", code: "42704"},
		attack{sql: "DO LANGUAGE plperlu 'system(1)'", code: "42704"},
		attack{sql: "SELECT dblink_connect('dbname=postgres')", code: "42883"},
		attack{sql: "CREATE SUBSCRIPTION mine CONNECTION 'dbname=postgres' PUBLICATION mine WITH (connect = false)"}),
	// Rules hold that somebody tries to lead astray, to a table of the same name that the server looks at first.
	"shadows a table": {
		{code: byTrigger, sql: "CREATE TEMPORARY TABLE employee AS SELECT 1 AS id, 'administrator'::role AS role; DELETE FROM public.employee WHERE role = 'administrator'"},
		{code: byTrigger, sql: "CREATE TEMPORARY TABLE employee AS SELECT 1 AS id, 'administrator'::role AS role; UPDATE public.employee SET role = 'none' WHERE role = 'administrator'"},
		{code: byTrigger, sql: "CREATE TEMPORARY TABLE customer (commercial_id bigint); CREATE TEMPORARY TABLE event (support_id bigint); DELETE FROM public.employee WHERE username = 'commercial1'"},
		{code: check, sql: "CREATE TEMPORARY TABLE contract (id uuid, paid_amount bigint); INSERT INTO payment (id, contract_id, amount, recorded_by) SELECT gen_random_uuid(), id, total_amount + 1, 'x' FROM public.contract"},
		{code: check, sql: "CREATE FUNCTION pg_temp.is_line(text) RETURNS boolean LANGUAGE sql AS 'SELECT true'; SET search_path = pg_temp, public; UPDATE customer SET company = ''"},
		{code: byTrigger, sql: "CREATE TEMPORARY TABLE pg_trigger (oid oid, tgrelid oid, tgname name); DELETE FROM public.employee WHERE role = 'administrator'"},
	},
}

// inVain are statements that PostgreSQL takes and that do nothing to anybody else, nor show a hash.
var inVain = []string{
	"SELECT schema_to_xml('public', true, true, '')",
	"SELECT * FROM pg_stats WHERE tablename = 'employee'",
	"SELECT query FROM pg_stat_activity",
	"GRANT SELECT ON customer TO PUBLIC",
	"GRANT ALL ON customer TO %[2]s WITH GRANT OPTION",
	"GRANT CREATE ON SCHEMA public TO %[2]s",
	"REVOKE ALL ON customer FROM %[1]s",
	"VACUUM payment",
	"ANALYZE payment",
}

// lastingly is all that a role could change for others: rows, definitions, rights and settings.
func lastingly(t *testing.T, conn *pgx.Conn) map[string][]string {
	t.Helper()
	found := contents(t, conn)
	found["definitions"] = []string{dumpOn(t, conn)}
	maps.Copy(found, map[string][]string{
		"relations": all[string](t, conn, "SELECT concat_ws(' ', oid, relname, relowner, relacl) FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1"),
		"columns":   all[string](t, conn, "SELECT concat_ws(' ', attrelid::regclass, attname, attacl) FROM pg_attribute WHERE attacl IS NOT NULL ORDER BY 1"),
		"functions": all[string](t, conn, "SELECT concat_ws(' ', oid, proname, proowner, proacl) FROM pg_proc WHERE pronamespace::regnamespace::text !~ '^pg_temp' ORDER BY 1"),
		"schemas":   all[string](t, conn, "SELECT concat_ws(' ', nspname, nspowner, nspacl) FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp' ORDER BY 1"),
		"databases": all[string](t, conn, "SELECT concat_ws(' ', datname, datdba, datacl) FROM pg_database WHERE datname = current_database()"),
		"others": all[string](t, conn, `
			SELECT 'operator ' || count(*) FROM pg_operator
			UNION ALL SELECT 'extension ' || count(*) FROM pg_extension
			UNION ALL SELECT 'cast ' || count(*) FROM pg_cast
			UNION ALL SELECT 'language ' || count(*) FROM pg_language
			UNION ALL SELECT 'object ' || count(*) FROM pg_largeobject_metadata
			UNION ALL SELECT 'publication ' || count(*) FROM pg_publication
			UNION ALL SELECT 'event trigger ' || count(*) FROM pg_event_trigger
			UNION ALL SELECT 'default ' || count(*) FROM pg_default_acl`),
		"settings": all[string](t, conn, "SELECT concat_ws(' ', setrole::regrole, setconfig) FROM pg_db_role_setting WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())"),
	})
	return found
}

// TestAttacks: who has the server's role, and any SQL, destroys nothing, switches nothing off, and reads no hash.
func TestAttacks(t *testing.T) {
	t.Parallel()
	config := dbtest.Sample(t)
	owner := dbtest.Connect(t, config)
	run(t, owner, "SELECT lo_from_bytea(424242, 'secret')")
	run(t, owner, "INSERT INTO session (id, employee_id) SELECT gen_random_uuid(), id FROM employee WHERE username = 'none1'")
	granted := dbtest.Granted(t, config)
	user := one[string](t, owner, "SELECT quote_ident(current_user)")
	version := one[int](t, owner, "SELECT current_setting('server_version_num')::int / 10000")
	hash := one[string](t, owner, "SELECT password_hash FROM employee WHERE username = 'none1'")
	before := lastingly(t, owner)

	// try runs statements on a connection of their own.
	try := func(t *testing.T, sql string) error {
		t.Helper()
		conn, err := pgx.ConnectConfig(t.Context(), granted)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		results, err := conn.PgConn().Exec(t.Context(), sql).ReadAll()
		var shown strings.Builder
		for _, result := range results {
			fmt.Fprintf(&shown, "%s", result.Rows)
		}
		if answer, ok := errors.AsType[*pgconn.PgError](err); ok {
			fmt.Fprintf(&shown, "%+v", *answer)
		}
		if strings.Contains(shown.String(), hash) {
			t.Errorf("the answer to %s has the hash in it", sql)
		}
		return err
	}
	count := 0
	for aim, tried := range attacks {
		for _, a := range tried {
			if a.from > version {
				continue
			}
			count++
			sql := strings.ReplaceAll(a.sql, "%%", "%")
			sql = strings.NewReplacer("%[1]s", user, "%[2]s", granted.User).Replace(sql)
			code := a.code
			if code == "" {
				code = insufficient
			}
			err := try(t, sql)
			if answer := refusal(t, err); answer == nil {
				t.Errorf("%s: done: %s", aim, sql)
			} else if !strings.Contains(code, answer.Code) {
				t.Errorf("%s: %s: %v; want %s", aim, sql, answer, code)
			}
		}
	}
	run(t, owner, "ANALYZE")
	for _, sql := range inVain {
		count++
		_ = try(t, strings.NewReplacer("%[1]s", user, "%[2]s", granted.User).Replace(sql))
	}
	if diff := cmp.Diff(before, lastingly(t, owner)); diff != "" {
		t.Errorf("something has changed: %s", diff)
	}
	if count < 200 {
		t.Errorf("only %d attacks", count)
	}
	t.Logf("%d attacks on PostgreSQL %d, each refused", count, version)
}
