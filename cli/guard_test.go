package cli

import (
	"bytes"
	"context"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/cmdline"
	"github.com/epicevents/crm/cli/config"
	"github.com/epicevents/crm/cli/manual"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/cli/terminal"
	"github.com/epicevents/crm/internal/columns"
	"github.com/epicevents/crm/schema"
	"github.com/epicevents/crm/service"
)

// TestTreeInPart: a line that names a command finds it in the part of the tree that is built for this line, as in the whole.
func TestTreeInPart(t *testing.T) {
	t.Parallel()
	a := newApp(&terminal.Terminal{})
	a.Root = a.newRoot()
	for _, r := range a.resources() {
		if built := r.build(); built.Name != r.name {
			t.Errorf("%s builds %s", r.name, built.Name)
		}
	}
	cmdline.Walk(a.Root, "", func(c *ffcli.Command, path string) {
		args := strings.Fields(path)[1:]
		whole, part := a.newRoot(), a.newRootFor(args)
		_, inWhole, err := cmdline.Permute(whole, args)
		_, inPart, partErr := cmdline.Permute(part, args)
		if got, want := cmdline.Path(part, inPart), cmdline.Path(whole, inWhole); got != want || err != nil || partErr != nil {
			t.Errorf("%s: %s, %v; in the whole %s, %v", path, got, partErr, want, err)
		}
	})
}

// TestTree holds each command to a purpose, examples, and help for each flag.
func TestTree(t *testing.T) {
	t.Parallel()
	a := newApp(&terminal.Terminal{})
	a.Root = a.newRoot()
	for _, problem := range cmdline.Check(a.Root) {
		t.Error(problem)
	}
	cmdline.Walk(a.Root, "", func(c *ffcli.Command, path string) {
		if c.ShortHelp == "" || strings.ContainsAny(c.ShortHelp, "\n") || strings.HasSuffix(c.ShortHelp, ".") {
			t.Errorf("%s: the purpose %q is not one line without a full stop", path, c.ShortHelp)
		}
		if a.IsGroup(c) != (c.LongHelp == "") {
			t.Errorf("%s: a command has examples, a group has none: %q", path, c.LongHelp)
		} else if len(c.Subcommands) == 0 && a.IsGroup(c) {
			t.Errorf("%s is not declared with app.command", path)
		}
		for example := range strings.Lines(c.LongHelp) {
			if !strings.Contains(example, path) || strings.TrimSpace(example) == "" {
				t.Errorf("%s: %q is not an example of it", path, example)
			}
		}
		c.FlagSet.VisitAll(func(f *flag.Flag) {
			spelled, help := manual.FlagHelp(f)
			placeholder := strings.TrimPrefix(spelled, cmdline.Dashed(f.Name))
			if help == "" || strings.ContainsAny(help, "`\n") || strings.HasSuffix(help, ".") {
				t.Errorf("%s %s: the help %q is not one line without a full stop", path, cmdline.Dashed(f.Name), help)
			}
			if cmdline.IsSwitch(f) != (placeholder == "") || placeholder != strings.ToUpper(placeholder) && placeholder != " FIELD[:desc]" {
				t.Errorf("%s %s: %q is not the placeholder of its value", path, cmdline.Dashed(f.Name), placeholder)
			}
		})
	})
}

// TestFiltersNameTheirColumns has each flag that filters a list say what it means for the width of a table: it leaves one
// value in a column, or asks about one. What it is that only some rows have need not be said here.
func TestFiltersNameTheirColumns(t *testing.T) {
	t.Parallel()
	lists := map[string][]render.Look{
		"crm employee list":     employees.Looks,
		"crm customer list":     customers.Looks,
		"crm contract list":     contracts.Looks,
		"crm contract payments": payments.Looks,
		"crm payment list":      payments.Looks,
		"crm history":           changes.Looks,
		"crm event list":        events.Looks,
	}
	ofNoColumn := []string{"sort", "limit", "fields", "count", "total", "search", "open"}
	nowhere := map[string]bool{}
	for _, looks := range lists {
		for _, look := range looks {
			for _, flag := range slices.Concat(look.SameBy, look.KeptBy) {
				nowhere[look.Column+" by --"+flag] = true
			}
		}
	}
	a := newApp(&terminal.Terminal{})
	a.Root = a.newRoot()
	cmdline.Walk(a.Root, "", func(c *ffcli.Command, path string) {
		looks, ok := lists[path]
		if !ok {
			return
		}
		delete(lists, path)
		c.FlagSet.VisitAll(func(f *flag.Flag) {
			known := slices.Contains(ofNoColumn, f.Name)
			for _, look := range looks {
				known = known || slices.Contains(look.SameBy, f.Name) || slices.Contains(look.KeptBy, f.Name)
			}
			if !known {
				t.Errorf("%s --%s: no look says of a column that it is the same by it, or kept by it", path, f.Name)
			}
		})
		for _, look := range looks {
			for _, flag := range slices.Concat(look.SameBy, look.KeptBy) {
				nowhere[look.Column+" by --"+flag] = nowhere[look.Column+" by --"+flag] && c.FlagSet.Lookup(flag) == nil
			}
		}
	})
	for path := range lists {
		t.Errorf("there is no %s", path)
	}
	for what, so := range nowhere {
		if so {
			t.Errorf("a look says %s, which is a flag of no list with it", what)
		}
	}
}

