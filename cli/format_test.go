package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/epicevents/crm/cli/cmdline"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/cli/terminal"
)

// outputFormats are the arguments of each output format.
var outputFormats = map[string][]string{
	"table": {"-o", "table"}, "json": {"-o", "json"}, "jsonl": {"-o", "jsonl"}, "csv": {"-o", "csv"}, "markdown": {"-o", "markdown"},
	"excel": {"-o", "csv", "--csv-style", "excel-fr"},
}

// reading is a command that changes nothing.
type reading struct {
	line   string
	shape  shape
	single bool
}

var readings = sync.OnceValue(func() []reading { // not at the start of each crm that a test runs
	return []reading{
		{"employee list", shapeOf(employees), false},
		{"employee detail commercial1", shapeOf(employees), true},
		{"customer list", shapeOf(customers), false},
		{"customer detail 3", shapeOf(customers), true},
		{"contract list", shapeOf(contracts), false},
		{"contract detail b0f94a", shapeOf(contracts), true},
		{"contract detail fb819b", shapeOf(contracts), true},
		{"contract payments 771c41", shapeOf(payments), false},
		{"event list", shapeOf(events), false},
		{"event detail 1", shapeOf(events), true},
		{"event detail 10", shapeOf(events), true},
		{"today", shapeOf(workItems), false},
		{"today --for commercial1", shapeOf(workItems, "for"), false},
		{"find ines", shapeOf(finds), false},
		{"find 2026-3", shapeOf(finds), false},
		{"find nothing at all", shapeOf(finds), false},
		{"event clashes", shapeOf(clashes), false},
		{"event clashes --support support1", shapeOf(clashes, "support"), false},
		{"note list", shapeOf(notes), false},
		{"reminder list", shapeOf(reminders), false},
		{"reminder list --done --for support1", shapeOf(reminders, "done", "for"), false},
		{"event staff 8", shapeOf(candidates), false},
		{"event sheet 1", sheetShape(), true},
		{"event sheet 9", sheetShape(), true},
		{"auth whoami", shapeOf(whoami), true},
		{"auth sessions", shapeOf(logins), false},
		{"auth token list", shapeOf(tokens), false},
		{"auth permissions", shapeOf(permissions), false},
		{"config show", shapeOf(settings), false},
		{"history", shapeOf(changes), false},
		{"history customer 3", shapeOf(changes), false},
		{"history contract b0f94a", shapeOf(changes), false},
		{"history --since tomorrow", shapeOf(changes), false},
		{"changes", shapeOf(feed), false},
		{"undo c0000000 --dry-run", shapeOf(undone), false},
		{"contract reconcile -", shapeOf(reconciled), false},
		{"check", shapeOf(checkFindings), false},
		{"doctor --fields check,status,finding,advice", shapeOf(diagnosis), false},
		{"db status", shapeOf(databaseStatuses), true},
		{"version", shapeOf(versions), true},
		{"employee list --role-filter none", shapeOf(employees), false},
		{"customer list --search nowhere", shapeOf(customers), false},
		{"contract list --search nowhere", shapeOf(contracts), false},
		{"contract payments fb819b", shapeOf(payments), false},
		{"payment list", shapeOf(payments), false},
		{"payment list --voided", shapeOf(payments, "voided"), false},
		{"payment detail e38a5c24", shapeOf(payments), true},
		{"payment detail 3c0f7a65", shapeOf(payments), true},
		{"event list --cancelled", shapeOf(events, "cancelled"), false},
		{"customer list --archived", shapeOf(customers, "archived"), false},
		{"customer duplicates", shapeOf(duplicates), false},
		{"customer duplicates --archived", shapeOf(duplicates, "archived"), false},
		{"employee list --inactive", shapeOf(employees, "inactive"), false},
		{"contract list --status draft", shapeOf(contracts, "status"), false},
		{"employee handover commercial1 commercial2 --dry-run", shapeOf(handovers), false},
		{"event list --search nowhere", shapeOf(events), false},
		{"report receivables", shapeOf(groupedBy(receivables, []string{"age"})), false},
		{"report receivables --by customer,commercial", shapeOf(groupedBy(receivables, []string{"customer", "commercial"})), false},
		{"report revenue", shapeOf(groupedBy(revenue, []string{"month"})), false},
		{"report revenue --from tomorrow", shapeOf(groupedBy(revenue, []string{"month"})), false},
		{"report receipts --by month,method", shapeOf(groupedBy(receipts, []string{"month", "method"})), false},
		{"report workload --by support", shapeOf(groupedBy(workload, []string{"support"})), false},
		{"report pipeline --by commercial", shapeOf(groupedBy(pipeline, []string{"commercial"})), false},
	}
})

