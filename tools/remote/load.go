package main

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	servicePath   = module + "/service"
	interfaceFile = "service/operations.go"
)

// operation is a method of Session that is reached over the wire.
type operation struct {
	name    string
	doc     string // of the method, in lines that begin with //
	params  []*types.Var
	results []*types.Var // without the error
	stream  bool         // the one result is the type of each row
	rows    *types.Var   // what it takes row by row, after its parameters; may be nil
}

// load reads the operations of package service, and type-checks the package with what it imports as compiled.
func load() ([]operation, error) {
	files := token.NewFileSet()
	parsed, err := parseService(files)
	if err != nil {
		return nil, err
	}
	exports, err := exportsOf("./service")
	if err != nil {
		return nil, err
	}
	config := types.Config{Importer: importer.ForCompiler(files, "gc", func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("no compiled package %s", path)
		}
		return os.Open(exports[path])
	})}
	checked, err := config.Check(servicePath, files, parsed, nil)
	if err != nil {
		return nil, err
	}
	session := types.NewPointer(checked.Scope().Lookup("Session").Type())
	docs := docsOf(parsed)
	names := append(permissionKeys(parsed), "May") // which is no operation, but needs the session
	slices.Sort(names)
	var operations []operation
	for _, name := range names {
		found, _, _ := types.LookupFieldOrMethod(session, true, checked, name)
		method, ok := found.(*types.Func)
		if !ok {
			return nil, fmt.Errorf("%s has a row in the table of permissions and no method", name)
		}
		each, err := newOperation(method, docs[name])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		operations = append(operations, each)
	}
	return operations, nil
}

// parseService parses the package as it is here, but for what was generated before: the interface is empty instead.
func parseService(files *token.FileSet) ([]*ast.File, error) {
	names, err := goList("-f", `{{join .GoFiles "\n"}}`, "./service")
	if err != nil {
		return nil, err
	}
	var parsed []*ast.File
	for _, name := range append(names, filepath.Base(interfaceFile)) {
		var source any
		path := filepath.Join("service", name)
		if name == filepath.Base(interfaceFile) {
			if parsed != nil && slices.ContainsFunc(parsed, func(f *ast.File) bool { return files.File(f.Pos()).Name() == path }) {
				continue
			}
			source = "package service\n\ntype Operations any\n"
		}
		file, err := parser.ParseFile(files, path, source, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, file)
	}
	return parsed, nil
}

// exportsOf returns where the compiled packages are that a package imports, by their paths. The package itself need not
// compile.
func exportsOf(pattern string) (map[string]string, error) {
	lines, err := goList("-e", "-export", "-deps", "-f", "{{if .Export}}{{.ImportPath}}={{.Export}}{{end}}", pattern)
	exports := map[string]string{}
	for _, line := range lines {
		path, file, _ := strings.Cut(line, "=")
		exports[path] = file
	}
	return exports, err
}

func goList(args ...string) ([]string, error) {
	command := exec.Command("go", append([]string{"list"}, args...)...)
	command.Stderr = os.Stderr
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	return strings.Fields(string(output)), nil
}

// permissionKeys returns the keys of the table.
func permissionKeys(parsed []*ast.File) []string {
	keys := map[string]bool{}
	for _, file := range parsed {
		ast.Inspect(file, func(node ast.Node) bool {
			spec, ok := node.(*ast.ValueSpec)
			if !ok || spec.Names[0].Name != "permissions" || len(spec.Values) != 1 {
				return true
			}
			for _, row := range spec.Values[0].(*ast.CompositeLit).Elts {
				key, err := strconv.Unquote(row.(*ast.KeyValueExpr).Key.(*ast.BasicLit).Value)
				if err == nil {
					keys[key] = true
				}
			}
			return false
		})
	}
	return slices.Collect(maps.Keys(keys))
}

// docsOf returns the comments of the methods of Session.
func docsOf(parsed []*ast.File) map[string]string {
	docs := map[string]string{}
	for _, file := range parsed {
		for _, declaration := range file.Decls {
			method, ok := declaration.(*ast.FuncDecl)
			if !ok || method.Recv == nil || method.Doc == nil || types.ExprString(method.Recv.List[0].Type) != "*Session" {
				continue
			}
			var lines []string
			for _, comment := range method.Doc.List {
				lines = append(lines, comment.Text)
			}
			docs[method.Name.Name] = strings.Join(lines, "\n")
		}
	}
	return docs
}

// newOperation reads a signature: a context, what the caller gives, and what comes back with an error beside it or, in
// a stream, with each row.
func newOperation(method *types.Func, doc string) (operation, error) {
	signature := method.Signature()
	each := operation{name: method.Name(), doc: doc}
	for v := range signature.Params().Variables() {
		each.params = append(each.params, v)
	}
	if len(each.params) == 0 || each.params[0].Type().String() != "context.Context" {
		return each, fmt.Errorf("the first parameter is no context")
	}
	each.params = each.params[1:]
	if n := len(each.params); n > 0 {
		if given, ok := each.params[n-1].Type().(*types.Named); ok && given.Obj().Name() == "Seq2" {
			each.rows = each.params[n-1]
			each.params = each.params[:n-1]
		}
	}
	for v := range signature.Results().Variables() {
		each.results = append(each.results, v)
	}
	last := each.results[len(each.results)-1].Type()
	if rows, ok := last.(*types.Named); ok && rows.Obj().Name() == "Seq2" && len(each.results) == 1 {
		each.stream = true
		each.results = []*types.Var{types.NewParam(0, nil, "row", rows.TypeArgs().At(0))}
		return each, nil
	}
	if last.String() != "error" {
		return each, fmt.Errorf("the last result is %s, which is no error", last)
	}
	each.results = each.results[:len(each.results)-1]
	return each, nil
}

// rowOf returns the type of what a sequence has.
func rowOf(rows *types.Var) types.Type { return rows.Type().(*types.Named).TypeArgs().At(0) }

// isStruct reports whether a type is a struct whose fields go over the wire, and not one that is a single value there.
func isStruct(t types.Type) bool {
	_, ok := t.Underlying().(*types.Struct)
	return ok && t.String() != "time.Time"
}
