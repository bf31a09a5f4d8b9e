//go:build unix

package cli

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/epicevents/crm/cli/terminal"
	"github.com/epicevents/crm/internal/dbtest"
	"github.com/epicevents/crm/internal/localdb"
	"github.com/epicevents/crm/internal/pgclient"
	"github.com/epicevents/crm/internal/testprogram"
	"github.com/epicevents/crm/schema"
)

// at is the same employee at another database.
func (e *employee) at(t *testing.T, config *pgx.ConnConfig) *employee {
	t.Helper()
	other := e.beside(t, "")
	other.config, other.conn = config, dbtest.Connect(t, config)
	other.vars["CRM_DATABASE_URL"] = dbtest.URL(config)
	return other
}

// backup saves the database.
func (e *employee) backup(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "crm.backup")
	e.must(t, "db", "backup", file)
	return file
}

func (e *employee) value(t *testing.T, query string) (value string) {
	t.Helper()
	if err := e.conn.QueryRow(t.Context(), query).Scan(&value); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return value
}

// everything is what somebody who is logged in can see.
func (e *employee) everything(t *testing.T) map[string]string {
	t.Helper()
	e.as("administrator1")
	seen := map[string]string{}
	for _, line := range []string{"employee list", "customer list", "contract list", "event list"} {
		seen[line] = e.must(t, append(strings.Fields(line), "-o", "csv")...)
	}
	for contract := range strings.Lines(e.must(t, "contract", "list", "-o", "csv", "--no-header", "--fields", "id")) {
		contract = strings.TrimSpace(contract)
		seen[contract] = e.must(t, "contract", "payments", contract, "-o", "csv")
	}
	checked := e.crm("", "check", "-o", "csv")
	seen["check"] = fmt.Sprint(checked.code) + checked.out
	return seen
}

// rows counts what there is, so that a refusal can be seen to have changed nothing.
func (e *employee) rows(t *testing.T) string {
	t.Helper()
	return e.value(t, `SELECT concat_ws(' ', (SELECT count(*) FROM employee), (SELECT count(*) FROM customer), (SELECT sum(paid_amount) FROM contract),
		(SELECT count(*) FROM payment), (SELECT count(*) FROM event), (SELECT version FROM schema_migrations), (SELECT count(*) FROM pg_class))`)
}

// TestBackupAndRestore requires that everything is again as it was, down to the rules of the schema, and that nobody is
// logged in who was.
func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	e := asEmployee(t, "commercial1")
	e.sql(`UPDATE event SET note = E'back\\slash\n\\.\n' || note || 'é' WHERE id = 1;
		UPDATE customer SET company = 'COPY public.customer (id) FROM stdin;' WHERE id = 2;
		INSERT INTO customer (fullname, company, commercial_id, email, phone) SELECT 'A', 'B', commercial_id, 'a@b.fr', phone FROM customer LIMIT 1;
		DELETE FROM customer WHERE email = 'a@b.fr';
		INSERT INTO login_failure (username, peer, failures, retry_at) VALUES ('somebody', '', 3, now());
		INSERT INTO payment (id, contract_id, amount, recorded_by) VALUES (gen_random_uuid(), 'fb819b38-e035-4e65-b4ea-ae5076a82518', 1, 'commercial1')`)
	before := e.everything(t)
	file := e.backup(t)
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	e.sql("ALTER TABLE payment DISABLE TRIGGER payment_stays; DELETE FROM event; DELETE FROM payment; UPDATE contract SET total_amount = total_amount + 1; DELETE FROM employee WHERE username = 'none1'")

	for name, other := range map[string]*employee{
		"the same":      e.beside(t, ""),
		"a blank one":   e.at(t, dbtest.Blank(t)),
		"an empty one":  e.at(t, dbtest.Empty(t)),
		"with the rest": e.at(t, dbtest.Blank(t)),
	} {
		t.Run(name, func(t *testing.T) {
			arguments := []string{"db", "restore", file}
			switch name {
			case "the same":
				arguments = append(arguments, "--database", other.config.Database)
			case "with the rest":
				other.sql("CREATE TABLE report (id bigint); CREATE SCHEMA elsewhere; CREATE EXTENSION pg_trgm")
			}
			r := other.crm("", append(arguments, "-o", "json")...)
			if r.code != 0 || !strings.Contains(r.out, fmt.Sprintf(`"schema_version": %d`, schema.Version())) ||
				!strings.Contains(r.err, "Nobody is logged in, and scripts need new tokens.") {
				t.Fatalf("exit %d, %s%s", r.code, r.out, r.err)
			}
			if got := other.value(t, "SELECT concat((SELECT count(*) FROM session), (SELECT count(*) FROM login_failure))"); got != "00" {
				t.Errorf("sessions and failures: %s", got)
			}
			if diff := cmp.Diff(before, other.everything(t)); diff != "" {
				t.Error(diff)
			}
			other.as("administrator1")
			if checked := other.crm("", "check"); strings.Contains(checked.out, "schema_differs") || strings.Contains(checked.out, "rule_off") {
				t.Error(checked.out)
			}
			other.as("commercial1")
			added := other.must(t, "customer", "add", "--fullname", "A", "--company", "B", "--email", "a@b.fr", "--phone", "0145670102", "-o", "csv", "--fields", "id", "--no-header")
			if added != "16\n" { // 15 was somebody's
				t.Errorf("the next id is %s", added)
			}
		})
	}
}