// readingInputs are what readings take from standard input.
var readingInputs = map[string]string{
	"contract reconcile -": "Date;Libellé;Montant\n02/11/2026;\"2026-0003 =a|b*_[x](y)_*\\\\ \"\"q\"\"; <b>&amp;\";+1 000,50\n03/11/2026;VIR;2\n",
}

func TestReadingsInEveryFormat(t *testing.T) {
	t.Parallel()
	e := asEmployee(t, "administrator1")
	e.sql(`UPDATE customer SET company = '=a|b*_[x](y)_*\\ "q"; <b>&amp;' WHERE id = 3;
		UPDATE event SET support_id = 7, start_at = '2026-02-12 10:00 Europe/Paris', end_at = NULL, clash_allowed = true WHERE id = 10;
		UPDATE customer SET email = (SELECT upper(left(email, 4)) || substr(email, 5) FROM customer WHERE id = 3) WHERE id IN (5, 14);
		INSERT INTO note (by, event_id, text) VALUES ('commercial1', 1, E'They called,\n|then wrote');
		INSERT INTO note (by, customer_id, text) VALUES ('commercial1', 1, 'They called');
		INSERT INTO reminder (due_on, for_id, event_id, text) VALUES ('2026-01-01', 7, 1, 'Call them');
		INSERT INTO reminder (due_on, for_id, contract_id, text, done_at) SELECT '2026-01-01', 7, id, 'Call them', now() FROM contract;
		UPDATE change SET batch = 'c0000000-0000-0000-0000-000000000000' WHERE resource = 'customer'`)
	// No older transaction of another test holds back a part of crm changes.
	e.sql(`DO $$ BEGIN WHILE (SELECT max(xid) >= pg_snapshot_xmin(pg_current_snapshot()) FROM change) LOOP PERFORM pg_sleep(0.02); END LOOP; END $$`)
	for _, c := range readings() {
		t.Run(c.line, func(t *testing.T) {
			t.Parallel()
			sameInEveryFormat(t, c.shape, c.single, nil, func(format []string) result {
				return e.crm(readingInputs[c.line], append(strings.Fields(c.line), format...)...)
			})
		})
	}
}

// sameInEveryFormat holds the formats of a command against its JSON. A volatile field only has to be there or not.
func sameInEveryFormat(t *testing.T, s shape, single bool, volatile []string, run func(format []string) result) {
	t.Helper()
	var want []row
	for _, name := range []string{"json", "jsonl", "csv", "excel", "table", "markdown"} {
		r := run(outputFormats[name])
		if r.code != 0 && r.code != exitCodes[exitFindings] {
			t.Errorf("%s: exit %d, %s", name, r.code, r.err)
			continue
		}
		got, err := rowsFrom(s, name, r.out, single)
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, r.out)
			continue
		}
		for _, r := range got {
			for _, field := range volatile {
				if r[field] != "" {
					r[field] = "something"
				}
			}
		}
		if name == "json" {
			want = got
			if single && len(got) != 1 {
				t.Fatalf("%d rows", len(got))
			}
			if len(got) == 0 && r.out != "[]\n" {
				t.Errorf("an empty list is %q", r.out)
			}
			continue
		}
		expected := want
		if !single && (name == "table" || name == "markdown") {
			expected = nil
			for _, r := range want {
				visible := row{}
				for _, f := range s.always {
					visible[f.Name] = r[f.Name]
				}
				expected = append(expected, visible)
			}
			if len(want) == 0 && (r.out != "" || r.err != "No data to display.\n") {
				t.Errorf("%s: an empty list is %q and %q", name, r.out, r.err)
			}
		}
		if s.paper && (name == "table" || name == "markdown") {
			expected = []row{{}}
			for _, f := range s.panel {
				expected[0][f.Name] = want[0][f.Name]
			}
		}
		if diff := cmp.Diff(expected, got); diff != "" {
			t.Errorf("%s is not what JSON is (-json +%s):\n%s", name, name, diff)
		}
	}
}