// rights are who may be asked to run an example, those with the fewest first.
var rights = []string{"none1", "support1", "support2", "commercial1", "commercial2", "commercial3", "administrator1"}

// exampleDatabases are what a command finds, where that is not the sample data.
var exampleDatabases = map[string]string{
	"crm db populate":          "TRUNCATE customer, contract, payment, event, note, reminder",
	"crm auth token revoke":    "INSERT INTO session (id, employee_id, name, secret_hash) SELECT gen_random_uuid(), id, 'nightly', sha256('') FROM employee",
	"crm auth sessions revoke": "INSERT INTO session (id, employee_id) SELECT '5f0c1a52-8d0e-4c1a-9d62-3f1d1f0f7a10', id FROM employee WHERE username = 'none1'",
	"crm db grant":             "DO $$ BEGIN CREATE ROLE crm_app; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$",
	"crm db migrate":           "TRUNCATE employee, session, customer, contract, payment, event, note, reminder, change",
	"crm reminder done":        "INSERT INTO reminder (due_on, for_id, event_id, text) VALUES ('2031-03-05', 7, 1, 'Call them')",
	"crm reminder delete":      "INSERT INTO reminder (due_on, for_id, event_id, text) VALUES ('2031-03-05', 7, 1, 'Call them')",
	"crm undo":                 "UPDATE change SET batch = '5f0c1a52-8d0e-4c1a-9d62-3f1d1f0f7a10' WHERE resource = 'customer'",
	"crm changes":              "UPDATE change SET xid = '42', batch = '5f0c1a52-8d0e-4c1a-9d62-3f1d1f0f7a10' WHERE id = 17",
	"crm db restore":           "TRUNCATE employee, session, customer, contract, payment, event, note, reminder, change",
}

// TestExamples runs each example of the help of each command in a shell, as the first who may. One that asks at a
// terminal may instead name the flag that answers.
func TestExamples(t *testing.T) {
	t.Parallel()
	requireProgram(t, "bash", "bash") // for <(...)
	requireProgram(t, "jq", "jq")
	hash, shared := cheapHash(t, schema.SamplePassword), asEmployee(t, "")
	a := newApp(&terminal.Terminal{})
	a.Root = a.newRoot()
	cmdline.Walk(a.Root, "", func(c *ffcli.Command, path string) {
		for example := range strings.Lines(c.LongHelp) {
			example = strings.TrimSpace(example)
			t.Run(example, func(t *testing.T) {
				t.Parallel()
				var e *employee
				if changesNothing(path) {
					e = shared.beside(t, "")
				} else {
					e = asEmployee(t, "")
					e.sql("UPDATE employee SET password_hash = '" + hash + "'")
				}
				e.vars["OLD"], e.vars["NEW"] = schema.SamplePassword, goodPassword
				e.prepareExample(t, path)
				for _, username := range rights {
					if !permitted(path, username) {
						continue
					}
					if !strings.HasPrefix(path, "crm db ") || path == "crm db populate" && username == "administrator1" {
						e.as(username)
					}
					code, output := e.shell(t, example)
					asks := code == 2 && (strings.Contains(output, "--password-stdin") || strings.Contains(output, "--yes") ||
						strings.Contains(output, "--database: the database is")) // of a test, which is not crm
					if code == 0 || code == 8 || asks {
						return
					}
					if code != 4 && !(code == 3 && path == "crm db populate") {
						t.Fatalf("exit %d as %s: %s", code, username, output)
					}
				}
				t.Error("nobody may do this")
			})
		}
	})
}

// permitted says whether the grid lets the role of a sample employee run a command, if only on what is theirs.
func permitted(path, username string) bool {
	for _, p := range service.Permissions() {
		if path == "crm "+p.Operation {
			role := strings.TrimRight(username, "123")
			return map[string]service.Scope{
				"none": p.None, "support": p.Support, "commercial": p.Commercial, "administrator": p.Administrator,
			}[role] != "no"
		}
	}
	return true
}