// TestRestoreOfAnotherVersion takes the database back to the version of the backup, and forward from there.
func TestRestoreOfAnotherVersion(t *testing.T) {
	t.Parallel()
	e := asEmployee(t, "administrator1")
	old := e.at(t, dbtest.Sample(t))
	last, err := filepath.Glob(fmt.Sprintf("../schema/%06d_*.down.sql", schema.Version()))
	if err != nil || len(last) != 1 {
		t.Fatal(last, err)
	}
	old.sql(readFile(t, last[0]) + "; UPDATE schema_migrations SET version = version - 1")
	file := old.backup(t)

	r := e.crm("", "db", "restore", file, "--database", e.config.Database)
	if r.code != 0 || !strings.Contains(r.err, fmt.Sprintf("It is of schema version %d: crm db migrate brings the database to %d.", schema.Version()-1, schema.Version())) {
		t.Fatalf("exit %d, %s", r.code, r.err)
	}
	if r := e.crm("", "db", "status"); r.code != 7 || !strings.Contains(r.err, "hint: crm db migrate") {
		t.Errorf("exit %d, %s", r.code, r.err)
	}
	e.must(t, "db", "migrate")
	e.as("administrator1")
	if got := e.must(t, "contract", "list", "--count"); got != "20\n" {
		t.Errorf("%s contracts", got)
	}

	e.sql("UPDATE schema_migrations SET version = 99")
	if r := e.crm("", "db", "backup", file+".new"); r.code != 7 || !strings.Contains(r.err, "hint: install a newer crm") {
		t.Errorf("saving a newer one: exit %d, %s", r.code, r.err)
	}
	newer := filepath.Join(t.TempDir(), "newer")
	dumped(t, e.config, newer)
	const stood = "SELECT concat_ws(' ', (SELECT version FROM schema_migrations), (SELECT count(*) FROM contract), (SELECT count(*) FROM pg_class))"
	before := old.value(t, stood)
	r = old.crm("", "db", "restore", newer, "--database", old.config.Database)
	if r.code != 7 || r.out != "" || !strings.Contains(r.err, "The backup is of schema version 99") {
		t.Errorf("exit %d, %s", r.code, r.err)
	}
	r = e.crm("", "db", "restore", file, "--database", e.config.Database)
	if r.code != 7 || !strings.Contains(r.err, "The database is at schema version 99") {
		t.Errorf("onto a newer one: exit %d, %s", r.code, r.err)
	}
	if got := old.value(t, stood); got != before {
		t.Errorf("%s has become %s", before, got)
	}
}