// writing is a command that changes something, in a way that can be repeated.
type writing struct {
	as, stdin string
	args      []string
	shape     shape
	volatile  []string // what differs from one time to the next
}

// undo is what has to be undone before a command can be repeated.
var undo = map[string]string{
	"customer add": "DELETE FROM customer WHERE email = 'k@d.example'",
	"customer merge": `INSERT INTO customer (id, fullname, commercial_id, email, address) OVERRIDING SYSTEM VALUE
		SELECT 99, 'Second', commercial_id, email, 'ici' FROM customer WHERE id = 3; UPDATE customer SET address = NULL WHERE id = 3`,
	"employee add":         "DELETE FROM employee WHERE username = 'lea'",
	"employee import":      "DELETE FROM employee WHERE username = 'lea'",
	"contract add-payment": "ALTER TABLE payment DISABLE TRIGGER payment_stays; DELETE FROM payment WHERE amount = 29",
	"reminder done":        "DELETE FROM reminder; INSERT INTO reminder (id, due_on, for_id, event_id, text) OVERRIDING SYSTEM VALUE VALUES (1, '2031-03-05', 7, 1, 'Call them')",
	"auth token":           "DELETE FROM session WHERE name = 'nightly'",
}

const goodPassword = "a long enough password"

var writings = sync.OnceValue(func() []writing { // not at the start of each crm that a test runs
	return []writing{
		{"administrator1", "", []string{"employee", "add", "--fullname", "Léa Martin", "--username", "lea"}, shapeOf(newEmployees), []string{"id", "updated_at", "one_time_password", "one_time_password_until"}},
		{"administrator1", goodPassword, []string{"employee", "add", "--fullname", "Léa Martin", "--username", "lea", "--password-stdin"}, shapeOf(employees), []string{"id", "updated_at"}},
		{"none1", "", []string{"auth", "token", "create", "nightly", "--read-only"}, shapeOf(newTokens), []string{"id", "created_at", "expires_at", "token"}},
		{"administrator1", "", []string{"employee", "update", "none1", "--fullname", "Ines K."}, shapeOf(employees), []string{"updated_at"}},
		{"administrator1", "", []string{"employee", "set-role", "none1", "--role", "support"}, shapeOf(employees), []string{"updated_at"}},
		{"administrator1", "", []string{"employee", "set-password", "none1"}, shapeOf(newEmployees), []string{"id", "updated_at", "one_time_password", "one_time_password_until"}},
		{"administrator1", goodPassword, []string{"employee", "set-password", "none1", "--password-stdin"}, shapeOf(employees), []string{"updated_at"}},
		{"administrator1", "", []string{"employee", "unlock", "none1"}, shapeOf(employees), nil},
		{"commercial1", "", []string{"customer", "add", "--fullname", "Kévin", "--company", "Cirque | Co", "--email", "k@d.example", "--phone", "01 45 67 01 02"}, shapeOf(customers), []string{"id", "created_at", "updated_at"}},
		{"commercial1", "", []string{"customer", "merge", "3", "99"}, shapeOf(customers), []string{"updated_at"}},
		{"commercial1", "", []string{"customer", "update", "3", "--phone", "+33612345678"}, shapeOf(customers), []string{"updated_at"}},
		{"administrator1", "", []string{"customer", "set-commercial", "3", "--commercial-username", "commercial2"}, shapeOf(customers), []string{"updated_at"}},
		{"administrator1", "", []string{"contract", "add", "--customer-id", "3", "--total-amount", "1 234,50"}, shapeOf(contracts), []string{"id", "number", "created_at", "updated_at"}},
		{"administrator1", "", []string{"contract", "update", "b0f94a", "--total-amount", "9999.99"}, shapeOf(contracts), []string{"updated_at"}},
		{"administrator1", "", []string{"contract", "sign", "fb819b"}, shapeOf(contracts), []string{"signed_at", "updated_at"}},
		{"administrator1", "", []string{"contract", "add-payment", "b0f94a", "--payment", "0.29", "--received", "2026-11-02", "--method", "card", "--reference", "VIR 12"}, shapeOf(recordedPayments), []string{"id", "recorded_at"}},
		{"administrator1", "", []string{"contract", "unsign", "2026-0018", "--reason", "by mistake"}, shapeOf(contracts), []string{"updated_at"}},
		{"administrator1", "", []string{"contract", "cancel", "2026-0007", "--reason", "=went|elsewhere"}, shapeOf(contracts), []string{"updated_at", "cancelled_at"}},
		{"administrator1", "", []string{"payment", "void", "e38a5c24", "--reason", "typed twice"}, shapeOf(payments), []string{"voided_at"}},
		{"commercial3", "", []string{"event", "cancel", "9", "--reason", "no snow"}, shapeOf(events), []string{"updated_at", "cancelled_at"}},
		{"commercial1", "", []string{"event", "add", "--contract-uuid", "ab0469a5", "--name", "Fête", "--start", "2026-12-01", "--attendees", "3"}, shapeOf(events), []string{"id", "updated_at"}},
		{"support1", "", []string{"event", "update", "1", "--note", "one\ntwo", "--clear", "location"}, shapeOf(events), []string{"updated_at"}},
		{"administrator1", "", []string{"event", "set-support", "8", "--username", "support2"}, shapeOf(events), []string{"updated_at"}},
		{"commercial1", "", []string{"note", "add", "customer", "3", "--text", "one|\ntwo"}, shapeOf(notes), []string{"id", "at"}},
		{"commercial1", "", []string{"reminder", "add", "event", "1", "--due", "2031-03-05", "--text", "one|\ntwo", "--for", "support1"}, shapeOf(reminders), []string{"id", "updated_at"}},
		{"support1", "", []string{"reminder", "done", "1"}, shapeOf(reminders), []string{"updated_at", "done_at"}},
		{"", goodPassword, []string{"auth", "login", "support1", "--password-stdin"}, shapeOf(whoami), []string{"expires_at"}},
		{"administrator1", "", []string{"employee", "deactivate", "none1"}, shapeOf(employees), []string{"updated_at"}},
		{"administrator1", "", []string{"employee", "reactivate", "support3"}, shapeOf(employees), []string{"updated_at"}},
		{"administrator1", "", []string{"customer", "restore", "14"}, shapeOf(customers), []string{"updated_at"}},
		{"administrator1", "", []string{"customer", "archive", "14"}, shapeOf(customers), []string{"updated_at"}},
		{"administrator1", "fullname,email,commercial\nZoé,z@o.example,commercial1\n", []string{"customer", "import", "-"}, shapeOf(importedRows), []string{"batch"}},
		{"administrator1", "customer_id;total_amount\n3;1 234,50\n", []string{"contract", "import", "-"}, shapeOf(importedRows), []string{"batch"}},
		{"administrator1", "number,amount,method\n2026-0003,0.01,card\n", []string{"payment", "import", "-"}, shapeOf(importedRows), []string{"batch"}},
		{"administrator1", "number,name,start\n2026-0002,Bal,2026-12-01T20:00:00+01:00\n", []string{"event", "import", "-"}, shapeOf(importedRows), []string{"batch"}},
		{"administrator1", "username,fullname\nlea,Léa\n", []string{"employee", "import", "-"}, shapeOf(importedRows), []string{"batch"}},
		{"", "", []string{"db", "set-password", "none1"}, shapeOf(newEmployees), []string{"updated_at", "one_time_password", "one_time_password_until"}},
		{"", "", []string{"db", "migrate"}, shapeOf(databaseStatuses), []string{"location"}},
		{"", "", []string{"db", "reset", "--yes"}, shapeOf(databaseStatuses), []string{"location"}},
	}
})