// changesNothing says whether a command leaves the database as it is.
func changesNothing(path string) bool {
	for _, c := range readings() {
		if strings.HasPrefix("crm "+c.line+" ", path+" ") {
			return true
		}
	}
	return slices.Contains([]string{"crm completion", "crm help", "crm schema", "crm check", "crm db start", "crm db stop"}, path)
}

// exampleFiles are what the examples of an import take in.
var exampleFiles = map[string]string{
	"customers.csv": "fullname,email\nZoé Œuf,zoe@oeuf.example\n",
	"contacts.csv":  "Nom;Société;email\nZoé Œuf;L'Œuf;zoe@oeuf.example\n",
	"hubspot.csv":   "First Name,Last Name,Email\nZoé,Œuf,zoe@oeuf.example\n",
	"contracts.csv": "number,customer_id,total_amount\n2026-0002,,\n",
	"payments.csv":  "number,amount,method\n2026-0003,0.29,card\n",
	"events.csv":    "number,name\n2026-0002,Bal\n",
	"releve.csv":    "Date;Libellé;Montant\n02/11/2026;VIREMENT 2026-0003;0,29\n",
	"employees.csv": "username,fullname,role\nlea,Léa Martin,support\n",
}

func (e *employee) prepareExample(t *testing.T, path string) {
	t.Helper()
	password := schema.SamplePassword
	if path != "crm auth login" {
		password = goodPassword
	}
	if err := os.WriteFile(filepath.Join(e.vars["HOME"], "password.txt"), []byte(password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, content := range exampleFiles {
		if err := os.WriteFile(filepath.Join(e.vars["HOME"], name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if statements := exampleDatabases[path]; statements != "" {
		e.sql(statements)
	}
	if path == "crm db grant" { // roles are the server's, and stay when the database goes
		t.Cleanup(func() {
			if _, err := e.conn.Exec(context.Background(), "DROP OWNED BY crm_app; DROP ROLE crm_app"); err != nil {
				t.Error(err)
			}
		})
	}
	if path == "crm db restore" {
		e.must(t, "db", "backup", filepath.Join(e.vars["HOME"], "crm.backup"))
	}
	if path == "crm db start" || path == "crm db stop" { // of a database that is no URL
		e.vars["CRM_DATABASE_URL"] = ""
		e.vars["HOME"] = localHome(t)
		t.Cleanup(func() { e.shell(t, "crm db stop") })
	}
}

// localHome is a folder in which the local database's account gets along.
func localHome(t *testing.T) string {
	t.Helper()
	home, err := os.MkdirTemp("", "crm")
	if err == nil {
		err = os.Chmod(home, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	return home
}

// shell runs a line in the folder that is home and returns its exit code, with stdout and stderr.
func (e *employee) shell(t *testing.T, line string) (int, string) {
	t.Helper()
	command := exec.Command("bash", "-o", "pipefail", "-c", line)
	command.Dir, command.Env = e.vars["HOME"], e.environ()
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	err := command.Run()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	return command.ProcessState.ExitCode(), output.String()
}

// requireProgram fails where a program is not installed: what is not run is not known to work.
func requireProgram(t *testing.T, program, debianPackage string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Fatalf("%s is needed for this test: apt-get install -y --no-install-recommends %s", program, debianPackage)
	}
}

// TestResources holds each resource to columns with names of their own and a kind, and its looks to these columns.
func TestResources(t *testing.T) {
	t.Parallel()
	checked := map[string]bool{}
	check(t, checked, "employees", employees)
	check(t, checked, "newEmployees", newEmployees)
	check(t, checked, "handovers", handovers)
	check(t, checked, "importedRows", importedRows)
	check(t, checked, "reconciled", reconciled)
	check(t, checked, "customers", customers)
	check(t, checked, "duplicates", duplicates)
	check(t, checked, "contracts", contracts)
	check(t, checked, "payments", payments)
	check(t, checked, "recordedPayments", recordedPayments)
	check(t, checked, "events", events)
	check(t, checked, "clashes", clashes)
	check(t, checked, "candidates", candidates)
	check(t, checked, "notes", notes)
	check(t, checked, "reminders", reminders)
	check(t, checked, "receivables", receivables)
	check(t, checked, "revenue", revenue)
	check(t, checked, "receipts", receipts)
	check(t, checked, "workload", workload)
	check(t, checked, "pipeline", pipeline)
	check(t, checked, "customerAccounts", customerAccounts)
	check(t, checked, "contractAccounts", contractAccounts)
	check(t, checked, "eventSheets", eventSheets)
	check(t, checked, "finds", finds)
	check(t, checked, "workItems", workItems)
	check(t, checked, "changes", changes)
	check(t, checked, "feed", feed)
	check(t, checked, "undone", undone)
	check(t, checked, "checkFindings", checkFindings)
	check(t, checked, "whoami", whoami)
	check(t, checked, "logins", logins)
	check(t, checked, "tokens", tokens)
	check(t, checked, "newTokens", newTokens)
	check(t, checked, "permissions", permissions)
	check(t, checked, "databaseStatuses", databaseStatuses)
	check(t, checked, "backups", backups)
	check(t, checked, "versions", versions)
	check(t, checked, "settings", settings)
	check(t, checked, "diagnosis", diagnosis)
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range parsed.Decls {
			variables, ok := declaration.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range variables.Specs {
				if name := resourceName(spec); name != "" && !checked[name] {
					t.Errorf("the resource %s in %s is not in this test", name, file)
				}
			}
		}
	}
}

func check[T any](t *testing.T, checked map[string]bool, variable string, r render.Resource[T]) {
	t.Helper()
	checked[variable] = true
	if r.Name == "" || r.Title == "" || len(r.Names()) == 0 {
		t.Errorf("%s has no name, no title or no columns", variable)
	}
	names := map[string]bool{}
	for _, name := range r.Names() {
		if names[name] || name == "" || name != strings.ToLower(name) || strings.ContainsAny(name, " -") {
			t.Errorf("%s: the column %q comes twice or is not snake_case", variable, name)
		}
		names[name] = true
	}
	for _, f := range render.Describe(r).Fields {
		if f.Type == "" {
			t.Errorf("%s: the column %q has no kind", variable, f.Name)
		}
	}
	looksOf := map[string]int{}
	for _, c := range columns.Of(reflect.TypeFor[T]()) {
		looksOf[c.Name] = 1
	}
	for _, look := range r.Looks {
		if looksOf[look.Column]--; looksOf[look.Column] < 0 {
			t.Errorf("%s: the look of %q is of no column, or comes twice", variable, look.Column)
		}
	}
	if r.Charge != "" && !names[r.Charge] {
		t.Errorf("%s: who is in charge is in no column %q", variable, r.Charge)
	}
}

// resourceName is that of a variable whose value is a resource[T]{...}.
func resourceName(spec ast.Spec) string {
	variable, ok := spec.(*ast.ValueSpec)
	if !ok || len(variable.Values) != 1 {
		return ""
	}
	literal, ok := variable.Values[0].(*ast.CompositeLit)
	if !ok {
		return ""
	}
	generic, ok := literal.Type.(*ast.IndexExpr)
	if !ok {
		return ""
	}
	if name, ok := generic.X.(*ast.SelectorExpr); !ok || name.Sel.Name != "Resource" {
		return ""
	}
	return variable.Names[0].Name
}

func TestTopics(t *testing.T) {
	t.Parallel()
	e := asEmployee(t, "")
	want := []string{"configuration", "dates", "environment", "exit-codes", "flags", "formatting", "money"}
	if got := manual.Topics(); !slices.Equal(got, want) {
		t.Errorf("the topics are %v, want %v", got, want)
	}
	for _, topic := range want {
		text := e.must(t, "help", topic)
		if title, body, _ := strings.Cut(text, "\n"); title == "" || strings.TrimSpace(body) == "" {
			t.Errorf("%s has no title or no text", topic)
		}
	}
	configuration, example := e.must(t, "help", "configuration"), readFile(t, "../crm.toml")
	a := newApp(&terminal.Terminal{})
	a.newRoot().FlagSet.VisitAll(func(f *flag.Flag) {
		if !config.IsKey(f.Name) {
			return
		}
		if !strings.Contains(configuration, f.Name) && f.Name != "error_tracing.dsn" { // the other spelling of dns
			t.Errorf("crm help configuration does not explain %s", f.Name)
		}
		if !strings.Contains(example, config.Variable(f.Name)) && f.Name != "error_tracing.dsn" {
			t.Errorf("crm.toml does not explain %s", config.Variable(f.Name))
		}
	})
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestFindings: the flags of check name what its query can find, and what service finds by itself.
func TestFindings(t *testing.T) {
	t.Parallel()
	query, err := os.ReadFile("../queries/check.sql")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"rule_off", "schema_differs"}
	for _, match := range regexp.MustCompile(`SELECT \d+(?: AS place)?, '([a-z_]+)'`).FindAllStringSubmatch(string(query), -1) {
		want = append(want, match[1])
	}
	slices.Sort(want)
	if !slices.Equal(findings, want) {
		t.Errorf("%v, want %v", findings, want)
	}
}
