package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
)

const (
	permissionFile = "service/permissions.go"
	mutantVariable = "CRM_MUTANT"
	serviceTest    = "service.test"
)

// broken is what takes the place of a scope, or of the kind of session that an operation needs.
var broken = map[string][]string{
	"no": {"all"}, "own": {"no", "all"}, "all": {"no"},
	"read": {"login"}, "write": {"read", "login"}, "login": {"write"},
	"readOnly": {"idempotent"}, "idempotent": {"readOnly"}, // that more may be repeated than was meant, only some calls show
}

// columns of the table, and what of TestPermissions holds each.
var columns = []struct{ name, tests string }{
	{"needs", ""}, {"again", "|^TestRepeats$"}, {"none", "/^none$"}, {"commercial", "/^commercial$"}, {"support", "/^support$"}, {"administrator", "/^administrator$"},
}

// permissionMutants reads the table and writes a test file, to be laid over package service, that puts one broken row
// into it: that of $CRM_MUTANT.
func permissionMutants(work string) (mutants []mutant, overlay string, err error) {
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, permissionFile, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, "", err
	}
	var table *ast.CompositeLit
	ast.Inspect(parsed, func(node ast.Node) bool {
		if spec, ok := node.(*ast.ValueSpec); ok && spec.Names[0].Name == "permissions" && len(spec.Values) == 1 {
			table, _ = spec.Values[0].(*ast.CompositeLit)
		}
		return true
	})
	if table == nil {
		return nil, "", fmt.Errorf("%s has no table named permissions", permissionFile)
	}
	var code bytes.Buffer
	source := func(node ast.Node) string {
		var text bytes.Buffer
		_ = format.Node(&text, files, node) // a node that was parsed can be printed
		return text.String()
	}
	rowType := source(table.Type.(*ast.MapType).Value)
	fmt.Fprintf(&code, "package service\n\nimport \"os\"\n\nfunc init() {\nswitch os.Getenv(%q) {\n", mutantVariable)
	for _, entry := range table.Elts {
		row := entry.(*ast.KeyValueExpr)
		operation := strings.Trim(source(row.Key), `"`)
		cells := row.Value.(*ast.CompositeLit).Elts
		if len(cells) != len(columns) {
			return nil, "", fmt.Errorf("the row of %s has %d columns, want %d", operation, len(cells), len(columns))
		}
		for column, cell := range cells {
			scope := source(cell)
			for _, instead := range broken[scope] {
				name := fmt.Sprintf("%s %s: %s becomes %s", operation, columns[column].name, scope, instead)
				values := make([]string, len(cells))
				for i, other := range cells {
					values[i] = source(other)
				}
				values[column] = instead
				fmt.Fprintf(&code, "case %q:\npermissions[%q] = %s{%s}\n", name, operation, rowType, strings.Join(values, ", "))
				mutants = append(mutants, mutant{
					name: name, program: serviceTest, folder: "service", env: name, tests: "^TestPermissions$" + columns[column].tests,
				})
			}
		}
	}
	code.WriteString("case \"\":\ndefault:\npanic(\"no such mutant\")\n}\n}\n")

	test := filepath.Join(work, "mutant_test.go")
	if err := os.WriteFile(test, code.Bytes(), 0o600); err != nil {
		return nil, "", err
	}
	place, err := filepath.Abs("service/mutant_test.go")
	if err != nil {
		return nil, "", err
	}
	overlay = filepath.Join(work, "overlay.json")
	return mutants, overlay, os.WriteFile(overlay, fmt.Appendf(nil, `{"Replace": {%q: %q}}`, place, test), 0o600)
}