func TestWritingsInEveryFormat(t *testing.T) {
	t.Parallel()
	for _, c := range writings() {
		t.Run(strings.Join(c.args[:2], " "), func(t *testing.T) {
			t.Parallel()
			e, name := asEmployee(t, c.as), strings.Join(c.args[:2], " ")
			if c.as == "" { // for the login; a new password would end a session
				e.sql("UPDATE employee SET password_hash = '" + cheapHash(t, goodPassword) + "'")
			}
			sameInEveryFormat(t, c.shape, true, c.volatile, func(format []string) result {
				e.sql(undo[name])
				return e.crm(c.stdin, append(slices.Clone(c.args), format...)...)
			})
		})
	}
}

// TestFormatsKnowEveryCommand fails when a command that prints a resource is not in the tables above.
func TestFormatsKnowEveryCommand(t *testing.T) {
	t.Parallel()
	var lines []string
	for _, c := range readings() {
		lines = append(lines, "crm "+c.line)
	}
	for _, c := range writings() {
		lines = append(lines, "crm "+strings.Join(c.args, " "))
	}
	// One detail each, which stories look at: of a local database, and of a file.
	elsewhere := []string{"crm db start", "crm db backup", "crm db restore"}
	a := newApp(&terminal.Terminal{})
	a.Root = a.newRoot()
	for c := range a.Commands {
		name := cmdline.Path(a.Root, c)
		if prints := c.FlagSet.Lookup("fields") != nil; prints && !slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line+" ", name+" ") }) && !slices.Contains(elsewhere, name) {
			t.Errorf("%s is in no table of this test", name)
		}
	}
}

