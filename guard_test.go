package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/epicevents/crm"

// mayImport is what each package may import of this module: what stands to its left. Tests may also use dbtest and
// what that stands on.
var mayImport = map[string][]string{
	"schema":                    {},
	"gen":                       {"internal/value"},
	"internal/failure":          {},
	"internal/value":            {"internal/failure", "internal/value/phone"},
	"internal/value/phone":      {},
	"internal/columns":          {},
	"service":                   {"schema", "gen", "internal/failure", "internal/value", "internal/columns"},
	"internal/files":            {},
	"internal/localdb":          {"internal/failure", "internal/files"},
	"internal/pgclient":         {"internal/failure", "internal/localdb"},
	"internal/dbtest":           {"schema", "internal/failure", "internal/localdb"},
	"internal/dbtest/container": {},
	"remote":                    {"gen", "internal/columns", "internal/failure", "internal/value", "service"},
	"cli/text":                  {},
	"cli/cmdline":               {"internal/failure", "cli/text"},
	"cli/render":                {"internal/failure", "internal/value", "internal/columns", "cli/text"},
	"cli/intake":                {"internal/failure", "internal/files", "cli/text"},
	"cli/terminal":              {"internal/failure", "internal/files", "cli/text"},
	"cli/config":                {"internal/failure", "internal/files", "cli/text", "cli/cmdline", "cli/render"},
	"cli/backend": {
		"schema", "gen", "internal/failure", "internal/files", "internal/localdb", "service", "remote",
		"cli/text", "cli/terminal", "cli/config",
	},
	"cli/command": {
		"internal/columns", "internal/failure", "internal/value", "service", "cli/text", "cli/cmdline", "cli/render", "cli/terminal", "cli/config",
		"cli/backend",
	},
	"cli/manual": {
		"internal/failure", "cli/text", "cli/cmdline", "cli/render", "cli/terminal", "cli/config", "cli/command",
	},
	"cli": {
		"schema", "gen", "internal/failure", "internal/value", "service", "internal/files", "internal/localdb", "internal/pgclient",
		"remote", "cli/text", "cli/cmdline", "cli/render", "cli/terminal", "cli/config", "cli/backend", "cli/command", "cli/manual", "cli/intake",
	},
	".":                    {"cli"},
	"tools/findpostgres":   {"internal/failure", "internal/localdb"},
	"tools/mutate":         {"internal/localdb"},
	"tools/remote":         {},
	"tools/testserver":     {"internal/dbtest"},
	"tools/torture":        {"schema", "internal/failure", "internal/localdb"},
	"internal/roundtrip":   {},
	"internal/testprogram": {},
	"tools/bench":          {"gen", "internal/localdb", "internal/roundtrip", "schema"},
	"tools/bench/start":    {},
	"tools/bench/floor":    {},
	"tools/bench/wire":     {},
}

// onlyIn names the files that alone know a library; a folder stands for all of its files.
var onlyIn = map[string][]string{
	"github.com/jedib0t/go-pretty/v6": {"cli/render/table.go"},
	"github.com/arran4/golang-ical":   {"service/ical.go"},
	"encoding/csv":                    {"cli/render/encode.go", "cli/intake"},
	"golang.org/x/text/encoding":      {"cli/intake"},
	"encoding/json":                   {"internal/failure", "remote", "tools/remote", "cli/schema.go", "cli/import.go", "cli/intake/lines.go", "cli/command/edit.go", "tools/bench", "tools/torture"},
	"charm.land":                      {"cli/terminal"},
	"github.com/getsentry/sentry-go":  {"cli/cli.go", "cli/tracing.go"},
	"github.com/golang-jwt/jwt/v5":    {"service/session.go"},
	"golang.org/x/crypto/argon2":      {"service/password.go"},
	"github.com/alexedwards/argon2id": {"service/password.go"},
	"github.com/jackc/pgx/v5/pgconn":  {"gen", "schema/driver.go", "schema/session.go", "schema/demand.go", "service/backup.go", "service/error.go", "service/connect.go", "service/rows.go", "service/statement.go", "cli/tracing.go", "cli/backend", "internal", "tools/bench/wire"},
	"github.com/peterbourgon/ff/v3":   {"cli"},
	"github.com/golang-migrate":       {"schema"},
	"github.com/nyaruka/phonenumbers": {}, // in tests only: TestSlowStartersStayOut
	"github.com/pelletier/go-toml":    {"cli/config/file.go"},
	"golang.org/x/time":               {"remote/limiter.go"},
	"github.com/testcontainers":       {"internal/dbtest/container"},
	"github.com/moby":                 {"internal/dbtest/container"},
}

