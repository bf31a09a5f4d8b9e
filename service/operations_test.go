package service_test

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/epicevents/crm/service"
)

// TestEveryOperation has a row in the table, a line in the statement, a call in the walk, and checks its own row.
func TestEveryOperation(t *testing.T) {
	t.Parallel()
	var operations []string
	session, svc := reflect.TypeFor[*service.Session](), reflect.TypeFor[*service.Service]()
	for method := range session.Methods() {
		_, promoted := svc.MethodByName(method.Name)
		if !promoted && method.Name != "May" && method.Type.NumIn() > 1 && method.Type.In(1) == reflect.TypeFor[context.Context]() {
			operations = append(operations, method.Name)
		}
	}
	slices.Sort(operations)
	rows, checks := parsePackage(t)
	for what, names := range map[string]map[string]string{"permissions": rows, "methods": checks} {
		same(t, "operations in "+what, slices.Sorted(maps.Keys(names)), operations)
	}
	same(t, "operations in testdata/permissions.txt", slices.Sorted(maps.Keys(readPermissions(t))), operations)
	same(t, "operations in the walk", slices.Sorted(maps.Keys(calls)), operations)
	for method, checked := range checks {
		if checked != method {
			t.Errorf("%s checks the row of %q", method, checked)
		}
	}
	if got := len(service.Permissions()); got != len(operations) {
		t.Errorf("Permissions returns %d rows, want %d", got, len(operations))
	}
}

// parsePackage returns the rows of the permission table, and for each operation the one whose row it checks. Methods
// that take no context do nothing in the database; those of Service need no session; May asks the table itself.
func parsePackage(t *testing.T) (rows, checks map[string]string) {
	t.Helper()
	rows, checks = map[string]string{}, map[string]string{}
	files, err := fs.Glob(os.DirFS("."), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				if n.Names[0].Name == "permissions" {
					for _, row := range n.Values[0].(*ast.CompositeLit).Elts {
						rows[unquote(row.(*ast.KeyValueExpr).Key)] = ""
					}
				}
			case *ast.FuncDecl:
				if isOperation(n) {
					checks[n.Name.Name] = checkedBy(n)
				}
			}
			return true
		})
	}
	return rows, checks
}

func isOperation(f *ast.FuncDecl) bool {
	if f.Recv == nil || !f.Name.IsExported() || f.Name.Name == "May" || len(f.Type.Params.List) == 0 {
		return false
	}
	star, ok := f.Recv.List[0].Type.(*ast.StarExpr)
	if !ok || star.X.(*ast.Ident).Name != "Session" {
		return false
	}
	param, ok := f.Type.Params.List[0].Type.(*ast.SelectorExpr)
	return ok && param.Sel.Name == "Context"
}

// checkedBy is the operation that a method names to the functions that look at the table.
func checkedBy(f *ast.FuncDecl) string {
	position := map[string]int{"permit": 0, "allow": 1, "stream": 2, "streamOf": 2, "count": 2, "detail": 2}
	var names []string
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		fun := call.Fun
		if index, ok := fun.(*ast.IndexExpr); ok { // stream[gen.ContractView]
			fun = index.X
		}
		name := ""
		switch fun := fun.(type) {
		case *ast.Ident:
			name = fun.Name
		case *ast.SelectorExpr:
			name = fun.Sel.Name
		}
		if i, ok := position[name]; ok && i < len(call.Args) {
			names = append(names, unquote(call.Args[i]))
		}
		return true
	})
	return strings.Join(slices.Compact(names), " and ")
}

func unquote(e ast.Expr) string {
	if literal, ok := e.(*ast.BasicLit); ok {
		if text, err := strconv.Unquote(literal.Value); err == nil {
			return text
		}
	}
	return "?"
}

func readPermissions(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("testdata/permissions.txt")
	if err != nil {
		t.Fatal(err)
	}
	table := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		if len(words) != 6 || table[words[0]] != nil {
			t.Fatalf("testdata/permissions.txt: %s", line)
		}
		table[words[0]] = words[1:]
	}
	return table
}