func TestRefusalsInEveryFormat(t *testing.T) {
	t.Parallel()
	e := asEmployee(t, "none1")
	administrator := asEmployee(t, "administrator1")
	commercial := asEmployee(t, "commercial1")
	nobody := asEmployee(t, "")
	lost := asEmployee(t, "none1")
	lost.vars["CRM_DATABASE_URL"] = "postgres://crm:hidden@127.0.0.1:1/crm"
	for name, c := range map[string]struct {
		d    *employee
		code int
		kind string
		args []string
	}{
		"not logged in":     {nobody, 3, "unauthenticated", []string{"contract", "list"}},
		"not logged in too": {nobody, 3, "unauthenticated", []string{"auth", "whoami"}},
		"wrong password":    {nobody, 3, "unauthenticated", []string{"auth", "login", "nobody1", "--password", "x"}},
		"unknown command":   {e, 2, "usage", []string{"contract", "lits"}},
		"unknown flag":      {e, 2, "usage", []string{"contract", "list", "--limt", "3"}},
		"bad value":         {e, 2, "usage", []string{"contract", "list", "--limit", "x"}},
		"unknown field":     {e, 2, "usage", []string{"contract", "list", "--fields", "id,due"}},
		"missing values":    {e, 2, "usage", []string{"contract", "add"}},
		"needs a yes":       {administrator, 2, "usage", []string{"employee", "delete", "none1"}},
		"role":              {e, 4, "permission_denied", []string{"contract", "sign", "fb819b"}},
		"no customer":       {e, 5, "not_found", []string{"customer", "detail", "999999"}},
		"no contract":       {e, 5, "not_found", []string{"contract", "payments", "123456"}},
		"no employee":       {e, 5, "not_found", []string{"contract", "list", "--commercial", "comercial1"}},
		"overpaid":          {administrator, 6, "conflict", []string{"contract", "add-payment", "b0f94a", "--payment", "99999999", "--payment-id", "5f0c1a52-8d0e-4c1a-9d62-3f1d1f0f7a10"}},
		"in charge":         {administrator, 6, "conflict", []string{"employee", "delete", "commercial1", "--yes"}},
		"there already":     {commercial, 6, "conflict", []string{"customer", "add", "--fullname", "Kévin", "--phone", "01 45 67 89 01"}},
		"duplicate":         {administrator, 6, "conflict", []string{"employee", "update", "none1", "--username", "support1"}},
		"no database":       {lost, 7, "unavailable", []string{"contract", "list"}},
		"no database too":   {lost, 7, "unavailable", []string{"db", "status"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for name, format := range outputFormats {
				r := c.d.crm("", append(slices.Clone(c.args), format...)...)
				if r.code != c.code || r.out != "" {
					t.Errorf("%s: exit %d, want %d; stdout %q, stderr %q", name, r.code, c.code, r.out, r.err)
				}
				isJSON := name == "json" || name == "jsonl"
				lines := strings.Split(strings.TrimPrefix(r.err, "warning: --password can be seen by others on this machine; use --password-stdin.\n"), "\n")
				if last := lines[len(lines)-1]; last != "" {
					t.Errorf("%s: the last line does not end: %q", name, r.err)
				}
				if !isJSON {
					if text := strings.Join(lines, "\n"); !refusal.MatchString(text) || strings.HasPrefix(text, "{") {
						t.Errorf("%s: %q", name, r.err)
					}
					continue
				}
				var got struct {
					Error struct{ Code, Message, Hint string }
				}
				decoder := json.NewDecoder(strings.NewReader(lines[0]))
				decoder.DisallowUnknownFields()
				if err := decoder.Decode(&got); err != nil || len(lines) != 2 || got.Error.Code != c.kind || got.Error.Message == "" {
					t.Errorf("%s: %v, %q", name, err, r.err)
				}
			}
		})
	}
}