// dumped saves a database as somebody without crm does.
func dumped(t *testing.T, config *pgx.ConnConfig, file string) {
	t.Helper()
	client, err := pgclient.Find(t.Context(), localdb.New(t.TempDir(), os.Getenv), pgclient.Dump, 0)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(client.Path, "--format=custom", "--file="+file, dbtest.URL(config)).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// TestRestoreRefused changes nothing.
func TestRestoreRefused(t *testing.T) {
	t.Parallel()
	e := asEmployee(t, "administrator1")
	file := e.backup(t)
	content := readFile(t, file)
	folder := t.TempDir()
	foreign, other := filepath.Join(folder, "foreign"), filepath.Join(folder, "other")
	blank := dbtest.Blank(t)
	dumped(t, blank, foreign)
	if _, err := dbtest.Connect(t, blank).Exec(t.Context(), "CREATE TABLE schema_migrations (version bigint, dirty boolean); INSERT INTO schema_migrations VALUES (3, false)"); err != nil {
		t.Fatal(err)
	}
	dumped(t, blank, other)
	for name, text := range map[string]string{"garbage": "garbage", "empty": "", "half": content[:len(content)/2], "most": content[:len(content)-len(content)/20]} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	before := e.rows(t)
	for _, test := range []struct {
		file, name, sql string
		code            int
		want            string
	}{
		{file, "", "", 6, "hint: crm db restore " + file + " --database " + e.config.Database},
		{file, "crm", "", 2, `not "crm"`},
		{file + "x", e.config.Database, "", 2, "no such file"},
		{folder, e.config.Database, "", 2, ""},
		{filepath.Join(folder, "garbage"), e.config.Database, "", 2, "not a backup of crm"},
		{filepath.Join(folder, "empty"), e.config.Database, "", 2, "not a backup of crm"},
		{filepath.Join(folder, "half"), e.config.Database, "", 2, "not a backup of crm"},
		{filepath.Join(folder, "most"), e.config.Database, "", 2, "not a backup of crm"},
		{foreign, e.config.Database, "", 2, "not a backup of crm"},
		{other, e.config.Database, "", 2, "not a backup of crm"},
		{file, e.config.Database, "CREATE VIEW open_contract AS SELECT * FROM contract", 6, "not crm's is in the way: view open_contract depends on table contract"},
		{file, e.config.Database, "DROP VIEW open_contract; CREATE TABLE report (contract_id uuid REFERENCES contract)", 6, "constraint report_contract_id_fkey on table report depends on table contract"},
	} {
		if test.sql != "" {
			e.sql(test.sql)
			before = e.rows(t)
		}
		arguments := []string{"db", "restore", test.file}
		if test.name != "" {
			arguments = append(arguments, "--database", test.name)
		}
		r := e.crm("", arguments...)
		if r.code != test.code || r.out != "" || !strings.Contains(r.err, test.want) {
			t.Errorf("%s onto %q: exit %d, want %d: %s%s", test.file, test.name, r.code, test.code, r.out, r.err)
		}
		if got := e.rows(t); got != before {
			t.Fatalf("%s: %s has become %s", test.file, before, got)
		}
	}
}

// TestKilledRestore kills a restore at some instant: the database is as it was, or as the backup has it.
func TestKilledRestore(t *testing.T) {
	t.Parallel()
	e := asEmployee(t, "")
	file := e.backup(t)
	restored := e.rows(t)
	for longest := 200 * time.Millisecond; ; longest *= 2 {
		e.sql("ALTER TABLE payment DISABLE TRIGGER payment_stays; DELETE FROM event WHERE id > 5; DELETE FROM payment")
		before := e.rows(t)
		command := exec.Command("crm", "db", "restore", file, "--database", e.config.Database)
		command.Env = e.environ()
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(rand.N(longest))
		_ = command.Process.Kill()
		err := command.Wait()
		for e.value(t, "SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database()") != "1" {
			time.Sleep(10 * time.Millisecond)
		}
		got := e.rows(t)
		if got != restored && (err == nil || got != before) {
			t.Fatalf("%v: %s, neither %s nor %s", err, got, before, restored)
		}
		if err == nil {
			return
		}
	}
}

// TestBackupLeavesTheOldOne where it fails, is interrupted or not wanted.
func TestBackupLeavesTheOldOne(t *testing.T) {
	t.Parallel()
	e := asEmployee(t, "")
	folder, bin := t.TempDir(), t.TempDir()
	file := filepath.Join(folder, "crm.backup")
	if err := os.WriteFile(file, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	intact := func(what string) {
		t.Helper()
		if entries, err := os.ReadDir(folder); err != nil || len(entries) != 1 || readFile(t, file) != "old" {
			t.Errorf("%s: %v, %v", what, entries, err)
		}
	}
	program := func(version, script string) {
		t.Helper()
		text := "#!/bin/sh\nif [ \"$1\" = --version ]; then echo 'pg_dump (PostgreSQL) " + version + "'; exit; fi\n" + script
		testprogram.Write(t, filepath.Join(bin, "pg_dump"), []byte(text))
	}
	if r := e.crm("", "db", "backup", file); r.code != 2 || !strings.Contains(r.err, "hint: --yes answers yes") {
		t.Errorf("exit %d, %s", r.code, r.err)
	}
	intact("not wanted")
	for _, name := range []string{folder, filepath.Join(folder, "no", "file"), "-", "", "/dev/null"} {
		if r := e.crm("", "db", "backup", name, "--yes"); r.code != 2 || r.out != "" {
			t.Errorf("%q: exit %d, %s", name, r.code, r.err)
		}
	}

	e.vars["CRM_POSTGRES_BIN"] = bin
	if r := e.crm("", "db", "backup", file, "--yes"); r.code != 7 || !strings.Contains(r.err, "pg_dump was not found") {
		t.Errorf("exit %d, %s", r.code, r.err)
	}
	program("9.6.24", "exit 0\n")
	if r := e.crm("", "db", "backup", file, "--yes"); r.code != 7 || !strings.Contains(r.err, "only of version 9 is installed, which is too old") {
		t.Errorf("exit %d, %s", r.code, r.err)
	}
	const half = "echo half\n"
	program("99.0", half+"echo 'pg_dump: error: query failed: the reason' >&2; exit 1\n")
	if r := e.crm("", "db", "backup", file, "--yes"); r.code != 7 || r.out != "" || !strings.Contains(r.err, "crm: pg_dump failed: query failed: the reason.\n") {
		t.Errorf("exit %d, %s", r.code, r.err)
	}
	program("99.0", half+"echo 'pg_dump: error: could not write to output file: No space left on device' >&2; exit 1\n")
	if r := e.crm("", "db", "backup", file, "--yes"); r.code != 1 || !strings.Contains(r.err, "the disk is full") {
		t.Errorf("exit %d, %s", r.code, r.err)
	}
	intact("failed")
	program("99.0", half+"exec sleep 60\n")
	e.vars["CRM_FILE"] = file
	if code, output := e.shell(t, `timeout --foreground --preserve-status -s INT 1 crm db backup "$CRM_FILE" --yes`); code != 130 {
		t.Errorf("exit %d, %s", code, output)
	}
	intact("interrupted")
	program("99.0", half)
	e.must(t, "db", "backup", file, "--yes")
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 || readFile(t, file) != "half\n" {
		t.Errorf("replaced: %v, %v", info.Mode(), err)
	}
}

// TestKilledBackup: what a killed backup leaves is for nobody else to read, and goes with the next backup to the folder;
// what another one writes stays.
func TestKilledBackup(t *testing.T) {
	t.Parallel()
	e := asEmployee(t, "")
	folder, bin := t.TempDir(), t.TempDir()
	script := "#!/bin/sh\nif [ \"$1\" = --version ]; then echo 'pg_dump (PostgreSQL) 99.0'; exit; fi\n" +
		"if [ -e " + bin + "/slow ]; then echo half; exec sleep 60; fi\necho half\n" // looks before it is seen at work
	for name, text := range map[string]string{"pg_dump": script, "slow": ""} {
		testprogram.Write(t, filepath.Join(bin, name), []byte(text))
	}
	e.vars["CRM_POSTGRES_BIN"] = bin
	partials := func() []string {
		found, err := filepath.Glob(filepath.Join(folder, ".*"))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	starts := func(name string) *exec.Cmd {
		before := partials()
		command := exec.Command("crm", "db", "backup", filepath.Join(folder, name))
		command.Env = e.environ()
		command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { // with its pg_dump
			_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
			_ = command.Wait()
		})
		isNew := func(file string) bool {
			text, err := os.ReadFile(file)
			return err == nil && string(text) == "half\n" && !slices.Contains(before, file)
		}
		for !slices.ContainsFunc(partials(), isNew) {
			time.Sleep(10 * time.Millisecond)
		}
		return command
	}
	killed := starts("killed")
	left := partials()
	if info, err := os.Stat(left[0]); err != nil || len(left) != 1 || info.Mode() != 0o600 {
		t.Errorf("%v: %v, %v", left, info.Mode(), err)
	}
	_ = killed.Process.Kill() // and not its pg_dump
	_ = killed.Wait()
	others := filepath.Join(folder, ".crm-backup-mine")
	if err := os.WriteFile(others, []byte("half\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	starts("running")
	running := slices.DeleteFunc(partials(), func(file string) bool { return file == others })
	if len(running) != 1 || running[0] == left[0] {
		t.Fatalf("%v after %v", running, left)
	}
	if err := os.Remove(filepath.Join(bin, "slow")); err != nil {
		t.Fatal(err)
	}
	e.must(t, "db", "backup", filepath.Join(folder, "done"))
	if got := partials(); !slices.Equal(got, append([]string{others}, running...)) && !slices.Equal(got, append(running, others)) {
		t.Errorf("%v are left, with %v running", got, running)
	}
}

// TestBackupEnvironment: the program is told what crm was told, not what the user's variables say, and no secret where
// others can see it.
func TestBackupEnvironment(t *testing.T) {
	t.Parallel()
	a := newApp(&terminal.Terminal{IO: terminal.IO{Getenv: func(name string) string {
		return map[string]string{"HOME": "/nowhere", "PGHOST": "evil.example", "PGOPTIONS": "-c x=y", "PGSERVICE": "evil", "SSL_CERT_FILE": "/dev/null"}[name]
	}}})
	for url, want := range map[string][]string{
		"postgres://anna:s3cret@127.0.0.1:6543/crm": {"PGHOST=127.0.0.1", "PGPORT=6543", "PGUSER=anna", "PGDATABASE=crm", "PGPASSWORD=s3cret"},
		"postgres://anna@one.example,two.example/crm?target_session_attrs=read-write": {"PGHOST=one.example,two.example", "PGPORT=5432,5432",
			"PGTARGETSESSIONATTRS=read-write", "PGSSLMODE=verify-full", "PGSSLROOTCERT=/dev/null"},
		"postgres://anna@db.example/crm?sslmode=require&sslcert=/c&sslkey=/k&options=-c%20role%3Dcrm": {"PGHOST=db.example", "PGSSLMODE=require",
			"PGSSLCERT=/c", "PGSSLKEY=/k", "PGOPTIONS=-c role=crm"},
	} {
		a.Config.DatabaseURL = url
		parsed := strings.NewReplacer("&sslcert=/c", "", "&sslkey=/k", "").Replace(url) // of files that pgx would read
		config, err := pgx.ParseConfig(parsed)
		if err != nil {
			t.Fatal(err)
		}
		got := a.clientConnection(config).Environment(15)
		for _, variable := range want {
			if !slices.Contains(got, variable) {
				t.Errorf("%s: %q lacks %s", url, got, variable)
			}
		}
		if text := strings.Join(got, " "); strings.Contains(text, "evil") || strings.Contains(text, "x=y") {
			t.Errorf("%s: %q", url, got)
		}
		if strings.Contains(url, "verify") && !slices.Contains(a.clientConnection(config).Environment(16), "PGSSLROOTCERT=system") {
			t.Errorf("%s: not the system's certificates", url)
		}
	}
}

// TestBackupThroughPgBouncer is refused: what pg_dump sets would stay with the session that others go on with.
func TestBackupThroughPgBouncer(t *testing.T) {
	t.Parallel()
	e := asEmployee(t, "")
	file := e.backup(t)
	pooled := dbtest.PgBouncer(t, e.config)
	e.vars["CRM_DATABASE_URL"] = fmt.Sprintf("postgres://%s@/%s?host=%s&port=%d&sslmode=disable", pooled.User, pooled.Database, pooled.Host, pooled.Port)
	before := e.rows(t)
	for _, arguments := range [][]string{{"db", "backup", file, "--yes"}, {"db", "restore", file, "--database", e.config.Database}} {
		if r := e.crm("", arguments...); r.code != 7 || !strings.Contains(r.err, "pooler such as PgBouncer") {
			t.Errorf("%q: exit %d, %s", arguments, r.code, r.err)
		}
	}
	if got := e.rows(t); got != before {
		t.Errorf("%s has become %s", before, got)
	}
}
