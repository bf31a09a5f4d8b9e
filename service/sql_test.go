package service_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestNoSQLIsMadeInGo walks the operations: SQL stands in queries/, and what sqlc made of it goes to the server as it is.
func TestNoSQLIsMadeInGo(t *testing.T) {
	t.Parallel()
	texts := queryTexts(t)
	written := regexp.MustCompile(`\b(SELECT|INSERT|UPDATE|DELETE|WHERE|ORDER BY)\b|^(?i:select\s.*\sfrom|insert into|delete from|update\s+\w+\s+set)\s`)
	passedOn := 0
	for name, file := range parsed(t, "*.go") {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		// These alone take the text of a query, as an argument that is handed on.
		handsOn := map[ast.Node]bool{}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if slices.Contains([]string{"stream", "streamOf", "streamOnce", "Queue", "QueryRow", "Query", "Exec"}, calledName(n)) {
					for _, argument := range n.Args {
						handsOn[argument] = true
					}
				}
			case *ast.Field: // a parameter is declared
				for _, parameter := range n.Names {
					handsOn[parameter] = true
				}
			}
			return true
		})
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				if n.Kind == token.STRING && written.MatchString(strings.Trim(n.Value, "\"`")) {
					t.Errorf("%s: SQL is written in Go: %s", name, n.Value)
				}
			case *ast.SelectorExpr:
				if from, ok := n.X.(*ast.Ident); ok && from.Name == "gen" && texts[n.Sel.Name] {
					if passedOn++; !handsOn[n] {
						t.Errorf("%s: something is done with the text of gen.%s, which may only be sent", name, n.Sel.Name)
					}
					return false
				}
			case *ast.Ident:
				if (n.Name == "query" || n.Name == "sql") && !handsOn[n] {
					t.Errorf("%s: something is done with the text of a query, which may only be sent", name)
				}
			}
			return true
		})
	}
	if passedOn < 7 {
		t.Errorf("found %d texts of queries, not those of the lists", passedOn)
	}
}

// uncounted are what is limited and never counted: a feed without an end, and a part of an overview.
var uncounted = map[string]bool{"Changes": true, "CustomerContracts": true}

// TestCountsFilterAsTheirLists compares the queries that count with those of the lists: FROM and WHERE stand in both,
// for sqlc has nothing that would share them, and every list of a length that may be limited has its count.
func TestCountsFilterAsTheirLists(t *testing.T) {
	t.Parallel()
	filters, lists := map[string]string{}, []string{}
	files, err := filepath.Glob("../queries/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for query := range strings.SplitSeq(string(text), "-- name: ") {
			name, body, _ := strings.Cut(query, " ")
			_, filter, _ := strings.Cut(body, "\nFROM ")
			filter, _, _ = strings.Cut(filter, ";")
			filter, _, _ = strings.Cut(filter, "\nORDER BY")
			filters[name] = filter
			if strings.HasPrefix(body, ":many") && strings.Contains(body, "row_limit") && !uncounted[name] {
				lists = append(lists, name)
			}
		}
	}
	for _, list := range lists {
		count := list + "Count"
		if _, ok := filters[count]; !ok {
			count = strings.TrimSuffix(list, "List") + "Count"
		}
		if filters[count] == "" || filters[count] != filters[list] {
			t.Errorf("%s and its count do not have the same FROM and WHERE:\n%s\n\n%s", list, filters[list], filters[count])
		}
	}
	if len(lists) < 7 {
		t.Errorf("found only the lists %v", lists)
	}
}

// queryTexts are the names of the constants in gen that hold the text of a query.
func queryTexts(t *testing.T) map[string]bool {
	t.Helper()
	texts := map[string]bool{}
	for _, file := range parsed(t, "../gen/*.sql.go") {
		for _, declaration := range file.Decls {
			if constants, ok := declaration.(*ast.GenDecl); ok && constants.Tok == token.CONST {
				for _, spec := range constants.Specs {
					texts[spec.(*ast.ValueSpec).Names[0].Name] = true
				}
			}
		}
	}
	return texts
}

func parsed(t *testing.T, pattern string) map[string]*ast.File {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %v", pattern, err)
	}
	files := map[string]*ast.File{}
	for _, name := range names {
		if files[name], err = parser.ParseFile(token.NewFileSet(), name, nil, 0); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func calledName(call *ast.CallExpr) string {
	function := call.Fun
	if instance, ok := function.(*ast.IndexExpr); ok {
		function = instance.X
	}
	switch function := function.(type) {
	case *ast.Ident:
		return function.Name
	case *ast.SelectorExpr:
		return function.Sel.Name
	}
	return ""
}