func TestImportsPointLeft(t *testing.T) {
	t.Parallel()
	for file, parsed := range goFiles(t) {
		folder := filepath.ToSlash(filepath.Dir(file))
		allowed, known := mayImport[folder]
		if !known {
			t.Errorf("%s: %s is in no place of the order of packages", file, folder)
		}
		for _, spec := range parsed.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			own, isOwn := strings.CutPrefix(name, module+"/")
			test := isTest(file) && (own == folder || own == "schema" || strings.HasPrefix(own, "internal/") ||
				folder == "service" && own == "remote") // every operation is also called over the wire
			if isOwn && !test && !slices.Contains(allowed, own) {
				t.Errorf("%s imports %s, which is not to its left", file, own)
			}
			for library, files := range onlyIn {
				if isTest(file) || name != library && !strings.HasPrefix(name, library+"/") {
					continue
				}
				in := func(place string) bool { return file == place || strings.HasPrefix(file, place+"/") }
				if !slices.ContainsFunc(files, in) {
					t.Errorf("%s imports %s, which only %v may", file, name, files)
				}
			}
		}
	}
}

// TestProcessIsLeftToMain has nobody else end the process or know its streams. What serves only tests may speak to them.
func TestProcessIsLeftToMain(t *testing.T) {
	t.Parallel()
	const stdout = "writes to stdout, which is the output's"
	forbidden := map[string]string{
		"os.Exit": "ends the process", "log.Fatal": "ends the process", "log.Fatalf": "ends the process",
		"os.Stdout": stdout, "fmt.Print": stdout, "fmt.Printf": stdout, "fmt.Println": stdout,
		"os.Stderr": "writes to stderr, which is IO.Err", "os.Args": "reads the arguments, which Run is given",
	}
	for file, parsed := range goFiles(t) {
		if isTest(file) || parsed.Name.Name == "main" || parsed.Name.Name == "dbtest" {
			continue
		}
		ast.Inspect(parsed, func(node ast.Node) bool {
			if selector, ok := node.(*ast.SelectorExpr); ok {
				if on, ok := selector.X.(*ast.Ident); ok && forbidden[on.Name+"."+selector.Sel.Name] != "" {
					t.Errorf("%s: %s.%s %s", file, on.Name, selector.Sel.Name, forbidden[on.Name+"."+selector.Sel.Name])
				}
			}
			return true
		})
	}
}

// TestProgramsAreWrittenWithoutForks: a test that starts what it wrote goes by testprogram, or now and then Linux refuses
// to start a file that a child of another test still holds open.
func TestProgramsAreWrittenWithoutForks(t *testing.T) {
	t.Parallel()
	for file, parsed := range goFiles(t) {
		if strings.HasPrefix(file, "internal/testprogram/") {
			continue
		}
		ast.Inspect(parsed, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok || len(call.Args) != 3 {
				return true
			}
			called, ok := call.Fun.(*ast.SelectorExpr)
			mode, isLiteral := call.Args[2].(*ast.BasicLit)
			if !ok || !isLiteral || called.Sel.Name != "WriteFile" {
				return true
			}
			if bits, err := strconv.ParseUint(mode.Value, 0, 32); err != nil || bits&0o111 != 0 {
				t.Errorf("%s writes a program with os.WriteFile: %s, %v", file, mode.Value, err)
			}
			return true
		})
	}
}

