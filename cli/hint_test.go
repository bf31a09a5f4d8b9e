package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/epicevents/crm/cli/backend"
	"github.com/epicevents/crm/cli/cmdline"
	"github.com/epicevents/crm/cli/terminal"
)

// TestHintsDoNotCircle: in each state of the database, whoever types what the hint says comes further, or is told
// something else. doctor and status are typed too, as people do.
func TestHintsDoNotCircle(t *testing.T) {
	t.Parallel()
	for name, state := range map[string]func(e *employee){
		"no schema": func(e *employee) { e.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public") },
		"other tables": func(e *employee) {
			e.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE schema_migrations (version text)")
		},
		"other version": func(e *employee) {
			e.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE schema_migrations (version bigint, dirty boolean); INSERT INTO schema_migrations VALUES (20230101, false)")
		},
		"no extension": func(e *employee) {
			e.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE SCHEMA extensions; CREATE EXTENSION pg_trgm SCHEMA extensions")
		},
		"no path": func(e *employee) {
			e.vars["CRM_DATABASE_URL"] = backend.WithParameter(e.vars["CRM_DATABASE_URL"], "search_path", "nowhere")
		},
		"missing view": func(e *employee) { e.sql("DROP VIEW customer_view CASCADE") },
		"dirty":        func(e *employee) { e.sql("UPDATE schema_migrations SET dirty = true") },
		"newer":        func(e *employee) { e.sql("UPDATE schema_migrations SET version = 9999") },
		"no database": func(e *employee) {
			e.vars["CRM_DATABASE_URL"] = strings.Replace(e.vars["CRM_DATABASE_URL"], e.config.Database, "crm_no_such_database", 1)
		},
		"no server":         func(e *employee) { e.vars["CRM_DATABASE_URL"] = "postgres://crm@127.0.0.1:1/crm" },
		"nobody":            func(e *employee) { e.as("") },
		"session over":      func(e *employee) { e.sql("DELETE FROM session") },
		"bad token":         func(e *employee) { e.vars["CRM_TOKEN"] = "crm_x" },
		"one-time password": func(e *employee) { e.sql("UPDATE employee SET password_one_time = true") },
		"healthy":           func(*employee) {},
		"no parameter": func(e *employee) {
			e.vars["CRM_DATABASE_URL"] = backend.WithParameter(e.vars["CRM_DATABASE_URL"], "no_such_setting", "1")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := asEmployee(t, "administrator1")
			state(e)
			for _, first := range []string{
				"customer list", "db status", "db migrate", "doctor", "auth token revoke x", "auth sessions revoke " + uuid.NewString(),
				"employee detail nemo", "customer detail 999", "contract detail 00000000", "event detail 999", "payment detail 00000000", "undo 00000000 --dry-run",
			} {
				seen := map[string]bool{}
				for command := first; command != ""; {
					if seen[command] {
						t.Fatalf("crm %s leads to crm %s again", first, command)
					}
					seen[command] = true
					r := e.crm("", strings.Fields(command)...)
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

// walked says of each command that a hint names in the code where what it leads to is walked, or why it leads on.
var walked = map[string]string{
	"crm db migrate":           "TestHintsDoNotCircle: no schema, other version, dirty",
	"crm doctor":               "TestHintsDoNotCircle: missing view",
	"crm db start":             "starts what db status and doctor found stopped or not made: the story db",
	"crm db stop":              "stops the server whatever state it is in; the next command starts it",
	"crm contract add-payment": "repeats the payment under its id, which is recorded once: TestUnknownPayment",
	"crm db restore":           "names --database, which answers the refusal",
	"crm auth login":           "TestHintsDoNotCircle: nobody, session over",
	"crm auth token create":    "TestHintsDoNotCircle: bad token",
	"crm auth change-password": "TestHintsDoNotCircle: one-time password",
	"crm auth token list":      "TestHintsDoNotCircle: no such token",
	"crm auth sessions":        "TestHintsDoNotCircle: no such session",
	"crm employee add":         "the database has employees, so that one can log in and add more",
	"crm employee list":        "TestHintsDoNotCircle: no such employee",
	"crm customer list":        "TestHintsDoNotCircle: no such customer",
	"crm customer duplicates":  "shows which two there are to merge, in any state: the story merge",
	"crm contract list":        "TestHintsDoNotCircle: no such contract",
	"crm history":              "shows the batches, of whose ids one was not right: the story history",
	"crm changes":              "begins at the first change, which needs no cursor: the story history",
	"crm db backup":            "and a restore of it give the history an order: TestCursorOfAnother",
	"crm payment list":         "TestHintsDoNotCircle: no such payment",
	"crm event list":           "TestHintsDoNotCircle: no such event",
	"crm note list":            "answers whatever there is: the story note",
	"crm reminder list":        "answers whatever there is: the story note",
	"crm serve":                "names serve.socket, without which there is nothing to listen on: the story serve",
	"crm help":                 "explains, in any state",
}

// TestEveryHintIsWalked collects the commands that hints name, in all packages, and wants each to exist and to be walked.
func TestEveryHintIsWalked(t *testing.T) {
	t.Parallel()
	a := newApp(&terminal.Terminal{})
	a.Root = a.newRoot()
	seen := map[string]bool{}
	for _, pattern := range []string{"*.go", "*/*.go", "../service/*.go", "../schema/*.go", "../internal/localdb/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no files %s: %v", pattern, err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, hint := range hintsOf(file) {
				words := strings.Fields(hint)[1:]
				command := a.Root
				typed := "crm"
				for _, word := range words {
					next := cmdline.Find(command, strings.TrimSuffix(word, ","))
					if next == nil {
						break
					}
					command, typed = next, typed+" "+next.Name
				}
				if command == a.Root {
					t.Errorf("%s: the hint %q names no command of crm", name, hint)
				}
				if walked[typed] == "" && !strings.Contains(hint, "--help") { // which prints, in any state
					t.Errorf("%s: nobody says what %q, which is hinted at, leads to", name, typed)
				}
				seen[typed] = true
			}
		}
	}
	for command := range walked {
		if !seen[command] {
			t.Errorf("no hint names %q", command)
		}
	}
}

// hintsOf returns the hints in a file that begin with a command: fields called Hint, the second argument of Misuse, and
// what a function named after a hint returns.
func hintsOf(file *ast.File) (hints []string) {
	add := func(e ast.Expr) {
		for {
			sum, ok := e.(*ast.BinaryExpr)
			if !ok {
				break
			}
			e = sum.X
		}
		if call, ok := e.(*ast.CallExpr); ok && len(call.Args) > 0 { // of fmt.Sprintf
			e = call.Args[0]
		}
		if literal, ok := e.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			if text, err := strconv.Unquote(literal.Value); err == nil && strings.HasPrefix(text, "crm ") {
				hints = append(hints, text)
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if !strings.HasSuffix(strings.ToLower(n.Name.Name), "hint") {
				break
			}
			ast.Inspect(n, func(n ast.Node) bool {
				if result, ok := n.(*ast.ReturnStmt); ok && len(result.Results) > 0 {
					add(result.Results[0])
				}
				return true
			})
		case *ast.KeyValueExpr:
			if name, ok := n.Key.(*ast.Ident); ok && strings.EqualFold(name.Name, "hint") {
				add(n.Value)
			}
		case *ast.AssignStmt:
			for i, left := range n.Lhs {
				if field, ok := left.(*ast.SelectorExpr); ok && field.Sel.Name == "Hint" && i < len(n.Rhs) {
					add(n.Rhs[i])
				}
			}
		case *ast.CallExpr:
			switch fun := n.Fun.(type) {
			case *ast.Ident:
				if fun.Name == "notFound" && len(n.Args) > 0 {
					add(n.Args[0])
				}
				if fun.Name == "hostError" && len(n.Args) == 3 {
					add(n.Args[1])
				}
			case *ast.SelectorExpr:
				if fun.Sel.Name == "add" && len(n.Args) > 2 { // a line of the doctor's, with its advice
					add(n.Args[2])
				}
				if fun.Sel.Name == "Misuse" && len(n.Args) == 2 {
					add(n.Args[1])
				}
			}
		}
		return true
	})
	return hints
}
