// Command remote writes what follows from the operations of package service: their interface, both ends of the wire, and
// its description. Run it by make gen from the top of the repository; with -check it only says what is stale.
//
// The operations are the keys of the permission table and the methods of those names, so that nobody lists them twice.
// load.go reads them, code.go writes Go, describe.go the lines of remote/shape.txt and the document remote/openapi.json.
// Nothing is taken from what was generated before, or else a method that is gone could never be generated away.
package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
)

// module is the path of crm's own packages.
const module = "github.com/epicevents/crm"

func main() {
	if err := run(slices.Contains(os.Args[1:], "-check")); err != nil {
		fmt.Fprintln(os.Stderr, "remote:", err)
		os.Exit(1)
	}
}

// outputs are the files that are written, with what writes each.
var outputs = []struct {
	name  string
	write func([]operation) ([]byte, error)
}{
	{interfaceFile, writeInterface},
	{"remote/operations.go", writeEnds},
	{"remote/operations_test.go", writeTypes},
	{"remote/shape.txt", writeShape},
	{"remote/openapi.json", writeOpenAPI},
}

func run(check bool) error {
	operations, err := load()
	if err != nil {
		return err
	}
	for _, output := range outputs {
		content, err := output.write(operations)
		if err != nil {
			return fmt.Errorf("%s: %w", output.name, err)
		}
		if !check {
			if err := os.WriteFile(output.name, content, 0o644); err != nil {
				return err
			}
			continue
		}
		if present, err := os.ReadFile(output.name); err != nil || !bytes.Equal(present, content) {
			return fmt.Errorf("%s is stale: make gen", output.name)
		}
	}
	return nil
}