// TestNothingIsCompiledAtStart: what a package does when the program starts, every command pays.
func TestNothingIsCompiledAtStart(t *testing.T) {
	t.Parallel()
	for file, parsed := range goFiles(t) {
		if isTest(file) || strings.HasPrefix(file, "tools/") {
			continue
		}
		for _, declared := range parsed.Decls {
			variables, ok := declared.(*ast.GenDecl)
			if !ok {
				continue
			}
			ast.Inspect(variables, func(node ast.Node) bool {
				if _, ok := node.(*ast.FuncLit); ok {
					return false // called later
				}
				if selector, ok := node.(*ast.SelectorExpr); ok && selector.Sel.Name == "MustCompile" {
					t.Errorf("%s compiles a regular expression at the start of every command", file)
				}
				return true
			})
		}
	}
}

// slowStarters are libraries whose initialisers cost every command more than what they do is worth. Tests may use them.
var slowStarters = []string{"github.com/nyaruka/phonenumbers", "github.com/VictoriaMetrics/metrics"}

// TestSlowStartersStayOut: the program does not contain them, also not by way of another library.
func TestSlowStartersStayOut(t *testing.T) {
	t.Parallel()
	list, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(list))
	if !slices.Contains(packages, module+"/cli") {
		t.Fatalf("these are not the packages of crm: %v", packages)
	}
	for _, name := range packages {
		if slices.Contains(slowStarters, name) {
			t.Errorf("crm contains %s, which is slow to start", name)
		}
	}
}

// TestEveryFilterIsGiven: a parameter of a list that its command never sets, or of a count that its method forgets, would
// be a filter that does nothing.
func TestEveryFilterIsGiven(t *testing.T) {
	t.Parallel()
	fields, set := map[string][]string{}, map[string]bool{}
	for file, parsed := range goFiles(t) {
		if isTest(file) {
			continue
		}
		folder, _, _ := strings.Cut(file, "/")
		ast.Inspect(parsed, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.TypeSpec:
				params, isStruct := node.Type.(*ast.StructType)
				if name := node.Name.Name; folder == "gen" && isStruct && (strings.HasSuffix(name, "ListParams") || strings.HasSuffix(name, "CountParams")) {
					for _, field := range params.Fields.List {
						fields[name] = append(fields[name], field.Names[0].Name)
					}
				}
			case *ast.CompositeLit:
				if of, ok := node.Type.(*ast.SelectorExpr); ok {
					for _, element := range node.Elts {
						pair, isPair := element.(*ast.KeyValueExpr)
						if !isPair {
							continue
						}
						if key, ok := pair.Key.(*ast.Ident); ok {
							set[folder+"."+of.Sel.Name+"."+key.Name] = true
						}
					}
				}
			}
			return true
		})
	}
	if len(fields) == 0 {
		t.Fatal("no lists are found")
	}
	for params, names := range fields {
		by := "cli"
		if strings.HasSuffix(params, "CountParams") {
			by = "service"
		}
		for _, name := range names {
			if !set[by+"."+params+"."+name] && !strings.HasPrefix(name, "As") { // what the service sets itself
				t.Errorf("nothing in %s sets %s of %s", by, name, params)
			}
		}
	}
}

func TestFilesAreShort(t *testing.T) {
	t.Parallel()
	for file := range goFiles(t) {
		text := read(t, file)
		if lines := strings.Count(text, "\n"); lines > 600 && !strings.HasPrefix(text, "// Code generated ") {
			t.Errorf("%s has %d lines: split it", file, lines)
		}
	}
}

func isTest(file string) bool { return strings.HasSuffix(file, "_test.go") }

// goFiles parses every Go file of the repository, by its path there.
func goFiles(t *testing.T) map[string]*ast.File {
	t.Helper()
	files := map[string]*ast.File{}
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && name != "." && strings.HasPrefix(entry.Name(), ".") {
			return fs.SkipDir
		}
		if entry.IsDir() || filepath.Ext(name) != ".go" {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		files[filepath.ToSlash(name)] = file
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatal(len(files), err)
	}
	return files
}