// TestSchema holds the fields that scripts rely on. With -update new fields are added; one that goes or changes is only
// accepted after its file is deleted by hand.
func TestSchema(t *testing.T) {
	t.Parallel()
	e := asEmployee(t, "")
	var all []render.Description
	if err := json.Unmarshal([]byte(e.must(t, "schema")), &all); err != nil {
		t.Fatal(err)
	}
	for _, want := range all {
		file := filepath.Join("testdata", "schema", want.Resource+".json")
		out := e.must(t, "schema", want.Resource)
		var got render.Description
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("crm schema and crm schema %s differ:\n%s", want.Resource, diff)
		}
		text, err := os.ReadFile(file)
		var promised render.Description
		if err == nil {
			err = json.Unmarshal(text, &promised)
		}
		if err != nil && !*update {
			t.Fatal(err)
		}
		for _, f := range promised.Fields {
			if !slices.Contains(got.Fields, f) {
				t.Errorf("%s: scripts rely on %+v; delete the file to break them", file, f)
			}
		}
		if *update && !t.Failed() {
			if err := os.WriteFile(file, []byte(out), 0o644); err != nil {
				t.Fatal(err)
			}
		} else if diff := cmp.Diff(string(text), out); diff != "" {
			t.Errorf("%s (-want +got), go test ./cli -update accepts new fields:\n%s", file, diff)
		}
	}
	files, err := filepath.Glob("testdata/schema/*.json")
	if err != nil || len(files) != len(all) {
		t.Errorf("%d files in testdata/schema for %d resources, %v", len(files), len(all), err)
	}
}
